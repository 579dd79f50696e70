/** Where Pipedrive shows our settings page. Pure. */

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/;

interface Setup {
  readonly clientId: string;
  /** Where people sign in to Pipedrive. */
  readonly oauthUrl: string;
  /** Our own address. */
  readonly baseUrl: string;
}

/**
 * For the company whose address is `{companyDomain}.pipedrive.com`. Where Pipedrive is a stand-in on this machine and so are we,
 * the page is there.
 */
export function settingsUrlOf(companyDomain: string, { clientId, oauthUrl, baseUrl }: Setup): string {
  const signIn = new URL(oauthUrl);
  const isStandIn = LOOPBACK.test(signIn.hostname) && baseUrl.startsWith('http:');
  const host = isStandIn ? signIn.origin : `https://${companyDomain}.pipedrive.com`;
  return `${host}/settings/marketplace/app/${encodeURIComponent(clientId)}/app-settings`;
}
