/** `npm start` as a newcomer meets it: its output, the printed commands and their printed results, and its end. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { constants } from "node:crypto";
import { type Server, createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { PROJECT_FOLDER } from "../../../tools/project.ts";
import { adminClient, assertNoTrap, eventually } from "../../support/stack.ts";
import { type Environment, type Ports, Start, complaints, movedPorts } from "../../support/npm_start.ts";
import { visit } from "../../support/tls_client.ts";

describe("npm start", () => {
  let start: Start;
  let ports: Ports;

  before(async () => {
    ports = await movedPorts();
    start = new Start(ports.environment);
    await start.ready();
  });

  after(() => start?.kill());

  it("prints `ready` last, and says what runs where", () => {
    assert.match(start.lines.at(-1) ?? "", /^ready/);
    for (const port of [ports.tls, ports.https, ports.admin, ports.envoy])
      assert.match(start.out, new RegExp(`127\\.0\\.0\\.1:${port}`));
    assert.match(start.out, /envoy\.log/);
  });

  it("prints three commands which, one after the other, print what it says they print", async () => {
    const commands = printedCommands(start.out);
    assert.equal(commands.length, 3, start.out);
    for (const { command, expected } of commands) {
      const output = await shell(command);
      assert.match(
        output.trim(),
        patternOf(expected),
        `${command}\nprinted ${output}\nwhere this was promised: ${expected}`,
      );
    }
  });

  it("runs four upstreams behind the proxy, each with its own sessions", async () => {
    const names = new Set<string>();
    for (let i = 0; i < 24; i++) names.add((await visit({ port: ports.tls })).upstream);
    assert.equal(names.size, 4);
    const first = await visit({ port: ports.tls, version: "TLSv1.2" });
    for (let i = 0; i < 12; i++) {
      const again = await visit({ port: ports.tls, version: "TLSv1.2", session: first.session });
      assert.equal(again.resumed, again.upstream === first.upstream);
    }
  });

  it("serves HTTPS with the certificate that it names, valid for localhost", async () => {
    const file = /certificate: (\S+)/.exec(start.out)?.[1] ?? "";
    const command = `curl -sS --cacert ${join(PROJECT_FOLDER, file)} https://127.0.0.1:${ports.https}/`;
    assert.equal(await shell(command), "hello\n");
  });

  it("learns sessions by ID and by ticket", async () => {
    const admin = adminClient(ports.admin);
    const token = /Bearer (\w+)/.exec(start.out)?.[1] ?? "";
    for (const secureOptions of [0, constants.SSL_OP_NO_TICKET]) {
      const { id, kind } = await visit({ port: ports.tls, version: "TLSv1.2", secureOptions });
      assert.equal((await admin("GET", `/v1/sessions/${id}`, { token })).json.kind, kind);
    }
  });

  it("refuses a second start on the same ports with one clear line", async () => {
    const second = new Start(ports.environment);
    try {
      assert.notEqual(await second.end(), 0);
      const lines = complaints(second);
      assert.equal(lines.length, 1, second.err);
      assert.match(lines[0] ?? "", new RegExp(`${ports.tls}.*in use.*TLS_PORT`));
    } finally {
      second.kill();
    }
    assert.equal((await visit({ port: ports.tls })).protocol, "TLSv1.3", "the first one goes on");
  });

  it("stops all that it started on SIGTERM, and frees the ports", async () => {
    const upstreams = [...start.out.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port));
    assertNoTrap(start.err);
    start.signal("SIGTERM");
    await start.end(15);
    for (const port of new Set([ports.tls, ports.https, ports.admin, ports.envoy, ...upstreams])) {
      await eventually(`port ${port} is free`, () => listenOnce(port));
    }
  });
});

describe("npm start with settings", () => {
  it("takes upstreams, tokens and the number of workers from the environment", async () => {
    const { admin: adminPort, environment, tls } = await movedPorts();
    const upstream = await startDemoUpstream({ name: "mine", tickets: true });
    const own = {
      UPSTREAMS: upstream.address,
      ADMIN_TOKEN: "my-token-0123456789",
      ADMIN_READ_TOKEN: "my-read-token-0123456789",
      CONCURRENCY: "1",
    };
    const start = new Start({ ...environment, ...own });
    try {
      await start.ready();
      assert.equal((await visit({ port: tls })).upstream, "mine");
      const admin = adminClient(adminPort);
      assert.equal((await admin("PUT", "/v1/sessions/abcd", { token: "my-token-0123456789" })).status, 201);
      assert.equal((await admin("GET", "/v1/sessions/abcd", { token: "my-read-token-0123456789" })).status, 200);
      assert.equal((await admin("PUT", "/v1/sessions/abcd", { token: "my-read-token-0123456789" })).status, 403);
      assert.ok(!start.out.includes("my-token-0123456789"), "a token of the user's is not shown");
      start.signal("SIGINT");
      await start.end(15);
    } finally {
      start.kill();
      await upstream.close();
    }
  });

  const mistakes: [string, Environment, RegExp][] = [
    ["an Envoy that is not there", { ENVOY_BIN: "/nonexistent" }, /ENVOY_BIN/],
    ["an Envoy that is another program", { ENVOY_BIN: "/bin/true" }, /ENVOY_BIN/],
    ["a port that is not a number", { TLS_PORT: "https" }, /TLS_PORT/],
    ["a port out of range", { ADMIN_PORT: "70000" }, /ADMIN_PORT/],
    ["an upstream without a port", { UPSTREAMS: "10.0.0.7" }, /UPSTREAMS/],
    ["no workers", { CONCURRENCY: "0" }, /CONCURRENCY/],
  ];
  for (const [what, environment, pattern] of mistakes) {
    it(`says in one line what is wrong with ${what}, and exits with an error`, async () => {
      const start = new Start({ ...(await movedPorts()).environment, ...environment });
      try {
        assert.notEqual(await start.end(), 0);
        const lines = complaints(start);
        assert.equal(lines.length, 1, start.err);
        assert.match(lines[0] ?? "", pattern);
      } finally {
        start.kill();
      }
    });
  }
});

/** A command stands below its number; the line after "prints", which may add a remark, is what it prints. */
function printedCommands(text: string): { command: string; expected: string }[] {
  return [...text.matchAll(/^ {5}(curl .*|openssl .*)\n {3}prints.*\n {5}(.*)$/gm)].map(([, command, expected]) => ({
    command: command ?? "",
    expected: expected ?? "",
  }));
}

/** "..." stands for anything, and "demo-1" for any of the four. */
function patternOf(expected: string): RegExp {
  const escaped = expected
    .trim()
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("\\.\\.\\.", ".*");
  return new RegExp(`^${escaped.replace(/demo-1/, "demo-[1-4]")}$`);
}

function shell(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", command], { stdio: ["ignore", "pipe", "pipe"], timeout: 15_000 });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}

function listenOnce(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => server.close(() => resolve()));
  });
}
