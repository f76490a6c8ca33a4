/** A chi-squared test for equal shares. It mistakes equal shares for unequal ones about once in a thousand times. */

/** Reports whether `parts` counts, `total` in all, are enough for the test. */
export function areEnough(parts: i32, total: u32): bool {
  return parts >= 2 && total >= MIN_FOR_A_PART * <u32>parts;
}

/**
 * Reports whether the first `length` counts are those of equal shares, except those that are 0: `parts` counts, `total` in
 * all. Too few are even. Costs one pass.
 */
export function isEven(counts: StaticArray<u32>, length: i32, parts: i32, total: u32): bool {
  if (!areEnough(parts, total)) return true;
  const mean = <f64>total / <f64>parts;
  let sum: f64 = 0;
  for (let i = 0; i < length; i++) {
    const count = unchecked(counts[i]);
    if (count == 0) continue;
    const distance = <f64>count - mean;
    sum += (distance * distance) / mean;
  }
  const freedom = <f64>(parts - 1);
  return sum <= freedom + 4 * Math.sqrt(2 * freedom) + 4;
}

const MIN_FOR_A_PART: u32 = 8;
