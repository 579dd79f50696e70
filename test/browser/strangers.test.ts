/** Who has no business here, or not yet: expired tokens, users without an installation, and other companies. */

import { DEMO_COMPANY_ID, OTHER_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { accessibilityFindings, screenshot, useBrowser } from '../support/browser';
import { useTestDatabase } from '../support/test-database';
import { firstAdmin } from '../support/world';
import { openFramed, reframed, useSalesTeam } from './stage';

const testDatabase = useTestDatabase();
const browser = useBrowser();
const stage = useSalesTeam(testDatabase);

test('when Pipedrive’s token has expired, then the frame says how to reopen the page, and does it by one click', async () => {
  browser.expectComplaint(/status of 401/);
  const { pipedrive } = stage.world;
  const expired = pipedrive.frameToken(DEMO_COMPANY_ID, firstAdmin(pipedrive, DEMO_COMPANY_ID), -60);
  const { page } = await openFramed(browser, stage.appSettingsUrl(), 'settings');

  const frame = await reframed(page, 'settings', 'token', expired);

  await frame.getByRole('heading', { name: 'Please reopen this page' }).waitFor();
  expect(await frame.locator('main').innerText()).toContain('open it again in Pipedrive');
  expect(await accessibilityFindings(frame)).toEqual([]);
  await screenshot(page, 'expired-token');
  await frame.getByRole('button', { name: 'Reopen it here' }).click();

  await frame.getByRole('heading', { name: 'Overview' }).waitFor();
});

test('when a company has not installed Dealbell, then it sees nothing of others, and the install begins in a new tab', async () => {
  const { page, frame } = await openFramed(browser, stage.appSettingsUrl(OTHER_COMPANY_ID), 'settings', { theme: 'dark' });

  expect(await frame.locator('main').innerText()).not.toMatch(/Brightwater|Sales wins|Big wins|Linen/);
  expect(await accessibilityFindings(frame)).toEqual([]);
  await screenshot(page, 'not-connected-dark');

  const [tab] = await Promise.all([
    page.context().waitForEvent('page'),
    frame.getByRole('link', { name: 'Install Dealbell' }).click(),
  ]);

  await tab.getByRole('heading', { name: 'Dealbell wants to use your account' }).waitFor();
});

test('when a second company has installed Dealbell, then its pages show only its own', async () => {
  await stage.world.install(undefined, OTHER_COMPANY_ID);

  const { frame: settings } = await openFramed(browser, stage.appSettingsUrl(OTHER_COMPANY_ID), 'settings');
  const text = await settings.locator('main').innerText();

  expect(text).toContain('Juniper Logistics');
  expect(text).not.toMatch(/Brightwater|Sales wins|Big wins|Linen/);
});

test('when the second company asks for a deal of the first by its number, then its panel knows nothing of it', async () => {
  await stage.world.install(undefined, OTHER_COMPANY_ID);
  const ownDeal = stage.crmUrl(`/deal/${stage.dealId('Warehouse pilot')}`, OTHER_COMPANY_ID);
  const { page } = await openFramed(browser, ownDeal, 'panel');

  const frame = await reframed(page, 'panel', 'selectedIds', String(stage.dealId('Linen contract 2027')));

  await frame.getByText('Nothing has come in about this deal yet.').waitFor();
  expect(await frame.locator('main').innerText()).not.toMatch(/Linen|Sales wins|Big wins/);
});
