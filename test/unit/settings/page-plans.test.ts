/** What the pages of rules and activity read where another company has newer rows than the statistics know of. */

import { findEvents, LOOKED_THROUGH, newestEventIds } from '../../../src/settings/activity.store';
import { lastSentByRule, LOOKED_AT } from '../../../src/settings/rules.store';
import { addTenant } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';
import { readingMore, usePlans } from '../../support/use-plans';

const OWN = 5_000;
const OTHERS = 20_000;
const SHOWN = 20;
const ANYTHING = { deals: null, ruleId: null, status: null, beforeId: null, known: [], limit: SHOWN } as const;

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const openPlanned = usePlans(testDatabase);
const { query } = ledger;

async function addTold(tenantId: number, count: number): Promise<void> {
  await query(
    `WITH told AS (
       INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, payload, routed_at, decisions)
       SELECT $1, 'deal', n::text, 'change', n::text, now(), '{}', now(), '[]' FROM generate_series(1, $2::int) n RETURNING id, entity_id
     ) INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                               template_mode, not_before, request_id, state, finished_at)
       SELECT $1, id, 1, 1, 'A', 'deal', entity_id, '{}', '{}', now(), 'compact', now(), gen_random_uuid(), 'sent', now() FROM told`,
    ...[tenantId, count],
  );
}

test.each(['of its own time', 'as of now'])(
  'when all newer rows are of another company, then those are not read (statistics: %s)',
  async (statistics) => {
    for (const table of ['events', 'deliveries']) await query(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`);
    await addTold(ledger.tenant, OWN);
    if (statistics === 'of its own time') await query('ANALYZE events, deliveries');
    await addTold(await addTenant(testDatabase.database), OTHERS);
    if (statistics === 'as of now') await query('ANALYZE events, deliveries');
    const planned = await openPlanned();
    if (planned === null) return;
    const { database, take } = planned;

    const lastSent = await lastSentByRule(database, ledger.tenant);
    const readForRules = readingMore(take(), 'deliveries', LOOKED_AT);
    const found = await findEvents(database.pool, ledger.tenant, ANYTHING);
    const readForActivity = readingMore(take(), 'events', LOOKED_THROUGH);
    const newest = await newestEventIds(database.pool, ledger.tenant, SHOWN);
    const readForNews = readingMore(take(), 'events', SHOWN);

    expect([...lastSent.keys()]).toEqual([1]);
    expect(found.ids).toEqual(newest);
    expect(newest).toHaveLength(SHOWN);
    expect([readForRules, readForActivity, readForNews]).toEqual([[], [], []]);
  },
);
