/** The pages of the rules as plain forms send them: without scripts, at a plan's limit, across companies, and while Pipedrive is away. */

import { useTestDatabase } from '../../support/test-database';
import { useApi } from '../../support/use-api';
import { usePages } from '../../support/use-pages';

const testDatabase = useTestDatabase();
const api = useApi(testDatabase);
const { open, pageToken, send } = usePages(api);

async function addRules(count: number): Promise<readonly number[]> {
  const space = await api.addDestination();
  const ids = [];
  for (let at = 1; at <= count; at += 1) {
    const { body } = await api
      .call('post', '/rules')
      .send({ name: `Rule ${at}`, eventType: 'deal.won', targetWebhookIds: [space] });
    ids.push(Number(body.id));
  }
  return ids;
}

const rules = async () => (await api.call('get', '/rules?limit=100')).body.items;

test('when a rule is opened, then each list is boxes of one name, with what is chosen ticked, also what is gone at Pipedrive', async () => {
  const [id = 0] = await addRules(1);
  await api
    .call('put', `/rules/${id}`)
    .send({ filters: { ownerIds: [77, 78] } })
    .expect(200);

  const { text } = await open(`rules/${id}`);

  for (const owner of [77, 78]) expect(text).toContain(`type="checkbox" name="owners" value="${owner}" checked`);
  expect(text).toContain('2 chosen: no longer there (77), no longer there (78)');
});

test('when a rule is sent without scripts, then it is saved with everything, and the answer is a whole page', async () => {
  const space = await api.addDestination();
  const fields = {
    name: 'Big',
    eventType: 'deal.won',
    minValue: '10 000',
    currency: 'EUR',
    space: String(space),
    layout: 'detailed',
  };

  const { status, text } = await send('rules/new', {
    ...fields,
    timing: 'day',
    digestAt: '08:30',
    wait: '45',
    stopAfter: 'yes',
    enabled: 'yes',
  });

  expect(status).toBe(200);
  expect(text).toMatch(/^<!doctype html>[\s\S]*Big is saved[\s\S]*<h1>Rules<\/h1>[\s\S]*worth at least 10,000 EUR/);
  expect(await rules()).toMatchObject([
    {
      ...{
        name: 'Big',
        filters: { minValue: 10_000, currency: 'EUR' },
        templateMode: 'detailed',
        settleMs: 45_000,
        stopAfter: true,
      },
      ...{ urgent: false, digest: { every: 'day', at: '08:30' }, enabled: true, targetWebhookIds: [space] },
    },
  ]);
});

test('when a condition is added without scripts, then the page comes again with its fields and with what was typed', async () => {
  const fields = { name: 'Half-way', eventType: 'deal.won', node: 'r', 'join:r': 'all', ask: 'line:r' };

  const { status, text } = await send('rules/form', fields);

  expect([status, text.includes('value="Half-way"'), text.includes('name="field:r.0"')]).toEqual([200, true, true]);
  expect(text).toContain('<optgroup label="Fields of deals">');
});

test('when Pipedrive’s lists were never read and cannot be, then the editor says so and takes the rule all the same', async () => {
  const space = await api.addDestination();

  const { text } = await open('rules/new');
  await send('rules/new', { name: 'Anyway', eventType: 'deal.won', space: String(space), layout: 'compact' });

  expect(text).toContain('Pipedrive did not answer');
  expect(await rules()).toMatchObject([{ name: 'Anyway', enabled: false }]);
});

test('when the plan has no room for another active rule, then the list says so, and switching one on names the limit', async () => {
  await testDatabase.database.pool.query(`UPDATE subscriptions SET ends_at = now() - interval '1 day'`);
  const ids = await addRules(25);
  await send(`rules/${ids[0]}/enabled`, {});
  const space = (await rules())[0].targetWebhookIds[0];
  await api.call('post', '/rules').send({ name: 'One more', eventType: 'deal.lost', targetWebhookIds: [space] });

  const { text } = await open('rules');
  const refused = await send(`rules/${ids[0]}/enabled`, { enabled: 'on' });

  expect(text.includes('Your plan has no room for another active rule.')).toBe(true);
  expect(refused.status).toBe(422);
  expect(refused.text).toMatch(/Rule 1: [^<]*25/);
  expect((await rules())[0].enabled).toBe(false);
});

test('when a rule moves or all are put in order, then the API has them in that order', async () => {
  const [first = 0, second = 0, third = 0] = await addRules(3);
  const order = async () => (await rules()).map(({ id }: { id: number }) => id);

  await send(`rules/${third}/move`, { way: 'up' });
  const moved = await order();
  await send('rules/order', { order: `${third},${first}` });

  expect(moved).toEqual([first, third, second]);
  expect(await order()).toEqual([third, first, second]);
});

test.each(['', '/enabled', '/move', '/delete'])(
  'when another company sends rules/:id%s, then nothing of the rule changes and nothing is shown of it',
  async (path) => {
    const [id] = await addRules(1);
    const [before] = await rules();
    const other = await api.addTenant();

    const { text } = await send(`rules/${id}${path}`, { name: 'Mine', eventType: 'deal.lost' }, await pageToken(other));

    expect(text).not.toContain('Rule 1');
    expect((await rules())[0]).toEqual(before);
  },
);

test('when somebody who is no admin sends a change, then it is refused and nothing changes', async () => {
  const [id] = await addRules(1);

  const { status } = await send(`rules/${id}/delete`, {}, await pageToken(api.tenant, 2));

  expect([status, (await rules()).length]).toEqual([403, 1]);
});

test('when a draft is previewed that cannot be saved, then the reasons stand where the card would, and lead to their fields', async () => {
  const space = await api.addDestination();
  const draft = { eventType: 'deal.field_changed', space: String(space), layout: 'compact', template: '{{ owner' };

  const { status, text } = await send('rules/preview/part', draft);

  expect(status).toBe(200);
  expect(text).toMatch(/No preview yet[\s\S]*href="#rule-fields"[\s\S]*href="#rule-text"/);
  expect(text).not.toContain('class="chat"');
});

test('when somebody who may only look previews a rule, then it is drawn as it is saved, whatever else was sent', async () => {
  const [id = 0] = await addRules(1);
  const token = await pageToken(api.tenant, 2);

  const part = await send('rules/preview/part', { ruleId: String(id), eventType: 'deal.lost', template: 'Mine' }, token);
  const page = await send('rules/preview', { ruleId: String(id), whole: 'yes' }, token);
  const none = await send('rules/preview/part', { eventType: 'deal.lost' }, token);

  expect([part.status, part.text.includes('Deal won'), part.text.includes('Mine')]).toEqual([200, true, false]);
  expect([page.status, /<h1>Rule 1<\/h1>[\s\S]*class="chat"/.test(page.text)]).toEqual([200, true]);
  expect(none.status).toBe(404);
});

test('when a condition says nothing yet, then the preview leaves it out, and saving names it', async () => {
  const conditions = { node: ['r', 'r.0', 'r.1'], 'join:r': 'all', 'field:r.0': 'status', 'op:r.0': 'is', 'value:r.0': 'won' };
  const draft = { eventType: 'deal.won', layout: 'compact', space: String(await api.addDestination()), ...conditions };

  const part = await send('rules/preview/part', draft);
  const saved = await send('rules/new', { ...draft, name: 'Unfinished' });

  expect(part.text).toContain('1 unfinished condition is left out.');
  expect(part.text).toContain('class="chat"');
  expect(saved.status).toBe(422);
  expect(saved.text).toMatch(/<a href="#field-r-1">Condition 2<\/a>: choose a field/);
});

test('when a key stage is not chosen, then it is asked for at the stages', async () => {
  const conditions = {
    ...{ node: ['r', 'r.0', 'r.1', 'r.1.0'], 'join:r': 'all', 'field:r.0': 'status', 'op:r.0': 'is', 'value:r.0': 'open' },
    ...{ 'join:r.1': 'not', 'field:r.1.0': 'stage_id', 'op:r.1.0': 'changedFrom' },
  };
  const space = String(await api.addDestination());
  const draft = { preset: 'key-stage', name: 'Key', eventType: 'deal.stage_changed', layout: 'compact', space };

  const { status, text } = await send('rules/new', { ...draft, ...conditions });

  expect(status).toBe(422);
  expect(text).toContain('<a href="#rule-stages">Stages</a>: choose at least one stage');
});

test('when a text names what no message has, then the preview says so', async () => {
  const template = 'For {{ record.title }}: {{ nonsense }} {{ record.size }}';
  const draft = { eventType: 'deal.won', layout: 'compact', space: String(await api.addDestination()), template };

  const { text } = await send('rules/preview/part', draft);

  expect(text).toContain('“{{ nonsense }}” is no known placeholder');
  expect(text).toContain('“{{ record.size }}” is no known placeholder');
  expect(text).not.toContain('“{{ record.title }}”');
});

test.each([
  ['wait', { wait: '999' }, 'must be a number of seconds from 0 to 120'],
  ['minimum', { minValue: '10.000,50' }, 'must be a number, written like 10000 or 10000.50'],
])('when the %s cannot be taken, then the form says in its own measure what can', async (_, fields, words) => {
  const draft = { name: 'Wrong', eventType: 'deal.won', layout: 'compact', space: String(await api.addDestination()) };

  const { status, text } = await send('rules/new', { ...draft, ...fields });

  expect([status, text.includes(words)]).toEqual([422, true]);
});

test('when a draft without a space is tested, then the space is asked for', async () => {
  const { status, text } = await send('rules/test', { eventType: 'deal.won', layout: 'compact' });

  expect([status, text.includes('href="#rule-space"')]).toEqual([422, true]);
});

test('when several rules have lost their space, then the overview tells of them once, by name', async () => {
  await addRules(2);
  const [{ targetWebhookIds }] = await rules();
  await api.call('delete', `/chat-webhooks/${String(targetWebhookIds[0])}`);

  const { text } = await open('overview');

  expect(text).toMatch(/2 rules need attention[\s\S]*Rule 1 and Rule 2: All its spaces were deleted/);
  expect(text).not.toContain('Fix rule');
});

test('when a rule has lost its space, then the overview leads to that rule, and the API names it', async () => {
  const [id] = await addRules(1);
  const [{ targetWebhookIds }] = await rules();
  await api.call('delete', `/chat-webhooks/${String(targetWebhookIds[0])}`);

  const { text } = await open('overview');

  expect(text).toMatch(new RegExp(`href="/extension/settings/rules/${id}"[^>]*>Fix rule`));
  expect((await api.call('get', '/account')).body.needsAttention).toContainEqual(
    expect.objectContaining({ kind: 'rule', ruleId: id, name: 'Rule 1', reason: expect.stringContaining('space') }),
  );
});
