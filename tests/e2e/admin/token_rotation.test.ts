/**
 * A token is changed as docs/use/operating.md says, by updates of the admin listener of a real Envoy: removed sessions stay removed, the
 * new token works at once, the old one until it is taken out.
 */
import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import type { Document } from "yaml";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { freshId, FULL_TOKEN } from "../../contract/client.ts";
import { plugin } from "../../mistakes/attempt.ts";
import { adminClient, eventually, type Stack, startStack } from "../../support/stack.ts";

const NEW_TOKEN = "another-token-0123456789";
const folder = mkdtempSync(join(tmpdir(), "token-rotation-"));
const listenerFile = join(folder, "listeners.json");
let upstream: DemoUpstream;
let stack: Stack;
let admin: Document;

before(async () => {
  upstream = await startDemoUpstream({ name: "alpha", tickets: true });
  stack = await startStack({
    upstreams: [upstream.address],
    change: (document) => {
      admin = document.clone() as Document;
      serve({});
      document.deleteIn(LISTENER);
      document.set("node", document.createNode({ id: "one", cluster: "one" }));
      const source = { path_config_source: { path: listenerFile, watched_directory: { path: folder } } };
      document.set("dynamic_resources", document.createNode({ lds_config: { ...source, resource_api_version: "V3" } }));
    },
  });
});

after(async () => {
  await stack?.stop();
  await upstream?.close();
  rmSync(folder, { recursive: true });
});

it("a token is changed by two updates, and what was removed is still removed", async () => {
  const id = freshId();
  assert.equal((await stack.admin("PUT", `/v1/sessions/${id}`)).status, 201);
  assert.equal((await stack.admin("DELETE", `/v1/sessions/${id}`)).status, 200);
  assert.equal(await statusFor(NEW_TOKEN), 401);

  serve({ tokens: [NEW_TOKEN], tokens_env: ["ADMIN_TOKEN"] });
  await eventually("the new token works", async () => assert.equal(await statusFor(NEW_TOKEN), 200));
  assert.equal(await statusFor(FULL_TOKEN), 200);

  serve({ tokens: [NEW_TOKEN] });
  await eventually("the old token does not", async () => assert.equal(await statusFor(FULL_TOKEN), 401));
  // 410: removed, and refused.
  assert.equal((await adminClient(stack.adminPort)("GET", `/v1/sessions/${id}`, { token: NEW_TOKEN })).status, 410);
});

/** On a connection of its own: one that was open before an update goes on as it was. */
async function statusFor(token: string): Promise<number> {
  return (await adminClient(stack.adminPort)("GET", "/v1/stats", { token })).status;
}

/** The admin listener with these tokens, in the place of the one that is there; nothing: as it is shipped. */
function serve(tokens: Record<string, string[]>): void {
  if (Object.keys(tokens).length > 0) {
    plugin(admin, "admin").setIn(["configuration", "value"], JSON.stringify({ cache: "default", admin: tokens }));
  }
  const listener = (admin.getIn(LISTENER) as { toJSON(): object }).toJSON();
  const resource = { "@type": "type.googleapis.com/envoy.config.listener.v3.Listener", ...listener };
  writeFileSync(`${listenerFile}.new`, JSON.stringify({ resources: [resource] }));
  renameSync(`${listenerFile}.new`, listenerFile);
}

const LISTENER = ["static_resources", "listeners", 1];
