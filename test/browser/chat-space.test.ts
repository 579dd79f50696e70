/** What the team sees in Google Chat: the cards as the stand-in draws them, light, dark and on a phone. */

import { screenshot, sidewaysScrollPx, useBrowser } from '../support/browser';
import { useTestDatabase } from '../support/test-database';
import { useSalesTeam } from './stage';

const testDatabase = useTestDatabase();
const browser = useBrowser();
const stage = useSalesTeam(testDatabase);

test.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 360],
] as const)('when deals were closed, then the space shows both cards (%s, %i px)', async (theme, widthPx) => {
  const page = await browser.open({ theme, widthPx });

  await page.goto(`${stage.world.chat.url}/spaces/${stage.channel.spaceId}`);
  const text = await page.locator('#stream').innerText();

  expect(text).toMatch(/Linen contract 2027[\s\S]*€42,000/);
  expect(text).toMatch(/Print room refit[\s\S]*Chose a local supplier[\s\S]*New business[\s\S]*Delta Print Works/);
  expect(text).not.toContain('Mill safety equipment');
  expect(await sidewaysScrollPx(page)).toBe(0);
  await screenshot(page, `chat-${theme}-${widthPx}`);
});

test('when a card is shown, then its button leads to the deal in Pipedrive', async () => {
  const page = await browser.open();

  await page.goto(`${stage.world.chat.url}/spaces/${stage.channel.spaceId}`);
  const links = await page.locator('#stream a[href*=".pipedrive.com/deal/"]').all();

  const targets = await Promise.all(links.map((link) => link.getAttribute('href')));
  expect(targets).toContain(`https://brightwater.pipedrive.com/deal/${stage.dealId('Linen contract 2027')}`);
});
