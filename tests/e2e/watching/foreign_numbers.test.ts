/**
 * An admin filter whose `vm_id` is not the observer's has a cache of its own, though both have one name and Envoy has one metric of a name:
 * its statistics are those of its own cache, which nobody feeds.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { type Stack, eventually, startStack } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";

let upstream: DemoUpstream;
let stack: Stack;

before(async () => {
  upstream = await startDemoUpstream({ name: "alpha", tickets: true });
  stack = await startStack({
    upstreams: [upstream.address],
    change: (configuration) => {
      const filters = ["static_resources", "listeners"];
      const listeners = (configuration.toJS() as { static_resources: { listeners: { name: string }[] } })
        .static_resources;
      const admin = listeners.listeners.findIndex(({ name }) => name.includes("admin"));
      const path = [...filters, admin, ...HTTP_FILTER];
      assert.equal(configuration.getIn(path), "tls_session_cache");
      configuration.setIn(path, "another");
    },
  });
});

after(async () => {
  await stack?.stop();
  await upstream?.close();
});

describe("the statistics of a cache whose name another one has in the same process", () => {
  it("count nothing of the other, and all of its own", async () => {
    for (let i = 0; i < 5; i++) await visit({ port: stack.tlsPort, version: "TLSv1.2" });
    for (let i = 0; i < 3; i++) assert.equal((await stack.admin("PUT", `/v1/sessions/c0ffee0${i}`)).status, 201);
    await eventually("they are its own", async () => {
      const { accept, adds, number, full_by_kind: full } = await stack.stats();
      assert.deepEqual({ accept, adds, number, full }, { accept: 0, adds: 3, number: 3, full: NOTHING });
    });
    assert.match(
      await stack.prometheus(),
      /tls_session_cache_accepts_total\{cache="default"\} 5\n/,
      "Envoy's metric is the process's",
    );
  });
});

const NOTHING = { id: 0, ticket: 0, none: 0 };
/** From a listener to the `vm_id` of the filter in it. */
const HTTP_FILTER = "filter_chains.0.filters.0.typed_config.http_filters.0.typed_config.config.vm_config.vm_id".split(
  ".",
);
