/**
 * Faults that a real Envoy cannot be made to have: a clock that steps backwards under traffic, shared data that a module with
 * another format has left behind. (Writers that conflict without end: `races.test.ts`. Damaged pages: `robustness.test.ts`.)
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeHost } from "../../fake_host/fake_host.ts";
import { Proxy } from "../../fake_host/proxy.ts";
import {
  fullWithId,
  fullWithTicket,
  resumedById,
  resumedByTicket,
  sessionId,
  ticket,
  tls13,
} from "../../support/tls_bytes.ts";

const HOUR = 3600;

describe("a clock that steps backwards while traffic runs", () => {
  for (const [name, seconds] of Object.entries({
    "a second": 1,
    "an hour": HOUR,
    "a day": 24 * HOUR,
    "a year": 8760 * HOUR,
  })) {
    it(`by ${name} lifts no refusal, and sessions are learned, resumed, removed and swept on`, async () => {
      const proxy = new Proxy();
      const learn = (from: number, to: number): void => {
        for (let i = from; i < to; i++) proxy.handshake(fullWithId(sessionId(i)), "10.0.0.7:443", proxy.on(i % 2));
      };
      learn(0, 100);
      for (let i = 0; i < 20; i++) proxy.delete(sessionId(i));
      proxy.handshake(fullWithTicket(ticket("key", 1)));
      proxy.request("DELETE", `/v1/ticket-keys/${ticket("key", 1).subarray(0, 16).toString("hex")}`);
      proxy.request("PUT", "/v1/revocations/bank.example");

      proxy.host.clock.move(-seconds);
      // Ticks come by a timer that does not follow the clock.
      proxy.host.tick();
      learn(100, 200);
      for (let i = 100; i < 120; i++) proxy.delete(sessionId(i));
      for (const i of [0, 19, 100, 119]) {
        const refused = proxy.handshake(resumedById(sessionId(i)), "10.0.0.7:443");
        assert.ok(refused.closed || wasRefused(refused), `session ${i}`);
        assert.equal(proxy.get(sessionId(i)).status, 410);
      }
      assert.ok(wasRefused(proxy.handshake(resumedByTicket(ticket("key", 1)))), "the ticket key stays removed");
      assert.ok(wasRefused(proxy.handshake(tls13([ticket("other", 1)], { selected: 0, sni: "bank.example" }))));
      proxy.handshake(resumedById(sessionId(50)));
      proxy.handshake(resumedById(sessionId(150)));
      assert.deepEqual([proxy.session(sessionId(50)).hits, proxy.session(sessionId(150)).hits], [1, 1]);

      proxy.put("c0ffee", { timeout: 2 });
      const before = await proxy.number();
      proxy.host.pass(120);
      assert.equal(await proxy.number(), before - 1, "what has expired by the clock as it is now is swept");
    });
  }
});

describe("shared data of a module with another format", () => {
  it("is not read and not touched: the cache begins empty, works, and the other finds all of its own again", async () => {
    const host = new FakeHost();
    const before = new Proxy({ host });
    for (let i = 0; i < 50; i++) before.handshake(fullWithId(sessionId(i)));
    for (let i = 0; i < 10; i++) before.delete(sessionId(i));

    const renamed = new FakeHost();
    const inOtherFormat = (key: string): string => key.replace(/^tls_session_cache\/\d+\//, "tls_session_cache/9999/");
    for (const key of host.sharedData.keys()) {
      assert.notEqual(inOtherFormat(key), key, "every key tells its format");
      renamed.sharedData.damage(inOtherFormat(key), host.sharedData.peek(key) ?? Buffer.alloc(0));
    }
    const foreign = renamed.sharedData
      .keys()
      .map((key) => [key, Buffer.from(renamed.sharedData.peek(key) ?? [])] as const);
    const proxy = new Proxy({ host: renamed });
    assert.equal(await proxy.number(), 0);
    proxy.handshake(fullWithId(sessionId(3)));
    assert.equal(proxy.session(sessionId(3)).hits, 0, "a removal does not reach over to another format");
    proxy.delete(sessionId(4));
    proxy.flush();
    renamed.pass(60);
    for (const [key, bytes] of foreign) assert.deepEqual(Buffer.from(renamed.sharedData.peek(key) ?? []), bytes);
  });

  it("of the same format is taken over by VMs that are made anew: sessions, refusals and settings", async () => {
    const host = new FakeHost();
    const before = new Proxy({ host });
    for (let i = 0; i < 50; i++) before.handshake(fullWithId(sessionId(i)));
    before.delete(sessionId(1));
    before.set("timeout", { timeout: 77 });
    const proxy = new Proxy({ host });
    assert.equal(await proxy.number(), 49);
    assert.equal(proxy.get(sessionId(1)).status, 410);
    assert.deepEqual(proxy.request("GET", "/v1/timeout").json, { timeout: 77 });
  });
});

/** The client got an alert in the place of the server's answer. */
function wasRefused({ toClient }: { toClient: Buffer[] }): boolean {
  const last = Buffer.concat(toClient).subarray(-7);
  return last.length === 7 && last[0] === 0x15;
}
