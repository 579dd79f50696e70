/** Rows of the ledger for tests of single stores: a company of its own for each test, and of a row only what the test speaks of. */

import { randomUUID } from 'node:crypto';
import type { QueryResult } from 'pg';
import type { TenantId } from '../../src/core/tenant';
import { addTenant } from './tenant-row';
import type { TestDatabase } from './test-database';
import { waitUntil } from './wait-until';

/** By the names of the columns. */
type Columns = Readonly<Record<string, unknown>>;

export interface UsedLedger {
  readonly tenant: TenantId;
  query(sql: string, ...values: readonly unknown[]): Promise<QueryResult>;
  /** Destination 1, "Wins" in space A, unless said otherwise. */
  addDestination(columns?: Columns): Promise<void>;
  /** Owed to destination 1 by rule 1: a deal that was won, of its own where the delivery has an id. */
  addDelivery(columns?: Columns): Promise<void>;
  /** For each `n` from `first` to `last` one more like delivery `of`, of an event and a record of its own: `changes` are expressions over `n`, by columns. */
  addMany(of: number, first: number, last: number, changes?: Readonly<Record<string, string>>): Promise<void>;
  /** Until a statement waits for a lock of another. */
  untilLocked(): Promise<void>;
}

/** Call it at the top of a test file: it registers its own hooks, and empties the ledger before each test. */
export function useLedger(testDatabase: TestDatabase): UsedLedger {
  let tenant: TenantId | undefined;
  beforeEach(async () => {
    await testDatabase.clear();
    tenant = await addTenant(testDatabase.database);
  });
  const ledger: UsedLedger = {
    get tenant() {
      if (tenant === undefined) throw new Error('the company is there from beforeEach on');
      return tenant;
    },
    query: (sql, ...values) => testDatabase.database.pool.query(sql, [...values]),
    async addDestination(columns = {}) {
      const named = { id: 1, name: 'Wins', space_id: 'A', ...columns };
      const sealed = { sealed_credentials: 'sealed', credentials_digest: Buffer.from(named.name), updated_at: new Date() };
      await insert('chat_webhooks', { tenant_id: ledger.tenant, ...sealed, ...named });
    },
    async addDelivery(columns = {}) {
      const numbered = { event_id: 1, ...('id' in columns ? { event_id: columns['id'] } : {}), ...columns };
      const now = new Date();
      await insert('deliveries', {
        ...{ tenant_id: ledger.tenant, rule_id: 1, chat_webhook_id: 1, space_id: 'A', request_id: randomUUID() },
        ...{
          entity: 'deal',
          entity_id: String(numbered.event_id),
          transition: '{"type": "deal.won", "changes": []}',
          record: '{}',
        },
        ...{ occurred_at: now, not_before: now, template_mode: 'compact', state: 'queued' },
        ...numbered,
      });
    },
    async addMany(of, first, last, changes = {}) {
      const changed = { id: 'n', event_id: 'n', entity_id: 'n::text', ...changes };
      const pairs = Object.entries(changed).flatMap(([column, value]) => [`'${column}'`, value]);
      // The function in FROM runs once a row: as a column whose fields are taken, it would run once for each of these.
      await ledger.query(
        `INSERT INTO deliveries SELECT made.* FROM deliveries d, generate_series($2::int, $3::int) n,
                jsonb_populate_record(d, jsonb_build_object(${pairs.join(', ')})) made WHERE d.id = $1`,
        ...[of, first, last],
      );
    },
    untilLocked: () =>
      waitUntil('a statement waits for a lock', async () => {
        const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        return (await ledger.query(waiting)).rows.length > 0;
      }),
  };
  return ledger;

  async function insert(table: string, columns: Columns): Promise<void> {
    const places = Object.keys(columns).map((_, at) => `$${at + 1}`);
    await ledger.query(
      `INSERT INTO ${table} (${Object.keys(columns).join(', ')}) VALUES (${places.join(', ')})`,
      ...Object.values(columns),
    );
  }
}
