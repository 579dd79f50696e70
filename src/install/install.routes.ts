/** `/oauth/*`: where an install begins and where Pipedrive calls back (install, cancel, uninstall, sharing). */

import { Router, text, type Request, type RequestHandler, type Response } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { InstallOutcome, InstallTenant, Installed } from './install-tenant';
import { addState, takeState } from './install-state';
import { hasClientCredentials, readUninstallNotice } from './uninstall-request';
import type { UninstallUser } from './uninstall-user';

declare module 'express-session' {
  interface SessionData {
    /** See `install-state`. */
    installStates?: readonly string[];
  }
}

/** A short page of ours. */
export interface Page {
  readonly status: number;
  readonly title: string;
  readonly message: string;
  readonly link?: { readonly href: string; readonly text: string };
}

interface Needs {
  readonly oauth: { authorizeUrl(state: string): string };
  readonly install: Pick<InstallTenant, 'installByCode'>;
  readonly uninstallUser: UninstallUser;
  readonly showPage: (response: Response, page: Page) => void;
  /** express-session; used for nothing else than the state. */
  readonly session: RequestHandler;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly baseUrl: string;
  /** Where Pipedrive shows our settings to a company. */
  readonly settingsUrl: (companyDomain: string) => string;
  readonly log: Logger;
}

const MOST_CODE_CHARACTERS = 2_000;
const callbackQuery = z.object({
  code: z.string().min(1).max(MOST_CODE_CHARACTERS).optional(),
  state: z.string().optional(),
  error: z.string().optional(),
});

const AGAIN = { href: '/oauth/install', text: 'Start again' };
const PAGES = {
  badRequest: { status: 400, title: 'This link is not complete', message: 'Please start the installation again.', link: AGAIN },
  wrongState: {
    status: 400,
    title: 'This installation was not started here',
    message: 'The link is old, was used before, or belongs to another browser. Nothing was installed. Please start again.',
    link: AGAIN,
  },
  cancelled: {
    status: 200,
    title: 'Installation cancelled',
    message: 'Nothing was installed. You can start again whenever you like.',
    link: AGAIN,
  },
  refused: {
    status: 400,
    title: 'Pipedrive did not confirm this installation',
    message: 'The confirmation is used up or too old (it is good for five minutes). Nothing was installed. Please start again.',
    link: AGAIN,
  },
  unreachable: {
    status: 502,
    title: 'Pipedrive could not be asked',
    message: 'Nothing was installed. Please start again in a few minutes.',
    link: AGAIN,
  },
} as const;

export function makeInstallRoutes(needs: Needs): Router {
  const router = Router();
  router.get('/oauth/install', needs.session, (request, response) => startInstall(needs, request, response));
  router.get('/oauth/callback', needs.session, (request, response) => finishInstall(needs, request, response));
  // As text, whatever its type says: a notice with the right credentials is answered 200 whatever it holds.
  const body = text({ type: () => true, limit: '16kb' });
  router.delete('/oauth/callback', requireClient(needs), body, (request, response) => uninstall(needs, request, response));
  router.post('/oauth/callback', (_request, response) => {
    // App sharing tells of users an admin picked; each of them still authorizes by a GET of their own, which is what counts.
    needs.log.info('app sharing notice ignored');
    response.status(200).json({ status: 'ignored' });
  });
  return router;
}

async function startInstall({ oauth }: Needs, request: Request, response: Response): Promise<void> {
  const state = await addState(request.session);
  response.set('Cache-Control', 'no-store').redirect(302, oauth.authorizeUrl(state));
}

async function finishInstall(needs: Needs, request: Request, response: Response): Promise<void> {
  const { install, showPage, log } = needs;
  const query = callbackQuery.safeParse(request.query);
  if (!query.success) {
    showPage(response, PAGES.badRequest);
    return;
  }
  const { code, state, error } = query.data;
  // No state at all is Marketplace's "Install now", which starts at Pipedrive's consent page.
  const isStateGood = state === undefined || (await takeState(request.session, state));
  if (error !== undefined) {
    showPage(response, PAGES.cancelled);
  } else if (code === undefined) {
    showPage(response, PAGES.badRequest);
  } else if (!isStateGood) {
    log.warn('install refused: wrong state');
    showPage(response, PAGES.wrongState);
  } else {
    showOutcome(needs, response, await install.installByCode(code));
  }
}

function showOutcome(
  { showPage, baseUrl, settingsUrl: settingsUrlOf, log }: Needs,
  response: Response,
  outcome: InstallOutcome,
): void {
  switch (outcome.kind) {
    case 'refused':
    case 'unreachable':
      log.warn({ outcome: outcome.kind, reason: outcome.reason }, 'not installed');
      showPage(response, PAGES[outcome.kind]);
      break;
    case 'installed': {
      const settingsUrl = settingsUrlOf(outcome.tenant.companyDomain);
      if (baseUrl.startsWith('https:')) response.set('Cache-Control', 'no-store').redirect(302, settingsUrl);
      else showPage(response, installedPage(outcome, settingsUrl));
      break;
    }
    default:
      outcome satisfies never;
  }
}

function installedPage({ tenant, hearsEverything }: Installed, settingsUrl: string): Page {
  const done = `Dealbell is installed for ${tenant.companyName}.`;
  const missing =
    'Pipedrive did not accept all of its event subscriptions, so some events are not heard yet. Dealbell tries again every hour; if it stays like this, ask a Pipedrive admin to install Dealbell too.';
  return {
    status: 200,
    title: hearsEverything ? 'Dealbell is installed' : 'Dealbell is installed, but does not hear everything yet',
    message: hearsEverything ? `${done} Continue in the app’s settings in Pipedrive.` : `${done} ${missing}`,
    link: { href: settingsUrl, text: 'Open the settings in Pipedrive' },
  };
}

function requireClient({ clientId, clientSecret }: Needs): RequestHandler {
  return (request, response, next) => {
    if (hasClientCredentials(request.get('authorization'), clientId, clientSecret)) next();
    else response.status(401).set('WWW-Authenticate', 'Basic realm="Dealbell"').json({ status: 'unauthorized' });
  };
}

async function uninstall({ uninstallUser, clientId, log }: Needs, request: Request, response: Response): Promise<void> {
  const notice = readUninstallNotice(request.body, clientId);
  if (notice === null) log.warn('uninstall without a known app, company and user');
  else await uninstallUser(notice);
  response.status(200).json({ status: 'ok' });
}
