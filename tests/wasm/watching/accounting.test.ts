/**
 * That the statistics add up, on the built module: every handshake that was begun is full, resumed, refused, failed or
 * under way, and every session that was offered has one fate.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FULL_TOKEN } from "../../contract/client.ts";
import type { Connection, Flight } from "../../fake_host/fake_host.ts";
import { Proxy } from "../../fake_host/proxy.ts";
import { Random } from "../../support/random.ts";
import { NONE, assertAddsUp, each, eventsOf, fates, nothing, underWay } from "../../fake_host/sums.ts";
import {
  alert,
  applicationData,
  changeCipherSpec,
  client,
  clientHello,
  cut,
  declinedTicket,
  finished,
  fullWithId,
  fullWithTicket,
  record,
  resumedById,
  resumedByTicket,
  server,
  serverHello,
  sessionId,
  sha256,
  ticket,
  tls13,
} from "../../support/tls_bytes.ts";

const A = "10.0.0.1:443";
const B = "10.0.0.2:443";

describe("the number of sessions", () => {
  const assertNumberAddsUp = (proxy: Proxy): void => {
    const of = (name: string): number => proxy.stat(name);
    const left = of("adds") - of("removes") - of("flushed") - of("cache_full") - of("expired");
    assert.equal(of("number"), left, "number = added - removed - flushed - evicted - expired");
  };

  it("is what was added less what went, where an addition takes the place of an expired session", () => {
    const proxy = new Proxy();
    proxy.put(sessionId(1), { timeout: 1 });
    proxy.host.clock.move(2.5);
    assert.equal(proxy.put(sessionId(1), {}).json.outcome, "added");
    assert.equal(proxy.stat("expired"), 1);
    assertNumberAddsUp(proxy);
  });

  it("is that where a flush is overtaken by a removal, and by an addition by hand", () => {
    const proxy = new Proxy();
    for (let i = 0; i < 3; i++) proxy.put(sessionId(i));
    proxy.host.clock.microsecondsPerReading = 1000;
    const flush = proxy.worker.begin("POST", "/v1/sessions/flush", { token: FULL_TOKEN, body: {} });
    proxy.host.clock.microsecondsPerReading = 1;
    const status = (): number | undefined => flush.answer?.status;
    assert.equal(status(), undefined, "the flush is under way");
    proxy.delete(sessionId(0), proxy.on(1));
    proxy.put(sessionId(1), {}, proxy.on(1));
    proxy.host.pass(1);
    assert.equal(status(), 200);
    assertNumberAddsUp(proxy);
    assert.deepEqual([proxy.stat("number"), proxy.stat("flushed")], [1, 3]);
  });
});

describe("a session that is offered", () => {
  it("is accepted where the server resumes it", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(1)), A);
    proxy.handshake(resumedById(sessionId(1)), A);
    proxy.handshake(resumedByTicket(ticket("key", 1)), A);
    proxy.handshake(tls13([ticket("key", 2)], { selected: 0 }), A);
    assert.deepEqual(fates(proxy), { ...nothing(), offered: each(1), accepted: each(1) });
    assertAddsUp(proxy);
  });

  it("is lost where it came to another server than its issuer's, which declined it", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(1)), A);
    proxy.handshake(fullWithTicket(ticket("own", 1)), A);
    proxy.handshake(tls13([ticket("own13", 1)], { selected: 0 }), A);
    proxy.handshake(fullWithId(sessionId(2), { offered: sessionId(1) }), B);
    proxy.handshake(declinedTicket(ticket("own", 1)), B);
    proxy.handshake(tls13([ticket("own13", 1)]), B);
    assert.deepEqual(fates(proxy), {
      ...nothing(),
      offered: each(1, { psk: 2 }),
      accepted: { ...NONE, psk: 1 },
      lost: each(1),
    });
    assertAddsUp(proxy);
  });

  it("is lost where only its ticket key's name is known to be another server's", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithTicket(ticket("key of A", 1)), A);
    proxy.handshake(declinedTicket(ticket("key of A", 2)), B);
    proxy.handshake(tls13([ticket("key of A", 3)]), B);
    assert.deepEqual(fates(proxy).lost, { id: 0, ticket: 1, psk: 1 });
    assert.deepEqual(
      [proxy.stat("lost"), proxy.stat("declined"), proxy.stat("misses")],
      [0, 0, 2],
      "those are of held ones",
    );
  });

  it("is declined where its own server did not take it up, or nobody knows whose it is", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(1)), A);
    proxy.handshake(fullWithTicket(ticket("key of A", 1)), A);
    proxy.handshake(fullWithId(sessionId(2), { offered: sessionId(1) }), A);
    proxy.handshake(declinedTicket(ticket("key of A", 1)), A);
    proxy.handshake(declinedTicket(ticket("key of A", 2)), A);
    proxy.handshake(tls13([ticket("unknown", 3)]), B);
    assert.deepEqual(fates(proxy), {
      ...nothing(),
      offered: { id: 1, ticket: 2, psk: 1 },
      declined: { id: 1, ticket: 2, psk: 1 },
    });
    assertAddsUp(proxy);
  });

  it("is not lost by a key that several servers share, by one that was removed, nor when it had expired", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithTicket(ticket("shared", 1)), A);
    proxy.handshake(fullWithTicket(ticket("shared", 2)), B);
    proxy.handshake(declinedTicket(ticket("shared", 3)), "10.0.0.3:443");
    proxy.handshake(fullWithTicket(ticket("gone", 1)), A);
    const gone = ticket("gone", 1).subarray(0, 16).toString("hex");
    assert.equal(proxy.request("DELETE", `/v1/ticket-keys/${gone}`).status, 200);
    proxy.handshake(declinedTicket(ticket("gone", 2)), B);
    proxy.handshake(fullWithTicket(ticket("old", 1), { lifetimeHintSeconds: 60 }), A);
    proxy.host.pass(62);
    proxy.handshake(declinedTicket(ticket("old", 1)), B);
    assert.deepEqual([fates(proxy).lost, fates(proxy).declined], [NONE, { ...NONE, ticket: 3 }]);
  });

  it("is lost by a key of which the operator has said whose it is", () => {
    const proxy = new Proxy();
    const name = ticket("told", 1).subarray(0, 16).toString("hex");
    assert.equal(proxy.request("PUT", `/v1/ticket-keys/${name}`, { body: { upstream: A } }).status, 201);
    proxy.handshake(declinedTicket(ticket("told", 1)), B);
    proxy.handshake(declinedTicket(ticket("told", 2)), A);
    assert.deepEqual(
      [fates(proxy).lost, fates(proxy).declined],
      [
        { ...NONE, ticket: 1 },
        { ...NONE, ticket: 1 },
      ],
    );
  });

  it("is refused, of each kind, and is nothing else then", () => {
    const proxy = new Proxy();
    proxy.delete(sessionId(1));
    proxy.delete(sha256(ticket("key", 1)));
    proxy.delete(sha256(ticket("key", 2)));
    proxy.handshake(resumedById(sessionId(1)), A);
    proxy.handshake(resumedByTicket(ticket("key", 1)), A);
    proxy.handshake(tls13([ticket("key", 2)], { selected: 0 }), A);
    assert.deepEqual(fates(proxy), { ...nothing(), offered: each(1), refused: each(1) });
    assert.deepEqual([proxy.stat("refused"), proxy.stat("failed")], [3, 0]);
    assertAddsUp(proxy);
  });

  it("has failed where the handshake ends between the server's answer and its end", () => {
    const proxy = new Proxy();
    proxy.handshake(resumedById(sessionId(1)).slice(0, 2), A);
    proxy.handshake([...resumedByTicket(ticket("key", 1)).slice(0, 2), client(alert(2, 40))], A);
    assert.deepEqual(fates(proxy), {
      ...nothing(),
      offered: { id: 1, ticket: 1, psk: 0 },
      failed: { id: 1, ticket: 1, psk: 0 },
    });
    assert.equal(proxy.stat("failed"), 2);
    assertAddsUp(proxy);
  });

  it("is declined where the server took its ID up and made a new session all the same", () => {
    const proxy = new Proxy();
    const [hello, , ...rest] = fullWithId(sessionId(1), { offered: sessionId(1) }) as [Flight, Flight, ...Flight[]];
    proxy.handshake([hello, fullWithId(sessionId(1))[1] as Flight, ...rest], A);
    assert.deepEqual(fates(proxy), { ...nothing(), offered: { ...NONE, id: 1 }, declined: { ...NONE, id: 1 } });
    assertAddsUp(proxy);
  });

  it("counts only once a server has answered, and not where its ID may be made up", () => {
    const proxy = new Proxy();
    proxy.handshake([client(clientHello({ sessionId: sessionId(1) }))], A);
    proxy.handshake(tls13([], { sessionId: sessionId(2) }), A);
    proxy.handshake(
      [client(clientHello({ tls13: true, sessionId: sessionId(3) })), ...fullWithId(sessionId(4)).slice(1)],
      A,
    );
    assert.deepEqual(fates(proxy), nothing());
    assertAddsUp(proxy);
  });

  it("counts in every mode; without looking up, nothing is lost", () => {
    for (const mode of [["OFF"], ["SERVER", "NO_INTERNAL_LOOKUP"]]) {
      const proxy = new Proxy();
      proxy.handshake(fullWithId(sessionId(1)), A);
      proxy.set("mode", { mode });
      proxy.handshake(fullWithId(sessionId(2), { offered: sessionId(1) }), B);
      proxy.handshake(resumedById(sessionId(1)), A);
      const expected = { offered: { ...NONE, id: 2 }, accepted: { ...NONE, id: 1 }, declined: { ...NONE, id: 1 } };
      assert.deepEqual(fates(proxy), { ...nothing(), ...expected }, mode.join());
    }
  });
});

describe("early data that is dropped", () => {
  it("counts, is no refusal yet, and is one with an event when the server accepts what it stood behind", () => {
    const proxy = new Proxy();
    const psk = ticket("key", 1);
    proxy.delete(sha256(psk));
    proxy.handshake(tls13([psk], { earlyData: true }), A);
    assert.deepEqual([proxy.stat("early_data_dropped"), proxy.stat("refused"), refusals(proxy)], [1, 0, []]);
    proxy.handshake(tls13([psk], { earlyData: true, selected: 0 }), A);
    assert.deepEqual([proxy.stat("early_data_dropped"), proxy.stat("refused")], [2, 1]);
    assert.deepEqual(refusals(proxy), [sha256(psk).toString("hex")]);
    assertAddsUp(proxy);
  });
});

describe("every handshake that was begun", () => {
  it("is under way until it is full, resumed, refused or failed", () => {
    const proxy = new Proxy();
    const open: Connection[] = [];
    const begin = (flights: Flight[]): void => {
      open.push(proxy.worker.connection({ upstream: A }).exchange(flights));
    };
    begin([client(clientHello())]);
    begin(resumedById(sessionId(1)).slice(0, 2));
    begin(tls13([ticket("key", 1)], { selected: 0 }).slice(0, 2));
    begin(cut([client(clientHello())], 20).slice(0, 2));
    assert.deepEqual([proxy.stat("accept"), underWay(proxy)], [3, 3], "of the fourth, the hello is not in");
    for (const connection of open) connection.close();
    assert.deepEqual([proxy.stat("failed"), underWay(proxy)], [3, 0]);
  });

  it("has failed where what follows cannot be followed, or is no TLS, also where the hello is malformed", () => {
    const proxy = new Proxy();
    const hello = client(clientHello());
    proxy.handshake([hello, server(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"))], A);
    proxy.handshake([hello, server(record(0x16, Buffer.from("0200000401020304", "hex")))], A);
    proxy.handshake([hello, server(alert(2, 40))], A);
    proxy.handshake([client(Buffer.from("GET / HTTP/1.1\r\n\r\n"))], A);
    proxy.handshake([client(record(0x16, Buffer.from("0100000401020304", "hex")))], A);
    assert.deepEqual([proxy.stat("accept"), proxy.stat("failed"), underWay(proxy)], [4, 4, 0]);
  });

  it("of TLS 1.3 that resumes counts as resumed when it is complete, and before that has failed", () => {
    const proxy = new Proxy();
    proxy.handshake(tls13([ticket("key", 1)], { selected: 0 }).slice(0, 2), A);
    assert.deepEqual([proxy.stat("psk"), proxy.stat("failed"), underWay(proxy)], [0, 1, 0]);
    assert.equal(fates(proxy).accepted?.psk, 1, "the server has accepted it all the same");
  });

  for (const enforcement of ["observe", "revoked", "strict"]) {
    it(`is accounted for after a thousand at random, under ${enforcement}`, () => {
      const random = new Random(7);
      const proxy = new Proxy({ cache: { enforcement } });
      for (let round = 0; round < 1000; round++) {
        const number = random.below(12);
        if (random.below(20) === 0) proxy.delete(random.pick([sessionId(number), sha256(ticket("key", number))]));
        const flights = random.pick(EXCHANGES)(number);
        const whole = random.below(3) > 0;
        const piece = whole ? flights : cut(flights, 1 + random.below(200)).slice(0, random.below(12));
        proxy.handshake(piece, random.pick([A, B]));
      }
      assert.equal(refusals(proxy).length, proxy.stat("refused"), "each refusal is an event");
      const { accepted, declined, failed, lost, refused } = fates(proxy);
      assertAddsUp(proxy);
      for (const fate of [accepted, declined, failed, ...(enforcement === "observe" ? [] : [refused]), lost]) {
        assert.ok(fate !== undefined && fate.id + fate.ticket + fate.psk > 0, JSON.stringify(fates(proxy)));
      }
    });
  }
});

describe("the metrics of ticket keys and server names", () => {
  const metrics = (proxy: Proxy): number[] =>
    ["ticket_keys_learned_total", "removed_ticket_keys", "revoked_names"].map((name) => proxy.host.metric(name));

  it("count each name that servers bring, each that is removed or revoked, and none any longer that was lifted", () => {
    const proxy = new Proxy();
    for (const [key, upstream] of [
      ["one", A],
      ["one", A],
      ["two", B],
    ] as const) {
      proxy.handshake(fullWithTicket(ticket(key, 1)), upstream);
    }
    const removed = `/v1/ticket-keys/${ticket("one", 1).subarray(0, 16).toString("hex")}`;
    assert.equal(proxy.request("DELETE", removed).status, 200);
    assert.equal(proxy.request("PUT", "/v1/revocations/shop.example").status, 201);
    assert.equal(proxy.request("PUT", "/v1/revocations/other.example").status, 201);
    proxy.host.pass(2);
    assert.deepEqual(metrics(proxy), [2, 1, 2]);
    assert.equal(proxy.request("PUT", removed, { body: {} }).status, 200);
    assert.equal(proxy.request("DELETE", "/v1/revocations/shop.example").status, 200);
    proxy.host.pass(2);
    assert.deepEqual(metrics(proxy), [2, 0, 1]);
  });

  it("include what the configuration removes", () => {
    const proxy = new Proxy({
      observer: { removed: { ticket_keys: ["ab".repeat(16)], server_names: ["shop.example", "other.example"] } },
    });
    proxy.host.pass(2);
    assert.deepEqual(metrics(proxy), [0, 1, 2]);
  });
});

const EXCHANGES: ((number: number) => Flight[])[] = [
  (number) => fullWithId(sessionId(number)),
  (number) => fullWithTicket(ticket("key", number)),
  (number) => tls13([], { sessionId: sessionId(number) }),
  (number) => resumedById(sessionId(number)),
  (number) => resumedByTicket(ticket("key", number)),
  (number) => tls13([ticket("key", number)], { selected: 0, earlyData: number % 2 === 0 }),
  (number) => fullWithId(sessionId(number + 1), { offered: sessionId(number) }),
  (number) => declinedTicket(ticket("key", number), sessionId(number)),
  (number) => tls13([ticket("key", number)]),
  () => [client(clientHello()), server(serverHello({ sessionId: sessionId(1) }), changeCipherSpec(), finished())],
  () => [client(clientHello()), server(applicationData(40))],
];

/** The IDs of all refusals that were reported as events. */
function refusals(proxy: Proxy): unknown[] {
  return eventsOf(proxy, "refused").map(({ id }) => id);
}
