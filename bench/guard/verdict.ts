/**
 * Decides whether a commit is slower than another: by the ratio of head to base of each pair of values, and a confidence
 * interval of its median that assumes nothing about the noise (sign test, `bench/statistics.ts`).
 *
 * A row fails only if the lower bound of its ratio is above the limit: noise alone widens the interval, and fails nothing.
 */
import { table } from "../markdown.ts";
import { median, upperBoundOfMedian } from "../statistics.ts";

/** Values of one subject; the two of an index were measured side by side. */
export interface Series {
  subject: string;
  unit: string;
  base: readonly number[];
  head: readonly number[];
}

export interface Row {
  subject: string;
  unit: string;
  /** Medians. */
  base: number;
  head: number;
  /** The median ratio of head to base, and its one-sided 95 % bounds. */
  ratio: number;
  lower: number;
  upper: number;
  isSlower: boolean;
}

/** The fewest pairs from which a bound follows. */
export const MIN_PAIRS = 5;

/** Throws if there are too few pairs: a row without a bound could not fail. */
export function judge({ subject, unit, base, head }: Series, limit: number): Row {
  if (base.length !== head.length || base.length < MIN_PAIRS) {
    throw new Error(`${subject}: ${base.length} and ${head.length} values, at least ${MIN_PAIRS} pairs are needed`);
  }
  const ratios = head.map((value, index) => ratioOf(value, base[index] ?? NaN));
  const lower = -upperBoundOfMedian(ratios.map((ratio) => -ratio));
  return {
    subject,
    unit,
    base: median(base),
    head: median(head),
    ratio: median(ratios),
    lower,
    upper: upperBoundOfMedian(ratios),
    isSlower: lower > limit,
  };
}

/** A value that is the same each time, such as a number of calls, needs no bound. */
export function judgeExact(subject: string, unit: string, base: number, head: number, limit: number): Row {
  const ratio = ratioOf(head, base);
  return { subject, unit, base, head, ratio, lower: ratio, upper: ratio, isSlower: ratio > limit };
}

export function verdictTable(rows: readonly Row[]): string {
  return table(
    ["", "unit", "base", "head", "ratio", "95 % bounds", ""],
    rows.map(({ subject, unit, base, head, ratio, lower, upper, isSlower }) => [
      subject,
      unit,
      figure(base),
      figure(head),
      ratio.toFixed(2),
      `${lower.toFixed(2)} to ${upper.toFixed(2)}`,
      isSlower ? "SLOWER" : "",
    ]),
    2,
  );
}

/** Nothing before and nothing now is the same; something for nothing is endlessly more. */
function ratioOf(head: number, base: number): number {
  return head === base ? 1 : head / base;
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
