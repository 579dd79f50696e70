/** What tests and the sandbox may do to the stand-in Pipedrive besides its HTTP: its control and inspection API. */
import type { Crm } from './crm';
import type { HttpGate } from './http-gate';
import type { Installs, UninstallOutcome } from './installs';
import type { OauthSettings } from './oauth-routes';
import type { Identity, OauthTokens } from './oauth-tokens';
import { apiTokenOf } from './oauth-tokens';
import type { WebhookRegistration } from './webhook-envelope';
import type { WebhookSender } from './webhook-sender';

export type FakePipedrive = Crm &
  Pick<HttpGate, 'requests' | 'failNext' | 'clearFaults'> &
  Pick<WebhookSender, 'deliveries' | 'lost' | 'idle' | 'sendRaw' | 'isBanned' | 'liftBans'> & {
    readonly url: string;
    readonly clientId: string;
    readonly clientSecret: string;
    /** Registered webhooks by id; delete one to let it vanish as Pipedrive does after three bad days. */
    readonly webhooks: Map<number, WebhookRegistration>;
    rotateRefreshTokens: boolean;
    omitRefreshToken: boolean;
    /** `expires_in` of new access tokens. */
    accessTokenLifetimeSeconds: number;
    setAppUrl(url: string): void;
    /** A code as if the user had pressed "Allow". `companyId` defaults to the company that has this user. */
    authorizeDirectly(userId: number, companyId?: number): string;
    expireAccessTokens(): void;
    /** The install ends without a word to the app (a lost uninstall call); webhooks go too unless kept. */
    revokeUser(companyId: number, userId: number, options?: { keepWebhooks?: boolean }): void;
    /** Removes the user's tokens and webhooks and sends the DELETE to the callback URL. */
    uninstall(userId: number, companyId?: number): Promise<UninstallOutcome>;
    isInstalled(companyId: number, userId: number): boolean;
    apiToken(companyId: number, userId: number): string;
    apiTokens(): (Identity & { readonly apiToken: string })[];
    /** A token as Pipedrive gives to framed pages; a negative lifetime makes an expired one. */
    frameToken(companyId: number, userId: number, lifetimeSeconds?: number): string;
    /** Tokens of the daily budget used so far, of one company or of all. */
    tokenCost(companyId?: number): number;
    clearLogs(): void;
    close(): Promise<void>;
  };

type Needs = {
  url: string;
  oauth: OauthSettings;
  tokens: OauthTokens;
  gate: HttpGate;
  sender: WebhookSender;
  webhooks: Map<number, WebhookRegistration>;
  crm: Crm;
  installs: Installs;
  close: () => Promise<void>;
};

export function makeControlApi({ url, oauth, tokens, gate, sender, webhooks, crm, installs, close }: Needs): FakePipedrive {
  const { companies } = crm;
  const identityFor = (userId: number, companyId?: number): Identity => {
    const owner = [...companies.values()].find(
      (company) => (companyId === undefined || company.id === companyId) && company.users.live.has(userId),
    );
    if (owner === undefined) throw new Error(`the stand-in has no user ${userId}`);
    return { companyId: owner.id, userId };
  };

  const control = {
    url,
    clientId: oauth.clientId,
    clientSecret: oauth.clientSecret,
    webhooks,
    requests: gate.requests,
    failNext: gate.failNext,
    clearFaults: gate.clearFaults,
    deliveries: sender.deliveries,
    lost: sender.lost,
    idle: sender.idle,
    sendRaw: sender.sendRaw,
    isBanned: sender.isBanned,
    liftBans: sender.liftBans,
    get rotateRefreshTokens() {
      return oauth.rotateRefreshTokens;
    },
    set rotateRefreshTokens(rotate: boolean) {
      oauth.rotateRefreshTokens = rotate;
    },
    get omitRefreshToken() {
      return oauth.omitRefreshToken;
    },
    set omitRefreshToken(omit: boolean) {
      oauth.omitRefreshToken = omit;
    },
    get accessTokenLifetimeSeconds() {
      return tokens.lifetimeSeconds;
    },
    set accessTokenLifetimeSeconds(seconds: number) {
      tokens.lifetimeSeconds = seconds;
    },
    setAppUrl: installs.setAppUrl,
    authorizeDirectly: (userId: number, companyId?: number): string => tokens.issueCode(identityFor(userId, companyId)),
    expireAccessTokens: tokens.expireAccessTokens,
    revokeUser: (companyId: number, userId: number, { keepWebhooks = false } = {}): void => {
      installs.end({ companyId, userId }, keepWebhooks);
    },
    uninstall: (userId: number, companyId?: number): Promise<UninstallOutcome> =>
      installs.uninstall(identityFor(userId, companyId)),
    isInstalled: (companyId: number, userId: number): boolean => tokens.isInstalled({ companyId, userId }),
    apiToken: (companyId: number, userId: number): string => apiTokenOf(identityFor(userId, companyId)),
    apiTokens: (): (Identity & { apiToken: string })[] =>
      [...companies.values()].flatMap(({ id: companyId, users }) =>
        [...users.live.keys()].map((userId) => ({ companyId, userId, apiToken: apiTokenOf({ companyId, userId }) })),
      ),
    frameToken: (companyId: number, userId: number, lifetimeSeconds?: number): string =>
      installs.frameToken({ companyId, userId }, lifetimeSeconds),
    tokenCost: (companyId?: number): number =>
      gate.requests
        .filter((request) => companyId === undefined || request.as?.companyId === companyId)
        .reduce((total, request) => total + request.tokenCost, 0),
    clearLogs: (): void => {
      gate.requests.length = 0;
      sender.deliveries.length = 0;
      sender.lost.length = 0;
    },
    close,
  };
  return Object.assign(control, crm);
}
