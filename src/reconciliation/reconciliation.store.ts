/** How far tenants have been compared with Pipedrive's lists: whose turn it is, one worker at a time, and what the last run came to. */

import type { Pool } from 'pg';
import { z } from 'zod';
import { RECORD_ENTITIES } from '../core/record';
import { tenantIdSchema, type TenantId } from '../core/tenant';
import { EVENT_TYPES, type EventType } from '../core/transition';

/** A tenant whose turn it is, leased to this worker. */
export interface DueTenant {
  readonly tenantId: TenantId;
  /** What happened before is the past. */
  readonly since: Date;
  readonly comparedUntil: ComparedUntil;
  /** Event types to which some enabled rule listens. */
  readonly wantedTypes: readonly EventType[];
  /** Why the hour was not waited for: webhooks may have been missed; null when it was. */
  readonly wantedBecause: string | null;
}

/** Lists of Pipedrive's: archived deals stand in one of their own. */
export const LISTS = [...RECORD_ENTITIES, 'archivedDeal'] as const;
export type List = (typeof LISTS)[number];

export type ComparedUntil = Partial<Record<List, Date>>;

/** How a run ended. */
export interface RunEnd {
  readonly comparedUntil: ComparedUntil;
  /** Why Pipedrive could not be asked; null when it could. */
  readonly trouble: string | null;
  readonly nextRunAt: Date;
  /** Why the next run is wanted as this one was; null when all is compared. */
  readonly stillWantedBecause: string | null;
}

export interface ReconciliationStatus {
  readonly since: Date;
  /** Up to when the deals have been compared; null: never yet. */
  readonly comparedUntil: Date | null;
  readonly nextRunAt: Date;
  readonly isRunning: boolean;
  readonly lastStartedAt: Date | null;
  readonly lastFinishedAt: Date | null;
  readonly trouble: string | null;
  readonly wantedBecause: string | null;
}

export interface ReconciliationStore {
  /** Gives every installed tenant its row, and takes it from those that sleep: what happens meanwhile is none of theirs. */
  enrol(): Promise<void>;
  /** Leases the tenant that has waited longest; null when nobody's turn it is. */
  claim(leaseMs: number): Promise<DueTenant | null>;
  /** The run goes on: its lease lasts from now on so long. */
  renew(tenantId: TenantId, leaseMs: number): Promise<void>;
  finish(tenantId: TenantId, end: RunEnd): Promise<void>;
  /** Brings the next run forward to now, for one tenant or for all. Gives how many there are. */
  want(tenantId: TenantId | null, because: string): Promise<number>;
  status(tenantId: TenantId): Promise<ReconciliationStatus | null>;
}

/** A tenant that has just been installed is compared since its install; one that woke up or is new to this, since now. */
const ENROL = `
  WITH asleep AS (
    DELETE FROM reconciliations r USING tenants t WHERE t.id = r.tenant_id AND t.uninstalled_at IS NOT NULL
  )
  INSERT INTO reconciliations (tenant_id, since, next_run_at)
  SELECT t.id, CASE WHEN t.created_at > now() - interval '10 minutes' THEN t.created_at ELSE now() END,
         now() + (t.id % 60) * interval '1 minute'
    FROM tenants t
   WHERE t.uninstalled_at IS NULL AND NOT EXISTS (SELECT 1 FROM reconciliations r WHERE r.tenant_id = t.id)
  ON CONFLICT DO NOTHING`;
/** Watches tell of completed activities, notes and archived deals too. A lease that ran out is a run that was never finished; one that lasts too long, or a turn too far away, is of a clock that was set back. */
const CLAIM = `
  UPDATE reconciliations r
     SET lease_until = now() + $1 * interval '1 millisecond', last_started_at = now(), wanted_because = NULL,
         next_run_at = now() + interval '1 hour'
    FROM (SELECT tenant_id, coalesce(wanted_because, CASE WHEN lease_until IS NOT NULL THEN 'the last run was never finished' END) AS because
            FROM reconciliations
           WHERE (lease_until IS NULL AND (next_run_at <= now() OR next_run_at > now() + interval '25 hours'))
              OR lease_until <= now() OR lease_until > now() + interval '1 hour'
           ORDER BY next_run_at LIMIT 1 FOR UPDATE SKIP LOCKED) due
   WHERE r.tenant_id = due.tenant_id
  RETURNING r.tenant_id, r.since, r.compared_until, due.because AS wanted_because,
            ARRAY(SELECT event_type FROM rules WHERE rules.tenant_id = r.tenant_id AND enabled
                  UNION SELECT type FROM unnest(ARRAY['activity.completed', 'note.created', 'deal.archived']) AS type
                         WHERE EXISTS (SELECT FROM watches w WHERE w.tenant_id = r.tenant_id)) AS wanted_types`;
const RENEW = `
  UPDATE reconciliations SET lease_until = now() + $2 * interval '1 millisecond' WHERE tenant_id = $1 AND lease_until IS NOT NULL`;
/** Whoever wanted a run while this one was under way still gets it. Lists that only a newer version knows keep their marks. */
const FINISH = `
  UPDATE reconciliations
     SET lease_until = NULL, compared_until = compared_until || $2::jsonb, trouble = $3, next_run_at = least(next_run_at, $4::timestamptz),
         wanted_because = coalesce(wanted_because, $5),
         last_finished_at = CASE WHEN $3::text IS NULL THEN now() ELSE last_finished_at END
   WHERE tenant_id = $1`;
const WANT = `
  UPDATE reconciliations SET next_run_at = least(next_run_at, now()), wanted_because = $2
   WHERE $1::int IS NULL OR tenant_id = $1`;
const STATUS = `
  SELECT since, compared_until ->> 'deal' AS compared_until, next_run_at, coalesce(lease_until > now(), false) AS is_running,
         last_started_at, last_finished_at, trouble, wanted_because
    FROM reconciliations WHERE tenant_id = $1`;

const mark = z.coerce.date().optional();
/** Not by a record of them, which refuses the others. */
const comparedSchema = z.object({
  deal: mark,
  lead: mark,
  person: mark,
  organization: mark,
  activity: mark,
  note: mark,
  archivedDeal: mark,
} satisfies Readonly<Record<List, typeof mark>>);
const dueRow = z.object({
  tenant_id: tenantIdSchema,
  since: z.date(),
  compared_until: comparedSchema,
  wanted_types: z.array(z.string()),
  wanted_because: z.string().nullable(),
});
const statusRow = z.object({
  since: z.date(),
  compared_until: z.coerce.date().nullable(),
  next_run_at: z.date(),
  is_running: z.boolean(),
  last_started_at: z.date().nullable(),
  last_finished_at: z.date().nullable(),
  trouble: z.string().nullable(),
  wanted_because: z.string().nullable(),
});

/** Makes the store. */
export function makeReconciliationStore(pool: Pool): ReconciliationStore {
  return {
    async enrol() {
      await pool.query(ENROL);
    },
    async claim(leaseMs) {
      const { rows } = await pool.query(CLAIM, [leaseMs]);
      if (rows.length === 0) return null;
      const row = dueRow.parse(rows[0]);
      const wantedTypes = EVENT_TYPES.filter((type) => row.wanted_types.includes(type));
      const comparedUntil = withoutUndefined(row.compared_until);
      return { tenantId: row.tenant_id, since: row.since, comparedUntil, wantedTypes, wantedBecause: row.wanted_because };
    },
    async renew(tenantId, leaseMs) {
      await pool.query(RENEW, [tenantId, leaseMs]);
    },
    async finish(tenantId, { comparedUntil, trouble, nextRunAt, stillWantedBecause }) {
      await pool.query(FINISH, [tenantId, JSON.stringify(comparedUntil), trouble, nextRunAt, stillWantedBecause]);
    },
    async want(tenantId, because) {
      const { rowCount } = await pool.query(WANT, [tenantId, because]);
      return rowCount ?? 0;
    },
    async status(tenantId) {
      const { rows } = await pool.query(STATUS, [tenantId]);
      if (rows.length === 0) return null;
      const row = statusRow.parse(rows[0]);
      return {
        since: row.since,
        comparedUntil: row.compared_until,
        nextRunAt: row.next_run_at,
        isRunning: row.is_running,
        lastStartedAt: row.last_started_at,
        lastFinishedAt: row.last_finished_at,
        trouble: row.trouble,
        wantedBecause: row.wanted_because,
      };
    },
  };
}

function withoutUndefined(parsed: z.infer<typeof comparedSchema>): ComparedUntil {
  return Object.fromEntries(LISTS.flatMap((list) => (parsed[list] === undefined ? [] : [[list, parsed[list]]])));
}
