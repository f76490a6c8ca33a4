/** Which accepted tickets count, on the built module: the plain ones (`tools/demo/plain_ticket.ts`). */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlainTicket } from "../../../tools/demo/plain_ticket.ts";
import { Proxy } from "../../fake_host/proxy.ts";
import { resumedByTicket } from "../../support/tls_bytes.ts";

describe("a ticket that nobody holds, and that a server accepts", () => {
  it("is a miss and is learned if it is plain; one that looks like a shorter one with bytes behind it is neither", () => {
    const proxy = new Proxy();
    const counts = { plain: 0, other: 0 };
    for (let stateLength = 0; stateLength <= 300; stateLength += stateLength < 90 ? 1 : 41) {
      for (const length of [33, 34, 53, 54, 55, 65, 66, 67, 80, 100, 120]) {
        const ticket = Buffer.alloc(length, 7);
        ticket.writeUInt16BE(stateLength, 0);
        if (length >= 34) ticket.writeUInt16BE(stateLength, 32);
        const [number, misses] = [proxy.stat("number"), proxy.stat("misses")];
        proxy.handshake(resumedByTicket(ticket));
        const isPlain = isPlainTicket(ticket);
        counts[isPlain ? "plain" : "other"]++;
        const grown = isPlain ? 1 : 0;
        const message = `${length} bytes, a state of ${stateLength}`;
        assert.deepEqual([proxy.stat("number"), proxy.stat("misses")], [number + grown, misses + grown], message);
      }
    }
    assert.ok(counts.plain > 100 && counts.other > 100, JSON.stringify(counts));
  });
});
