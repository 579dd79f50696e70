/** The statements of the heartbeat, by the database's own clock. */

import type { Pool } from 'pg';

/** Several processes share a service: of those that come back together, one sees the gap. */
const BEAT = `
  UPDATE heartbeats SET beat_at = clock_timestamp()
    FROM (SELECT service, beat_at FROM heartbeats WHERE service = $1 FOR UPDATE) before
   WHERE heartbeats.service = before.service
  RETURNING (extract(epoch FROM clock_timestamp() - before.beat_at) * 1000)::float8 AS gap_ms`;
const FIRST_BEAT = 'INSERT INTO heartbeats (service, beat_at) VALUES ($1, clock_timestamp()) ON CONFLICT DO NOTHING';

/** Makes the writing of one sign of life of a service; see `Heartbeat`. */
export function makeBeat(pool: Pool, service: string): () => Promise<number | null> {
  return async () => {
    const { rows } = await pool.query<{ gap_ms: number }>(BEAT, [service]);
    if (rows[0] === undefined) await pool.query(FIRST_BEAT, [service]);
    return rows[0]?.gap_ms ?? null;
  };
}
