/** Replays: a message told again is a new row of the ledger, under a new request id. What is still on its way, or was told again since, is left alone. */

import { createHash } from 'node:crypto';
import type { PoolClient } from 'pg';
import { z } from 'zod';
import { UNFINISHED_STATES } from '../core/delivery';
import { AppError } from '../core/errors';
import type { TenantId } from '../core/tenant';
import type { Database } from '../platform/database';
import { BECAME_AT, type DeliveryFilter } from './delivery-history.store';

/** One delivery, or what a filter finds. */
export type ReplayTarget = { readonly id: number } | { readonly filter: DeliveryFilter };

export interface ReplayRequest {
  readonly target: ReplayTarget;
  /** Only says what would happen. */
  readonly isDryRun: boolean;
  /** The same key asks for the same replay: it is done once and answered alike. */
  readonly idempotencyKey: string | null;
}

export interface Replayed {
  readonly queued: number;
  /** Of a dry run: how many would be queued. */
  readonly wouldQueue?: number;
  /** Just done, and not answered from an earlier request of the same key. */
  readonly isNew: boolean;
}

const MAX_REPLAYS = 1000;

/** What a replay takes over from its delivery: all but its state, its rendered body and its request id. */
const REPLAYED = [
  ...['tenant_id', 'event_id', 'rule_id', 'chat_webhook_id', 'entity', 'entity_id', 'transition', 'record', 'record_before'],
  ...['actor_user_id', 'occurred_at', 'template_mode', 'template'],
];

/** On its way by its own message or inside another one. */
const isUnderWay = (delivery: string, states: string): string =>
  `(${delivery}.state = ANY (${states}) OR (${delivery}.state = 'folded' AND EXISTS (
     SELECT FROM deliveries lead WHERE lead.id = ${delivery}.folded_into AND lead.state = ANY (${states}))))`;

/**
 * Only the last telling of a thing, and only when no telling of it is on its way: so a replay that is asked for twice happens once.
 * `+ 0` keeps the planner from looking for each destination by itself in the largest index of all: what failed is found by its state.
 */
const FIND = `
  SELECT d.id::float8 AS id FROM deliveries d
   WHERE d.tenant_id = $1 AND d.chat_webhook_id + 0 = ANY (ARRAY(SELECT id FROM chat_webhooks WHERE tenant_id = $1)) AND NOT ${isUnderWay('d', '$2')}
     AND ($3::bigint IS NULL OR d.id = $3)
     AND ($4::text IS NULL OR d.state = $4) AND ($5::int IS NULL OR d.rule_id = $5) AND ($6::int IS NULL OR d.chat_webhook_id = $6)
     AND ($7::timestamptz IS NULL OR ${BECAME_AT} >= $7) AND ($8::timestamptz IS NULL OR ${BECAME_AT} <= $8)
     AND NOT EXISTS (SELECT FROM deliveries o WHERE o.event_id = d.event_id AND o.rule_id = d.rule_id AND o.chat_webhook_id = d.chat_webhook_id
                        AND (${isUnderWay('o', '$2')} OR ($3::bigint IS NULL AND o.replay > d.replay)))
   ORDER BY d.id LIMIT ${String(MAX_REPLAYS)}`;

/** Two replays of one delivery at the same moment meet at the unique key: one of them wins. */
const OWE_AGAIN = `
  INSERT INTO deliveries (${REPLAYED.join(', ')}, space_id, replay, request_id, not_before)
  SELECT ${REPLAYED.map((column) => `d.${column}`).join(', ')}, c.space_id,
         1 + (SELECT max(o.replay) FROM deliveries o
               WHERE o.event_id = d.event_id AND o.rule_id = d.rule_id AND o.chat_webhook_id = d.chat_webhook_id),
         gen_random_uuid(), now()
    FROM deliveries d JOIN chat_webhooks c ON c.id = d.chat_webhook_id AND c.tenant_id = d.tenant_id
   WHERE d.tenant_id = $1 AND d.id = ANY ($2::bigint[]) ORDER BY d.id
  ON CONFLICT DO NOTHING`;

/** A second request of the same key waits here for the end of the first. */
const TAKE_KEY = `INSERT INTO idempotent_requests (tenant_id, key, digest) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`;
/** A key is good for a day. */
const FORGET_KEYS = `DELETE FROM idempotent_requests WHERE tenant_id = $1 AND created_at < now() - interval '1 day'`;
const FIND_KEY = `SELECT digest, answer FROM idempotent_requests WHERE tenant_id = $1 AND key = $2`;
const KEEP_ANSWER = `UPDATE idempotent_requests SET answer = $3 WHERE tenant_id = $1 AND key = $2`;

const keptAnswer = z.object({ digest: z.instanceof(Buffer), answer: z.object({ queued: z.number() }) });

/**
 * Owes messages again, at most 1,000, oldest first, so that the order of each record is kept. Throws an AppError (422) when the
 * idempotency key belongs to another request.
 */
export async function replay(
  database: Pick<Database, 'transaction'>,
  tenantId: TenantId,
  request: ReplayRequest,
): Promise<Replayed> {
  const { target, isDryRun, idempotencyKey } = request;
  return await database.transaction(async (client) => {
    if (isDryRun) return { queued: 0, wouldQueue: (await find(client, tenantId, target)).length, isNew: false };
    if (idempotencyKey === null) return { queued: await oweAgain(client, tenantId, target), isNew: true };
    const digest = createHash('sha256').update(JSON.stringify(target)).digest();
    await client.query(FORGET_KEYS, [tenantId]);
    const taken = await client.query(TAKE_KEY, [tenantId, idempotencyKey, digest]);
    if (taken.rowCount === 0) return { queued: await answerOf(client, tenantId, idempotencyKey, digest), isNew: false };
    const queued = await oweAgain(client, tenantId, target);
    await client.query(KEEP_ANSWER, [tenantId, idempotencyKey, JSON.stringify({ queued })]);
    return { queued, isNew: true };
  });
}

/** `missing`: the tenant has no delivery of this id; `noDestination`: its destination is gone. */
export async function judgeReplay(
  { pool }: Pick<Database, 'pool'>,
  tenantId: TenantId,
  id: number,
): Promise<'possible' | 'missing' | 'noDestination'> {
  const { rows } = await pool.query<{ isUnderWay: boolean; hasDestination: boolean }>(
    `SELECT ${isUnderWay('d', '$3')} AS "isUnderWay",
            EXISTS (SELECT FROM chat_webhooks c WHERE c.id = d.chat_webhook_id AND c.tenant_id = d.tenant_id) AS "hasDestination"
       FROM deliveries d WHERE tenant_id = $1 AND id = $2`,
    [tenantId, id, UNFINISHED_STATES],
  );
  const [found] = rows;
  if (found === undefined) return 'missing';
  return found.hasDestination || found.isUnderWay ? 'possible' : 'noDestination';
}

async function find(client: PoolClient, tenantId: TenantId, target: ReplayTarget): Promise<readonly number[]> {
  const { state, ruleId, chatWebhookId, from, to } = 'filter' in target ? target.filter : {};
  const id = 'id' in target ? target.id : null;
  const conditions = [state ?? null, ruleId ?? null, chatWebhookId ?? null, from ?? null, to ?? null];
  const { rows } = await client.query<{ id: number }>(FIND, [tenantId, UNFINISHED_STATES, id, ...conditions]);
  return rows.map((row) => row.id);
}

async function oweAgain(client: PoolClient, tenantId: TenantId, target: ReplayTarget): Promise<number> {
  const ids = await find(client, tenantId, target);
  if (ids.length === 0) return 0;
  return (await client.query(OWE_AGAIN, [tenantId, ids])).rowCount ?? 0;
}

async function answerOf(client: PoolClient, tenantId: TenantId, key: string, digest: Buffer): Promise<number> {
  const { rows } = await client.query(FIND_KEY, [tenantId, key]);
  const kept = keptAnswer.parse(rows[0]);
  if (kept.digest.equals(digest)) return kept.answer.queued;
  const message = 'This Idempotency-Key was used for another request.';
  throw new AppError('idempotency_key_reused', message, { status: 422, errors: [{ path: 'Idempotency-Key', message }] });
}
