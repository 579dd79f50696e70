/** Drops what is held for too long, by a clock that may jump; a part of all that is held in each round. */

import { z } from 'zod';
import { isUnfinished } from '../core/unfinished.store';
import { USUAL_HOLD_HOURS } from './retry-policy';

/** Why a message is held of which nobody can read when it is to be told. */
export const UNREADABLE = 'This version of Dealbell cannot read when it is to be told; it is tried again.';

/** How the reasons begin of what is dropped here, against the team's wish; all else that is dropped is left out as it wants. */
const HELD_TOO_LONG = 'Held for more than ';
const UNREADABLE_TOO_LONG = 'Dealbell could not read for ';

/** Whether a dropped message was given up, by the reason of it or of the message that was to tell it (fail-untold.store.ts). */
export const isGivenUp = (reason: string): string =>
  `(coalesce(${reason}, '') LIKE '%${HELD_TOO_LONG}%' OR coalesce(${reason}, '') LIKE '%${UNREADABLE_TOO_LONG}%')`;

/** What no round looked at for longer is taken for a clock that jumped, or for a time in which nobody could have sent anything. */
const LONGEST_LOOK = `interval '1 hour'`;
const FIRST_LOOK = `INSERT INTO heartbeats (service, beat_at) VALUES ('expiry', now()) ON CONFLICT DO NOTHING`;

/**
 * The time that really passed is the database's clock between two looks, of which one that comes much later than the last counts as an hour, and one
 * that comes before it as nothing. What such a clock is off by is laid on the times since when messages wait that were written by it before,
 * so that they are right after a jump and after the jump back; and so is, beside them, since when those are held that were tried before: what
 * was held since the jump is so since a moment ago. Of several workers one sees the jump.
 */
const LOOK = `
  WITH looked AS (
    UPDATE heartbeats h SET beat_at = now()
      FROM (SELECT service, beat_at FROM heartbeats WHERE service = 'expiry' FOR UPDATE) last
     WHERE h.service = last.service RETURNING last.beat_at, now() - last.beat_at AS passed
  ), clock AS MATERIALIZED (
    SELECT beat_at, CASE WHEN passed < interval '-1 minute' THEN passed ELSE greatest(passed - ${LONGEST_LOOK}, interval '0') END AS jump
      FROM looked
  )
  UPDATE deliveries SET waiting_since = waiting_since + (SELECT jump FROM clock),
         not_before = CASE WHEN state = 'held' AND held_for IS NOT NULL THEN least(not_before + (SELECT jump FROM clock), now()) ELSE not_before END
   WHERE id = ANY (ARRAY(SELECT waits.id FROM clock CROSS JOIN LATERAL (
     SELECT d.id FROM deliveries d
      WHERE ${isUnfinished('d')}
        AND CASE WHEN clock.jump < interval '0' THEN d.waiting_since > now() ELSE d.waiting_since < clock.beat_at + ${LONGEST_LOOK} END
     OFFSET 0) waits WHERE clock.jump <> interval '0'))`;

/** No jump has come that the times since when messages wait were not righted for. */
export const IS_CLOCK_RIGHT = `
  EXISTS (SELECT FROM heartbeats h WHERE h.service = 'expiry' AND h.beat_at BETWEEN now() - ${LONGEST_LOOK} AND now() + interval '1 minute')`;

/** Nothing that this version knows would ever let it go. */
const IS_LOST = `(d.held_because IS NULL AND (d.held_for IS NULL OR d.held_until IS NULL))`;
/** What waits for its time has no limit, unless nobody can read that. */
const IS_LIMITED = `(d.held_because IS NOT NULL OR d.state_reason = '${UNREADABLE}' OR ${IS_LOST})`;
const isOver = (hours: string): string => `${IS_LIMITED} AND d.waiting_since < now() - ${hours} * interval '1 hour'`;
const HOURS = `over.hold_hours || CASE over.hold_hours WHEN 1 THEN ' hour' ELSE ' hours' END`;
const IS_NEWLY_LOST = `${IS_LOST} AND (d.waiting_since IS NULL OR d.state_reason IS DISTINCT FROM '${UNREADABLE}')`;

/** Of what is held the next so many ($3), after a destination ($1) and a message of it ($2). Gives the last of them. */
const EXPIRE = `
  WITH looked AS MATERIALIZED (
    SELECT d.id, d.chat_webhook_id, d.held_because, d.held_for, d.held_until, d.state_reason, d.waiting_since FROM deliveries d
     WHERE d.state = 'held' AND (d.chat_webhook_id, d.id) > ($1::int, $2::bigint) ORDER BY d.chat_webhook_id, d.id LIMIT $3
  ), over AS MATERIALIZED (
    SELECT d.id, w.hold_hours FROM looked d
     CROSS JOIN LATERAL (SELECT coalesce((SELECT hold_hours FROM chat_webhooks WHERE id = d.chat_webhook_id), ${String(USUAL_HOLD_HOURS)}) AS hold_hours) w
     WHERE ${IS_CLOCK_RIGHT} AND (${isOver('w.hold_hours')} OR ${IS_NEWLY_LOST})
  ), written AS (
    UPDATE deliveries d SET waiting_since = coalesce(d.waiting_since, now()), state_reason = CASE
             WHEN NOT coalesce(${isOver('over.hold_hours')}, false) THEN '${UNREADABLE}'
             WHEN d.held_because IS NULL THEN '${UNREADABLE_TOO_LONG}' || ${HOURS} || ' when it was to be told.'
             ELSE '${HELD_TOO_LONG}' || ${HOURS} || '. ' || coalesce(d.state_reason, '') END,
           state = CASE WHEN ${isOver('over.hold_hours')} THEN 'dropped' ELSE d.state END,
           finished_at = CASE WHEN ${isOver('over.hold_hours')} THEN now() END,
           held_because = CASE WHEN NOT coalesce(${isOver('over.hold_hours')}, false) THEN d.held_because END
      FROM over WHERE d.id = over.id AND coalesce(d.state, '') = 'held' AND (${isOver('over.hold_hours')} OR ${IS_NEWLY_LOST})
    RETURNING d.id
  )
  SELECT last.chat_webhook_id AS destination, last.id::float8 AS id, (SELECT count(*) FROM looked)::int AS looked, (SELECT count(*) FROM written)::int AS written
    FROM looked last ORDER BY last.chat_webhook_id DESC, last.id DESC LIMIT 1`;

/** So many are looked at in a round: of 100,000 each comes to its turn within seven minutes. */
const LOOKED_AT_ONCE = 500;
/** And so often more while there is something to drop among them. */
const MOST_LOOKS = 40;

const partRow = z.object({ destination: z.number(), id: z.number(), looked: z.number(), written: z.number() });
const BEGINNING = { destination: 0, id: 0 };

export interface ExpireHeld {
  /** Sees how the clock went since the last time, and begins to go through what is held; every half minute or so. */
  look(): Promise<void>;
  /** Goes through a part of it, until the end. */
  expire(): Promise<void>;
}

/** Makes it: each process goes through all that is held by itself. */
export function makeExpireHeld(pool: {
  query(statement: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}): ExpireHeld {
  /** Null: all was gone through. */
  let last: typeof BEGINNING | null = null;

  /** Whether more is likely to be found. */
  async function expirePart(): Promise<boolean> {
    if (last === null) return false;
    const { rows } = await pool.query(EXPIRE, [last.destination, last.id, LOOKED_AT_ONCE]);
    const part = rows.length === 0 ? null : partRow.parse(rows[0]);
    const isFull = part !== null && part.looked === LOOKED_AT_ONCE;
    last = isFull ? part : null;
    return isFull && part.written > 0;
  }

  return {
    async look() {
      await pool.query(FIRST_LOOK);
      await pool.query(LOOK);
      last ??= BEGINNING;
    },
    async expire() {
      for (let looks = 0; looks < MOST_LOOKS && (await expirePart()); looks += 1);
    },
  };
}
