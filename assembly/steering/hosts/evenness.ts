/**
 * Whether counts are those of equal shares, as far as chance allows: a chi-squared test that takes equal shares for unequal ones
 * about once in a thousand times.
 */

/** Whether so many counts, `total` in all, are enough to tell. */
export function tells(parts: i32, total: u32): bool {
  return parts >= 2 && total >= LEAST_FOR_A_PART * <u32>parts;
}

/** Of `counts`, the first `length` that are not 0 count: `parts` of them, `total` in all. What is too little to tell is even. Costs one pass. */
export function isEven(counts: StaticArray<u32>, length: i32, parts: i32, total: u32): bool {
  if (!tells(parts, total)) return true;
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

const LEAST_FOR_A_PART: u32 = 8;
