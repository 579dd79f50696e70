/** Properties of the whole engine over generated events: it never throws, tells nothing twice, and always has a reason. */

import { NO_RATES } from '../../../src/core/exchange-rates';
import fc from 'fast-check';
import { DECISION_CODES } from '../../../src/core/decision';
import { parseWebhook } from '../../../src/core/pipedrive-event';
import { isObject, RECORD_ENTITIES, WEBHOOK_ENTITIES, type RecordState } from '../../../src/core/record';
import { EVENT_TYPES, type Transition } from '../../../src/core/transition';
import { explainDecision } from '../../../src/rules/explain';
import { compileRules } from '../../../src/rules/route-events';
import { planBatch } from '../../../src/rules/plan-batch';
import type { Watch } from '../../../src/rules/watch-rules';
import { aDealWebhook, aRule, aWebhook, at, type SentWebhook } from '../../support/builders';
import { makeMemoryLedger, type MemoryLedger } from '../../support/memory-ledger';

const RUNS = { numRuns: 60 };
/** What takes many circumstances at once to go wrong. `npm test` has a few seconds for it; with 20,000 it runs for a minute or two. */
const MANY_RUNS = Number(process.env['PROPERTY_RUNS'] ?? 500);
const ALONE_MS = 30_000 + MANY_RUNS * 20;
const rulesOnAll = EVENT_TYPES.map((eventType, index) => aRule({ id: index + 1, eventType, targetWebhookIds: [1, 2] }));

const pick = <T>(values: readonly T[]) => fc.constantFrom(...values);
const jsonObject = fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 3 }));
const wild = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constant(undefined));
/** Fields of the right names with values of any shape. */
const wildState = fc
  .record(
    Object.fromEntries(
      ['status', 'stage_id', 'pipeline_id', 'owner_id', 'value', 'currency', 'label_ids', 'custom_fields', 'won_time'].map(
        (key) => [key, wild],
      ),
    ),
    { requiredKeys: [] },
  )
  .chain((state) => jsonObject.map((more) => ({ ...more, ...state })));
const wildWebhook = fc
  .record({
    entity: pick(WEBHOOK_ENTITIES),
    id: pick(['1', '2', 'b1810230-6c0d-11ed-9826-a53d0eb706a5']),
    action: pick(['create', 'change', 'delete']),
    atMs: fc.integer({ min: 0, max: 5000 }),
    data: fc.option(wildState),
    previous: fc.option(wildState),
    meta: fc.record({
      correlation_id: pick([null, 'c']),
      merged_to_id: pick([null, '1', '2']),
      merged_from_id: pick([null, '1', '2']),
    }),
  })
  .map((given) => aWebhook(given));

test('when a body is any bytes, then parsing never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(['event', 'ignored', 'invalid']).toContain(parseWebhook(Buffer.from(bytes)).kind);
    }),
    RUNS,
  );
});

test('when a body is any JSON around a meta, then parsing never throws', () => {
  fc.assert(
    fc.property(fc.json(), fc.record({ meta: fc.oneof(jsonObject, wild), data: wild, previous: wild }), (text, body) => {
      expect(['event', 'ignored', 'invalid']).toContain(parseWebhook(Buffer.from(text)).kind);
      expect(['event', 'ignored', 'invalid']).toContain(parseWebhook(Buffer.from(JSON.stringify(body))).kind);
    }),
    RUNS,
  );
});

test('when states are any JSON, then every event is routed and every decision is worded', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(wildWebhook, { minLength: 1, maxLength: 6 }), pick([0, 1500]), async (webhooks, settleMs) => {
      const ledger = makeMemoryLedger({ rules: rulesOnAll, settleMs });

      await ledger.route(...webhooks);

      for (const [index] of webhooks.entries()) {
        const event = ledger.event(index + 1);
        expect(event.transitions).not.toBeNull();
        for (const decision of event.decisions) {
          const rule = rulesOnAll.find(({ id }) => id === decision.ruleId) ?? null;
          expect(DECISION_CODES).toContain(decision.code);
          expect(explainDecision(decision, rule, { entity: 'deal', transitions: event.transitions ?? [] })).not.toBe('');
        }
      }
    }),
    RUNS,
  );
});

test('when shadows are any JSON, then planning never throws', () => {
  fc.assert(
    fc.property(
      pick(RECORD_ENTITIES),
      wildState,
      fc.option(wildState),
      wildWebhook,
      (entity, state, was, { body, receivedAt }) => {
        const parsed = parseWebhook(body);
        if (parsed.kind !== 'event') return;
        const event = { ...parsed.event, entity, entityId: '1' };
        const blank = {
          mergedInto: null,
          conversionKey: 'c',
          convertedFrom: null,
          deletedAt: null,
          occurredAt: at(0),
          reconciledAt: null,
        };
        const windows = [1500, 4000].map((settleMs) => ({ settleMs, matter: null, since: null, openedAt: at(0), was }));
        const shadow = { ...blank, entity, entityId: '1', state, windows, told: [] };
        const rules = {
          ...compileRules(
            { rules: rulesOnAll, destinations: [{ id: 1, spaceId: 'a' }], muted: [], hasWatches: false },
            'EUR',
            1500,
          ),
          rates: NO_RATES,
          timeZone: 'UTC',
        };

        const plan = planBatch([{ id: 1, receivedAt, event }], new Map([[`${entity}/1`, shadow]]), [], rules);

        expect(plan.routed).toHaveLength(1);
      },
    ),
    RUNS,
  );
});

/** One step of a deal's life, as Pipedrive would tell it. */
const step = fc.record({
  field: pick(['status', 'stage_id', 'value', 'owner_id', 'title'] as const),
  choice: fc.integer({ min: 0, max: 2 }),
  gapMs: fc.integer({ min: 1, max: 2500 }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
const CHOICES = {
  status: ['open', 'won', 'lost'],
  stage_id: [11, 12, 13],
  value: [100, 200, null],
  owner_id: [1, 2, 3],
  title: ['a', 'b', 'c'],
} as const;

/** The webhooks of a deal that lives through these steps: true diffs, rising times. */
function lifeOf(id: number, steps: readonly Step[]): SentWebhook[] {
  let state: Record<string, unknown> = { status: 'open', stage_id: 11, value: 100, owner_id: 1, title: 'a' };
  let atMs = 0;
  const webhooks = [aDealWebhook({ id, atMs, action: 'create', data: state })];
  for (const { field, choice, gapMs } of steps) {
    const previous = { [field]: state[field] };
    const next = CHOICES[field][choice];
    atMs += gapMs;
    if (next === state[field]) continue;
    state = { ...state, [field]: next };
    webhooks.push(aDealWebhook({ id, atMs, previous, data: state }));
  }
  return webhooks;
}

/** Everything that is told, without the running numbers of events. */
const outcome = (ledger: MemoryLedger) =>
  ledger
    .deliveries()
    .filter((row) => row.state !== 'dropped')
    .map(({ ruleId, chatWebhookId, notBefore, change }) => {
      const { transition, state, entityId } = change;
      return JSON.stringify([entityId, ruleId, chatWebhookId, notBefore, transition, state['title'], state['value']]);
    })
    .sort();

const dealRules = ([0, 1500, 4000, null] as const).flatMap((settleMs, index) =>
  (['deal.created', 'deal.won', 'deal.reopened', 'deal.stage_changed', 'deal.value_changed', 'deal.owner_changed'] as const).map(
    (eventType, kind) => aRule({ id: index * 10 + kind + 1, eventType, settleMs, targetWebhookIds: [index + 1] }),
  ),
);
const aWatch = (id: number, entityId: string, chatWebhookId: number, atMs: number): Watch => ({
  ...{ id, entity: 'deal', entityId, chatWebhookId, author: 'Ana', createdAt: at(atMs) },
});
const watches = [
  aWatch(1, '8', 1, -1),
  aWatch(2, '8', 2, -1),
  aWatch(3, '8', 3, -1),
  aWatch(4, '8', 5, 1),
  aWatch(5, '1', 5, -1),
];
function makeDealLedger(isThreaded = false): MemoryLedger {
  const destinations = [1, 2, 3, 4, 5].map((id) => ({ id, spaceId: `space ${id}`, isThreaded }));
  return makeMemoryLedger({ rules: dealRules, destinations, watches });
}
const steps = fc.array(step, { maxLength: 6 });

test('when events come in several batches, then the same is told as in one', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1 }), async (life, sizes) => {
      const webhooks = lifeOf(8, life);
      const [whole, split] = [makeDealLedger(), makeDealLedger()];

      await whole.route(...webhooks);
      for (let done = 0, turn = 0; done < webhooks.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        await split.route(...webhooks.slice(done, done + size));
        done += size;
      }

      expect(outcome(split)).toEqual(outcome(whole));
    }),
    RUNS,
  );
});

test('when events of two records are mixed, then their order among each other does not matter', async () => {
  await fc.assert(
    fc.asyncProperty(steps, steps, async (one, other) => {
      const [first, second] = [lifeOf(1, one), lifeOf(2, other)];
      const [behind, mixed] = [makeDealLedger(), makeDealLedger()];

      await behind.route(...first, ...second);
      const byTime = [...second, ...first].sort((a, b) => a.receivedAt.getTime() - b.receivedAt.getTime());
      await mixed.route(...byTime);

      expect(outcome(mixed)).toEqual(outcome(behind));
    }),
    RUNS,
  );
});

test('when messages leave on time between the events, then no rule tells a destination one transition twice', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (life) => {
      const ledger = makeDealLedger();

      for (const webhook of lifeOf(8, life)) {
        ledger.sendUntil(webhook.receivedAt.getTime() - at(0).getTime() + 100);
        await ledger.route(webhook);
      }

      // Each message goes on from where the last one of the same rule and destination had ended.
      for (const rule of dealRules.filter(({ eventType }) => eventType.endsWith('_changed'))) {
        const ways = ledger
          .told()
          .filter((told) => told.rule === rule.id)
          .map(({ ways: [way] }) => way?.split('>') ?? []);
        for (const [index, [from]] of ways.entries()) if (index > 0) expect(from).toBe(ways[index - 1]?.[1]);
      }
      for (const rule of dealRules.filter(({ eventType }) => eventType === 'deal.created'))
        expect(ledger.told().filter((told) => told.rule === rule.id)).toHaveLength(1);
    }),
    RUNS,
  );
});

const WATCHED = ['status', 'stage_id', 'value', 'owner_id'] as const;
const plain = (value: unknown): unknown => (isObject(value) ? value['amount'] : value);

interface Way {
  readonly field: string;
  /** Absent: a win or loss together with the birth is told without it. */
  readonly from?: unknown;
  readonly to: unknown;
}

function waysOf({ type, changes }: Transition): readonly Way[] {
  const isBare = (type === 'deal.won' || type === 'deal.lost') && changes.every(({ field }) => field !== 'status');
  return isBare ? [{ field: 'status', to: type.replace('deal.', '') }, ...changes] : changes;
}

/** What rules and watches tell this destination, when each event is routed so long after it came in: what was due has left by then. */
async function toldAlong(life: readonly Step[], chatWebhookId: number, lateMs: number, ledger: MemoryLedger) {
  const [birth, ...others] = lifeOf(8, life);
  if (birth === undefined) throw new Error('there is no life without a birth');
  await ledger.route(birth);
  const born = ledger.shadow('deal', '8')?.state ?? {};
  for (const webhook of others) {
    ledger.sendUntil(webhook.receivedAt.getTime() - at(0).getTime() + lateMs);
    await ledger.route(webhook);
  }
  const after = ledger.shadow('deal', '8')?.state ?? {};
  const messages = ledger.deliveries().filter((row) => row.chatWebhookId === chatWebhookId && row.state !== 'dropped');
  const birthTold = messages.find(({ recordBefore }) => recordBefore === null)?.change.state;
  const ways = messages.flatMap(({ change }) => waysOf(change.transition));
  // The message of its birth shows the deal as it was then, but tells no win or loss.
  const shown: RecordState = { ...born, ...birthTold, status: born['status'] };
  return { born, shown, after, ways };
}

test.each([
  ['no rule tells it', 5],
  ['rules tell it at once', 1],
  ['rules settle as long as the watch', 2],
  ['rules settle longer than the watch', 3],
])('when a deal is watched where %s, then the ways told make one chain to the state it is in', async (_, chatWebhookId) => {
  const late = fc.integer({ min: -1, max: 1000 });
  await fc.assert(
    fc.asyncProperty(steps, late, fc.boolean(), async (life, lateMs, isThreaded) => {
      const { shown, after, ways } = await toldAlong(life, chatWebhookId, lateMs, makeDealLedger(isThreaded));
      expectOneChain([shown], ways, after);
    }),
    RUNS,
  );
});

const STATUS_TYPES = ['deal.won', 'deal.lost', 'deal.reopened'] as const;
const settles = fc.array(pick([0, 1500, 4000, null]), { minLength: 1, maxLength: 2 });
const aKind = fc.record({
  eventType: pick([...STATUS_TYPES, 'deal.stage_changed', 'deal.value_changed', 'deal.owner_changed'] as const),
  settles,
  isLastWorth: fc.boolean(),
});

/**
 * Of each matter one rule of a place, most often behind one that stops it while the deal is worth something, and perhaps one on births. Rules
 * on the status settle alike: one that tells a reopening at once, beside one that waits with the win, makes no chain, watched or not. So does
 * a birth that waits longer than what comes after it, or gives way to a rule about something else.
 */
const stoppingRules = fc
  .record({
    kinds: fc.uniqueArray(aKind, { minLength: 1, maxLength: 4, selector: ({ eventType }) => eventType }),
    statusSettles: settles,
    tellsBirth: fc.boolean(),
  })
  .map(({ kinds, statusSettles, tellsBirth }) => {
    const rules = kinds.flatMap(({ eventType, settles: own, isLastWorth }) => {
      const times = STATUS_TYPES.some((type) => type === eventType) ? statusSettles : own;
      return times.map((settleMs, index) => {
        const isLast = index === times.length - 1;
        return { eventType, settleMs, stopAfter: !isLast, ...(isLast && !isLastWorth ? {} : { minValue: 150 }) };
      });
    });
    const settleMs = Math.min(...[null, ...rules.map((rule) => rule.settleMs)].map((ms) => ms ?? 1500));
    return [...(tellsBirth ? [{ eventType: 'deal.created' as const, settleMs }] : []), ...rules].map((rule, index) =>
      aRule({ ...rule, id: index + 1, position: index + 1, targetWebhookIds: [5] }),
    );
  });

/** The time in which everything counts as its birth is over. */
const GROWN: Step = { field: 'title', choice: 1, gapMs: 5000 };
const lives = fc.record({ life: steps, isGrown: fc.boolean() }).map(({ life, isGrown }) => (isGrown ? [GROWN, ...life] : life));

test(
  'when a deal is watched where rules stop each other and match later or no more, then the ways told make one chain',
  async () => {
    const given = fc.record({
      ...{ life: lives, rules: stoppingRules, lateMs: fc.integer({ min: -1, max: 1000 }), isThreaded: fc.boolean() },
      /** From before its birth, as of a lead that becomes a deal, or right after it. */
      sinceMs: pick([-1, 1]),
    });
    await fc.assert(
      fc.asyncProperty(given, async ({ life, rules, lateMs, isThreaded, sinceMs }) => {
        const destinations = [{ id: 5, spaceId: 'space 5', isThreaded }];
        const ledger = makeMemoryLedger({ rules, destinations, watches: [aWatch(4, '8', 5, sinceMs)] });

        const { born, shown, after, ways } = await toldAlong(life, 5, lateMs, ledger);

        // What a rule tells at once stands behind the message of the birth, which shows it too.
        expectOneChain([born, shown], ways, after);
      }),
      { numRuns: MANY_RUNS },
    );
  },
  ALONE_MS,
);

/** From one of these states to the one after. */
function expectOneChain(starts: readonly RecordState[], ways: readonly Way[], after: RecordState): void {
  for (const field of WATCHED) {
    const own = ways.filter((way) => way.field === field);
    const known = starts.map((state) => state[field]);
    const [first] = own;
    if (first === undefined) {
      expect(known).toContainEqual(after[field]);
      continue;
    }
    const from = plain(first.from);
    const start = known.includes(from) ? from : known[0];
    const end = own.reduce<unknown>((value, { from = value, to }) => {
      expect(plain(from)).toEqual(value);
      return plain(to);
    }, start);
    expect(end).toEqual(after[field]);
  }
}

test('when an event is routed twice, then the record stays as it is', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (life) => {
      const webhooks = lifeOf(8, life);
      const ledger = makeDealLedger();
      await ledger.route(...webhooks);
      const { state, occurredAt } = ledger.shadow('deal', '8') ?? {};

      await ledger.route(...webhooks);

      expect(ledger.shadow('deal', '8')).toMatchObject({ state, occurredAt });
    }),
    RUNS,
  );
});
