/** The panel beside a deal and the modal over it: what was told about it and why the rest stayed silent, and nobody else's. */

import { accessibilityFindings, screenshot, sidewaysScrollPx, useBrowser } from '../support/browser';
import { useTestDatabase } from '../support/test-database';
import { framed, openFramed, playSalesTeam, startStage, type Stage } from './stage';

const testDatabase = useTestDatabase();
const browser = useBrowser();
let stage: Stage;

beforeAll(async () => {
  stage = await startStage(testDatabase);
  await playSalesTeam(stage, testDatabase);
});
afterAll(() => stage.world.close());

test.each(['light', 'dark'] as const)(
  'when a told deal is open in a %s CRM, then the panel says where it was told',
  async (theme) => {
    const { page, frame } = await openFramed(browser, dealUrl('Linen contract 2027'), 'panel', { theme });

    const text = await frame.locator('main').innerText();
    expect(text).toContain('1 message sent about 1 event');
    expect(text).toMatch(/sent\s+Sales wins\s+by Big wins/i);
    expect(text).not.toMatch(/Mill safety|Print room/);
    expect(await sidewaysScrollPx(frame)).toBe(0);
    expect(await accessibilityFindings(frame)).toEqual([]);
    await screenshot(page, `panel-${theme}`);
  },
);

test('when no rule matched, then the panel opens the reasons with the keyboard', async () => {
  const { page, frame } = await openFramed(browser, dealUrl('Mill safety equipment'), 'panel');

  await frame.locator('summary').focus();
  await page.keyboard.press('Enter');

  expect(await frame.locator('main').innerText()).toMatch(/None of 2 rules matched.*silent\s+Big wins:.*7,250/is);
  await screenshot(page, 'panel-silent');
});

test('when nothing has come in about a deal, then the panel says so', async () => {
  const { page, frame } = await openFramed(browser, dealUrl('Office fit-out Boston'), 'panel');

  expect(await frame.locator('main').innerText()).toContain('Nothing has come in about this deal yet.');
  await screenshot(page, 'panel-empty');
});

test.each(['light', 'dark'] as const)(
  'when the modal is opened over a deal in a %s CRM, then it shows the same in its own frame',
  async (theme) => {
    const { page, frame: panel } = await openFramed(browser, dealUrl('Print room refit'), 'panel', { theme });

    await panel.evaluate(
      `void new AppExtensionsSDK().initialize().then((sdk) => sdk.execute('open_modal', { type: 'custom_modal', action_id: 'dealbell' }))`,
    );
    const modal = await framed(page, 'modal');

    expect(await modal.locator('main').innerText()).toMatch(
      /Print room refit[\s\S]*Deal lost[\s\S]*sent\s+Sales wins\s+by Every loss/i,
    );
    expect(await modal.locator('html').getAttribute('data-theme')).toBe(theme);
    expect(await accessibilityFindings(modal)).toEqual([]);
    await screenshot(page, `modal-${theme}`);
  },
);

function dealUrl(title: string): string {
  return stage.crmUrl(`/deal/${stage.dealId(title)}`);
}
