/** Where Pipedrive shows our settings page. Pure. */

/** For the company whose address is `{companyDomain}.pipedrive.com`. */
export function settingsUrlOf(companyDomain: string, clientId: string): string {
  return `https://${companyDomain}.pipedrive.com/settings/marketplace/app/${encodeURIComponent(clientId)}/app-settings`;
}
