/** Which spaces have something to send, written down where the sender looks: it reads those alone, and never the backlog. */

import type { Pool } from 'pg';

const FIRST_DUE = `
  SELECT d.not_before FROM deliveries d WHERE d.state IN ('queued', 'sending') AND d.space_id = s.space_id ORDER BY d.not_before LIMIT 1`;

/** Locked in one order, so that two who mark the same spaces never wait for each other in a circle. */
const mark = (spaces: string, isLate: string): string => `
  ${spaces}, owed AS MATERIALIZED (
    SELECT s.space_id, (${FIRST_DUE}) AS due_at FROM spaces s WHERE s.space_id IS NOT NULL
  ), locked AS MATERIALIZED (
    SELECT g.space_id, owed.due_at FROM owed JOIN google_spaces g ON g.space_id = owed.space_id
     WHERE owed.due_at IS NOT NULL AND ${isLate} ORDER BY g.space_id FOR UPDATE OF g
  )
  UPDATE google_spaces g SET due_at = least(g.due_at, locked.due_at), is_waiting = true, marks = g.marks + 1
    FROM locked WHERE g.space_id = locked.space_id`;

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
  'coalesce(g.due_at > owed.due_at, true)',
);

export interface DueSpaces {
  /** These spaces were given messages, in a transaction that is committed. */
  mark(spaceIds: readonly string[]): Promise<void>;
  /** Finds every space that has messages nobody marked: those let go by people, and those of a process that was killed. */
  markForgotten(): Promise<void>;
}

/** Makes the store. */
export function makeDueSpaces(pool: Pool): DueSpaces {
  return {
    async mark(spaceIds) {
      await pool.query({ name: 'mark-spaces', text: MARK, values: [spaceIds] });
    },
    async markForgotten() {
      await pool.query(MARK_FORGOTTEN);
    },
  };
}
