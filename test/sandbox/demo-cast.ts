/** Sets the scene of the demo: records that are there before Dealbell, the install by the consent page, spaces, destinations and rules. */

import { z } from 'zod';
import { DEMO_COMPANY_ID, OTHER_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { firstAdmin, type World } from '../support/world';
import { spaceNamed, stageNamed } from './demo-find';
import { makeSandboxApi, type RuleWish, type SandboxApi } from './sandbox-api';

export const SPACES = { wins: '#wins', team: '#sales-team', desk: '#deal-desk', freight: '#freight' } as const;
export const BIG_DEAL = 50_000;
/** Far below the limit of "Big win", so that the burst is told in one space alone. */
export const BURST = Array.from({ length: 12 }, (_, index) => ({
  title: `Reorder ${String.fromCharCode(65 + index)} of hotel linen`,
  value: 1_100 * (index + 1),
}));

export interface Cast {
  readonly home: SandboxApi;
  /** Another company on the same Dealbell. */
  readonly other: SandboxApi;
  /** Of the home company, by their ids in the API. */
  readonly destinations: { readonly team: number };
  /** Ids that no card may show. */
  readonly ids: () => ReadonlySet<number>;
}

/** What is in the CRM before Dealbell is: nobody is told of it. */
export function prepareRecords({ pipedrive }: World): void {
  for (const deal of BURST) pipedrive.createDeal(DEMO_COMPANY_ID, deal);
}

export function makeSpaces({ chat }: World): void {
  for (const name of Object.values(SPACES)) chat.createSpace({ name });
}

/** Connects the spaces and makes the rules of both companies; `token` is the home company's page token. */
export async function makeCast(world: World, token: string): Promise<Cast> {
  const home = makeSandboxApi(world, token);
  const other = makeSandboxApi(world, await world.install(undefined, OTHER_COMPANY_ID));
  const wins = await home.addDestination({ name: SPACES.wins, url: webhookUrl(world, SPACES.wins) });
  const team = await home.addDestination({ name: SPACES.team, url: webhookUrl(world, SPACES.team) });
  const desk = await home.addDestination({ name: SPACES.desk, url: webhookUrl(world, SPACES.desk), threads: 'perRecord' });
  for (const rule of rulesOf(world, { wins, team, desk })) await home.addRule(rule);
  const freight = await other.addDestination({ name: SPACES.freight, url: webhookUrl(world, SPACES.freight) });
  await other.addRule({ name: 'Freight won', eventType: 'deal.won', templateMode: 'compact', targetWebhookIds: [freight] });
  return { home, other, destinations: { team }, ids: () => idsOf(world) };
}

function rulesOf(world: World, { wins, team, desk }: Record<'wins' | 'team' | 'desk', number>): readonly RuleWish[] {
  const toTeam = { targetWebhookIds: [team] };
  const stageIds = ['Demo scheduled', 'Negotiations started'].map((name) => stageNamed(world, name));
  return [
    { name: 'Won', eventType: 'deal.won', templateMode: 'detailed', targetWebhookIds: [wins] },
    { name: 'New deal', eventType: 'deal.created', templateMode: 'detailed', ...toTeam },
    { name: 'Demo or negotiations', eventType: 'deal.stage_changed', templateMode: 'compact', filters: { stageIds }, ...toTeam },
    { name: 'Other pipeline', eventType: 'deal.pipeline_changed', templateMode: 'compact', ...toTeam },
    { name: 'Lost', eventType: 'deal.lost', templateMode: 'detailed', ...toTeam },
    { name: 'Reopened', eventType: 'deal.reopened', templateMode: 'compact', ...toTeam },
    { name: 'New owner', eventType: 'deal.owner_changed', templateMode: 'compact', ...toTeam },
    { name: 'Lead converted', eventType: 'lead.converted', templateMode: 'detailed', ...toTeam },
    { name: 'Merged', eventType: 'deal.merged', templateMode: 'compact', ...toTeam },
    { name: 'Deleted', eventType: 'deal.deleted', templateMode: 'compact', ...toTeam },
    {
      name: 'Big new deal',
      eventType: 'deal.created',
      templateMode: 'compact',
      filters: { minValue: BIG_DEAL },
      targetWebhookIds: [desk],
    },
    { name: 'Activity done', eventType: 'activity.completed', templateMode: 'detailed', targetWebhookIds: [desk] },
    { name: 'Note', eventType: 'note.created', templateMode: 'compact', targetWebhookIds: [desk] },
  ];
}

function webhookUrl(world: World, name: string): string {
  return world.chat.createWebhook(spaceNamed(world, name), { name: 'Dealbell' }).url;
}

/** Of users, contacts and companies: they begin high, so that one on a card is surely an id. */
function idsOf({ pipedrive }: World): ReadonlySet<number> {
  const { users, persons, organizations } = pipedrive.company(DEMO_COMPANY_ID);
  return new Set([DEMO_COMPANY_ID, ...[users, persons, organizations].flatMap((table) => [...table.live.keys()])]);
}

/**
 * Installs as a person does: Dealbell's install link, Pipedrive's consent page, "Allow", back at Dealbell with the cookie of the first
 * step. Returns the page token of that user. Throws with the page's words when any step is not as it should be.
 */
export async function installByConsent(world: World): Promise<string> {
  const { baseUrl, pipedrive } = world;
  const begun = await fetch(`${baseUrl}/oauth/install`, { redirect: 'manual' });
  const consentUrl = begun.headers.get('location') ?? '';
  const cookie = (begun.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const consent = await (await fetch(consentUrl)).text();
  if (!consent.includes('Allow and install')) throw new Error(`no consent page: ${consent.slice(0, 300)}`);

  const admin = firstAdmin(pipedrive, DEMO_COMPANY_ID);
  const form = new URLSearchParams({ user: `${DEMO_COMPANY_ID}-${admin}`, decision: 'allow' });
  const allowed = await fetch(consentUrl, { method: 'POST', body: form, redirect: 'manual' });
  const done = await fetch(allowed.headers.get('location') ?? '', { headers: { cookie }, redirect: 'manual' });
  const page = await done.text();
  if (!page.includes('Dealbell is installed')) throw new Error(`not installed (${done.status}): ${page.slice(0, 300)}`);

  const session = await world.api('POST', '/session', null, { token: pipedrive.frameToken(DEMO_COMPANY_ID, admin) });
  return z.object({ token: z.string() }).parse(session.body).token;
}
