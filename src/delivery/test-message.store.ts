/** The statements of a test message. */

import type { Pool } from 'pg';
import { z } from 'zod';
import { eventTypeSchema, TEMPLATE_MODES } from '../core/rule';
import { tenantIdSchema } from '../core/tenant';
import type { SavedRecipient, TestStore } from './send-test';

const RECIPIENTS = `
  SELECT w.id AS chat_webhook_id, w.space_id, w.sealed_credentials, w.locale, w.time_zone, r.id AS rule_id,
         coalesce(r.event_type, 'deal.won') AS event_type, coalesce(r.template_mode, 'compact') AS template_mode, r.template,
         t.id AS tenant_id, t.company_id::float8 AS company_id, t.company_name, t.company_domain, coalesce(t.settings ->> 'locale', t.locale) AS tenant_locale,
         coalesce(t.settings ->> 'timeZone', t.time_zone) AS tenant_time_zone, t.base_currency
    FROM chat_webhooks w JOIN tenants t ON t.id = w.tenant_id
    LEFT JOIN rules r ON r.tenant_id = w.tenant_id AND r.id = $2
   WHERE w.tenant_id = $1
     AND (w.id = $3 OR EXISTS (SELECT 1 FROM rule_targets g WHERE g.rule_id = r.id AND g.chat_webhook_id = w.id)) ORDER BY w.id`;

/** Taken like any other write: the slot and the lease must both be free. */
const RESERVE = `
  INSERT INTO google_spaces (space_id, next_slot_at, lease_until) VALUES ($1, now(), now() + interval '15 seconds')
  ON CONFLICT (space_id) DO UPDATE SET lease_until = now() + interval '15 seconds'
   WHERE google_spaces.next_slot_at <= now() AND (google_spaces.lease_until IS NULL OR google_spaces.lease_until <= now())
  RETURNING space_id`;
const WAIT = `
  SELECT greatest(extract(epoch FROM next_slot_at - now()) * 1000, CASE WHEN lease_until > now() THEN $2 ELSE 0 END, 20)::float8 AS ms
    FROM google_spaces WHERE space_id = $1`;

const RECORD = `
  WITH slot AS (
    UPDATE google_spaces SET lease_until = NULL, next_slot_at = clock_timestamp() + $9 * interval '1 millisecond' WHERE space_id = $8
  ), healed AS (
    UPDATE chat_webhooks SET health = 'healthy', health_reason = NULL, health_since = now(), refusals = 0, last_refusal_at = NULL
     WHERE id = $3 AND $4 = 'success' AND health <> 'healthy'
  )
  INSERT INTO logs (tenant_id, rule_id, chat_webhook_id, status, http_status, error_message, test_body, duration_ms)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $10)`;

const recipientRow = z
  .object({
    chat_webhook_id: z.number(),
    space_id: z.string(),
    sealed_credentials: z.string(),
    locale: z.string().nullable(),
    time_zone: z.string().nullable(),
    rule_id: z.number().nullable(),
    event_type: eventTypeSchema,
    template_mode: z.enum(TEMPLATE_MODES),
    template: z.string().nullable(),
    tenant_id: tenantIdSchema,
    company_id: z.number(),
    company_name: z.string(),
    company_domain: z.string(),
    tenant_locale: z.string(),
    tenant_time_zone: z.string(),
    base_currency: z.string(),
  })
  .transform((row): SavedRecipient => ({
    tenant: {
      id: row.tenant_id,
      companyId: row.company_id,
      companyName: row.company_name,
      companyDomain: row.company_domain,
      locale: row.tenant_locale,
      timeZone: row.tenant_time_zone,
      baseCurrency: row.base_currency,
    },
    chatWebhookId: row.chat_webhook_id,
    spaceId: row.space_id,
    sealedCredentials: row.sealed_credentials,
    locale: row.locale,
    timeZone: row.time_zone,
    ruleId: row.rule_id,
    eventType: row.event_type,
    mode: row.template_mode,
    template: row.template,
  }));

/** Makes the store. */
export function makeTestStore(pool: Pool): TestStore {
  return {
    async findRecipients(target) {
      const ruleId = 'ruleId' in target ? target.ruleId : null;
      const chatWebhookId = 'chatWebhookId' in target ? target.chatWebhookId : null;
      const { rows } = await pool.query(RECIPIENTS, [target.tenantId, ruleId, chatWebhookId]);
      return rows.map((row) => recipientRow.parse(row));
    },
    async reserveSlot(spaceId, intervalMs) {
      const reserved = await pool.query(RESERVE, [spaceId]);
      if (reserved.rowCount === 1) return 0;
      const { rows } = await pool.query<{ ms: number }>(WAIT, [spaceId, intervalMs]);
      return Math.ceil(rows[0]?.ms ?? intervalMs);
    },
    async recordTest(recipient, outcome, body, durationMs, intervalMs) {
      const status = outcome.kind === 'sent' ? 'success' : 'failure';
      const errorMessage = outcome.kind === 'sent' ? null : outcome.reason;
      await pool.query(RECORD, [
        recipient.tenant.id,
        recipient.ruleId,
        recipient.chatWebhookId,
        status,
        outcome.httpStatus,
        errorMessage,
        body,
        recipient.spaceId,
        intervalMs,
        Math.round(durationMs),
      ]);
    },
  };
}
