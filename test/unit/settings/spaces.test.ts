/** The pages of the spaces as plain forms send them: without scripts, by people who may and who may not, and across companies. */

import { useTestDatabase } from '../../support/test-database';
import { chatUrl, useApi } from '../../support/use-api';
import { usePages } from '../../support/use-pages';

const testDatabase = useTestDatabase();
const api = useApi(testDatabase);
const { open, pageToken, send } = usePages(api);

async function spaces(of = api.tenant) {
  return (await api.call('get', '/chat-webhooks', of)).body.items;
}

test('when a form is sent without scripts, then the space is there, the answer is a whole page, and the URL is nowhere in it', async () => {
  const url = chatUrl();

  const { status, text } = await send('spaces/new', { name: 'Sales', url });

  expect(status).toBe(200);
  expect(text).toMatch(/^<!doctype html>[\s\S]*Sales is connected[\s\S]*<h1>Spaces<\/h1>/);
  expect(text).not.toContain('AIzaSecret');
  expect(await spaces()).toMatchObject([{ name: 'Sales', health: 'healthy' }]);
});

test('when a form is refused, then it comes back with 422, what was typed and the words', async () => {
  const { status, text } = await send('spaces/new', { name: '', url: 'https://example.com/"><script>' });

  expect(status).toBe(422);
  expect(text).toContain('value="https://example.com/&quot;>&lt;script>"');
  expect(text).toContain('<p class="field-error" id="space-name-error">must not be empty</p>');
  expect(await spaces()).toEqual([]);
});

test('when somebody who is no admin sends a change, then it is refused and nothing changes', async () => {
  await send('spaces/new', { name: 'Sales', url: chatUrl() });
  const [{ id }] = await spaces();

  const { status, text } = await send(`spaces/${id}/delete`, {}, await pageToken(api.tenant, 2));

  expect([status, text.includes('Only admins')]).toEqual([403, true]);
  expect(await spaces()).toHaveLength(1);
});

test.each(['', '/test', '/pause', '/try', '/url', '/delete'])(
  'when another company sends spaces/:id%s, then there is no such space, and nothing changes',
  async (below) => {
    await send('spaces/new', { name: 'Sales', url: chatUrl() });
    const [{ id }] = await spaces();
    const before = await spaces();
    const stranger = await pageToken(await api.addTenant());

    const { status } = await send(`spaces/${id}${below}`, { name: 'Mine', paused: 'yes', url: chatUrl() }, stranger);

    expect(status).toBe(404);
    expect(await spaces()).toEqual(before);
  },
);

test('when a space is connected from the first run, then the first run goes on; without it the list of the spaces follows', async () => {
  const fromFirstRun = await send('spaces/new', { name: 'Team', url: chatUrl(), return: 'overview' });
  const refused = await send('spaces/new', { name: '', url: chatUrl(), return: 'overview' });

  expect(fromFirstRun.text).toMatch(/Team is connected[\s\S]*<h1>Overview<\/h1>[\s\S]*What should we post, and where\?/);
  expect(refused.text).toContain('name="return" value="overview"');
});

test('when a new URL is tried before it replaces the old one, then the page says what came of it and nothing is changed', async () => {
  await send('spaces/new', { name: 'Sales', url: chatUrl() });
  const before = await spaces();

  const { text } = await send(`spaces/${before[0].id}/try`, { url: chatUrl() });
  const bad = await send(`spaces/${before[0].id}/try`, { url: 'https://example.com' });

  expect(text).toMatch(/<h1>Replace the URL of Sales<\/h1>[\s\S]*Test card sent/);
  expect([bad.status, bad.text.includes('id="space-url-error"')]).toEqual([422, true]);
  expect(await spaces()).toEqual(before);
});

test('when the same is saved again, then the audit trail has no entry; else it names what is new', async () => {
  const trail = async () => (await api.call('get', '/audit')).body.items;
  await send('spaces/new', { name: 'Sales', url: chatUrl() });
  const [{ id }] = await spaces();
  const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
  const fields = { name: 'Sales', fold: 'auto', holdHours: '24', quietMode: 'hold', quietDays: days, businessDays: days };

  await send(`spaces/${id}`, fields);
  const same = (await trail())[0].action;
  await send(`spaces/${id}`, { ...fields, quietFrom: '20:00', quietTo: '08:00' });
  const changed = (await trail())[0].changes;
  await send(`spaces/${id}/pause`, { paused: 'yes' });

  expect(same).toBe('chat_webhook.created');
  expect(changed).toEqual({ fields: ['quietHours'] });
  expect((await trail())[0].changes).toEqual({ fields: ['paused'], paused: true });
});

test('when settings are saved, then every one of them arrives; ticking nothing switches it off', async () => {
  await send('spaces/new', { name: 'Sales', url: chatUrl() });
  const [{ id }] = await spaces();
  const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

  await send(`spaces/${id}`, {
    ...{ name: 'Wins', threads: 'perRecord', foldThreshold: '7', holdHours: '48', fallback: '', timeZone: '', locale: 'de-DE' },
    ...{ quietFrom: '20:00', quietTo: '08:00', quietMode: 'drop', quietDays: days, businessDays: ['mon', 'tue'] },
  });
  const [saved] = await spaces();

  expect(saved).toMatchObject({
    ...{ name: 'Wins', threads: 'perRecord', fold: 'off', foldThreshold: 7, holdHours: 48, timeZone: null, locale: 'de-DE' },
    quietHours: { from: '20:00', to: '08:00', mode: 'drop', businessDays: ['mon', 'tue'] },
  });
  expect(saved.quietHours).not.toHaveProperty('days');
});

test('when quiet hours never end, then they are saved, and the overview and the space say it', async () => {
  await send('spaces/new', { name: 'Sales', url: chatUrl() });
  const [{ id }] = await spaces();
  const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
  const fields = { name: 'Sales', fold: 'auto', holdHours: '24', quietMode: 'hold', quietDays: days, businessDays: days };

  await send(`spaces/${id}`, { ...fields, quietFrom: '09:00', quietTo: '09:00' });

  expect((await open('overview')).text).toContain('Sales is always quiet');
  expect((await open('spaces')).text).toContain('Always quiet');
});

test('when days are chosen without times, then the times are asked for; taking the times away takes the quiet hours away', async () => {
  await send('spaces/new', { name: 'Sales', url: chatUrl() });
  const [{ id }] = await spaces();
  const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
  const weekdays = {
    name: 'Sales',
    fold: 'auto',
    holdHours: '24',
    quietMode: 'hold',
    quietDays: days,
    businessDays: days.slice(0, 5),
  };

  const refused = await send(`spaces/${id}`, weekdays);
  const before = (await spaces())[0].quietHours;
  await send(`spaces/${id}`, { ...weekdays, quietFrom: '20:00', quietTo: '08:00' });
  const between = (await spaces())[0].quietHours;
  const emptied = await send(`spaces/${id}`, weekdays);

  expect([refused.status, before]).toEqual([422, null]);
  expect(refused.text).toContain('must be a time of day such as 20:00');
  expect(between).toMatchObject({ from: '20:00', businessDays: days.slice(0, 5) });
  expect([emptied.status, (await spaces())[0].quietHours]).toEqual([200, null]);
});
