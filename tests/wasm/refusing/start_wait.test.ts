/**
 * `fleet.start: "wait"` on the built module: until decisions of other proxies are in, or `start_wait_ms` is over, hellos that offer
 * unknown sessions are held. `tests/e2e/fleet/start_wait.test.ts` shows the same on a real Envoy and a real etcd.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assertProblem } from "../../contract/client.ts";
import { FakeHost, type Connection, type Flight } from "../../fake_host/fake_host.ts";
import { writeFleetStatus } from "../../fake_host/fleet_status.ts";
import {
  assertPassed,
  complaints,
  fatalAlert,
  HANDSHAKE_FAILURE,
  reached,
  received,
  run,
} from "../../fake_host/passage.ts";
import { captured } from "../../fake_host/replay.ts";
import { Proxy, hex, observerSettings } from "../../fake_host/proxy.ts";
import { Random } from "../../support/random.ts";
import {
  applicationData,
  clientHello,
  cut,
  fullWithId,
  fullWithTicket,
  resumedById,
  resumedByTicket,
  sessionId,
  sha256,
  ticket,
  tls13,
} from "../../support/tls_bytes.ts";

const ID = sessionId(1);
const HELD = sessionId(2);
const TICKET = ticket("a key", 1);
const WAIT_MS = 2000;
const UPSTREAM = "10.0.0.7:443";
const ALERT = fatalAlert(HANDSHAKE_FAILURE);

/** A proxy whose fleet is being read. */
function starting(fleet: Record<string, unknown> = {}, observer: Record<string, unknown> = {}): Proxy {
  const host = new FakeHost();
  writeFleetStatus(host, { synced: false, heardSecondsAgo: 0 });
  const settings = { fleet: { start: "wait", start_wait_ms: WAIT_MS, ...fleet }, ...observer };
  return new Proxy({ workers: 1, host, observer: settings });
}

/** Decisions are in. */
function sync(proxy: Proxy): void {
  writeFleetStatus(proxy.host, { synced: true, heardSecondsAgo: 0 });
}

function offer(proxy: Proxy, flights: readonly Flight[]): Connection {
  return proxy.worker.connection({ upstream: UPSTREAM }).exchange(flights.slice(0, 1));
}

function isHeld(connection: Connection): boolean {
  return reached(connection).length === 0 && !connection.closed;
}

function waits(proxy: Proxy): number {
  return proxy.host.metric("fleet_start_waits_total");
}

const EXCHANGES = [
  "tls12_id_full",
  "tls12_id_resumed",
  "tls12_id_resumed_beside_tickets",
  "tls12_ticket_resumed",
  "tls12_small_fragments",
  "tls13_full",
  "tls13_psk",
  "tls13_retry_psk",
  "tls13_early_data_accepted",
  "tls13_early_data_rejected",
];

/** Each kind of offer of an unknown session. */
const OFFERS: Record<string, Flight[]> = {
  "by its ID": resumedById(ID),
  "by a ticket": resumedByTicket(TICKET),
  "by a PSK": tls13([TICKET], { selected: 0 }),
};

describe("a connection that offers an unknown session while decisions of other proxies are awaited", () => {
  for (const [how, flights] of Object.entries(OFFERS)) {
    it(`is held until they are in, and goes on within milliseconds: ${how}`, () => {
      const proxy = starting();
      const connection = offer(proxy, flights);
      proxy.host.pass(0.5);
      assert.ok(isHeld(connection));
      assert.equal(waits(proxy), 1);
      sync(proxy);
      proxy.host.pass(0.004);
      assert.ok(!isHeld(connection));
      connection.exchange(flights.slice(1));
      assertPassed(connection, flights, how);
    });

    it(`is refused if it was removed elsewhere: ${how}`, () => {
      const proxy = starting();
      const connection = offer(proxy, flights);
      proxy.delete(how === "by its ID" ? ID : sha256(TICKET));
      sync(proxy);
      proxy.host.pass(0.2);
      connection.exchange(flights.slice(1, 2));
      assert.ok(received(connection).subarray(-ALERT.length).equals(ALERT), "an alert in the place of the answer");
      assert.equal(proxy.stat("refused"), 1);
    });

    it(`goes on as it is when the time is over: ${how}`, () => {
      const proxy = starting();
      const connection = offer(proxy, flights);
      proxy.host.pass(WAIT_MS / 1000 - 0.1);
      assert.ok(isHeld(connection));
      proxy.host.pass(0.2);
      connection.exchange(flights.slice(1));
      assertPassed(connection, flights, how);
      assert.equal(complaints(proxy).filter((line) => line.includes("start_wait_ms")).length, 1);
    });

    it(`goes on where the store was not reached for as long: ${how}`, () => {
      const proxy = starting();
      const connection = offer(proxy, flights);
      writeFleetStatus(proxy.host, { synced: false, heardSecondsAgo: 3, begunSecondsAgo: 3 });
      proxy.host.pass(0.2);
      assert.ok(!isHeld(connection));
    });

    it(`comes in any pieces, and its bytes go on whole and in order: ${how}`, () => {
      const [hello = Buffer.alloc(0)] = flights.map(({ bytes }) => bytes);
      for (const size of [1, 7, hello.length - 1]) {
        const proxy = starting();
        const connection = proxy.worker.connection({ upstream: UPSTREAM });
        for (let at = 0; at < hello.length; at += size) connection.fromClient(hello.subarray(at, at + size));
        sync(proxy);
        proxy.host.pass(0.2);
        connection.exchange(flights.slice(1));
        assertPassed(connection, flights, `pieces of ${size}`);
      }
    });
  }

  it("waits for a fleet filter that is not there yet, and the log says so when the time is over", () => {
    const settings = { fleet: { start: "wait", start_wait_ms: WAIT_MS } };
    const proxy = new Proxy({ workers: 1, observer: settings });
    const connection = offer(proxy, resumedById(ID));
    proxy.host.pass(WAIT_MS / 1000 - 0.1);
    assert.ok(isHeld(connection));
    proxy.host.pass(0.2);
    assert.ok(!isHeld(connection));
    assert.equal(complaints(proxy).filter((line) => line.includes("no fleet filter")).length, 1);
  });

  it("is forgotten if it ends meanwhile", () => {
    const proxy = starting();
    for (let i = 0; i < 40_000; i++) offer(proxy, resumedById(ID)).close();
    const connection = offer(proxy, resumedById(ID));
    assert.ok(isHeld(connection), "those that are gone take no place");
    sync(proxy);
    proxy.host.pass(0.2);
    assert.ok(!isHeld(connection));
  });

  it("goes on with its end if its client has nothing more to send", () => {
    const proxy = starting();
    const [hello] = resumedById(ID);
    const connection = proxy.worker
      .connection({ upstream: UPSTREAM })
      .fromClient(hello?.bytes ?? Buffer.alloc(0), true);
    assert.ok(isHeld(connection));
    sync(proxy);
    proxy.host.pass(0.2);
    assert.ok(!isHeld(connection));
  });

  it("is not held where 16,384 others are; then only an acceptance is refused", () => {
    const proxy = starting();
    const held = Array.from({ length: 16_384 }, () => offer(proxy, resumedById(ID)));
    assert.ok(held.every(isHeld));
    const flights = resumedById(ID);
    const connection = run(proxy, flights.slice(0, 2));
    assert.ok(received(connection).subarray(-ALERT.length).equals(ALERT));
    const declined = fullWithId(sessionId(9), { offered: ID });
    assertPassed(run(proxy, declined), declined, "a full handshake");
    assert.equal(waits(proxy), held.length);
    sync(proxy);
    // They go on in slices, some dozens with each tick.
    proxy.host.pass(0.01);
    assert.ok(held.filter(isHeld).length > 15_000);
    proxy.host.pass(1);
    assert.equal(held.filter(isHeld).length, 0);
  });

  it("chooses its upstream when it goes on, if the filter steers", () => {
    const proxy = starting({}, { steering: "hash" });
    const connection = offer(proxy, resumedByTicket(TICKET));
    proxy.host.pass(1.5);
    assert.ok(isHeld(connection), "longer than steering alone lets it wait");
    assert.equal(connection.filterState.size, 0);
    sync(proxy);
    proxy.host.pass(0.004);
    assert.ok(!isHeld(connection));
    assert.ok(connection.filterState.has("envoy.hashable_string"));
  });
});

describe("early data behind a hello that is held", () => {
  const hello = clientHello({ tls13: true, sessionId: ID, pskIdentities: [TICKET], earlyData: true });

  it("goes on with it", () => {
    const proxy = starting();
    const early = applicationData(2000);
    const connection = proxy.worker.connection({ upstream: UPSTREAM }).fromClient(hello).fromClient(early);
    assert.ok(isHeld(connection));
    sync(proxy);
    proxy.host.pass(0.2);
    assert.ok(reached(connection).equals(Buffer.concat([hello, early])));
  });

  it("ends the connection if the PSK was removed: neither of them reaches a server", () => {
    const proxy = starting();
    const connection = proxy.worker
      .connection({ upstream: UPSTREAM })
      .fromClient(Buffer.concat([hello, applicationData(99)]));
    proxy.delete(sha256(TICKET));
    sync(proxy);
    proxy.host.pass(0.2);
    assert.ok(connection.closed);
    assert.equal(reached(connection).length, 0);
    assert.equal(proxy.stat("refused"), 1);
  });

  it("is dropped if it comes behind the release of a removed PSK's hello", () => {
    const proxy = starting();
    const connection = proxy.worker.connection({ upstream: UPSTREAM }).fromClient(hello);
    proxy.delete(sha256(TICKET));
    sync(proxy);
    proxy.host.pass(0.2);
    connection.fromClient(applicationData(500));
    assert.ok(reached(connection).equals(hello));
  });

  it("ends the connection if it is more than anybody holds", () => {
    const proxy = starting();
    const connection = proxy.worker.connection({ upstream: UPSTREAM }).fromClient(hello);
    for (let i = 0; i < 8 && !connection.closed; i++) connection.fromClient(applicationData(16_000));
    assert.ok(connection.closed);
    assert.equal(reached(connection).length, 0);
    assert.equal(proxy.stat("refused"), 1);
  });
});

describe("all other connections go on at once while decisions are awaited", () => {
  const others: Record<string, Flight[]> = {
    "that offer nothing": fullWithId(sessionId(5)),
    "that ask for a ticket": fullWithTicket(ticket("a key", 5)),
    "of TLS 1.3, whose session ID is made up": tls13(),
  };
  for (const [which, flights] of Object.entries(others)) {
    it(`those ${which}`, () => {
      const proxy = starting();
      assertPassed(run(proxy, flights), flights, which);
      assert.equal(waits(proxy), 0);
    });
  }

  it("those that offer a session which the cache holds", () => {
    const proxy = starting();
    proxy.handshake(fullWithId(HELD));
    proxy.handshake(fullWithTicket(TICKET));
    for (const flights of [resumedById(HELD), resumedByTicket(TICKET)]) assertPassed(run(proxy, flights), flights);
    assert.equal(waits(proxy), 0);
  });

  it("those that offer a session which is known as removed: it is refused", () => {
    const proxy = starting();
    proxy.delete(ID);
    const connection = run(proxy, resumedById(ID).slice(0, 2));
    assert.ok(received(connection).subarray(-ALERT.length).equals(ALERT));
    assert.equal(waits(proxy), 0);
  });

  it("those that are not TLS, and those whose server speaks first", () => {
    const proxy = starting();
    const plain = proxy.worker.connection({ upstream: UPSTREAM }).fromClient(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    assert.ok(!isHeld(plain));
    const connection = offer(proxy, resumedById(ID));
    assert.ok(isHeld(connection));
    connection.fromServer(Buffer.from("220 mail.example ESMTP\r\n"));
    assert.ok(!isHeld(connection));
  });

  it("an ID in a hello for TLS 1.3 may be a session of TLS 1.2: its acceptance is refused, as nobody knows it", () => {
    const proxy = starting();
    const hello = clientHello({ sessionId: ID, tls13: true });
    const [, answer] = resumedById(ID);
    const connection = proxy.worker.connection({ upstream: UPSTREAM }).fromClient(hello);
    assert.ok(!isHeld(connection));
    connection.fromServer(answer?.bytes ?? Buffer.alloc(0));
    assert.ok(received(connection).subarray(-ALERT.length).equals(ALERT));
    sync(proxy);
    proxy.host.pass(0.2);
    const again = proxy.worker
      .connection({ upstream: UPSTREAM })
      .fromClient(hello)
      .fromServer(answer?.bytes ?? Buffer.alloc(0));
    assert.ok(received(again).equals(answer?.bytes ?? Buffer.alloc(0)));
  });
});

describe("any handshake of a real client, in any pieces, whenever decisions come in", () => {
  for (const steering of ["off", "hash"]) {
    it(`goes on whole and in order, or is closed: steering ${steering}`, () => {
      const random = new Random(16);
      for (let round = 0; round < 60; round++) {
        const proxy = starting({}, { steering });
        const begun = EXCHANGES.flatMap((name) => {
          const flights = captured(name);
          const connection = proxy.worker.connection({ upstream: UPSTREAM });
          return [{ connection, rest: cut(flights, 1 + random.below(400)), sent: [] as Buffer[] }];
        });
        const removes = random.below(3) === 0;
        for (let step = 0; begun.some(({ rest }) => rest.length > 0); step++) {
          if (step === 30 && removes) proxy.flush();
          if (step === 40) sync(proxy);
          if (step % 20 === 0) proxy.host.pass(0.05);
          const one = begun[random.below(begun.length)];
          const flight = one?.rest[0];
          if (one === undefined || flight === undefined || one.connection.closed) {
            if (one !== undefined && one.connection.closed) one.rest = [];
            continue;
          }
          // A server answers what it has got.
          if (flight.from === "server" && isHeld(one.connection)) continue;
          one.rest.shift();
          if (flight.from === "client") one.sent.push(Buffer.from(flight.bytes));
          one.connection.exchange([flight]);
          if (random.below(200) === 0) {
            one.connection.close();
            one.rest = [];
          }
        }
        sync(proxy);
        proxy.host.pass(0.5);
        for (const { connection, sent } of begun) {
          const got = reached(connection);
          if (!connection.closed) assert.ok(got.equals(Buffer.concat(sent)), "all of it");
          else assert.ok(Buffer.concat(sent).subarray(0, got.length).equals(got), "a beginning of it");
        }
      }
    });
  }
});

describe("a filter that is configured when decisions are in already", () => {
  it("holds nothing", () => {
    const host = new FakeHost();
    writeFleetStatus(host, { synced: true });
    const proxy = new Proxy({ workers: 1, host, observer: { fleet: { start: "wait" } } });
    const flights = resumedById(ID);
    assertPassed(run(proxy, flights), flights);
    assert.equal(waits(proxy), 0);
  });
});

describe("the observer", () => {
  for (const call of ["proxy_continue_stream", "proxy_set_effective_context"]) {
    it(`refuses to wait without ${call}`, () => {
      const host = new FakeHost();
      host.denied.add(call);
      const worker = host.worker();
      assert.ok(!worker.configure("observer", { enforcement: "observe", fleet: { start: "wait" } }));
      assert.match(host.log.at(-1)?.text ?? "", new RegExp(`fleet.start: waiting needs ${call}`));
      assert.ok(host.worker().configure("observer", { enforcement: "observe", fleet: { start: "serve" } }));
    });
  }
});

describe("the guard", () => {
  const guarded = (): Proxy => {
    const proxy = starting();
    const fleet = { start: "wait", start_wait_ms: WAIT_MS };
    assert.ok(proxy.worker.configure("guard", { ...observerSettings(), fleet }));
    return proxy;
  };

  it("answers 503 to requests on unknown sessions, and keeps their connections", () => {
    const proxy = guarded();
    const connection = proxy.worker.https({ sessionId: hex(ID) });
    const { answer, passedThrough } = connection.request();
    assert.ok(!passedThrough && answer !== undefined);
    assertProblem(answer, 503);
    assert.equal(answer.headers["retry-after"], "1");
    assert.equal(answer.headers.connection, undefined);
    assert.equal(waits(proxy), 1);
    sync(proxy);
    proxy.host.pass(0.2);
    assert.ok(connection.request().passedThrough, "the same connection");
    assert.equal(proxy.session(ID).origin, "observed", "learned with that request, as a new one");
  });

  it("refuses a session that was removed elsewhere, once that is in", () => {
    const proxy = guarded();
    const connection = proxy.worker.https({ sessionId: hex(ID) });
    assert.equal(connection.request().answer?.status, 503);
    proxy.delete(ID);
    assert.equal(connection.request().answer?.status, 421, "as soon as it is known");
  });

  it("lets requests on held sessions, and without an ID, pass", () => {
    const proxy = guarded();
    proxy.put(HELD);
    assert.ok(proxy.worker.https({ sessionId: hex(HELD) }).request().passedThrough);
    assert.ok(proxy.worker.https({ protocol: "TLSv1.3" }).request().passedThrough);
    assert.equal(waits(proxy), 0);
  });

  it("lets requests on connections pass that had one before, and all when the time is over", () => {
    const proxy = guarded();
    proxy.put(HELD);
    const connection = proxy.worker.https({ sessionId: hex(HELD) });
    assert.ok(connection.request().passedThrough);
    proxy.host.pass(WAIT_MS / 1000 + 0.2);
    assert.ok(proxy.worker.https({ sessionId: hex(ID) }).request().passedThrough);
  });
});
