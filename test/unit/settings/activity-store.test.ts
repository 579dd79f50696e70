/** Looking for events: by a part of a title however long ago, by watches, and what is new since a page was opened. */

import type { TenantId } from '../../../src/core/tenant';
import { findEvents, isKnownId, LOOKED_THROUGH, MOST_KNOWN, type ActivityQuery } from '../../../src/settings/activity.store';
import { useTestDatabase } from '../../support/test-database';
import { addTenant } from '../../support/tenant-row';

const testDatabase = useTestDatabase();
let tenantId: TenantId;

beforeEach(async () => {
  tenantId = await addTenant(testDatabase.database);
});

const query = (sql: string, values: unknown[]) => testDatabase.database.pool.query(sql, values);

/** Deals `from` to `to`, each with one event, in this order. */
async function addDeals(from: number, to: number, title: string, decisions: object[] = []): Promise<void> {
  await query(
    `INSERT INTO records (tenant_id, entity, entity_id, state)
     SELECT $1, 'deal', n::text, jsonb_build_object('title', $4::text || ' ' || n) FROM generate_series($2::int, $3::int) n`,
    [tenantId, from, to, title],
  );
  await query(
    `INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, payload, routed_at, decisions)
     SELECT $1, 'deal', d.n::text, 'change', gen_random_uuid(), now(), '{}', now(), $4 FROM generate_series($2::int, $3::int) AS d(n) ORDER BY d.n + 0`,
    [tenantId, from, to, JSON.stringify(decisions)],
  );
}

async function found(given: Partial<ActivityQuery>) {
  const { pool } = testDatabase.database;
  const usual = { deals: null, ruleId: null, status: null, beforeId: null, known: [], limit: 20 };
  const { ids, ...rest } = await findEvents(pool, tenantId, { ...usual, ...given });
  const { rows } = await query('SELECT id, entity_id FROM events WHERE id = ANY ($1::bigint[])', [ids]);
  const dealOf = new Map(rows.map((row) => [Number(row.id), Number(row.entity_id)]));
  return { deals: ids.map((id) => dealOf.get(id)), ...rest };
}

test('when a title is looked for of which the events are long ago, then they are found at once, whatever its case', async () => {
  await addDeals(1, 2, 'Übersee-Fracht 50%');
  await addDeals(11, 10 + LOOKED_THROUGH + 1, 'Other');

  const whole = await found({ deals: { title: 'übersee-FRACHT 50% 1' } });
  const part = await found({ deals: { title: 'fracht 50%' } });
  const none = await found({ deals: { title: 'fracht 5_%' } });

  expect(whole).toMatchObject({ deals: [1], isCutShort: false, nextBefore: null });
  expect(part.deals).toEqual([2, 1]);
  expect(none).toMatchObject({ deals: [], isCutShort: false });
});

test('when more deals have such a title than can be asked for by name, then the newest events are looked through for them', async () => {
  await addDeals(1, 300, 'Roof');
  await addDeals(1001, 1010, 'Other');

  const newest = await found({ deals: { title: 'roof' } });
  const older = await found({ deals: { title: 'roof' }, beforeId: newest.nextBefore });

  expect(newest.deals).toEqual(Array.from({ length: 20 }, (_, index) => 300 - index));
  expect(older.deals[0]).toBe(280);
});

test('when watches are asked for, then what one of them decided on is found, alone or with others', async () => {
  await addDeals(1, 1, 'Told', [
    { ruleId: 4, matched: false, code: 'noValue' },
    { ruleId: -7, matched: true, code: 'matched' },
  ]);
  await addDeals(2, 2, 'Silent', [{ ruleIds: [4, -7], matched: false, code: 'settled' }]);
  await addDeals(3, 3, 'By rules', [{ ruleIds: [4, 7], matched: false, code: 'noValue' }]);
  await addDeals(4, 4, 'By nobody');
  await query(
    `INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                             template_mode, state, not_before, request_id)
     SELECT $1, id, -7, 1, 'A', 'deal', '1', '{"type":"deal.won"}', '{}', now(), 'compact', 'failed', now(), gen_random_uuid()
       FROM events WHERE tenant_id = $1 AND entity_id = '1'`,
    [tenantId],
  );

  expect((await found({ ruleId: 'watches' })).deals).toEqual([2, 1]);
  expect((await found({ ruleId: 'watches', status: 'failed' })).deals).toEqual([1]);
  expect((await found({ ruleId: 'watches', status: 'silent' })).deals).toEqual([2]);
  expect((await found({ ruleId: 7 })).deals).toEqual([3]);
});

test('when news are asked for, then only what came after is found, by the same filter', async () => {
  await addDeals(1, 3, 'Roof');
  const { newestIds: known } = await found({});
  await addDeals(4, 4, 'Roof');
  await addDeals(5, 5, 'Mill');

  expect((await found({ known })).deals).toEqual([5, 4]);
  expect((await found({ known, deals: { title: 'roof' } })).deals).toEqual([4]);
  expect((await found({ known, deals: { id: '5' } })).deals).toEqual([5]);
  expect((await found({ known, status: 'failed' })).deals).toEqual([]);
});

test('when an event becomes visible behind a newer one that is known, then it is news all the same', async () => {
  await addDeals(1, MOST_KNOWN + 5, 'Roof');
  const { newestIds } = await found({});
  const [late = 0] = newestIds.slice(3);

  const known = newestIds.filter((id) => id !== late);
  const { deals } = await found({ known: [...known, Math.min(...known) - 1] });

  expect(deals).toEqual([MOST_KNOWN + 5 - 3]);
});

test('when an id is typed, then it is one only where something came in about it', async () => {
  await addDeals(77, 77, 'Roof');

  const { pool } = testDatabase.database;

  expect([await isKnownId(pool, tenantId, '77'), await isKnownId(pool, tenantId, '78')]).toEqual([true, false]);
});
