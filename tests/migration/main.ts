/**
 * `npm run demo:migration`: what clients notice when a balancer of before is replaced by Envoy with this filter. Four servers that share
 * nothing, forty clients with an address each. They resume behind the old balancer, then behind the new one with the sessions that they
 * have. Prints a Markdown table of the part that resumed; docs/use/migrating.md has one. Needs HAProxy.
 */
import { constants } from "node:crypto";
import { steeringColumn, HAPROXY, SOURCE_HASH } from "../../tools/demo/affinity/balancers.ts";
import { type DemoUpstream, startDemoUpstream } from "../../tools/demo/upstream.ts";
import { build } from "../../tools/build.ts";
import { haproxyVersion } from "../../tools/proxies/haproxy.ts";
import { runTool } from "../../tools/run_tool.ts";
import { SetupError } from "../../tools/setup_error.ts";
import { type Json, PLAIN, Reloaded } from "../support/reloaded.ts";
import { type TlsRequest, visit } from "../support/tls_client.ts";
import { startStack } from "../support/stack.ts";

const CLIENTS = 40;
const KINDS: Record<string, Partial<TlsRequest>> = {
  "TLS 1.2, session ID": { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET },
  "TLS 1.2, ticket": { version: "TLSv1.2" },
  "TLS 1.3": { version: "TLSv1.3" },
};

interface Proxy {
  port: number;
  stop(): Promise<void>;
}

/** The old balancer, and how the new one takes its place. */
interface Way {
  name: string;
  before(servers: DemoUpstream[]): Promise<Proxy>;
  after(servers: DemoUpstream[], before: Proxy): Promise<Proxy>;
}

const cold = async (servers: DemoUpstream[]): Promise<Proxy> => steeringColumn("hash").start(addressesOf(servers));

const WAYS: Way[] = [
  {
    name: "HAProxy, SSL-ID stick table; then cold",
    before: (servers) => HAPROXY.start(addressesOf(servers)),
    after: cold,
  },
  {
    name: "the same; ticket keys configured before",
    before: (servers) => HAPROXY.start(addressesOf(servers)),
    after: withTicketKeys,
  },
  { name: "source hashing; then cold", before: (servers) => SOURCE_HASH.start(addressesOf(servers)), after: cold },
  { name: "source hashing with the observer beside it; then switched", before: sourceHashObserved, after: switched },
];

let observed: { reloaded: Reloaded; tcpProxy: Json } | undefined;

await runTool(async () => {
  const version = haproxyVersion();
  if (version === null) throw new SetupError("HAProxy is not installed");
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  console.error(`HAProxy ${version}`);
  const rows: string[] = [];
  for (const way of WAYS) for (const kind of Object.keys(KINDS)) rows.push(await measure(way, kind));
  console.log("| from | sessions | before: own address | another | after: first | second | third | another address |");
  console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
  console.log(rows.join("\n"));
  return 0;
});

async function measure(way: Way, kind: string): Promise<string> {
  const servers = await Promise.all(["a", "b", "c", "d"].map((name) => startDemoUpstream({ name, tickets: true })));
  const before = await way.before(servers);
  try {
    const sessions: Buffer[] = [];
    for (let i = 0; i < CLIENTS; i++) {
      sessions.push((await visit({ port: before.port, source: address(0, i), ...KINDS[kind] })).session);
    }
    const stable = await round(before.port, sessions, kind, 0);
    const moved = await round(before.port, sessions, kind, 1);
    const after = await way.after(servers, before);
    try {
      const cells = [stable, moved];
      for (const place of [0, 0, 0, 2]) cells.push(await round(after.port, sessions, kind, place));
      console.error(`${way.name}, ${kind}: ${cells.join(" ")}`);
      return `| ${[way.name, kind, ...cells.map((part) => `${part} %`)].join(" | ")} |`;
    } finally {
      if (after !== before) await after.stop();
    }
  } finally {
    await before.stop();
    await Promise.all(servers.map((server) => server.close()));
  }
}

/** Each client offers its newest session, in an order of its own for each round; returns the percentage that resumed. */
async function round(port: number, sessions: Buffer[], kind: string, place: number): Promise<number> {
  let resumed = 0;
  for (let i = 0; i < CLIENTS; i++) {
    const client = (i * 7 + place) % CLIENTS;
    const seen = await visit({ port, source: address(place, client), session: sessions[client], ...KINDS[kind] });
    if (seen.resumed) resumed++;
    sessions[client] = seen.session;
  }
  return Math.round((100 * resumed) / CLIENTS);
}

function address(place: number, client: number): string {
  return `127.${20 + place}.0.${client + 1}`;
}

function addressesOf(servers: DemoUpstream[]): string[] {
  return servers.map(({ address: one }) => one);
}

/** The name of each server's ticket key, taken from a ticket of its, and told to the new proxy before it gets traffic. */
async function withTicketKeys(servers: DemoUpstream[]): Promise<Proxy> {
  const stack = await startStack({ upstreams: addressesOf(servers), steering: "hash" });
  for (const { port, address: upstream } of servers) {
    const { ticketKey } = await visit({ port, version: "TLSv1.2" });
    const { status, text } = await stack.admin("PUT", `/v1/ticket-keys/${ticketKey ?? ""}`, { body: { upstream } });
    if (status !== 201) throw new Error(text);
  }
  return { port: stack.tlsPort, stop: () => stack.stop() };
}

/** Envoy hashes the source address; the observer watches, and steers nothing. */
async function sourceHashObserved(servers: DemoUpstream[]): Promise<Proxy> {
  let tcpProxy: Json | undefined;
  const reloaded = await Reloaded.start(
    addressesOf(servers),
    { ...PLAIN, observer: { steering: "off" } },
    (listeners) => {
      const [{ filters }] = (listeners[0] as { filter_chains: [{ filters: { name: string; typed_config: Json }[] }] })
        .filter_chains;
      tcpProxy = filters.find(({ name }) => name === "envoy.filters.network.tcp_proxy")?.typed_config;
      if (tcpProxy !== undefined) tcpProxy.hash_policy = [{ source_ip: {} }];
    },
  );
  if (tcpProxy === undefined) throw new Error("there is no tcp_proxy");
  observed = { reloaded, tcpProxy };
  return { port: reloaded.stack.tlsPort, stop: () => reloaded.stack.stop() };
}

/** The same Envoy, after an update of its listener. */
async function switched(_servers: DemoUpstream[], before: Proxy): Promise<Proxy> {
  if (observed === undefined) throw new Error("nothing was observed");
  observed.tcpProxy.hash_policy = [{ filter_state: { key: "envoy.hashable_string" } }];
  const outcome = await observed.reloaded.update({ ...PLAIN, observer: { steering: "hash" } });
  if (outcome !== "taken") throw new Error("Envoy has refused the update");
  return before;
}
