/** Medians and percentiles of measured figures. */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The value below which `share` (0 to 1) of the values lie; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  const index = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
  return sorted[index] ?? Number.NaN;
}

/** Median (of an even number of rounds the mean of the middle two), least and greatest of the rounds of one figure. */
export function spreadOf(values: readonly number[]): Spread {
  const middle =
    (percentile(values, 0.5) +
      -percentile(
        values.map((value) => -value),
        0.5,
      )) /
    2;
  return { median: middle, min: Math.min(...values), max: Math.max(...values) };
}
