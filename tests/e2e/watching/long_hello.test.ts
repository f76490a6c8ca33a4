/** A removed session does not resume, however long its holder makes the ClientHello: any that a server reads is followed. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { type Stack, startStack } from "../../support/stack.ts";
import { type TlsRequest, visit } from "../../support/tls_client.ts";

/** Without session IDs: Node's servers look them up with a parser of their own, which takes no more than 16 KiB. */
const KINDS: Record<"ticket" | "psk", Partial<TlsRequest>> = {
  ticket: { version: "TLSv1.2" },
  psk: { version: "TLSv1.3" },
};
/** Most of what an extension can hold is 65,535 bytes. */
const LENGTHS = [8_000, 17_000, 33_000, 60_000];

let upstream: DemoUpstream;

before(async () => {
  upstream = await startDemoUpstream({ name: "alpha", tickets: true });
});

after(() => upstream?.close());

for (const steering of ["off", "hash"] as const) {
  describe(`a long ClientHello, steering ${steering}`, () => {
    let stack: Stack;
    before(async () => {
      stack = await startStack({ upstreams: [upstream.address], steering });
    });
    after(() => stack?.stop());

    for (const kind of ["ticket", "psk"] as const) {
      it(`resumes with a session of the kind ${kind}, and is refused with a removed one`, async () => {
        const first = await visit({ port: stack.tlsPort, ...KINDS[kind] });
        for (const length of LENGTHS) {
          const seen = await visit({ port: stack.tlsPort, session: first.session, alpn: alpn(length), ...KINDS[kind] });
          assert.ok(seen.resumed, `${length} bytes`);
        }
        await stack.admin("DELETE", `/v1/sessions/${first.id}`);
        for (const length of LENGTHS) {
          await assert.rejects(
            visit({ port: stack.tlsPort, session: first.session, alpn: alpn(length), ...KINDS[kind] }),
            /alert/i,
            `${length} bytes`,
          );
        }
      });
    }
  });
}

function alpn(bytes: number): string[] {
  return Array.from({ length: Math.floor(bytes / 200) }, (_, i) => String(i).padStart(199, "x"));
}
