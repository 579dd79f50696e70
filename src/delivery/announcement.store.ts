/** Announcements in the ledger: a row among the events, already routed, and the message that it owes. */

import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Prisma } from '../../prisma/generated/client';
import { titleOf, type RecordState } from '../core/record';
import type { TenantId } from '../core/tenant';
import type { Announcement, EventType } from '../core/transition';

/** Records that can be announced; the transition is what their story is laid out as. */
export const ANNOUNCED = {
  deal: 'deal.created',
  lead: 'lead.created',
  person: 'person.created',
  organization: 'organization.created',
} as const satisfies Readonly<Record<string, EventType>>;
export type AnnouncedEntity = keyof typeof ANNOUNCED;

const jsonObject = z.record(z.string(), z.json());

/** What `events.action` says of an announcement. */
export const ANNOUNCE = 'announce';
/** Deliveries of announcements belong to no rule. */
const NO_RULE = 0;

export interface NewAnnouncement extends Announcement {
  readonly entity: AnnouncedEntity;
  readonly entityId: string;
  readonly state: RecordState;
  /** Pipedrive user who announces; null for an API key. */
  readonly userId: number | null;
  readonly chatWebhookId: number;
  readonly spaceId: string;
  /** The same key announces the same record only once. */
  readonly key: string;
  readonly at: Date;
}

/** The delivery that was made; null when this key announced the record already. One at a time per tenant: under `runChange`. */
export async function addAnnouncement(
  client: Prisma.TransactionClient,
  tenantId: TenantId,
  { entity, entityId, state, by, note, userId, key, at, ...target }: NewAnnouncement,
): Promise<number | null> {
  const identity = { tenantId, entity, entityId, action: ANNOUNCE, metaId: key };
  if ((await client.event.findFirst({ where: identity, select: { id: true } })) !== null) return null;
  const payload = Buffer.from(JSON.stringify({ announcement: { by, note, title: titleOf(state) } }));
  const event = await client.event.create({
    data: { ...identity, occurredAt: at, receivedAt: at, routedAt: at, payload, decisions: [] },
    select: { id: true },
  });
  const { id } = await client.delivery.create({
    data: {
      ...{ tenantId, entity, entityId, eventId: event.id, ruleId: NO_RULE, templateMode: 'detailed', requestId: randomUUID() },
      ...{ chatWebhookId: target.chatWebhookId, spaceId: target.spaceId, occurredAt: at, notBefore: at, actorUserId: userId },
      transition: { type: ANNOUNCED[entity], changes: [], announcement: { by, note } },
      record: jsonObject.parse(state),
    },
    select: { id: true },
  });
  return Number(id);
}

const announcementBody = z.object({
  announcement: z.object({ by: z.string(), note: z.string().nullable(), title: z.string().nullable().default(null) }),
});

/** An announcement with the title that its record had then; null where that was not kept. */
export interface PastAnnouncement extends Announcement {
  readonly title: string | null;
}

/** Who announced what with which words, by the id of the event; events that are no announcements are left out. */
export async function loadAnnouncements(
  pool: Pool,
  tenantId: TenantId,
  eventIds: readonly number[],
): Promise<ReadonlyMap<number, PastAnnouncement>> {
  if (eventIds.length === 0) return new Map();
  const { rows } = await pool.query<{ id: string | number; payload: Buffer }>(
    `SELECT id, payload FROM events WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND action = '${ANNOUNCE}'`,
    [tenantId, eventIds],
  );
  return new Map(
    rows.map(({ id, payload }) => [Number(id), announcementBody.parse(JSON.parse(payload.toString('utf8'))).announcement]),
  );
}
