/** The statements by which what is held for too long is dropped, by a clock that may jump. */

import { IS_HELD_BECAUSE } from './come-apart.store';

/** What no round looked at for longer is taken for a clock that jumped, or for a time in which nobody could have sent anything. */
const LONGEST_LOOK = `interval '1 hour'`;
export const FIRST_LOOK = `INSERT INTO heartbeats (service, beat_at) VALUES ('expiry', now()) ON CONFLICT DO NOTHING`;

/**
 * What was held for too long is dropped, by the time that really passed: the database's clock between two looks, of which one that comes
 * much later than the last counts as an hour, and one that comes before it as nothing. What such a clock is off by is laid on the times
 * since when messages wait that were written by it before, so that they are right after a jump and after the jump back; nothing is
 * dropped in that round. Of several workers one sees the jump.
 */
export const EXPIRE = `
  WITH looked AS (
    UPDATE heartbeats h SET beat_at = now()
      FROM (SELECT service, beat_at FROM heartbeats WHERE service = 'expiry' FOR UPDATE) last
     WHERE h.service = last.service RETURNING last.beat_at, now() - last.beat_at AS passed
  ), clock AS MATERIALIZED (
    SELECT beat_at, CASE WHEN passed < interval '-1 minute' THEN passed ELSE greatest(passed - ${LONGEST_LOOK}, interval '0') END AS jump
      FROM looked
  ), righted AS (
    UPDATE deliveries SET waiting_since = waiting_since + (SELECT jump FROM clock)
     WHERE id = ANY (ARRAY(SELECT waits.id FROM clock CROSS JOIN LATERAL (
       SELECT d.id FROM deliveries d
        WHERE d.state IN ('queued', 'sending', 'held')
          AND CASE WHEN clock.jump < interval '0' THEN d.waiting_since > now() ELSE d.waiting_since < clock.beat_at + ${LONGEST_LOOK} END
       OFFSET 0) waits WHERE clock.jump <> interval '0'))
  )
  UPDATE deliveries d SET state = 'dropped', finished_at = now(), held_because = NULL,
         state_reason = 'Held for more than ' || w.hold_hours || ' hours. ' || coalesce(d.state_reason, '')
    FROM chat_webhooks w CROSS JOIN clock
   WHERE clock.jump = interval '0' AND ${IS_HELD_BECAUSE} AND w.id = d.chat_webhook_id
     AND d.waiting_since < now() - w.hold_hours * interval '1 hour'`;
