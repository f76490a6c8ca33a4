/** The README's shortest configuration: the observer alone in front of tcp_proxy watches and refuses. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { MODULE_FILE } from "../../../tools/project.ts";
import { eventually, startStack } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";

interface Wasm {
  typed_config: { config: { vm_config: { vm_id: string; code: { local: { filename: string } } } } };
}

describe("the shortest configuration", () => {
  it("watches, counts and refuses", async () => {
    const [, yaml = ""] = /```yaml\n([^`]*root_id: observer[^`]*)```/.exec(readFileSync("README.md", "utf8")) ?? [];
    const [filter] = parse(yaml) as [Wasm];
    filter.typed_config.config.vm_config.code.local.filename = MODULE_FILE;
    const upstream = await startDemoUpstream({ name: "alpha", tickets: true });
    const stack = await startStack({
      upstreams: [upstream.address],
      change: (configuration) => {
        const path = ["static_resources", "listeners", 0, "filter_chains", 0, "filters", 0];
        configuration.setIn(path, configuration.createNode(filter));
      },
    });
    try {
      const first = await visit({ port: stack.tlsPort, version: "TLSv1.2" });
      assert.ok((await visit({ port: stack.tlsPort, version: "TLSv1.2", session: first.session })).resumed);
      await eventually("the hit is counted", async () => assert.equal((await stack.stats()).hits, 1));
      assert.equal((await stack.admin("DELETE", `/v1/sessions/${first.id}`)).status, 200);
      await assert.rejects(visit({ port: stack.tlsPort, version: "TLSv1.2", session: first.session }));
    } finally {
      await stack.stop();
      await upstream.close();
    }
  });
});
