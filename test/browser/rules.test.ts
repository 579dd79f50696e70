// The rules inside Pipedrive: their list, their editor, their preview, driven as people drive them, by names.

import type { Frame, Page } from 'playwright-core';
import { accessibilityFindings, sidewaysScrollPx, useBrowser } from '../support/browser';
import { useTestDatabase } from '../support/test-database';
import { goTo, narrow, openFramed, playSalesTeam, screenshotOf, startStage, type SalesTeam, type Stage } from './stage';

const testDatabase = useTestDatabase();
const browser = useBrowser();
let stage: Stage;
let team: SalesTeam;

beforeAll(async () => {
  stage = await startStage(testDatabase);
  team = await playSalesTeam(stage, testDatabase);
});
afterAll(() => stage.world.close());

async function openRules(theme: 'light' | 'dark' = 'light'): Promise<{ page: Page; frame: Frame }> {
  const opened = await openFramed(browser, stage.appSettingsUrl(), 'settings', { theme });
  await goTo(opened.frame, 'Rules');
  return opened;
}

async function ruleNamed(name: string) {
  const { body } = await stage.world.api('GET', '/rules', team.token);
  return body.items.find((rule: { name: string }) => rule.name === name);
}

test.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 320],
] as const)('when a rule is made from nothing, then it is saved as it was filled in (%s, %i px)', async (theme, widthPx) => {
  const { page, frame } = await openRules(theme);
  await narrow(page, frame, widthPx);
  await screenshotOf(frame, `rules-${theme}-${widthPx}`);
  expect(await accessibilityFindings(frame)).toEqual([]);
  const name = `Proposals ${theme} ${widthPx}`;

  await frame.getByRole('button', { name: 'New rule' }).click();
  await frame.getByLabel('Name').fill(name);
  await frame.getByLabel('Event').selectOption('deal.stage_changed');
  await frame.getByLabel('Pipelines').selectOption({ index: 0 });
  await frame.getByLabel('Stages').selectOption({ index: 1 });
  await frame.getByLabel('Owners').selectOption({ index: 0 });
  await frame.getByLabel('Minimum value').fill('5,000');
  await frame.getByLabel('Space').selectOption('Sales wins');
  await frame.getByLabel('Layout').selectOption('Detailed');
  await frame.getByRole('button', { name: 'Add condition' }).click();
  await frame.getByLabel('Field of condition 1').selectOption('Status');
  await frame.getByRole('listbox', { name: 'Compared with, condition 1' }).selectOption('open');
  await frame.getByRole('button', { name: 'Preview' }).click();
  await frame.getByText(/would have sent/).waitFor();
  expect(await accessibilityFindings(frame)).toEqual([]);
  expect(await sidewaysScrollPx(frame)).toBe(0);
  await screenshotOf(frame, `rule-new-${theme}-${widthPx}`);
  await frame.getByRole('button', { name: 'Save rule' }).click();
  await frame.getByLabel(`Enabled: ${name}`).waitFor();

  const saved = await ruleNamed(name);
  expect(saved).toMatchObject({
    eventType: 'deal.stage_changed',
    templateMode: 'detailed',
    enabled: true,
    targetWebhookIds: [team.channel.id],
  });
  expect(saved.filters).toMatchObject({ minValue: 5000, conditions: { all: [{ field: 'status', op: 'is', value: 'open' }] } });
  expect([saved.filters.pipelineIds, saved.filters.stageIds, saved.filters.ownerIds].map((ids) => ids.length)).toEqual([1, 1, 1]);
});
