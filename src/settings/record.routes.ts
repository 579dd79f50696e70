/** The panel beside a deal, person or organization, and the modal over it. */

import { Router, type Request, type Response } from 'express';
import { z } from 'zod';
import { recordPage } from '../../views/record';
import { renderPage } from '../platform/render-page';
import { sendHtml } from '../platform/send-html';
import { openFrame, type Surface } from './frame.routes';
import { gatherFacts } from './gather-facts';
import { recordView } from './record-view';
import type { SettingsDeps } from './settings-deps';

const EVENTS_SHOWN = 20;

const querySchema = z.object({
  resource: z.enum(['deal', 'lead', 'person', 'organization']).nullable().catch(null),
  selectedIds: z
    .string()
    .regex(/^[\w-]{1,64}(,|$)/)
    .nullable()
    .catch(null),
});

/** `GET /extension/panel` and `/extension/modal`. */
export function recordRouter(deps: SettingsDeps): Router {
  const router = Router({ caseSensitive: true });
  for (const surface of ['panel', 'modal'] as const) {
    router.get(`/extension/${surface}`, (request, response) => show(deps, surface, request, response));
  }
  return router;
}

async function show(deps: SettingsDeps, surface: Surface, request: Request, response: Response): Promise<void> {
  const opened = await openFrame(deps, surface, request, response);
  if (opened === null) return;
  const { viewer, frame } = opened;
  const { resource, selectedIds } = querySchema.parse({ ...request.query });
  const entityId = selectedIds?.split(',')[0];
  const record = resource === null || entityId === undefined ? null : { entity: resource, entityId };
  const facts = await gatherFacts(deps, viewer, record === null ? null : { ...record, beforeId: null, limit: EVENTS_SHOWN });
  const credential = await deps.pageTokens.issue({ tenantId: viewer.tenant.id, userId: viewer.userId });
  const html = renderPage(recordPage(recordView(facts, record, frame), credential));
  await sendHtml(request, response, html);
}
