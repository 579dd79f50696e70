/** Deliveries that wait for a time, in the ledger: for the end of quiet hours or for a digest. Every statement takes the moment as it is told. */

import { z } from 'zod';
import type { HeldFor } from '../core/delivery';
import { FOLD_POLICIES, quietHoursSchema, type FoldPolicy, type QuietHours } from '../core/destination';
import { digestSchema, type Digest } from '../core/rule';
import { tenantIdSchema, type TenantId } from '../core/tenant';
import type { Database } from '../platform/database';
import { IS_LATER } from './earlier.store';
import { UNREADABLE } from './expire-held.store';
import { candidatesIn, putOffIn } from './fold-rows';
import { CANDIDATE, writeFolds } from './fold.store';
import type { DueVerdict } from './judge-due';
import { readEach } from './left-out';
import { IS_GATHERED } from './let-go.store';
import type { Fold, FoldCandidate } from './plan-fold';
import { areSettled } from './settled.store';
import { IS_STILL_COMING } from './still-coming.store';

/** By which a wait was reckoned; it is written only while they are the tenant's own still, because a change of them has looked for what waits. */
interface Settings {
  readonly tenantId: TenantId;
  readonly version: number;
}

/** Messages of one destination, by one way, whose time has come. Hours, zone and folding are those of the one that gets them. */
export interface DueHold {
  readonly chatWebhookId: number;
  /** The fallback that they go to instead. */
  readonly viaWebhookId: number | null;
  readonly heldFor: HeldFor;
  /** Gathered for a digest that is not told any more: it goes before its time. */
  readonly isEarly: boolean;
  /** Its rule goes through quiet hours by now. */
  readonly isUrgent: boolean;
  readonly settings: Settings;
  readonly quietHours: QuietHours | null;
  readonly timeZone: string;
  readonly fold: FoldPolicy;
}

/** What one rule gathered for one destination, by one way, and has to be told at another time than before. */
export interface Regathered {
  readonly ruleId: number;
  readonly chatWebhookId: number;
  readonly viaWebhookId: number | null;
  readonly digest: Digest;
  readonly settings: Settings;
  readonly quietHours: QuietHours | null;
  readonly timeZone: string;
}

/** Messages of one destination, by one way, whose hold or gathering this version cannot read. They wait with the reason. */
export interface UnreadableHold {
  /** By which they are left out of the next look. */
  readonly key: string;
  readonly tenantId: TenantId;
  readonly chatWebhookId: number;
  readonly error: unknown;
}

/** What waits for something to be done. */
export interface Waiting<Read> {
  readonly due: readonly Read[];
  readonly unreadable: readonly UnreadableHold[];
}

type Wait = Extract<DueVerdict, { kind: 'hold' }>;

export interface HeldStore {
  /** Whose digest, zone or business days were changed, without what is `leftOut` by its key. */
  regathered(leftOut: readonly string[]): Promise<Waiting<Regathered>>;
  gatherAnew(gathered: Regathered, wait: Wait): Promise<void>;
  /** In the order of their time, a part in each call where very much is due; without what is `leftOut` by its key. */
  dueHolds(now: Date, leftOut: readonly string[]): Promise<Waiting<DueHold>>;
  /** Something else that came before the time of this digest is on its way to it. */
  isStillComing(digest: DueHold, now: Date): Promise<boolean>;
  /** They wait for the end of quiet hours, which are others than before, or that of others. */
  postpone(hold: DueHold, wait: Wait, now: Date): Promise<void>;
  /**
   * Lets them go as `plan` says: each fold as one message, by itself what it leaves out. Of a digest that may wait on what is later than
   * something under way. Of several workers one does it. Returns how many went.
   */
  release(hold: DueHold, now: Date, plan: (candidates: readonly FoldCandidate[]) => readonly Fold[]): Promise<number>;
}

const HOLDS_AT_ONCE = 500;

/** Looked at anew (reconsider-held.store.ts), and its rule still gathers. */
const IS_REGATHERED = `
  d.held_for <> 'quiet' AND d.held_until = 'epoch'
  AND ${IS_GATHERED}`;
const IS_DUE = (now: string): string =>
  `d.state = 'held' AND d.held_for IS NOT NULL AND d.held_until <= ${now} AND NOT (${IS_REGATHERED})`;

const IS_EARLY = `(d.held_for <> 'quiet' AND d.held_until = 'epoch')`;
/** Of a message of several: as that of which it tells something urgent. */
const IS_URGENT = `
  (EXISTS (SELECT FROM rules r WHERE r.id = d.rule_id AND r.tenant_id = d.tenant_id AND r.urgent)
   OR (d.fold_kind IS NOT NULL AND EXISTS (SELECT FROM deliveries m JOIN rules r ON r.id = m.rule_id AND r.tenant_id = m.tenant_id AND r.urgent
                                            WHERE m.folded_into = d.id)))`;

const SETTINGS = `
  t.id AS tenant_id, t.rules_version, w.quiet_hours, coalesce(w.time_zone, t.settings ->> 'timeZone', t.time_zone) AS time_zone`;
const GATHER_KEY = `concat_ws('/', d.chat_webhook_id, coalesce(d.via_webhook_id, 0), 'rule', d.rule_id)`;
const HOLD_KEY = `concat_ws('/', d.chat_webhook_id, coalesce(d.via_webhook_id, 0), d.held_for)`;
const REGATHERED = `
  SELECT DISTINCT ${GATHER_KEY} AS key, d.rule_id, d.chat_webhook_id, d.via_webhook_id, rule.digest, ${SETTINGS}
    FROM deliveries d JOIN chat_webhooks w ON w.id = coalesce(d.via_webhook_id, d.chat_webhook_id)
    JOIN tenants t ON t.id = d.tenant_id JOIN rules rule ON rule.id = d.rule_id
   WHERE d.state = 'held' AND ${IS_REGATHERED} AND ${GATHER_KEY} <> ALL ($1::text[]) LIMIT ${String(HOLDS_AT_ONCE)}`;
const GATHER_ANEW = `
  UPDATE deliveries d SET held_for = $4, held_until = $5, state_reason = $6
   WHERE ${areSettled('$7', '$8')} AND d.state = 'held' AND d.rule_id = $1 AND d.chat_webhook_id = $2 AND d.via_webhook_id IS NOT DISTINCT FROM $3::int AND ${IS_REGATHERED}`;

/** Messages that a round looks at: what is due and cannot be let go is not read as a whole in each of them. */
const LOOKED_AT = 4_000;
/**
 * Of what is due the next so many, after a time ($3) and a message of it ($4), and of which holds they are; none of an earlier time is left for
 * the next round but what was looked at before. Gives the last of them when there may be more.
 */
const DUE_HOLDS = `
  WITH looked AS MATERIALIZED (
    SELECT d.id, d.tenant_id, d.state, d.rule_id, d.chat_webhook_id, d.via_webhook_id, d.held_for, d.held_until, d.fold_kind FROM deliveries d
     WHERE d.state = 'held' AND d.held_for IS NOT NULL AND d.held_until <= $1 AND (d.held_until, d.id) > ($3::timestamptz, $4::bigint)
     ORDER BY d.held_until, d.id LIMIT ${String(LOOKED_AT)}
  ), holds AS MATERIALIZED (
    SELECT DISTINCT ${HOLD_KEY} AS key, d.chat_webhook_id, d.via_webhook_id, d.held_for, ${IS_EARLY} AS is_early, ${IS_URGENT} AS is_urgent, w.fold, ${SETTINGS}
      FROM looked d JOIN chat_webhooks w ON w.id = coalesce(d.via_webhook_id, d.chat_webhook_id)
      JOIN tenants t ON t.id = d.tenant_id
     WHERE ${IS_DUE('$1')} AND ${HOLD_KEY} <> ALL ($2::text[])
     ORDER BY d.chat_webhook_id, d.via_webhook_id, d.held_for, is_early, is_urgent LIMIT ${String(HOLDS_AT_ONCE)}
  )
  SELECT holds.*, last.until AS last_until, last.id AS last_id
    FROM (SELECT (SELECT count(*) FROM looked) = ${String(LOOKED_AT)} AND (SELECT count(*) FROM holds) < ${String(HOLDS_AT_ONCE)} AS is_full) looks
    LEFT JOIN (SELECT held_until::text AS until, id::text FROM looked ORDER BY held_until DESC, looked.id DESC LIMIT 1) last ON looks.is_full
    LEFT JOIN holds ON true
   ORDER BY holds.chat_webhook_id, holds.via_webhook_id, holds.held_for, holds.is_early, holds.is_urgent`;

/** Of those that are so, at these destinations ($1) by these keys ($2): from then on their time runs out (expire-held.store.ts). */
const noteUnreadable = (key: string, isSo: string): string => `
  UPDATE deliveries d SET state_reason = '${UNREADABLE}', waiting_since = coalesce(d.waiting_since, now())
   WHERE d.state = 'held' AND d.chat_webhook_id = ANY ($1::int[]) AND ${key} = ANY ($2::text[]) AND ${isSo} AND d.state_reason IS DISTINCT FROM '${UNREADABLE}'`;
const NOTE_UNGATHERED = noteUnreadable(GATHER_KEY, IS_REGATHERED);
const NOTE_UNREADABLE = noteUnreadable(HOLD_KEY, IS_DUE('$3'));

/** Neither quiet hours nor a digest keep a message for so long: the clock was wrong when it was held. It is due, and judged anew. */
const BRING_FORWARD = `
  UPDATE deliveries SET held_until = $1
   WHERE state = 'held' AND held_for IS NOT NULL AND held_until > $1::timestamptz + interval '10 days'`;

const OF_HOLD = `
  d.chat_webhook_id = $1 AND d.via_webhook_id IS NOT DISTINCT FROM $2::int AND d.held_for = $3
  AND ${IS_DUE('$4')} AND ${IS_EARLY} = $5 AND ${IS_URGENT} = $6`;
const POSTPONE = `
  UPDATE deliveries d SET held_for = $7, held_until = $8, state_reason = $9 WHERE ${areSettled('$10', '$11')} AND ${OF_HOLD}`;

/** One worker at a time releases what a destination gets, so that one digest never becomes two. */
const LOCK_DESTINATION = `SELECT id FROM chat_webhooks WHERE id = $1 FOR UPDATE SKIP LOCKED`;
/**
 * What is later than something under way is not let go with the rest of a digest, and not one by one either: it waits together until all of
 * that has gone, but for this long at most; then what is still later waits by itself, as long again.
 */
const PUT_OFF_REASON = 'Told in a digest when the earlier messages about the same records have gone.';
const PATIENCE = `interval '5 minutes'`;
const WAITS_ON = `
  (d.held_for <> 'quiet' AND d.state_reason = '${PUT_OFF_REASON}' AND d.waiting_since > now() - ${PATIENCE} AND ${IS_GATHERED})`;
/** Asked first, so that what waits on is not locked in each round. */
const HAS_WAITED = `
  SELECT EXISTS (SELECT FROM deliveries d WHERE ${OF_HOLD} AND ${WAITS_ON} IS NOT TRUE)
      OR NOT EXISTS (SELECT FROM deliveries d WHERE ${OF_HOLD} AND ${WAITS_ON} AND ${IS_LATER}) AS has_waited`;
/** `is_later`: an earlier one about its record is under way in its space. */
const HELD = `
  SELECT ${CANDIDATE}, d.rendered_body IS NOT NULL OR d.fold_kind IS NOT NULL OR d.is_plain OR d.is_unthreaded AS is_made,
         ${IS_LATER} AS is_later, d.held_for <> 'quiet' AND ${IS_GATHERED} AS is_gathered, ${WAITS_ON} IS TRUE AS waits_on
    FROM deliveries d WHERE ${OF_HOLD} ORDER BY d.id FOR UPDATE OF d`;
const PUT_OFF = `UPDATE deliveries d SET state_reason = '${PUT_OFF_REASON}', waiting_since = now() WHERE d.id = ANY ($1::bigint[]) AND ${WAITS_ON} IS NOT TRUE`;
/**
 * A digest counts from its time, however late it is. The time for which it was held does not count as time in which it could not be
 * delivered; that before it does, until when it was held (set-aside.store.ts). Those that were made before ($2) go first, and so do those whose body Chat did not take and that get another.
 * None is put off any more, whatever the clock was when it was held.
 */
const LET_GO = `
  UPDATE deliveries d SET state = 'queued', state_reason = NULL, held_for = NULL, held_until = NULL,
         released_at = CASE WHEN d.held_for = 'quiet' OR d.held_until = 'epoch' THEN $3 ELSE d.held_until END,
         waiting_since = CASE WHEN d.waiting_since IS NOT NULL THEN now() - greatest(least(d.not_before, now()) - d.waiting_since, interval '0') END,
         not_before = least(d.not_before, CASE WHEN d.id = ANY ($2::bigint[]) THEN first.not_before - interval '1 millisecond' END, now())
    FROM (SELECT min(not_before) AS not_before FROM deliveries WHERE id = ANY ($1::bigint[])) first
   WHERE d.id = ANY ($1::bigint[]) AND d.state = 'held'`;

const settingsRow = {
  tenant_id: tenantIdSchema,
  rules_version: z.number(),
  quiet_hours: quietHoursSchema.nullable(),
  time_zone: z.string(),
};
const settingsOf = (row: z.infer<z.ZodObject<typeof settingsRow>>) => ({
  settings: { tenantId: row.tenant_id, version: row.rules_version },
  quietHours: row.quiet_hours,
  timeZone: row.time_zone,
});

const holdRow = z
  .object({
    ...settingsRow,
    chat_webhook_id: z.number(),
    via_webhook_id: z.number().nullable(),
    held_for: z.enum(['quiet', 'daily', 'weekly']),
    is_early: z.boolean(),
    is_urgent: z.boolean(),
    fold: z.enum(FOLD_POLICIES),
  })
  .transform((row): DueHold => ({
    chatWebhookId: row.chat_webhook_id,
    viaWebhookId: row.via_webhook_id,
    heldFor: row.held_for,
    isEarly: row.is_early,
    isUrgent: row.is_urgent,
    fold: row.fold,
    ...settingsOf(row),
  }));

const regatheredRow = z
  .object({
    ...settingsRow,
    rule_id: z.number(),
    chat_webhook_id: z.number(),
    via_webhook_id: z.number().nullable(),
    digest: digestSchema,
  })
  .transform((row): Regathered => ({
    ruleId: row.rule_id,
    chatWebhookId: row.chat_webhook_id,
    viaWebhookId: row.via_webhook_id,
    digest: row.digest,
    ...settingsOf(row),
  }));

const unreadableRow = z
  .object({ key: z.string(), tenant_id: tenantIdSchema, chat_webhook_id: z.number() })
  .transform((row) => ({ key: row.key, tenantId: row.tenant_id, chatWebhookId: row.chat_webhook_id }));

/** What a look for due holds gives of itself; without a key, that there is none. */
const lookRow = z.object({ key: z.string().nullable(), last_until: z.string().nullable(), last_id: z.string().nullable() });
const FROM_THE_FIRST = ['-infinity', '0'] as const;

const waitedRow = z.object({ has_waited: z.boolean() });
const goingRow = z.object({ id: z.number(), is_made: z.boolean(), is_gathered: z.boolean() });

/** Makes the store. */
export function makeHeldStore(database: Pick<Database, 'pool' | 'keyed' | 'transaction'>): HeldStore {
  const { pool, keyed } = database;
  let lookedUntil: readonly [string, string] = FROM_THE_FIRST;

  /** What cannot be read says so. */
  async function waiting<Read>(
    rows: readonly unknown[],
    schema: z.ZodType<Read>,
    note: string,
    ...values: readonly unknown[]
  ): Promise<Waiting<Read>> {
    const { read, unreadable } = readEach(rows, schema);
    const holds = unreadable.map(({ row, error }) => ({ ...unreadableRow.parse(row), error }));
    const whose = [holds.map(({ chatWebhookId }) => chatWebhookId), holds.map(({ key }) => key)];
    if (holds.length > 0) await pool.query(note, [...whose, ...values]);
    return { due: read, unreadable: holds };
  }

  return {
    async regathered(leftOut) {
      return waiting((await pool.query(REGATHERED, [leftOut])).rows, regatheredRow, NOTE_UNGATHERED);
    },
    async gatherAnew({ ruleId, chatWebhookId, viaWebhookId, settings }, { heldFor, until, reason }) {
      const wait = [heldFor, until, reason];
      await pool.query(GATHER_ANEW, [ruleId, chatWebhookId, viaWebhookId, ...wait, settings.tenantId, settings.version]);
    },
    async dueHolds(now, leftOut) {
      await pool.query(BRING_FORWARD, [now]);
      const { rows } = await keyed.query({ name: 'due-holds', text: DUE_HOLDS, values: [now, leftOut, ...lookedUntil] });
      const looks = rows.map((row) => lookRow.parse(row));
      const { last_until, last_id } = looks[0] ?? { last_until: null, last_id: null };
      lookedUntil = last_until === null || last_id === null ? FROM_THE_FIRST : [last_until, last_id];
      const found = rows.filter((_, at) => looks[at]?.key !== null);
      return waiting(found, holdRow, NOTE_UNREADABLE, now);
    },
    async isStillComing({ chatWebhookId, viaWebhookId, heldFor, settings }, now) {
      const values = [chatWebhookId, viaWebhookId, heldFor, now, settings.tenantId];
      return (await pool.query(IS_STILL_COMING, values)).rows.length > 0;
    },
    async postpone(hold, { heldFor, until, reason }, now) {
      const { tenantId, version } = hold.settings;
      await pool.query(POSTPONE, [...holdParameters(hold, now), heldFor, until, reason, tenantId, version]);
    },
    release: (hold, now, plan) =>
      database.transaction(async (client) => {
        const locked = await client.query(LOCK_DESTINATION, [hold.viaWebhookId ?? hold.chatWebhookId]);
        if (locked.rowCount === 0) return 0;
        const looked = await client.query(HAS_WAITED, holdParameters(hold, now));
        if (!waitedRow.parse(looked.rows[0]).has_waited) return 0;
        const { rows } = await client.query(HELD, holdParameters(hold, now));
        const putOff = putOffIn(rows);
        if (putOff.size > 0) await client.query(PUT_OFF, [[...putOff]]);
        const leaving = rows.filter((row) => !putOff.has(goingRow.parse(row).id));
        const going = leaving.map((row) => goingRow.parse(row));
        const made = going.filter(({ is_made }) => is_made).map(({ id }) => id);
        const candidates = candidatesIn(leaving);
        const together = new Set([...candidates.map(({ id }) => id), ...made]);
        // Without it the rest of a digest would be gathered for the next one.
        const alone = going.filter(({ id, is_gathered }) => is_gathered && !together.has(id));
        const folds = [...plan(candidates), ...alone.map(({ id }) => ({ leadId: id, memberIds: [] }))];
        const members = new Set(folds.flatMap(({ memberIds }) => memberIds));
        if (folds.length > 0) await writeFolds(client, folds, hold.heldFor);
        await client.query(LET_GO, [going.map(({ id }) => id).filter((id) => !members.has(id)), made, now]);
        return going.length;
      }),
  };
}

function holdParameters({ chatWebhookId, viaWebhookId, heldFor, isEarly, isUrgent }: DueHold, now: Date): unknown[] {
  return [chatWebhookId, viaWebhookId, heldFor, now, isEarly, isUrgent];
}
