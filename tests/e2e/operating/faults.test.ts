/**
 * What goes wrong while traffic runs: virtual machines that trap, configurations that change, servers that die, a proxy that is
 * started again. Connections of others go on, and what must survive survives.
 */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Document, isScalar, parseDocument, stringify, visit as visitNodes } from "yaml";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { MODULE_FILE } from "../../../tools/project.ts";
import { freshId } from "../../contract/client.ts";
import { type Stack, assertNoTrap, eventually, startStack } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";
import { openConnection, Traffic } from "../../support/traffic.ts";
import { buildTrappingModule } from "../../support/trapping_build.ts";

const ID = { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET } as const;
let upstream: DemoUpstream;

before(async () => {
  upstream = await startDemoUpstream({ name: "alpha", tickets: true });
});

after(() => upstream?.close());

describe("a trap", () => {
  let stack: Stack;

  before(async () => {
    const module = await buildTrappingModule();
    stack = await startStack({
      upstreams: [upstream.address],
      concurrency: 1,
      change: (document) => replaceScalar(document, MODULE_FILE, module),
    });
  });

  after(async () => {
    // The same check that all tests end with: it would have seen a trap.
    if (stack !== undefined) await assert.rejects(stack.stop(), /the module never traps/);
  });

  it("in the VM of the admin API disturbs no connection and loses no session; the API is back within seconds", async () => {
    const held = await visit({ port: stack.tlsPort, ...ID });
    const removed = freshId();
    await stack.admin("DELETE", `/v1/sessions/${removed}`);
    const open = await openConnection(stack.tlsPort);
    const traffic = new Traffic({ port: stack.tlsPort, ...ID });
    await traffic.more(10);
    for (let i = 0; i < 3; i++) {
      const trapped = await stack.admin("GET", "/v1/stats", { headers: { "x-trap": "1" } }).catch(() => null);
      assert.notEqual(trapped?.status, 200, "it did trap");
      await traffic.more(10);
      await eventually("the API is back", async () => {
        assert.equal((await stack.admin("GET", `/v1/sessions/${held.id}`)).status, 200);
      });
    }
    await traffic.stop();
    assert.deepEqual(traffic.errors, []);
    assert.match(await open.ask(), /upstream alpha/, "a connection from before is still there");
    assert.equal((await stack.admin("GET", `/v1/sessions/${removed}`)).status, 410);
    assert.ok((await visit({ port: stack.tlsPort, session: held.session, ...ID })).resumed);
    assert.equal((await stack.admin("GET", `/v1/sessions/${held.id}`)).json.hits, 1, "and goes on to be counted");
  });

  it("in the observer's VM loses no session and no refusal, and the next connections are watched again", async () => {
    const held = await visit({ port: stack.tlsPort, ...ID });
    const removed = await visit({ port: stack.tlsPort, ...ID });
    await stack.admin("DELETE", `/v1/sessions/${removed.id}`);
    const socket = connect(stack.tlsPort, "127.0.0.1", () => socket.write("TRAPPED"));
    await new Promise<void>((resolve) => {
      socket.on("error", () => undefined);
      socket.on("close", () => resolve());
    });
    assert.match(stack.envoy.log(), /unreachable/);
    await eventually("a new connection goes through", () => visit({ port: stack.tlsPort, ...ID }));
    assert.equal((await stack.admin("GET", `/v1/sessions/${held.id}`)).status, 200);
    assert.ok((await visit({ port: stack.tlsPort, session: held.session, ...ID })).resumed);
    assert.equal((await stack.admin("GET", `/v1/sessions/${held.id}`)).json.hits, 1);
    await assert.rejects(visit({ port: stack.tlsPort, session: removed.session, ...ID }), {
      code: /HANDSHAKE_FAILURE/,
    });
  });
});

describe("an update of the configuration while traffic runs", () => {
  let stack: Stack;
  let listenersFile: string;
  let listeners: Listener[];

  before(async () => {
    stack = await startStack({
      upstreams: [upstream.address],
      cache: { timeout: 7200 },
      change: (document) => {
        const made = listenersFromFile(document);
        listenersFile = made.file;
        listeners = made.listeners;
      },
    });
  });

  after(async () => {
    if (stack === undefined) return;
    assert.doesNotMatch(stack.envoy.log(), /RuntimeError|aborted:/);
    // Envoy calls a refused configuration a VM that failed, as it calls a trap.
    await assert.rejects(stack.stop(), /Failed to configure base Wasm plugin/);
  });

  it("keeps sessions and refusals, closes no connection, and is in force for new ones", async (t) => {
    const held = await visit({ port: stack.tlsPort, ...ID });
    const removed = await visit({ port: stack.tlsPort, ...ID });
    await stack.admin("DELETE", `/v1/sessions/${removed.id}`);
    const open = await openConnection(stack.tlsPort);
    const traffic = new Traffic({ port: stack.tlsPort, ...ID });
    t.after(() => traffic.stop());
    await traffic.more(10);
    for (const [i, timeout] of [300, 400, 500].entries()) {
      updateListeners(listenersFile, listeners, [
        ['"timeout":7200', `"timeout":${timeout}`],
        ['"steering":"off"', `"steering":"${i % 2 === 0 ? "hash" : "off"}"`],
      ]);
      await eventually(`a timeout of ${timeout} s is in force`, async () => {
        const now = (await stack.admin("GET", "/v1/timeout")).json.timeout;
        assert.equal(now, timeout, `the log ends:\n${stack.envoy.log().split("\n").slice(-20).join("\n")}`);
      });
      await traffic.more(20);
      const late = await visit({ port: stack.tlsPort, ...ID });
      assert.equal((await stack.admin("GET", `/v1/sessions/${late.id}`)).json.timeout, timeout);
    }
    await traffic.stop();
    assert.deepEqual(traffic.errors, []);
    assert.match(await open.ask(), /upstream alpha/);
    assert.ok((await visit({ port: stack.tlsPort, session: held.session, ...ID })).resumed);
    assert.equal((await stack.admin("GET", `/v1/sessions/${held.id}`)).json.hits, 1);
    assert.equal((await stack.admin("GET", `/v1/sessions/${held.id}`)).json.timeout, 7200, "it was stored before");
    await assert.rejects(visit({ port: stack.tlsPort, session: removed.session, ...ID }), {
      code: /HANDSHAKE_FAILURE/,
    });
  });

  it("that the filter refuses leaves everything as it was", async (t) => {
    const { timeout } = (await stack.admin("GET", "/v1/timeout")).json;
    const traffic = new Traffic({ port: stack.tlsPort, ...ID });
    t.after(() => traffic.stop());
    updateListeners(listenersFile, listeners, [['"timeout":7200', '"timeout":-1']]);
    await eventually("it is refused", () => assert.match(stack.envoy.log(), /timeout: expected a whole number/));
    await traffic.more(20);
    await traffic.stop();
    assert.deepEqual(traffic.errors, []);
    assert.equal((await stack.admin("GET", "/v1/timeout")).json.timeout, timeout);
  });
});

describe("a server that dies", () => {
  let dying: Server;
  let stack: Stack;

  before(async () => {
    dying = createServer((socket) => dieWithin(socket));
    await new Promise<void>((resolve) => dying.listen(0, "127.0.0.1", resolve));
    stack = await startStack({ upstreams: [`127.0.0.1:${(dying.address() as AddressInfo).port}`] });
  });

  after(async () => {
    await stack?.stop();
    dying?.close();
  });

  it("in the middle of handshakes leaves none of them under way, and each has failed", async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 60 }, () => visit({ port: stack.tlsPort, timeoutSeconds: 5 })),
    );
    assert.ok(outcomes.every(({ status }) => status === "rejected"));
    await eventually("all are counted", async () => {
      const { accept, failed, number } = await stack.stats();
      assert.deepEqual([accept, failed, number], [60, 60, 0]);
    });
    assertNoTrap(stack.envoy.log());
  });

  it("costs no client of the others an error, once nothing is under way there", async () => {
    const others = await Promise.all(["beta", "gamma"].map((name) => startDemoUpstream({ name, tickets: true })));
    const two = await startStack({ upstreams: others.map(({ address }) => address), steering: "hash" });
    try {
      await others[0]?.close();
      const traffic = new Traffic({ port: two.tlsPort, ...ID });
      await traffic.more(60);
      await traffic.stop();
      assert.deepEqual(traffic.errors, []);
      assert.ok(traffic.resumed > 40, `${traffic.resumed} resumed`);
    } finally {
      await two.stop();
      await Promise.all(others.map((one) => one.close()));
    }
  });
});

describe("a proxy that is started again, with two workers in the place of one", () => {
  it("has lost what it held and refused, lets all clients through, and learns again", async () => {
    const first = await startStack({ upstreams: [upstream.address], concurrency: 1 });
    const held = await visit({ port: first.tlsPort, ...ID });
    const removed = await visit({ port: first.tlsPort, ...ID });
    await first.admin("DELETE", `/v1/sessions/${removed.id}`);
    await assert.rejects(visit({ port: first.tlsPort, session: removed.session, ...ID }), {
      code: /HANDSHAKE_FAILURE/,
    });
    await first.stop();
    const second = await startStack({ upstreams: [upstream.address], concurrency: 2 });
    try {
      assert.equal((await second.stats()).number, 0);
      for (let i = 0; i < 6; i++) {
        assert.ok((await visit({ port: second.tlsPort, session: held.session, ...ID })).resumed);
      }
      assert.equal((await second.admin("GET", `/v1/sessions/${held.id}`)).json.hits, 5, "the first was a miss");
      assert.ok((await visit({ port: second.tlsPort, session: removed.session, ...ID })).resumed, "it is forgotten");
    } finally {
      await second.stop();
    }
  });
});

interface Listener {
  [field: string]: unknown;
}

/** Takes the listeners out of a configuration into a file of their own, which Envoy follows. */
function listenersFromFile(document: Document): { file: string; listeners: Listener[] } {
  const configuration = document.toJS() as { static_resources: { listeners: Listener[] } };
  const { listeners } = configuration.static_resources;
  const file = join(mkdtempSync(join(tmpdir(), "listeners-")), "listeners.yaml");
  writeListeners(file, listeners);
  document.deleteIn(["static_resources", "listeners"]);
  document.set("node", document.createNode({ id: "faults", cluster: "faults" }));
  document.set(
    "dynamic_resources",
    document.createNode({ lds_config: { resource_api_version: "V3", path_config_source: { path: file } } }),
  );
  return { file, listeners };
}

function updateListeners(file: string, listeners: Listener[], changes: [from: string, to: string][]): void {
  const changed = parseDocument(stringify(listeners));
  for (const [from, to] of changes) {
    visitNodes(changed, {
      Scalar: (_, node) => {
        if (typeof node.value === "string") node.value = node.value.replace(from, to);
      },
    });
  }
  writeListeners(file, changed.toJS() as Listener[]);
}

/** Envoy looks again when a file is moved to this place. */
function writeListeners(file: string, listeners: Listener[]): void {
  const type = "type.googleapis.com/envoy.config.listener.v3.Listener";
  writeFileSync(`${file}.new`, stringify({ resources: listeners.map((listener) => ({ "@type": type, ...listener })) }));
  renameSync(`${file}.new`, file);
}

function replaceScalar(document: Document, from: string, to: string): void {
  visitNodes(document, {
    Scalar: (_, node) => {
      if (isScalar(node) && node.value === from) node.value = to;
    },
  });
}

/** Answers a hello with some bytes of a ServerHello, or none, and closes or resets the connection. */
function dieWithin(socket: Socket): void {
  socket.on("error", () => undefined);
  socket.once("data", () => {
    const bytes = (deaths * 7) % BEGINNING.length;
    socket.write(BEGINNING.subarray(0, bytes));
    if (deaths++ % 2 === 0) socket.end();
    else void sleep(5).then(() => socket.resetAndDestroy());
  });
}

let deaths = 0;
/** A record of 90 bytes with a ServerHello of TLS 1.2, of which the rest never comes. */
const BEGINNING = Buffer.concat([
  Buffer.from("160303005a020000560303", "hex"),
  Buffer.alloc(32, 7),
  Buffer.from("20", "hex"),
]);
