/**
 * `npm run bench:page`: the page of the admin listener on a large cache. A real Envoy with one worker, whose only virtual machine of the
 * cache serves the page, its callers and the handshakes; a real browser. Fills the cache through `POST /v1/import`, then does what an
 * operator does. Prints a Markdown table: until it was shown, calls of the page, CPU time of Envoy, the longest handshake meanwhile.
 *
 * --sessions N   1000000
 * --folder PATH  writes a picture of each step there
 */
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { FULL_TOKEN } from "../tests/contract/client.ts";
import { inParallel, type Stack, startStack } from "../tests/support/stack.ts";
import { visit } from "../tests/support/tls_client.ts";
import { startBrowser } from "../tools/browser.ts";
import { build } from "../tools/build.ts";
import { startDemoUpstream } from "../tools/demo/upstream.ts";
import { describeMachine } from "../tools/machine.ts";
import { findEnvoy } from "../tools/proxies/envoy_binary.ts";
import { runTool } from "../tools/run_tool.ts";
import { SetupError } from "../tools/setup_error.ts";
import { cpuMicroseconds, residentBytes } from "./cpu_time.ts";

interface Options {
  sessions: number;
  folder: string | null;
}

/** What an operator does, and the sign that the page has done it. */
type Step = [name: string, act: (page: Page) => Promise<unknown>];

const LINES_A_CALL = 220;
const CALLERS = 8;
const UPSTREAMS = 8;
const SERVER_NAMES = 500;
const TICKET_KEYS = 64;
/** Of a server name that hardly any session has. */
const RARE = "rare.example";
const RARE_SESSIONS = 3;
const REMOVED = 300;
const PATIENCE_MILLISECONDS = 300_000;
const HANDSHAKE_PAUSE_MILLISECONDS = 5;

const STEPS: Step[] = [
  [
    "sign in, overview",
    async (page) => {
      await page.getByLabel("Token").fill(FULL_TOKEN);
      await page.getByRole("button", { name: "Open" }).click();
      await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    },
  ],
  ["upstreams counted", (page) => page.getByRole("table", { name: "Sessions by upstream" }).waitFor()],
  ["sessions, first page", (page) => show(page, "sessions", /^Sessions 1–50$/)],
  ["next page", (page) => click(page, "Next", /^Sessions 51–100$/)],
  ["one page back", (page) => click(page, "Back", /^Sessions 1–50$/)],
  ["sessions of a common server name", (page) => show(page, "sessions?sni=shop-7.example", /^Sessions 1–50$/)],
  ["its next page", (page) => click(page, "Next", /^Sessions 51–100$/)],
  ["sessions of an upstream", (page) => show(page, "sessions?upstream=10.0.0.3:443", /^Sessions 1–50$/)],
  [`${RARE_SESSIONS} sessions of a rare name`, (page) => show(page, `sessions?sni=${RARE}`, /^3 sessions$/)],
  [
    "a name that none has",
    (page) => show(page, "sessions?sni=nobody.example", null, page.getByText("No session matches.")),
  ],
  [
    "one session by its ID",
    (page) => show(page, `sessions?id=${idOf(7)}`, null, page.getByRole("table", { name: "Session" })),
  ],
  [
    "how many match (before a removal)",
    async (page) => {
      await show(page, "sessions?sni=shop-7.example", /^Sessions 1–50$/);
      await page.getByRole("button", { name: "Remove matching …" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("button", { name: "Count them" }).click();
      await dialog.getByText(/^[\d,]+ sessions match/).waitFor();
    },
  ],
  ["removed", (page) => show(page, "removed", /^Removed sessions 1–50$/)],
  ["ticket keys", (page) => show(page, "keys")],
  ["revocations", (page) => show(page, "revocations")],
  ["events", (page) => show(page, "events")],
  ["filters", (page) => show(page, "filters")],
  ["settings", (page) => show(page, "settings")],
];

/** Clients that handshake one after the other, in full. */
class Handshakes {
  private longest = 0;
  private isEnding = false;
  private readonly loop: Promise<void>;

  constructor(private readonly port: number) {
    this.loop = this.run();
  }

  /** Milliseconds of the longest one that has ended since the last call. */
  takeLongest(): number {
    const longest = this.longest;
    this.longest = 0;
    return longest;
  }

  async end(): Promise<void> {
    this.isEnding = true;
    await this.loop;
  }

  private async run(): Promise<void> {
    while (!this.isEnding) {
      const begin = performance.now();
      await visit({ port: this.port, version: "TLSv1.3" });
      this.longest = Math.max(this.longest, performance.now() - begin);
      await sleep(HANDSHAKE_PAUSE_MILLISECONDS);
    }
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
await runTool((args) => run(readOptions(args)));

async function run({ sessions, folder }: Options): Promise<void> {
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  for (const line of await describeMachine(await findEnvoy(console.error))) console.log(line);
  if (folder !== null) mkdirSync(folder, { recursive: true });
  const upstream = await startDemoUpstream({ name: "alpha", tickets: true });
  const cache = { cache_size: 0, max_memory_mib: 512, timeout: 86_400 };
  const stack = await startStack({ upstreams: [upstream.address], concurrency: 1, cache });
  try {
    const begin = performance.now();
    await fill(stack, sessions);
    const { number } = await stack.stats();
    const mib = (residentBytes(stack.envoy.pid) / 2 ** 20).toFixed(0);
    console.log(
      `\n${Number(number).toLocaleString("en")} sessions, imported in ${seconds(performance.now() - begin)};`,
    );
    console.log(`Envoy has ${mib} MiB of its own.\n`);
    await measure(stack, folder);
  } finally {
    await stack.stop();
    await upstream.close();
  }
}

async function fill({ admin }: Stack, count: number): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const calls = Array.from({ length: Math.ceil(count / LINES_A_CALL) }, (_, call) => call * LINES_A_CALL);
  await inParallel(calls, CALLERS, async (from) => {
    const until = Math.min(count, from + LINES_A_CALL);
    const lines = Array.from({ length: until - from }, (_, index) => lineOf(from + index, now));
    const headers = { "content-type": "application/x-ndjson" };
    const { status, text } = await admin("POST", "/v1/import", { body: lines.join("\n"), headers });
    if (status !== 200) throw new Error(`an import was answered with ${status}: ${text}`);
  });
  for (let number = 0; number < REMOVED; number++) {
    const place = Math.floor((number * count) / REMOVED);
    if (place >= RARE_SESSIONS && place !== 7) await admin("DELETE", `/v1/sessions/${idOf(place)}`);
  }
}

function lineOf(number: number, now: number): string {
  const kind = ["ticket", "psk", "ticket", "id"][number % 4] ?? "";
  const hits = number % 5;
  const session = {
    id: idOf(number),
    kind,
    protocol: kind === "psk" ? "TLSv1.3" : "TLSv1.2",
    sni: number < RARE_SESSIONS ? RARE : `shop-${Math.floor(SERVER_NAMES * ((number * 0.618) % 1) ** 2)}.example`,
    upstream: `10.0.0.${1 + (number % UPSTREAMS)}:443`,
    ticket_key:
      kind === "id"
        ? null
        : createHash("md5")
            .update(`key ${number % TICKET_KEYS}`)
            .digest("hex"),
    time: now - (number % 3600),
    timeout: 86_400,
    last_used: hits === 0 ? null : now - (number % 600),
    hits,
    origin: "observed",
  };
  return JSON.stringify({ session });
}

function idOf(number: number): string {
  return createHash("sha256").update(`session ${number}`).digest("hex");
}

async function measure(stack: Stack, folder: string | null): Promise<void> {
  const handshakes = new Handshakes(stack.tlsPort);
  const browser = await startBrowser(console.error);
  try {
    const page = await browser.newPage({ viewport: { width: 1360, height: 860 } });
    page.setDefaultTimeout(PATIENCE_MILLISECONDS);
    page.on("pageerror", (error) => console.error(error));
    let calls = 0;
    page.on("request", () => calls++);
    await page.goto(`http://127.0.0.1:${stack.adminPort}/`);
    await sleep(3_000);
    console.log(`longest handshake before: ${milliseconds(handshakes.takeLongest())}\n`);
    console.log("| step | shown after | calls | CPU of Envoy | longest handshake |");
    console.log("| --- | --- | --- | --- | --- |");
    for (const [number, [name, act]] of STEPS.entries()) {
      handshakes.takeLongest();
      calls = 0;
      const cpu = cpuMicroseconds(stack.envoy.pid);
      const begin = performance.now();
      await act(page);
      const took = performance.now() - begin;
      const used = (cpuMicroseconds(stack.envoy.pid) - cpu) / 1000;
      const cells = [name, milliseconds(took), calls, milliseconds(used), milliseconds(handshakes.takeLongest())];
      console.log(`| ${cells.join(" | ")} |`);
      if (folder !== null) await page.screenshot({ path: join(folder, `${String(number).padStart(2, "0")}.png`) });
      if (await page.getByRole("dialog").isVisible()) await page.keyboard.press("Escape");
    }
  } finally {
    await handshakes.end();
    await browser.close();
  }
}

/** Goes to a view, and waits for its list's status or another sign, or else until nothing is being read. */
async function show(
  page: Page,
  hash: string,
  status: RegExp | null = null,
  sign = statusOf(page, status),
): Promise<void> {
  await page.evaluate((to) => (location.hash = to), hash);
  await page.waitForFunction(
    (name) => document.querySelector("nav [aria-current]")?.getAttribute("data-view") === name,
    hash.split("?")[0],
  );
  if (sign !== null) await sign.waitFor();
  await page.waitForFunction(() => !/Reading|Searching/.test(document.querySelector("main")?.textContent ?? ""));
}

async function click(page: Page, name: string, status: RegExp): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
  await statusOf(page, status)?.waitFor();
}

function statusOf(page: Page, status: RegExp | null): ReturnType<Page["getByText"]> | null {
  return status === null ? null : page.locator("[role=status]").getByText(status);
}

function milliseconds(value: number): string {
  return value < 10 ? `${value.toFixed(1)} ms` : `${value.toFixed(0)} ms`;
}

function seconds(value: number): string {
  return `${(value / 1000).toFixed(0)} s`;
}

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: { sessions: { type: "string", default: "1000000" }, folder: { type: "string" } },
  });
  const sessions = Number(values.sessions);
  if (!Number.isInteger(sessions) || sessions < 1000) throw new SetupError("--sessions must be 1000 or more");
  return { sessions, folder: values.folder === undefined ? null : resolve(values.folder) };
}
