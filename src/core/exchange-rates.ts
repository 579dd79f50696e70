/** Exchange rates as Pipedrive itself converts by them; a missing rate is a reason, never a guess. Pure. */

import type { Money } from './record';

/** What one unit of each currency is worth in the base currency, and on which day that was read. */
export interface ExchangeRates {
  readonly base: string;
  readonly perUnit: ReadonlyMap<string, { readonly rate: number; readonly asOf: Date }>;
}

export const NO_RATES: ExchangeRates = { base: '', perUnit: new Map() };

/** The amount in `currency`; null when a rate on the way is not known. The same currency needs none. */
export function convert(money: Money, currency: string, rates: ExchangeRates): number | null {
  const from = money.currency ?? currency;
  if (from === currency) return money.amount;
  const fromRate = rateOf(from, rates);
  const toRate = rateOf(currency, rates);
  return fromRate === null || toRate === null ? null : (money.amount * fromRate) / toRate;
}

function rateOf(currency: string, rates: ExchangeRates): number | null {
  if (currency === rates.base) return 1;
  const known = rates.perUnit.get(currency)?.rate;
  return known === undefined || !(known > 0) ? null : known;
}
