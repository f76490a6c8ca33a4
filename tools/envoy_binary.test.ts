import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { findEnvoy, refuseUnsupportedPlatform } from "./envoy_binary.ts";

const folder = mkdtempSync(join(tmpdir(), "envoy-binary-"));
const environment = { ...process.env };

beforeEach(() => {
  process.env = { ...environment, ENVOY_BIN: "" };
});
after(() => {
  process.env = environment;
  rmSync(folder, { recursive: true });
});

test("ENVOY_BIN comes first, and its version is told", async () => {
  process.env["ENVOY_BIN"] = program("mine", "echo 'envoy  version: 0a1b2c/1.40.0/Clean/RELEASE/BoringSSL'");
  const lines: string[] = [];
  assert.equal(await findEnvoy((line) => lines.push(line)), process.env["ENVOY_BIN"]);
  assert.match(lines.join("\n"), /using Envoy 1\.40\.0: /);
});

test("envoy on PATH comes second, and another version is remarked upon", async () => {
  const path = program("envoy", "echo 'envoy  version: 0a1b2c/1.39.1/Clean/RELEASE/BoringSSL'");
  process.env["PATH"] = `${folder}:${environment["PATH"]}`;
  const lines: string[] = [];
  assert.equal(await findEnvoy((line) => lines.push(line)), path);
  assert.match(lines.join("\n"), /using Envoy 1\.39\.1 \(tested with 1\.40\.0\)/);
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
  for (const [value, message] of refused) {
    process.env["ENVOY_BIN"] = value;
    await assert.rejects(findEnvoy(ignore), (error: Error) => {
      assert.equal(error.name, "SetupError");
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  }
});

test("where no package fits, one line says to set ENVOY_BIN", () => {
  for (const machine of [
    { platform: "linux", arch: "arm64" },
    { platform: "win32", arch: "x64" },
  ]) {
    assert.throws(() => refuseUnsupportedPlatform(machine), /^SetupError: there is no Envoy package .* set ENVOY_BIN/);
  }
  refuseUnsupportedPlatform({ platform: "linux", arch: "x64" });
  refuseUnsupportedPlatform({ platform: "darwin", arch: "arm64" });
});

function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

function ignore(): void {}
