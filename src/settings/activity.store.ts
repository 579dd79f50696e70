/** Finds the events that a person looks for, newest first: only so many are looked through at a time, so that the page comes at once. */

import type { Pool } from 'pg';
import { z } from 'zod';
import type { TenantId } from '../core/tenant';
import { isUnfinished } from '../core/unfinished.store';

/** What became of an event, as people ask for it; the states of the messages that it owed. */
export const ACTIVITY_STATUSES = ['sent', 'waiting', 'held', 'folded', 'failed', 'dropped', 'silent'] as const;
export type ActivityStatus = (typeof ACTIVITY_STATUSES)[number];

/** Deals and leads of which events are wanted: by their id, or by a part of their title. */
export type WantedDeals = { readonly id: string } | { readonly title: string };

export interface ActivityQuery {
  /** Null: of any record. */
  readonly deals: WantedDeals | null;
  /** Events that this rule, or any watch, decided on; with a status, what became of its own message. */
  readonly ruleId: number | 'watches' | null;
  readonly status: ActivityStatus | null;
  /** Only events with a smaller id; null: from the newest on. */
  readonly beforeId: number | null;
  /**
   * The newest events that somebody saw: only what came after is wanted, or was behind one of them, since of two that are written at
   * once the one with the larger id may be there first. None: any.
   */
  readonly known: readonly number[];
  readonly limit: number;
}

export interface FoundEvents {
  readonly ids: readonly number[];
  /** Where older ones begin; null when there are none. */
  readonly nextBefore: number | null;
  /** The bound of what is looked through at a time was reached before the page was full. */
  readonly isCutShort: boolean;
  /** The newest events of the company, whatever was looked for. */
  readonly newestIds: readonly number[];
}

/** Events that are looked through for one page. */
export const LOOKED_THROUGH = 2000;
/** So many newer events may be there before one that was written at the same time. */
export const MOST_KNOWN = 20;

const STATES: Readonly<Record<Exclude<ActivityStatus, 'silent'>, string>> = {
  sent: `('sent')`,
  waiting: `('queued', 'sending')`,
  held: `('held')`,
  folded: `('folded')`,
  failed: `('failed')`,
  dropped: `('dropped')`,
};

const COLUMNS = 'e.id, e.entity, e.entity_id, e.decisions, e.routed_at';
/** Range and order, here and of the newest, are said as the index by tenant says them: by that of all events the planner would read those of others too. */
const OF_TENANT = `
  SELECT ${COLUMNS} FROM events e
   WHERE (e.tenant_id, e.id) < ($1::int, $2::bigint) AND (e.tenant_id, e.id) > ($1::int, $8::bigint)
   ORDER BY e.tenant_id DESC, e.id DESC LIMIT ${LOOKED_THROUGH}`;
/** Record by record through the key (OFFSET 0), whatever the planner thinks of all events. */
const OF_RECORDS = `
  SELECT ${COLUMNS}
    FROM unnest($5::text[], $6::text[]) AS wanted (entity, entity_id)
   CROSS JOIN LATERAL (SELECT * FROM events
     WHERE tenant_id = $1 AND entity = wanted.entity AND entity_id = wanted.entity_id AND id < $2 AND id > $8 OFFSET 0) AS e
   ORDER BY e.id DESC LIMIT ${LOOKED_THROUGH}`;
/** What is rare among many sent messages is found by these, which may be several of one event, and then event by event through the key (OFFSET 0). */
const owing = (deliveries: string): string => `
  SELECT ${COLUMNS}
    FROM (${deliveries} LIMIT ${LOOKED_THROUGH}) AS owed
   CROSS JOIN LATERAL (SELECT * FROM events WHERE id = owed.event_id AND tenant_id + 0 = $1 OFFSET 0) AS e`;
/** In the order of their index, `deliveries_not_sent_of`, and no further than a page needs. */
const ofState = (state: string, ruleId: ActivityQuery['ruleId']): string => `
  SELECT d.event_id FROM deliveries d
   WHERE d.state IN ('dropped', 'failed', 'folded', 'held')
     AND (d.tenant_id, d.state, d.event_id) < ($1::int, '${state}', $2::bigint) AND (d.tenant_id, d.state, d.event_id) > ($1::int, '${state}', $8::bigint)
     AND ${isOf('d.rule_id', ruleId)}
   ORDER BY d.tenant_id DESC, d.state DESC, d.event_id DESC`;
/** What is on its way is little, and has an index by record: that is read as a whole. */
const onTheirWay = (ruleId: ActivityQuery['ruleId']): string => `
  SELECT d.event_id FROM deliveries d
   WHERE d.tenant_id + 0 = $1 AND ${isUnfinished('d')} AND coalesce(d.state, '') <> 'held' AND d.event_id + 0 < $2 AND d.event_id + 0 > $8
     AND ${isOf('d.rule_id', ruleId)}
   ORDER BY d.event_id DESC`;
/** In the ledger the ids of watches are below zero. */
const isOf = (column: string, ruleId: ActivityQuery['ruleId']): string =>
  ruleId === 'watches' ? `${column} + 0 < 0` : `($3::int IS NULL OR ${column} + 0 = $3)`;
const DECIDED_BY_RULE = `($3::int IS NULL OR c.decisions @> jsonb_build_array(jsonb_build_object('ruleId', $3::int))
   OR c.decisions @> jsonb_build_array(jsonb_build_object('ruleIds', jsonb_build_array($3::int))))`;
const DECIDED_BY_WATCH = `jsonb_path_exists(c.decisions, '$[*] ? (@.ruleId < 0 || exists(@.ruleIds[*] ? (@ < 0)))')`;
/** A value, not EXISTS: record by record through the key, and never a look at all records. */
const IS_NAMED = `
  c.entity IN ('deal', 'lead') AND (SELECT r.search_title LIKE lower($7) FROM records r
   WHERE r.tenant_id = $1 AND r.entity = c.entity AND r.entity_id = c.entity_id)`;

const newest = (limit: number): string =>
  `ARRAY(SELECT id FROM events WHERE tenant_id BETWEEN $1 AND $1
          ORDER BY tenant_id DESC, id DESC LIMIT ${limit})::text[]`;

const foundRow = z.object({
  ...{ ids: z.array(z.coerce.number()), reached: z.coerce.number().nullable(), looked: z.coerce.number() },
  newest: z.array(z.coerce.number()),
});

/** One page of events. OFFSET 0: the newest are judged first, and no more of them than the page needs. */
export async function findEvents(pool: Pool, tenantId: TenantId, query: ActivityQuery): Promise<FoundEvents> {
  const { deals, ruleId, limit } = query;
  const records = deals === null ? null : 'id' in deals ? ofId(deals.id) : await recordsNamed(pool, tenantId, deals.title);
  const title = deals !== null && 'title' in deals && records === null ? containing(deals.title) : null;
  const given = [records?.map(({ entity }) => entity) ?? null, records?.map(({ entityId }) => entityId) ?? null, title];
  const { rows } = await pool.query(
    `WITH candidates AS MATERIALIZED (${candidatesOf(query, records)})
     SELECT ARRAY(SELECT c.id FROM (SELECT DISTINCT ON (id) * FROM candidates ORDER BY id DESC OFFSET 0) c WHERE c.id <> ALL ($9::bigint[]) AND ${keptBy(query, title)} LIMIT $4)::text[] AS ids,
            (SELECT min(id) FROM candidates) AS reached, (SELECT count(*) FROM candidates) AS looked,
            ${newest(MOST_KNOWN)} AS newest,
            $3::int IS NULL AND $5::text[] IS NULL AND $6::text[] IS NULL AND $7::text IS NULL AS is_any`,
    [
      tenantId,
      query.beforeId ?? Number.MAX_SAFE_INTEGER,
      ruleId === 'watches' ? null : ruleId,
      limit + 1,
      ...given,
      query.known.length < MOST_KNOWN ? 0 : Math.min(...query.known),
      query.known,
    ],
  );
  const { ids, reached, looked, newest: newestIds } = foundRow.parse(rows[0]);
  const isCutShort = ids.length <= limit && looked === LOOKED_THROUGH;
  const shown = ids.slice(0, limit);
  const nextBefore = isCutShort ? reached : ids.length > limit ? (shown.at(-1) ?? null) : null;
  return { ids: shown, isCutShort, nextBefore, newestIds };
}

/** What came in last, newest first. */
export async function newestEventIds(pool: Pool, tenantId: TenantId, limit: number): Promise<readonly number[]> {
  const { rows } = await pool.query(`SELECT ${newest(limit)} AS newest`, [tenantId]);
  return foundRow.pick({ newest: true }).parse(rows[0]).newest;
}

/** Whether anything came in about a deal or lead of this id. */
export async function isKnownId(pool: Pool, tenantId: TenantId, id: string): Promise<boolean> {
  const { rows } = await pool.query(
    `SELECT FROM events WHERE tenant_id = $1 AND entity IN ('deal', 'lead') AND entity_id = $2 LIMIT 1`,
    [tenantId, id],
  );
  return rows.length > 0;
}

interface NamedRecord {
  readonly entity: string;
  readonly entityId: string;
}

const ofId = (entityId: string): readonly NamedRecord[] => ['deal', 'lead'].map((entity) => ({ entity, entityId }));

/** Of more, the newest events are looked through instead: among so many, what fits is not far. */
const MOST_NAMED = 200;
const NAMED = `
  SELECT entity, entity_id AS "entityId" FROM records
   WHERE tenant_id = $1 AND entity IN ('deal', 'lead') AND search_title LIKE lower($2) LIMIT ${MOST_NAMED + 1}`;

/** Deals and leads whose title has this in it, out of the index of all titles; null: there are too many. */
async function recordsNamed(pool: Pool, tenantId: TenantId, title: string): Promise<readonly NamedRecord[] | null> {
  const { rows } = await pool.query<NamedRecord>(NAMED, [tenantId, containing(title)]);
  return rows.length > MOST_NAMED ? null : rows;
}

/** As LIKE wants it. */
function containing(title: string): string {
  return `%${title.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}

function candidatesOf({ ruleId, status }: ActivityQuery, records: readonly NamedRecord[] | null): string {
  if (records !== null) return OF_RECORDS;
  if (status === null || status === 'sent' || status === 'silent') return OF_TENANT;
  return owing(status === 'waiting' ? onTheirWay(ruleId) : ofState(status, ruleId));
}

function keptBy({ ruleId, status }: ActivityQuery, title: string | null): string {
  const named = title === null ? '' : `${IS_NAMED} AND `;
  const decided = ruleId === 'watches' ? DECIDED_BY_WATCH : DECIDED_BY_RULE;
  if (status === null) return `${named}${decided}`;
  if (status === 'silent') return `${named}c.routed_at IS NOT NULL AND ${decided} AND ${owes(ruleId, 'true')} IS NULL`;
  return `${named}${owes(ruleId, `coalesce(d.state, '') IN ${STATES[status]}`)}`;
}

/** A value, not EXISTS: event by event through the key, and never a look at all messages. Null: it owes none. */
const owes = (ruleId: ActivityQuery['ruleId'], isSo: string): string => `
  (SELECT true FROM deliveries d WHERE d.tenant_id + 0 = $1 AND d.event_id = c.id AND ${isOf('d.rule_id', ruleId)} AND ${isSo} LIMIT 1)`;
