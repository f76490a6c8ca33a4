/** The program from outside, as far as it needs no proxy: usage, help, completion, imports in parts. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { COMMANDS } from "./all_commands.ts";
import { UsageError } from "./client_error.ts";
import { Arguments } from "./command.ts";
import { helpOf } from "./commands/help.ts";
import { chunksOf } from "./commands/import_file.ts";

const LAUNCHER = fileURLToPath(new URL("tls-sessions.mjs", import.meta.url));

function run(...args: string[]): { code: number | null; out: string; err: string } {
  const env = { ...process.env, TLS_SESSIONS_TOKEN: "", TLS_SESSIONS_PROXY: "" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [LAUNCHER, ...args], { encoding: "utf8", env });
  return { code: status, out: stdout, err: stderr };
}

function prepare(name: string, ...words: string[]): void {
  COMMANDS.find((command) => command.name === name)?.prepare(new Arguments(words, {}));
}

describe("wrong usage", () => {
  it("is one line on stderr and exit code 2, and a token is never an argument", () => {
    const faults: [string[], RegExp][] = [
      [["lisst"], /"lisst" is not a command; is it list or lift\?/],
      [["list", "--foo"], /unknown option "--foo"; see: tls-sessions help list/],
      [["--proxy", "here", "list"], /--proxy "here" is not a URL/],
      [["list", "--token=s3cret"], /--token is not taken: ps shows arguments .* set TLS_SESSIONS_TOKEN/],
    ];
    for (const [args, message] of faults) {
      const { code, out, err } = run(...args);
      assert.deepEqual([code, out], [2, ""], args.join(" "));
      assert.match(err, message);
      assert.match(err, /^error: [^\n]+\n$/);
      assert.doesNotMatch(err, /s3cret/);
    }
  });

  const WRONG: string[][] = [
    ["list", "extra"],
    ["get"],
    ["get", "c0ffe"],
    ["get", "8a9e38feb4a4…"],
    ["add", "c0ffee", "colour=red"],
    ["add", "c0ffee", "kind=ID"],
    ["add", "c0ffee", "sni=a", "sni=b"],
    ["remove"],
    ["remove", "all"],
    ["revoke", ".."],
    ["enforcement", "none"],
    ["timeout", "1h"],
    ["ticket-keys", "drop", "x"],
    ["ticket-keys", "remove", "c0ffee"],
    ["ticket-keys", "set", "000102030405060708090a0b0c0d0e0f"],
    ["completion", "tcsh"],
    ["help", "nothing"],
    ["import", "/nonexistent"],
    ["doctor"],
    ["doctor", "/nonexistent.yaml"],
    ["config", "extra"],
  ];
  for (const words of WRONG) {
    it(`is "${words.join(" ")}", before anything is sent`, () => {
      const [name = "", ...rest] = words;
      assert.throws(() => prepare(name, ...rest), UsageError);
    });
  }
});

it("npx runs it in a clone", () => {
  const cwd = fileURLToPath(new URL("../../", import.meta.url));
  const { stdout } = spawnSync("npx", ["--no-install", "tls-sessions", "--version"], { encoding: "utf8", cwd });
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

describe("the help", () => {
  it("lists all commands, and fits a terminal", () => {
    const { code, out } = run("--help");
    assert.equal(code, 0);
    for (const { name } of COMMANDS) assert.match(out, new RegExp(`^  ${name} `, "m"));
    for (const command of COMMANDS) for (const line of helpOf(command)) assert.ok(line.length <= 125, line);
  });

  it("is what a call without a command gets, as wrong usage", () => assert.equal(run().code, 2));
});

describe("the completion", () => {
  it("for bash is a script that completes commands and options", () => {
    const { out } = run("completion", "bash");
    const script = `${out}\nCOMP_WORDS=(tls-sessions --proxy http://a re); COMP_CWORD=3; _tls_sessions; echo "\${COMPREPLY[*]}"
COMP_WORDS=(tls-sessions list --ki); COMP_CWORD=2; _tls_sessions; echo "\${COMPREPLY[*]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
    assert.deepEqual([stdout, stderr], ["remove removed revoke revocations\n--kind\n", ""]);
  });

  for (const shell of ["zsh", "fish"]) {
    it(`for ${shell} names all commands`, () => {
      const { out } = run("completion", shell);
      for (const { name } of COMMANDS) assert.ok(out.includes(name), name);
    });
  }
});

describe("an import", () => {
  it("goes in parts that the API takes, with every entry once", () => {
    const removed = Array.from({ length: 2_000 }, (_, at) => ({ id: at.toString(16).padStart(64, "0"), until: 1 }));
    const document = { removed, ticket_keys: [{ name: "k" }], revocations: [], next: null };
    const bodies = [...chunksOf(Buffer.from(JSON.stringify(document)), "f")()].map(({ body }) => body);
    for (const body of bodies) assert.ok(Buffer.byteLength(JSON.stringify(body)) < 65_536);
    assert.deepEqual(
      bodies.flatMap((body) => body?.["removed"] ?? []),
      removed,
    );
    assert.deepEqual(bodies.at(-1), { ticket_keys: [{ name: "k" }] });

    const lines = removed.map((entry) => `${JSON.stringify({ removed: entry })}\n`).join("\r\n");
    const parts = [...chunksOf(Buffer.from(lines), "f")()];
    for (const { lines: part } of parts) assert.ok(Buffer.byteLength(part ?? "") < 65_536);
    assert.equal(parts.map((part) => part.lines).join(""), lines.replaceAll("\r\n", ""));
    assert.match(parts[1]?.from ?? "", /^line \d+$/);
  });

  it("takes a page of the API, and nothing else", () => {
    assert.equal([...chunksOf(Buffer.from('{"removed":[1],"next":null}'), "f")()].length, 1);
    for (const text of ["", "\n", "[]", "null", '{"rem":1}', '{"removed":1,"x":2}']) {
      assert.throws(() => chunksOf(Buffer.from(text), "f"), UsageError, text);
    }
  });
});
