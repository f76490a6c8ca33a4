/**
 * A real Envoy whose configuration does not allow the observer what refusing needs: it says so when it starts, and does not start, as
 * removed sessions would resume in silence.
 */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import type { Document } from "yaml";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { startStack } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";

const OBSERVER = [
  ...["static_resources", "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config", "config", "vm_config"],
  ...["capability_restriction_config", "allowed_capabilities"],
];
const NEEDED = ["proxy_set_buffer_bytes", "proxy_close_stream", "proxy_set_effective_context", "proxy_get_shared_data"];

let upstream: DemoUpstream;

before(async () => (upstream = await startDemoUpstream({ name: "alpha", tickets: true })));
after(() => upstream?.close());

describe("an Envoy that does not allow the observer to", () => {
  for (const call of NEEDED) {
    it(`${call} does not start where anything is to be refused, and says which one and where to allow it`, async () => {
      const start = startStack({ upstreams: [upstream.address], change: without(call) });
      await assert.rejects(
        start.then((stack) => stack.stop()),
        ({ message }: Error) => {
          // Envoy's own complaint is the first one, and names no place.
          const [, file] = /; see (\S+envoy\.log)/.exec(message) ?? [];
          const lines = readFileSync(file ?? "", "utf8")
            .split("\n")
            .filter((line) => line.includes("enforcement: "));
          assert.equal(lines.length, 1, message);
          assert.match(lines[0] ?? "", new RegExp(`${call}.*capability_restriction_config`));
          return true;
        },
      );
    });
  }

  for (const call of ["proxy_set_buffer_bytes", "proxy_close_stream"]) {
    it(`${call} starts where its configuration says observe, and watches`, async () => {
      const stack = await startStack({
        upstreams: [upstream.address],
        change: without(call),
        cache: { enforcement: "observe" },
      });
      try {
        const request = { port: stack.tlsPort, version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET } as const;
        const first = await visit(request);
        assert.ok((await visit({ ...request, session: first.session })).resumed);
        const [session] = await stack.sessions();
        assert.deepEqual([session?.id, session?.hits], [first.id, 1]);
      } finally {
        await stack.stop().catch((error: unknown) => {
          // The call that start-up asks for is denied, and Envoy says so.
          assert.match(String(error), /restricted/);
        });
      }
    });
  }
});

function without(call: string): (document: Document) => void {
  return (document) => assert.ok(document.deleteIn([...OBSERVER, call]), `envoy.yaml allows ${call}`);
}
