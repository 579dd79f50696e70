/** For tests of single stores: a database whose statements are read with the plans by which they ran. */

import { openDatabase, type Database } from '../../src/platform/database';
import { logPlans, type ExecutedPlan, type PlanLog } from './executed-plans';
import type { TestDatabase } from './test-database';

export interface PlannedDatabase {
  /** Of one connection for each of its pools. */
  readonly database: Database;
  /** Of all statements that ended since the last call. */
  take(): readonly ExecutedPlan[];
}

/**
 * Call it at the top of a test file, below `useTestDatabase`: it registers its own hooks. What it gives opens the test's database once more,
 * until the end of the test; null where plans cannot be read.
 */
export function usePlans(testDatabase: TestDatabase): () => Promise<PlannedDatabase | null> {
  let log: PlanLog | null = null;
  let database: Database | null = null;
  afterEach(async () => {
    await database?.close();
    database = null;
  });
  return async () => {
    const { connectionString } = testDatabase;
    log ??= await logPlans(connectionString);
    if (log === null) return null;
    database = openDatabase({ connectionString, log: { warn: () => undefined }, poolSize: 1 });
    log.take();
    return { database, take: log.take };
  };
}

/** Rows of a table that each of these statements read. */
export function rowsRead(plans: readonly ExecutedPlan[], table: string): readonly number[] {
  return plans.map(({ nodes }) =>
    nodes.filter(({ relation }) => relation === table).reduce((sum, node) => sum + node.rowsRead, 0),
  );
}

/** Those of these statements that read more than so many rows of a table in one step. */
export function readingMore(plans: readonly ExecutedPlan[], table: string, few: number): readonly string[] {
  return plans
    .filter(({ nodes }) => nodes.some((node) => node.relation === table && node.rowsRead > few))
    .map(({ statement }) => statement);
}
