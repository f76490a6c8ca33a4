/**
 * Answers of servers that are held back, on the built module: whoever has clients and a server of their own decides how many there are
 * and how long each one takes, so all of them together have a bound. Beyond it a connection is refused, and what was held is given back.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { Connection } from "../../fake_host/fake_host.ts";
import { assertPassed, fatalAlert, HANDSHAKE_FAILURE, received, run } from "../../fake_host/passage.ts";
import { Proxy } from "../../fake_host/proxy.ts";
import { clientHello, fullWithId, resumedById, serverHello, sessionId } from "../../support/tls_bytes.ts";

const ID = sessionId(1);
const CONNECTIONS = 20_000;
const HELLO = clientHello({ sessionId: ID });
/** The beginning of a ServerHello as long as a record can hold, which never ends. */
const ENDLESS = Buffer.concat([Buffer.from("160303400002003ffc0303", "hex"), Buffer.alloc(4096, 0x5e)]);
const SINGLE_BYTES = 12;
const PIECES = 4;

describe(`${CONNECTIONS} connections whose server's answer is held back`, () => {
  it("stay within the bound of memory; beyond it they are refused, and all of it is given back", () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.delete(ID);
    const base = proxy.worker.memoryBytes;
    const bound = limit("MAX_RESERVE_MEMORY");
    // Open, with their hello in: what they take before any answer is held back.
    const open = (): Connection[] =>
      Array.from({ length: CONNECTIONS }, () =>
        proxy.worker.connection({ upstream: "10.0.0.7:443" }).fromClient(HELLO),
      );
    const first = open();
    const watching = proxy.worker.memoryBytes - base;
    const after = hold(proxy, first);
    assert.ok(watching < limit("MAX_LIVE_MEMORY"), `${watching} bytes for the handshakes`);
    // A VM's memory grows by doubling: as much again may have been asked for ahead.
    assert.ok(after - base - watching <= bound * 2, `${after - base - watching} bytes are held, the bound is ${bound}`);

    const alertBytes = fatalAlert(HANDSHAKE_FAILURE);
    const refused = first.filter((connection) => received(connection).length > 0);
    for (const connection of refused) assert.ok(received(connection).equals(alertBytes), "an alert, and nothing else");
    assert.ok(refused.length > CONNECTIONS / 4, `${refused.length} of them were beyond the bound`);
    assert.ok(refused.length < CONNECTIONS, "not all of them");
    assert.equal(proxy.stat("refused"), refused.length);
    proxy.host.pass(0.1);
    assert.equal(first.filter(({ closed }) => closed).length, refused.length, "those are closed, and no others");

    // There is room again for the innocent, and meanwhile there was: nothing of theirs is held back.
    const flights = fullWithId(sessionId(2));
    assertPassed(run(proxy, flights), flights);
    for (const connection of first) connection.close();

    const again = open();
    const second = hold(proxy, again);
    assert.ok(second <= after * 1.02, `${second} bytes the second time, ${after} the first: it was given back`);
    const refusedAgain = again.filter((connection) => received(connection).length > 0).length;
    assert.ok(Math.abs(refusedAgain - refused.length) <= refused.length / 20, `${refusedAgain} as ${refused.length}`);
    for (const connection of again) connection.close();

    const removed = run(proxy, resumedById(ID).slice(0, 2));
    const expected = Buffer.concat([serverHello({ sessionId: ID }), alertBytes]);
    assert.equal(received(removed).toString("hex"), expected.toString("hex"), "one that is told in time");
  });
});

/** Lets the server of each answer, first byte by byte and then in pieces, in turn; answers the memory of the VM at the end. */
function hold(proxy: Proxy, connections: Connection[]): number {
  const pieces = Array.from({ length: SINGLE_BYTES }, (_, i) => ENDLESS.subarray(i, i + 1));
  const size = Math.ceil((ENDLESS.length - SINGLE_BYTES) / PIECES);
  for (let at = SINGLE_BYTES; at < ENDLESS.length; at += size) pieces.push(ENDLESS.subarray(at, at + size));
  for (const piece of pieces) for (const connection of connections) connection.fromServer(piece);
  return proxy.worker.memoryBytes;
}

function limit(name: string): number {
  const source = readFileSync(new URL("../../../assembly/tls/wire/limits.ts", import.meta.url), "utf8");
  const [, factors] = new RegExp(`const ${name}: i32 = ([0-9 *]+);`).exec(source) ?? [];
  assert.ok(factors !== undefined, `${name} is in limits.ts`);
  return factors.split("*").reduce((product, factor) => product * Number(factor), 1);
}
