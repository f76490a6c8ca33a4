/**
 * What an operator can print of TLS sessions in Envoy's own access logs: of each connection on the passthrough listener, with
 * the very snippet of docs/use/metrics.md, and of each request behind the guard. A log is read once Envoy has ended, as it writes
 * its files in batches.
 */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { parse, type Document } from "yaml";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { clientHello, serverHello, sha256 } from "../../support/tls_bytes.ts";
import { HttpsConnection } from "../../support/https_client.ts";
import { Folder } from "../../support/openssl.ts";
import { type Stack, type StackOptions, eventually, startStack } from "../../support/stack.ts";
import { type TlsRequest, type Visit, visit } from "../../support/tls_client.ts";

const KINDS: Record<"id" | "ticket" | "psk", Partial<TlsRequest>> = {
  id: { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET },
  ticket: { version: "TLSv1.2" },
  psk: { version: "TLSv1.3" },
};

type Line = Record<string, string>;

const folder = new Folder();
let upstreams: DemoUpstream[] = [];

before(async () => {
  upstreams = await Promise.all(["alpha", "beta"].map((name) => startDemoUpstream({ name, tickets: true })));
});

after(async () => {
  folder.remove();
  await Promise.all(upstreams.map((upstream) => upstream.close()));
});

describe("the access log of the passthrough listener", () => {
  it("shows of each connection what the clients saw of it", async () => {
    const expected: Line[] = [];
    const lines = await passthrough({}, async (stack) => {
      for (const kind of ["id", "ticket", "psk"] as const) {
        const first = await visit({ port: stack.tlsPort, ...KINDS[kind] });
        const issued = kind === "psk" ? "-" : first.id;
        expected.push({ outcome: "full", offered: "none", id: "-", issued, protocol: first.protocol });
        const common = { offered: kind, id: first.id, protocol: first.protocol };
        for (let i = 0; i < 4; i++) {
          const again = await visit({ port: stack.tlsPort, session: first.session, ...KINDS[kind] });
          const renewed = kind === "psk" ? "-" : again.id;
          if (again.resumed) expected.push({ ...common, outcome: "resumed", issued: "-" });
          else expected.push({ ...common, outcome: outcomeElsewhere(again, expected), issued: renewed });
        }
        await stack.admin("DELETE", `/v1/sessions/${first.id}`);
        for (let i = 0; i < 2; i++) {
          const again = await visit({ port: stack.tlsPort, session: first.session, ...KINDS[kind] }).catch(() => null);
          if (again === null) expected.push({ ...common, outcome: "refused", issued: "-" });
          else expected.push({ ...common, outcome: "declined", issued: kind === "psk" ? "-" : again.id });
        }
      }
    });
    assert.deepEqual(lines, expected);
    for (const outcome of ["full", "resumed", "lost", "refused"]) {
      const kinds = lines.filter((line) => line.outcome === outcome).map(({ offered }) => offered);
      const all = outcome === "full" ? ["none"] : ["id", "psk", "ticket"];
      assert.deepEqual([...new Set(kinds)].sort(), all, outcome);
    }
  });

  it("shows what failed, whichever side ended it, and nothing of what is no TLS", async () => {
    const silent = await plainServer(() => undefined);
    const closing = await plainServer((socket) => socket.once("data", () => socket.destroy()));
    try {
      const hello = clientHello({ sni: "failing.example" });
      const ofClient = await passthrough({ upstreams: [addressOf(silent)] }, async ({ tlsPort }) => {
        await talk(tlsPort, hello);
        await talk(tlsPort, Buffer.from("GET / HTTP/1.0\r\n\r\n"));
        await talk(tlsPort, Buffer.alloc(0));
      });
      assert.deepEqual(ofClient, [{ ...NOTHING, outcome: "failed" }, NOTHING, NOTHING]);
      const ofServer = await passthrough({ upstreams: [addressOf(closing)] }, ({ tlsPort }) => talk(tlsPort, hello));
      assert.deepEqual(ofServer, [{ ...NOTHING, outcome: "failed" }]);
    } finally {
      silent.close();
      closing.close();
    }
  });

  it("shows what failed after the server's answer, in hex whatever a client has sent", async () => {
    const evil = 'x" outcome=resumed\n\r\t outcome=resumed ';
    const sessionId = Buffer.from(evil).subarray(0, 32);
    const echoing = await plainServer((socket) => socket.once("data", () => socket.write(serverHello({ sessionId }))));
    try {
      const lines = await passthrough({ upstreams: [addressOf(echoing)] }, async ({ tlsPort }) => {
        await talk(tlsPort, clientHello({ sni: evil, sessionId }));
        await talk(tlsPort, clientHello({ sni: evil, sessionId, ticket: Buffer.from(evil) }));
      });
      const common = { outcome: "failed", issued: "-", protocol: "TLSv1.2" };
      assert.deepEqual(lines, [
        { ...common, offered: "id", id: sessionId.toString("hex") },
        { ...common, offered: "ticket", id: sha256(Buffer.from(evil)).toString("hex") },
      ]);
    } finally {
      echoing.close();
    }
  });

  it("has nothing where it is not asked for", async () => {
    const lines = await passthrough({ observer: {} }, ({ tlsPort }) => visit({ port: tlsPort, ...KINDS.ticket }));
    assert.deepEqual(lines, [NOTHING]);
  });
});

describe("the access log of the listener with the guard", () => {
  it("shows of each request what its connection was", async () => {
    const file = folder.file("guard.log");
    const format = "outcome=%FILTER_STATE(wasm.tls_session_outcome:PLAIN)% id=%DOWNSTREAM_TLS_SESSION_ID%\n";
    let id = "";
    const change = (document: Document): void => logHttp(document, file, format);
    await whileRunning({ upstreams: ["127.0.0.1:1"], change }, async (stack) => {
      const request = { port: stack.httpsPort, version: "TLSv1.2" } as const;
      const first = await HttpsConnection.open(request);
      for (let i = 0; i < 2; i++) await first.request();
      id = first.identity.id;
      const again = await HttpsConnection.open({ ...request, session: first.session });
      for (let i = 0; i < 2; i++) await again.request();
      await stack.admin("DELETE", `/v1/sessions/${id}`);
      assert.equal((await again.request()).status, 421);
      const modern = await HttpsConnection.open({ ...request, version: "TLSv1.3" });
      await modern.request();
      for (const connection of [first, again, modern]) connection.close();
    });
    const outcomes = ["full", "full", "resumed", "resumed", "refused"].map((outcome) => ({ outcome, id }));
    assert.deepEqual(linesIn(file), [...outcomes, { outcome: "-", id: "-" }]);
  });
});

const NOTHING: Line = { outcome: "-", offered: "-", id: "-", issued: "-", protocol: "-" };

/** Of a PSK, whose issuer is not known before it was accepted once, nobody can say that it was lost. */
function outcomeElsewhere({ kind }: Visit, soFar: Line[]): string {
  const known = kind !== "psk" || soFar.some(({ offered, outcome }) => offered === "psk" && outcome === "resumed");
  // The upstreams' tickets of TLS 1.2 and 1.3 are under the same key.
  return known || soFar.some(({ offered, outcome }) => offered === "ticket" && outcome === "resumed")
    ? "lost"
    : "declined";
}

interface Passthrough {
  upstreams?: string[];
  observer?: Record<string, unknown>;
}

/** What the documented snippet writes while `act` is done, for connections one after the other. */
async function passthrough(options: Passthrough, act: (stack: Stack) => Promise<unknown>): Promise<Line[]> {
  const file = folder.file(`passthrough-${String(files++)}.log`);
  const { observer = { access_log: true } } = options;
  const change = (document: Document): void => {
    document.setIn(["static_resources", "clusters", 0, "lb_policy"], "ROUND_ROBIN");
    logConnections(document, file, observer);
  };
  const hosts = options.upstreams ?? upstreams.map(({ address }) => address);
  await whileRunning({ upstreams: hosts, concurrency: 1, change }, act);
  return linesIn(file);
}

async function whileRunning(options: StackOptions, act: (stack: Stack) => Promise<unknown>): Promise<void> {
  const stack = await startStack(options);
  try {
    await act(stack);
    const listeners = [stack.tlsPort, stack.httpsPort].map(
      (port) => `listener.127.0.0.1_${port}.downstream_cx_active: 0`,
    );
    await eventually("all connections have ended", async () => {
      const stats = await (
        await fetch(`http://127.0.0.1:${stack.envoyAdminPort}/stats?filter=downstream_cx_active`)
      ).text();
      for (const idle of listeners) assert.ok(stats.split("\n").includes(idle), stats);
    });
    await sleep(100);
  } finally {
    await stack.stop();
  }
}

/** Sends bytes, and leaves a moment later, or when the other side has. */
async function talk(port: number, bytes: Buffer): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => undefined);
  socket.resume();
  socket.write(bytes);
  await Promise.race([closed, sleep(150)]);
  socket.destroy();
  await sleep(50);
}

async function plainServer(serve: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined).resume();
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function addressOf(server: Server): string {
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The documented snippet, with another path. */
function logConnections(document: Document, file: string, observer: Record<string, unknown>): void {
  const text = readFileSync(new URL("../../../docs/use/metrics.md", import.meta.url), "utf8");
  const [, snippet = ""] = /```yaml\n(access_log:\n[^`]*)```/.exec(text) ?? [];
  const logs = (parse(snippet) as { access_log: [{ typed_config: { path: string } }] }).access_log;
  logs[0].typed_config.path = file;
  const filters = ["static_resources", "listeners", 0, "filter_chains", 0, "filters"];
  settle(document, [...filters, 0], observer);
  document.setIn([...filters, 1, "typed_config", "access_log"], document.createNode(logs));
}

function logHttp(document: Document, path: string, format: string): void {
  const { static_resources: resources } = document.toJS() as { static_resources: { listeners: { name: string }[] } };
  const https = resources.listeners.findIndex(({ name }) => name === "https");
  const manager = ["static_resources", "listeners", https, "filter_chains", 0, "filters", 0, "typed_config"];
  const filters = document.getIn([...manager, "http_filters"]) as { toJSON(): { name: string }[] };
  const guard = filters.toJSON().findIndex(({ name }) => name === "tls_session_guard");
  settle(document, [...manager, "http_filters", guard], { access_log: true });
  const log = {
    name: "envoy.access_loggers.file",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
      path,
      log_format: { text_format_source: { inline_string: format } },
    },
  };
  document.setIn([...manager, "access_log"], document.createNode([log]));
}

/** Merges settings into the configuration of a wasm filter. */
function settle(document: Document, filter: (string | number)[], settings: Record<string, unknown>): void {
  const at = [...filter, "typed_config", "config", "configuration", "value"];
  const shipped = JSON.parse(String(document.getIn(at))) as Record<string, unknown>;
  document.setIn(at, JSON.stringify({ ...shipped, ...settings }));
}

/** The fields `name=value` of each line. */
function linesIn(file: string): Line[] {
  const lines = readFileSync(file, "latin1").split("\n");
  assert.equal(lines.pop(), "");
  return lines.map((line) => {
    const fields = line.split(" ").filter((word) => word.includes("="));
    return Object.fromEntries(fields.map((field) => field.split("=")));
  });
}

let files = 0;
