import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findChromium } from "./browser.ts";
import { SetupError } from "./setup_error.ts";

const folder = mkdtempSync(join(tmpdir(), "browser-"));
const program = join(folder, "chromium");
writeFileSync(program, "#!/bin/sh\n");
chmodSync(program, 0o755);
after(() => rmSync(folder, { recursive: true }));

async function found(env: Record<string, string>): Promise<string> {
  const before = { ...process.env };
  delete process.env["CHROMIUM_BIN"];
  Object.assign(process.env, env);
  try {
    return await findChromium(() => undefined);
  } finally {
    process.env = before;
  }
}

test("CHROMIUM_BIN comes before PATH", async () => {
  assert.equal(await found({ CHROMIUM_BIN: program, PATH: "" }), program);
  assert.equal(await found({ CHROMIUM_BIN: "chromium", PATH: folder }), program);
  assert.equal(await found({ PATH: `/nowhere:${folder}` }), program);
});

test("a CHROMIUM_BIN that is no program is an error in one line", async () => {
  await assert.rejects(found({ CHROMIUM_BIN: join(folder, "none"), PATH: folder }), (error: Error) => {
    assert.ok(error instanceof SetupError, "it is the user's to put right");
    assert.match(error.message, /^CHROMIUM_BIN=.* is not an executable file: [^\n]*$/);
    return true;
  });
});

test("without a Chromium and without apt-get, the error says what to install", async () => {
  await assert.rejects(found({ PATH: "/nowhere" }), {
    name: "SetupError",
    message:
      "no Chromium was found: install one (Debian, Ubuntu: apt install chromium), or set CHROMIUM_BIN to its path",
  });
});
