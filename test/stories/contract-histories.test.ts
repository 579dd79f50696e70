/**
 * Histories of several events over HTTP, all at the same time: webhooks in, deliveries, cards and reasons out. What was to come within a
 * settle window and did not, because the machine is busy, is another history: it is played again with more time.
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, connectChannel, visibleText, type Channel } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { postAs, rawWebhook, type RawWebhook } from '../support/raw-webhook';
import { useTestDatabase } from '../support/test-database';
import { startWorld, type World } from '../support/world';
import { HISTORIES, LONG, PLACES, SHORT, type Expectation, type History, type Step } from './contract-histories';
import { pipeline, stage } from './tellings';

// Before the database goes: such hooks run in the order in which they stand.
afterAll(() => world.close());
const testDatabase = useTestDatabase();
let world: World;
let token: string;

type Fields = Readonly<Record<string, unknown>>;

/** All times of a history are so many times as long. */
const PATIENCE = [1, 2, 4, 8];
/** Of a window: so much of it may have passed when the last event in it is routed. */
const IN_TIME = 0.8;

/** What stands for what in one case. */
interface Cast {
  readonly number: number;
  readonly patience: number;
  readonly title: string;
  readonly ids: ReadonlyMap<string, string>;
  readonly words: ReadonlyMap<string, unknown>;
  readonly rules: readonly { readonly id: number; readonly channel: Channel }[];
}

interface Outcome {
  readonly sent: number;
  readonly reason: string;
  readonly text: string;
}

const outcomes = new Map<string, readonly Outcome[]>();

beforeAll(async () => {
  world = await startWorld({
    databaseUrl: testDatabase.connectionString,
    config: { spaceIntervalMs: 0, apiRateLimit: 1_000_000 },
    chat: { enforceQuota: false },
  });
  world.pipedrive.setRate(DEMO_COMPANY_ID, 'USD', 2);
  world.pipedrive.createDeal(DEMO_COMPANY_ID, { title: 'Dollars', value: 100, currency: 'USD' });
  token = await world.install();
  let numbers = 0;
  let rest = HISTORIES;
  for (const patience of PATIENCE) {
    if (rest.length === 0) break;
    const played = await Promise.all(
      rest.map(async (history) => ({ history, cast: await arrange(history, (numbers += 1), patience) })),
    );
    const moments = await Promise.all(played.map(({ history, cast }) => play(history, cast)));
    await ledgerAtRest(world, testDatabase.database.pool, 60_000);
    const inTime = await Promise.all(played.map(({ cast }, at) => wasInTime(cast, moments[at] ?? [])));
    await Promise.all(played.filter((_, at) => inTime[at]).map(({ history, cast }) => collect(history, cast)));
    rest = rest.filter((_, at) => inTime[at] !== true);
    await Promise.all(played.map(({ cast }) => dismiss(cast)));
  }
  expect(rest.map(({ name }) => `The machine is too slow for: ${name}`)).toEqual([]);
}, 300_000);

async function arrange({ steps, rules }: History, number: number, patience: number): Promise<Cast> {
  const ids = new Map<string, string>();
  for (const { on, entity } of steps)
    if (!ids.has(on)) ids.set(on, entity === 'lead' ? randomUUID() : String(900_000 + number * 10 + ids.size));
  const words = new Map<string, unknown>([
    ...Object.entries(PLACES).map(([place, name]) => [`%${place}`, stage(world, name)] as const),
    ['%P1', pipeline(world, 'New business')],
    ['%P2', pipeline(world, 'Renewals')],
    ['%X', stage(world, 'Up for renewal')],
    ['%OWNER', 600_000 + number],
    ['#', randomUUID()],
    ...[...ids].map(([name, id]) => [`@${name}`, id] as const),
  ]);
  const spaces = new Map<string, Channel>();
  const made: Cast['rules'][number][] = [];
  for (const [at, expected] of rules.entries()) {
    const { eventType, settleMs, filters = {}, stopAfter = false } = expected;
    const space = spaceOf(expected, at);
    const channel = spaces.get(space) ?? (await connectChannel(world, token, `${number} ${space}`, { fold: 'off' }));
    spaces.set(space, channel);
    const owner = eventType === 'deal.owner_changed' ? [700] : [];
    const own = { ownerIds: [600_000 + number, ...owner], ...objectOf(spelled(filters, words)) };
    const more = { filters: own, settleMs: settleMs * patience, stopAfter, position: number * 10 + at };
    made.push({ id: await addRule(world, token, eventType, channel, more), channel });
  }
  return { number, patience, title: `History ${number}.`, ids, words, rules: made };
}

/** Rules of one patience share a space, for no message waits there for another rule's window; whose words count has its own. */
function spaceOf({ space, says, settleMs }: Expectation, at: number): string {
  return space ?? (says === undefined ? `after ${settleMs} ms` : `rule ${at}`);
}

/** With ids in place of the words that stand for them. */
function spelled(value: unknown, words: Cast['words']): unknown {
  if (typeof value === 'string') return words.has(value) ? words.get(value) : value;
  if (Array.isArray(value)) return value.map((item: unknown) => spelled(item, words));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, spelled(item, words)]));
}

function firstState({ entity }: Step, id: string, { title, number, words }: Cast): Fields {
  const own = { id: entity === 'lead' ? id : Number(id), owner_id: 600_000 + number, custom_fields: {}, is_archived: false };
  if (entity === 'activity') return { ...own, subject: title, type: 'call', done: false };
  if (entity === 'lead') return { ...own, title, value: null };
  const place = { pipeline_id: words.get('%P1'), stage_id: words.get('%A') };
  return { ...own, title, value: 100, currency: 'EUR', status: 'open', ...place, label_ids: [], expected_close_date: null };
}

/** Gives when those of its steps began that come together. */
async function play({ name, steps }: History, cast: Cast): Promise<readonly Date[]> {
  const startMs = Date.now();
  const moments: Date[] = [];
  const states = new Map<string, Fields>();
  const sent: RawWebhook[] = [];
  for (const [at, one] of steps.entries()) {
    if (one.afterMs > 0) await sleep(one.afterMs * cast.patience); // Time is what these histories are about.
    if (one.afterMs > 0 || at === 0) moments.push(new Date());
    const before = sent.at(-1);
    const body: RawWebhook =
      one.isRepeat && before !== undefined
        ? { ...before, meta: { ...before.meta, ...one.meta } }
        : bodyOf(one, cast, states, startMs + at + one.seconds * 1000);
    sent.push(body);
    const answer = await postAs(world, body, DEMO_COMPANY_ID, one.entity);
    if (answer.status !== 200) throw new Error(`${name}: ${answer.status} ${answer.body}`);
  }
  return moments;
}

/** Events that come together were routed within the short window, all of them within the long one, and what was due before others came had left. */
const IS_IN_TIME = `
  WITH moments AS (
    SELECT at, coalesce(lead(at) OVER (ORDER BY at), 'infinity') AS until FROM unnest($2::timestamptz[]) AS at
  ), heard AS (
    SELECT e.routed_at, m.at, min(m.at) OVER () AS begun_at, row_number() OVER (PARTITION BY m.at ORDER BY e.id) = 1 AS is_first
      FROM events e JOIN moments m ON e.received_at >= m.at AND e.received_at < m.until WHERE e.entity_id = ANY ($1)
  )
  SELECT bool_and((is_first OR routed_at < at + $3 * interval '1 ms') AND routed_at < begun_at + $4 * interval '1 ms')
     AND NOT EXISTS (SELECT 1 FROM deliveries d JOIN moments m ON d.not_before < m.until AND d.finished_at > m.until
                      WHERE d.entity_id = ANY ($1)) AS is_in_time
    FROM heard`;

async function wasInTime({ ids, patience }: Cast, moments: readonly Date[]): Promise<boolean> {
  const limits = [SHORT, LONG].map((windowMs) => windowMs * patience * IN_TIME);
  const { rows } = await testDatabase.database.pool.query<{ is_in_time: boolean }>(IS_IN_TIME, [
    [...ids.values()],
    moments,
    ...limits,
  ]);
  return rows[0]?.is_in_time === true;
}

function bodyOf(one: Step, cast: Cast, states: Map<string, Fields>, atMs: number): RawWebhook {
  const id = cast.ids.get(one.on) ?? '';
  const before = states.get(one.on) ?? firstState(one, id, cast);
  const fields = objectOf(spelled(one.fields, cast.words));
  const custom = { ...objectOf(before['custom_fields']), ...objectOf(fields['custom_fields']) };
  const after = { ...before, ...fields, custom_fields: custom };
  // What is older than the rest leaves no trace in what comes after it.
  if (one.seconds === 0 || !states.has(one.on)) states.set(one.on, after);
  const old = one.action === 'create' ? null : one.action === 'delete' ? before : oldValues(before, fields);
  const previous = one.previous === undefined ? old : spelled(one.previous, cast.words);
  const told = { user_id: '1', timestamp: new Date(atMs).toISOString(), ...objectOf(spelled(one.meta, cast.words)) };
  return rawWebhook(one.entity, one.action, id, { data: one.action === 'delete' ? null : after, previous, ...told });
}

function oldValues(before: Fields, fields: Fields): Fields {
  return Object.fromEntries(
    Object.keys(fields).map((key) => {
      if (key !== 'custom_fields') return [key, before[key] ?? null] as const;
      const custom = objectOf(before['custom_fields']);
      return [
        key,
        Object.fromEntries(Object.keys(objectOf(fields[key])).map((inner) => [inner, custom[inner] ?? null])),
      ] as const;
    }),
  );
}

function objectOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

/** A plan allows so many destinations. */
async function dismiss({ rules }: Cast): Promise<void> {
  for (const { id } of rules) await world.api('DELETE', `/rules/${id}`, token);
  for (const id of new Set(rules.map(({ channel }) => channel.id))) await world.api('DELETE', `/chat-webhooks/${id}`, token);
}

async function collect({ name, steps }: History, cast: Cast): Promise<void> {
  const last = steps.at(-1);
  if (last === undefined) throw new Error('every history has steps');
  const [entity, id] = last.isRepeat ? ['deal', cast.ids.get('one')] : [last.entity, cast.ids.get(last.on)];
  const events = await world.api('GET', `/events?entity=${entity}&entityId=${id ?? ''}`, token);
  const decisions: { ruleId: number; reason: string }[] = events.body.items[0].decisions;
  const found = await Promise.all(
    cast.rules.map(async ({ id: ruleId, channel }): Promise<Outcome> => {
      const { body } = await world.api('GET', `/deliveries?ruleId=${ruleId}&state=sent`, token);
      const texts = world.chat.messages(channel.spaceId).map(visibleText);
      const reason = decisions.find((decision) => decision.ruleId === ruleId)?.reason ?? 'no decision';
      return { sent: body.items.length, reason, text: texts.join('\n') };
    }),
  );
  outcomes.set(name, found);
}

test.each(HISTORIES.map((history) => [history.name, history] as const))(
  'when the history is %s, then each rule tells what its patience leaves of it',
  (name, { rules }) => {
    const found = outcomes.get(name) ?? [];

    expect(found.map(({ sent }, at) => ({ rule: named(rules[at]), sent }))).toEqual(
      rules.map((rule) => ({ rule: named(rule), sent: rule.sent })),
    );
    for (const [at, { reason, says, saysNot }] of rules.entries()) {
      expect(found[at]?.reason).toEqual(expect.stringMatching(reason ?? /\w/));
      if (says !== undefined) expect(found[at]?.text).toMatch(says);
      if (saysNot !== undefined) expect(found[at]?.text).not.toMatch(saysNot);
    }
  },
);

function named(rule: Expectation | undefined): string {
  return `${rule?.eventType ?? '-'} after ${rule?.settleMs ?? 0} ms, ${JSON.stringify(rule?.filters ?? {})}`;
}
