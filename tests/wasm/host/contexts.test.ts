/** Connections of a host that has counted for long: their numbers are taken as they are, up to the last bit. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Connection, Flight } from "../../fake_host/fake_host.ts";
import { HANDSHAKE_FAILURE, assertPassed, fatalAlert, received } from "../../fake_host/passage.ts";
import { Proxy } from "../../fake_host/proxy.ts";
import { fullWithId, resumedById, serverHello, sessionId } from "../../support/tls_bytes.ts";

const APART = [2 ** 28, 2 ** 29, 2 ** 30, 2 ** 31, 3 * 2 ** 30];

describe("two connections whose numbers are far apart", () => {
  for (const apart of APART) {
    for (const refusedFirst of [true, false]) {
      it(`do not disturb each other: ${apart}, refused: the ${refusedFirst ? "first" : "second"}`, () => {
        const proxy = new Proxy({ workers: 1 });
        proxy.delete(sessionId(1));
        const first = proxy.worker.nextContext;
        const open = (number: number): Connection => {
          proxy.worker.nextContext = number;
          return proxy.worker.connection({ upstream: "10.0.0.7:443" });
        };
        const [one, other] = [open(first), open(first + apart)];
        const [refused, innocent] = refusedFirst ? [one, other] : [other, one];
        const full = fullWithId(sessionId(2));
        const removed = resumedById(sessionId(1));
        // In turn, flight by flight.
        for (let i = 0; i < 4; i++) {
          innocent.exchange([full[i] as Flight]);
          if (i < 2) refused.exchange([removed[i] as Flight]);
        }
        const expected = Buffer.concat([serverHello({ sessionId: sessionId(1) }), fatalAlert(HANDSHAKE_FAILURE)]);
        assert.equal(received(refused).toString("hex"), expected.toString("hex"));
        proxy.host.pass(0.1);
        assert.deepEqual([refused.closed, innocent.closed], [true, false]);
        assertPassed(innocent, full);
        assert.equal(proxy.session(sessionId(2)).kind, "id");
        innocent.close();
      });
    }
  }

  it("are found among many that have come and gone with numbers from 2^30 on", () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.delete(sessionId(1));
    proxy.worker.nextContext = 2 ** 30;
    const waves = [0, 2 ** 30, 2 ** 31].map((further) => {
      proxy.worker.nextContext = 2 ** 30 + further;
      return Array.from({ length: 300 }, () => proxy.worker.connection({ upstream: "10.0.0.7:443" }));
    });
    const all = waves.flat();
    for (const [i, connection] of all.entries()) {
      connection.exchange((i % 3 === 0 ? resumedById(sessionId(1)) : fullWithId(sessionId(i + 2))).slice(0, 2));
    }
    proxy.host.pass(0.1);
    assert.deepEqual(
      all.map(({ closed }) => closed),
      all.map((_, i) => i % 3 === 0),
    );
    assert.equal(proxy.stat("refused"), 300);
    for (const connection of all) connection.close();
  });
});
