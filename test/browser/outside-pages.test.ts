/** Pages that stand alone: the API's description, the operator's queue board, and addresses that do not exist. */

import { accessibilityFindings, screenshot, sidewaysScrollPx, useBrowser } from '../support/browser';
import { useTestDatabase } from '../support/test-database';
import { type Stage, startStage } from './stage';

const OPERATOR_TOKEN = 'a token of the operator';
const testDatabase = useTestDatabase();
const browser = useBrowser();
let stage: Stage;

beforeAll(async () => {
  stage = await startStage(testDatabase, { config: { operatorToken: OPERATOR_TOKEN } });
});
afterAll(() => stage.world.close());

test.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 320],
] as const)('when the description of the API is opened, then it reads well (%s, %i px)', async (theme, widthPx) => {
  const page = await browser.open({ theme, widthPx });

  await page.goto(`${stage.appUrl}/docs`);
  await page.locator('summary').first().click();

  expect(await page.locator('main').innerText()).toContain('POST /rules');
  expect(await sidewaysScrollPx(page)).toBe(0);
  expect(await accessibilityFindings(page)).toEqual([]);
  await screenshot(page, `docs-${theme}-${widthPx}`);
});

test('when the operator signs in, then the queue board runs under its policy and shows the queues', async () => {
  const page = await browser.open({ signIn: { username: 'operator', password: OPERATOR_TOKEN } });
  const addresses: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));

  await page.goto(`${stage.appUrl}/admin`);
  await page.getByText('deliver', { exact: true }).first().waitFor();
  await page.waitForLoadState('networkidle');

  expect(page.url()).toContain('/admin/queues');
  expect(addresses.filter((address) => !/^data:/.test(address) && new URL(address).origin !== stage.appUrl)).toEqual([]);
  await screenshot(page, 'queue-board');
});

test('when the settings are opened outside Pipedrive, then they say where to open them and offer no button that could not', async () => {
  browser.expectComplaint(/status of 401/);
  const page = await browser.open();

  await page.goto(`${stage.appUrl}/extension/settings`);

  expect(await page.getByRole('heading').innerText()).toBe('Please reopen this page');
  expect(await page.getByRole('button').count()).toBe(0);
});

test('when an address does not exist, then a page says so', async () => {
  browser.expectComplaint(/status of 404/);
  const page = await browser.open({ theme: 'dark' });

  await page.goto(`${stage.appUrl}/nowhere`);

  expect(await page.getByRole('heading').innerText()).toBe('This page does not exist');
  expect(await accessibilityFindings(page)).toEqual([]);
  await screenshot(page, 'not-found-dark');
});
