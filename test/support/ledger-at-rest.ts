/** Knows when nothing is under way any more, so that a test can say "nothing arrives" without waiting for luck. */

import type { Pool } from 'pg';
import { waitUntil } from './wait-until';

const UNFINISHED = `
  SELECT (SELECT count(*) FROM events WHERE routed_at IS NULL)::int AS events,
         (SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending'))::int AS deliveries`;

/** Resolves when every webhook has been posted, every event is routed and no message is queued or being sent. */
export async function ledgerAtRest(
  world: { pipedrive: { idle(): Promise<void> } },
  pool: Pool,
  timeoutMs?: number,
): Promise<void> {
  await world.pipedrive.idle();
  await waitUntil('events routed and messages sent', async () => (await unfinished(pool)) === 0, timeoutMs);
}

async function unfinished(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ events: number; deliveries: number }>(UNFINISHED);
  return (rows[0]?.events ?? 0) + (rows[0]?.deliveries ?? 0);
}
