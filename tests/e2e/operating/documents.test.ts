/**
 * The commands of README.md and docs/use, as a reader types them: every block, in order, each document against an `npm start` on
 * free ports. A comment's promise of an answer holds, and a document leaves the settings, the refusals and the project's
 * folder as they were. A block that must not run says so with its reason (tools/checks/documents/command_blocks.ts).
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  type CommandBlock,
  commandBlocks,
  promisedOutcome,
  promisedStatus,
  runsChecks,
  startCommand,
} from "../../../tools/checks/documents/command_blocks.ts";
import { PROJECT_FOLDER } from "../../../tools/project.ts";
import { bundleClient } from "../../../tools/release/client_bundle.ts";
import { type Ports, Start, movedPorts } from "../../support/npm_start.ts";
import { adminClient, assertNoTrap } from "../../support/stack.ts";

const DOCUMENTS = ["README.md", ...readdirSync(join(PROJECT_FOLDER, "docs", "use")).map((name) => `docs/use/${name}`)];
const TOKEN = "let-me-in";
const BLOCK_SECONDS = 60;

describe("the commands in the documents", () => {
  let ports: Ports;
  let start: Start;

  before(async () => {
    await bundleClient();
    ports = await movedPorts();
    start = new Start({ ...ports.environment, ADMIN_TOKEN: TOKEN });
    await start.ready();
  });
  after(async () => {
    start?.signal("SIGTERM");
    if (start !== undefined && (await start.end().catch(() => null)) === null) start.kill();
    assertNoTrap(start?.err ?? "");
  });

  let count = 0;
  for (const document of DOCUMENTS.filter((name) => name.endsWith(".md")).sort()) {
    const blocks = commandBlocks(readFileSync(join(PROJECT_FOLDER, document), "utf8"));
    const runnable = blocks.filter(({ reason }) => reason === null);
    if (runnable.length === 0) continue;
    count += runnable.length;

    it(`of ${document} keep their promises, and leave things as they were`, { timeout: 120_000 }, async () => {
      const stateBefore = await state(ports);
      const shell = new Shell(ports);
      for (const block of runnable) await shell.run(block, document);
      assert.deepEqual(await state(ports), stateBefore);
    });
  }

  it("are there at all", () => assert.ok(count >= 3, `only ${String(count)} blocks are run`));
});

/** The lines of one document, which share their variables. */
class Shell {
  private readonly assignments: string[] = [];

  constructor(private readonly ports: Ports) {}

  async run(block: CommandBlock, document: string): Promise<void> {
    const lines = block.lines.filter((line) => !this.isDoneOtherwise(line)).map((line) => this.onFreePorts(line));
    const script = [PRELUDE, ...this.assignments, ...lines].join("\n");
    const { code, output } = await bash(script);
    const place = `${document}:${String(block.line)}`;
    assert.equal(code, 0, `${place} ended with ${String(code)}:\n${output}`);
    judgeAnswers(lines, output, place);
    this.assignments.push(...lines.filter((line) => ASSIGNMENT.test(line)));
  }

  /** The test has started everything, with the token of the documents, and is a check itself. */
  private isDoneOtherwise(line: string): boolean {
    const started = startCommand(line);
    if (started === null) return runsChecks(line);
    const { ADMIN_TOKEN = TOKEN, ...others } = started.variables;
    assert.deepEqual([ADMIN_TOKEN, others], [TOKEN, {}], `"${line}" needs a start of its own: mark it as not run`);
    return true;
  }

  private onFreePorts(line: string): string {
    const { tls, https, admin, envoy } = this.ports;
    const moved: Record<string, number> = { 10443: tls, 10444: https, 10080: admin, 10901: envoy };
    return line.replace(/\b(?:10443|10444|10080|10901)\b/g, (port) => String(moved[port]));
  }
}

/** Each line that begins with `curl` is one answer; its comment may promise a status and an outcome. */
function judgeAnswers(lines: string[], output: string, place: string): void {
  const calls = lines.filter((line) => line.startsWith("curl "));
  const answers = [...output.matchAll(/([^\0]*?)\nstatus (\d{3})\n/g)];
  assert.equal(answers.length, calls.length, `${place}: one call of curl a line:\n${output}`);
  for (const [index, call] of calls.entries()) {
    const [, text = "", status] = answers[index] ?? [];
    const promised = promisedStatus(call);
    const seen = `${place}: ${call}\n${String(status)} ${text}`;
    if (promised !== null) assert.equal(Number(status), promised, seen);
    else assert.match(status ?? "", /^2/, seen);
    const outcome = promisedOutcome(call);
    if (outcome !== null) assert.ok(text.includes(`"outcome":"${outcome}"`), seen);
  }
}

/** The state that a document must leave as it was. Sessions may come, and a removed one stays removed. */
async function state({ admin: port }: Ports): Promise<unknown> {
  const admin = adminClient(port);
  const get = async (path: string): Promise<unknown> => (await admin("GET", path, { token: TOKEN })).json;
  const settings = await Promise.all(
    ["mode", "cache-size", "timeout", "enforcement"].map((name) => get(`/v1/${name}`)),
  );
  const { revocations } = (await get("/v1/revocations")) as { revocations: { sni: string }[] };
  const { ticket_keys: keys } = (await get("/v1/ticket-keys")) as { ticket_keys: { name: string; state: string }[] };
  return {
    settings,
    revoked: revocations.map(({ sni }) => sni),
    removedKeys: keys.filter((key) => key.state === "removed").map(({ name }) => name),
    folder: readdirSync(PROJECT_FOLDER).filter((name) => name !== "build"),
  };
}

interface Ended {
  code: number | null;
  output: string;
}

/** Nothing that a block starts outlives it. */
function bash(script: string): Promise<Ended> {
  const child = spawn("bash", ["-c", script], {
    cwd: PROJECT_FOLDER,
    env: { ...process.env, ADMIN_TOKEN: TOKEN, NODE_TEST_CONTEXT: undefined },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // Nothing of it is left.
    }
  };
  const patience = setTimeout(end, BLOCK_SECONDS * 1000);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  return new Promise((resolve) => {
    child.on("exit", end);
    child.on("close", (code) => {
      clearTimeout(patience);
      resolve({ code, output });
    });
  });
}

/**
 * A failing command ends the block, and each answer is followed by its status. The client is the one of the package, which starts faster
 * than npx does.
 */
const PRELUDE = `set -euo pipefail
client='import("./build/client/main.mjs").then(({ main }) => main(process.argv.slice(1)))'
npx() { [ "$1" = tls-sessions ] && shift && node --input-type=module -e "$client" -- "$@"; }
curl() { command curl --max-time 10 -w '\\nstatus %{http_code}\\n' "$@"; }`;
const ASSIGNMENT = /^(?:export )?(?:[A-Za-z_]+=(?:"[^"]*"|'[^']*'|[^\s"']+)\s*)+(?:#.*)?$/;
