/** The sums that the statistics of one proxy must make, whatever happened: each offer has one fate, and each handshake an end. */
import assert from "node:assert/strict";
import type { AnswerBody } from "../support/answer.ts";
import type { Proxy } from "./proxy.ts";

export const NONE = { id: 0, ticket: 0, psk: 0 };

export type ByKind = Record<"id" | "ticket" | "psk", number>;

export function each(count: number, other: Partial<ByKind> = {}): ByKind {
  return { id: count, ticket: count, psk: count, ...other };
}

export function nothing(): Record<string, ByKind> {
  return { offered: NONE, accepted: NONE, lost: NONE, declined: NONE, refused: NONE, failed: NONE, diverted: NONE };
}

/** `resumptions_...` of /v1/stats, which must agree with the metrics. */
export function fates(proxy: Proxy): Record<string, ByKind> {
  const { json } = proxy.request("GET", "/v1/stats");
  const read: Record<string, ByKind> = {};
  for (const fate of Object.keys(nothing())) {
    read[fate] = json[`resumptions_${fate}`] as ByKind;
    for (const [kind, count] of Object.entries(read[fate])) {
      const family = fate === "offered" ? "resumptions_offered_total" : "resumptions_total";
      const outcome = fate === "offered" ? "" : `.outcome.${fate}`;
      const name = `tls_session_cache_${family}.cache.default.kind.${kind}${outcome}`;
      assert.equal(proxy.host.metrics.value(name), count, name);
    }
  }
  return read;
}

export function underWay(proxy: Proxy): number {
  const { json } = proxy.request("GET", "/v1/stats");
  const ended = sum(json.full) + sum(json.resumed) + sum(json.resumptions_refused) + Number(json.failed);
  return Number(json.accept) - ended;
}

/** To be called when no handshake is under way. */
export function assertAddsUp(proxy: Proxy): void {
  const { json } = proxy.request("GET", "/v1/stats");
  assert.equal(underWay(proxy), 0, JSON.stringify(json));
  assert.equal(json.accept_good, sum(json.full) + sum(json.resumed));
  assert.equal(json.refused, sum(json.resumptions_refused));
  assert.equal(json.refused, sum(json.refused_for));
  assert.equal(json.diverted, sum(json.resumptions_diverted));
  assert.equal(json.diverted, sum(json.diverted_for));
  const { offered, ...others } = fates(proxy);
  for (const kind of ["id", "ticket", "psk"] as const) {
    const decided = Object.values(others).reduce((total, fate) => total + fate[kind], 0);
    assert.equal(decided, offered?.[kind], `${kind}: ${JSON.stringify(fates(proxy))}`);
  }
}

function sum(counts: unknown): number {
  return Object.values(counts as Record<string, number>).reduce((total, count) => total + count, 0);
}

/** Those of all events of a type. */
export function eventsOf(proxy: Proxy, type: string): AnswerBody[] {
  proxy.host.pass(3);
  const found: AnswerBody[] = [];
  for (let after: unknown = null, pages = 0; pages < 100; pages++) {
    const query = after === null ? "" : `&after=${String(after)}`;
    const { events, missed, next } = proxy.request("GET", `/v1/events?limit=1000${query}`).json;
    assert.ok(missed === undefined || missed === 0, "the log holds them all");
    const page = events as AnswerBody[];
    if (page.length === 0) break;
    found.push(...page.filter((event) => event.type === type));
    after = next;
  }
  return found;
}
