/**
 * A proxy that starts with `fleet.start: "wait"`, on a real etcd: sessions that were removed elsewhere are offered as soon as its
 * listener takes connections, and none of them resumes. `GET /readyz` meanwhile.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isMap, visit as visitNodes, type Document } from "yaml";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { Etcd } from "../../support/etcd.ts";
import { idOf, startProxy, stopAll, untilStatus } from "../../support/fleet.ts";
import { type Stack, eventually } from "../../support/stack.ts";
import { visit, type TlsRequest, type Visit } from "../../support/tls_client.ts";

const OTHERS = 3150;
const IDS_A_CALL = 450;
const EACH = 4;
const ONLY_IDS = 0x4000;

let etcd: Etcd;
/** The proxy on which sessions are removed. */
let first: Stack | undefined;
let upstreams: Record<"tickets" | "ids", DemoUpstream>;

before(async () => {
  etcd = await Etcd.start();
  first = await startProxy(etcd, "first");
  upstreams = {
    tickets: await startDemoUpstream({ name: "alpha", tickets: true }),
    ids: await startDemoUpstream({ name: "beta", tickets: false, maxVersion: "TLSv1.2" }),
  };
});

after(async () => {
  await stopAll([first]);
  for (const upstream of Object.values(upstreams ?? {})) await upstream.close();
  await etcd?.remove();
});

/** Sessions of each kind, as a server has issued them to clients that came past all proxies. */
const KINDS: { server: keyof typeof upstreams; request: Partial<TlsRequest> }[] = [
  { server: "ids", request: { version: "TLSv1.2", secureOptions: ONLY_IDS } },
  { server: "tickets", request: { version: "TLSv1.2" } },
  { server: "tickets", request: { version: "TLSv1.3" } },
];

interface Variant {
  steering?: "hash";
  /** Whether tcp_proxy reads before it connects. */
  reads?: boolean;
}

const VARIANTS: [where: string, number: number, variant: Variant][] = [
  ["by session IDs of TLS 1.2", 0, {}],
  ["by tickets of TLS 1.2", 1, {}],
  ["by PSKs of TLS 1.3", 2, {}],
  ["by PSKs of TLS 1.3, where tcp_proxy does not read before it connects", 2, { reads: false }],
  ["by tickets of TLS 1.2, with steering", 1, { steering: "hash" }],
];

for (const [where, number, variant] of VARIANTS) {
  it(`none of ${EACH} removed sessions resumes, ${OTHERS} others being removed as well: ${where}`, async () => {
    const { server, request } = KINDS[number] as (typeof KINDS)[number];
    const upstream = upstreams[server];
    const issued: Visit[] = [];
    for (let i = 0; i < EACH; i++) issued.push(await visit({ port: upstream.port, ...request }));
    await removeAll(
      first as Stack,
      issued.map(({ id }) => id),
    );
    const { offers, proxy } = await offerAtStart(upstream, issued, request, variant);
    try {
      const outcomes = await Promise.all(offers);
      const others = outcomes.filter((outcome) => !/alert|handshake failure/i.test(outcome));
      assert.deepEqual(others, [], "every one of them gets an alert");
      const held = /tls_session_cache_fleet_start_waits_total\{[^}]*\} (\d+)/.exec(await proxy.prometheus());
      assert.ok(Number(held?.[1]) >= 1, "connections were held");
      const fresh = await visit({ port: proxy.tlsPort, ...request });
      assert.ok((await visit({ port: proxy.tlsPort, session: fresh.session, ...request })).resumed, "others resume");
    } finally {
      await proxy.stop();
    }
  });
}

describe("with an etcd that is not there", () => {
  let absent: Etcd;
  let proxy: Stack | undefined;

  before(async () => (absent = await Etcd.prepare()));

  after(async () => {
    await stopAll([proxy]);
    await absent?.remove();
  });

  it("connections wait for start_wait_ms and no longer, and /readyz is 503 as long", async () => {
    const request = { version: "TLSv1.3" } as const;
    const issued = [await visit({ port: upstreams.tickets.port, ...request })];
    const begun = performance.now();
    const { offers, proxy: started } = await offerAtStart(upstreams.tickets, issued, request, {}, absent);
    proxy = started;
    assert.equal((await started.admin("GET", "/readyz", { token: null })).status, 503);
    assert.equal((await started.admin("GET", "/healthz", { token: null })).status, 200);
    const full = performance.now();
    assert.equal((await visit({ port: started.tlsPort, ...request })).resumed, false);
    assert.ok(performance.now() - full < 1000, "a connection that offers nothing does not wait");
    assert.deepEqual(await Promise.all(offers), ["resumed"]);
    const seconds = (performance.now() - begun) / 1000;
    assert.ok(seconds > 2 && seconds < 8, `it was let go after ${seconds} s`);
    await eventually("it may get traffic", async () => {
      const { status, json } = await started.admin("GET", "/readyz", { token: null });
      assert.deepEqual([status, json.fleet], [200, "not_reached"], "not ready");
    });
    assert.match(started.envoy.log(), /have not come within fleet\.start_wait_ms/);
  });

  it("/readyz says so when decisions come after all", async () => {
    await absent.start();
    await eventually("it is synced", async () => {
      const { status, json } = await (proxy as Stack).admin("GET", "/readyz", { token: null });
      assert.deepEqual([status, json.fleet], [200, "synced"], "not synced");
    });
  });
});

/**
 * Starts a proxy and offers sessions to it from the moment on at which its listener takes connections. Each offer ends as
 * "resumed", "full", or with the text of an error.
 */
async function offerAtStart(
  upstream: DemoUpstream,
  issued: Visit[],
  request: Partial<TlsRequest>,
  variant: Variant,
  store = etcd,
): Promise<{ offers: Promise<string>[]; proxy: Stack }> {
  const { steering = "off" as const, reads = true } = variant;
  const offers: Promise<string>[] = [];
  const fleet = { start: "wait", start_wait_ms: 3000 };
  const change = (configuration: Document): void => {
    if (!reads) visitNodes(configuration, { Map: (_, node) => void (isMap(node) && node.delete(EARLY_DATA)) });
    const port = Number(configuration.getIn(TLS_PORT));
    for (const { session } of issued) offers.push(offer({ port, session, ...request }));
  };
  const options = { upstreams: [upstream.address], cache: { fleet }, follows: false, steering, change };
  const proxy = await startProxy(store, "second", options);
  return { offers, proxy };
}

async function offer(request: TlsRequest): Promise<string> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    try {
      return (await visit(request)).resumed ? "resumed" : "full";
    } catch (error) {
      if (!String(error).includes("ECONNREFUSED")) return String(error);
      await sleep(5);
    }
  }
  return "the listener never took connections";
}

/** Removes sessions, and many others. */
async function removeAll(proxy: Stack, ids: string[]): Promise<void> {
  const until = Math.floor(Date.now() / 1000) + 100_000;
  for (let from = 0; from < OTHERS; from += IDS_A_CALL) {
    const removed = Array.from({ length: IDS_A_CALL }, (_, i) => ({ id: idOf(from + i), until }));
    const { status, json, text } = await proxy.admin("POST", "/v1/removed", { body: { removed } });
    assert.equal(status, 200, text);
    if (json.taken !== 0) assert.equal((json as Record<string, unknown>).fleet, "pending");
  }
  for (const id of ids) {
    await proxy.admin("DELETE", `/v1/sessions/${id}`);
    await untilStatus(proxy, id, 410);
  }
  await eventually("all is told", async () => {
    const { pending } = (await proxy.admin("GET", "/v1/fleet")).json as { pending?: { decisions: number } };
    assert.equal(pending?.decisions, 0, "decisions are pending");
  });
}

const TLS_PORT = ["static_resources", "listeners", 0, "address", "socket_address", "port_value"];
const EARLY_DATA = "max_early_data_bytes";
const MAX_ATTEMPTS = 4000;
