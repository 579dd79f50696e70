/** Addresses of the app's framed pages with the signed token that Pipedrive adds to them. */
import { createHmac } from 'node:crypto';
import type { Identity } from './oauth-tokens';

const TOKEN_LIFETIME_SECONDS = 5 * 60;

/** Which records a panel or modal is about; `details` of one, or chosen in a `list`. */
export type FramedRecords = {
  readonly resource: 'deal' | 'lead' | 'person' | 'organization';
  readonly view: 'details' | 'list';
  readonly ids: readonly (string | number)[];
};

export type FrameContext = {
  readonly surface: 'settings' | 'panel' | 'modal';
  readonly theme: 'light' | 'dark';
  readonly records?: FramedRecords;
  readonly data?: string;
};

/** HS256 over `userId`, `companyId` and `exp`; a negative lifetime makes an expired token. */
export function signFrameToken({
  identity,
  secret,
  now,
  lifetimeSeconds = TOKEN_LIFETIME_SECONDS,
}: {
  identity: Identity;
  secret: string;
  now: Date;
  lifetimeSeconds?: number | undefined;
}): string {
  const issuedAt = Math.floor(now.getTime() / 1000);
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { userId: identity.userId, companyId: identity.companyId, iat: issuedAt, exp: issuedAt + lifetimeSeconds };
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** `{appUrl}/extension/{surface}?...` as Pipedrive's pages load it. */
export function frameUrl({
  appUrl,
  identity,
  token,
  context,
}: {
  appUrl: string;
  identity: Identity;
  token: string;
  context: FrameContext;
}): string {
  const url = new URL(`/extension/${context.surface}`, appUrl);
  const parameters: Record<string, string> = {
    id: `runtime-${context.surface}`,
    theme: context.theme,
    userId: String(identity.userId),
    companyId: String(identity.companyId),
    token,
    ...(context.records === undefined ? {} : recordParameters(context.records)),
    ...(context.data === undefined ? {} : { data: context.data }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.toString();
}

function recordParameters({ resource, view, ids }: FramedRecords): Record<string, string> {
  return { resource, view, selectedIds: ids.join(',') };
}
