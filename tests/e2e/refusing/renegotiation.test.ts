/**
 * Renegotiation inside an established connection of TLS 1.2: a real Envoy between `openssl s_client` and servers that accept one. What
 * cannot be seen is at least noticed; and a connection without one is never disturbed, whatever goes over it.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type SecureVersion, type TLSSocket, connect, createServer } from "node:tls";
import { generate } from "selfsigned";
import type { Document } from "yaml";
import { freePorts } from "../../../tools/proxies/free_ports.ts";
import { Folder, untilReachable } from "../../support/openssl.ts";
import { type Stack, eventually, startStack } from "../../support/stack.ts";

interface Server {
  address: string;
  stop(): Promise<void>;
}

interface Peer {
  /** Programs that must be installed. */
  needs: string[];
  start(port: number): { command: string; args: string[] };
}

const folder = new Folder();
const CERT = folder.file("cert.pem");
const KEY = folder.file("key.pem");
const PEERS_FOLDER = new URL("../../fixtures/peers/", import.meta.url).pathname;

/** Servers that take a renegotiation up: OpenSSL if it is configured to, GnuTLS and JSSE by default. */
const PEERS: Record<string, Peer> = {
  OpenSSL: {
    needs: ["openssl"],
    start: (port) => ({
      command: "openssl",
      args: [
        "s_server",
        "-accept",
        `127.0.0.1:${port}`,
        "-cert",
        CERT,
        "-key",
        KEY,
        "-tls1_2",
        "-client_renegotiation",
      ],
    }),
  },
  GnuTLS: {
    needs: ["gnutls-serv"],
    start: (port) => ({
      command: "gnutls-serv",
      args: [
        "-q",
        "-p",
        `${port}`,
        "--echo",
        "--x509certfile",
        CERT,
        "--x509keyfile",
        KEY,
        "--priority",
        "NORMAL:-VERS-ALL:+VERS-TLS1.2",
      ],
    }),
  },
  JSSE: {
    needs: ["java"],
    start: (port) => ({
      command: "java",
      args: [join(PEERS_FOLDER, "JssePeer.java"), "-accept", `${port}`, folder.file("keys.p12"), "TLSv1.2"],
    }),
  },
};

before(async () => {
  const made = await generate([{ name: "commonName", value: "localhost" }], { keyType: "ec", curve: "P-256" });
  writeFileSync(CERT, made.cert);
  writeFileSync(KEY, made.private);
  const store = [
    "pkcs12",
    "-export",
    "-in",
    CERT,
    "-inkey",
    KEY,
    "-out",
    folder.file("keys.p12"),
    "-passout",
    "pass:changeit",
  ];
  execFileSync("openssl", store);
});

after(() => folder.remove());

for (const [name, peer] of Object.entries(PEERS)) {
  const missing = peer.needs.filter((command) => !installed(command));
  const skip = missing.length > 0 && `${missing.join(", ")} is not installed`;

  describe(`a client that renegotiates with ${name}`, { skip }, () => {
    let server: Server;
    before(async () => (server = await startServer(peer)));
    after(() => server?.stop());

    for (const [what, observer] of Object.entries({
      observe: { enforcement: "observe" },
      '"renegotiation": "observe"': { renegotiation: "observe" },
    })) {
      for (const resumes of [false, true]) {
        it(`goes through under ${what}, is counted and logged, ${resumes ? "resumed" : "full"}`, async () => {
          const { run, line, stats, log } = await renegotiate(server, observer, resumes);
          assert.equal(run.reused, resumes);
          assert.match(run.output, /RENEGOTIATING/);
          assert.ok(run.renegotiated, `the server has taken it up:\n${run.output}`);
          assert.deepEqual([line.renegotiation, stats.renegotiations, stats.refused], ["observed", 1, 0]);
          assert.deepEqual(log, []);
        });
      }
    }

    for (const [what, observer] of Object.entries({
      revoked: {},
      strict: { enforcement: "strict" },
      'strict, although "renegotiation" is "observe"': { enforcement: "strict", renegotiation: "observe" },
    })) {
      for (const resumes of [false, true]) {
        it(`is cut off under ${what}, is counted, logged and told once, ${resumes ? "resumed" : "full"}`, async () => {
          const { run, line, stats, log } = await renegotiate(server, observer, resumes);
          assert.equal(run.reused, resumes);
          assert.match(run.output, /RENEGOTIATING/);
          assert.ok(!run.renegotiated, `the server has seen nothing of it:\n${run.output}`);
          assert.deepEqual([line.renegotiation, stats.renegotiations, stats.refused], ["closed", 1, 0]);
          assert.equal(log.length, 1, log.join("\n"));
          assert.match(log[0] ?? "", /"renegotiation": "observe"/);
        });
      }
    }
  });
}

describe("a connection without renegotiation", () => {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    it(`carries megabytes both ways undisturbed, full and resumed: ${version}`, async () => {
      const echo = await startEcho(version);
      const stack = await startStack({ upstreams: [echo.address] });
      try {
        let session: Buffer | undefined;
        for (let i = 0; i < 4; i++) {
          const visit = await talk(stack.tlsPort, version, session, i % 2 === 0 ? MANY_BYTES : SOME_BYTES);
          assert.equal(visit.reused, i > 0, `connection ${i}`);
          assert.equal(visit.returned, visit.sent, "all of it came back");
          session = visit.session;
        }
        const stats = await stack.stats();
        const counts = [stats.renegotiations, stats.refused, stats.unfollowed, stats.host_calls_failed];
        assert.deepEqual(counts, [0, 0, 0, 0]);
        assert.equal(stats.accept_good, 4);
      } finally {
        await stack.stop();
        await echo.stop();
      }
    });
  }
});

interface Run {
  output: string;
  reused: boolean;
  renegotiated: boolean;
}

interface Renegotiation {
  run: Run;
  /** Of the access log. */
  line: Record<string, string>;
  stats: Record<string, unknown>;
  /** The module's log lines of renegotiations. */
  log: string[];
}

/** One connection, full or resumed, in which the client renegotiates. */
async function renegotiate(
  server: Server,
  observer: Record<string, unknown>,
  resumes: boolean,
): Promise<Renegotiation> {
  const file = folder.file(`access-${String(files++)}.log`);
  const change = (document: Document): void => configure(document, file, observer);
  const { enforcement } = observer;
  const cache = enforcement === undefined ? {} : { cache: { enforcement } };
  const stack: Stack = await startStack({ upstreams: [server.address], concurrency: 1, change, ...cache });
  let run: Run;
  let stats: Record<string, unknown>;
  try {
    const session = folder.file(`session-${String(files++)}.pem`);
    if (resumes) await sClient(stack.tlsPort, ["-sess_out", session], "x\n");
    run = await sClient(stack.tlsPort, resumes ? ["-sess_in", session] : [], "R\n", "y\n");
    stats = await stack.stats();
    await sleep(100);
  } finally {
    await stack.stop();
  }
  const last = readFileSync(file, "latin1").trimEnd().split("\n").at(-1) ?? "";
  const log = stack.envoy
    .log()
    .split("\n")
    .filter((line) => /\[(?:warning|error)\].*renegotiation/.test(line));
  return {
    run,
    stats,
    log,
    line: Object.fromEntries(last.split(" ").map((field) => field.split("="))) as Record<string, string>,
  };
}

/** `openssl s_client` that sends those lines, with a moment between them: a line `R` makes it renegotiate. */
async function sClient(port: number, options: string[], ...lines: string[]): Promise<Run> {
  const args = ["s_client", "-connect", `127.0.0.1:${port}`, "-tls1_2", "-legacy_server_connect", ...options];
  const child = spawn("openssl", args, { stdio: ["pipe", "pipe", "pipe"] });
  let output = "";
  const keep = (chunk: Buffer): void => void (output += chunk.toString("latin1"));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.stdin.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const kill = setTimeout(() => child.kill("SIGKILL"), CLIENT_SECONDS * 1000);
  await eventually("a handshake", () => assert.match(output, /Verify return code[^]*---/), CLIENT_SECONDS);
  for (const line of lines) {
    child.stdin.write(line);
    await sleep(MOMENT);
  }
  child.stdin.end("Q\n");
  await closed;
  clearTimeout(kill);
  const [, word] = /^(New|Reused), \S+, Cipher is/m.exec(output) ?? [];
  const [, afterwards = ""] = output.split("RENEGOTIATING");
  // Behind it, s_client looks at the certificate again, or ends in order, or has back what it sent.
  const renegotiated = /verify return:|DONE|^yclosed/m.test(afterwards);
  return { output, reused: word === "Reused", renegotiated };
}

async function startServer(peer: Peer): Promise<Server> {
  const [port] = (await freePorts(1)) as [number];
  const { command, args } = peer.start(port);
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) stream.resume();
  const attempt = (): Promise<unknown> => sClient(port, [], "x\n");
  return await untilReachable(child, port, "the server makes a handshake", attempt, 30);
}

/** Node's server, which sends back what it receives. */
async function startEcho(version: SecureVersion): Promise<Server> {
  const options = { cert: readFileSync(CERT), key: readFileSync(KEY), minVersion: version, maxVersion: version };
  const server = createServer(options, (socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return { address: `127.0.0.1:${address.port}`, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}

interface Talk {
  reused: boolean;
  /** SHA-256 of the sent and of the returned bytes. */
  sent: string;
  returned: string;
  session: Buffer;
}

function talk(port: number, version: SecureVersion, session: Buffer | undefined, length: number): Promise<Talk> {
  return new Promise((resolve, reject) => {
    const options = { port, host: "127.0.0.1", rejectUnauthorized: false, minVersion: version, maxVersion: version };
    const socket: TLSSocket = connect({ ...options, ...(session === undefined ? {} : { session }) });
    const bytes = randomBytes(length);
    const returned = createHash("sha256");
    let newest: Buffer | undefined;
    socket.on("session", (given: Buffer) => (newest = given));
    socket.on("secureConnect", () => socket.end(bytes));
    socket.on("data", (chunk: Buffer) => returned.update(chunk));
    socket.on("error", reject);
    socket.on("end", () => {
      const held = newest ?? session;
      if (held === undefined) return reject(new Error("no session was issued"));
      const sent = createHash("sha256").update(bytes).digest("hex");
      resolve({ reused: socket.isSessionReused(), sent, returned: returned.digest("hex"), session: held });
    });
  });
}

function configure(document: Document, file: string, settings: Record<string, unknown>): void {
  const filters = ["static_resources", "listeners", 0, "filter_chains", 0, "filters"];
  const at = [...filters, 0, "typed_config", "config", "configuration", "value"];
  const shipped = JSON.parse(String(document.getIn(at))) as Record<string, unknown>;
  document.setIn(at, JSON.stringify({ ...shipped, ...settings, access_log: true }));
  const log = {
    name: "envoy.access_loggers.file",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
      path: file,
      log_format: {
        text_format_source: {
          inline_string:
            "outcome=%FILTER_STATE(wasm.tls_session_outcome:PLAIN)% renegotiation=%FILTER_STATE(wasm.tls_session_renegotiation:PLAIN)%\n",
        },
      },
    },
  };
  document.setIn([...filters, 1, "typed_config", "access_log"], document.createNode([log]));
}

function installed(command: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

let files = 0;
const CLIENT_SECONDS = 15;
const MOMENT = 400;
const MANY_BYTES = 6 * 1024 * 1024;
const SOME_BYTES = 70_000;
