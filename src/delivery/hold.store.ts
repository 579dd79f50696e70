/**
 * Messages that their destination cannot take: held in their order, tried now and then, sent to the fallback, let go when the
 * destination works again, dropped when they are too old. Safe to run by several workers at once.
 *
 * `coalesce(state, '')` keeps the planner from the indexes of what is unfinished, by which it would read a whole backlog when its
 * statistics were taken while nothing waited.
 */

import type { Logger } from 'pino';
import { z } from 'zod';
import { quietHoursSchema } from '../core/destination';
import { tenantIdSchema } from '../core/tenant';
import { ANEW, IS_HELD_BECAUSE, PART_DIGESTS, STAYS, unfoldHeld } from './come-apart.store';
import { IS_LATER } from './earlier.store';
import { makeExpireHeld } from './expire-held.store';
import { makeLeftOut, readEach } from './left-out';
import { IS_URGENT, LET_GO } from './let-go.store';
import { isQuiet } from './quiet-hours';
import { makeRedirect } from './redirect.store';
import type { HealthCause } from './space-health';

/**
 * Statements over the ids ($1) of destinations that work again: what they hold comes apart and may go, and what was to go to their
 * fallbacks comes back. They belong into the transaction that makes the destinations work, after their rows are locked: until then nothing of
 * theirs was sent, so no later message of a record overtakes an earlier one. What the fallback may have posted stays there.
 */
export const LET_GO_OF = [
  unfoldHeld('coalesce(d.via_webhook_id, d.chat_webhook_id) = ANY ($1::int[])'),
  `UPDATE deliveries SET ${LET_GO}
    WHERE state = 'held' AND held_because IS NOT NULL AND coalesce(via_webhook_id, chat_webhook_id) = ANY ($1::int[])`,
  `UPDATE deliveries d SET ${LET_GO}, via_webhook_id = NULL, space_id = own.space_id, ${ANEW}
     FROM chat_webhooks own
    WHERE own.id = d.chat_webhook_id AND d.chat_webhook_id = ANY ($1::int[]) AND d.via_webhook_id IS NOT NULL
      AND coalesce(d.state, '') IN ('queued', 'held') AND d.uncertain = 0`,
] as const;

/** What is to go to a destination ($1) that goes away or moves: messages that were sent its way as a fallback go back to their own. */
export const BRING_BACK_FROM = `
  UPDATE deliveries d SET ${LET_GO}, via_webhook_id = NULL, space_id = own.space_id, ${ANEW}
    FROM chat_webhooks own
   WHERE own.id = d.chat_webhook_id AND d.via_webhook_id = $1::int AND coalesce(d.state, '') IN ('queued', 'held')`;

/** Every space of a destination has its row. */
const KNOW_SPACES = `
  INSERT INTO google_spaces (space_id)
  SELECT DISTINCT w.space_id FROM chat_webhooks w WHERE NOT EXISTS (SELECT 1 FROM google_spaces g WHERE g.space_id = w.space_id)
  ON CONFLICT DO NOTHING`;

const WORKS = `NOT w.paused AND w.health <> 'broken'`;
/**
 * The net under every way to let messages go: what is held although its destination works. A loose index scan: one look-up per destination
 * that holds something, however much it holds.
 */
const LET_GO_FORGOTTEN = `
  WITH RECURSIVE holding AS (
    (SELECT d.chat_webhook_id AS id FROM deliveries d WHERE ${IS_HELD_BECAUSE} ORDER BY d.chat_webhook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.chat_webhook_id FROM deliveries d WHERE ${IS_HELD_BECAUSE} AND d.chat_webhook_id > h.id ORDER BY d.chat_webhook_id LIMIT 1)
      FROM holding h WHERE h.id IS NOT NULL
  ), forgotten AS (
    SELECT own.id FROM holding h JOIN chat_webhooks w ON w.id = h.id AND ${WORKS}
     CROSS JOIN LATERAL (SELECT d.id FROM deliveries d WHERE ${IS_HELD_BECAUSE} AND d.chat_webhook_id = h.id AND d.via_webhook_id IS NULL OFFSET 0) own
    UNION ALL
    SELECT given.id FROM holding h
     CROSS JOIN LATERAL (SELECT d.id, d.via_webhook_id FROM deliveries d WHERE ${IS_HELD_BECAUSE} AND d.chat_webhook_id = h.id AND d.via_webhook_id IS NOT NULL OFFSET 0) given
      JOIN chat_webhooks w ON w.id = given.via_webhook_id AND ${WORKS}
  )
  UPDATE deliveries d SET ${LET_GO}
   WHERE d.id = ANY (ARRAY(SELECT id FROM forgotten)) AND coalesce(d.state, '') = 'held' AND coalesce(d.held_because, '') <> '' AND ${STAYS}`;

/** For the first round of a process, which may have been given the secret back that opens their keys; while it was not, trying them asks nothing of Google. */
const TRY_KEYS_ANEW = `
  UPDATE chat_webhooks SET next_probe_at = now() WHERE health = 'broken' AND health_cause = $1 AND next_probe_at > now()`;
const KEY_LOST: HealthCause = 'keyLost';

/** Broken destinations whose next trial is due. */
const TRIALS_DUE = `
  SELECT w.id, w.tenant_id, w.quiet_hours, coalesce(w.time_zone, t.settings ->> 'timeZone', t.time_zone) AS time_zone
    FROM chat_webhooks w JOIN tenants t ON t.id = w.tenant_id
   WHERE w.health = 'broken' AND NOT w.paused AND w.next_probe_at <= now() AND w.id <> ALL ($1::int[])`;

/** So many messages are looked through for one that can be tried, and as many of those that it holds because it is broken. */
const MOST_LOOKED = 500;
const MAY_BE_TRIED = `d.held_because IS NOT NULL AND d.via_webhook_id IS NULL AND ${STAYS} AND NOT ${IS_LATER}`;
/** Among what was held first (or last) there may be only what waits for a digest: then those that do not are asked for by an index of their own. */
const firstToTry = (order: string, isSo: string): string => `
  coalesce(
    (SELECT d.id FROM (SELECT * FROM deliveries WHERE chat_webhook_id = w.id AND state = 'held' ORDER BY id ${order} LIMIT ${String(MOST_LOOKED)}) d
      WHERE ${isSo} ORDER BY d.id LIMIT 1),
    (SELECT min(d.id) FROM (SELECT * FROM deliveries WHERE held_because IS NOT NULL AND finished_at IS NULL AND chat_webhook_id = w.id
                               AND via_webhook_id IS NULL AND coalesce(state, '') = 'held' LIMIT ${String(MOST_LOOKED)}) d
      WHERE ${isSo}))`;
/**
 * Recovery by itself: now and then the oldest message that a broken destination ($1) holds is tried, where it is quiet ($2) one of the oldest
 * urgent ones. It is a message that is owed anyhow, so nobody in the space sees a probe. One that stands aside (no body could be
 * made of it, or it cannot be read) gives its turn to another. Where there is none it is looked for in every
 * round, so that reads a bounded number of messages.
 */
const PROBE = `
  WITH due AS (
    SELECT w.id, CASE WHEN trial.is_quiet THEN ${firstToTry('DESC', `${MAY_BE_TRIED} AND ${IS_URGENT}`)}
                      ELSE ${firstToTry('ASC', MAY_BE_TRIED)} END AS delivery_id
      FROM unnest($1::int[], $2::boolean[]) AS trial(id, is_quiet) JOIN chat_webhooks w ON w.id = trial.id
     WHERE w.health = 'broken' AND NOT w.paused AND w.next_probe_at <= now()
       AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.id = w.probe_delivery_id AND coalesce(d.state, '') IN ('queued', 'sending')
                          AND (d.state = 'sending' OR d.not_before <= now()))
       FOR UPDATE OF w SKIP LOCKED
  ), marked AS (
    UPDATE chat_webhooks w SET probe_delivery_id = due.delivery_id FROM due WHERE w.id = due.id AND due.delivery_id IS NOT NULL
    RETURNING w.probe_delivery_id
  )
  UPDATE deliveries d SET ${LET_GO} FROM marked WHERE d.id = marked.probe_delivery_id AND coalesce(d.state, '') = 'held'`;

const UNFOLD = unfoldHeld('true');

/** What a clock that jumped back leaves behind: slots, leases and messages that would wait for the lost time to come again. */
const MEND_SPACES = `
  UPDATE google_spaces SET next_slot_at = least(next_slot_at, now() + interval '1 second'), lease_until = NULL
   WHERE next_slot_at > now() + interval '11 minutes' OR lease_until > now() + interval '1 minute'`;
/** Each space is asked for its own, here and below: not the whole backlog, nor, before there are statistics, the whole table. */
const MEND_QUEUED = `
  UPDATE deliveries SET not_before = now(), created_at = now()
   WHERE id = ANY (ARRAY(SELECT early.id FROM google_spaces g CROSS JOIN LATERAL (
     SELECT d.id FROM deliveries d
      WHERE d.space_id = g.space_id AND d.state IN ('queued', 'sending') AND d.not_before > now()
        AND d.created_at > now() + interval '1 minute'
      ORDER BY d.not_before LIMIT 1000) early WHERE g.is_waiting))`;
/** No settle window, refusal or retry puts a message off for as long as an hour. */
const MEND_PUT_OFF = `
  UPDATE deliveries SET not_before = now()
   WHERE id = ANY (ARRAY(SELECT far.id FROM google_spaces g CROSS JOIN LATERAL (
     SELECT d.id FROM deliveries d
      WHERE d.space_id = g.space_id AND d.state IN ('queued', 'sending') AND d.not_before > now() + interval '1 hour'
      ORDER BY d.not_before LIMIT 1000) far WHERE g.is_waiting))`;
const MEND_DESTINATIONS = `
  UPDATE chat_webhooks SET last_refusal_at = least(last_refusal_at, now()), next_probe_at = least(next_probe_at, now())
   WHERE last_refusal_at > now() + interval '1 minute' OR next_probe_at > now() + interval '2 hours'`;
/** Looking for that, and at the clock, costs a look at every space. */
const ROUNDS_BETWEEN_MENDING = 15;

export interface HoldStore {
  /** One round of all of it; for the sweep. */
  tidy(): Promise<void>;
}

interface Dependencies {
  readonly pool: { query(statement: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }> };
  readonly clock: () => Date;
  readonly log: Pick<Logger, 'error'>;
}

const destinationRow = z.object({ id: z.number(), tenant_id: tenantIdSchema });
const trialRow = destinationRow.extend({ quiet_hours: quietHoursSchema.nullable(), time_zone: z.string() });

/** Makes the store. Its statements are on their own, so that between two of them anything may happen. */
export function makeHoldStore({ pool, clock, log }: Dependencies): HoldStore {
  const leftOut = makeLeftOut<number>();
  const expireHeld = makeExpireHeld(pool);
  const redirect = makeRedirect(pool);
  let round = 0;

  async function probe(): Promise<void> {
    const now = clock();
    const { read: due, unreadable } = readEach((await pool.query(TRIALS_DUE, [leftOut.keys(now)])).rows, trialRow);
    for (const { row, error } of unreadable) {
      const { id, tenant_id } = destinationRow.parse(row);
      leftOut.add(id, now);
      log.error({ err: error, tenantId: tenant_id, chatWebhookId: id }, 'destination cannot be read; it is not tried');
    }
    const areQuiet = due.map((trial) => trial.quiet_hours !== null && isQuiet(trial.quiet_hours, trial.time_zone, now));
    if (due.length > 0) await pool.query(PROBE, [due.map(({ id }) => id), areQuiet]);
  }

  return {
    async tidy() {
      if (round === 0) await pool.query(TRY_KEYS_ANEW, [KEY_LOST]);
      const isMending = round % ROUNDS_BETWEEN_MENDING === 0;
      round += 1;
      const mending = isMending ? [MEND_DESTINATIONS, MEND_SPACES, MEND_QUEUED, MEND_PUT_OFF] : [];
      for (const statement of [KNOW_SPACES, ...mending]) await pool.query(statement);
      if (isMending) await expireHeld.look();
      await expireHeld.expire();
      for (const statement of [UNFOLD, PART_DIGESTS, LET_GO_FORGOTTEN]) await pool.query(statement);
      await probe();
      await redirect();
    },
  };
}
