/** The tables of `npm run bench:system`, in Markdown, and whether they meet the targets. */
import { table } from "../markdown.ts";
import type { Target } from "../report.ts";
import { costOf, delaysOf, differenceOf, firstByte95Of, firstByteOf, nearSituationsOf, proxiesOf } from "./figures.ts";
import { type KindName, KINDS, PROXY_TITLES, type ProxyName, type Results, type Situation } from "./grid.ts";

/** The whole report, with headings. */
export function reportOf(results: Results): string {
  const { machine, settings } = results;
  const delays = delaysOf(results);
  const { seed, rounds, connections, lanes, isPinned } = settings;
  const pinning = isPinned ? "each proxy on a core of its own, clients and servers on another" : "not pinned";
  const targets = targetsOf(results).map(({ text, isMet }) => `${isMet ? "met" : "missed"}: ${text}`);
  return [
    ...machine,
    `${rounds} rounds of ${connections} connections, ${lanes} at a time without a delay; seed ${seed}; ${pinning}`,
    ...section("A user decides by this", decisionTable(results)),
    targets.join("\n\n"),
    ...section("CPU per connection, us: total = proxy + servers", costTable(results)),
    ...section("Of 100 connections, resumed", resumedTable(results)),
    ...section("This filter's CPU beside the others', in the same rounds", differenceTable(results)),
    ...delays.flatMap((delay) =>
      section(`Time to first byte, ${delay} ms each way: median / 95th percentile, ms`, firstByteTable(results, delay)),
    ),
  ]
    .filter((text) => text !== "")
    .join("\n\n");
}

/** Of clients that resume most: CPU per connection of proxy and servers, and the time to first byte of the longest delay. */
export function decisionTable(results: Results): string {
  const proxies = proxiesOf(results);
  const delay = delaysOf(results).at(-1) ?? 0;
  const rows = decisive(results).map((situation) => {
    const costs = proxies.map((proxy) => costOf(results, situation, proxy).totalMicroseconds);
    const least = Math.min(...costs);
    return [
      `${KINDS[situation.kind].title}, ${situation.addresses}`,
      ...proxies.map((proxy, index) => {
        const cost = costs[index] ?? NaN;
        const text = figure(cost, 0);
        const firstByte = firstByteOf(results, { ...situation, delayMilliseconds: delay }, proxy);
        return `${cost === least ? `**${text}**` : text} / ${figure(firstByte, firstByte < 20 ? 1 : 0)}`;
      }),
    ];
  });
  return table([`us of CPU / ms to first byte, ${delay} ms each way`, ...titles(proxies)], rows);
}

export function costTable(results: Results): string {
  return situationTable(results, (situation, proxy) => {
    const { totalMicroseconds, proxyMicroseconds, serversMicroseconds } = costOf(results, situation, proxy);
    const parts = [proxyMicroseconds, serversMicroseconds].map((value) => figure(value, 0)).join(" + ");
    return `${figure(totalMicroseconds, 0)} = ${parts}`;
  });
}

export function resumedTable(results: Results): string {
  return situationTable(results, (situation, proxy) => figure(costOf(results, situation, proxy).resumedPercent, 0));
}

export function firstByteTable(results: Results, delayMilliseconds: number): string {
  return situationTable(results, (near, proxy) => {
    const situation = { ...near, delayMilliseconds };
    const values = [firstByteOf(results, situation, proxy), firstByte95Of(results, situation, proxy)];
    return values.map((value) => figure(value, delayMilliseconds > 0 ? 0 : 2)).join(" / ");
  });
}

/** Each of this filter's ways to steer beside each proxy of another kind. */
export function differenceTable(results: Results): string {
  const proxies = proxiesOf(results);
  const own = proxies.filter((proxy) => STEERING.includes(proxy));
  const others = proxies.filter((proxy) => BASES.includes(proxy));
  const pairs = own.flatMap((proxy) => others.map((base) => ({ proxy, base })));
  const head = pairs.map(({ proxy, base }) => `${proxy} to ${PROXY_TITLES[base]}`);
  const rows = nearSituationsOf(results).map((situation) => [
    titleOf(situation),
    ...pairs.map(({ proxy, base }) => {
      const { percent, percentBound } = differenceOf(results, situation, proxy, base);
      return `${signed(percent)} % (${signed(percentBound)})`;
    }),
  ]);
  return pairs.length === 0 ? "" : table(["median (95 % upper bound)", ...head], rows);
}

/** With changing addresses and clients that resume most: below plain Envoy by so much, and below HAProxy. */
export function targetsOf(results: Results): Target[] {
  const proxies = proxiesOf(results);
  const targets: Target[] = [];
  for (const situation of decisive(results)) {
    if (situation.addresses !== "changing" || situation.resumePercent < DECISIVE_RESUME) continue;
    for (const base of ["plain", "haproxy"] as const) {
      if (!proxies.includes(base) || !proxies.includes("hash")) continue;
      const wanted = base === "plain" ? -SAVINGS[situation.kind] : 0;
      const { percent, percentBound } = differenceOf(results, situation, "hash", base);
      const aim = wanted === 0 ? "below" : `at least ${-wanted} % below`;
      targets.push({
        text: `${titleOf(situation)}: hash ${aim} ${PROXY_TITLES[base]} (${signed(percent)} %, upper bound ${signed(percentBound)})`,
        isMet: percent < 0 && percent <= wanted,
      });
    }
  }
  return targets;
}

/** The situations of the clients that resume most. */
export function decisive(results: Results): Situation[] {
  const situations = nearSituationsOf(results);
  const most = Math.max(...situations.map(({ resumePercent }) => resumePercent));
  return situations.filter(({ resumePercent }) => resumePercent === most);
}

function situationTable(results: Results, cell: (situation: Situation, proxy: ProxyName) => string): string {
  const proxies = proxiesOf(results);
  const rows = nearSituationsOf(results).map((situation) => [
    titleOf(situation),
    ...proxies.map((proxy) => cell(situation, proxy)),
  ]);
  return table(["servers, addresses, offers", ...titles(proxies)], rows);
}

function titleOf({ kind, addresses, resumePercent }: Situation): string {
  const habit = resumePercent === 0 ? "any" : addresses;
  return `${KINDS[kind].title}, ${habit}, ${resumePercent} %`;
}

function titles(proxies: readonly ProxyName[]): string[] {
  return proxies.map((proxy) => PROXY_TITLES[proxy]);
}

function section(title: string, text: string): string[] {
  return text === "" ? [] : [`## ${title}`, text];
}

function figure(value: number, digits: number): string {
  return Number.isNaN(value) ? "-" : value.toFixed(digits);
}

function signed(value: number): string {
  return Number.isNaN(value) ? "-" : `${value < 0 ? "" : "+"}${value.toFixed(0)}`;
}

const STEERING: ProxyName[] = ["hash", "exact"];
const BASES: ProxyName[] = ["plain", "source_hash", "haproxy"];
/** Per cent of plain Envoy's CPU that steering is to save. */
const SAVINGS: Record<KindName, number> = { tls12_rsa: 35, tls13_rsa: 25, tls12_p256: 15, tls13_p256: 15 };
const DECISIVE_RESUME = 90;
