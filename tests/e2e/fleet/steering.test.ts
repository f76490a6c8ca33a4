/** A session that was issued through one proxy is steered home by another one. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Kind, visit } from "../../../tools/demo/affinity/client.ts";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { Etcd } from "../../support/etcd.ts";
import { startProxy, stopAll } from "../../support/fleet.ts";
import { type Stack, eventually } from "../../support/stack.ts";

const CLIENTS = 40;
const SERVERS = ["alpha", "beta", "gamma", "delta"];

let etcd: Etcd;
const upstreams: DemoUpstream[] = [];
let proxies: Stack[] = [];

before(async () => {
  for (const name of SERVERS) upstreams.push(await startDemoUpstream({ name, tickets: true }));
  etcd = await Etcd.start();
  const options = { upstreams: upstreams.map(({ address }) => address), steering: "hash" as const };
  proxies = [await startProxy(etcd, "one", options), await startProxy(etcd, "two", options)];
});

after(async () => {
  await stopAll(proxies);
  await etcd?.remove();
  await Promise.all(upstreams.map(async (upstream) => upstream.close()));
});

describe("sessions that were issued through one proxy", () => {
  for (const kind of ["id", "ticket", "stateless"] as Kind[]) {
    it(`resume through the other one, though no server knows another one's: ${kind}`, async () => {
      const [one, two] = proxies as [Stack, Stack];
      await meetAllServers(two, kind);
      const sessions: Buffer[] = [];
      for (let i = 0; i < CLIENTS; i++) sessions.push(await issued(one, kind));
      const held = (await one.sessions()).map(({ id }) => id);
      await eventually("all are told", async () => {
        const known = new Set((await two.sessions()).map(({ id }) => id));
        assert.ok(
          held.every((id) => known.has(id)),
          "the other proxy lacks some",
        );
      });
      let resumed = 0;
      for (const session of sessions) if ((await visit(two.tlsPort, kind, "127.0.0.1", session)).resumed) resumed++;
      assert.equal(resumed, CLIENTS);
    });
  }
});

/** A new session; of TLS 1.3, one that a server has accepted once through this proxy. */
async function issued(stack: Stack, kind: Kind): Promise<Buffer> {
  const { session, error } = await visit(stack.tlsPort, kind, "127.0.0.1");
  assert.ok(session, `a new connection: ${error}`);
  if (kind !== "stateless") return session;
  for (let tries = 0; tries < 2 * SERVERS.length; tries++) {
    if ((await visit(stack.tlsPort, kind, "127.0.0.1", session)).resumed) return session;
  }
  throw new Error("no server accepts the PSK");
}

/** Lets a proxy see all servers: it steers to none that it has not seen. */
async function meetAllServers(stack: Stack, kind: Kind): Promise<void> {
  const seen = new Set<string>();
  for (let i = 0; i < 200 && seen.size < SERVERS.length; i++)
    seen.add((await visit(stack.tlsPort, kind, "127.0.0.1")).upstream);
  assert.equal(seen.size, SERVERS.length, "all servers were met");
}
