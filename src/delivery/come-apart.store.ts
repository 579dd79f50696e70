/** Statements by which messages of several come apart again, while nothing of them was posted. */

/** A message that goes to another destination than before is a new one there: request ids are private to a webhook. */
export const ANEW = `rendered_body = NULL, request_id = gen_random_uuid(), is_plain = false, is_unthreaded = false`;

/**
 * The fallback `f` hears of it from its rule too, or may have: by a message of its own, or its replay, that was not dropped or given up, by itself or
 * with the one that was to tell it, before it can have been posted.
 */
export const isToldAnyhow = (d: string): string =>
  `EXISTS (SELECT 1 FROM deliveries o WHERE o.event_id = ${d}.event_id AND o.rule_id = ${d}.rule_id AND o.chat_webhook_id = f.id AND o.replay >= ${d}.replay
              AND NOT (coalesce(o.state, '') IN ('dropped', 'failed') AND o.uncertain = 0
                       AND NOT EXISTS (SELECT 1 FROM deliveries lead WHERE lead.id = o.folded_into AND lead.uncertain > 0)))`;

/**
 * What the message `d` tells, as `m`. Not by one condition with an "or" in it: for that the whole table would be read, since bitmap scans
 * are off (platform/database.ts).
 */
const toldBy = (d: string): string => `
  (SELECT ${d}.id, ${d}.event_id, ${d}.rule_id, ${d}.replay
   UNION ALL SELECT o.id, o.event_id, o.rule_id, o.replay FROM deliveries o WHERE o.folded_into = ${d}.id) m`;

/**
 * A message of several that is held for its destination's sake and was not posted comes apart where a fallback or quiet hours may
 * want it otherwise: each is judged and folded anew where it goes next, because that may be told some of them anyhow, or be quiet. What
 * came in quiet hours stays together if it may; a digest does always, for what it gathered would wait for the next one.
 */
const COMES_APART = `
  coalesce(d.fold_kind, '') IN ('backlog', 'quiet') AND d.uncertain = 0
  AND EXISTS (SELECT 1 FROM chat_webhooks w LEFT JOIN chat_webhooks f ON f.id = w.fallback_webhook_id WHERE w.id = d.chat_webhook_id
                 AND CASE d.fold_kind WHEN 'backlog' THEN w.quiet_hours IS NOT NULL OR f.id IS NOT NULL
                     ELSE f.quiet_hours IS NOT NULL OR EXISTS (
                       SELECT 1 FROM ${toldBy('d')} WHERE ${isToldAnyhow('m')}) END)`;

/** What was held since the last look has not come apart yet. */
export const STAYS = `(${COMES_APART}) IS NOT TRUE`;

/**
 * Of what `d` is: found by indexes of their own, however much is held beside it. `coalesce` keeps the planner from the other indexes, which hold
 * all of that.
 */
const IS_HELD = `d.finished_at IS NULL AND coalesce(d.state, '') = 'held'`;
export const IS_HELD_BECAUSE = `d.held_because IS NOT NULL AND ${IS_HELD}`;
const IS_HELD_FOLD = `d.fold_kind IS NOT NULL AND ${IS_HELD}`;

/** A digest that the fallback `f` is told a part of anyhow. */
export const IS_MIXED = `
  (coalesce(d.fold_kind, '') IN ('daily', 'weekly')
   AND (SELECT count(DISTINCT ${isToldAnyhow('m')}) FROM ${toldBy('d')}) > 1)`;

/**
 * Such a digest, not posted, becomes two: what the fallback is told anyhow, and what it can be given. One that another changed while it was
 * waited for is left to the next round: its messages may have gone since, or some of them are not to be told any more.
 */
export const PART_DIGESTS = `
  WITH seen AS MATERIALIZED (
    SELECT d.id, d.xmin::text AS version, f.id AS fallback_id FROM deliveries d
      JOIN chat_webhooks w ON w.id = d.chat_webhook_id JOIN chat_webhooks f ON f.id = w.fallback_webhook_id
     WHERE ${IS_HELD_FOLD} AND coalesce(d.held_because, '') = 'broken' AND d.via_webhook_id IS NULL AND d.uncertain = 0 AND ${IS_MIXED}
  ), leads AS MATERIALIZED (
    SELECT d.*, seen.fallback_id FROM deliveries d JOIN seen ON seen.id = d.id
     WHERE d.id = ANY (ARRAY(SELECT id FROM seen)) AND d.xmin::text = seen.version ORDER BY d.id FOR UPDATE OF d
  ), parts AS MATERIALIZED (
    SELECT m.id, leads.id AS lead_id, ${isToldAnyhow('m')} AS is_told
      FROM leads JOIN chat_webhooks f ON f.id = leads.fallback_id CROSS JOIN LATERAL ${toldBy('leads')}
  ), others AS MATERIALIZED (
    SELECT p.id, p.lead_id, min(p.id) OVER (PARTITION BY p.lead_id) AS new_lead_id
      FROM parts p JOIN parts lead ON lead.id = p.lead_id AND lead.is_told <> p.is_told
  ), moved AS (
    UPDATE deliveries d SET folded_into = o.new_lead_id FROM others o
     WHERE d.id = o.id AND d.id <> o.new_lead_id AND coalesce(d.state, '') = 'folded' AND d.folded_into = o.lead_id
  ), led AS (
    UPDATE deliveries d SET state = 'held', folded_into = NULL, finished_at = NULL, fold_kind = leads.fold_kind, held_because = 'broken',
           state_reason = leads.state_reason, waiting_since = leads.waiting_since, released_at = coalesce(leads.released_at, d.released_at)
      FROM others o JOIN leads ON leads.id = o.lead_id
     WHERE d.id = o.id AND d.id = o.new_lead_id AND coalesce(d.state, '') = 'folded' AND d.folded_into = o.lead_id
  )
  UPDATE deliveries d SET ${ANEW} FROM leads WHERE d.id = leads.id`;

/** Messages of several, `d`, that are so come apart: each that they were to tell is as they are, and theirs alone is left to them. */
export const unfold = (isSo: string): string => `
  WITH leads AS MATERIALIZED (
    SELECT d.* FROM deliveries d WHERE ${isSo} ORDER BY d.id FOR UPDATE OF d
  ), members AS (
    UPDATE deliveries d SET state = leads.state, state_reason = leads.state_reason, held_because = leads.held_because, folded_into = NULL,
           finished_at = NULL, waiting_since = leads.waiting_since, released_at = coalesce(leads.released_at, d.released_at),
           via_webhook_id = leads.via_webhook_id, space_id = leads.space_id
      FROM leads WHERE d.folded_into = leads.id AND coalesce(d.state, '') = 'folded'
  )
  UPDATE deliveries d SET fold_kind = NULL, ${ANEW} FROM leads WHERE d.id = leads.id`;

/** Of those `whose` destination cannot take them. */
export const unfoldHeld = (whose: string): string =>
  unfold(`${IS_HELD_FOLD} AND coalesce(d.held_because, '') <> '' AND ${whose} AND ${COMES_APART}`);
