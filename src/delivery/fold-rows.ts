/** Rows of messages that are, or may be, told together, and how they are read: one that this version cannot read harms no other. Pure. */

import { z } from 'zod';
import { RECORD_ENTITIES, recordStateSchema, titleOf } from '../core/record';
import { EVENT_TYPES, type RecordChange } from '../core/transition';
import { nameBytes } from '../messages/render-fold';
import type { FoldCandidate } from './plan-fold';

const candidateRow = z
  .object({
    id: z.number(),
    entity: z.string(),
    entity_id: z.string(),
    type: z.enum(EVENT_TYPES),
    actor_user_id: z.number().nullable(),
    correlation_id: z.string().nullable(),
    is_bulk_edit: z.boolean(),
    title: z.string().nullable(),
  })
  .transform((row): FoldCandidate => ({
    id: row.id,
    type: row.type,
    entity: row.entity,
    entityId: row.entity_id,
    actorUserId: row.actor_user_id,
    correlationId: row.correlation_id,
    isBulkEdit: row.is_bulk_edit,
    nameBytes: row.type === 'deal.won' ? nameBytes(titleOf({ title: row.title })) : 0,
  }));

/** `is_made`: it goes by itself, before the others; `is_later`: and after what is under way. */
const placeRow = z.object({
  id: z.number(),
  entity: z.string(),
  entity_id: z.string(),
  is_made: z.boolean().default(false),
  is_later: z.boolean().default(false),
});

/**
 * Which of these rows, in the order of their ids, may be told together: not those that this version cannot read, nor those that are later
 * than something under way, nor later ones about the record of either. They go by themselves, and each waits for the earlier ones about its
 * record.
 */
export function candidatesIn(rows: readonly unknown[]): readonly FoldCandidate[] {
  const records = new Set<string>();
  return rows.flatMap((row) => {
    const { entity, entity_id, is_made, is_later } = placeRow.parse(row);
    const record = `${entity}/${entity_id}`;
    const candidate = candidateRow.safeParse(row);
    if (!candidate.success || is_later) records.add(record);
    return candidate.success && !is_made && !records.has(record) ? [candidate.data] : [];
  });
}

/** `waits_on`: it was put off before, with others; `is_gathered`: its rule would gather it for the next digest. */
const digestRow = placeRow.extend({ is_gathered: z.boolean(), waits_on: z.boolean() });

/**
 * Which of the rows of a digest, in the order of their ids, are put off: those that are later than something under way, the later ones about
 * their records, and those that were put off before while any of these is later still, so that they are told in one and not one by one.
 */
export function putOffIn(rows: readonly unknown[]): ReadonlySet<number> {
  const gathered = rows.map((row) => digestRow.parse(row)).filter((row) => row.is_gathered && !row.is_made);
  const waitOn = gathered.some((row) => row.waits_on && row.is_later);
  const records = new Set<string>();
  const putOff = gathered.filter(({ entity, entity_id, is_later, waits_on }) => {
    const record = `${entity}/${entity_id}`;
    const stays = is_later || (waits_on && waitOn) || records.has(record);
    if (stays) records.add(record);
    return stays;
  });
  return new Set(putOff.map(({ id }) => id));
}

const changeRow = z
  .object({
    entity: z.enum(RECORD_ENTITIES),
    entity_id: z.string(),
    transition: z.object({
      type: z.enum(EVENT_TYPES),
      changes: z.array(z.object({ field: z.string(), from: z.unknown(), to: z.unknown() })),
      again: z.boolean().exactOptional(),
      relatedId: z.string().exactOptional(),
      corrects: z.number().exactOptional(),
      cause: z
        .object({ changeSource: z.string().nullable(), isBulkEdit: z.boolean(), isLate: z.boolean().exactOptional() })
        .exactOptional(),
    }),
    record: recordStateSchema,
    actor_user_id: z.number().nullable(),
    occurred_at: z.date(),
  })
  .transform((row): RecordChange => ({
    entity: row.entity,
    entityId: row.entity_id,
    transition: row.transition,
    state: row.record,
    actorUserId: row.actor_user_id,
    occurredAt: row.occurred_at,
  }));

const memberRow = z.object({ id: z.number(), lead_id: z.number() });

/** One of those that a message tells. */
export interface FoldMember {
  readonly id: number;
  readonly leadId: number;
  /** An error: this version cannot read it. */
  readonly change: RecordChange | Error;
}

/** What a row says of a member. */
export function memberIn(row: unknown): FoldMember {
  const { id, lead_id } = memberRow.parse(row);
  const change = changeRow.safeParse(row);
  return { id, leadId: lead_id, change: change.success ? change.data : change.error };
}
