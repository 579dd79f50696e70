/** Whether settings are still those by which a message's wait was reckoned, as statements ask it. */

/** A row when settings are those of this version and nobody is changing them; that is kept so until the statement is over. */
export const settled = (tenantId: string, version: string): string =>
  `(SELECT FROM tenants WHERE id = ${tenantId} AND rules_version = ${version} FOR SHARE SKIP LOCKED)`;
export const areSettled = (tenantId: string, version: string): string =>
  `EXISTS (SELECT FROM ${settled(tenantId, version)} settled)`;
