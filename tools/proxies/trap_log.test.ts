import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { PROJECT_FOLDER } from "../project.ts";
import { trapLines } from "./trap_log.ts";

const HEAD = "[2026-11-23 13:10:22.458][5008]";

test("the message with which the module aborts is found in a log, as assembly/host/abort.ts writes it", () => {
  const source = readFileSync(join(PROJECT_FOLDER, "assembly", "host", "abort.ts"), "utf8");
  const [, opening] = /const text =\s+"([^"]+)"/.exec(source) ?? [];
  assert.ok(opening !== undefined && opening !== "", "abort.ts says how its message opens");
  const line = `${HEAD}[error][wasm] [source/extensions/common/wasm/context.cc:1207] wasm log tls_session_cache: ${opening}out of memory at ~lib/rt/tlsf.ts:562:30`;
  assert.deepEqual(trapLines(`${HEAD}[info][main] starting\n${line}\n`), [line]);
});

for (const text of [
  "Function: proxy_on_downstream_data failed: Uncaught RuntimeError: unreachable",
  "Plugin configured to fail closed: Wasm VM failed Failed to initialize Wasm code",
  "Wasm VM is not available",
  "wasm function hit an unreachable instruction",
  "Plugin is in fail-closed state",
  "restricted proxy-wasm capability: proxy_set_shared_data",
  "restricted WASI capability: fd_write",
]) {
  test(`a log shows a trap or a denied call: ${text}`, () => {
    assert.equal(trapLines(`${HEAD}[error][wasm] ${text}`).length, 1);
  });
}

test("other lines of a log are not taken for traps", () => {
  const log = [
    `${HEAD}[warning][wasm] [x.cc:1] wasm log tls_session_cache: steering is off`,
    `${HEAD}[info][main] the connection was aborted: reset by peer`,
    `${HEAD}[info][config] all dependencies initialized. starting workers`,
  ];
  assert.deepEqual(trapLines(log.join("\n")), []);
});
