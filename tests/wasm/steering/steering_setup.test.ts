/**
 * What a filter finds out of a set-up that cannot steer, from what it sees of its connections, and what it does then: nothing is held
 * in vain, the log and the statistics say why, and what was put right is found out. `tests/e2e/steering/steering_setup.test.ts` shows the same
 * with a real Envoy.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FULL_TOKEN } from "../../contract/client.ts";
import { type Connection, FakeHost, type Worker } from "../../fake_host/fake_host.ts";
import { adminSettings, hex, observerSettings } from "../../fake_host/proxy.ts";
import { clientHello, resumedById, sessionId } from "../../support/tls_bytes.ts";

const UPSTREAM = "10.0.0.7:443";
const HELLO = clientHello();
const GREETING = Buffer.from("220 ready\r\n");

class Listener {
  readonly host: FakeHost;
  readonly workers: Worker[] = [];

  constructor(settings: Record<string, unknown>, { workers = 1, host = new FakeHost() } = {}) {
    this.host = host;
    for (let i = 0; i < workers; i++) {
      const worker = host.worker();
      assert.ok(worker.configure("observer", { ...observerSettings({}), ...settings }));
      assert.ok(worker.configure("admin", adminSettings({})));
      this.workers.push(worker);
    }
  }

  open(): Connection {
    return (this.workers[0] as Worker).connection({ upstream: UPSTREAM });
  }

  /** Whether a new connection waits for its ClientHello. */
  get holds(): boolean {
    const connection = this.open();
    const isHeld = connection.fromClient(HELLO.subarray(0, 10)).toServer.length === 0;
    connection.close();
    return isHeld;
  }

  /** Opens so many connections, which wait in vain. */
  waitedInVain(count: number): Connection[] {
    const connections = Array.from({ length: count }, () => this.open());
    this.host.pass(1.15);
    return connections;
  }

  get steering(): unknown {
    return (this.workers[0] as Worker).request("GET", "/v1/stats", { token: FULL_TOKEN }).json.steering;
  }

  get why(): string {
    const { effective, why } = this.steering as { effective: boolean; why: string };
    assert.equal(effective, false);
    return why;
  }

  get lines(): string[] {
    return this.host.log.map(({ text }) => text).filter((text) => text.includes("steering has no effect"));
  }
}

describe("connections that were held in vain", () => {
  it("switch nothing off as long as nothing is said on them, however many they are", () => {
    const listener = new Listener({ steering: "hash" });
    const idle = listener.waitedInVain(200);
    listener.host.pass(3);
    for (const connection of idle) connection.close();
    assert.ok(listener.holds);
    assert.deepEqual(listener.steering, { mode: "hash", why: "" });
  });

  it("show that Envoy does not read when three clients' bytes come at once afterwards, and nobody was ever heard before", () => {
    const listener = new Listener({ steering: "hash", cluster: "edge" });
    const waiting = listener.waitedInVain(3);
    for (const connection of waiting.slice(0, 2)) connection.fromClient(HELLO);
    listener.host.pass(0.1);
    assert.deepEqual(listener.steering, { mode: "hash", why: "" }, "two may be chance");
    waiting[2]?.fromClient(HELLO);
    listener.host.pass(0.2);
    assert.match(listener.why, /^cluster "edge": .*max_early_data_bytes: 16384/);
    assert.equal(listener.lines.length, 1);
    const held = Array.from(
      { length: 7 },
      () => listener.open().fromClient(HELLO.subarray(0, 10)).toServer.length === 0,
    );
    assert.deepEqual(held, Array(7).fill(false));
  });

  it("do not when their clients had other reasons to be late", () => {
    const listener = new Listener({ steering: "hash" });
    const waiting = listener.waitedInVain(23);
    listener.host.pass(0.5);
    for (const connection of waiting) connection.fromClient(HELLO);
    assert.ok(listener.holds, "23 that spoke half a second later may be chance");
  });

  it("do when many of them speak soon afterwards, as behind a server that is far away", () => {
    const listener = new Listener({ steering: "hash" });
    const waiting = listener.waitedInVain(24);
    listener.host.pass(0.5);
    for (const connection of waiting) connection.fromClient(HELLO);
    assert.equal(listener.holds, false);
  });

  it("do not when one was ever heard while it waited", () => {
    const listener = new Listener({ steering: "hash" });
    listener.open().fromClient(HELLO).close();
    for (const connection of listener.waitedInVain(40)) connection.fromClient(HELLO);
    assert.ok(listener.holds);
  });

  it("are from then on one in 8 at first, until one is heard: then all are held again, for good", () => {
    const listener = new Listener({ steering: "hash" });
    for (const connection of listener.waitedInVain(3)) connection.fromClient(HELLO);
    const held = Array.from({ length: 10 }, () => listener.holds);
    assert.deepEqual(held, [...Array<boolean>(7).fill(false), true, true, true]);
    for (const connection of listener.waitedInVain(30)) connection.fromClient(HELLO);
    assert.ok(listener.holds, "what was heard is remembered");
    listener.host.pass(0.2);
    assert.deepEqual(listener.steering, { mode: "hash", why: "" });
  });

  it("wait no longer once it is found out", () => {
    const listener = new Listener({ steering: "hash" });
    const first = Array.from({ length: 3 }, () => listener.open());
    listener.host.pass(0.9);
    const later = listener.open();
    listener.host.pass(0.25);
    for (const connection of first) connection.fromClient(HELLO);
    listener.host.pass(0.15);
    assert.equal(later.fromClient(HELLO.subarray(0, 10)).toServer.length, 1, "after 0.4 s instead of one");
  });

  it("show that servers speak first when their bytes come before the client's, three times", () => {
    const listener = new Listener({ steering: "hash" });
    for (const connection of listener.waitedInVain(3)) connection.fromServer(GREETING);
    listener.host.pass(0.2);
    assert.match(listener.why, /speak before their clients/);
    assert.equal(listener.holds, false);
  });

  it("do not where others speak TLS on the same listener", () => {
    const listener = new Listener({ steering: "hash" });
    listener.open().fromClient(HELLO).close();
    for (const connection of listener.waitedInVain(9)) connection.fromServer(GREETING);
    assert.ok(listener.holds);
  });
});

describe("an exact cluster", () => {
  const settings = { steering: "exact", cluster: "edge", exact_cluster: "edge_exact", upstreams: [UPSTREAM] };

  /** A resumption of a session whose server is known: it is sent there, where that may be. */
  const resume = (listener: Listener): Connection => {
    const connection = listener.open();
    return connection.fromClient(resumedById(sessionId(1))[0]?.bytes ?? Buffer.alloc(0));
  };
  const isSent = (connection: Connection): boolean =>
    connection.filterState.get("envoy.tcp_proxy.cluster") === "edge_exact";

  const listenerWith = (clusters: string[], workers = 1): Listener => {
    const host = new FakeHost();
    host.clusters = new Set(clusters);
    const listener = new Listener(settings, { workers, host });
    const path = `/v1/sessions/${hex(sessionId(1))}`;
    const stored = (listener.workers[0] as Worker).request("PUT", path, {
      token: FULL_TOKEN,
      body: { upstream: UPSTREAM },
    });
    assert.equal(stored.status, 201, stored.text);
    return listener;
  };

  it("is used as soon as a tick has seen it, a few milliseconds after the configuration", () => {
    const listener = listenerWith(["edge", "edge_exact"]);
    assert.equal(isSent(resume(listener)), false, "not yet");
    listener.host.pass(0.01);
    assert.ok(isSent(resume(listener)));
  });

  it("is never used while the host does not have it: that is said once, and nothing is held", () => {
    const listener = listenerWith(["edge"], 3);
    for (let i = 0; i < 40; i++) {
      listener.host.pass(0.1);
      assert.equal(isSent(resume(listener)), false);
    }
    assert.match(listener.why, /^cluster "edge": Envoy has no cluster "edge_exact"/);
    assert.equal(listener.lines.length, 1, listener.lines.join("\n"));
    assert.equal(listener.holds, false);
  });

  it("is used when it comes later", () => {
    const listener = listenerWith(["edge"]);
    for (let i = 0; i < 4; i++) listener.host.pass(1);
    assert.equal((listener.steering as { effective: boolean }).effective, false);
    listener.host.clusters?.add("edge_exact");
    for (let i = 0; i < 6; i++) listener.host.pass(1);
    assert.ok(isSent(resume(listener)));
    assert.deepEqual(listener.steering, { mode: "exact", why: "" });
  });

  it("that has gone hurts two connections in a row, not more: it is looked for again", () => {
    const listener = listenerWith(["edge", "edge_exact"]);
    listener.host.pass(0.2);
    listener.host.clusters?.delete("edge_exact");
    for (let i = 0; i < 2; i++) {
      const connection = resume(listener);
      assert.ok(isSent(connection));
      connection.close();
      listener.host.pass(0.15);
    }
    for (let i = 0; i < 50; i++) {
      assert.equal(isSent(resume(listener)), false);
      listener.host.pass(0.1);
    }
    assert.match(listener.why, /no cluster "edge_exact"/);
  });

  it("goes on being used where servers have answered through it, whatever clients do", () => {
    const listener = listenerWith(["edge", "edge_exact"]);
    listener.host.pass(0.2);
    const flights = resumedById(sessionId(1));
    listener.open().exchange(flights).close();
    for (let i = 0; i < 5; i++) {
      resume(listener).close();
      listener.host.pass(0.15);
    }
    assert.ok(isSent(resume(listener)));
    assert.deepEqual(listener.steering, { mode: "exact", effective: true, why: "" });
  });
});

describe("what is said of steering", () => {
  it("goes when the filter is configured with steering off", () => {
    const listener = new Listener({ steering: "hash" });
    for (const connection of listener.waitedInVain(3)) connection.fromClient(HELLO);
    listener.host.pass(0.2);
    assert.match(listener.why, /max_early_data_bytes/);
    assert.ok((listener.workers[0] as Worker).configure("observer", { ...observerSettings({}), steering: "off" }));
    assert.deepEqual(listener.steering, { mode: "off", why: "" });
  });
});
