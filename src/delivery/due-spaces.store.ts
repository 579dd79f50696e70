/** Which spaces have something to send, written down where the sender looks: it reads those alone, and never the backlog. */

import type { Database } from '../platform/database';

/** Returns the spaces that somebody else holds. Nobody is waited for, so nobody can be waited for in a circle. */
const mark = (spaces: string, isLate: string): string => `
  ${spaces}, owed AS MATERIALIZED (
    SELECT g.space_id, first.due_at FROM spaces s
      CROSS JOIN LATERAL (SELECT d.not_before AS due_at FROM deliveries d WHERE d.state IN ('queued', 'sending') AND d.space_id = s.space_id
                           ORDER BY d.not_before LIMIT 1) first
      JOIN google_spaces g ON g.space_id = s.space_id AND ${isLate}
  ), free AS MATERIALIZED (
    SELECT g.space_id FROM owed JOIN google_spaces g ON g.space_id = owed.space_id FOR UPDATE OF g SKIP LOCKED
  ), marked AS (
    UPDATE google_spaces g SET due_at = least(g.due_at, owed.due_at), is_waiting = true, marks = g.marks + 1
      FROM owed JOIN free ON free.space_id = owed.space_id WHERE g.space_id = owed.space_id
  )
  SELECT space_id FROM owed WHERE space_id NOT IN (SELECT space_id FROM free)`;

const MARK = mark('WITH spaces AS (SELECT unnest($1::text[]) AS space_id)', 'true');

/** A loose index scan: one look-up per space that has something to send, however much there is. */
const MARK_FORGOTTEN = mark(
  `WITH RECURSIVE spaces AS (
    (SELECT space_id FROM deliveries WHERE state IN ('queued', 'sending') ORDER BY space_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.space_id FROM deliveries d WHERE d.state IN ('queued', 'sending') AND d.space_id > s.space_id
             ORDER BY d.space_id LIMIT 1)
      FROM spaces s WHERE s.space_id IS NOT NULL
  )`,
  'coalesce(g.due_at > first.due_at, true)',
);

export interface DueSpaces {
  /** These spaces were given messages, in a transaction that is committed. Gives those that were busy and are not marked. */
  mark(spaceIds: readonly string[]): Promise<readonly string[]>;
  /** Finds every space that has messages nobody marked: those let go by people, and those of a process that was killed. */
  markForgotten(): Promise<void>;
}

/** Makes the store. */
export function makeDueSpaces({ pool, keyed }: Pick<Database, 'pool' | 'keyed'>): DueSpaces {
  return {
    async mark(spaceIds) {
      const { rows } = await keyed.query<{ space_id: string }>({ name: 'mark-spaces', text: MARK, values: [spaceIds] });
      return rows.map((row) => row.space_id);
    },
    async markForgotten() {
      await pool.query(MARK_FORGOTTEN);
    },
  };
}
