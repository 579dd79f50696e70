/** Every case of the table through the public surface alone: a webhook in, messages in Chat, decisions with reasons in `GET /events`. */

import { randomUUID } from 'node:crypto';
import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, connectChannel, visibleText, type Channel } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { postAs, rawWebhook } from '../support/raw-webhook';
import { useTestDatabase } from '../support/test-database';
import { startWorld, type World } from '../support/world';
import { RULE_CASES, type RuleCase } from './rule-cases';

// Before the database goes: such hooks run in the order in which they stand.
afterAll(() => world.close());
const testDatabase = useTestDatabase();
let world: World;
let token: string;

interface Arranged {
  readonly channel: Channel;
  readonly ruleId: number;
  readonly entityId: string;
  readonly title: string;
}

interface Outcome {
  readonly messages: number;
  /** Of the last event. */
  readonly reason: string;
}

/** Every rule hears of every case that is played at the same time: few enough that messages stay countable. */
const AT_ONCE = 30;
const outcomes = new Map<string, Outcome>();
const unexplained: string[] = [];

beforeAll(async () => {
  world = await startWorld({
    databaseUrl: testDatabase.connectionString,
    config: { spaceIntervalMs: 0, apiRateLimit: 1_000_000 },
    chat: { enforceQuota: false },
  });
  const company = world.pipedrive.company(DEMO_COMPANY_ID);
  for (const currency of ['GBP', 'XTS']) world.pipedrive.setRate(DEMO_COMPANY_ID, currency, null);
  world.pipedrive.setRate(DEMO_COMPANY_ID, 'USD', 2);
  if (![...company.deals.live.values()].some(({ currency }) => currency === 'USD'))
    world.pipedrive.createDeal(DEMO_COMPANY_ID, { title: 'Dollars', value: 100, currency: 'USD' });
  token = await world.install();
  for (let start = 0; start < RULE_CASES.length; start += AT_ONCE) await play(RULE_CASES.slice(start, start + AT_ONCE));
}, 300_000);

async function play(cases: readonly RuleCase[]): Promise<void> {
  const arranged: Arranged[] = [];
  for (const one of cases) arranged.push(await arrange(one, RULE_CASES.indexOf(one) + 1));
  await Promise.all(cases.map((one, at) => postHistory(one, arranged[at])));
  await ledgerAtRest(world, testDatabase.database.pool);
  for (const [at, one] of cases.entries()) await collect(one, arranged[at]);
  for (const { channel, ruleId } of arranged) {
    await world.api('DELETE', `/rules/${ruleId}`, token);
    await world.api('DELETE', `/chat-webhooks/${channel.id}`, token);
  }
}

async function arrange(one: RuleCase, number: number): Promise<Arranged> {
  const channel = await connectChannel(world, token, one.name);
  const { eventType, filters, settleMs } = one;
  const ruleId = await addRule(world, token, eventType, channel, { name: one.name, filters, settleMs });
  const entityId = one.entity === 'lead' ? randomUUID() : String(700_000 + number);
  return { channel, ruleId, entityId, title: `Case ${number}` };
}

/** What every record of the kind has. */
function startOf(entity: string, id: string, title: string): Readonly<Record<string, unknown>> {
  const own = { id: entity === 'lead' ? id : Number(id), owner_id: 1, custom_fields: {} };
  if (entity === 'deal')
    return {
      ...{ ...own, title, value: 100, currency: 'EUR', status: 'open', pipeline_id: 1, stage_id: 11, label_ids: [] },
      ...{ expected_close_date: null, lost_reason: null, won_time: null, is_archived: false },
    };
  if (entity === 'lead') return { ...own, title, value: null, label_ids: [], is_archived: false };
  if (entity === 'activity') return { ...own, subject: title, type: 'call', done: false };
  return entity === 'note' ? { id: Number(id), user_id: 1, content: title } : { ...own, name: title };
}

async function postHistory(one: RuleCase, arranged: Arranged | undefined): Promise<void> {
  if (arranged === undefined) throw new Error('every case is arranged');
  const startMs = Date.now();
  let state: Readonly<Record<string, unknown>> = startOf(one.entity, arranged.entityId, arranged.title);
  for (const [at, { action, fields, meta = {} }] of one.history.entries()) {
    const before = state;
    state = laidOver(before, fields);
    const told = { user_id: '1', timestamp: new Date(startMs + at).toISOString(), ...meta };
    const previous = action === 'create' ? null : action === 'delete' ? before : oldValues(before, fields);
    const data = action === 'delete' ? null : state;
    const answer = await postAs(
      world,
      rawWebhook(one.entity, action, arranged.entityId, { data, previous, ...told }),
      DEMO_COMPANY_ID,
      one.entity,
    );
    if (answer.status !== 200) throw new Error(`${one.name}: ${answer.status} ${answer.body}`);
  }
}

function laidOver(before: Readonly<Record<string, unknown>>, fields: Readonly<Record<string, unknown>>) {
  const custom = { ...objectOf(before['custom_fields']), ...objectOf(fields['custom_fields']) };
  return { ...before, ...fields, ...('custom_fields' in before ? { custom_fields: custom } : {}) };
}

function oldValues(before: Readonly<Record<string, unknown>>, fields: Readonly<Record<string, unknown>>) {
  const old = Object.keys(fields).map((key) => {
    if (key !== 'custom_fields') return [key, before[key] ?? null] as const;
    const custom = objectOf(before['custom_fields']);
    return [key, Object.fromEntries(Object.keys(objectOf(fields[key])).map((inner) => [inner, custom[inner] ?? null]))] as const;
  });
  return Object.fromEntries(old);
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

async function collect(one: RuleCase, arranged: Arranged | undefined): Promise<void> {
  if (arranged === undefined) throw new Error('every case is arranged');
  const { channel, ruleId, entityId, title } = arranged;
  const { body } = await world.api('GET', `/events?entity=${one.entity}&entityId=${entityId}`, token);
  const decisions: { ruleId: number; reason: string }[] = body.items.flatMap((event: { decisions: object[] }) => event.decisions);
  unexplained.push(...decisions.filter(({ reason }) => reason.trim() === '').map(() => one.name));
  const [last] = body.items;
  const decision = last.decisions.find((found: { ruleId: number }) => found.ruleId === ruleId);
  const word = new RegExp(`\\b${title}\\b`);
  const messages = world.chat.messages(channel.spaceId).filter((message) => word.test(visibleText(message))).length;
  outcomes.set(one.name, { messages, reason: decision?.reason ?? 'no decision' });
}

test.each(RULE_CASES.map((one) => [one.name, one] as const))(
  'when the case is %s, then the messages and the reason are right',
  (name, one) => {
    const outcome = outcomes.get(name);

    expect({ messages: outcome?.messages, reason: outcome?.reason }).toEqual({
      messages: one.messages,
      reason: expect.stringMatching(one.reason),
    });
  },
);

test('when all is decided, then no decision is without a reason', () => {
  expect(outcomes.size).toBe(RULE_CASES.length);
  expect(unexplained).toEqual([]);
});
