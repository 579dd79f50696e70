/** The ledger as the sender uses it: due messages claimed per space, bodies frozen, attempts recorded; a few statements for many spaces. */

import { z } from 'zod';
import { RECORD_ENTITIES } from '../core/record';
import { FOLD_KINDS } from '../core/delivery';
import { digestSchema, TEMPLATE_MODES } from '../core/rule';
import { FOLD_POLICIES, quietHoursSchema, THREAD_POLICIES } from '../core/destination';
import { tenantIdSchema } from '../core/tenant';
import { EVENT_TYPES } from '../core/transition';
import type { Database } from '../platform/database';
import type { AttemptRecord, ClaimedDelivery, DeliveryStore, FrozenBody } from './deliver-due';
import { LET_GO_OF } from './hold.store';
import { KNOWN_HEALTHS } from './space-health';

/** A lease outlives the longest attempt (names 2.5 s, POST 10 s); a killed worker's messages go out after it. */
const LEASE_MS = 15_000;

/**
 * One statement: of the spaces that wait, whose slot and lease are free, the longest waiting get the lease and give their head. What
 * is idle, or waits for its slot, is not looked at; SKIP LOCKED keeps two workers out of one space. A message waits for the earlier
 * ones about its record: one that was put off (a refusal) is not overtaken, nor one whose telling inside another message has not left. A space in which nothing is due learns when to look
 * again, unless more was owed since the snapshot of this statement (`marks`).
 * `coalesce` hides the space from the planner: statistics taken when nothing waited make it read the whole backlog.
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
                                  WHERE e.tenant_id = d.tenant_id AND e.entity = d.entity AND e.entity_id = d.entity_id AND e.id < d.id
                                    AND e.state IN ('queued', 'sending') AND coalesce(e.space_id, '') = d.space_id
                                  ORDER BY e.id LIMIT 1) IS NULL
                            AND (d.fold_kind IS NOT NULL OR NOT EXISTS (
                              SELECT 1 FROM deliveries f JOIN deliveries lead ON lead.id = f.folded_into
                               WHERE f.tenant_id = d.tenant_id AND f.entity = d.entity AND f.entity_id = d.entity_id AND f.id < d.id
                                 AND f.state = 'folded' AND coalesce(f.space_id, '') = d.space_id AND lead.state IN ('queued', 'sending')))
                          ORDER BY d.not_before, d.id LIMIT 1) h ON true
  ), turned AS (
    UPDATE google_spaces g SET lease_until = CASE WHEN heads.not_before <= now() THEN now() + $2 * interval '1 millisecond' END,
           due_at = CASE WHEN heads.is_sure THEN heads.not_before ELSE g.due_at END,
           is_waiting = heads.id IS NOT NULL OR NOT heads.is_sure
      FROM heads WHERE g.space_id = heads.free_id
  ), claimed AS (
    SELECT * FROM heads WHERE not_before <= now()
  )
  SELECT claimed.space_id, claimed.troubles, claimed.version, claimed.id::float8 AS id, claimed.tenant_id, claimed.event_id::float8 AS event_id, claimed.rule_id,
         claimed.chat_webhook_id, claimed.entity, claimed.entity_id, claimed.transition, claimed.record,
         claimed.actor_user_id::float8 AS actor_user_id, claimed.occurred_at, claimed.template_mode, claimed.template,
         claimed.attempts + 1 AS attempts, claimed.request_id, claimed.rendered_body, claimed.is_plain, claimed.fold_kind, claimed.replay,
         claimed.is_unthreaded, claimed.uncertain, claimed.via_webhook_id, own.name AS meant_for,
         coalesce(w.health = 'broken' AND w.probe_delivery_id = claimed.id, false) AS is_probe,
         extract(epoch FROM now() - coalesce(claimed.waiting_since, now()))::float8 * 1000 AS waiting_ms,
         extract(epoch FROM now() - coalesce(claimed.released_at, claimed.created_at))::float8 * 1000 AS age_ms,
         coalesce(r.urgent, false) AS is_urgent, r.digest, w.fold, w.fold_threshold, w.quiet_hours,
         w.sealed_credentials, w.threads, w.threading_unsupported, w.locale, w.time_zone, w.paused, w.health, w.health_reason, w.refusals,
         w.probes, extract(epoch FROM now() - w.last_refusal_at)::float8 * 1000 AS since_last_refusal_ms,
         t.company_id::float8 AS company_id, t.company_name, t.company_domain, coalesce(t.settings ->> 'locale', t.locale) AS tenant_locale, coalesce(t.settings ->> 'timeZone', t.time_zone) AS tenant_time_zone,
         t.base_currency, later.next_ms
    FROM (SELECT extract(epoch FROM min(ready_at) - now())::float8 * 1000 AS next_ms
            FROM (SELECT ready_at FROM waiting WHERE ready_at > now()
                  UNION ALL SELECT not_before FROM heads WHERE not_before > now()) AS rest) later
    LEFT JOIN claimed ON true
    LEFT JOIN chat_webhooks w ON w.id = coalesce(claimed.via_webhook_id, claimed.chat_webhook_id) AND w.tenant_id = claimed.tenant_id
    LEFT JOIN chat_webhooks own ON claimed.via_webhook_id IS NOT NULL AND own.id = claimed.chat_webhook_id
    LEFT JOIN rules r ON r.id = claimed.rule_id AND r.tenant_id = claimed.tenant_id
    LEFT JOIN tenants t ON t.id = claimed.tenant_id`;

/**
 * Bodies are frozen before the first POST, so that every retry is byte-identical; with that the attempt has begun. All bodies travel as
 * one binary parameter and are cut apart by the database: a text array of them would be escaped twice. A message that was retold or
 * dropped since it was claimed, or is just being so, is left out: its body tells what is no longer true.
 */
const FREEZE = `
  WITH r AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::int[], $4::int[]) AS r(id, version, start, length)
  ), mine AS MATERIALIZED (
    SELECT d.id, r.start, r.length FROM r JOIN deliveries d ON d.id = r.id
     WHERE d.xmin::text = r.version AND coalesce(d.state, '') IN ('queued', 'sending') FOR UPDATE OF d SKIP LOCKED
  )
  UPDATE deliveries d SET state = 'sending', attempts = d.attempts + 1,
         rendered_body = CASE WHEN mine.length IS NULL THEN d.rendered_body
                              ELSE convert_from(substring($5::bytea FROM mine.start FOR mine.length), 'UTF8') END
    FROM mine WHERE d.id = mine.id
  RETURNING d.id::float8 AS id`;

/**
 * Everything that an attempt changes, in one statement: the delivery, its log row, the space's next slot (counted from now, when
 * the attempt is over, so that two writes are never less than the interval apart at Google), the destination's health.
 * `through`: a destination may have been repaired, moved or removed while its message was under way. Its row is locked, and what
 * holds no longer is not held, what was posted by its former URL says nothing of the new one, and a message follows it into its
 * new space. A message without a way (its fallback was removed) goes back to its own destination.
 */
const RECORD = `
  WITH r AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS r(id bigint, tenant_id int, event_id bigint, rule_id int, chat_webhook_id int,
      through_id int, sealed text, space_id text, state text, state_reason text, held_because text, message_name text, thread_name text,
      rewrite text, slot_after_ms float8, has_trouble boolean, is_uncertain boolean, wrote boolean, http_status int, error_message text,
      duration_ms int, health text, health_reason text, counts_refusal boolean, is_healed boolean, next_probe_ms float8,
      cannot_thread boolean, hold_all boolean, delay_all_ms float8, delay_ms float8)
  ), through AS MATERIALIZED (
    SELECT r.id, w.space_id, w.sealed_credentials = r.sealed AS is_same,
           w.sealed_credentials = r.sealed AND (r.health = 'broken' OR w.health = 'broken' OR w.paused) AS holds
      FROM r JOIN chat_webhooks w ON w.id = r.through_id WHERE r.state IN ('queued', 'held') ORDER BY w.id FOR NO KEY UPDATE OF w
  ), others AS (
    UPDATE deliveries d SET state = CASE WHEN r.hold_all THEN 'held' ELSE d.state END,
           state_reason = CASE WHEN r.hold_all THEN r.state_reason ELSE d.state_reason END,
           held_because = CASE WHEN r.hold_all THEN r.held_because ELSE d.held_because END,
           waiting_since = CASE WHEN r.hold_all THEN coalesce(d.waiting_since, now()) ELSE d.waiting_since END,
           not_before = CASE WHEN r.delay_all_ms IS NULL THEN d.not_before ELSE now() + r.delay_all_ms * interval '1 millisecond' END
      FROM r JOIN through ON through.id = r.id AND through.is_same AND (through.holds OR NOT r.hold_all)
     WHERE (r.hold_all OR r.delay_all_ms IS NOT NULL) AND coalesce(d.via_webhook_id, d.chat_webhook_id) = r.through_id
       AND d.space_id = r.space_id AND d.state = 'queued' AND d.id <> r.id
       AND (r.hold_all OR d.not_before < now() + r.delay_all_ms * interval '1 millisecond')
  ), told AS (
    UPDATE deliveries d SET state = CASE WHEN s.state = 'held' AND NOT s.holds THEN 'queued' ELSE s.state END,
           state_reason = s.state_reason, held_because = CASE WHEN s.holds THEN s.held_because END,
           waiting_since = CASE WHEN s.wrote OR s.state = 'held' THEN coalesce(d.waiting_since, now()) ELSE d.waiting_since END,
           uncertain = d.uncertain + CASE WHEN s.is_uncertain THEN 1 ELSE 0 END,
           chat_message_name = coalesce(s.message_name, d.chat_message_name), chat_thread_name = coalesce(s.thread_name, d.chat_thread_name),
           finished_at = CASE WHEN s.state IN ('sent', 'dropped', 'failed') THEN now() END,
           not_before = CASE WHEN s.is_other THEN now()
                             ELSE greatest(d.not_before, now() + coalesce(s.delay_all_ms, s.delay_ms) * interval '1 millisecond') END,
           space_id = CASE WHEN s.is_lost THEN coalesce(own.space_id, d.space_id) ELSE coalesce(s.through_space_id, d.space_id) END,
           via_webhook_id = CASE WHEN s.is_lost THEN NULL ELSE d.via_webhook_id END,
           rendered_body = CASE WHEN s.rewrite IS NULL AND NOT s.is_lost THEN d.rendered_body END,
           request_id = CASE WHEN s.rewrite IS NULL AND NOT s.is_lost THEN d.request_id ELSE gen_random_uuid() END,
           is_plain = d.is_plain OR coalesce(s.rewrite = 'plain', false),
           is_unthreaded = d.is_unthreaded OR coalesce(s.rewrite = 'unthreaded', false)
      FROM (SELECT r.*, coalesce(through.holds, false) AS holds, NOT coalesce(through.is_same, true) AS is_other, through.space_id AS through_space_id,
                   r.state IN ('queued', 'held') AND through.id IS NULL AND r.through_id <> r.chat_webhook_id AS is_lost
              FROM r LEFT JOIN through ON through.id = r.id) s
      LEFT JOIN chat_webhooks own ON s.is_lost AND own.id = s.chat_webhook_id
     WHERE d.id = s.id AND coalesce(d.state, '') IN ('queued', 'sending')
  ), logged AS (
    INSERT INTO logs (tenant_id, delivery_id, event_id, rule_id, chat_webhook_id, status, http_status, error_message, duration_ms)
    SELECT tenant_id, id, event_id, rule_id, chat_webhook_id, CASE WHEN state = 'sent' THEN 'success' ELSE 'failure' END, http_status,
           error_message, duration_ms FROM r WHERE wrote
  ), health AS (
    UPDATE chat_webhooks w SET health = coalesce(r.health, w.health),
           health_reason = CASE WHEN r.health IS NULL THEN w.health_reason ELSE r.health_reason END,
           health_since = CASE WHEN coalesce(r.health, w.health) = w.health THEN w.health_since ELSE now() END,
           refusals = CASE WHEN r.is_healed THEN 0 WHEN r.counts_refusal THEN w.refusals + 1 ELSE w.refusals END,
           last_refusal_at = CASE WHEN r.is_healed THEN NULL WHEN r.counts_refusal THEN now() ELSE w.last_refusal_at END,
           probes = CASE WHEN r.health = 'broken' AND w.health = 'broken' THEN w.probes + 1 WHEN r.health IS NULL THEN w.probes ELSE 0 END,
           next_probe_at = CASE WHEN r.health IS NULL THEN w.next_probe_at ELSE now() + r.next_probe_ms * interval '1 millisecond' END,
           threading_unsupported = w.threading_unsupported OR r.cannot_thread
      FROM r WHERE w.id = r.through_id AND w.sealed_credentials = r.sealed AND (r.health IS NOT NULL OR r.cannot_thread)
       AND (SELECT count(*) FROM through) >= 0
  )
  UPDATE google_spaces g SET lease_until = NULL, troubles = CASE WHEN r.has_trouble THEN g.troubles + 1 WHEN r.wrote THEN 0 ELSE g.troubles END,
         next_slot_at = CASE WHEN r.slot_after_ms IS NULL THEN g.next_slot_at ELSE clock_timestamp() + r.slot_after_ms * interval '1 millisecond' END
    FROM r WHERE g.space_id = r.space_id`;

/** Nothing was sent; whoever changes the messages meanwhile is given a moment. */
const RELEASE = `
  UPDATE google_spaces SET lease_until = NULL, next_slot_at = greatest(next_slot_at, now() + interval '20 milliseconds')
   WHERE space_id = ANY ($1::text[])`;

const object = z.record(z.string(), z.unknown());
const claimedRow = z.object({
  space_id: z.string(),
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
  record: object,
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
  waiting_ms: z.number(),
  fold_kind: z.enum(FOLD_KINDS).nullable(),
  replay: z.number(),
  is_urgent: z.boolean(),
  digest: digestSchema.nullable(),
  age_ms: z.number(),
  company_id: z.number(),
  company_name: z.string(),
  company_domain: z.string(),
  tenant_locale: z.string(),
  tenant_time_zone: z.string(),
  base_currency: z.string(),
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
  paused: z.boolean(),
  health: z.enum(KNOWN_HEALTHS),
  health_reason: z.string().nullable(),
  refusals: z.number(),
  probes: z.number(),
  since_last_refusal_ms: z.number().nullable(),
});

/** Makes the sender's store. */
export function makeDeliveryStore({ pool, transaction }: Pick<Database, 'pool' | 'transaction'>): DeliveryStore {
  return {
    async claimDue(limit) {
      const { rows } = await pool.query<Record<string, unknown>>({ name: 'claim', text: CLAIM, values: [limit, LEASE_MS] });
      const next = rows[0]?.['next_ms'];
      return {
        claimed: rows.filter((row) => row['id'] !== null).map(toClaimed),
        nextMs: typeof next === 'number' ? Math.max(0, next) : null,
      };
    },
    async freeze(bodies) {
      const { rows } = await pool.query<{ id: number }>(FREEZE, freezeParameters(bodies));
      const frozen = new Set(rows.map(({ id }) => id));
      return bodies.map(({ delivery }) => frozen.has(delivery.id));
    },
    async release(spaceIds) {
      await pool.query(RELEASE, [spaceIds]);
    },
    async record(attempts) {
      // Without a name: planned anew each time, because a plan made while the table was small would be kept.
      const statement = { text: RECORD, values: [JSON.stringify(attempts.map(attemptRow))] };
      const revived = attempts.filter(isRevival).map(({ delivery }) => throughId(delivery));
      if (revived.length === 0) await pool.query(statement);
      else {
        await transaction(async (client) => {
          await client.query(statement);
          for (const letGo of LET_GO_OF) await client.query(letGo, [revived]);
        });
      }
    },
    async dropLeases() {
      await pool.query('UPDATE google_spaces SET lease_until = NULL WHERE lease_until IS NOT NULL');
    },
  };
}

function freezeParameters(bodies: readonly FrozenBody[]): unknown[] {
  const fresh = bodies.map(({ delivery, body }) => (delivery.renderedBody === body ? null : Buffer.from(body)));
  let end = 1;
  const starts = fresh.map((bytes) => (end += bytes?.length ?? 0) - (bytes?.length ?? 0));
  return [
    bodies.map(({ delivery }) => delivery.id),
    bodies.map(({ delivery }) => delivery.version),
    starts,
    fresh.map((bytes) => bytes?.length ?? null),
    Buffer.concat(fresh.filter((bytes) => bytes !== null)),
  ];
}

/** A broken destination took its trial. */
function isRevival({ health, delivery }: AttemptRecord): boolean {
  return health?.isHealed === true && delivery.destination?.health === 'broken';
}

/** The destination that a delivery goes to: its own, or the fallback of that. */
function throughId(delivery: ClaimedDelivery): number {
  return delivery.viaWebhookId ?? delivery.chatWebhookId;
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
    troubles: row.troubles,
    attempts: row.attempts,
    ageMs: row.age_ms,
    waitingMs: row.waiting_ms,
    uncertain: row.uncertain,
    isProbe: row.is_probe,
    requestId: row.request_id,
    renderedBody: row.rendered_body,
    isPlain: row.is_plain,
    isUnthreaded: row.is_unthreaded,
    foldKind: row.fold_kind,
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
            isPaused: destination.paused,
            health: destination.health,
            healthReason: destination.health_reason,
            refusals: destination.refusals,
            probes: destination.probes,
            sinceLastRefusalMs: destination.since_last_refusal_ms,
          },
  };
}

function attemptRow(attempt: AttemptRecord): object {
  const { delivery, wrote, health } = attempt;
  return {
    id: delivery.id,
    tenant_id: delivery.tenant.id,
    event_id: delivery.eventId,
    rule_id: delivery.ruleId,
    chat_webhook_id: delivery.chatWebhookId,
    through_id: throughId(delivery),
    sealed: delivery.destination?.sealedCredentials ?? null,
    space_id: delivery.spaceId,
    state: attempt.state,
    state_reason: attempt.stateReason,
    held_because: attempt.heldBecause,
    message_name: attempt.messageName,
    thread_name: attempt.threadName,
    rewrite: attempt.rewrite,
    slot_after_ms: attempt.slotAfterMs,
    has_trouble: attempt.hasTrouble,
    is_uncertain: attempt.isUncertain,
    wrote: wrote !== null,
    http_status: wrote?.httpStatus ?? null,
    error_message: wrote?.errorMessage ?? null,
    duration_ms: wrote?.durationMs ?? null,
    health: health?.state ?? null,
    health_reason: health?.reason ?? null,
    counts_refusal: health?.countsRefusal ?? false,
    is_healed: health?.isHealed ?? false,
    next_probe_ms: health?.nextProbeMs ?? null,
    cannot_thread: attempt.cannotThread,
    hold_all: attempt.holdAll,
    delay_all_ms: attempt.delayAllMs,
    delay_ms: attempt.delayMs,
  };
}
