/** `tls-sessions fleet`, as an operator starts it, against a proxy of a fleet whose etcd goes, and against one that has no fleet. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { PROJECT_FOLDER } from "../../../tools/project.ts";
import { READ_TOKEN } from "../../contract/client.ts";
import { Etcd } from "../../support/etcd.ts";
import { type FleetState, startProxy } from "../../support/fleet.ts";
import { type Stack, eventually, startStack } from "../../support/stack.ts";

let etcd: Etcd;
let proxy: Stack;

before(async () => {
  etcd = await Etcd.start();
  proxy = await startProxy(etcd, "edge-1");
});

after(async () => {
  await proxy?.stop();
  await etcd?.remove();
});

describe("tls-sessions fleet", () => {
  it("shows the state and the proxies, as a table and as JSON, and ends with 0", async () => {
    await eventually("it is present", async () => {
      const { code, out, err } = await run(proxy);
      assert.deepEqual([code, err], [0, ""], out);
      assert.match(out, /^name +edge-1$/m);
      assert.match(out, /^state +following since /m);
      assert.match(out, /^not stored yet +0 decisions, 0 sessions$/m);
      assert.match(out, /^edge-1 .* ms +\d+ +\d+\.\d+\.\d+/m);
    });
    const { out } = await run(proxy, "--json");
    assert.equal((JSON.parse(out) as FleetState).name, "edge-1");
  });

  it("ends with 1 on a proxy without a fleet", async () => {
    const alone = await startStack({ upstreams: ["127.0.0.1:1"], concurrency: 1 });
    try {
      const { code, out, err } = await run(alone);
      assert.deepEqual([code, out], [1, "off\n"], err);
      assert.match(err, /shares its cache with nobody/);
    } finally {
      await alone.stop();
    }
  });

  it("ends with 1, and names etcd's fault, if the proxy does not reach it", async () => {
    await etcd.kill();
    await eventually("it has noticed", async () => {
      const { code, out, err } = await run(proxy);
      assert.equal(code, 1, out);
      assert.match(err, /does not follow the fleet \(connecting\): \w+ failed with status 14/);
    });
  });
});

async function run(stack: Stack, ...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [join(PROJECT_FOLDER, "tools/client/tls-sessions.mjs"), "fleet", ...args], {
    env: { ...process.env, TLS_SESSIONS_TOKEN: READ_TOKEN, TLS_SESSIONS_PROXY: `http://127.0.0.1:${stack.adminPort}` },
    timeout: 20_000,
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, out, err };
}
