/** A space of which something cannot be read, among others: all pages and answers of its company work, and it says what it needs. */

import request from 'supertest';
import { makeSecretBox } from '../../../src/platform/secret-box';
import { iframeToken } from '../../support/api-fixture';
import { useTestDatabase } from '../../support/test-database';
import { chatUrl, useApi } from '../../support/use-api';
import { usePages } from '../../support/use-pages';

const NIGHT = { from: '20:00', to: '08:00', mode: 'hold' };

const testDatabase = useTestDatabase();
const api = useApi(testDatabase);
const { open, send } = usePages(api);
const query = (sql: string, ...values: unknown[]) => testDatabase.database.pool.query(sql, values);

/** Both a rule posts to; something happened, was told to the one and waits for the other; a lead is watched in both. */
async function aCompany() {
  const damaged = await api.addDestination({
    name: 'Damaged',
    threads: 'perRecord',
    quietHours: NIGHT,
    timeZone: 'Europe/Berlin',
  });
  const whole = await api.addDestination({ name: 'Whole' });
  await api.addDestination({ name: 'Other', fallbackWebhookId: damaged });
  const targetWebhookIds = [damaged, whole];
  const rule = (await api.call('post', '/rules').send({ name: 'Wins', eventType: 'deal.won', targetWebhookIds }).expect(201)).body
    .id;
  const { id: tenant } = api.tenant;
  await query(`INSERT INTO records (tenant_id, entity, entity_id, state) VALUES ($1, 'deal', '7', '{"title": "Deal"}')`, tenant);
  for (const chatWebhookId of targetWebhookIds)
    await api.call('post', '/watches').send({ entity: 'deal', entityId: '7', chatWebhookId }).expect(201);
  const { rows } = await query(
    `INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, payload, routed_at, transitions, decisions)
     VALUES ($1, 'deal', '7', 'change', 'm', now(), '{}', now(), '{deal.won}', $2) RETURNING id::int`,
    ...[tenant, JSON.stringify([{ ruleId: rule, matched: true, code: 'matched' }])],
  );
  for (const [id, state] of [...[[damaged, 'queued'] as const], ...[[whole, 'sent'] as const]])
    await query(
      `INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                               template_mode, state, not_before, request_id)
       VALUES ($1, $2, $3, $4, 'AAAA', 'deal', '7', '{"type":"deal.won"}', '{}', now(), 'compact', $5, now(), gen_random_uuid())`,
      ...[tenant, rows[0].id, rule, id, state],
    );
  return { damaged, whole, rule };
}

const setTo = (column: string, value: unknown) => async (id: number) => {
  await query(`UPDATE chat_webhooks SET ${column} = $2 WHERE id = $1`, id, value);
};
/** As if the installation had another secret by now. */
async function sealOtherwise(id: number): Promise<void> {
  const sealed = await makeSecretBox([{ id: 'test', key: new Uint8Array(32).fill(8) }]).seal(api.tenant.id, 'chat-webhook', {
    key: 'k',
    token: 't',
  });
  await setTo('sealed_credentials', sealed)(id);
}

const SETTINGS = 'Save its settings anew';
const URL = 'Replace its URL';
const DAMAGES: readonly (readonly [string, (id: number) => Promise<void>, string, string])[] = [
  ['quiet hours of another shape', setTo('quiet_hours', '{"moon": "full"}'), 'quiet hours', SETTINGS],
  ['quiet hours that are no object', setTo('quiet_hours', '[1, "x"]'), 'quiet hours', SETTINGS],
  ['quiet hours at no time', setTo('quiet_hours', '{"from": "25:00", "to": "08:00", "mode": "hold"}'), 'quiet hours', SETTINGS],
  ['an unknown word for threads', setTo('threads', 'knitted'), 'setting for threads', SETTINGS],
  ['an unknown word for folding', setTo('fold', 'origami'), 'setting for folding', SETTINGS],
  ['an unknown health', setTo('health', 'enchanted'), 'state', URL],
  ['a key that another secret sealed', sealOtherwise, 'key', URL],
  ['a key that is no sealed text', setTo('sealed_credentials', 'odd'), 'key', URL],
];
const PAGES = [
  ...['overview', 'overview/news', 'rules', 'rules/presets', 'rules/new', 'spaces', 'spaces/new', 'activity', 'activity/news'],
  ...['activity/compared', 'account', 'account/audit', 'account/comparison', 'account/export', 'account/import'],
];
const LISTS = [
  ...['/account', '/api-keys', '/audit', '/chat-webhooks', '/deliveries', '/events', '/logs', '/mutes', '/presets'],
  ...['/reconciliation', '/rules', '/rules/export', '/watches'],
];
/** How it stands in a list or a row of the API. */
const said = (part: string, mend: string) => `Dealbell cannot read the ${part} of this space. ${mend}.`;

test.each(DAMAGES)('when a space has %s, then every page and list works, and it is shown with the reason', async (...damage) => {
  const [, write, part, mend] = damage;
  const { damaged, whole, rule } = await aCompany();
  await write(damaged);
  const frame = {
    id: 'rt1',
    resource: 'deal',
    selectedIds: '7',
    token: iframeToken({ userId: 1, companyId: api.tenant.companyId }),
  };

  const pages = [...PAGES, `rules/${rule}`, ...[damaged, whole].flatMap((id) => [`spaces/${id}`, `spaces/${id}/url`])];
  const opened = new Map<string, string>();
  for (const page of pages) {
    const { status, text } = await open(page);
    expect([page, [200, 204].includes(status)]).toEqual([page, true]);
    opened.set(page, text);
  }
  for (const surface of ['settings', 'panel', 'modal'])
    await request(api.app).get(`/extension/${surface}`).query(frame).expect(200);
  for (const list of [...LISTS, `/chat-webhooks/${damaged}`, `/rules/${rule}`]) {
    const { status } = await api.call('get', list);
    expect([list, status]).toEqual([list, 200]);
  }

  const reason = said(part, mend);
  for (const page of ['spaces', `spaces/${damaged}`, `spaces/${damaged}/url`]) expect(opened.get(page)).toContain(reason);
  expect(opened.get('overview')).toMatch(/Damaged is not receiving messages[\s\S]*1 message will be sent once it works again/);
  expect(opened.get('spaces')).toMatch(/Damaged[\s\S]*Whole/);
  const { items } = (await api.call('get', '/chat-webhooks')).body;
  expect(items.map(({ name, health, healthReason }: Record<string, unknown>) => [name, health, healthReason])).toEqual([
    ['Damaged', 'broken', reason],
    ['Whole', 'healthy', null],
    ['Other', 'healthy', null],
  ]);
  const { needsAttention } = (await api.call('get', '/account')).body;
  expect(needsAttention).toContainEqual(
    expect.objectContaining({ kind: 'destination', name: 'Damaged', health: 'broken', reason, held: 1 }),
  );
});

test.each(DAMAGES)('when a space has %s, then it can be deleted, and nothing of the others goes with it', async (...damage) => {
  const { damaged } = await aCompany();
  await damage[1](damaged);

  const { status, text } = await send(`spaces/${damaged}/delete`, {});

  expect([status, text.includes('Damaged was deleted')]).toEqual([200, true]);
  const { items } = (await api.call('get', '/chat-webhooks')).body;
  expect(items.map(({ name }: { name: string }) => name)).toEqual(['Whole', 'Other']);
});

test.each(DAMAGES)(
  'when a space has %s and gets a new URL and is saved anew, then it works with the rest as it was',
  async (...damage) => {
    const [, write, , mend] = damage;
    const { damaged } = await aCompany();
    const before = (await api.call('get', `/chat-webhooks/${damaged}`)).body;
    await write(damaged);
    const { rows } = await query('SELECT quiet_hours, threads, fold FROM chat_webhooks WHERE id = $1', damaged);

    const replaced = await send(`spaces/${damaged}/url`, { url: chatUrl('BBBB') });
    const kept = await query('SELECT quiet_hours, threads, fold FROM chat_webhooks WHERE id = $1', damaged);
    const { name, threads, fold, quietHours } = before;
    if (mend === SETTINGS)
      await api.call('put', `/chat-webhooks/${damaged}`).send({ name, threads, fold, quietHours }).expect(200);

    expect([replaced.status, replaced.text.includes('Damaged has its new URL')]).toEqual([200, true]);
    // What cannot be read may be a newer version's, and is nobody's to forget.
    expect(kept.rows).toEqual(rows);
    const after = (await api.call('get', `/chat-webhooks/${damaged}`)).body;
    expect(after.maskedUrl).toContain('BBBB');
    const { spaceId: _space, maskedUrl: _url, healthSince: _since, updatedAt: _at, ...rest } = before;
    expect(after).toMatchObject(rest);
  },
);

test('when the form of its settings is saved anew, then it can be read again, and the audit trail says so', async () => {
  const { damaged } = await aCompany();
  await setTo('quiet_hours', '{"moon": "full"}')(damaged);
  const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

  await send(`spaces/${damaged}`, {
    name: 'Damaged',
    fold: 'auto',
    holdHours: '24',
    quietMode: 'hold',
    quietDays: days,
    businessDays: days,
  });

  const { health, quietHours } = (await api.call('get', `/chat-webhooks/${damaged}`)).body;
  expect([health, quietHours]).toEqual(['healthy', null]);
  const [{ changes }] = (await api.call('get', '/audit')).body.items;
  expect(changes.fields).toContain('quietHours');
});

test('when a broken space has a fallback whose key was lost, then each page of it says that this one is broken too', async () => {
  const { damaged } = await aCompany();
  const broken = await api.addDestination({ name: 'Broken', fallbackWebhookId: damaged });
  await setTo('health', 'broken')(broken);
  await sealOtherwise(damaged);

  for (const page of ['spaces', `spaces/${broken}`, `spaces/${broken}/url`]) {
    const { text } = await open(page);
    expect([page, text.includes('Damaged, where they would go, is broken too')]).toEqual([page, true]);
  }
});

test('when the language of a space is none, then its pages open and say what is written there', async () => {
  const { damaged } = await aCompany();
  await setTo('locale', 'not a language!')(damaged);

  for (const page of ['spaces', `spaces/${damaged}`]) {
    const { status, text } = await open(page);
    expect([status, text.includes('not a language!')]).toEqual([200, true]);
  }
});

test('when it is paused and resumed, then what cannot be read stays as it is written', async () => {
  const { damaged } = await aCompany();
  await setTo('fold', 'origami')(damaged);

  const paused = await send(`spaces/${damaged}/pause`, { paused: 'yes' });
  const resumed = await send(`spaces/${damaged}/pause`, { paused: 'no' });

  expect([paused.status, resumed.status]).toEqual([200, 200]);
  const { rows } = await query('SELECT fold FROM chat_webhooks WHERE id = $1', damaged);
  expect(rows).toEqual([{ fold: 'origami' }]);
});
