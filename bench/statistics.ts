/** Medians, their spread, and what can be said of a median difference. Answers NaN for no values. */

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? NaN;
  const above = sorted[Math.ceil(position)] ?? NaN;
  return below + (above - below) * (position - Math.floor(position));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * The upper bound of a one-sided 95 % confidence interval of the median, without any assumption on how the values are spread: the
 * smallest order statistic that the median exceeds with a chance of at most 5 % (sign test). NaN for fewer than 5 values,
 * from which no such bound follows.
 */
export function upperBoundOfMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  // P(at most k of n values lie below the median), for k = 0, 1, ...
  let term = 0.5 ** n;
  let below = term;
  for (let k = 0; k < n; k++) {
    if (below >= 0.95) return sorted[k] ?? NaN;
    term = (term * (n - k)) / (k + 1);
    below += term;
  }
  return NaN;
}
