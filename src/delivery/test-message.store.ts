/** The statements of a test message. */

import type { PoolClient } from 'pg';
import { z } from 'zod';
import { eventTypeSchema, TEMPLATE_MODES } from '../core/rule';
import { tenantIdSchema } from '../core/tenant';
import type { Database } from '../platform/database';
import { LET_GO_OF } from './hold.store';
import type { SavedDestination, SavedRecipient, TestStore } from './send-test';
import { KNOWN_HEALTHS, type HealthChange } from './space-health';

const RECIPIENTS = `
  SELECT w.id AS chat_webhook_id, w.space_id, w.sealed_credentials, w.health, w.health_reason, w.refusals, w.probes,
         extract(epoch FROM now() - w.last_refusal_at)::float8 * 1000 AS since_last_refusal_ms, w.locale, w.time_zone, r.id AS rule_id,
         coalesce(r.event_type, 'deal.won') AS event_type, coalesce(r.template_mode, 'compact') AS template_mode, r.template,
         t.id AS tenant_id, t.company_id::float8 AS company_id, t.company_name, t.company_domain, coalesce(t.settings ->> 'locale', t.locale) AS tenant_locale,
         coalesce(t.settings ->> 'timeZone', t.time_zone) AS tenant_time_zone, t.base_currency
    FROM chat_webhooks w JOIN tenants t ON t.id = w.tenant_id
    LEFT JOIN rules r ON r.tenant_id = w.tenant_id AND r.id = $2
   WHERE w.tenant_id = $1
     AND (w.id = ANY ($3::int[]) OR EXISTS (SELECT 1 FROM rule_targets g WHERE g.rule_id = r.id AND g.chat_webhook_id = w.id)) ORDER BY w.id`;

/** A message is due, or will be before whoever takes the slot has given it back ($2: the interval). */
const IS_WANTED = `coalesce(g.is_waiting AND g.due_at <= greatest(g.next_slot_at, now()) + $2 * interval '1 millisecond', false)`;
const IS_OPEN = `(g.next_slot_at <= now() AND NOT ${IS_WANTED})`;
/** Nothing did for as long as $3, or the clock jumped back since; and the slot comes soon enough. */
const MAY_CUT_IN = `
  (coalesce(g.cut_in_at NOT BETWEEN now() - $3 * interval '1 millisecond' AND now() + interval '1 minute', true)
   AND g.next_slot_at <= now() + $4 * interval '1 millisecond')`;
/**
 * Taken like any other write: the lease must be free, and the slot, which belongs to a message that wants it. Whoever cuts in has the
 * lease ahead of the slot: the sender leaves the space alone meanwhile.
 */
const RESERVE = `
  INSERT INTO google_spaces AS g (space_id, next_slot_at, lease_until) VALUES ($1, now(), now() + interval '15 seconds')
  ON CONFLICT (space_id) DO UPDATE SET lease_until = greatest(g.next_slot_at, now()) + interval '15 seconds',
         cut_in_at = CASE WHEN ${IS_OPEN} THEN g.cut_in_at ELSE now() END
   WHERE (g.lease_until IS NULL OR g.lease_until <= now()) AND (${IS_OPEN} OR ${MAY_CUT_IN})
  RETURNING g.lease_until::text AS lease, greatest(extract(epoch FROM g.next_slot_at - now()) * 1000, 0)::float8 AS ms`;
/**
 * A lease ends with its message, long before the slot after that: whoever looks often enough finds the space without one. Who asked for
 * a rest is known of the destinations: Chat's answer to one of them counts for the space.
 */
const WAIT = `
  SELECT greatest(CASE WHEN g.lease_until > now() THEN $2 / 4 ELSE 0 END,
                  CASE WHEN ${MAY_CUT_IN} THEN 0 ELSE rest.ms END,
                  CASE WHEN ${IS_WANTED} AND NOT ${MAY_CUT_IN} THEN $2 ELSE 0 END, 20)::float8 AS ms, greatest(rest.ms, 0)::float8 AS rest_ms,
         EXISTS (SELECT FROM chat_webhooks w WHERE w.space_id = g.space_id AND w.health = 'throttled') AS is_throttled
    FROM google_spaces g CROSS JOIN LATERAL (SELECT extract(epoch FROM g.next_slot_at - now()) * 1000 AS ms) rest WHERE g.space_id = $1`;

/** What the former URL of a destination came to says nothing of its new one. */
const HEALTH = `
  UPDATE chat_webhooks SET health = $3, health_reason = $4, health_cause = $8, health_since = CASE WHEN health = $3 THEN health_since ELSE now() END,
         refusals = CASE WHEN $5 THEN 0 WHEN $6 THEN refusals + 1 ELSE refusals END,
         last_refusal_at = CASE WHEN $5 THEN NULL WHEN $6 THEN now() ELSE last_refusal_at END,
         probes = CASE WHEN $3 = 'broken' THEN probes ELSE 0 END, next_probe_at = now() + $7::float8 * interval '1 millisecond'
   WHERE id = $1 AND sealed_credentials = $2`;
const LOG = `
  INSERT INTO logs (tenant_id, rule_id, chat_webhook_id, status, http_status, error_message, test_body, duration_ms)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;
/** As what a message came to is recorded (record.store.ts). */
const SLOT = `
  UPDATE google_spaces SET lease_until = CASE WHEN lease_until <> $3::timestamptz THEN lease_until END,
         next_slot_at = greatest(next_slot_at, clock_timestamp() + $2 * interval '1 millisecond') WHERE space_id = $1
  RETURNING is_waiting`;

const recipientRow = z
  .object({
    chat_webhook_id: z.number(),
    space_id: z.string(),
    sealed_credentials: z.string(),
    // What this version does not know is mended when the test arrives.
    health: z.enum(KNOWN_HEALTHS).catch('broken'),
    health_reason: z.string().nullable(),
    refusals: z.number(),
    probes: z.number(),
    since_last_refusal_ms: z.number().nullable(),
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
    spaceId: row.space_id,
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
    locale: row.locale,
    timeZone: row.time_zone,
    ruleId: row.rule_id,
    eventType: row.event_type,
    mode: row.template_mode,
    template: row.template,
  }));

/** Makes the store. */
export function makeTestStore({ pool, transaction }: Pick<Database, 'pool' | 'transaction'>): TestStore {
  return {
    async findRecipients(target) {
      const ruleId = 'ruleId' in target ? target.ruleId : null;
      const chatWebhookIds = 'chatWebhookIds' in target ? target.chatWebhookIds : [];
      const { rows } = await pool.query(RECIPIENTS, [target.tenantId, ruleId, chatWebhookIds]);
      return rows.map((row) => recipientRow.parse(row));
    },
    async reserveSlot(spaceId, { intervalMs, cutInEveryMs, withinMs }) {
      const values = [spaceId, intervalMs, cutInEveryMs, withinMs];
      const [taken] = (await pool.query<{ lease: string; ms: number }>(RESERVE, values)).rows;
      if (taken !== undefined) return { kind: 'taken', lease: taken.lease, waitMs: Math.ceil(taken.ms) };
      const [wait] = (await pool.query<{ ms: number; rest_ms: number; is_throttled: boolean }>(WAIT, values)).rows;
      const rest = { restMs: Math.ceil(wait?.rest_ms ?? 0), isThrottled: wait?.is_throttled ?? false };
      return { kind: 'busy', waitMs: Math.ceil(wait?.ms ?? intervalMs), ...rest };
    },
    async recordTest(recipient, { lease, outcome, body, durationMs, intervalMs, health }) {
      const { tenant, ruleId, saved, spaceId } = recipient;
      return await transaction(async (client) => {
        if (health !== null && saved !== null) await changeHealth(client, saved, health);
        const status = outcome.kind === 'sent' ? 'success' : 'failure';
        const errorMessage = outcome.kind === 'sent' ? null : outcome.reason;
        const chatWebhookId = saved?.chatWebhookId ?? null;
        const attempt = [
          tenant.id,
          ruleId,
          chatWebhookId,
          status,
          outcome.httpStatus,
          errorMessage,
          body,
          Math.round(durationMs),
        ];
        await client.query(LOG, attempt);
        // What asks Dealbell to wait asks for the whole space.
        const askedMs = 'retryAfterMs' in outcome ? (outcome.retryAfterMs ?? 0) : 0;
        const { rows } = await client.query<{ is_waiting: boolean }>(SLOT, [spaceId, Math.max(intervalMs, askedMs), lease]);
        return { areMessagesWaiting: rows[0]?.is_waiting === true };
      });
    },
    recordHealth: (saved, health) => transaction((client) => changeHealth(client, saved, health)),
  };
}

async function changeHealth(client: PoolClient, saved: SavedDestination, health: HealthChange): Promise<void> {
  const { chatWebhookId, sealedCredentials } = saved;
  const { state, reason, cause, isHealed, countsRefusal, nextProbeMs } = health;
  await client.query(HEALTH, [chatWebhookId, sealedCredentials, state, reason, isHealed, countsRefusal, nextProbeMs, cause]);
  if (isHealed) for (const statement of LET_GO_OF) await client.query(statement, [[chatWebhookId]]);
}
