/** The statement of the heartbeat, by the database's own clock. */

import type { Pool } from 'pg';

/** Several processes share a service: of those that come back together, one sees the gap. */
const BEAT = `
  WITH before AS (SELECT beat_at FROM heartbeats WHERE service = $1 FOR UPDATE)
  INSERT INTO heartbeats (service, beat_at) VALUES ($1, clock_timestamp())
  ON CONFLICT (service) DO UPDATE SET beat_at = excluded.beat_at
  RETURNING (SELECT extract(epoch FROM clock_timestamp() - beat_at) * 1000 FROM before)::float8 AS gap_ms`;

/** Makes the writing of one sign of life of a service; see `Heartbeat`. */
export function makeBeat(pool: Pool, service: string): () => Promise<number | null> {
  return async () => {
    const { rows } = await pool.query<{ gap_ms: number | null }>(BEAT, [service]);
    return rows[0]?.gap_ms ?? null;
  };
}
