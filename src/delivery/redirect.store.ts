/** Gives what a broken destination holds to its fallback: what is new at once, and of the rest, which the fallback may be told anyhow, a part in each round. */

import { z } from 'zod';
import { isUnfinished } from '../core/unfinished.store';
import { ANEW, IS_MIXED, isToldAnyhow, STAYS } from './come-apart.store';
import { isEarlier } from './earlier.store';
import { IS_URGENT, LET_GO } from './let-go.store';

const CAN_GIVE = `w.health = 'broken' AND NOT w.paused AND f.health <> 'broken' AND NOT f.paused`;
const FALLBACKS = `chat_webhooks w JOIN chat_webhooks f ON f.id = w.fallback_webhook_id AND f.tenant_id = w.tenant_id`;

/** Broken destinations and the fallbacks that can take what they hold. */
const WAYS = `SELECT w.id, f.id AS fallback_id FROM ${FALLBACKS} WHERE ${CAN_GIVE} ORDER BY w.id`;

/**
 * Of what each destination ($1) holds, the next so many ($4) after one message ($2) and up to another ($3). One hop, never further: what goes to a
 * fallback is held there if that does not work either. A rule that tells the fallback anyhow has told it; what its own destination may
 * have posted already is not told twice. What is not urgent waits for an earlier one about its record that is not held yet, or waits for
 * the end of quiet hours: that one follows.
 */
const REDIRECT = `
  WITH ways AS MATERIALIZED (
    SELECT w.id, part.after, part.up_to, f.id AS fallback_id, f.space_id
      FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS part(id, after, up_to) JOIN (${FALLBACKS}) ON w.id = part.id WHERE ${CAN_GIVE}
  ), looked AS MATERIALIZED (
    SELECT held.*, ways.fallback_id FROM ways CROSS JOIN LATERAL (
      SELECT d.id, d.chat_webhook_id, d.tenant_id, d.event_id, d.rule_id, d.replay, d.entity, d.entity_id, d.fold_kind, d.held_because, d.via_webhook_id, d.uncertain
        FROM deliveries d WHERE d.chat_webhook_id = ways.id AND d.state = 'held' AND d.id > ways.after AND d.id <= ways.up_to ORDER BY d.id LIMIT $4) held
  ), given AS MATERIALIZED (
    SELECT d.id, d.fallback_id FROM looked d CROSS JOIN LATERAL (SELECT d.fallback_id AS id) f
     WHERE d.held_because = 'broken' AND d.via_webhook_id IS NULL AND d.uncertain = 0
       AND ${STAYS} AND ${IS_MIXED} IS NOT TRUE AND NOT ${isToldAnyhow('d')}
       AND (${IS_URGENT} OR (SELECT e.id FROM deliveries e
                            WHERE ${isEarlier('e', 'd')}
                              AND ${isUnfinished('e')} AND (e.state <> 'held' OR e.held_for = 'quiet')
                              AND e.chat_webhook_id = d.chat_webhook_id AND e.via_webhook_id IS NULL LIMIT 1) IS NULL)
  ), gone AS (
    UPDATE deliveries d SET ${LET_GO}, via_webhook_id = ways.fallback_id, space_id = ways.space_id, ${ANEW}
      FROM given JOIN ways ON ways.fallback_id = given.fallback_id
     WHERE d.id = given.id AND ways.id = d.chat_webhook_id
       AND coalesce(d.state, '') = 'held' AND d.held_because = 'broken' AND d.via_webhook_id IS NULL AND d.uncertain = 0
    RETURNING d.chat_webhook_id
  )
  SELECT looked.chat_webhook_id AS id, count(*)::int AS looked, max(looked.id)::float8 AS last,
         (SELECT count(*) FROM gone WHERE gone.chat_webhook_id = looked.chat_webhook_id)::int AS given
    FROM looked GROUP BY looked.chat_webhook_id`;

/** So many are looked at in a round, of all destinations together; of each at least the other number. */
const LOOKED_AT_ONCE = 1_000;
const LEAST_OF_EACH = 50;
/** While something can be given away, so often more in a round. */
const MOST_LOOKS = 50;
const LAST_ID = '9223372036854775807';

const wayRow = z.object({ id: z.number(), fallback_id: z.number() });
const lookedRow = z.object({ id: z.number(), looked: z.number(), last: z.number(), given: z.number() });

/** How far the messages of a destination were looked at, for its present fallback. */
interface Progress {
  readonly id: number;
  /** The newest that was looked at. */
  newest: number;
  /** Where the next part of the older ones begins. */
  next: number;
}

type Part = readonly [progress: Progress, after: number, upTo: number | typeof LAST_ID];

/** Makes one round of it. Each process has its own progress, and begins anew when it starts or when a fallback is another one, or can take messages again. */
export function makeRedirect(pool: {
  query(statement: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}): () => Promise<void> {
  let known = new Map<string, Progress>();

  /** Looks at a part of each; gives those of which more is to be looked at. */
  async function look(parts: readonly Part[], limit: number): Promise<ReadonlyMap<number, z.infer<typeof lookedRow>>> {
    if (parts.length === 0) return new Map();
    const values = [parts.map(([{ id }]) => id), parts.map(([, after]) => after), parts.map(([, , upTo]) => upTo), limit];
    const { rows } = await pool.query(REDIRECT, values);
    return new Map(rows.map((row) => lookedRow.parse(row)).map((looked) => [looked.id, looked]));
  }

  async function lookAtNew(ways: readonly Progress[], limit: number): Promise<void> {
    let wanted = ways;
    for (let looks = 0; looks < MOST_LOOKS && wanted.length > 0; looks += 1) {
      const found = await look(
        wanted.map((way) => [way, way.newest, LAST_ID]),
        limit,
      );
      for (const way of wanted) way.newest = Math.max(way.newest, found.get(way.id)?.last ?? 0);
      wanted = wanted.filter(({ id }) => hasMore(found.get(id), limit));
    }
  }

  /** What could not be given away may be by now. */
  async function lookAgain(ways: readonly Progress[], limit: number): Promise<void> {
    const found = await look(
      ways.map((way) => [way, way.next, way.newest]),
      limit,
    );
    for (const way of ways) {
      const part = found.get(way.id);
      way.next = part !== undefined && part.looked === limit ? part.last : 0;
    }
  }

  return async () => {
    const rows = (await pool.query(WAYS)).rows.map((row) => wayRow.parse(row));
    const before = known;
    known = new Map(
      rows.map(({ id, fallback_id }) => {
        const key = `${id}/${fallback_id}`;
        return [key, before.get(key) ?? { id, newest: 0, next: 0 }];
      }),
    );
    const ways = [...known.values()];
    const limit = Math.max(LEAST_OF_EACH, Math.floor(LOOKED_AT_ONCE / Math.max(1, ways.length)));
    // First: what was just looked at is none of the older ones.
    await lookAgain(ways, limit);
    await lookAtNew(ways, limit);
  };
}

/** Where nothing was given away the rest has time until the next round. */
function hasMore(found: z.infer<typeof lookedRow> | undefined, limit: number): boolean {
  return found !== undefined && found.looked === limit && found.given > 0;
}
