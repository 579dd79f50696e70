/** A message of several that never went has told none of them: what it was to tell ends as it did, with the reason. */

import type { Pool } from 'pg';
import { z } from 'zod';

/**
 * Of the messages of several that were given up since a moment ($1), and are none of those ($2), the next so many ($3). What is written in a
 * transaction that began a little earlier counts as well. Each is asked for its own: joined, all that was ever told by another might be read.
 */
const FAIL_UNTOLD = `
  WITH leads AS MATERIALIZED (
    SELECT id, state, state_reason, finished_at FROM deliveries
     WHERE fold_kind IS NOT NULL AND state IN ('failed', 'dropped') AND finished_at > $1::timestamptz - interval '1 minute' AND id <> ALL ($2::bigint[])
     ORDER BY finished_at LIMIT $3
  ), failed AS (
    UPDATE deliveries d SET state = leads.state, finished_at = now(),
           state_reason = 'The message that was to tell it did not go: ' || coalesce(leads.state_reason, 'no reason is known.')
      FROM leads CROSS JOIN LATERAL (
             SELECT m.id FROM deliveries m WHERE m.folded_into = leads.id AND coalesce(m.state, '') = 'folded' OFFSET 0) untold
     WHERE d.id = untold.id AND coalesce(d.state, '') = 'folded'
  )
  SELECT id::float8 AS id, finished_at AS at FROM leads ORDER BY finished_at`;

const LEADS_AT_ONCE = 20;
/** After so many rounds it begins anew: a clock may have been set back. An hour or so. */
const ROUNDS_OF_A_PASS = 1_800;
const KEPT_MS = 2 * 60_000;
const BEGINNING = new Date(0);

const leadRow = z.object({ id: z.number(), at: z.date() });

/** Makes one round of it. Each process has its own progress: what it has seen to is looked at once in an hour. */
export function makeFailUntold(pool: Pick<Pool, 'query'>): () => Promise<void> {
  let until = BEGINNING;
  let seen = new Map<number, Date>();
  let round = 0;

  return async () => {
    if (round % ROUNDS_OF_A_PASS === 0) {
      until = BEGINNING;
      seen = new Map();
    }
    round += 1;
    const { rows } = await pool.query(FAIL_UNTOLD, [until, [...seen.keys()], LEADS_AT_ONCE]);
    for (const { id, at } of rows.map((row) => leadRow.parse(row))) {
      seen.set(id, at);
      if (at > until) until = at;
    }
    seen = new Map([...seen].filter(([, at]) => until.getTime() - at.getTime() < KEPT_MS));
  };
}
