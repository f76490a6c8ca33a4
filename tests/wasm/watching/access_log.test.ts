/** The fields that the observer leaves for the access log of each connection, on the built module. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeHost } from "../../fake_host/fake_host.ts";
import { Proxy, hex, observerSettings } from "../../fake_host/proxy.ts";
import { Random } from "../../support/random.ts";
import {
  changeCipherSpec,
  alert,
  client,
  clientHello,
  cut,
  declinedTicket,
  fullWithId,
  fullWithTicket,
  resumedById,
  resumedByTicket,
  server,
  serverHello,
  sessionId,
  sha256,
  ticket,
  tls13,
} from "../../support/tls_bytes.ts";
import type { Flight } from "../../fake_host/fake_host.ts";

const A = "10.0.0.1:443";
const B = "10.0.0.2:443";

function loggingProxy(): Proxy {
  const proxy = new Proxy({ host: new FakeHost() });
  for (const worker of proxy.workers) {
    assert.ok(worker.configure("observer", { ...observerSettings(), access_log: true }));
  }
  return proxy;
}

function logged(proxy: Proxy, flights: Flight[], upstream = A): Record<string, string> {
  return proxy.handshake(flights, upstream).logged;
}

/** A word or hex digits. */
const HARMLESS = /^(?:[0-9a-f]{2,64}|[a-z]+|SSLv3|TLSv1(?:\.[123])?)$/;

describe("the access log of a connection", () => {
  it("has nothing where it is not asked for", () => {
    assert.deepEqual(new Proxy().handshake(fullWithId(sessionId(1))).logged, {});
  });

  it("shows a full handshake and what it issued", () => {
    const proxy = loggingProxy();
    const common = { outcome: "full", offered: "none" };
    const id = hex(sessionId(1));
    assert.deepEqual(logged(proxy, fullWithId(sessionId(1))), { ...common, protocol: "TLSv1.2", issued: id });
    const one = ticket("key", 1);
    const issued = hex(sha256(one));
    assert.deepEqual(logged(proxy, fullWithTicket(one)), { ...common, protocol: "TLSv1.2", issued });
    assert.deepEqual(logged(proxy, tls13([])), { ...common, protocol: "TLSv1.3" });
    for (const [version, protocol] of [
      [0x0300, "SSLv3"],
      [0x0301, "TLSv1"],
      [0x0302, "TLSv1.1"],
    ] as const) {
      assert.equal(logged(proxy, fullWithId(sessionId(2), { version })).protocol, protocol);
    }
  });

  it("shows what was resumed, by kind", () => {
    const proxy = loggingProxy();
    const one = ticket("key", 1);
    const [ofId, ofTicket, ofPsk] = [resumedById(sessionId(1)), resumedByTicket(one), tls13([one], { selected: 0 })];
    const id = hex(sha256(one));
    const protocol = "TLSv1.2";
    assert.deepEqual(logged(proxy, ofId), { outcome: "resumed", offered: "id", id: hex(sessionId(1)), protocol });
    assert.deepEqual(logged(proxy, ofTicket), { outcome: "resumed", offered: "ticket", id, protocol });
    assert.deepEqual(logged(proxy, ofPsk), { outcome: "resumed", offered: "psk", id, protocol: "TLSv1.3" });
  });

  it("shows a renewed ticket beside the one that was resumed", () => {
    const [one, next] = [ticket("key", 1), ticket("key", 2)];
    const { id, issued } = logged(loggingProxy(), resumedByTicket(one, { renewed: next }));
    assert.deepEqual([id, issued], [hex(sha256(one)), hex(sha256(next))]);
  });

  it("tells lost from declined, and both from full", () => {
    const proxy = loggingProxy();
    proxy.handshake(fullWithTicket(ticket("key", 1)), A);
    const id = hex(sha256(ticket("key", 1)));
    const common = { offered: "ticket", id, protocol: "TLSv1.2" };
    assert.deepEqual(logged(proxy, declinedTicket(ticket("key", 1)), A), { ...common, outcome: "declined" });
    assert.deepEqual(logged(proxy, declinedTicket(ticket("key", 1)), B), { ...common, outcome: "lost" });
    const [hello, , ...rest] = fullWithId(sessionId(1), { offered: sessionId(1) }) as [Flight, Flight, ...Flight[]];
    const taken = logged(proxy, [hello, fullWithId(sessionId(1))[1] as Flight, ...rest]);
    assert.equal(taken.outcome, "declined", "an ID that was taken up for a new session");
  });

  it("shows a refusal", () => {
    const proxy = loggingProxy();
    proxy.delete(sessionId(1));
    const id = hex(sessionId(1));
    const expected = { outcome: "refused", offered: "id", id, protocol: "TLSv1.2" };
    assert.deepEqual(logged(proxy, resumedById(sessionId(1))), expected);
    const many = Array.from({ length: 6 }, (_, i) => ticket("key", i));
    assert.deepEqual(logged(proxy, tls13(many, { selected: 5 })), {
      outcome: "refused",
      offered: "psk",
      protocol: "TLSv1.3",
    });
  });

  it("shows what failed, before the server's answer and after it", () => {
    const proxy = loggingProxy();
    const hello = client(clientHello({ sessionId: sessionId(1) }));
    assert.deepEqual(logged(proxy, [hello]), { outcome: "failed" });
    assert.deepEqual(logged(proxy, [hello, server(alert(2, 40))]), { outcome: "failed" });
    const answer = server(serverHello({ sessionId: sessionId(1) }));
    for (const flights of [
      [hello, answer],
      [hello, answer, server(changeCipherSpec())],
    ]) {
      assert.deepEqual(logged(proxy, flights), {
        outcome: "failed",
        offered: "id",
        id: hex(sessionId(1)),
        protocol: "TLSv1.2",
      });
    }
  });

  it("has nothing of what is no handshake", () => {
    const proxy = loggingProxy();
    assert.deepEqual(logged(proxy, [client(Buffer.from("GET / HTTP/1.1\r\n\r\n"))]), {});
    assert.deepEqual(logged(proxy, cut([client(clientHello())], 20).slice(0, 1)), {});
    assert.deepEqual(logged(proxy, []), {});
  });

  it("never has a byte that was sent as it is, whatever comes from either side", () => {
    const random = new Random(11);
    const proxy = loggingProxy();
    const outcomes = new Set<string | undefined>();
    for (let round = 0; round < 3000; round++) {
      const one = ticket("key", random.below(9));
      const id = sessionId(random.below(9));
      const exchange = random.pick([
        fullWithId(id, { sni: "a.example" }),
        fullWithId(sessionId(10), { offered: id }),
        declinedTicket(one),
        resumedById(id),
        fullWithTicket(one),
        resumedByTicket(one, { renewed: ticket("key", random.below(9)) }),
        tls13([one, random.bytes(random.below(40))], { selected: random.below(2) }),
      ]);
      const flights = exchange.map(({ bytes, from }) =>
        random.below(3) === 0 ? { from, bytes: random.mutated(bytes) } : { from, bytes },
      );
      const fields = logged(proxy, cut(flights, 1 + random.below(400)), random.pick([A, B, '"\n']));
      for (const [field, text] of Object.entries(fields)) assert.match(text, HARMLESS, field);
      outcomes.add(fields.outcome);
    }
    assert.deepEqual([...outcomes].sort(), ["declined", "failed", "full", "lost", "refused", "resumed", undefined]);
  });

  it("costs no memory that stays", () => {
    const proxy = loggingProxy();
    const run = (count: number): void => {
      for (let i = 0; i < count; i++) proxy.handshake(resumedById(sessionId(1)));
    };
    run(2000);
    const before = proxy.worker.memoryBytes;
    run(10_000);
    assert.equal(proxy.worker.memoryBytes, before);
  });

  it("shows a hostile ID or ticket in hex only", () => {
    const proxy = loggingProxy();
    const evil = `"\n\\ ,outcome=resumed\r\n`.padEnd(32, '"\n');
    const id = Buffer.from(evil, "latin1").subarray(0, 32);
    for (const flights of [
      fullWithId(id, { sni: evil, offered: id }),
      resumedById(id, { sni: evil }),
      resumedByTicket(Buffer.from(evil), { sni: evil }),
      tls13([Buffer.from(evil)], { selected: 0, sni: evil }),
      [client(clientHello({ sessionId: id, sni: evil })), server(serverHello({ sessionId: id, version: 0x0a22 }))],
    ]) {
      for (const [field, text] of Object.entries(logged(proxy, flights, evil))) {
        assert.match(text, HARMLESS, field);
      }
    }
  });
});
