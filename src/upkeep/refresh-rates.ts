/** Reads a tenant's exchange rates from Pipedrive: daily, at install, and when a decision lacked one. Never throws, never waits long. */

import type { Logger } from 'pino';
import { messageOf } from '../core/errors';
import type { ExchangeRates } from '../core/exchange-rates';
import type { TenantId } from '../core/tenant';
import { atMost } from './at-most';
import { ratesOfSums, type CurrencySum } from './rates-of-sums';
import { makeSpacing } from './spacing';

type SummaryAnswer =
  | { readonly ok: true; readonly value: readonly CurrencySum[] }
  | { readonly ok: false; readonly failure: { readonly reason: string } };

interface Needs {
  readonly listInstalledTenants: () => Promise<readonly TenantId[]>;
  /** Null for a tenant that is gone. */
  readonly findBaseCurrency: (tenantId: TenantId) => Promise<string | null>;
  /** Over the tenant's best connection; null when it has none. */
  readonly getDealsSummary: (tenantId: TenantId) => Promise<SummaryAnswer | null>;
  readonly loadRates: (tenantId: TenantId, baseCurrency: string) => Promise<ExchangeRates>;
  readonly saveRates: (tenantId: TenantId, rates: ExchangeRates) => Promise<void>;
  readonly clock: () => Date;
  readonly log: Logger;
  /** The longest that a caller waits; 2,500 when absent. */
  readonly patienceMs?: number;
}

export interface RefreshRates {
  /** Reads the tenant's rates now. True when that was done in time; one that comes later is kept all the same. */
  refresh(tenantId: TenantId): Promise<boolean>;
  /**
   * To be called, outside any transaction, when a decision lacked a rate between some of these currencies: true when it is worth
   * deciding again. The same need is asked for once a minute, and ever less often while Pipedrive has no answer to it.
   */
  refreshLacking(tenantId: TenantId, currencies: readonly string[]): Promise<boolean>;
  /** The daily run over all installed tenants: 40 tokens of each company's budget. */
  refreshAll(): Promise<{ readonly tenants: number; readonly failed: number }>;
}

const PATIENCE_MS = 2_500;
/** A company of one seat has 30,000 tokens a day: asking every minute for a currency without a rate would eat them all. */
const ASK_AGAIN_MS = { first: 60_000, longest: 3_600_000 };

export function makeRefreshRates(needs: Needs): RefreshRates {
  const { log, patienceMs = PATIENCE_MS } = needs;
  const spacing = makeSpacing({ ...ASK_AGAIN_MS, clock: needs.clock });
  const underWay = new Map<TenantId, Promise<boolean>>();

  /** One reading at a time per tenant; who comes meanwhile gets the same answer. */
  function read(tenantId: TenantId): Promise<boolean> {
    const joined = underWay.get(tenantId);
    if (joined !== undefined) return joined;
    const reading = readRates(needs, tenantId)
      .catch((error: unknown) => {
        log.warn({ tenantId, reason: messageOf(error) }, 'exchange rates not read');
        return false;
      })
      .finally(() => underWay.delete(tenantId));
    underWay.set(tenantId, reading);
    return reading;
  }

  const refresh = (tenantId: TenantId) => atMost(patienceMs, read(tenantId), false);

  return {
    refresh,

    async refreshLacking(tenantId, currencies) {
      try {
        const lacking = await lackingOf(needs, tenantId, currencies);
        if (lacking.length === 0) return true;
        const due = lacking.filter((currency) => spacing.take(`${tenantId} ${currency}`));
        return due.length > 0 && (await refresh(tenantId));
      } catch (error) {
        log.warn({ tenantId, reason: messageOf(error) }, 'exchange rates not looked up');
        return false;
      }
    },

    async refreshAll() {
      const tenants = await needs.listInstalledTenants();
      let failed = 0;
      for (const tenantId of tenants) if (!(await read(tenantId))) failed++;
      log.info({ tenants: tenants.length, failed }, 'exchange rates refreshed');
      return { tenants: tenants.length, failed };
    },
  };
}

async function readRates(needs: Needs, tenantId: TenantId): Promise<boolean> {
  const { findBaseCurrency, getDealsSummary, saveRates, clock, log } = needs;
  const base = await findBaseCurrency(tenantId);
  if (base === null) return false;
  const readAt = clock();
  const answer = await getDealsSummary(tenantId);
  if (answer === null || !answer.ok) {
    const reason = answer === null ? 'no connection is active' : answer.failure.reason;
    log.warn({ tenantId, reason }, 'exchange rates not read');
    return false;
  }
  const rates = ratesOfSums(answer.value, base, readAt);
  await saveRates(tenantId, rates);
  log.debug({ tenantId, base, currencies: rates.perUnit.size }, 'exchange rates read');
  return true;
}

/** Of these currencies, those that have no rate in the ledger now; another process may have read them meanwhile. */
async function lackingOf(needs: Needs, tenantId: TenantId, currencies: readonly string[]): Promise<readonly string[]> {
  const base = await needs.findBaseCurrency(tenantId);
  if (base === null) return currencies;
  const { perUnit } = await needs.loadRates(tenantId, base);
  return [...new Set(currencies)].filter((currency) => currency !== base && !perUnit.has(currency));
}
