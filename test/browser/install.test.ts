/** Installing as a person does it: from the CRM's Marketplace page over the consent page and back. */

import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { accessibilityFindings, screenshot, sidewaysScrollPx, useBrowser } from '../support/browser';
import { useTestDatabase } from '../support/test-database';
import { firstAdmin } from '../support/world';
import { type Stage, startStage } from './stage';

const testDatabase = useTestDatabase();
const browser = useBrowser();
let stage: Stage;

beforeAll(async () => {
  stage = await startStage(testDatabase);
});
afterAll(() => stage.world.close());

test('when a person cancels at the consent page, then a page says that nothing was installed and offers to start again', async () => {
  const page = await browser.open();

  await page.goto(stage.appSettingsUrl());
  await page.getByRole('link', { name: 'Install Dealbell' }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('heading', { name: 'Installation cancelled' }).waitFor();

  expect(page.url()).toContain(`${stage.appUrl}/oauth/callback?error=`);
  expect(await page.locator('main').innerText()).toContain('Nothing was installed');
  expect(await page.getByRole('link', { name: 'Start again' }).getAttribute('href')).toBe('/oauth/install');
  expect(stage.world.pipedrive.webhooks.size).toBe(0);
  expect(await accessibilityFindings(page)).toEqual([]);
  await screenshot(page, 'install-cancelled-light');
});

test('when a person allows the app, then the page says for which company it is installed, and the settings show in Pipedrive', async () => {
  const page = await browser.open({ theme: 'dark' });

  await page.goto(stage.appSettingsUrl());
  await page.getByRole('link', { name: 'Install Dealbell' }).click();
  await page.getByRole('button', { name: 'Allow and install' }).click();
  await page.getByRole('heading', { name: 'Dealbell is installed' }).waitFor();

  expect(await page.locator('main').innerText()).toContain('Brightwater Supplies');
  expect(stage.world.pipedrive.isInstalled(DEMO_COMPANY_ID, firstAdmin(stage.world.pipedrive, DEMO_COMPANY_ID))).toBe(true);
  expect(await accessibilityFindings(page)).toEqual([]);
  await screenshot(page, 'installed-dark');

  await page.getByRole('link', { name: 'Open the settings in Pipedrive' }).click();
  await page.getByRole('link', { name: 'admin' }).first().click();

  await page.frameLocator('iframe[data-surface=settings]').getByRole('heading', { name: 'Overview' }).waitFor();
});

test('when an install link of another browser is followed, then a page at 320 px says so without scrolling sideways', async () => {
  browser.expectComplaint(/status of 400/);
  const page = await browser.open({ widthPx: 320 });

  await page.goto(`${stage.appUrl}/oauth/callback?code=c&state=not-ours`);

  expect(await page.getByRole('heading').innerText()).toBe('This installation was not started here');
  expect(await sidewaysScrollPx(page)).toBe(0);
  await screenshot(page, 'install-wrong-state-narrow');
});
