/** `/mutes`: records of which nothing is told, whatever the rules say. */

import { z } from 'zod';
import type { PrismaClient } from '../../prisma/generated/client';
import { RECORD_ENTITIES } from '../core/record';
import { dropWaiting } from '../delivery/drop-waiting.store';
import { addMute, pageOfMutes, removeMute } from '../rules/muted-record.store';
import type { RunChange } from './change.store';
import { missing, tenantEndpoint, type Endpoint } from './endpoint';
import { recordIdField } from './fields';
import { pageAnswer, pageFields, readCursor } from './paging';

interface Deps {
  readonly prisma: PrismaClient;
  readonly runChange: RunChange;
}

const MAX_INT4 = 2_147_483_647;
const entity = z.enum(RECORD_ENTITIES);

export function muteEndpoints({ prisma, runChange }: Deps): Endpoint[] {
  return [
    tenantEndpoint({
      ...{
        method: 'get',
        path: '/mutes',
        access: 'read',
        status: 200,
        summary: 'Records of which nothing is told, newest first',
      },
      query: z.object({ ...pageFields, entity: entity.optional(), entityId: recordIdField.optional() }),
      handle: async ({ tenantId }, { query: { limit, cursor, ...record } }) => {
        const [beforeId = null] = readCursor(cursor, 1, MAX_INT4);
        const rows = await pageOfMutes(prisma, tenantId, record, { beforeId, limit: limit + 1 });
        return pageAnswer(
          rows,
          limit,
          ({ id }) => [id],
          (mute) => mute,
        );
      },
    }),
    tenantEndpoint({
      ...{ method: 'post', path: '/mutes', access: 'change', status: 201 },
      summary:
        'Mute a record: its waiting messages are dropped, and later events tell nothing. Notes and activities of a muted deal are silent too',
      body: z.strictObject({ entity, entityId: recordIdField }),
      handle: async (principal, { body }) => {
        const mute = await runChange(principal, async (client) => {
          const added = await addMute(client, principal.tenantId, body);
          const dropped = await dropWaiting(client, principal.tenantId, body, 'The record was muted.');
          return {
            result: added,
            note: { action: 'record.muted', subject: `${body.entity} ${body.entityId}`, changes: { dropped } },
          };
        });
        return { status: 201, body: mute };
      },
    }),
    tenantEndpoint({
      ...{
        method: 'delete',
        path: '/mutes/:id',
        access: 'change',
        status: 204,
        summary: 'Tell of the record again, from now on',
      },
      handle: async (principal, { id }) => {
        await runChange(principal, async (client) => {
          const removed = await removeMute(client, principal.tenantId, id);
          if (removed === null) throw missing('mute');
          const subject = `${removed.entity} ${removed.entityId}`;
          return { result: undefined, note: { action: 'record.unmuted', subject } };
        });
        return { status: 204 };
      },
    }),
  ];
}
