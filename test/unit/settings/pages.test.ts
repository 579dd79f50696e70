/** The pages inside Pipedrive: who sees them, and that hostile titles stay text. */

import request from 'supertest';
import { iframeToken } from '../../support/api-fixture';
import { useTestDatabase } from '../../support/test-database';
import { useApi } from '../../support/use-api';
import { usePages } from '../../support/use-pages';

const testDatabase = useTestDatabase();
const api = useApi(testDatabase);
const { pageToken, open: openPage, send } = usePages(api);

function open(page: string, query: Readonly<Record<string, string>> = {}) {
  const token = iframeToken({ userId: 1, companyId: api.tenant.companyId });
  return request(api.app)
    .get(`/extension/${page}`)
    .query({ id: 'rt1', token, ...query });
}

/** A page below the settings, as htmx asks for it on a page that is open. */
async function visit(page: string, userId = 1) {
  const token = await pageToken(api.tenant, userId);
  return request(api.app)
    .get(`/extension/settings/${page}`)
    .set({ Authorization: `Bearer ${token}`, 'HX-Request': 'true' });
}

async function addEvent(title: string): Promise<void> {
  const { pool } = testDatabase.database;
  const destination = await api.addDestination({ name: 'Sales <b>' });
  const rule = await addRule({ name: 'Wins', eventType: 'deal.won', targetWebhookIds: [destination] });
  await addRule({ name: 'Losses', eventType: 'deal.lost', targetWebhookIds: [destination] });
  await pool.query(`INSERT INTO records (tenant_id, entity, entity_id, state) VALUES ($1, 'deal', '7', $2)`, [
    api.tenant.id,
    JSON.stringify({ title }),
  ]);
  const decisions = JSON.stringify([{ ruleId: rule, matched: true, code: 'matched' }]);
  const { rows } = await pool.query(
    `INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, payload, routed_at, transitions, decisions)
     VALUES ($1, 'deal', '7', 'change', 'm', '2026-11-23T12:00:00Z', '{}', now(), '{deal.won}', $2) RETURNING id`,
    [api.tenant.id, decisions],
  );
  await pool.query(
    `INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                             template_mode, state, not_before, request_id)
     VALUES ($1, $2, $3, $4, 'AAAA', 'deal', '7', '{"type":"deal.won"}', '{}', now(), 'compact', 'sent', now(), gen_random_uuid())`,
    [api.tenant.id, rows[0].id, rule, destination],
  );
}

async function addRule(fields: object): Promise<number> {
  return (await api.call('post', '/rules').send(fields).expect(201)).body.id;
}

test.each(['settings', 'panel', 'modal'])(
  'when %s is opened without a good token, then a 401 page says how to reopen it',
  async (page) => {
    const answers = [
      await request(api.app).get(`/extension/${page}`),
      await request(api.app).get(`/extension/${page}?token=x&token=y`),
      await open(page, { token: iframeToken({ userId: 1, companyId: api.tenant.companyId, exp: 1 }) }),
    ];

    for (const answer of answers) {
      expect([answer.status, answer.type]).toEqual([401, 'text/html']);
      expect(answer.text).toContain('open it again in Pipedrive');
    }
  },
);

test.each(['settings', 'panel', 'modal'])('when a stranger opens %s, then it offers to install in a new tab', async (page) => {
  const answer = await open(page, { token: iframeToken({ userId: 77, companyId: api.tenant.companyId }) });

  expect([answer.status, answer.type]).toEqual([200, 'text/html']);
  expect(answer.text).toMatch(/<a href="http:\/\/localhost:3000\/oauth\/install" target="_blank"/);
});

test('when a connected user opens the settings, then the overview stands in the theme of Pipedrive, with its SDK', async () => {
  await addEvent('Big deal');

  const { status, text } = await open('settings', { theme: 'dark' });

  expect(status).toBe(200);
  expect(text).toContain('data-theme="dark"');
  expect(text).toContain('<h1>Overview</h1>');
  expect(text).toContain('Sales &lt;b>');
  expect(text).toContain('app-extensions-sdk.js');
});

test('when the activity is opened, then events and decisions are shown in words', async () => {
  await addEvent('Big deal');

  const { status, text } = await visit('activity');

  expect(status).toBe(200);
  expect(text).toContain('Deal won');
  expect(text).toMatch(/23 Nov 2026<\/h2>.*>13:00</);
  expect(text).toContain('1 of 2 rules matched');
  expect(text).toContain('1 other rule listens to something else');
});

test('when an open activity asks for news, then it gets the count, rows of which more is known, or nothing at all', async () => {
  await addEvent('Big deal');
  const { rows } = await testDatabase.database.pool.query('SELECT id FROM events WHERE tenant_id = $1', [api.tenant.id]);
  const [{ id }] = rows;

  const nothing = await visit(`activity/news?known=${id}&told=0&rows=`);
  const told = await visit('activity/news?known=&told=1&rows=');
  const first = await visit('activity/news?known=&told=0&rows=');
  const row = await visit(`activity/news?known=${id}&told=0&rows=${id}`);
  const odd = await visit('activity/news?known=x&told=-1&rows=1,x,99999999999999999999&rule=&status=');

  expect([nothing, told].map(({ status, text }) => [status, text])).toEqual(Array(2).fill([204, '']));
  // Nothing stood there yet: it comes without a click, and leaves the filter above it alone.
  expect(first.text).toMatch(/Show 1 new event<[\s\S]*hx-trigger="load" hx-target="#found" hx-select="#found"/);
  expect(row.text).toMatch(new RegExp(`id="event-${id}" hx-swap-oob="true"[\\s\\S]*Big deal`));
  expect(row.text).not.toContain('show-news');
  expect(odd.status).toBe(200);
});

/** What a form of this page sends when its button is pressed. */
function fieldsOf(html: string, formId: string): Record<string, string> {
  const [form = ''] = new RegExp(`<form id="${formId}"[\\s\\S]*?</form>`).exec(html) ?? [];
  return Object.fromEntries(
    [...form.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

const endAll = (state: string) =>
  testDatabase.database.pool.query('UPDATE deliveries SET state = $2 WHERE tenant_id = $1', [api.tenant.id, state]);
const tellings = async (): Promise<number> => (await api.call('get', '/deliveries')).body.items.length;
const newestDelivery = async (): Promise<number> => (await api.call('get', '/deliveries')).body.items[0].id;

test('when “Send again” is pressed twice, and its form sent once more after the message has gone, then it is sent once; from a page opened anew it is sent again', async () => {
  await addEvent('Big deal');
  const form = `replay-form-${await newestDelivery()}`;
  const fields = fieldsOf((await openPage('activity')).text, form);

  const twice = await Promise.all([send('activity/replay', fields), send('activity/replay', fields)]);
  await endAll('sent');
  const reloaded = await send('activity/replay', fields);
  const once = await tellings();
  const next = await newestDelivery();
  await send('activity/replay', fieldsOf((await openPage('activity')).text, `replay-form-${next}`));

  expect([...twice, reloaded].map(({ status, text }) => [status, text.includes('on the way again')])).toEqual(
    Array(3).fill([200, true]),
  );
  expect([once, await tellings()]).toEqual([2, 3]);
});

test('when all that failed is sent again and fails again, then the same form sends nothing more, and that of a page opened anew does', async () => {
  await addEvent('Big deal');
  await endAll('failed');
  const fields = fieldsOf((await openPage('activity?status=failed')).text, 'replay-all-form');

  await send('activity/replay-failed', fields);
  await endAll('failed');
  const reloaded = await send('activity/replay-failed', fields);
  const once = await tellings();
  await send('activity/replay-failed', fieldsOf(reloaded.text, 'replay-all-form'));

  expect([reloaded.status, once, await tellings()]).toEqual([200, 2, 3]);
});

test('when an open activity draws an event anew, then pressing “Send again” there is the same press as before', async () => {
  await addEvent('Big deal');
  const form = `replay-form-${await newestDelivery()}`;
  const { rows } = await testDatabase.database.pool.query('SELECT id FROM events WHERE tenant_id = $1', [api.tenant.id]);
  const page = (await openPage('activity')).text;
  const [, query = ''] = /activity\/news\?([^"]*)/.exec(page) ?? [];
  const look = new URLSearchParams(query.replaceAll('&amp;', '&'));
  look.set('rows', rows[0].id);

  const news = await visit(`activity/news?${look.toString()}`);

  expect(fieldsOf(news.text, form)['press']).toMatch(/./);
  expect(fieldsOf(news.text, form)['press']).toBe(fieldsOf(page, form)['press']);
});

test('when an open overview asks for news, then it gets itself where something came in or waits, or nothing at all', async () => {
  await addEvent('Big deal');
  const { text } = await visit('overview');
  const [, known = ''] = /overview\/news\?(seen=[\d,]+)&amp;waits="/.exec(text) ?? [];

  const nothing = await visit(`overview/news?${known}&waits=`);
  const came = await visit('overview/news?seen=0&waits=');
  const waits = await visit(`overview/news?${known}&waits=yes`);

  expect([nothing.status, nothing.text]).toEqual([204, '']);
  for (const answer of [came, waits]) {
    expect(answer.status).toBe(200);
    expect(answer.text).toMatch(/<div id="now"[\s\S]*Latest activity[\s\S]*Big deal/);
  }
});

test.each(['rules', 'chat-webhooks'])(
  'when the last of the %s goes while the overview is open, then what is left to set up takes the place of its news',
  async (path) => {
    await addEvent('Big deal');
    const { body } = await api.call('get', `/${path}`);
    for (const { id } of body.items) await api.call('delete', `/${path}/${id}`).expect(204);

    const { text } = await visit('overview/news?seen=0&waits=');

    expect(text).toMatch(/<div id="now" data-quiet="yes"><section[\s\S]*class="steps"/);
    expect(text).not.toContain('data-look');
  },
);

test.each([
  ['queued', 'yes'],
  ['held', ''],
])(
  'when a message is %s, then the overview says "%s" to whether it looks again before something comes in',
  async (state, waits) => {
    await addEvent('Big deal');
    await testDatabase.database.pool.query('UPDATE deliveries SET state = $1, finished_at = NULL', [state]);

    const { text } = await visit('overview');

    expect(/overview\/news\?seen=\d+&amp;waits=(\w*)"/.exec(text)?.[1]).toBe(waits);
  },
);

test('when an open panel asks for news, then it gets what is told now, or nothing at all', async () => {
  await addEvent('Big deal');
  const opened = await open('panel', { resource: 'deal', selectedIds: '7' });
  const token = /name="page-token" content="([^"]+)"/.exec(opened.text)?.[1] ?? '';
  const [, seen = ''] = /&quot;seen&quot;:&quot;(\d+)&quot;/.exec(opened.text) ?? [];
  const ask = (given: object) =>
    request(api.app)
      .post('/extension/panel/told')
      .set({ Authorization: `Bearer ${token}`, 'HX-Request': 'true' })
      .type('form')
      .send({ resource: 'deal', selectedIds: '7', ...given });

  const known = await ask({ seen, waits: '' });
  const more = await ask({ seen: '0', waits: '' });
  const awaited = await ask({ seen, waits: 'yes' });

  expect([known.status, known.text]).toEqual([204, '']);
  for (const { status, text } of [more, awaited]) {
    expect(status).toBe(200);
    expect(text).toMatch(/^<section id="told"[\s\S]*1 message about 1 event\.[\s\S]*hx-swap-oob="true">Big deal</);
  }
});

test('when an event becomes visible behind a newer one that is shown, then the open overview and the open panel get it too', async () => {
  await addEvent('Big deal');
  const { pool } = testDatabase.database;
  const { rows } = await pool.query('SELECT id FROM events WHERE tenant_id = $1', [api.tenant.id]);
  const [{ id: shown }] = rows;
  await pool.query(
    `INSERT INTO events (id, tenant_id, entity, entity_id, action, meta_id, occurred_at, payload)
     VALUES (-$1::bigint, $1, 'deal', '7', 'change', 'late', now(), '{}')`,
    [api.tenant.id],
  );

  const overview = await visit(`overview/news?seen=${shown}&waits=`);
  const panel = await sendPlainly('panel/told', { seen: shown, waits: '' });

  expect([overview.status, panel.status]).toEqual([200, 200]);
  expect(panel.text).toContain('about 2 events');
});

test('when the activity shows what a rule kept silent about, then the reasons stand open', async () => {
  const { pool } = testDatabase.database;
  await addEvent('Big deal');
  await pool.query('DELETE FROM deliveries WHERE tenant_id = $1', [api.tenant.id]);
  const { rows } = await pool.query('SELECT id FROM rules WHERE tenant_id = $1 ORDER BY id', [api.tenant.id]);

  expect((await visit(`activity?status=silent&rule=${rows[0].id}`)).text).toContain('<details open>');
  expect((await visit('activity')).text).not.toContain('<details open>');
});

test('when the account is opened, then it says how much of the plan is used', async () => {
  await addEvent('Big deal');

  expect((await visit('account')).text).toContain('<span>Spaces</span><strong>1 of 200</strong>');
});

test.each(['overview', 'spaces', 'rules', 'activity', 'account'])(
  'when the page %s is asked for with a token of Pipedrive, of nobody or none, then it is refused',
  async (page) => {
    const path = `/extension/settings/${page}`;
    const answers = [
      await request(api.app).get(path),
      await request(api.app).get(path).set('Authorization', 'Bearer x'),
      await request(api.app)
        .get(path)
        .set('Authorization', `Bearer ${iframeToken({ userId: 1, companyId: api.tenant.companyId })}`),
    ];

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
  },
);

test('when a deal is opened in the panel, then what was told of it is shown, and of no other', async () => {
  await addEvent('Big deal');

  const mine = await open('panel', { resource: 'deal', selectedIds: '7' });
  const other = await open('panel', { resource: 'deal', selectedIds: '8' });

  expect(mine.text).toMatch(/<h1 class="small" id="panel-heading">Big deal<\/h1>/);
  expect(mine.text).toContain('1 message about 1 event.');
  expect(other.text).toContain('Nothing has come in about this deal yet.');
});

test.each(['panel', 'modal'])('when the %s is opened without a record, then it says where to open it', async (page) => {
  const { status, text } = await open(page, { resource: 'galaxy', selectedIds: "7' OR 1=1" });

  expect(status).toBe(200);
  expect(text).toContain('Open this from a deal');
});

test.each([
  'panel/mute',
  'panel/unmute/1',
  'panel/watch',
  'panel/unwatch/1',
  'panel/announce',
  'modal/announce',
  'modal/preview',
])('when %s is sent without a page token, then nothing is done and a 401 page says how to go on', async (path) => {
  const answer = await request(api.app).post(`/extension/${path}`).type('form').send({ resource: 'deal', selectedIds: '7' });

  expect(answer.status).toBe(401);
  expect(
    (await testDatabase.database.pool.query('SELECT 1 FROM muted_records WHERE tenant_id = $1', [api.tenant.id])).rowCount,
  ).toBe(0);
});

/** What a form of the panel sends where no script runs, of the user who opened it. */
async function sendPlainly(path: string, fields: Readonly<Record<string, string>>, userId = 1) {
  const token = iframeToken({ userId, companyId: api.tenant.companyId });
  const { text } = await open('panel', { resource: 'deal', selectedIds: '7', token });
  const pageToken = /name="pageToken" value="([^"]+)"/.exec(text)?.[1] ?? '';
  const body = { resource: 'deal', selectedIds: '7', pageToken, ...fields };
  return await request(api.app).post(`/extension/${path}`).type('form').send(body);
}

test('when a deal is watched and let go without scripts, then the pages say so, and others of the company see it and cannot change it', async () => {
  await addEvent('Big deal');
  const { rows } = await testDatabase.database.pool.query('SELECT id FROM chat_webhooks WHERE tenant_id = $1', [api.tenant.id]);

  const watched = await sendPlainly('panel/watch', { space: String(rows[0].id) });
  const seen = await open('panel', {
    ...{ resource: 'deal', selectedIds: '7', token: iframeToken({ userId: 2, companyId: api.tenant.companyId }) },
  });
  const [, id = ''] = /unwatch\/(\d+)/.exec(watched.text) ?? [];
  const refused = await sendPlainly(`panel/unwatch/${id}`, {}, 2);
  const ended = await sendPlainly(`panel/unwatch/${id}`, {});

  expect(watched.text).toContain('Watched: what happens to this deal is posted in Sales &lt;b>');
  expect(watched.text).toMatch(/by Admin since \d+ \w+ \d{4}/);
  expect(seen.text).toMatch(/by Admin since/);
  expect(seen.text).not.toMatch(/panel\/(?:un)?watch/);
  expect(refused.status).toBe(403);
  expect(ended.text).toContain('This deal is not watched there any more');
  expect(ended.text).toContain('action="/extension/panel/watch"');
});

test('when a title is markup, then it stays text', async () => {
  await addEvent('<img src=x onerror=alert(1)><script>alert(2)</script>');

  const { text } = await open('panel', { resource: 'deal', selectedIds: '7' });

  expect(text).not.toMatch(/<img|<script>/);
  expect(text).toContain('&lt;img src=x');
});
