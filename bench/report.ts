/** The tables of the benchmark, in Markdown, and whether they meet the targets. */
import type { CallbackTimes } from "./callbacks.ts";
import type { CallCost } from "./call_costs.ts";
import { table } from "./markdown.ts";
import type { IdleMemory } from "./memory.ts";
import type { Handshake } from "./messages.ts";
import { PROXY_TITLES, type Proxy, type ProxyName } from "./proxies.ts";
import { median, quantile, upperBoundOfMedian } from "./statistics.ts";

export interface Target {
  text: string;
  isMet: boolean;
}

/**
 * Medians, quartiles, and the difference to the empty filter in the same rounds, with the upper bound of its median; for
 * proxies that connect late, also the difference to the empty filter that does.
 */
export function comparisonTable(unit: string, values: ReadonlyMap<Proxy, readonly number[]>, digits: number): string {
  const head = [unit, "workers", "median", "quartiles", "over the empty filter", "95 % upper bound"];
  head.push("over the empty, late", "95 % upper bound");
  const rows = [...values].map(([proxy, own]) => {
    const differences = differencesOf(values, proxy, "empty", proxy.workers);
    const late = LATE.includes(proxy.name) ? differencesOf(values, proxy, "empty_late", proxy.workers) : [];
    return [
      PROXY_TITLES[proxy.name],
      String(proxy.workers),
      figure(median(own), digits),
      `${figure(quantile(own, 0.25), digits)} to ${figure(quantile(own, 0.75), digits)}`,
      proxy.name === "empty" ? "" : signed(median(differences), digits),
      proxy.name === "empty" ? "" : signed(upperBoundOfMedian(differences), digits),
      late.length === 0 ? "" : signed(median(late), digits),
      late.length === 0 ? "" : signed(upperBoundOfMedian(late), digits),
    ];
  });
  return table(head, rows);
}

/** How the CPU time per connection of two workers compares with that of one, in the same rounds. */
export function workersTable(values: ReadonlyMap<Proxy, readonly number[]>): string {
  const rows: string[][] = [];
  for (const [proxy, own] of values) {
    const single = [...values].find(([other]) => other.name === proxy.name && other.workers === 1);
    if (proxy.workers === 1 || single === undefined) continue;
    const ratios = own.map((value, round) => value / (single[1][round] ?? NaN));
    rows.push([
      PROXY_TITLES[proxy.name],
      median(ratios).toFixed(2),
      `${quantile(ratios, 0.25).toFixed(2)} to ${quantile(ratios, 0.75).toFixed(2)}`,
    ]);
  }
  return rows.length === 0 ? "" : table(["2 workers to 1, per connection", "median", "quartiles"], rows);
}

export function idleTable(rows: ReadonlyMap<ProxyName, IdleMemory>): string {
  return table(
    ["idle connections", "connections", "bytes each", "kept after all have gone", "and after as many again"],
    [...rows].map(([name, { connections, bytesPerConnection, keptBytes, keptBytesAgain }]) => [
      PROXY_TITLES[name],
      String(connections),
      bytesPerConnection.toFixed(0),
      mebibytes(keptBytes),
      mebibytes(keptBytesAgain),
    ]),
  );
}

export function vanishingTable(rows: ReadonlyMap<ProxyName, readonly number[]>, connections: number): string {
  return table(
    [`waves of ${connections} clients that vanish`, "waves", "memory after the first", "after half", "after the last"],
    [...rows].map(([name, bytes]) => [
      PROXY_TITLES[name],
      String(bytes.length),
      mebibytes(bytes[0] ?? NaN),
      mebibytes(bytes[bytes.length >> 1] ?? NaN),
      mebibytes(bytes.at(-1) ?? NaN),
    ]),
  );
}

export function idleTimeTable(values: ReadonlyMap<Proxy, number>): string {
  return table(
    ["nothing to do", "workers", "us of CPU per second"],
    [...values].map(([proxy, value]) => [PROXY_TITLES[proxy.name], String(proxy.workers), value.toFixed(0)]),
  );
}

export function callCostTable(costs: readonly CallCost[]): string {
  return table(
    ["call", "ns"],
    costs.map(({ call, nanoseconds }) => [call, nanoseconds.toFixed(0)]),
  );
}

/** One column for each handshake. */
export function callCountTable(counts: ReadonlyMap<string, ReadonlyMap<string, number>>): string {
  const calls = [...new Set([...counts.values()].flatMap((ofOne) => [...ofOne.keys()]))].sort();
  return table(
    ["calls of the host", ...counts.keys()],
    calls.map((call) => [call, ...[...counts.values()].map((ofOne) => String(ofOne.get(call) ?? 0))]),
  );
}

export function callbackTable(times: ReadonlyMap<string, CallbackTimes>): string {
  return table(
    ["callback", "calls", "median us", "99.9th percentile us", "longest us"],
    [...times].map(([callback, { calls, medianMicroseconds, p999Microseconds, longestMicroseconds }]) => [
      callback,
      String(calls),
      medianMicroseconds.toFixed(1),
      p999Microseconds.toFixed(1),
      longestMicroseconds.toFixed(0),
    ]),
  );
}

/** The time that the filter may add to a handshake of TLS 1.2, each beside the empty filter that connects as it does. */
export function connectionTargets(handshake: Handshake, values: ReadonlyMap<Proxy, readonly number[]>): Target[] {
  return TARGETS[handshake].flatMap(({ name, base, most }) => {
    const proxy = [...values.keys()].find((other) => other.name === name && other.workers === 1);
    const bound = proxy === undefined ? NaN : upperBoundOfMedian(differencesOf(values, proxy, base, 1));
    if (Number.isNaN(bound)) return [];
    const over = base === "empty" ? "the empty filter" : "the empty filter that connects late";
    return {
      text: `${PROXY_TITLES[name]}: at most ${most} us over ${over} (95 % upper bound: ${bound.toFixed(1)})`,
      isMet: bound <= most,
    };
  });
}

function differencesOf(
  values: ReadonlyMap<Proxy, readonly number[]>,
  proxy: Proxy,
  base: ProxyName,
  workers: number,
): number[] {
  const own = values.get(proxy) ?? [];
  const other = [...values].find(([{ name, workers: count }]) => name === base && count === workers)?.[1];
  return other === undefined ? [] : own.map((value, round) => value - (other[round] ?? NaN));
}

/** A table of Markdown: the first column to the left, figures to the right. */
function figure(value: number, digits: number): string {
  return Number.isNaN(value) ? "-" : value.toFixed(digits);
}

function signed(value: number, digits: number): string {
  return Number.isNaN(value) ? "-" : `${value < 0 ? "" : "+"}${value.toFixed(digits)}`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** Proxies in which Envoy connects once the client has spoken. */
const LATE: ProxyName[] = ["calls_only_late", "steer"];
const TARGETS: Record<Handshake, { name: ProxyName; base: "empty" | "empty_late"; most: number }[]> = {
  resumed12: [
    { name: "observe", base: "empty", most: 10 },
    { name: "steer", base: "empty_late", most: 20 },
  ],
  full12: [
    { name: "observe", base: "empty", most: 25 },
    { name: "steer", base: "empty", most: 25 },
  ],
  resumed12_id: [],
  full13: [],
  resumed13: [],
};
