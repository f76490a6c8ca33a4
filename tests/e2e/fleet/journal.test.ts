/**
 * What else an etcd may do to a proxy: it is another one, wants a password, forgets a lease, holds strange keys, breaks off again and
 * again, or is none at all. The module never traps (`Stack.stop`), Envoy ends as it should, and removals get through afterwards.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Http2Server, type Http2Session, type ServerHttp2Stream } from "node:http2";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Etcd } from "../../support/etcd.ts";
import { batchOf, BatchKind, NamedState, RecordType, stampAt } from "../../support/fleet_batch.ts";
import { type FleetState, fleetState, idOf, startProxy } from "../../support/fleet.ts";
import { type Stack, eventually } from "../../support/stack.ts";

const PREFIX = "/tls_session_cache/1/default/";
const DAY_MILLISECONDS = 86_400_000;

let etcd: Etcd;
let proxy: Stack;
let numbers = 0x10000;

beforeEach(async () => {
  etcd = await Etcd.start();
  proxy = await startProxy(etcd, "one");
});

afterEach(async () => {
  try {
    await proxy.stop();
    assert.equal(await proxy.envoy.ended, "exit code 0");
  } finally {
    await etcd.remove();
  }
});

describe("a proxy", () => {
  it("tells all again to an etcd that is another one", async () => {
    await removeAndTell();
    const before = await fleetState(proxy);
    await etcd.stop();
    etcd.wipe();
    await etcd.start({ flags: ["--initial-cluster-token=another"] });
    for (let i = 0; i < 20; i++) await etcd.put("/other", String(i));
    await eventually("it is told", async () => assert.equal((await etcd.list(`${PREFIX}d/one/`)).length, 1));
    const after = await fleetState(proxy);
    assert.equal(after.resyncs, before.resyncs + 1, JSON.stringify(after));
  });

  it("shows that it is denied, and goes on when it no longer is", async () => {
    await etcd.control("user", "add", "root:secret");
    await etcd.control("auth", "enable");
    const { status } = await proxy.admin("DELETE", `/v1/sessions/${idOf(++numbers)}`);
    assert.equal(status, 404);
    await eventually("the failure shows", async () => {
      const { last_error: error } = await fleetState(proxy);
      assert.match(error?.text ?? "", /etcdserver: (user name is empty|permission denied)/);
    });
    await etcd.control("--user", "root:secret", "auth", "disable");
    await eventually("it is told", async () => assert.equal((await etcd.list(`${PREFIX}d/one/`)).length, 1));
  });

  it("takes a new lease when somebody has revoked its own", async () => {
    await removeAndTell();
    const [stored] = await etcd.list(`${PREFIX}d/one/`);
    await etcd.revoke(stored?.lease ?? "");
    assert.equal((await etcd.list(`${PREFIX}d/one/`)).length, 0);
    await removeAndTell();
    const [again] = await etcd.list(`${PREFIX}d/one/`);
    assert.notEqual(again?.lease, stored?.lease);
    const leases = await etcd.leases();
    const lasts = leases.find(({ id }) => id === again?.lease);
    assert.ok(lasts !== undefined && lasts.grantedSeconds > 3600, JSON.stringify(leases));
  });

  it("reads past keys and values of any length and any bytes", async () => {
    for (let i = 0; i < 12; i++) await etcd.put(`${PREFIX}d/two/9999999999/${i}`, Buffer.alloc(1_000_000, i));
    await etcd.put(`${PREFIX}n/${"x".repeat(100_000)}`, "long");
    await etcd.put(`${PREFIX}n/t/\u00ff\u0000`, "");
    await etcd.put(PREFIX, "nothing");
    const other = await startProxy(etcd, "three");
    try {
      const id = await removeAndTell();
      await eventually("the removal is there", async () =>
        assert.equal((await other.admin("GET", `/v1/sessions/${id}`)).status, 410),
      );
      // Sixteen values at once were too many; it has read them in smaller answers then.
      assert.match((await fleetState(other)).last_error?.text ?? "", /^an answer of \d{8} bytes$/);
    } finally {
      await other.stop();
    }
  });

  it("deletes traces of decisions that were lifted eight days ago, and no other named decision", async () => {
    const early = Date.now() - 9 * DAY_MILLISECONDS;
    await putNamed("old.example", { detail: NamedState.LIFTED, milliseconds: early });
    await putNamed("young.example", { detail: NamedState.LIFTED, milliseconds: early + 2 * DAY_MILLISECONDS });
    const until = Math.floor(Date.now() / 1000) + 3600;
    await putNamed("revoked.example", { detail: NamedState.REFUSES, milliseconds: early, until });
    // A proxy looks for old ones as soon as it has read everything, then once a minute.
    const other = await startProxy(etcd, "three");
    try {
      await eventually("the old trace is gone", async () => {
        assert.deepEqual(await namedIn(), ["revoked.example", "young.example"], "it is still there");
      });
      assert.equal((await fleetState(other)).last_error, null);
    } finally {
      await other.stop();
    }
    assert.deepEqual(await namedIn(), ["revoked.example", "young.example"]);
  });

  it("comes back from an etcd that ends again and again", async () => {
    for (let i = 0; i < 5; i++) {
      await etcd.kill();
      await sleep(200 * i);
      await etcd.start();
      await until((state) => state.state === "following", "it follows");
    }
    await removeAndTell();
  });

  it("comes back from a server that is no etcd", async () => {
    await etcd.stop();
    const server = await NoEtcd.start(etcd.port);
    try {
      // Its answers differ each time, and calls come again after a while only.
      await eventually(
        "it was called often",
        () => assert.ok(server.calls >= MESSAGES.length, String(server.calls)),
        30,
      );
      const { status } = await proxy.admin("GET", "/v1/stats");
      assert.equal(status, 200);
    } finally {
      await server.stop();
    }
    await etcd.start();
    await removeAndTell();
  });
});

/** Removes a session, and waits until etcd has it. Returns its ID. */
async function removeAndTell(): Promise<string> {
  const id = idOf(++numbers);
  await proxy.admin("DELETE", `/v1/sessions/${id}`);
  await until(({ pending, state }) => state === "following" && pending.decisions === 0, "it is told");
  await eventually("etcd has it", async () => {
    const batches = await etcd.list(`${PREFIX}d/one/`);
    assert.ok(
      batches.some(({ value }) => value.includes(Buffer.from(id, "hex"))),
      `${batches.length} batches`,
    );
  });
  return id;
}

/** Writes a decision about a server name, as another proxy does. */
async function putNamed(
  sni: string,
  { detail, milliseconds, until }: { detail: number; milliseconds: number; until?: number },
): Promise<void> {
  const id = Buffer.from(sni);
  const record = { type: RecordType.REVOCATION, id, detail, time: Math.floor(milliseconds / 1000) };
  const value = batchOf({ kind: BatchKind.NAMED }, [
    { ...record, stamp: stampAt(milliseconds), ...(until === undefined ? {} : { until }) },
  ]);
  await etcd.put(`${PREFIX}n/r/${id.toString("hex")}`, value);
}

/** The server names of which etcd has decisions. */
async function namedIn(): Promise<string[]> {
  const beginning = `${PREFIX}n/r/`;
  return (await etcd.list(beginning))
    .map(({ key }) => Buffer.from(key.slice(beginning.length), "hex").toString())
    .sort();
}

async function until(holds: (state: FleetState) => boolean, what: string): Promise<void> {
  await eventually(what, async () => {
    const state = await fleetState(proxy);
    assert.ok(holds(state), JSON.stringify(state));
  });
}

/** A gRPC server that answers calls with bytes that mean nothing. */
class NoEtcd {
  calls = 0;
  private readonly sessions = new Set<Http2Session>();

  private constructor(private readonly server: Http2Server) {
    server.on("session", (session) => this.sessions.add(session));
    server.on("stream", (stream) => this.answer(stream));
  }

  static async start(port: number): Promise<NoEtcd> {
    const made = new NoEtcd(createServer());
    made.server.listen(port, "127.0.0.1");
    await once(made.server, "listening");
    return made;
  }

  async stop(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(stream: ServerHttp2Stream): void {
    stream.on("error", () => undefined);
    const turn = this.calls++;
    if (turn % 4 === 3) {
      stream.respond({ ":status": 503, "content-type": "text/html" });
      stream.end("<html>");
      return;
    }
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    const message = MESSAGES[turn % MESSAGES.length] ?? Buffer.alloc(0);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([head, message]));
  }
}

const MESSAGES = [
  Buffer.from("<html>"),
  Buffer.alloc(9_000_000, 0x08),
  // A header of another cluster, at a revision that no store has.
  Buffer.from("0a0d0805ffffffffffffffffffff01", "hex"),
  Buffer.from("0a0708051801200228", "hex"),
  Buffer.from("0a06080518012002", "hex"),
];
