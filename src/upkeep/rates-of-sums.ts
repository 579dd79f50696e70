/** Exchange rates out of what Pipedrive itself converts: the sums of a company's deals, in their currency and in its own. Pure. */

import type { ExchangeRates } from '../core/exchange-rates';

/** What all deals of one currency are worth together; `valueConverted` null: Pipedrive does not convert it. */
export interface CurrencySum {
  readonly currency: string;
  readonly value: number;
  readonly valueConverted: number | null;
}

/** Converted sums come rounded to cents: a smaller one would make a rate that is off by more than half a per cent. */
const SMALLEST_CONVERTED = 1;

/**
 * Rates into `base`, the company's currency as far as it is known. Sums of zero, or too small to tell, give no rate. The answer
 * does not name the currency that it converts to, so a contradiction is settled by what it says of `base` itself; where it says
 * nothing of that and holds another currency at par, there are no rates rather than guessed ones.
 */
export function ratesOfSums(sums: readonly CurrencySum[], base: string, asOf: Date): ExchangeRates {
  const converted = new Map(sums.flatMap((sum) => rateOf(sum) ?? []));
  const ofBase = converted.get(base);
  const isAtParElsewhere = [...converted].some(([currency, rate]) => currency !== base && rate === 1);
  if (ofBase === undefined && isAtParElsewhere) return { base, perUnit: new Map() };
  const others = [...converted].filter(([currency]) => currency !== base);
  return { base, perUnit: new Map(others.map(([currency, rate]) => [currency, { rate: rate / (ofBase ?? 1), asOf }])) };
}

function rateOf({ currency, value, valueConverted }: CurrencySum): [[string, number]] | null {
  if (valueConverted === null || value === 0 || Math.abs(valueConverted) < SMALLEST_CONVERTED) return null;
  const rate = valueConverted / value;
  return Number.isFinite(rate) && rate > 0 ? [[currency, rate]] : null;
}
