/** Folding in the ledger: how a space's backlog stands, which deliveries one message tells, and what it has to tell of them. */

import type { Pool } from 'pg';
import { z } from 'zod';
import type { FoldKind } from '../core/delivery';
import type { RecordChange } from '../core/transition';
import { isUnfinished } from '../core/unfinished.store';
import { WON_NAMES_BYTES } from '../messages/render-fold';
import type { Database } from '../platform/database';
import { unfold } from './come-apart.store';
import type { ClaimedDelivery } from './delivery-ledger';
import { IS_TOLD_BEFORE, isEarlier, isHeldForTime } from './earlier.store';
import { makeFailUntold } from './fail-untold.store';
import { candidatesIn, memberIn, type FoldMember } from './fold-rows';
import { HALVE } from './halve-fold.store';
import { LEAVE_OUT } from './leave-out.store';
import type { Backlog, Fold, FoldCandidate } from './plan-fold';

/** A space whose head was claimed; a fold is decided only by whoever holds its lease. */
export interface Head {
  readonly delivery: ClaimedDelivery;
  readonly limit: number;
}

export interface SpaceBacklog extends Backlog {
  /**
   * An earlier message about the head's record waits in its destination's quiet hours, or for a digest that is not told any more, or was let
   * go since the head was claimed.
   */
  readonly heldBefore: boolean;
}

/**
 * What puts a message off leaves a space that was lost meanwhile to whoever has it. What leaves some out of one, or halves it, leaves that as it is
 * when somebody changed it since it was claimed.
 */
export interface FoldStore {
  /** How it stands with the claimed heads' spaces, by delivery id. */
  backlogs(heads: readonly Head[]): Promise<ReadonlyMap<number, SpaceBacklog>>;
  /** Folds what `plan` says of the due messages of the head's destination, in one transaction. Gives the head as it is then. */
  fold(head: ClaimedDelivery, isUrgentOnly: boolean, plan: Plan): Promise<ClaimedDelivery>;
  /** The claimed message of several, never prepared, tells itself alone again; each of the others is due by itself. Its space is free. */
  takeApart(head: ClaimedDelivery): Promise<void>;
  /** The claimed message is not sent now; its space is looked at again after this time. */
  putOff(head: ClaimedDelivery, afterMs: number): Promise<void>;
  /** The claimed message is not sent for this time; others of its space go meanwhile. */
  putOffAlone(head: ClaimedDelivery, afterMs: number): Promise<void>;
  /** What each of these deliveries' message tells, by delivery id. Rejects when any of it cannot be read. */
  loadFolds(leadIds: readonly number[]): Promise<ReadonlyMap<number, readonly RecordChange[]>>;
  /** What the delivery's message tells, in the order of the ids. */
  members(leadId: number): Promise<readonly FoldMember[]>;
  /** These are not told by the claimed message, never prepared, any more: each tells itself alone, and the others are told as before. */
  leaveOut(lead: ClaimedDelivery, ids: readonly number[]): Promise<void>;
  /** The claimed message of several, never prepared, becomes two of half as many, which wait for this time. Its space is free. */
  halve(lead: ClaimedDelivery, afterMs: number): Promise<void>;
  /** A message of several that never went has told none of them. */
  failUntold(): Promise<void>;
}

export type Plan = (head: FoldCandidate, candidates: readonly FoldCandidate[]) => readonly Fold[];

/** Messages that follow a fold within this time belong to its burst. */
const BURST_MS = 10_000;
/** Nothing new for so long: the burst is over. */
const CALM_MS = 700;
/** What is due so soon counts as a part of the backlog, and is waited for. */
const SOON_MS = 2_000;
const MOST_CANDIDATES = 20_000;
/** To guess whether names fill a message: what is counted of a name at most, what stands around it, and after how many it is clear. */
const NAME_BYTES = 100;
const AROUND_NAME_BYTES = 6;
const MOST_NAMES = 2_000;

const BACKLOGS = `
  SELECT h.id::float8 AS id, b.due, b.is_burst, b.waited_ms, h.held_before,
         CASE WHEN c.is_backlog
              THEN coalesce(b.latest_at > now() - $2 * interval '1 millisecond', false)
                OR EXISTS (SELECT 1 FROM events e WHERE e.tenant_id + 0 = h.tenant_id AND e.routed_at IS NULL)
                OR EXISTS (SELECT 1 FROM deliveries d WHERE d.state IN ('queued', 'sending') AND d.space_id = h.space_id
                              AND d.chat_webhook_id = h.chat_webhook_id AND d.not_before > now()
                              AND d.not_before <= now() + $3 * interval '1 millisecond')
              ELSE false END AS is_growing,
         CASE WHEN c.is_backlog
              THEN (SELECT coalesce(sum(least(octet_length(few.title), ${String(NAME_BYTES)}) + ${String(AROUND_NAME_BYTES)}), 0)
                      FROM (SELECT d.record ->> 'title' AS title FROM deliveries d
                             WHERE d.state IN ('queued', 'sending') AND d.space_id = h.space_id AND d.chat_webhook_id = h.chat_webhook_id
                               AND d.not_before <= now() AND d.transition ->> 'type' = 'deal.won'
                             ORDER BY d.not_before LIMIT ${String(MOST_NAMES)}) few) >= ${String(WON_NAMES_BYTES.alone)}
              ELSE false END AS is_full
    FROM (SELECT d.*, a.fold_limit,
                 EXISTS (SELECT 1 FROM deliveries e WHERE ${isEarlier('e', 'd')}
                            AND coalesce(e.space_id, '') = d.space_id
                            AND ${isUnfinished('e')}
                            AND (e.state <> 'held' OR ${isHeldForTime('e', 'd')})) AS held_before
            FROM unnest($1::bigint[], $4::int[]) AS a(id, fold_limit) JOIN deliveries d ON d.id = a.id) h
    JOIN chat_webhooks w ON w.id = h.chat_webhook_id
   CROSS JOIN LATERAL (
     SELECT (SELECT count(*) FROM (SELECT 1 FROM deliveries d WHERE d.state IN ('queued', 'sending') AND d.space_id = h.space_id
                                      AND d.not_before <= now() + $3 * interval '1 millisecond' ORDER BY d.not_before LIMIT h.fold_limit + 1) few)::int AS due,
            (SELECT d.created_at FROM deliveries d WHERE d.state IN ('queued', 'sending') AND d.space_id = h.space_id
                AND d.not_before <= now() ORDER BY d.not_before DESC, d.id DESC LIMIT 1) AS latest_at,
            coalesce(w.folded_at > now() - $5 * interval '1 millisecond', false) AS is_burst,
            extract(epoch FROM now() - h.not_before)::float8 * 1000 AS waited_ms) b
   CROSS JOIN LATERAL (SELECT b.due >= 2 AND b.due > CASE WHEN b.is_burst THEN 1 ELSE h.fold_limit END AS is_backlog) c`;

/** What of a change decides whether and with whom it is folded. */
export const CANDIDATE = `
  d.id::float8 AS id, d.entity, d.entity_id, d.transition ->> 'type' AS type, d.actor_user_id::float8 AS actor_user_id,
  d.transition -> 'cause' ->> 'correlationId' AS correlation_id,
  coalesce(d.transition -> 'cause' -> 'isBulkEdit' = 'true', false) AS is_bulk_edit, left(d.record ->> 'title', 2000) AS title`;

/**
 * The due messages of the head's destination, locked. One is left out while an earlier one about its record waits elsewhere in the space,
 * inside another message, or for nothing any more until it is let go: a fold overtakes nothing (asked per message, because as a join it may be
 * planned as a comparison of all with all). Those of a digest wait for it, those of quiet hours for their end, what was tried in vain before
 * goes by itself, a body that is frozen stays as it is: the head's too, which somebody else posts when its space was lost.
 */
const CANDIDATES = `
  WITH c AS MATERIALIZED (
    SELECT d.* FROM deliveries d LEFT JOIN rules r ON r.id = d.rule_id AND r.tenant_id = d.tenant_id
     WHERE d.state IN ('queued', 'sending') AND d.space_id = $2 AND d.not_before <= now()
       AND d.rendered_body IS NULL
       AND (d.id = $1 OR (d.state = 'queued' AND d.chat_webhook_id = $3 AND d.fold_kind IS NULL AND d.attempts = 0
            AND NOT d.transition ? 'announcement'
            AND d.via_webhook_id IS NOT DISTINCT FROM (SELECT via_webhook_id FROM deliveries WHERE id = $1)
            AND (d.replay > 0 OR ((r.digest IS NULL OR NOT r.enabled) AND (NOT $4 OR coalesce(r.urgent, false))))))
     ORDER BY d.id LIMIT ${String(MOST_CANDIDATES)} FOR UPDATE OF d SKIP LOCKED
  )
  SELECT ${CANDIDATE} FROM c d
   WHERE d.id = $1 OR (NOT ${IS_TOLD_BEFORE} AND (
     SELECT e.id FROM deliveries e WHERE ${isEarlier('e', 'd')}
        AND ${isUnfinished('e')} AND coalesce(e.space_id, '') = d.space_id AND e.id NOT IN (SELECT id FROM c)
        AND (e.state <> 'held' OR (NOT $4 AND ${isHeldForTime('e', 'd')})) LIMIT 1) IS NULL)
   ORDER BY d.id`;

/** Members point to the delivery that tells them; the leads go in their order, none later than the head of them all. */
const WRITE_MEMBERS = `
  UPDATE deliveries d SET state = 'folded', folded_into = r.lead_id, finished_at = now(), state_reason = NULL, held_for = NULL, held_until = NULL
    FROM unnest($1::bigint[], $2::bigint[]) AS r(id, lead_id) WHERE d.id = r.id`;
const WRITE_LEADS = `
  UPDATE deliveries d SET fold_kind = $2, not_before = least(d.not_before, first.not_before)
    FROM (SELECT least((SELECT min(not_before) FROM deliveries WHERE id = ANY ($1::bigint[])),
                       (SELECT min(not_before) FROM deliveries WHERE folded_into = ANY ($1::bigint[]))) AS not_before) first
   WHERE d.id = ANY ($1::bigint[])
  RETURNING d.id::float8 AS id, d.xmin::text AS version`;
const NOTE_BURST = `UPDATE chat_webhooks SET folded_at = now() WHERE id = $1`;

const TAKE_APART = unfold(`
  d.id = $1 AND d.state = 'queued' AND d.fold_kind IS NOT NULL AND d.rendered_body IS NULL AND NOT d.is_plain AND NOT d.is_unthreaded`);

const PUT_OFF = `
  UPDATE google_spaces SET lease_until = NULL, next_slot_at = greatest(next_slot_at, now() + $3 * interval '1 millisecond')
   WHERE space_id = $1 AND lease_until = $2::timestamptz`;
const PUT_OFF_ALONE = `
  WITH freed AS (
    UPDATE google_spaces SET lease_until = NULL WHERE space_id = $1 AND lease_until = $2::timestamptz RETURNING space_id
  )
  UPDATE deliveries SET not_before = now() + $3 * interval '1 millisecond'
   WHERE id = $4 AND state IN ('queued', 'sending') AND EXISTS (SELECT FROM freed)`;

/** What is shown of a record that is told among many. */
const SHOWN_FIELDS = [
  ...['title', 'name', 'subject', 'content', 'value', 'currency', 'owner_id', 'user_id', 'stage_id', 'pipeline_id', 'org_id'],
  ...[
    'organization_id',
    'person_id',
    'deal_id',
    'lead_id',
    'status',
    'lost_reason',
    'won_time',
    'lost_time',
    'close_time',
    'type',
  ],
  ...['due_date', 'due_time', 'done', 'label_ids', 'expected_close_date'],
];
const FOLDS = `
  SELECT d.id::float8 AS id, d.lead_id::float8 AS lead_id, d.entity, d.entity_id, d.transition, d.actor_user_id::float8 AS actor_user_id, d.occurred_at,
         CASE WHEN jsonb_typeof(d.record) <> 'object' THEN d.record
              ELSE coalesce((SELECT jsonb_object_agg(key, value) FROM jsonb_each(d.record) WHERE key = ANY ($2::text[])), '{}') END AS record
    FROM (SELECT id AS lead_id, * FROM deliveries WHERE id = ANY ($1::bigint[])
          UNION ALL SELECT folded_into AS lead_id, * FROM deliveries WHERE folded_into = ANY ($1::bigint[])) d
   ORDER BY d.lead_id, d.id`;

const backlogRow = z.object({
  id: z.number(),
  due: z.number(),
  is_burst: z.boolean(),
  is_growing: z.boolean(),
  is_full: z.boolean(),
  waited_ms: z.number(),
  held_before: z.boolean(),
});

const leadRow = z.object({ id: z.number(), version: z.string() });

/** The statements that write folds; `client` is in a transaction that holds the deliveries' rows. Gives the leads' versions. */
export async function writeFolds(
  client: Pick<Pool, 'query'>,
  folds: readonly Fold[],
  kind: FoldKind,
): Promise<ReadonlyMap<number, string>> {
  const members = folds.flatMap(({ leadId, memberIds }) => memberIds.map((id) => ({ id, leadId })));
  await client.query(WRITE_MEMBERS, [members.map(({ id }) => id), members.map(({ leadId }) => leadId)]);
  const { rows } = await client.query(WRITE_LEADS, [folds.map(({ leadId }) => leadId), kind]);
  return new Map(rows.map((row) => leadRow.parse(row)).map(({ id, version }) => [id, version]));
}

/** Makes the store. */
export function makeFoldStore(database: Pick<Database, 'pool' | 'transaction'>): FoldStore {
  const { pool } = database;
  const membersOf = async (leadIds: readonly number[]): Promise<readonly FoldMember[]> =>
    (await pool.query(FOLDS, [leadIds, SHOWN_FIELDS])).rows.map(memberIn);
  return {
    async backlogs(heads) {
      const ids = heads.map(({ delivery }) => delivery.id);
      const limits = heads.map(({ limit }) => limit);
      const { rows } = await pool.query(BACKLOGS, [ids, CALM_MS, SOON_MS, limits, BURST_MS]);
      return new Map(rows.map((row) => toBacklog(backlogRow.parse(row))));
    },
    fold: (head, isUrgentOnly, plan) =>
      database.transaction(async (client) => {
        const { rows } = await client.query(CANDIDATES, [head.id, head.spaceId, head.chatWebhookId, isUrgentOnly]);
        const candidates = candidatesIn(rows);
        const first = candidates.find(({ id }) => id === head.id);
        const folds = first === undefined ? [] : plan(first, candidates);
        if (folds.length === 0) return head;
        const versions = await writeFolds(client, folds, 'backlog');
        await client.query(NOTE_BURST, [head.chatWebhookId]);
        return { ...head, foldKind: 'backlog', version: versions.get(head.id) ?? head.version };
      }),
    async takeApart(head) {
      await pool.query(TAKE_APART, [head.id]);
      await pool.query(PUT_OFF, [head.spaceId, head.lease, 0]);
    },
    async putOff(head, afterMs) {
      await pool.query(PUT_OFF, [head.spaceId, head.lease, afterMs]);
    },
    async putOffAlone(head, afterMs) {
      await pool.query(PUT_OFF_ALONE, [head.spaceId, head.lease, afterMs, head.id]);
    },
    async loadFolds(leadIds) {
      const folds = new Map<number, RecordChange[]>(leadIds.map((id) => [id, []]));
      for (const { leadId, change } of await membersOf(leadIds)) {
        if (change instanceof Error) throw change;
        folds.get(leadId)?.push(change);
      }
      return folds;
    },
    members: (leadId) => membersOf([leadId]),
    async leaveOut({ id, lease, version }, ids) {
      await pool.query(LEAVE_OUT, [id, ids, lease, version]);
    },
    async halve({ id, lease, version, spaceId }, afterMs) {
      await pool.query(HALVE, [id, lease, afterMs, version, spaceId]);
    },
    failUntold: makeFailUntold(pool),
  };
}

function toBacklog(row: z.infer<typeof backlogRow>): [number, SpaceBacklog] {
  const { id, due, is_burst, is_growing, is_full, waited_ms, held_before } = row;
  return [id, { due, isBurst: is_burst, isGrowing: is_growing, isFull: is_full, waitedMs: waited_ms, heldBefore: held_before }];
}
