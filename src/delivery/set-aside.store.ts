/** Sets messages aside that are due and wait for a time: claimed ones for the end of quiet hours or for a digest; and ends quiet hours early. */

import type { Pool } from 'pg';
import { cameAt } from './came-at.store';
import type { ClaimedDelivery } from './delivery-ledger';
import { lastDigestAt } from './digest-time';
import type { DueVerdict } from './judge-due';
import { settled } from './settled.store';

export interface SetAsideStore {
  /**
   * The claimed message, and with it whatever else is due and has the same fate, is held or dropped; its space is free again. When
   * settings were changed since it was claimed, or just are, it is due as before; when its space was lost, all is left to whoever has that.
   */
  setAside(head: ClaimedDelivery, verdict: Exclude<DueVerdict, { kind: 'send' }>, now: Date): Promise<void>;
  /** What waits in the quiet hours of the claimed message's destination is due, and judged anew. */
  endQuiet(head: ClaimedDelivery, now: Date): Promise<void>;
}

const HEAD_CAME_AT = `(SELECT ${cameAt('head')} FROM deliveries head WHERE head.id = $1)`;

/**
 * Those of a digest rule go with their own rule's of the same time: they came at most so long before the head ($15, in ms), and less than so
 * long after it ($14); those of quiet hours with all that have none and are not urgent. What was tried before keeps since when it is held, so that the time of its trying
 * goes on from there (held.store.ts). Whoever is just changing settings is given a moment.
 */
const SET_ASIDE = `
  WITH settled AS MATERIALIZED ${settled('$11', '$12')}, freed AS (
    UPDATE google_spaces SET lease_until = NULL,
           next_slot_at = CASE WHEN EXISTS (SELECT FROM settled) THEN next_slot_at ELSE greatest(next_slot_at, now() + interval '20 milliseconds') END
     WHERE space_id = $2 AND lease_until = $13::timestamptz RETURNING space_id
  ), same AS (
    SELECT d.id FROM deliveries d LEFT JOIN rules r ON r.id = d.rule_id AND r.tenant_id = d.tenant_id
     WHERE EXISTS (SELECT FROM freed) AND EXISTS (SELECT FROM settled) AND d.state IN ('queued', 'sending') AND d.space_id = $2 AND d.not_before <= now()
       AND (d.id = $1
         OR (d.state = 'queued' AND d.chat_webhook_id = $3 AND d.via_webhook_id IS NOT DISTINCT FROM $9::int
             AND d.rendered_body IS NULL AND d.fold_kind IS NULL AND d.replay = 0
             AND NOT d.transition ? 'announcement'
             AND CASE $10 WHEN 'alone' THEN false
                 WHEN 'later' THEN d.waiting_since IS NULL AND d.released_at IS NULL AND ${cameAt('d')} >= ${HEAD_CAME_AT}
                 WHEN 'sameTime' THEN ${cameAt('d')} >= ${HEAD_CAME_AT} - $15 * interval '1 millisecond' AND ${cameAt('d')} < ${HEAD_CAME_AT} + $14 * interval '1 millisecond'
                 ELSE true END
             AND CASE WHEN $4::int IS NULL THEN (r.digest IS NULL OR NOT r.enabled) AND NOT coalesce(r.urgent, false) ELSE d.rule_id = $4 END))
       FOR UPDATE OF d SKIP LOCKED
  )
  UPDATE deliveries d SET state = $5, state_reason = $6, held_for = $7, held_until = $8,
         not_before = CASE WHEN $5 = 'held' AND d.waiting_since IS NOT NULL THEN now() ELSE d.not_before END,
         finished_at = CASE WHEN $5 = 'dropped' THEN now() END
    FROM same WHERE d.id = same.id`;

const END_QUIET = `
  UPDATE deliveries SET held_until = $3
   WHERE tenant_id = $1 AND state = 'held' AND held_for = 'quiet' AND held_until > $3
     AND coalesce(via_webhook_id, chat_webhook_id) = $2`;

/** Makes the store. */
export function makeSetAsideStore(pool: Pool): SetAsideStore {
  return {
    async setAside(head, verdict, now) {
      await pool.query(SET_ASIDE, asideParameters(head, verdict, now));
    },
    async endQuiet({ tenant, chatWebhookId, viaWebhookId }, now) {
      await pool.query(END_QUIET, [tenant.id, viaWebhookId ?? chatWebhookId, now]);
    },
  };
}

function asideParameters(head: ClaimedDelivery, verdict: Exclude<DueVerdict, { kind: 'send' }>, now: Date): unknown[] {
  const isHeld = verdict.kind === 'hold';
  const digestRuleId = isHeld && verdict.heldFor !== 'quiet' ? head.ruleId : null;
  const cameAtMs = now.getTime() - head.cameMs;
  return [
    ...[head.id, head.spaceId, head.chatWebhookId, digestRuleId],
    ...[isHeld ? 'held' : 'dropped', verdict.reason],
    ...(isHeld ? [verdict.heldFor, verdict.until] : [null, null]),
    head.viaWebhookId,
    reachOf(head, verdict),
    ...[head.tenant.id, head.settingsVersion, head.lease],
    isHeld ? verdict.until.getTime() - cameAtMs : 0,
    cameAtMs - lastDigestMs(head, cameAtMs),
  ];
}

function lastDigestMs({ digest, destination, tenant }: ClaimedDelivery, cameAtMs: number): number {
  if (digest === null) return cameAtMs;
  const zone = destination?.timeZone ?? tenant.timeZone;
  return lastDigestAt(digest, zone, destination?.quietHours?.businessDays, new Date(cameAtMs)).getTime();
}

type Reach = 'all' | 'later' | 'sameTime' | 'alone';

/** Where messages are dropped each is kept for a reason of its own, and what came after a dropped one and waited for nothing else is dropped. A digest has its own time. */
function reachOf({ destination }: ClaimedDelivery, verdict: Exclude<DueVerdict, { kind: 'send' }>): Reach {
  if (verdict.kind === 'drop') return 'later';
  if (verdict.heldFor !== 'quiet') return 'sameTime';
  return destination?.quietHours?.mode === 'drop' ? 'alone' : 'all';
}
