/** Claims due messages in the ledger: the next one of each space whose slot and lease are free. */

import { z } from 'zod';
import { counted } from '../core/counted';
import { FOLD_KINDS } from '../core/delivery';
import { FOLD_POLICIES, quietHoursSchema, THREAD_POLICIES } from '../core/destination';
import { RECORD_ENTITIES, recordStateSchema } from '../core/record';
import { digestSchema, TEMPLATE_MODES } from '../core/rule';
import { tenantIdSchema } from '../core/tenant';
import { EVENT_TYPES } from '../core/transition';
import { isUnfinished } from '../core/unfinished.store';
import type { Database } from '../platform/database';
import { cameAt } from './came-at.store';
import type { ClaimedDelivery, DeliveryStore, UnreadableDelivery } from './delivery-ledger';
import { IS_TOLD_BEFORE, isEarlier, isHeldBefore } from './earlier.store';
import { IS_CLOCK_RIGHT } from './expire-held.store';
import { LEASE_MS } from './lease';
import { LEAVE_OUT } from './leave-out.store';
import { stepUnprepared, USUAL_HOLD_HOURS } from './retry-policy';
import { KNOWN_HEALTHS } from './space-health';

/**
 * One statement: of the spaces that wait, whose slot and lease are free, the longest waiting get the lease and give their head. What
 * is idle, or waits for its slot, is not looked at; SKIP LOCKED keeps two workers out of one space. A message waits for the earlier
 * ones about its record: one that was put off (a refusal) is not overtaken, nor one whose telling inside another message has not left. What
 * tells others too waits for what was tried about their records, unless that waits for it, or has waited for so long that it must be
 * waiting, over others, for this one. A space in which nothing is due learns when to
 * look again, unless more was owed since the snapshot of this statement (`marks`). When a message came is looked up only where a time depends on it.
 * `next_ms`: when the earliest space that could not be claimed now will be ready; null when nothing waits.
 */
const CLAIM = `
  WITH waiting AS MATERIALIZED (
    SELECT space_id, marks, greatest(due_at, next_slot_at, lease_until) AS ready_at FROM google_spaces WHERE is_waiting
  ), free AS MATERIALIZED (
    SELECT g.space_id, g.troubles, g.marks = w.marks AS is_sure FROM waiting w JOIN google_spaces g ON g.space_id = w.space_id
     WHERE w.ready_at <= now() AND g.is_waiting AND g.next_slot_at <= now() AND (g.lease_until IS NULL OR g.lease_until <= now())
     ORDER BY w.ready_at LIMIT $1 FOR UPDATE OF g SKIP LOCKED
  ), heads AS MATERIALIZED (
    SELECT free.troubles, free.is_sure, free.space_id AS free_id, h.* FROM free
      LEFT JOIN LATERAL (SELECT d.xmin::text AS version, d.* FROM deliveries d
                          WHERE d.state IN ('queued', 'sending') AND d.space_id = free.space_id
                            AND (SELECT e.id FROM deliveries e
                                  WHERE ${isEarlier('e', 'd')}
                                    AND ${isUnfinished('e')} AND e.state <> 'held' AND coalesce(e.space_id, '') = d.space_id
                                  LIMIT 1) IS NULL
                            AND CASE WHEN d.fold_kind IS NULL OR NOT EXISTS (SELECT 1 FROM deliveries m WHERE m.folded_into = d.id) THEN NOT ${IS_TOLD_BEFORE}
                            ELSE NOT EXISTS (
                              SELECT 1 FROM deliveries m
                               WHERE m.folded_into = d.id AND (
                                 SELECT e.id FROM deliveries e
                                  WHERE ${isEarlier('e', 'm')} AND e.id <> d.id
                                    AND ${isUnfinished('e')} AND e.state <> 'held' AND coalesce(e.space_id, '') = d.space_id
                                    AND e.fold_kind IS NULL AND e.attempts > 0 AND e.not_before > now() - interval '10 minutes' AND NOT (e.entity = d.entity AND e.entity_id = d.entity_id AND e.id > d.id)
                                    AND NOT EXISTS (SELECT 1 FROM deliveries x WHERE x.folded_into = d.id AND x.entity = e.entity AND x.entity_id = e.entity_id AND x.id < e.id)
                                  LIMIT 1) IS NOT NULL) END
                          ORDER BY d.not_before, d.id LIMIT 1) h ON true
  ), turned AS (
    UPDATE google_spaces g SET lease_until = CASE WHEN heads.not_before <= now() THEN now() + $2 * interval '1 millisecond' END,
           due_at = CASE WHEN heads.is_sure THEN heads.not_before ELSE g.due_at END,
           is_waiting = heads.id IS NOT NULL OR NOT heads.is_sure
      FROM heads WHERE g.space_id = heads.free_id
  ), claimed AS (
    SELECT * FROM heads WHERE not_before <= now()
  )
  SELECT (now() + $2 * interval '1 millisecond')::timestamptz(3)::text AS lease, claimed.space_id, claimed.troubles, claimed.version, claimed.id::float8 AS id, claimed.tenant_id, claimed.event_id::float8 AS event_id, claimed.rule_id,
         claimed.chat_webhook_id, claimed.entity, claimed.entity_id, claimed.transition, claimed.record,
         claimed.actor_user_id::float8 AS actor_user_id, claimed.occurred_at, claimed.template_mode, claimed.template,
         claimed.attempts + 1 AS attempts, claimed.request_id, claimed.rendered_body, claimed.is_plain, claimed.fold_kind, claimed.replay,
         claimed.is_unthreaded, claimed.uncertain, claimed.via_webhook_id, own.name AS meant_for,
         coalesce(w.health = 'broken' AND w.probe_delivery_id = claimed.id, false) AS is_probe, ${isHeldBefore('claimed')} AS is_held_before,
         extract(epoch FROM now() - coalesce(claimed.waiting_since, now()))::float8 * 1000 AS waiting_ms,
         extract(epoch FROM now() - coalesce(claimed.released_at, claimed.created_at))::float8 * 1000 AS age_ms,
         extract(epoch FROM now() - CASE WHEN w.quiet_hours IS NOT NULL OR r.digest IS NOT NULL THEN ${cameAt('claimed')} ELSE claimed.created_at END)::float8 * 1000 AS came_ms,
         claimed.released_at,
         coalesce(r.urgent, false)
           OR (claimed.fold_kind IS NOT NULL AND EXISTS (SELECT 1 FROM deliveries m JOIN rules mr ON mr.id = m.rule_id AND mr.tenant_id = m.tenant_id AND mr.urgent
                                                          WHERE m.folded_into = claimed.id)) AS is_urgent, CASE WHEN r.enabled AND claimed.fold_kind IS NULL THEN r.digest END AS digest, w.fold, w.fold_threshold, w.quiet_hours, w.hold_hours,
         w.sealed_credentials, w.threads, w.threading_unsupported, w.locale, w.time_zone, w.paused, w.health, w.health_reason, w.refusals,
         w.probes, extract(epoch FROM now() - w.last_refusal_at)::float8 * 1000 AS since_last_refusal_ms, extract(epoch FROM now() - w.updated_at)::float8 * 1000 AS since_change_ms,
         t.company_id::float8 AS company_id, t.company_name, t.company_domain, coalesce(t.settings ->> 'locale', t.locale) AS tenant_locale, coalesce(t.settings ->> 'timeZone', t.time_zone) AS tenant_time_zone,
         t.base_currency, t.rules_version, t.uninstalled_at IS NOT NULL AS is_uninstalled, later.next_ms
    FROM (SELECT extract(epoch FROM min(ready_at) - now())::float8 * 1000 AS next_ms
            FROM (SELECT ready_at FROM waiting WHERE ready_at > now()
                  UNION ALL SELECT not_before FROM heads WHERE not_before > now()) AS rest) later
    LEFT JOIN claimed ON true
    LEFT JOIN chat_webhooks w ON w.id = coalesce(claimed.via_webhook_id, claimed.chat_webhook_id) AND w.tenant_id = claimed.tenant_id
    LEFT JOIN chat_webhooks own ON claimed.via_webhook_id IS NOT NULL AND own.id = claimed.chat_webhook_id
    LEFT JOIN rules r ON r.id = claimed.rule_id AND r.tenant_id = claimed.tenant_id
    LEFT JOIN tenants t ON t.id = claimed.tenant_id`;

const claimedRow = z.object({
  space_id: z.string(),
  lease: z.string(),
  version: z.string(),
  troubles: z.number(),
  id: z.number(),
  tenant_id: tenantIdSchema,
  event_id: z.number(),
  rule_id: z.number(),
  chat_webhook_id: z.number(),
  entity: z.enum(RECORD_ENTITIES),
  entity_id: z.string(),
  transition: z.object({
    type: z.enum(EVENT_TYPES),
    changes: z.array(z.object({ field: z.string(), from: z.unknown(), to: z.unknown() })),
    again: z.boolean().exactOptional(),
    relatedId: z.string().exactOptional(),
    announcement: z.object({ by: z.string(), note: z.string().nullable() }).exactOptional(),
    corrects: z.number().exactOptional(),
    cause: z
      .object({ changeSource: z.string().nullable(), isBulkEdit: z.boolean(), isLate: z.boolean().exactOptional() })
      .exactOptional(),
  }),
  record: recordStateSchema,
  actor_user_id: z.number().nullable(),
  occurred_at: z.date(),
  template_mode: z.enum(TEMPLATE_MODES),
  template: z.string().nullable(),
  attempts: z.number(),
  request_id: z.string(),
  rendered_body: z.string().nullable(),
  is_plain: z.boolean(),
  is_unthreaded: z.boolean(),
  uncertain: z.number(),
  via_webhook_id: z.number().nullable(),
  meant_for: z.string().nullable(),
  is_probe: z.boolean(),
  is_held_before: z.boolean(),
  waiting_ms: z.number(),
  fold_kind: z.enum(FOLD_KINDS).nullable(),
  replay: z.number(),
  released_at: z.date().nullable(),
  is_urgent: z.boolean(),
  digest: digestSchema.nullable(),
  age_ms: z.number(),
  came_ms: z.number(),
  company_id: z.number(),
  company_name: z.string(),
  company_domain: z.string(),
  tenant_locale: z.string(),
  tenant_time_zone: z.string(),
  base_currency: z.string(),
  rules_version: z.number(),
  is_uninstalled: z.boolean(),
});
const destinationRow = z.object({
  sealed_credentials: z.string(),
  threads: z.enum(THREAD_POLICIES),
  threading_unsupported: z.boolean(),
  locale: z.string().nullable(),
  time_zone: z.string().nullable(),
  fold: z.enum(FOLD_POLICIES),
  fold_threshold: z.number().nullable(),
  quiet_hours: quietHoursSchema.nullable(),
  hold_hours: z.number(),
  paused: z.boolean(),
  health: z.enum(KNOWN_HEALTHS),
  health_reason: z.string().nullable(),
  refusals: z.number(),
  probes: z.number(),
  since_last_refusal_ms: z.number().nullable(),
  since_change_ms: z.number(),
});

/**
 * It was written by a newer version, or is damaged: others of its space go meanwhile, and no other tenant is concerned. When it is its
 * rule or destination that cannot be read ($4), what else is due by those is not looked at either, and what waited so for longer than the destination
 * lets it ($7, in hours) is given up with that reason ($8): by a clock of which it was seen lately that it has not jumped (expire-held.store.ts).
 * What was dropped since it was claimed stays so.
 */
const PUT_ASIDE = `
  WITH freed AS (
    UPDATE google_spaces SET lease_until = NULL WHERE space_id = $1 AND lease_until = $2::timestamptz RETURNING space_id
  ), same AS MATERIALIZED (
    SELECT d.id FROM deliveries own JOIN deliveries d ON d.rule_id = own.rule_id AND d.chat_webhook_id = own.chat_webhook_id
       AND d.via_webhook_id IS NOT DISTINCT FROM own.via_webhook_id
     WHERE $4 AND own.id = $3 AND d.state IN ('queued', 'sending') AND coalesce(d.state, '') = 'queued' AND d.space_id = $1 AND d.not_before <= now()
       FOR UPDATE OF d SKIP LOCKED
  ), aside AS MATERIALIZED (
    SELECT d.id, $6::boolean AS is_over, $4 AND d.waiting_since < now() - $7 * interval '1 hour' AND ${IS_CLOCK_RIGHT} AS is_too_old
      FROM deliveries d WHERE d.id = ANY (ARRAY(SELECT $3::bigint UNION ALL SELECT id FROM same)) AND EXISTS (SELECT FROM freed)
  )
  UPDATE deliveries d SET not_before = now() + interval '1 minute', attempts = d.attempts + CASE WHEN $4 THEN 0 ELSE 1 END,
         waiting_since = CASE WHEN $4 THEN coalesce(d.waiting_since, now()) ELSE d.waiting_since END,
         state_reason = CASE WHEN aside.is_too_old THEN $8 ELSE $5 END,
         state = CASE WHEN aside.is_over OR aside.is_too_old THEN 'failed' ELSE d.state END,
         finished_at = CASE WHEN aside.is_over OR aside.is_too_old THEN now() END
    FROM aside WHERE d.id = aside.id AND coalesce(d.state, '') IN ('queued', 'sending')`;
const ASIDE_REASON = 'This version of Dealbell cannot read the message; it is tried again.';
const unreadableRow = claimedRow
  .pick({ id: true, tenant_id: true, space_id: true, lease: true, version: true, attempts: true, age_ms: true })
  .extend({ hold_hours: z.number().nullable() });
/** What is the message's own, and not its rule's or destination's. */
const messageRow = claimedRow.pick({
  ...{ entity: true, entity_id: true, transition: true, record: true, actor_user_id: true, occurred_at: true },
  ...{ template_mode: true, template: true, fold_kind: true },
});

/** Makes `claimDue`. */
export function makeClaimDue({ pool, keyed }: Pick<Database, 'pool' | 'keyed'>): DeliveryStore['claimDue'] {
  async function putAside(source: Record<string, unknown>, error: unknown): Promise<UnreadableDelivery> {
    const { id, tenant_id, space_id, lease, version, attempts, age_ms: ageMs, hold_hours } = unreadableRow.parse(source);
    const holdHours = hold_hours ?? USUAL_HOLD_HOURS;
    const isOthersFault = messageRow.safeParse(source).success;
    // What it was to tell besides itself is told by another of them.
    if (!isOthersFault && source['fold_kind'] !== null) await pool.query(LEAVE_OUT, [id, [id], lease, version]);
    const step = isOthersFault ? null : stepUnprepared({ attempts, ageMs, holdHours, jitter: 0 });
    const reason = step?.kind === 'giveUp' ? step.reason : ASIDE_REASON;
    const tooOld = `Dealbell could not read its rule or space for ${counted(holdHours, 'hour')}.`;
    await pool.query(PUT_ASIDE, [space_id, lease, id, isOthersFault, reason, step?.kind === 'giveUp', holdHours, tooOld]);
    return { id, tenantId: tenant_id, error };
  }

  return async (limit) => {
    const { rows } = await keyed.query<Record<string, unknown>>({ name: 'claim', text: CLAIM, values: [limit, LEASE_MS] });
    const next = rows[0]?.['next_ms'];
    const claimed: ClaimedDelivery[] = [];
    const unreadable: UnreadableDelivery[] = [];
    for (const row of rows.filter(({ id }) => id !== null)) {
      try {
        claimed.push(toClaimed(row));
      } catch (error) {
        unreadable.push(await putAside(row, error));
      }
    }
    return { claimed, unreadable, nextMs: typeof next === 'number' ? Math.max(0, next) : null };
  };
}

function toClaimed(source: Record<string, unknown>): ClaimedDelivery {
  const row = claimedRow.parse(source);
  const destination = source['sealed_credentials'] === null ? null : destinationRow.parse(source);
  return {
    id: row.id,
    version: row.version,
    eventId: row.event_id,
    ruleId: row.rule_id,
    chatWebhookId: row.chat_webhook_id,
    viaWebhookId: row.via_webhook_id,
    meantFor: row.meant_for,
    spaceId: row.space_id,
    lease: row.lease,
    troubles: row.troubles,
    attempts: row.attempts,
    ageMs: row.age_ms,
    cameMs: row.came_ms,
    waitingMs: row.waiting_ms,
    uncertain: row.uncertain,
    isProbe: row.is_probe,
    isHeldBefore: row.is_held_before,
    requestId: row.request_id,
    renderedBody: row.rendered_body,
    isPlain: row.is_plain,
    isUnthreaded: row.is_unthreaded,
    foldKind: row.fold_kind,
    releasedAt: row.released_at,
    isUrgent: row.is_urgent,
    isReplay: row.replay > 0,
    digest: row.digest,
    mode: row.template_mode,
    template: row.template,
    change: {
      entity: row.entity,
      entityId: row.entity_id,
      transition: row.transition,
      state: row.record,
      actorUserId: row.actor_user_id,
      occurredAt: row.occurred_at,
    },
    settingsVersion: row.rules_version,
    isUninstalled: row.is_uninstalled,
    tenant: {
      id: row.tenant_id,
      companyId: row.company_id,
      companyName: row.company_name,
      companyDomain: row.company_domain,
      locale: row.tenant_locale,
      timeZone: row.tenant_time_zone,
      baseCurrency: row.base_currency,
    },
    destination:
      destination === null
        ? null
        : {
            sealedCredentials: destination.sealed_credentials,
            threads: destination.threading_unsupported || row.is_unthreaded ? 'off' : destination.threads,
            locale: destination.locale,
            timeZone: destination.time_zone,
            fold: destination.fold,
            foldThreshold: destination.fold_threshold,
            quietHours: destination.quiet_hours,
            holdHours: destination.hold_hours,
            isPaused: destination.paused,
            health: destination.health,
            healthReason: destination.health_reason,
            refusals: destination.refusals,
            probes: destination.probes,
            sinceLastRefusalMs: destination.since_last_refusal_ms,
            sinceChangeMs: destination.since_change_ms,
          },
  };
}
