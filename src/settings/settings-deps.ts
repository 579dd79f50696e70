/** What the pages inside Pipedrive need of the rest of the application. */

import type { Pool } from 'pg';
import type { PrismaClient } from '../../prisma/generated/client';
import type { FetchState } from '../api/announcements.routes';
import type { CallApi } from '../api/call-api';
import type { RefreshReferences } from '../api/rule-attention';
import type { TenantId } from '../core/tenant';
import type { CheckKeys } from '../delivery/check-keys';
import type { TryUrl } from '../delivery/send-test';
import type { CurrentPlan } from '../plans/plan-limits';
import type { CountSent } from './overview.store';
import type { PageTokens } from './page-token';
import type { VerifyIframeToken } from './verify-iframe-token';

export interface SettingsDeps {
  readonly database: { readonly prisma: PrismaClient; readonly pool: Pool; readonly keyed: Pool };
  readonly verifyIframeToken: VerifyIframeToken;
  readonly pageTokens: PageTokens;
  /** Every change goes through the API, so that it is judged, limited and audited in one place. */
  readonly callApi: CallApi;
  /** Says which destinations have a key that cannot be opened. */
  readonly checkKeys: CheckKeys;
  readonly loadPlan: (tenantId: TenantId) => Promise<CurrentPlan>;
  readonly countApiKeys: (tenantId: TenantId) => Promise<number>;
  readonly countSent: CountSent;
  /** What Pipedrive knows of a record now; null when it cannot be had. */
  readonly fetchRecord: FetchState;
  /** Sends a sample to a URL that is not saved yet. */
  readonly tryUrl: TryUrl;
  /** Reads lists at Pipedrive that were never read; true when something was read in time. */
  readonly refreshReferences: RefreshReferences;
  /** Makes Pipedrive's list of our webhooks equal to what is wanted; what Pipedrive refused stands in `failed`. */
  readonly syncWebhooks: (tenantId: TenantId) => Promise<{
    readonly ownerConnectionId: number | null;
    readonly failed: readonly { readonly reason: string }[];
  }>;
  /** How long a rule waits for later edits that does not say. */
  readonly settleMs: number;
  /** `GOOGLE_CHAT_ORIGIN`. */
  readonly googleChatOrigin: string;
  /** Where a relay posts events: `$BASE_URL/webhook/pipedrive`. */
  readonly webhookUrl: string;
  /** Where an installation begins: `$BASE_URL/oauth/install`. */
  readonly installUrl: string;
  /** The settings page within Pipedrive of a company, for links to it. */
  readonly settingsUrl: (companyDomain: string) => string;
  readonly clock: () => Date;
}
