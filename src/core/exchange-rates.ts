/** Exchange rates as Pipedrive itself converts by them; a missing rate is a reason, never a guess. Pure. */

import type { Money } from './record';

/** What one unit of each currency is worth in the base currency, and on which day that was read. */
export interface ExchangeRates {
  readonly base: string;
  readonly perUnit: ReadonlyMap<string, { readonly rate: number; readonly asOf: Date }>;
}

export const NO_RATES: ExchangeRates = { base: '', perUnit: new Map() };

/** Rates are products of binary fractions: what is smaller than this is noise, not money. */
const PRECISION = 1e6;

/**
 * The amount in `currency`; null when a rate on the way is not known. The same currency needs none; money without a currency is in
 * the base currency.
 */
export function convert(money: Money, currency: string, rates: ExchangeRates): number | null {
  const from = currencyOf(money, currency, rates);
  if (from === currency) return money.amount;
  const fromRate = rateOf(from, rates);
  const toRate = rateOf(currency, rates);
  return fromRate === null || toRate === null ? null : Math.round(((money.amount * fromRate) / toRate) * PRECISION) / PRECISION;
}

/** The day of the rates by which `convert` converts, of two the older one; null when none is needed or known. */
export function rateDate(money: Money, currency: string, rates: ExchangeRates): Date | null {
  const from = currencyOf(money, currency, rates);
  if (from === currency) return null;
  const days = [from, currency].map((code) => rates.perUnit.get(code)?.asOf).filter((day) => day !== undefined);
  return days.reduce<Date | null>((oldest, day) => (oldest === null || day < oldest ? day : oldest), null);
}

function currencyOf(money: Money, currency: string, { base }: ExchangeRates): string {
  return money.currency ?? (base === '' ? currency : base);
}

function rateOf(currency: string, rates: ExchangeRates): number | null {
  if (currency === rates.base) return 1;
  const known = rates.perUnit.get(currency)?.rate;
  return known === undefined || !(known > 0) ? null : known;
}
