/** Sums and rates of GET /v1/stats, for stats and watch. */
import type { CountByKind, Statistics } from "./answers.generated.ts";

export const KIND_NAMES = ["id", "ticket", "psk"] as const;
/** The fates of an offered session, in the order of the columns. */
export const FATES = ["accepted", "lost", "declined", "refused", "failed", "diverted"] as const;

export function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** Handshakes that were completed, by outcome. */
export function handshakesOf(stats: Statistics): { resumed: number; full: number } {
  return { resumed: sum(stats.resumed), full: sum(stats.full) };
}

export function fateOf(stats: Statistics, fate: (typeof FATES)[number] | "offered"): CountByKind {
  return stats[`resumptions_${fate}`];
}

/** `98.2 %`; `-` of nothing. */
export function percentage(part: number, whole: number): string {
  return whole <= 0 ? "-" : `${((100 * part) / whole).toFixed(1)} %`;
}

/** A count per second; a counter that fell, as after a restart, counts as 0. */
export function perSecond(before: number, after: number, seconds: number): string {
  return (Math.max(0, after - before) / Math.max(0.001, seconds)).toFixed(1);
}

/** `512 of 20,480 (2.5 %)` */
export function fillOf({ number, cache_size: size }: Statistics): string {
  const held = number.toLocaleString("en-US");
  return size === 0 ? `${held}, unlimited` : `${held} of ${size.toLocaleString("en-US")} (${percentage(number, size)})`;
}
