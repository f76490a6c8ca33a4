/**
 * tls-sessions, as an operator starts it, against real Envoys: every command once, for people and for programs, with names that an
 * attacker has chosen, and an export of one proxy that another one takes in.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { PROJECT_FOLDER } from "../../../tools/project.ts";
import { FULL_TOKEN, READ_TOKEN, freshId } from "../../contract/client.ts";
import type { AnswerBody } from "../../support/answer.ts";
import { type Stack, eventually, startStack } from "../../support/stack.ts";
import { type Visit, visit } from "../../support/tls_client.ts";

const LAUNCHER = join(PROJECT_FOLDER, "tools", "client", "tls-sessions.mjs");
const KEY = "000102030405060708090a0b0c0d0e0f";
const EVIL_NAME = "evil\u001b[2J\u001b]0;owned\u0007\u009b31m\u202e.example";
const RUN_SECONDS = 30;

let upstream: DemoUpstream;
let stack: Stack;
let other: Stack;
let folder: string;
let first: Visit;

before(async () => {
  upstream = await startDemoUpstream({ name: "alpha", tickets: true });
  stack = await startStack({ upstreams: [upstream.address], concurrency: 1 });
  other = await startStack({ upstreams: [upstream.address], concurrency: 1 });
  folder = mkdtempSync(join(tmpdir(), "tls-sessions-"));
  first = await visit({ port: stack.tlsPort, version: "TLSv1.2", sni: "shop.example" });
  await visit({ port: stack.tlsPort, version: "TLSv1.2", sni: "shop.example", session: first.session });
});
after(async () => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
  await Promise.all([stack?.stop(), other?.stop()]);
  await upstream?.close();
});

describe("tls-sessions", () => {
  it("lists the sessions as a table and as JSON", async () => {
    const { out } = await done("list", "--sni", "shop.example");
    assert.match(out, /^ID +KIND +PROTOCOL +SERVER NAME +UPSTREAM +HITS +EXPIRES\n/);
    assert.match(
      out,
      new RegExp(`^${first.id.slice(0, 12)}… +ticket +TLSv1\\.2 +shop\\.example .* 1 .*\\(in 2 h\\)$`, "m"),
    );
    const { sessions = [] } = await json("list", "--kind", "ticket", "--upstream", upstream.address, "--limit", "1");
    assert.deepEqual(
      sessions.map(({ id }) => id),
      [first.id],
    );
    assert.ok((await done("list", "--wide")).out.includes(first.id));
  });

  it("adds, shows and removes a session, and says so by its exit code", async () => {
    assert.match((await done("add", "c0ffee", "sni=shop.example", "timeout=600")).out, /^added:\n/);
    assert.equal((await json("add", "c0ffee", "sni=", "cipher=TLS_AES_128_GCM_SHA256")).session?.sni, null);
    assert.equal((await json("get", "C0FFEE")).id, "c0ffee");
    assert.match((await done("get", "c0ffee")).out, /^expires +.*lifetime 10 min$/m);
    assert.match(
      (await done("remove", "c0ffee")).out,
      /^c0ffee: removed, 1 handle, enforced by 1 observer and 1 guard\n$/,
    );
    const again = await run(["remove", "c0ffee"]);
    assert.deepEqual([again.code, again.err], [1, ""]);
    const gone = await run(["get", "c0ffee"]);
    assert.deepEqual([gone.code, gone.out], [1, ""]);
    assert.match(gone.err, /^error: http:\S+: 410: .*\n$/);
    assert.match((await run(["get", "abcd12"])).err, /^error: http:\S+: 404: .*\n$/);
    assert.match((await done("removed", "--cause", "api", "--kind", "id")).out, /^c0ffee +api +id /m);
    assert.equal(((await json("removed", "--limit", "1")).removed as unknown[]).length, 1);
  });

  it("removes by filter and flushes only with consent", async () => {
    await done("add", "beef01", "sni=gone.example");
    assert.match((await done("remove", "--sni", "gone.example", "--dry-run")).out, /^1 session would be removed/);
    const unasked = await run(["remove", "--sni", "gone.example"]);
    assert.deepEqual([unasked.code, unasked.out], [2, ""]);
    assert.match(unasked.err, /^error: this would remove 1 session of sni=gone\.example, on .* --yes\n$/);
    assert.equal((await json("remove", "--sni", "gone.example", "--yes")).removed, 1);
    assert.equal((await run(["flush"])).code, 2);
    assert.match((await done("flush", "--before", "now", "--yes")).out, /^0 sessions removed/);
  });

  it("shows counters, events and live rates", async () => {
    assert.match((await done("stats")).out, /^handshakes +2: 1 resumed \(50\.0 %\)$/m);
    assert.equal((await json("stats")).hits, 1);
    assert.match((await done("events", "--type", "new", "--sni", "shop.example")).out, /new +handshake/);
    const { events } = (await json("events", "--limit", "1")) as { events: unknown[] };
    assert.equal(events.length, 1);
    const watched = await done("watch", "--count", "1");
    assert.match(watched.out, /^\S+ {2}handshakes 0\.0\/s {2}resumed - .*cache \d+ of .*lost 0\.0\/s\n$/);
    const [line = ""] = (await done("watch", "--count", "1", "--json")).out.split("\n");
    assert.equal((JSON.parse(line) as { handshakes_per_second: number }).handshakes_per_second, 0);
  });

  it("follows events up to a signal, and ends with 0", async () => {
    const followed = run(["events", "--follow", "--json", "--type", "new"], { isStoppedByOutput: true });
    let hasEnded = false;
    void followed.finally(() => (hasEnded = true));
    await eventually("an event is printed", async () => {
      await stack.admin("PUT", `/v1/sessions/${freshId()}`);
      assert.ok(hasEnded, "nothing was printed yet");
    });
    const { code, out, err } = await followed;
    assert.equal(code, 0, err);
    assert.equal((JSON.parse(out.split("\n")[0] ?? "") as { type: string }).type, "new");
  });

  it("handles ticket keys and revocations", async () => {
    assert.match((await done("ticket-keys")).out, new RegExp(`^${String(first.ticketKey)} +learned `, "m"));
    assert.equal((await json("ticket-keys", "set", KEY, "10.0.0.7:443")).outcome, "added");
    assert.match((await done("ticket-keys", "remove", KEY)).out, /^removed: /);
    assert.equal((await run(["ticket-keys", "remove", KEY])).code, 1);
    assert.match((await done("ticket-keys", "lift", KEY)).out, /^lifted:\n/);
    assert.equal((await run(["ticket-keys", "lift", KEY])).code, 1);
    assert.match(
      (await done("revoke", "old.example", "--ticket-lifetime", "600")).out,
      /^old\.example: revoked until .*in 10 min/,
    );
    assert.match((await done("revocations")).out, /^old\.example /m);
    assert.equal((await json("lift", "old.example")).outcome, "removed");
    assert.equal((await run(["lift", "old.example"])).code, 1);
  });

  it("shows and sets the settings", async () => {
    assert.equal((await done("mode", "SERVER,NO_AUTO_CLEAR")).out, "SERVER, NO_AUTO_CLEAR, was SERVER\n");
    assert.deepEqual((await json("mode", "SERVER")).mode, ["SERVER"]);
    assert.match(
      (await done("enforcement", "strict")).out,
      /^strict, was revoked, enforced by 1 observer and 1 guard\n$/,
    );
    assert.equal((await json("enforcement", "revoked")).previous, "strict");
    assert.equal((await done("timeout", "60")).out, "60 s (1 min), was 7200 s (2 h)\n");
    assert.equal((await done("timeout", "7200")).out, "7200 s (2 h), was 60 s (1 min)\n");
    assert.equal((await json("cache-size")).cache_size, 20480);
    const refused = await run(["mode", "CLIENT"]);
    assert.deepEqual([refused.code, refused.out], [1, ""]);
    assert.match(refused.err, /422: mode: CLIENT/);
  });

  it("shows filters, upstreams and health", async () => {
    assert.match((await done("filters")).out, /^observer +\S+ +in_force /m);
    assert.match((await done("upstreams")).out, new RegExp(`^${upstream.address} +\\d`, "m"));
    assert.match((await done("health")).out, /^the filter runs; removed sessions are refused\n$/);
    assert.equal((await json("health")).enforcement, "ok");
  });

  it("exports the lists of one proxy, and imports them into another in parts", async () => {
    const removedId = freshId();
    await stack.admin("DELETE", `/v1/sessions/${removedId}`);
    await stack.admin("PUT", "/v1/revocations/moved.example");
    const file = join(folder, "lists.ndjson");
    assert.match((await done("export", file)).out, /: \d+ removed sessions?, \d+ ticket keys?, 1 revocation\n$/);
    // More than one body can hold, and more than one page shows.
    const until = Math.floor(Date.now() / 1000) + 600;
    const more = Array.from({ length: 1500 }, () => `${JSON.stringify({ removed: { id: freshId(), until } })}\n`);
    assert.match(readFileSync(file, "utf8"), /\n\{"next":null\}\n$/, "an export has its end");
    const text = readFileSync(file, "utf8") + more.join("");
    writeFileSync(file, text);
    const removals = text.match(/^\{"removed":/gm)?.length ?? 0;
    const taken = await json("import", file, "--proxy", urlOf(other));
    assert.equal(taken.taken, removals + 1, JSON.stringify(taken));
    assert.equal((await run(["get", removedId, "--proxy", urlOf(other)])).code, 1);
    assert.match((await done("revocations", "--proxy", urlOf(other))).out, /^moved\.example /m);
    const again = await json("import", file, "--proxy", urlOf(other));
    assert.deepEqual([again.taken, again.identical], [0, taken.taken], "it can be done again");
    const all = (await done("export", "--proxy", urlOf(other))).out;
    assert.equal(all.match(/^\{"removed":/gm)?.length, removals, "the export has all pages");

    const everything = join(folder, "everything.ndjson");
    assert.match((await done("export", everything, "--what", "all")).out, /, \d+ sessions?, settings\n$/);
    assert.ok(readFileSync(everything, "utf8").includes(`{"session":{"id":"${first.id}"`));
    const moved = await json("import", everything, "--proxy", urlOf(other));
    assert.ok((moved.taken ?? 0) > 0, JSON.stringify(moved));
    const { hits, time } = await json("get", first.id);
    const there = await json("get", first.id, "--proxy", urlOf(other));
    assert.deepEqual([there.hits, there.time], [hits, time], "a session keeps its hits and times");
    const failed = await run(["export", everything, "--proxy", urlOf(other), "--proxy", "http://127.0.0.1:1"]);
    assert.equal(failed.code, 3);
    assert.ok(readFileSync(everything, "utf8").includes('{"session":'), "a file that was there stays");
  });

  it("runs on several proxies at once, and its exit code is the worst", async () => {
    const file = join(folder, "proxies");
    writeFileSync(file, `# the edge\n${urlOf(stack)}\n\n${urlOf(other)}/ # the second\n`);
    const { out } = await done("timeout", "--proxies", file);
    assert.equal(out, `== ${urlOf(stack)}\n7200 s (2 h)\n\n== ${urlOf(other)}\n7200 s (2 h)\n`);
    const mixed = await run(["health", "--json", "--proxies", file, "--proxy", "http://127.0.0.1:1"]);
    assert.equal(mixed.code, 3);
    assert.match(mixed.err, /^error: http:\/\/127\.0\.0\.1:1: connection refused: /);
    const [unreachable, ...healthy] = JSON.parse(mixed.out) as { error?: string; result?: { status: string } }[];
    assert.match(unreachable?.error ?? "", /connection refused/);
    assert.deepEqual(
      healthy.map(({ result }) => result?.status),
      ["ok", "ok"],
    );
  });

  it("lets no character of an attacker's server name reach the terminal", async () => {
    await visit({ port: stack.tlsPort, version: "TLSv1.2", sni: EVIL_NAME }).catch(() => undefined);
    const added = await run(["add", "e711", `sni=${EVIL_NAME}`]);
    assert.equal(added.code, 0, added.err);
    for (const args of [
      ["list"],
      ["list", "--json"],
      ["get", "e711"],
      ["events"],
      ["remove", "--sni", EVIL_NAME, "--dry-run"],
    ]) {
      const { out, err } = await run(args);
      assert.doesNotMatch(out + err, /[^\n\P{C}]|\p{Cf}/u, `${args.join(" ")} prints a control character`);
    }
    assert.match((await done("get", "e711")).out, /evil\\x1b\[2J\\x1b\]0;owned\\x07\\x9b31m\\u\{202e\}\.example/);
    assert.equal((await json("get", "e711")).sni, EVIL_NAME, "JSON keeps the name");
  });

  it("says what is wrong with a token, and takes none as an argument", async () => {
    const file = join(folder, "token");
    writeFileSync(file, `${READ_TOKEN}\n`);
    const readOnly = await run(["add", "c0ffee", "--token-file", file], { token: "" });
    assert.equal(readOnly.code, 1);
    assert.match(readOnly.err, /403: this token may only read; /);
    assert.match((await run(["list"], { token: "" })).err, /401: no token was sent; set TLS_SESSIONS_TOKEN/);
    assert.match((await run(["list"], { token: "wrong-token" })).err, /401: the proxy does not know this token/);
    const argued = await run(["list", "--token", FULL_TOKEN]);
    assert.deepEqual([argued.code, argued.err.includes(FULL_TOKEN)], [2, false]);
  });

  it("says so if another listener answers", async () => {
    const envoy = await run(["list", "--proxy", `http://127.0.0.1:${String(stack.envoyAdminPort)}`]);
    assert.equal(envoy.code, 3);
    assert.match(envoy.err, /rather than JSON; name the listener of the admin API/);
    assert.equal((await run(["list", "--proxy", `http://127.0.0.1:${String(stack.tlsPort)}`])).code, 3);
  });
});

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

interface RunOptions {
  token?: string;
  /** As by Ctrl-C, once it has printed something. */
  isStoppedByOutput?: boolean;
}

async function done(...args: string[]): Promise<Ended> {
  const ended = await run(args);
  assert.deepEqual([ended.code, ended.err.replace(/^warning: .*\n/gm, "")], [0, ""], args.join(" "));
  return ended;
}

async function json(...args: string[]): Promise<AnswerBody> {
  return JSON.parse((await done(...args, "--json")).out) as AnswerBody;
}

function run(args: string[], { token = FULL_TOKEN, isStoppedByOutput = false }: RunOptions = {}): Promise<Ended> {
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    env: { ...process.env, TLS_SESSIONS_TOKEN: token, TLS_SESSIONS_PROXY: urlOf(stack), NODE_TEST_CONTEXT: undefined },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: RUN_SECONDS * 1000,
  });
  const ended: Ended = { code: null, out: "", err: "" };
  child.stderr.setEncoding("utf8").on("data", (text: string) => (ended.err += text));
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (isStoppedByOutput && ended.out === "") child.kill("SIGINT");
    ended.out += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ ...ended, code }));
  });
}

function urlOf({ adminPort }: Stack): string {
  return `http://127.0.0.1:${String(adminPort)}`;
}
