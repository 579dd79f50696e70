/** The pages that Pipedrive shows in frames: settings, the panel beside a record, the modal. No cookie is read here. */

import { Router, type Request, type Response } from 'express';
import type { Pool } from 'pg';
import { z } from 'zod';
import { recordPage } from '../../views/record';
import { settingsPage } from '../../views/settings';
import type { PrismaClient } from '../../prisma/generated/client';
import type { TenantId } from '../core/tenant';
import { listDestinations } from '../delivery/chat-webhook.store';
import { deliveriesOfEvents } from '../delivery/delivery-history.store';
import type { CurrentPlan } from '../plans/plan-limits';
import { sendNotice } from '../platform/error-pages';
import { renderPage } from '../platform/render-page';
import { loadDecisionNames, pageOfEvents } from '../rules/event-history.store';
import { listRules } from '../rules/rule.store';
import { recordView, settingsView, type PageFacts } from './page-views';
import type { VerifyIframeToken } from './verify-iframe-token';
import { findViewerByCompany, type Viewer } from './viewer.store';

export interface SettingsDeps {
  readonly database: { readonly prisma: PrismaClient; readonly pool: Pool };
  readonly verifyIframeToken: VerifyIframeToken;
  readonly loadPlan: (tenantId: TenantId) => Promise<CurrentPlan>;
  readonly countApiKeys: (tenantId: TenantId) => Promise<number>;
  /** Where an installation begins: `$BASE_URL/oauth/install`. */
  readonly installUrl: string;
}

const PAGES = ['settings', 'panel', 'modal'] as const;
type Page = (typeof PAGES)[number];

/** Panels may be 100 to 750 px high and have a fixed width; modals are at least 120 x 320. */
const SIZES: Readonly<Record<Page, { readonly heightPx: number; readonly widthPx: number | null }>> = {
  settings: { heightPx: 750, widthPx: null },
  panel: { heightPx: 400, widthPx: null },
  modal: { heightPx: 600, widthPx: 640 },
};
const EVENTS_SHOWN = 20;

/** One text of each; anything else (absent, repeated) is none. */
const querySchema = z.object({
  token: z.string().catch(''),
  theme: z.enum(['light', 'dark']).nullable().catch(null),
  resource: z.enum(['deal', 'lead', 'person', 'organization']).nullable().catch(null),
  selectedIds: z
    .string()
    .regex(/^[\w-]{1,64}(,|$)/)
    .nullable()
    .catch(null),
});
type PageQuery = z.infer<typeof querySchema>;

/** `GET /extension/settings`, `/extension/panel` and `/extension/modal`: 401 without a good token, an offer to install for strangers. */
export function makeSettingsRouter(deps: SettingsDeps): Router {
  const router = Router();
  for (const page of PAGES) {
    router.get(`/extension/${page}`, async (request, response) => {
      await show(deps, page, request, response);
    });
  }
  return router;
}

async function show(deps: SettingsDeps, page: Page, request: Request, response: Response): Promise<void> {
  const query = querySchema.parse({ ...request.query });
  const frame = { theme: query.theme, ...SIZES[page] };
  const claims = await deps.verifyIframeToken(query.token);
  if (claims === null) {
    sendNotice(response, { status: 401, title: 'Please reopen this page', lines: REOPEN, frame });
    return;
  }
  const viewer = await findViewerByCompany(deps.database.prisma, claims);
  if (viewer === null) {
    const link = { href: deps.installUrl, label: 'Install Dealbell' };
    sendNotice(response, { status: 200, title: 'Dealbell is not connected yet', lines: INSTALL, link, frame });
    return;
  }
  const html = page === 'settings' ? await settingsHtml(deps, viewer, frame) : await recordHtml(deps, viewer, query, frame);
  response.set('Cache-Control', 'no-store').type('html').send(html);
}

const REOPEN = [
  'Pipedrive’s sign-in for this page is missing or has expired.',
  'Close it and open it again in Pipedrive: reload the tab, or go to Tools and apps, Marketplace apps, Dealbell.',
];
const INSTALL = [
  'You or your company have not installed Dealbell, or the connection has ended.',
  'The installation opens in a new tab. When it is done, reload this page.',
];

type Frame = Parameters<typeof recordView>[2];

async function settingsHtml(deps: SettingsDeps, viewer: Viewer, frame: Frame): Promise<string> {
  const facts = await gather(deps, viewer, {});
  const plan = await deps.loadPlan(viewer.tenant.id);
  return renderPage(settingsPage(settingsView(facts, plan, await deps.countApiKeys(viewer.tenant.id), frame)));
}

async function recordHtml(deps: SettingsDeps, viewer: Viewer, query: PageQuery, frame: Frame): Promise<string> {
  const entityId = query.selectedIds?.split(',')[0];
  const record = query.resource === null || entityId === undefined ? null : { entity: query.resource, entityId };
  const facts = await gather(deps, viewer, record);
  return renderPage(recordPage(recordView(facts, record, frame)));
}

/** `record` null: no events at all. */
async function gather(
  deps: SettingsDeps,
  { tenant }: Viewer,
  record: { entity?: string; entityId?: string } | null,
): Promise<PageFacts> {
  const { prisma, pool } = deps.database;
  const events = record === null ? [] : await pageOfEvents(pool, tenant.id, { ...record, beforeId: null, limit: EVENTS_SHOWN });
  const eventIds = events.map((event) => event.id);
  const decisions = events.flatMap((event) => event.decisions);
  const rules = await listRules(prisma, tenant.id);
  return {
    tenant,
    events,
    destinations: await listDestinations(prisma, tenant.id),
    rules,
    deliveries: eventIds.length === 0 ? [] : await deliveriesOfEvents(pool, tenant.id, eventIds),
    namesOf: await loadDecisionNames(pool, tenant.id, decisions, new Map(rules.map((rule) => [rule.id, rule]))),
  };
}
