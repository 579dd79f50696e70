/** HTTP for people: the CRM's pages, and the plain form posts by which they change it. */
import { join } from 'node:path';
import type { Request, RequestHandler, Response } from 'express';
import express, { Router } from 'express';
import type { Crm } from './crm';
import type { Theme, Viewer } from './crm-layout';
import { appSettingsPage, boardPage, chooserPage, dealListPage, leadsPage, personsPage } from './crm-pages';
import type { DealRecord } from './crm-records';
import { dealPage } from './deal-page';
import type { ChangeOptions } from './entity-actions';
import { queryText } from './http-gate';
import type { FrameContext } from './iframe-urls';
import type { Identity } from './oauth-tokens';
import { formText, parseIdentity } from './oauth-routes';

export type AppLinks = {
  readonly clientId: string;
  /** Dealbell's own install address; null while its address is unknown. */
  installUrl(): string | null;
  /** The consent page without a state, as "Install now" in the Marketplace opens it. */
  consentUrl(as: string): string | null;
  frameUrl(identity: Identity, context: FrameContext): string | null;
  frameToken(identity: Identity): string;
  isInstalled(identity: Identity): boolean;
  uninstall(identity: Identity): Promise<unknown>;
};

const FRAMED_RESOURCES = ['deal', 'lead', 'person', 'organization'] as const;
const DEAL_STATUSES = ['open', 'won', 'lost'] as const;

type Act = (viewer: Viewer, request: Request, options: ChangeOptions) => string;

export function makeCrmRoutes({ crm, app }: { crm: Crm; app: AppLinks }): Router {
  const router = Router();
  router.use('/assets', express.static(join(__dirname, 'assets')));
  router.use(express.urlencoded({ extended: false }));
  pages(router, crm, app);
  dealForms(router, crm);
  otherForms(router, crm);
  marketplace(router, crm, app);
  return router;
}

function pages(router: Router, crm: Crm, app: AppLinks): void {
  const show = (path: string, view: (viewer: Viewer, request: Request) => string | null): void => {
    router.get(
      path,
      withViewer(crm, app, (viewer, request, response) => {
        const content = view(viewer, request);
        if (content === null) response.status(404).send('There is no such record in this company.');
        else response.send(content);
      }),
    );
  };
  router.get('/', (_request, response) => {
    response.send(chooserPage(crm.companies, '/pipeline'));
  });
  const board = (viewer: Viewer, id: number | undefined): string | null => {
    const pipeline = id === undefined ? [...viewer.company.pipelines.live.values()][0] : viewer.company.pipelines.live.get(id);
    return pipeline === undefined ? null : boardPage(viewer, pipeline);
  };
  show('/pipeline', (viewer) => board(viewer, undefined));
  show('/pipeline/:id', (viewer, request) => board(viewer, numberParam(request)));
  show('/deals/list', (viewer) => dealListPage(viewer));
  show('/leads/inbox', (viewer) => leadsPage(viewer));
  show('/leads/inbox/:id', (viewer) => leadsPage(viewer));
  show('/persons/list', (viewer) => personsPage(viewer));
  show('/deal/:id', (viewer, request) => {
    const deal = viewer.company.deals.live.get(numberParam(request));
    if (deal === undefined) return null;
    const records = { resource: 'deal', view: 'details', ids: [deal.id] } as const;
    return dealPage(viewer, deal, app.frameUrl(identityOf(viewer), { surface: 'panel', theme: viewer.theme, records }));
  });
}

function dealForms(router: Router, crm: Crm): void {
  const on = (path: string, act: Act): void => {
    router.post(path, withViewer(crm, null, posted(act)));
  };
  on('/deals', (viewer, request, options) => {
    const deal = crm.createDeal(viewer.company.id, { ...dealFields(request), owner_id: viewer.user.id }, options);
    return `/pipeline/${deal.pipeline_id}`;
  });
  on(
    '/deal/:id/edit',
    (_viewer, request, options) => `/deal/${crm.updateDeal(numberParam(request), dealFields(request), options).id}`,
  );
  on('/deal/:id/status', (_viewer, request, options) => {
    const status = DEAL_STATUSES.find((known) => known === formText(request, 'status')) ?? 'open';
    const reason = status === 'lost' ? { lost_reason: formText(request, 'lost_reason') ?? null } : {};
    const changes: Partial<DealRecord> = { status, ...reason };
    return `/deal/${crm.updateDeal(numberParam(request), changes, options).id}`;
  });
  on('/deal/:id/delete', (_viewer, request, options) => `/pipeline/${crm.deleteDeal(numberParam(request), options).pipeline_id}`);
  on('/deal/:id/note', (viewer, request, options) => {
    const id = numberParam(request);
    crm.createNote(
      viewer.company.id,
      { deal_id: id, user_id: viewer.user.id, content: `<p>${formText(request, 'content') ?? ''}</p>` },
      options,
    );
    return `/deal/${id}`;
  });
  on('/deal/:id/activity', (viewer, request, options) => {
    const id = numberParam(request);
    crm.createActivity(
      viewer.company.id,
      {
        deal_id: id,
        owner_id: viewer.user.id,
        subject: formText(request, 'subject') ?? 'Activity',
        type: formText(request, 'type') ?? 'task',
      },
      options,
    );
    return `/deal/${id}`;
  });
}

function otherForms(router: Router, crm: Crm): void {
  const on = (path: string, act: Act): void => {
    router.post(path, withViewer(crm, null, posted(act)));
  };
  on('/activity/:id/done', (viewer, request, options) => {
    const activity = crm.updateActivity(numberParam(request), { done: true, update_user_id: viewer.user.id }, options);
    return activity.deal_id === null ? '/pipeline' : `/deal/${activity.deal_id}`;
  });
  on('/leads', (viewer, request, options) => {
    const value = Number(formText(request, 'value') ?? 0);
    const money = value > 0 ? { value: { amount: value, currency: viewer.company.currency } } : {};
    crm.createLead(
      viewer.company.id,
      { title: formText(request, 'title') ?? 'Lead', owner_id: viewer.user.id, ...money },
      options,
    );
    return '/leads/inbox';
  });
  on('/leads/:id/convert', (_viewer, request, options) => `/deal/${crm.convertLead(textParam(request), options).id}`);
  on('/leads/:id/archive', (viewer, request, options) => {
    const lead = viewer.company.leads.live.get(textParam(request));
    if (lead !== undefined) crm.updateLead(lead.id, { is_archived: !lead.is_archived }, options);
    return '/leads/inbox';
  });
  on('/persons', (viewer, request, options) => {
    const employer = formText(request, 'organization');
    const known = [...viewer.company.organizations.live.values()].find((organization) => organization.name === employer);
    const owner = { owner_id: viewer.user.id };
    const organization =
      employer === undefined
        ? undefined
        : (known ?? crm.createOrganization(viewer.company.id, { name: employer, ...owner }, options));
    crm.createPerson(
      viewer.company.id,
      { name: formText(request, 'name') ?? 'Person', org_id: organization?.id ?? null, ...owner },
      options,
    );
    return '/persons/list';
  });
}

function marketplace(router: Router, crm: Crm, app: AppLinks): void {
  router.get(
    '/settings/marketplace/app/:clientId/app-settings',
    withViewer(crm, app, (viewer, _request, response) => {
      const identity = identityOf(viewer);
      const settingsFrameUrl = app.frameUrl(identity, { surface: 'settings', theme: viewer.theme });
      response.send(
        appSettingsPage(viewer, { isInstalled: app.isInstalled(identity), installUrl: app.installUrl(), settingsFrameUrl }),
      );
    }),
  );
  router.post(
    '/settings/marketplace/app/:clientId/uninstall',
    withViewer(crm, app, async (viewer, _request, response) => {
      await app.uninstall(identityOf(viewer));
      response.redirect(303, `/settings/marketplace/app/${app.clientId}/app-settings?as=${viewer.as}`);
    }),
  );
  router.get(
    '/marketplace/app/:clientId/install-now',
    withViewer(crm, app, (viewer, _request, response) => {
      const target = app.consentUrl(viewer.as);
      if (target === null) response.status(409).send('The app has no callback URL yet.');
      else response.redirect(302, target);
    }),
  );
  router.get(
    '/host/token',
    withViewer(crm, app, (viewer, _request, response) => {
      response.json({ token: app.frameToken(identityOf(viewer)) });
    }),
  );
  router.get(
    '/host/modal-url',
    withViewer(crm, app, (viewer, request, response) => {
      const resource = FRAMED_RESOURCES.find((known) => known === queryText(request, 'resource'));
      const view = queryText(request, 'view') === 'list' ? 'list' : 'details';
      const ids = (queryText(request, 'selectedIds') ?? '').split(',').filter((id) => id !== '');
      const records = resource === undefined || ids.length === 0 ? {} : { records: { resource, view, ids } as const };
      response.json({ url: app.frameUrl(identityOf(viewer), { surface: 'modal', theme: viewer.theme, ...records }) });
    }),
  );
}

type WithViewer = (viewer: Viewer, request: Request, response: Response) => void | Promise<void>;

/** Runs a handler as the user named by `?as=`; without one a page of users leads back here. */
function withViewer(crm: Crm, app: AppLinks | null, handle: WithViewer): RequestHandler {
  return async (request, response) => {
    const as = queryText(request, 'as') ?? '';
    const identity = parseIdentity(as);
    const company = identity === null ? undefined : crm.companies.get(identity.companyId);
    const user = identity === null ? undefined : company?.users.live.get(identity.userId);
    if (company === undefined || user === undefined) {
      response.send(chooserPage(crm.companies, request.path));
      return;
    }
    const theme: Theme = /crm_theme=dark/.test(request.get('cookie') ?? '') ? 'dark' : 'light';
    await handle({ company, user, theme, clientId: app?.clientId ?? '', as }, request, response);
  };
}

function posted(act: Act): WithViewer {
  return (viewer, request, response) => {
    const target = act(viewer, request, { actorUserId: viewer.user.id, companyId: viewer.company.id });
    response.redirect(303, `${target}?as=${viewer.as}`);
  };
}

/** Only the fields that the form has. */
function dealFields(request: Request): Partial<DealRecord> {
  const title = formText(request, 'title');
  const currency = formText(request, 'currency');
  const numbers = ['value', 'owner_id', 'stage_id', 'pipeline_id'] as const;
  const given = numbers.flatMap((name) => {
    const text = formText(request, name);
    return text === undefined ? [] : [[name, Number(text)] as const];
  });
  const body: unknown = request.body;
  const hasCloseDate = typeof body === 'object' && body !== null && 'expected_close_date' in body;
  return {
    ...(title === undefined ? {} : { title }),
    ...(currency === undefined ? {} : { currency }),
    ...(hasCloseDate ? { expected_close_date: formText(request, 'expected_close_date') ?? null } : {}),
    ...Object.fromEntries(given),
  };
}

function identityOf(viewer: Viewer): Identity {
  return { companyId: viewer.company.id, userId: viewer.user.id };
}

function textParam(request: Request): string {
  const id = request.params['id'];
  return typeof id === 'string' ? id : '';
}

function numberParam(request: Request): number {
  return Number(textParam(request));
}
