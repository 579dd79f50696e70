/** Records what attempts came to. */

import type { Database } from '../platform/database';
import type { AttemptRecord, ClaimedDelivery, DeliveryStore } from './delivery-ledger';
import { LET_GO_OF } from './hold.store';
import { IS_GATHERED } from './let-go.store';

/**
 * The ordinary case by itself, because planning the whole costs more than doing this: the message is sent, its log row, the next slot of
 * its space. It does exactly what RECORD_ANY would. What was posted counts for the slot also when the space was lost meanwhile, but
 * then its lease is somebody else's, and so is a slot that is further away.
 */
const RECORD_SENT = `
  WITH r AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::int[], $3::bigint[], $4::int[], $5::int[], $6::text[], $7::text[], $8::text[], $9::int[], $10::int[], $11::float8[], $12::timestamptz[])
               AS r(id, tenant_id, event_id, rule_id, chat_webhook_id, space_id, message_name, thread_name, http_status, duration_ms, slot_after_ms, lease)
  ), told AS (
    UPDATE deliveries d SET state = 'sent', state_reason = NULL, held_because = NULL, uncertain = d.uncertain - 1, waiting_since = coalesce(d.waiting_since, now()),
           chat_message_name = coalesce(r.message_name, d.chat_message_name), chat_thread_name = coalesce(r.thread_name, d.chat_thread_name),
           finished_at = now()
      FROM r WHERE d.id = r.id AND coalesce(d.state, '') IN ('queued', 'sending')
  ), logged AS (
    INSERT INTO logs (tenant_id, delivery_id, event_id, rule_id, chat_webhook_id, status, http_status, duration_ms)
    SELECT tenant_id, id, event_id, rule_id, chat_webhook_id, 'success', http_status, duration_ms FROM r
  )
  UPDATE google_spaces g SET lease_until = CASE WHEN g.lease_until <> r.lease THEN g.lease_until END, troubles = 0,
         next_slot_at = greatest(g.next_slot_at, clock_timestamp() + r.slot_after_ms * interval '1 millisecond')
    FROM r WHERE g.space_id = r.space_id`;

/** It waits for its rule's digest, whatever its destination can take. */
const IS_TO_BE_GATHERED = `
  (d.rendered_body IS NULL AND d.fold_kind IS NULL AND NOT d.is_plain AND NOT d.is_unthreaded AND d.replay = 0 AND ${IS_GATHERED})`;

/**
 * Everything that an attempt changes, in one statement: the delivery, its log row, the space's next slot (counted from now, when
 * the attempt is over, so that two writes are never less than the interval apart at Google), the destination's health.
 * `through`: a destination may have been repaired, moved or removed while its message was under way. Its row is locked, and what
 * holds no longer is not held, nor is the trial by which a broken one may be found to work, nor what may still be decided anew before it is due; what was posted by its former URL says nothing of the new one, and a message follows it into its
 * new space. A message without a way (its fallback was removed) goes back to its own destination. When nothing was posted and the space
 * was lost meanwhile, all is left to whoever has that; but what takes longer than its lease each time would never be recorded so, and is while
 * its message is as it was claimed.
 */
const RECORD_ANY = `
  WITH r AS MATERIALIZED (
    SELECT r.* FROM jsonb_to_recordset($1::jsonb) AS r(id bigint, tenant_id int, event_id bigint, rule_id int, chat_webhook_id int,
      through_id int, sealed text, space_id text, lease timestamptz, state text, state_reason text, held_because text, message_name text, thread_name text,
      rewrite text, slot_after_ms float8, has_trouble boolean, is_answered boolean, is_unprepared boolean, is_slow boolean, version text, wrote boolean, http_status int, error_message text,
      duration_ms int, health text, health_reason text, health_cause text, counts_refusal boolean, is_healed boolean, next_probe_ms float8,
      cannot_thread boolean, hold_all boolean, drop_all boolean, delay_all_ms float8, delay_ms float8)
     WHERE r.wrote OR r.is_slow OR EXISTS (SELECT FROM google_spaces g WHERE g.space_id = r.space_id AND g.lease_until = r.lease)
  ), through AS MATERIALIZED (
    SELECT r.id, w.space_id, w.sealed_credentials = r.sealed AS is_same,
           w.sealed_credentials = r.sealed AND (r.health = 'broken' OR w.health = 'broken' OR w.paused) AS holds,
           CASE WHEN w.health = 'broken' THEN w.probe_delivery_id END AS probe_id
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
       AND CASE WHEN r.hold_all THEN d.not_before <= now() AND d.id IS DISTINCT FROM through.probe_id AND NOT ${IS_TO_BE_GATHERED}
                ELSE d.not_before < now() + r.delay_all_ms * interval '1 millisecond' END
  ), given_up AS (
    UPDATE deliveries d SET state = 'dropped', state_reason = r.state_reason, finished_at = now()
      FROM r JOIN tenants t ON t.id = r.tenant_id AND t.uninstalled_at IS NOT NULL
     WHERE r.drop_all AND d.tenant_id = r.tenant_id AND d.space_id = r.space_id AND d.state = 'queued' AND d.not_before <= now() AND d.id <> r.id
  ), told AS (
    UPDATE deliveries d SET state = CASE WHEN s.state = 'held' AND NOT s.holds THEN 'queued' ELSE s.state END,
           state_reason = s.state_reason, held_because = CASE WHEN s.holds THEN s.held_because END,
           waiting_since = CASE WHEN s.wrote OR s.state = 'held' OR (s.is_slow AND s.is_unprepared) THEN coalesce(d.waiting_since, now()) ELSE d.waiting_since END,
           attempts = d.attempts + CASE WHEN s.is_unprepared THEN 1 ELSE 0 END,
           uncertain = d.uncertain - CASE WHEN s.is_answered THEN 1 ELSE 0 END,
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
     WHERE d.id = s.id AND coalesce(d.state, '') IN ('queued', 'sending') AND (NOT s.is_slow OR d.xmin::text = s.version)
  ), logged AS (
    INSERT INTO logs (tenant_id, delivery_id, event_id, rule_id, chat_webhook_id, status, http_status, error_message, duration_ms)
    SELECT tenant_id, id, event_id, rule_id, chat_webhook_id, CASE WHEN state = 'sent' THEN 'success' ELSE 'failure' END, http_status,
           error_message, duration_ms FROM r WHERE wrote
  ), health AS (
    UPDATE chat_webhooks w SET health = coalesce(r.health, w.health),
           health_reason = CASE WHEN r.health IS NULL THEN w.health_reason ELSE r.health_reason END,
           health_cause = CASE WHEN r.health IS NULL THEN w.health_cause ELSE r.health_cause END,
           health_since = CASE WHEN coalesce(r.health, w.health) = w.health THEN w.health_since ELSE now() END,
           refusals = CASE WHEN r.is_healed THEN 0 WHEN r.counts_refusal THEN w.refusals + 1 ELSE w.refusals END,
           last_refusal_at = CASE WHEN r.is_healed THEN NULL WHEN r.counts_refusal THEN now() ELSE w.last_refusal_at END,
           probes = CASE WHEN r.health = 'broken' AND w.health = 'broken' THEN w.probes + 1 WHEN r.health IS NULL THEN w.probes ELSE 0 END,
           next_probe_at = CASE WHEN r.health IS NULL THEN w.next_probe_at ELSE now() + r.next_probe_ms * interval '1 millisecond' END,
           threading_unsupported = w.threading_unsupported OR r.cannot_thread
      FROM r WHERE w.id = r.through_id AND w.sealed_credentials = r.sealed AND (r.health IS NOT NULL OR r.cannot_thread)
       AND (SELECT count(*) FROM through) >= 0
  )
  UPDATE google_spaces g SET lease_until = CASE WHEN g.lease_until <> r.lease THEN g.lease_until END,
         troubles = CASE WHEN r.has_trouble THEN g.troubles + 1 WHEN r.wrote THEN 0 ELSE g.troubles END,
         next_slot_at = greatest(g.next_slot_at, clock_timestamp() + r.slot_after_ms * interval '1 millisecond')
    FROM r WHERE g.space_id = r.space_id AND (r.wrote OR g.lease_until = r.lease)`;

interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

/** Makes `record`. */
export function makeRecord({
  pool,
  keyed,
  transaction,
}: Pick<Database, 'pool' | 'keyed' | 'transaction'>): DeliveryStore['record'] {
  return async (attempts) => {
    const statements = statementsFor(attempts);
    const [only] = statements;
    if (statements.length === 1 && only?.text === RECORD_SENT) await keyed.query({ name: 'record-sent', ...only });
    else if (statements.length === 1 && only !== undefined) await run(pool, only);
    else
      await transaction(async (client) => {
        for (const statement of statements) await run(client, statement);
      });
  };
}

/** Without a name: planned anew each time, because a plan made while the table was small would be kept. */
async function run(client: Pick<Database['pool'], 'query'>, { text, values }: Statement): Promise<void> {
  await client.query(text, values);
}

function statementsFor(attempts: readonly AttemptRecord[]): readonly Statement[] {
  const sent = attempts.filter(isPlainlySent);
  const others = attempts.filter((attempt) => !isPlainlySent(attempt));
  const revived = attempts.filter(isRevival).map(({ delivery }) => throughId(delivery));
  return [
    ...(sent.length === 0 ? [] : [{ text: RECORD_SENT, values: sentColumns(sent) }]),
    ...(others.length === 0 ? [] : [{ text: RECORD_ANY, values: [JSON.stringify(others.map(attemptRow))] }]),
    ...(revived.length === 0 ? [] : LET_GO_OF.map((text) => ({ text, values: [revived] }))),
  ];
}

/** Sent, and nothing new is known of its destination. */
function isPlainlySent({ state, wrote, slotAfterMs, health, cannotThread }: AttemptRecord): boolean {
  return state === 'sent' && wrote !== null && slotAfterMs !== null && health === null && !cannotThread;
}

function sentColumns(attempts: readonly AttemptRecord[]): unknown[] {
  const deliveries = attempts.map(({ delivery }) => delivery);
  return [
    deliveries.map(({ id }) => id),
    deliveries.map(({ tenant }) => tenant.id),
    deliveries.map(({ eventId }) => eventId),
    deliveries.map(({ ruleId }) => ruleId),
    deliveries.map(({ chatWebhookId }) => chatWebhookId),
    deliveries.map(({ spaceId }) => spaceId),
    attempts.map(({ messageName }) => messageName),
    attempts.map(({ threadName }) => threadName),
    attempts.map(({ wrote }) => wrote?.httpStatus),
    attempts.map(({ wrote }) => wrote?.durationMs),
    attempts.map(({ slotAfterMs }) => slotAfterMs),
    deliveries.map(({ lease }) => lease),
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
    lease: delivery.lease,
    state: attempt.state,
    state_reason: attempt.stateReason,
    held_because: attempt.heldBecause,
    message_name: attempt.messageName,
    thread_name: attempt.threadName,
    rewrite: attempt.rewrite,
    slot_after_ms: attempt.slotAfterMs,
    has_trouble: attempt.hasTrouble,
    is_answered: attempt.isAnswered,
    is_unprepared: attempt.isUnprepared,
    is_slow: attempt.isSlow,
    version: delivery.version,
    wrote: wrote !== null,
    http_status: wrote?.httpStatus ?? null,
    error_message: wrote?.errorMessage ?? null,
    duration_ms: wrote?.durationMs ?? null,
    health: health?.state ?? null,
    health_reason: health?.reason ?? null,
    health_cause: health?.cause ?? null,
    counts_refusal: health?.countsRefusal ?? false,
    is_healed: health?.isHealed ?? false,
    next_probe_ms: health?.nextProbeMs ?? null,
    cannot_thread: attempt.cannotThread,
    hold_all: attempt.holdAll,
    drop_all: attempt.dropAll,
    delay_all_ms: attempt.delayAllMs,
    delay_ms: attempt.delayMs,
  };
}
