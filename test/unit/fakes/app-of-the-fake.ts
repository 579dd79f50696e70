/** Talks to the stand-in Pipedrive as an app does: installs by OAuth, calls the API, registers webhooks. */
import { z } from 'zod';
import type { FakePipedrive } from '../../fakes/pipedrive/fake-pipedrive';
import { DEMO_COMPANY_ID } from '../../fakes/pipedrive/seed-crm';

export const tokenAnswer = z.object({
  access_token: z.string(),
  refresh_token: z.string().optional(),
  api_domain: z.string(),
  expires_in: z.number(),
  scope: z.string(),
  token_type: z.string(),
});

/** The id of a company's user, by position; the first is the admin. */
export function userId(fake: FakePipedrive, companyId: number, index: number): number {
  return [...fake.company(companyId).users.live.keys()][index] ?? 0;
}

export function firstDealId(fake: FakePipedrive, companyId = DEMO_COMPANY_ID): number {
  return [...fake.company(companyId).deals.live.keys()][0] ?? 0;
}

export async function tokenRequest(fake: FakePipedrive, form: Record<string, string>): Promise<Response> {
  return fetch(`${fake.url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${fake.clientId}:${fake.clientSecret}`).toString('base64')}` },
    body: new URLSearchParams(form),
  });
}

/** Installs for a user and gives the tokens. */
export async function install(fake: FakePipedrive, companyId = DEMO_COMPANY_ID, index = 0): Promise<z.infer<typeof tokenAnswer>> {
  const code = fake.authorizeDirectly(userId(fake, companyId, index));
  const answer = await tokenRequest(fake, { grant_type: 'authorization_code', code, redirect_uri: 'http://localhost/cb' });
  return tokenAnswer.parse(await answer.json());
}

type Call = { readonly token: string; readonly path: string; readonly body?: unknown; readonly method?: string };

export async function callApi(
  fake: FakePipedrive,
  { token, path, body, method = body === undefined ? 'GET' : 'POST' }: Call,
): Promise<{ status: number; json: unknown }> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${fake.url}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, json: await answer.json() };
}

/** The body that registers a webhook for everything, with credentials bell / ring. */
export function aWebhook(subscriptionUrl: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    subscription_url: subscriptionUrl,
    event_action: '*',
    event_object: '*',
    name: 'all',
    version: '2.0',
    http_auth_user: 'bell',
    http_auth_password: 'ring',
    ...changes,
  };
}

/** Installs for the demo company's admin and registers one webhook; gives the access token. */
export async function installWithWebhook(fake: FakePipedrive, subscriptionUrl: string): Promise<string> {
  const { access_token: token } = await install(fake);
  const created = await callApi(fake, { token, path: '/api/v1/webhooks', body: aWebhook(subscriptionUrl) });
  if (created.status !== 201) throw new Error(`registering answered ${created.status}`);
  return token;
}
