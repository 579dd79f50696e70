/** An app's installs as Pipedrive sees them: where the app is, how installs end, and the tokens of its framed pages. */
import type { FrameContext } from './iframe-urls';
import { frameUrl, signFrameToken } from './iframe-urls';
import type { OauthSettings } from './oauth-routes';
import type { Identity, OauthTokens } from './oauth-tokens';
import type { WebhookRegistration } from './webhook-envelope';

export type UninstallOutcome = { readonly status: number } | { readonly status: null; readonly reason: string };

export type Installs = {
  setAppUrl(url: string): void;
  /** The registered callback URL; null while neither it nor the app's address is known. */
  redirectUri(): string | null;
  /** Dealbell's own install address. */
  installUrl(): string | null;
  /** Removes the user's tokens and, unless kept, the webhooks the app made for that user. */
  end(identity: Identity, keepWebhooks?: boolean): void;
  /** As `end`, and tells the app by one `DELETE` that is never repeated. */
  uninstall(identity: Identity): Promise<UninstallOutcome>;
  frameToken(identity: Identity, lifetimeSeconds?: number): string;
  frameUrl(identity: Identity, context: FrameContext): string | null;
};

type Needs = {
  address: { appUrl: string | null; redirectUri: string | null };
  client: Pick<OauthSettings, 'clientId' | 'clientSecret'>;
  jwtSecret: string;
  tokens: OauthTokens;
  webhooks: Map<number, WebhookRegistration>;
  forgetWebhook: (webhookId: number) => void;
  clock: () => Date;
};

const UNINSTALL_TIMEOUT_MS = 10_000;

export function makeInstalls({ address, client, jwtSecret, tokens, webhooks, forgetWebhook, clock }: Needs): Installs {
  let { appUrl } = address;
  const atApp = (path: string): string | null => (appUrl === null ? null : new URL(path, appUrl).toString());
  const redirectUri = (): string | null => address.redirectUri ?? atApp('/oauth/callback');

  function end(identity: Identity, keepWebhooks = false): void {
    tokens.removeUser(identity);
    if (keepWebhooks) return;
    for (const webhook of webhooks.values()) {
      if (webhook.kind !== 'application' || webhook.companyId !== identity.companyId || webhook.ownerId !== identity.userId)
        continue;
      webhooks.delete(webhook.id);
      forgetWebhook(webhook.id);
    }
  }

  const frameToken = (identity: Identity, lifetimeSeconds?: number): string =>
    signFrameToken({ identity, secret: jwtSecret, now: clock(), lifetimeSeconds });

  return {
    setAppUrl: (url) => {
      appUrl = url;
    },
    redirectUri,
    installUrl: () => atApp('/oauth/install'),
    end,
    async uninstall(identity) {
      end(identity);
      const callbackUrl = redirectUri();
      if (callbackUrl === null) return { status: null, reason: 'no callback URL is known' };
      return sendUninstall({ callbackUrl, client, identity, at: clock() });
    },
    frameToken,
    frameUrl: (identity, context) =>
      appUrl === null ? null : frameUrl({ appUrl, identity, token: frameToken(identity), context }),
  };
}

type UninstallCall = { callbackUrl: string; client: Needs['client']; identity: Identity; at: Date };

/** An unreachable app is an outcome, not an error. */
async function sendUninstall({ callbackUrl, client, identity, at }: UninstallCall): Promise<UninstallOutcome> {
  const { clientId, clientSecret } = client;
  try {
    const response = await fetch(callbackUrl, {
      method: 'DELETE',
      headers: {
        authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({
        client_id: clientId,
        company_id: identity.companyId,
        user_id: identity.userId,
        timestamp: at.toISOString(),
      }),
      signal: AbortSignal.timeout(UNINSTALL_TIMEOUT_MS),
    });
    await response.arrayBuffer();
    return { status: response.status };
  } catch (error) {
    return { status: null, reason: error instanceof Error ? error.message : String(error) };
  }
}
