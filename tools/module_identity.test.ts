import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { runCommand } from "./command.ts";
import { withIdentity } from "./compiler/identity.ts";

const PLAIN = Buffer.from(`\0asm\x01\0\0\0 code tls-session-cache build ${"0".repeat(64)} more`, "latin1");

describe("module:identity", () => {
  let folder: string;

  before(() => (folder = mkdtempSync(join(tmpdir(), "module-identity-"))));
  after(() => rmSync(folder, { recursive: true }));

  const run = async (bytes: Uint8Array | null): Promise<{ exitCode: number | null; lines: string[] }> => {
    if (bytes !== null) writeFileSync(join(folder, "some.wasm"), bytes);
    const env = { ...process.env, INIT_CWD: folder };
    const args = ["tools/bootstrap.mjs", "tools/module_identity", bytes === null ? "none.wasm" : "some.wasm"];
    const { exitCode, output } = await runCommand(process.execPath, args, { env });
    return { exitCode, lines: output.trim().split("\n") };
  };
  const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

  it("prints the identity that a module shows, the one of its bytes, and the SHA-256 of the file", async () => {
    const built = withIdentity(PLAIN) as Buffer;
    const digits = sha256(PLAIN);
    const lines = [`shown     ${digits}`, `computed  ${digits}`, `sha256    ${sha256(built)}`];
    assert.deepEqual(await run(built), { exitCode: 0, lines });
  });

  it("fails for a module that was changed, with one line that says so", async () => {
    const changed = Buffer.concat([withIdentity(PLAIN) as Buffer, Buffer.from("!")]);
    const { exitCode, lines } = await run(changed);
    assert.equal(exitCode, 1);
    assert.equal(lines.length, 4, lines.join("\n"));
    assert.match(lines[3] ?? "", /^error: some\.wasm: its bytes have changed since it was built/);
  });

  it("fails for a module without an identity, and for a file that is not there", async () => {
    const without = await run(PLAIN);
    assert.equal(without.exitCode, 1);
    assert.match(without.lines.join("\n"), /^shown {5}none\n[^]*\nerror: some\.wasm: it shows no build identity; .*$/);
    assert.deepEqual(await run(null), { exitCode: 1, lines: ["error: none.wasm cannot be read: ENOENT"] });
  });
});
