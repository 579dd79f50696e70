import { pino, type Logger } from 'pino';
import type { RecordState } from '../../../src/core/record';
import { tenantId } from '../../../src/core/tenant';
import { makeGatherFacts, type FetchRecord } from '../../../src/messages/gather-facts';
import type { NameStore, StoredName } from '../../../src/messages/name.store';
import { namedFrom, nameOf, NO_NAMES, type NamedEntity } from '../../../src/messages/names';
import { referencesOf } from '../../../src/messages/references';
import { aChange } from '../../fixtures/record-changes';

const TENANT = tenantId(7);
const OTHER_TENANT = tenantId(8);
const HOUR_MS = 3_600_000;

/** The store's contract in memory: what SQL makes of it is the store's own test. */
function aStore(known: readonly StoredName[] = []) {
  const rows = [...known];
  const queries: number[] = [];
  const store: NameStore = {
    findNames: (wanted) => {
      queries.push(wanted.length);
      return Promise.resolve(
        rows.filter((row) =>
          wanted.some((name) => name.tenantId === row.tenantId && name.entity === row.entity && name.id === row.id),
        ),
      );
    },
    saveFetched: (tenant, entity, id, state) => {
      rows.push(aStoredName(entity, id, state, { tenantId: tenant }));
      return Promise.resolve();
    },
  };
  return { store, queries, rows };
}

function aStoredName(entity: NamedEntity, id: string, state: RecordState, given: Partial<StoredName> = {}): StoredName {
  const named = namedFrom(state);
  if (named === null) throw new Error('a stored name needs a name');
  return { tenantId: TENANT, entity, id, named, isFromApi: true, refreshedAt: new Date(0), ...given };
}

/** A Pipedrive whose answers the test gives, and that counts what it is asked. */
function aPipedrive(answer: (entity: NamedEntity, id: string) => Promise<RecordState | null>) {
  const asked: string[] = [];
  const fetchRecord: FetchRecord = (tenant, entity, id) => {
    asked.push(`${String(tenant)}/${entity}:${id}`);
    return answer(entity, id);
  };
  return { asked, fetchRecord };
}

interface Parts {
  readonly store: NameStore;
  readonly fetchRecord: FetchRecord;
  readonly now?: () => number;
  readonly patienceMs?: number;
  readonly log?: Logger;
}

function gatherer({ now = () => 0, patienceMs = 200, log = pino({ level: 'silent' }), ...parts }: Parts) {
  return makeGatherFacts({ ...parts, clock: () => new Date(now()), nowMs: now, log, patienceMs });
}

const ana = { entity: 'user', id: '1' } as const;

test('when something changed beside a win, then both sides of it are wanted by name, and its field', () => {
  const changes = [
    { field: 'status', from: 'open', to: 'won' },
    { field: 'stage_id', from: 11, to: 12 },
  ];

  const wanted = referencesOf(aChange('deal.won', { changes }), 'compact').map(({ entity, id }) => `${entity} ${id}`);

  expect(wanted).toEqual(expect.arrayContaining(['stage 11', 'stage 12', 'dealField stage_id']));
  expect(wanted).not.toContain('dealField status');
});

describe('gathering names', () => {
  it('when many messages of several tenants want names, the ledger is asked once and each tenant gets its own', async () => {
    const { store, queries } = aStore([
      aStoredName('user', '1', { name: 'Ana' }),
      aStoredName('user', '1', { name: 'Zoe' }, { tenantId: OTHER_TENANT }),
    ]);
    const { fetchRecord, asked } = aPipedrive(() => Promise.resolve(null));
    const gather = gatherer({ store, fetchRecord });

    const names = await gather([
      { tenantId: TENANT, references: [ana] },
      { tenantId: TENANT, references: [ana] },
      { tenantId: OTHER_TENANT, references: [ana] },
    ]);

    expect(queries).toEqual([2]);
    expect(asked).toEqual([]);
    expect(nameOf(names.get(TENANT) ?? NO_NAMES, 'user', 1)).toBe('Ana');
    expect(nameOf(names.get(OTHER_TENANT) ?? NO_NAMES, 'user', 1)).toBe('Zoe');
  });

  it('when a name is unknown, Pipedrive is asked and the answer is kept', async () => {
    const { store, rows } = aStore();
    const { fetchRecord, asked } = aPipedrive(() => Promise.resolve({ name: 'Ana' }));
    const gather = gatherer({ store, fetchRecord });

    const first = await gather([{ tenantId: TENANT, references: [ana] }]);
    await gather([{ tenantId: TENANT, references: [ana] }]);

    expect(nameOf(first.get(TENANT) ?? NO_NAMES, 'user', 1)).toBe('Ana');
    expect(asked).toHaveLength(1);
    expect(rows).toHaveLength(1);
  });

  it('when two messages want the same unknown name at once, one look-up serves both', async () => {
    const { store } = aStore();
    const { fetchRecord, asked } = aPipedrive(() => Promise.resolve({ name: 'Ana' }));
    const gather = gatherer({ store, fetchRecord });

    const both = await Promise.all([
      gather([{ tenantId: TENANT, references: [ana] }]),
      gather([{ tenantId: TENANT, references: [ana] }]),
    ]);

    expect(asked).toHaveLength(1);
    expect(both.map((names) => nameOf(names.get(TENANT) ?? NO_NAMES, 'user', 1))).toEqual(['Ana', 'Ana']);
  });

  it.each([
    ['has none', () => Promise.resolve(null)],
    ['fails', () => Promise.reject(new Error('429'))],
  ])('when Pipedrive %s, the name is missing and not asked for again for a minute', async (_, answer) => {
    let now = 0;
    const { store } = aStore();
    const { fetchRecord, asked } = aPipedrive(answer);
    const gather = gatherer({ store, fetchRecord, now: () => now });

    const names = await gather([{ tenantId: TENANT, references: [ana] }]);
    now = 59_000;
    await gather([{ tenantId: TENANT, references: [ana] }]);
    const askedWithinTheMinute = asked.length;
    now = 61_000;
    await gather([{ tenantId: TENANT, references: [ana] }]);

    expect(nameOf(names.get(TENANT) ?? NO_NAMES, 'user', 1)).toBeNull();
    expect(askedWithinTheMinute).toBe(1);
    expect(asked).toHaveLength(2);
  });

  it('when one look-up hangs, the others are not lost, and the next message does not wait for it', async () => {
    const { store } = aStore();
    const { fetchRecord } = aPipedrive((entity) =>
      entity === 'user' ? new Promise(() => undefined) : Promise.resolve({ name: 'Enterprise' }),
    );
    const gather = gatherer({ store, fetchRecord, patienceMs: 50 });
    const references = [ana, { entity: 'pipeline', id: '1' } as const];

    const first = await gather([{ tenantId: TENANT, references }]);
    const startedAt = performance.now();
    await gather([{ tenantId: TENANT, references }]);

    expect(performance.now() - startedAt).toBeLessThan(40);
    expect(nameOf(first.get(TENANT) ?? NO_NAMES, 'pipeline', 1)).toBe('Enterprise');
    expect(nameOf(first.get(TENANT) ?? NO_NAMES, 'user', 1)).toBeNull();
  });

  describe('while the Pipedrive of a tenant does not answer in time', () => {
    const SECOND_MS = 1_000;
    let now = 0;
    let isHanging = true;
    const user = (id: string) => [{ entity: 'user', id } as const];
    const aHangingPipedrive = () =>
      aPipedrive((_, id) => (isHanging ? new Promise(() => undefined) : Promise.resolve({ name: `User ${id}` })));
    beforeEach(() => {
      now = 0;
      isHanging = true;
    });

    it('its messages neither wait for it nor ask it, whatever names they want, and other tenants’ do', async () => {
      const { fetchRecord, asked } = aPipedrive((_, id) =>
        id.startsWith('9') ? Promise.resolve({ name: 'Zoe' }) : new Promise(() => undefined),
      );
      const gather = gatherer({ store: aStore().store, fetchRecord, now: () => now, patienceMs: 20 });

      await gather([{ tenantId: TENANT, references: user('1') }]);
      for (const id of ['2', '3', '4']) await gather([{ tenantId: TENANT, references: user(id) }]);
      const others = await gather([{ tenantId: OTHER_TENANT, references: user('9') }]);

      expect(asked).toEqual(['7/user:1', '8/user:9']);
      expect(nameOf(others.get(OTHER_TENANT) ?? NO_NAMES, 'user', 9)).toBe('Zoe');
    });

    it('one name that alone is slow keeps nobody from asking for others', async () => {
      const { fetchRecord } = aPipedrive((_, id) =>
        id === '1' ? new Promise(() => undefined) : Promise.resolve({ name: 'Zoe' }),
      );
      const gather = gatherer({ store: aStore().store, fetchRecord, now: () => now, patienceMs: 20 });

      await gather([{ tenantId: TENANT, references: [...user('1'), ...user('2')] }]);
      const names = await gather([{ tenantId: TENANT, references: user('3') }]);

      expect(nameOf(names.get(TENANT) ?? NO_NAMES, 'user', 3)).toBe('Zoe');
    });

    it('what is known is used, and not read again though it is old', async () => {
      const { fetchRecord, asked } = aHangingPipedrive();
      const { store } = aStore([aStoredName('user', '5', { name: 'Ana' })]);
      now = 25 * HOUR_MS;
      const gather = gatherer({ store, fetchRecord, now: () => now, patienceMs: 20 });

      await gather([{ tenantId: TENANT, references: user('1') }]);
      const names = await gather([{ tenantId: TENANT, references: user('5') }]);

      expect(nameOf(names.get(TENANT) ?? NO_NAMES, 'user', 5)).toBe('Ana');
      expect(asked).toEqual(['7/user:1']);
    });

    it('one message after a while tries for all, and rarer the longer it lasts, at last once a minute', async () => {
      const { fetchRecord, asked } = aHangingPipedrive();
      const gather = gatherer({ store: aStore().store, fetchRecord, now: () => now, patienceMs: 5 });
      await gather([{ tenantId: TENANT, references: user('1') }]);
      const triedAt: number[] = [];

      for (let seconds = 1; seconds <= 200; seconds += 1) {
        now = seconds * SECOND_MS;
        const before = asked.length;
        const two = [`1${seconds}`, `2${seconds}`].map((id) => gather([{ tenantId: TENANT, references: user(id) }]));
        await Promise.all(two);
        triedAt.push(...asked.slice(before).map(() => seconds));
      }

      expect(triedAt).toEqual([5, 15, 35, 75, 135, 195]);
    });

    it('it is asked as ever from the first try on that it answers, and both are told once', async () => {
      const { fetchRecord } = aHangingPipedrive();
      const told: string[] = [];
      const log = pino({}, { write: (line: string) => void told.push(JSON.parse(line).msg) });
      const gather = gatherer({ store: aStore().store, fetchRecord, now: () => now, patienceMs: 5, log });

      for (now of [0, 1, 2, 5].map((seconds) => seconds * SECOND_MS))
        await gather([{ tenantId: TENANT, references: user(`1${now}`) }]);
      isHanging = false;
      now = 15 * SECOND_MS;
      const tried = await gather([{ tenantId: TENANT, references: user('2') }]);
      const next = await gather([{ tenantId: TENANT, references: user('3') }]);

      expect(nameOf(tried.get(TENANT) ?? NO_NAMES, 'user', 2)).toBe('User 2');
      expect(nameOf(next.get(TENANT) ?? NO_NAMES, 'user', 3)).toBe('User 3');
      expect(told).toEqual([
        'pipedrive does not answer in time: messages go out with the names that are known',
        'pipedrive answers in time again',
      ]);
    });
  });

  it('when a name from the API is older than a day, it is used at once and read again behind', async () => {
    const { store } = aStore([aStoredName('user', '1', { name: 'Ana' })]);
    const { fetchRecord, asked } = aPipedrive(() => new Promise(() => undefined));
    const gather = gatherer({ store, fetchRecord, now: () => 25 * HOUR_MS });

    const names = await gather([{ tenantId: TENANT, references: [ana] }]);

    expect(nameOf(names.get(TENANT) ?? NO_NAMES, 'user', 1)).toBe('Ana');
    expect(asked).toEqual(['7/user:1']);
  });

  it('when an event wrote the name, it never grows stale', async () => {
    const { store } = aStore([aStoredName('user', '1', { name: 'Ana' }, { isFromApi: false })]);
    const { fetchRecord, asked } = aPipedrive(() => Promise.resolve(null));
    const gather = gatherer({ store, fetchRecord, now: () => 1_000 * HOUR_MS });

    await gather([{ tenantId: TENANT, references: [ana] }]);

    expect(asked).toEqual([]);
  });
});

describe('what a message refers to', () => {
  const keys = (...given: Parameters<typeof referencesOf>) => referencesOf(...given).map(({ entity, id }) => `${entity}:${id}`);

  it('when a card is compact, only what it shows is asked for', () => {
    expect(keys(aChange('deal.won'), 'compact')).toEqual(['user:1']);
    expect(keys(aChange('deal.stage_changed'), 'compact')).toEqual(['user:1', 'stage:11', 'stage:12', 'pipeline:1']);
  });

  it('when a card is detailed or has a text of its own, everything is', () => {
    const all = ['user:1', 'user:2', 'person:30', 'organization:40', 'stage:12', 'pipeline:1', 'dealField:label_ids'];

    expect(keys(aChange('deal.won'), 'detailed')).toEqual(all);
    expect(keys(aChange('deal.won'), 'compact', '{{ stage }}')).toEqual(all);
  });

  it('when an activity is told, its deal, contacts and type are asked for', () => {
    expect(keys(aChange('activity.completed'), 'compact')).toEqual([
      'user:1',
      'deal:8',
      'person:30',
      'organization:40',
      'activityType:call',
    ]);
  });

  it('when a type or field key is no key, it is not asked for', () => {
    expect(keys(aChange('activity.created', { state: { type: '../users?x=' } }), 'compact').join()).not.toContain('activityType');
  });
});
