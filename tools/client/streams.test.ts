/** The commands that run until they are stopped, as processes, against an HTTP server that restarts, refuses and hangs. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const LAUNCHER = fileURLToPath(new URL("tls-sessions.mjs", import.meta.url));
const PROBLEM = "application/problem+json";
const LIMIT_SECONDS = 20;

/** Null hangs. */
type Answer = { status?: number; body: unknown } | null;

let server: Server;
let proxy: string;
/** Of the next calls; the last one stays. */
let answers: Answer[] = [];
let onCall: (url: string) => void = () => undefined;

before(async () => {
  server = createServer((request, response) => {
    onCall(String(request.url));
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer == null) return;
    const { status = 200, body } = answer;
    response.writeHead(status, { "content-type": status === 200 ? "application/json" : PROBLEM });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

interface Running {
  child: ChildProcess;
  seen: { out: string; err: string };
  ended: Promise<number | null>;
}

/** On a terminal of `columns` by 24, which `script` makes; `keys` are pressed once a frame is drawn. */
function onTerminal(columns: number, args: string[], keys = ""): Running {
  const line = [
    `stty rows 24 cols ${String(columns)};`,
    ...[process.execPath, LAUNCHER, ...args].map((word) => `'${word}'`),
  ];
  const child = spawn("script", ["-qfec", line.join(" "), "/dev/null"], {
    env: { ...process.env, TLS_SESSIONS_TOKEN: "", TLS_SESSIONS_PROXY: proxy },
    stdio: ["pipe", "pipe", "ignore"],
    timeout: LIMIT_SECONDS * 1000,
  });
  const seen = { out: "", err: "" };
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  let isPressed = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    seen.out += text;
    if (isPressed || !seen.out.includes("PER SECOND")) return;
    isPressed = true;
    child.stdin.write(keys);
  });
  return { child, seen, ended };
}

/** `onOutput` sees each piece that the program prints. */
function start(args: string[], onOutput: (running: Running) => void = () => undefined): Running {
  const env = { ...process.env, TLS_SESSIONS_TOKEN: "", TLS_SESSIONS_PROXY: proxy };
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_SECONDS * 1000,
  });
  const seen = { out: "", err: "" };
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const running = { child, seen, ended };
  child.stderr.setEncoding("utf8").on("data", (text: string) => (seen.err += text));
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    seen.out += text;
    onOutput(running);
  });
  return running;
}

const EVENT = { seq: "1", type: "new", id: "c0ffee", time: 1, cause: "api", sni: null, upstream: null, client: null };

describe("events --follow", () => {
  it("begins with the events to come, and goes on with the new log of a proxy that has restarted", async () => {
    answers = [
      { body: { events: [{ ...EVENT, id: "01d0" }], next: "a", missed: 0 } },
      { body: { events: [], next: "a", missed: 0 } },
      { status: 400, body: { detail: "after: not a mark of this log" } },
      { body: { events: [EVENT], next: "b", missed: 0 } },
      { body: { events: [], next: "b", missed: 0 } },
    ];
    const { seen, ended } = start(["events", "--follow", "--json"], ({ child }) => child.kill("SIGINT"));
    assert.equal(await ended, 0, seen.err);
    assert.deepEqual(JSON.parse(seen.out), EVENT);
    assert.match(seen.err, /^warning: \S+ its log has begun again, as after a restart\n$/);
  });

  it("ends with 1 if it is refused", async () => {
    answers = [{ status: 401, body: {} }];
    const { seen, ended } = start(["events", "--follow"]);
    assert.equal(await ended, 1);
    assert.match(seen.err, /^error: \S+ 401: no token was sent; [^\n]*\n$/);
  });
});

const STATISTICS = {
  ...{ number: 5, cache_size: 10, refused: 1, diverted: 0, lost: 0 },
  resumed: { id: 0, ticket: 0, psk: 0 },
  full: { "TLSv1.2": 0 },
};

/** Only the screen shows these. */
const COUNTS = {
  tombstones: 0,
  ...Object.fromEntries(
    ["offered", "accepted", "lost", "declined", "refused", "failed", "diverted"].map((fate) => [
      `resumptions_${fate}`,
      { id: 0, ticket: 0, psk: 0 },
    ]),
  ),
};

describe("watch", () => {
  it("prints a line a second into a pipe, and ends with 0 on Ctrl-C", async () => {
    const later = { ...STATISTICS, resumed: { id: 0, ticket: 90, psk: 0 }, full: { "TLSv1.2": 10 } };
    answers = [{ body: STATISTICS }, { body: later }];
    const { seen, ended } = start(["watch"], ({ child }) => child.kill("SIGINT"));
    assert.equal(await ended, 0, seen.err);
    assert.match(seen.out, /handshakes \d+\.\d\/s {2}resumed 90\.0 % .* cache 5 of 10 \(50\.0 %\) .*lost 0\.0\/s\n$/);
  });

  it("ends with 1 if it is refused", async () => {
    answers = [{ status: 401, body: {} }];
    const { seen, ended } = start(["watch"]);
    assert.deepEqual([await ended, seen.out], [1, ""]);
  });

  it("ends at once on Ctrl-C while a proxy hangs", async () => {
    answers = [null];
    const asked = new Promise<void>((resolve) => (onCall = () => resolve()));
    const { child, seen, ended } = start(["watch"]);
    await asked;
    const begin = performance.now();
    child.kill("SIGINT");
    assert.deepEqual([await ended, seen.err], [0, ""]);
    assert.ok(performance.now() - begin < 2_000, "it has waited for the answer");
  });

  const ENTER = "\u001b[?1049h\u001b[?25l\u001b[2J";
  const LEAVE = "\u001b[?25h\u001b[?1049l";
  const HOME = "\u001b[H";

  it("redraws a screen of its own on a terminal, and gives the terminal back", async () => {
    const later = { ...STATISTICS, ...COUNTS, resumed: { id: 0, ticket: 90, psk: 0 }, full: { "TLSv1.2": 10 } };
    answers = [{ body: { ...STATISTICS, ...COUNTS } }, { body: later }];
    const { seen, ended } = onTerminal(80, ["watch", "--count", "2"]);
    assert.equal(await ended, 0, seen.out);
    assert.ok(seen.out.startsWith(ENTER), JSON.stringify(seen.out.slice(0, 40)));
    assert.ok(seen.out.endsWith(LEAVE), JSON.stringify(seen.out.slice(-40)));
    const frames = seen.out.slice(ENTER.length, -LEAVE.length).split(HOME).slice(1);
    assert.equal(frames.length, 3, "one of the start, and one a second");
    assert.match(frames[0] ?? "", /q ends/);
    assert.match(frames[1] ?? "", /resumed +90\.0 % now, 90\.0 % since the start/);
    assert.match(frames[2] ?? "", /resumed +- now, 90\.0 % since the start/);
    for (const frame of frames) {
      assert.ok(frame.endsWith("\u001b[J"), "a shorter frame leaves nothing of a longer one");
      const lines = frame.slice(0, -3).split("\r\n").slice(0, -1);
      for (const line of lines) assert.ok(line.endsWith("\u001b[K") && line.length <= 80 + 3, JSON.stringify(line));
    }
  });

  it("fits a narrow terminal, and ends with 0 at q", async () => {
    answers = [{ body: { ...STATISTICS, ...COUNTS } }];
    const { seen, ended } = onTerminal(40, ["watch"], "q");
    assert.equal(await ended, 0, seen.out);
    assert.ok(seen.out.endsWith(LEAVE));
    const lines = seen.out.slice(ENTER.length).split(/\r\n/);
    for (const line of lines)
      assert.ok(line.replaceAll(/\u001b\[\??[0-9]*[A-Za-z]/g, "").length <= 40, JSON.stringify(line));
  });

  it("shows on its screen that a proxy does not answer, and goes on", async () => {
    answers = [
      { body: { ...STATISTICS, ...COUNTS } },
      { status: 503, body: { detail: "busy" } },
      { body: { ...STATISTICS, ...COUNTS } },
    ];
    const { seen, ended } = onTerminal(80, ["watch", "--count", "2"]);
    assert.equal(await ended, 0, seen.out);
    const frames = seen.out.split(HOME).slice(1);
    assert.deepEqual(
      frames.map((frame) => frame.includes("503: busy")),
      [false, true, false],
    );
  });
});
