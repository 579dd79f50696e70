/** `/announcements`: telling a space of a record by hand, with a note. Everybody of the company may. */

import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { PrismaClient } from '../../prisma/generated/client';
import type { Bell } from '../core/jobs';
import { titleOf, type RecordState } from '../core/record';
import type { TenantId } from '../core/tenant';
import { addAnnouncement, ANNOUNCED } from '../delivery/announcement.store';
import { findRecordState } from '../rules/shadow.store';
import type { Pool } from 'pg';
import type { RunChange } from './change.store';
import { missing, tenantEndpoint, type Endpoint, type Principal } from './endpoint';
import { idField, recordIdField } from './fields';
import { principalName } from './principal-name';
import { spaceOfBody } from './space-of-body';

/** What Pipedrive knows of a record now; null when it cannot be had. */
export type FetchState = (tenantId: TenantId, entity: keyof typeof ANNOUNCED, id: string) => Promise<RecordState | null>;

interface Deps {
  readonly prisma: PrismaClient;
  readonly pool: Pool;
  readonly runChange: RunChange;
  readonly bell: Pick<Bell, 'ringDeliver'>;
  readonly clock: () => Date;
  readonly fetchRecord: FetchState;
}

/** A handful chosen in a list; a space takes one message a second. */
const MAX_RECORDS = 20;
const MAX_NOTE = 2000;

const announced = z.enum(['deal', 'lead', 'person', 'organization']);
const body = z.strictObject({
  records: z
    .array(z.strictObject({ entity: announced, entityId: recordIdField }))
    .min(1, 'must name at least one record')
    .max(MAX_RECORDS, `must have at most ${String(MAX_RECORDS)} records`),
  chatWebhookId: idField,
  note: z
    .string()
    .trim()
    .max(MAX_NOTE, `must have at most ${String(MAX_NOTE)} characters`)
    .nullish(),
  /** Made by the page, so that a second click announces nothing twice. */
  key: z.uuid({ error: 'must be a UUID' }).optional(),
});

export function announcementEndpoints(deps: Deps): Endpoint[] {
  return [
    tenantEndpoint({
      ...{ method: 'post', path: '/announcements', access: 'read', status: 202 },
      summary: 'Tell a space of records now, with a note; the same key announces a record only once',
      body,
      handle: async (principal, { body: wanted }) => {
        const found = await spaceOfBody(deps.prisma, principal.tenantId, wanted);
        const states = await Promise.all(wanted.records.map((record) => stateOf(deps, principal, record)));
        const by = await principalName(deps.prisma, principal);
        const key = wanted.key ?? randomUUID();
        const at = deps.clock();
        const deliveryIds = await deps.runChange(principal, async (client) => {
          const made: number[] = [];
          for (const [index, { entity, entityId }] of wanted.records.entries()) {
            const id = await addAnnouncement(client, principal.tenantId, {
              ...{ entity, entityId, state: states[index] ?? {}, by, note: wanted.note || null, userId: principal.userId },
              ...{ key, at, chatWebhookId: found.id, spaceId: found.spaceId },
            });
            if (id !== null) made.push(id);
          }
          const subject = wanted.records.map((record, index) => subjectOf(record, states[index])).join(', ');
          const note = { action: 'record.announced', subject, changes: { chatWebhookId: found.id } };
          return { result: made, note: made.length === 0 ? null : note };
        });
        deps.bell.ringDeliver([found.spaceId]);
        return { status: 202, body: { queued: deliveryIds.length, deliveryIds } };
      },
    }),
  ];
}

type Wanted = z.output<typeof body>['records'][number];

/** "deal 7 “Linen contract”": what the trail of changes names. */
function subjectOf({ entity, entityId }: Wanted, state: RecordState | undefined): string {
  const title = state === undefined ? null : titleOf(state);
  return title === null ? `${entity} ${entityId}` : `${entity} ${entityId} “${title.slice(0, 100)}”`;
}

/** As the ledger knows it, else as Pipedrive does. */
async function stateOf({ pool, fetchRecord }: Deps, { tenantId }: Principal, { entity, entityId }: Wanted): Promise<RecordState> {
  const known = await findRecordState(pool, tenantId, { entity, entityId });
  const state = known ?? (await fetchRecord(tenantId, entity, entityId));
  if (state === null) throw missing(entity);
  return state;
}
