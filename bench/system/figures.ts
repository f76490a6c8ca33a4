/** Figures of a run: medians over rounds, and comparisons of two proxies in the same rounds. NaN for a cell that was not measured. */
import { median, upperBoundOfMedian } from "../statistics.ts";
import { type Cell, isSame, isSameButDelay, type ProxyName, type Results, type Situation, type Slice } from "./grid.ts";

export interface Cost {
  proxyMicroseconds: number;
  serversMicroseconds: number;
  /** The median of the sums, which is not quite the sum of the medians. */
  totalMicroseconds: number;
  /** Of 100 connections, how many resumed. */
  resumedPercent: number;
}

/** CPU time does not depend on how far the clients are, so the shortest delay that was measured counts. */
export function costOf(results: Results, situation: Situation, proxy: ProxyName): Cost {
  const slices = nearest(results, situation, proxy);
  return {
    proxyMicroseconds: median(slices.map(({ proxyMicroseconds }) => proxyMicroseconds)),
    serversMicroseconds: median(slices.map(({ serversMicroseconds }) => serversMicroseconds)),
    totalMicroseconds: median(slices.map(totalOf)),
    resumedPercent: (100 * sum(slices, "resumed")) / sum(slices, "connections"),
  };
}

/** Milliseconds: the median over the rounds of the slices' medians. */
export function firstByteOf(results: Results, situation: Situation, proxy: ProxyName): number {
  return median(slicesOf(results, situation, proxy).map(({ firstByteMilliseconds }) => firstByteMilliseconds));
}

/** The same of the slices' 95th percentiles. */
export function firstByte95Of(results: Results, situation: Situation, proxy: ProxyName): number {
  return median(slicesOf(results, situation, proxy).map(({ firstByteMilliseconds95 }) => firstByteMilliseconds95));
}

export interface Difference {
  /** By how much the CPU time of `proxy` differs from that of `base`, in per cent of the latter: below zero, it is less. */
  percent: number;
  /** The upper bound of a one-sided 95 % confidence interval of that; NaN for fewer than 5 rounds. */
  percentBound: number;
}

export function differenceOf(results: Results, situation: Situation, proxy: ProxyName, base: ProxyName): Difference {
  const others = nearest(results, situation, base);
  const ratios = nearest(results, situation, proxy).flatMap((slice, round) => {
    const other = others[round];
    return other === undefined ? [] : [(100 * totalOf(slice)) / totalOf(other) - 100];
  });
  return { percent: median(ratios), percentBound: upperBoundOfMedian(ratios) };
}

/** The proxies of a run, in the order in which they were measured. */
export function proxiesOf({ cells }: Results): ProxyName[] {
  return [...new Set(cells.map(({ proxy }) => proxy))];
}

export function delaysOf({ cells }: Results): number[] {
  return [...new Set(cells.map(({ situation }) => situation.delayMilliseconds))].sort((a, b) => a - b);
}

/** Situations without regard to their delays, which are those of the first. */
export function nearSituationsOf({ cells }: Results): Situation[] {
  const found: Situation[] = [];
  for (const { situation } of cells) {
    if (!found.some((other) => isSameButDelay(other, situation))) found.push(situation);
  }
  return found;
}

function slicesOf({ cells }: Results, situation: Situation, proxy: ProxyName): Slice[] {
  return cells.find((cell) => cell.proxy === proxy && isSame(cell.situation, situation))?.slices ?? [];
}

function nearest({ cells }: Results, situation: Situation, proxy: ProxyName): Slice[] {
  const candidates = cells.filter((cell) => cell.proxy === proxy && isSameButDelay(cell.situation, situation));
  const delay = (cell: Cell): number => cell.situation.delayMilliseconds;
  return candidates.sort((a, b) => delay(a) - delay(b))[0]?.slices ?? [];
}

function totalOf({ proxyMicroseconds, serversMicroseconds }: Slice): number {
  return proxyMicroseconds + serversMicroseconds;
}

function sum(slices: readonly Slice[], field: "resumed" | "connections"): number {
  return slices.reduce((total, slice) => total + slice[field], 0);
}
