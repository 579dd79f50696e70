/** A tenant is one Pipedrive company; its id is branded so that no other number can stand in for it. */

import { z } from 'zod';

export const tenantIdSchema = z.number().int().positive().brand('TenantId');
export type TenantId = z.infer<typeof tenantIdSchema>;

/** Brands a number that came from a verified source (a row, a job, a credential). Throws ZodError on anything else. */
export function tenantId(value: number): TenantId {
  return tenantIdSchema.parse(value);
}

/** What rendering a message needs to know of a tenant. */
export interface TenantProfile {
  readonly id: TenantId;
  /** Pipedrive's company id. */
  readonly companyId: number;
  readonly companyName: string;
  /** First label of `{companyDomain}.pipedrive.com`. */
  readonly companyDomain: string;
  /** Pipedrive's locale, for example `et_EE`. */
  readonly locale: string;
  /** IANA time zone, for example `Europe/Berlin`. */
  readonly timeZone: string;
  /** ISO 4217 code of the company's base currency. */
  readonly baseCurrency: string;
}
