/** Notices in the ledger: which changes of health the tenants have not heard of, and the cards that tell them. */

import { z } from 'zod';
import { quietHoursSchema } from '../core/destination';
import { tenantIdSchema } from '../core/tenant';
import type { Database } from '../platform/database';
import { readEach } from './left-out';
import { KNOWN_HEALTHS } from './space-health';
import type { HealthChangeDue, NoticeStore, QueuedNotice } from './tell-health';

/** A destination that breaks again and again is told of once an hour at most. Who paused it knows. */
const DUE = `
  SELECT w.id, w.tenant_id, w.name, w.health = 'broken' AS is_broken, w.health_reason, w.fallback_webhook_id, w.told_through_id, t.company_domain
    FROM chat_webhooks w JOIN tenants t ON t.id = w.tenant_id
   WHERE t.uninstalled_at IS NULL
     AND ((w.health = 'broken' AND w.told_health = 'healthy' AND NOT w.paused AND coalesce(w.told_at < now() - interval '1 hour', true))
       OR (w.health IN ('healthy', 'throttled') AND w.told_health = 'broken'))
   ORDER BY w.tenant_id, w.id LIMIT 500 FOR UPDATE OF w SKIP LOCKED`;
const QUIET = `w.quiet_hours, coalesce(w.time_zone, t.settings ->> 'timeZone', t.time_zone) AS time_zone`;
/** Not one that a notice could not be sent to lately: another one hears of it instead. One that has healed since is asked again. */
const LISTENERS = `
  SELECT w.id, w.tenant_id, ${QUIET}
    FROM chat_webhooks w JOIN tenants t ON t.id = w.tenant_id
   WHERE w.tenant_id = ANY ($1::int[]) AND w.health = 'healthy' AND NOT w.paused
     AND NOT EXISTS (SELECT FROM notices n WHERE n.chat_webhook_id = w.id AND n.state = 'failed' AND n.not_before > now() - interval '1 hour'
                        AND n.not_before > w.health_since)
   ORDER BY w.id`;
const OWE = `
  INSERT INTO notices (tenant_id, chat_webhook_id, body, about_ids, request_id) VALUES ($1, $2, $3, $4, gen_random_uuid())`;
const NOTE_TOLD = `
  UPDATE chat_webhooks SET told_health = CASE WHEN health = 'broken' THEN 'broken' ELSE 'healthy' END, told_at = now(), told_through_id = $2
   WHERE id = ANY ($1::int[])`;

/** Taken for longer than a POST lasts. */
const CLAIM = `
  UPDATE notices n SET attempts = n.attempts + 1, not_before = now() + interval '15 seconds'
    FROM (SELECT id FROM notices WHERE state = 'queued' AND not_before <= now() ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) next,
         chat_webhooks w JOIN tenants t ON t.id = w.tenant_id
   WHERE n.id = next.id AND w.id = n.chat_webhook_id
  RETURNING n.id::float8 AS id, n.tenant_id, n.body, n.request_id, n.attempts, w.id AS chat_webhook_id, w.space_id, w.sealed_credentials,
            w.health, w.health_reason, w.refusals, w.probes, extract(epoch FROM now() - w.last_refusal_at)::float8 * 1000 AS since_last_refusal_ms,
            w.paused, ${QUIET}`;
/** What a notice was to tell and did not is due again, unless something newer was told of it since. */
const SETTLE = `
  WITH settled AS (
    UPDATE notices SET state = $2, attempts = attempts - CASE WHEN $4 THEN 0 ELSE 1 END,
           not_before = now() + $3 * interval '1 millisecond' WHERE id = $1
    RETURNING state, chat_webhook_id, about_ids, created_at
  )
  UPDATE chat_webhooks w SET told_health = CASE w.told_health WHEN 'broken' THEN 'healthy' ELSE 'broken' END, told_at = NULL, told_through_id = NULL
    FROM settled
   WHERE settled.state IN ('failed', 'withdrawn') AND w.id = ANY (settled.about_ids)
     AND w.told_through_id = settled.chat_webhook_id AND w.told_at = settled.created_at`;
const FORGET = `DELETE FROM notices WHERE state <> 'queued' AND created_at < now() - interval '7 days'`;

const dueRow = z
  .object({
    id: z.number(),
    tenant_id: tenantIdSchema,
    name: z.string(),
    is_broken: z.boolean(),
    health_reason: z.string().nullable(),
    fallback_webhook_id: z.number().nullable(),
    told_through_id: z.number().nullable(),
    company_domain: z.string(),
  })
  .transform((row): HealthChangeDue => ({
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    isBroken: row.is_broken,
    reason: row.health_reason,
    preferredIds: [row.is_broken ? row.fallback_webhook_id : row.told_through_id].filter((id) => id !== null),
    companyDomain: row.company_domain,
  }));
const listenerRow = z
  .object({ id: z.number(), tenant_id: tenantIdSchema, quiet_hours: quietHoursSchema.nullable(), time_zone: z.string() })
  .transform((row) => ({ id: row.id, tenantId: row.tenant_id, quietHours: row.quiet_hours, timeZone: row.time_zone }));
const noticeRow = z
  .object({
    id: z.number(),
    tenant_id: tenantIdSchema,
    body: z.string(),
    request_id: z.string(),
    attempts: z.number(),
    chat_webhook_id: z.number(),
    space_id: z.string(),
    sealed_credentials: z.string(),
    health: z.enum(KNOWN_HEALTHS),
    health_reason: z.string().nullable(),
    refusals: z.number(),
    probes: z.number(),
    since_last_refusal_ms: z.number().nullable(),
    paused: z.boolean(),
    quiet_hours: quietHoursSchema.nullable(),
    time_zone: z.string(),
  })
  .transform((row): QueuedNotice => ({
    id: row.id,
    tenant: { id: row.tenant_id },
    ruleId: null,
    body: row.body,
    requestId: row.request_id,
    attempts: row.attempts,
    spaceId: row.space_id,
    isPaused: row.paused,
    quietHours: row.quiet_hours,
    timeZone: row.time_zone,
    saved: {
      chatWebhookId: row.chat_webhook_id,
      sealedCredentials: row.sealed_credentials,
      health: {
        state: row.health,
        reason: row.health_reason,
        refusals: row.refusals,
        sinceLastRefusalMs: row.since_last_refusal_ms,
        probes: row.probes,
      },
    },
  }));

const nameRow = z.object({ id: z.number(), tenant_id: tenantIdSchema });

/** Makes the store. */
export function makeNoticeStore({ pool, transaction }: Pick<Database, 'pool' | 'transaction'>): NoticeStore {
  return {
    oweDue: (plan) =>
      transaction(async (client) => {
        const due = (await client.query(DUE)).rows.map((row) => dueRow.parse(row));
        if (due.length === 0) return;
        const { rows } = await client.query(LISTENERS, [due.map(({ tenantId }) => tenantId)]);
        // When one that cannot be read wants quiet nobody knows: others hear of it. The sender says so when it finds a message for it.
        for (const notice of plan(due, readEach(rows, listenerRow).read)) {
          await client.query(OWE, [notice.tenantId, notice.listenerId, notice.body, notice.aboutIds]);
          await client.query(NOTE_TOLD, [notice.aboutIds, notice.listenerId]);
        }
        await client.query(FORGET);
      }),
    async claim() {
      const { rows } = await pool.query(CLAIM);
      if (rows.length === 0) return null;
      const read = noticeRow.safeParse(rows[0]);
      if (read.success) return read.data;
      const { id, tenant_id: tenantId } = nameRow.parse(rows[0]);
      return { id, tenantId, error: read.error };
    },
    async settle(id, { state, afterMs, wasTried }) {
      await pool.query(SETTLE, [id, state, afterMs, wasTried]);
    },
  };
}
