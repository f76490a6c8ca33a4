/**
 * A handshake inside an established connection of TLS 1.2 or before, on the built module: it is noticed by the type of its
 * record, which is never sealed, whatever comes before it and however the bytes are cut.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Connection, Flight } from "../../fake_host/fake_host.ts";
import { complaints, reached, received } from "../../fake_host/passage.ts";
import { Proxy, observerSettings } from "../../fake_host/proxy.ts";
import { Random } from "../../support/random.ts";
import {
  alert,
  applicationData,
  changeCipherSpec,
  client,
  clientHello,
  cut,
  finished,
  fullWithId,
  fullWithTicket,
  record,
  resumedById,
  resumedByTicket,
  server,
  serverHello,
  sessionId,
  ticket,
  tls13,
} from "../../support/tls_bytes.ts";

const HANDSHAKES: Record<string, Flight[]> = {
  full: fullWithId(sessionId(1)),
  "full with a ticket": fullWithTicket(ticket("key", 1)),
  abbreviated: resumedById(sessionId(2)),
  "abbreviated by ticket": resumedByTicket(ticket("key", 2)),
  "abbreviated with a renewed ticket": resumedByTicket(ticket("key", 3), { renewed: ticket("key", 4) }),
  "of TLS 1.0": fullWithId(sessionId(5), { version: 0x0301 }),
};
/** A sealed ClientHello. */
const BEGINNING = record(0x16, Buffer.alloc(230, 0xc1));
const TALK = [client(applicationData(200)), server(applicationData(5000)), client(applicationData(16_000))];

describe("a handshake record of a client behind its Finished", () => {
  for (const [name, handshake] of Object.entries(HANDSHAKES)) {
    it(`is a renegotiation: it is counted and closes the connection; handshake: ${name}`, () => {
      const proxy = loggingProxy();
      const connection = talk(proxy, [...handshake, ...TALK, client(BEGINNING)]);
      assertClosed(connection, [...handshake, ...TALK]);
      assert.deepEqual([connection.logged.renegotiation, proxy.stat("renegotiations")], ["closed", 1]);
    });

    it(`is noticed however the bytes are cut; handshake: ${name}`, () => {
      const flights = [...handshake, ...TALK.slice(0, 2), client(applicationData(9), BEGINNING)];
      const proxy = loggingProxy();
      const random = new Random(9);
      const ways = [1, 2, 3, 4, 5, 6, 7, 64, 1000].map((size) => cut(flights, size));
      for (let i = 0; i < 40; i++) ways.push(flights.flatMap((flight) => cut([flight], 1 + random.below(90))));
      for (const [i, way] of ways.entries()) {
        const connection = talk(proxy, way);
        assert.equal(connection.logged.renegotiation, "closed", `cut in way ${i}`);
        assert.ok(connection.closed);
        // Of the record that begins it, a header may have passed before it was whole.
        const clean = bytesBefore(flights);
        assert.ok(reached(connection).length < clean + 5, `cut in way ${i}: ${reached(connection).length} of ${clean}`);
        assert.equal(proxy.stat("renegotiations"), i + 1);
      }
    });
  }

  it("is noticed in the very chunk of the Finished, where it is cut out of it at every byte, too", () => {
    for (const name of ["full", "abbreviated"]) {
      const handshake = HANDSHAKES[name] as Flight[];
      const at = handshake.findLastIndex(({ from }) => from === "client");
      const joined = Buffer.concat([(handshake[at] as Flight).bytes, applicationData(3), BEGINNING]);
      for (let split = 1; split <= joined.length; split++) {
        const proxy = loggingProxy();
        const before = handshake.slice(0, at);
        const connection = talk(proxy, [
          ...before,
          client(joined.subarray(0, split)),
          ...handshake.slice(at + 1),
          client(joined.subarray(split)),
          client(applicationData(3)),
        ]);
        assert.equal(proxy.stat("renegotiations"), 1, `${name}: cut at ${split}`);
        assert.equal(connection.logged.renegotiation, "closed");
      }
    }
  });

  it("is noticed behind a Finished of any length, and behind a large one", () => {
    for (const length of [16, 32, 40, 48, 64, 96, 16_384]) {
      for (const version of [0x0300, 0x0301, 0x0302, 0x0303]) {
        const proxy = loggingProxy();
        const [hello, answer] = resumedById(sessionId(1), { version }) as [Flight, Flight];
        const end = client(changeCipherSpec(), record(0x16, Buffer.alloc(length, 0xf1)));
        const connection = talk(proxy, [hello, answer, end, client(applicationData(70)), client(BEGINNING)]);
        assert.deepEqual([connection.closed, proxy.stat("renegotiations")], [true, 1], `${length} bytes of ${version}`);
      }
    }
  });

  it("is noticed whoever has asked for it, and where the server answers it before", () => {
    const proxy = loggingProxy();
    // A sealed HelloRequest is a handshake record of the server.
    const asked = server(record(0x16, Buffer.alloc(28, 1)));
    const connection = talk(proxy, [...(HANDSHAKES.full as Flight[]), asked]);
    assert.deepEqual([connection.closed, proxy.stat("renegotiations")], [false, 0], "a client may decline");
    connection.fromClient(BEGINNING);
    assert.deepEqual([connection.closed, proxy.stat("renegotiations")], [true, 1]);
  });

  it("goes through and is counted once under observe, and where the configuration says so", () => {
    for (const settings of [
      { enforcement: "observe" },
      { renegotiation: "observe" },
      { renegotiation: "close", enforcement: "observe" },
    ]) {
      const proxy = loggingProxy(settings);
      const flights = [
        ...(HANDSHAKES.full as Flight[]),
        client(BEGINNING),
        server(BEGINNING),
        client(BEGINNING),
        ...TALK,
      ];
      const connection = talk(proxy, flights);
      assert.equal(connection.closed, false);
      assert.equal(reached(connection).toString("hex"), bytes("client", flights).toString("hex"));
      assert.equal(received(connection).toString("hex"), bytes("server", flights).toString("hex"));
      assert.deepEqual([connection.logged.renegotiation, proxy.stat("renegotiations")], ["observed", 1]);
      assert.deepEqual(complaints(proxy), []);
    }
  });

  it("closes the connection under strict, whatever the configuration says", () => {
    const proxy = loggingProxy({ enforcement: "strict", renegotiation: "observe" });
    const connection = talk(proxy, [...(HANDSHAKES.full as Flight[]), client(BEGINNING)]);
    assert.deepEqual([connection.closed, connection.logged.renegotiation], [true, "closed"]);
  });

  it("goes by the enforcement of the moment", () => {
    const proxy = loggingProxy();
    const connection = talk(proxy, HANDSHAKES.full as Flight[]);
    assert.equal(proxy.request("PUT", "/v1/enforcement", { body: { enforcement: "observe" } }).status, 200);
    connection.fromClient(BEGINNING);
    assert.deepEqual([connection.closed, connection.logged.renegotiation], [false, "observed"]);
  });

  it("is told in one line of the log, which names the setting, however often it happens", () => {
    const proxy = loggingProxy();
    for (let i = 0; i < 5; i++) talk(proxy, [...(HANDSHAKES.full as Flight[]), client(BEGINNING)]);
    const lines = complaints(proxy);
    assert.equal(lines.length, 1, lines.join("\n"));
    assert.match(lines[0] ?? "", /renegotiation.*"renegotiation": "observe"/);
    assert.equal(proxy.stat("renegotiations"), 5);
  });

  it("is no refusal and no failed handshake, and no session is disturbed by it", () => {
    const proxy = loggingProxy();
    talk(proxy, [...(HANDSHAKES.full as Flight[]), client(BEGINNING)]);
    const stats = ["refused", "failed", "unfollowed", "host_calls_failed", "accept_good"].map((name) =>
      proxy.stat(name),
    );
    assert.deepEqual(stats, [0, 0, 0, 0, 1]);
    assert.equal(proxy.session(sessionId(1)).kind, "id");
  });

  it("is noticed where the Finished before it comes in two records, whose pieces are as long as a whole one", () => {
    // 51 bytes are a change of cipher spec and a Finished under GCM; here they end inside the second piece, whose sealed bytes
    // its client may choose so that they look like a record of data that hides what follows.
    const looksLikeData = Buffer.from("1703034000", "hex");
    const second = record(0x16, Buffer.concat([Buffer.alloc(10, 0xf1), looksLikeData, Buffer.alloc(24, 0xf1)]));
    const end = Buffer.concat([changeCipherSpec(), record(0x16, Buffer.alloc(25, 0xf1)), second]);
    for (const split of [43, 51]) {
      const proxy = loggingProxy();
      const connection = talk(proxy, [
        ...resumedById(sessionId(1)).slice(0, 2),
        client(end.subarray(0, split)),
        client(end.subarray(split)),
        client(BEGINNING),
      ]);
      assert.deepEqual([connection.closed, proxy.stat("renegotiations")], [true, 1], `${split} bytes first`);
    }
  });

  it("is the client's alone to begin: what a server says goes through, and nothing more once it is closed", () => {
    const proxy = loggingProxy();
    const connection = talk(proxy, [
      ...(HANDSHAKES.abbreviated as Flight[]),
      server(BEGINNING),
      server(applicationData(9)),
    ]);
    assert.equal(connection.closed, false);
    const before = received(connection).length;
    connection.fromClient(BEGINNING);
    assert.ok(connection.closed);
    assert.equal(received(connection).length, before);
  });
});

describe("bytes that are not a renegotiation", () => {
  const harmless: Record<string, Buffer[]> = {
    "application data": [applicationData(1), applicationData(16_384 + 2048), applicationData(0), applicationData(0)],
    "alerts, sealed": [record(0x15, Buffer.alloc(26, 7)), record(0x15, Buffer.alloc(40, 7))],
    "alerts, in clear": [alert(1, 0)],
    heartbeats: [record(0x18, Buffer.alloc(60, 1))],
    "empty records of each other type": [0x15, 0x17, 0x18].map((type) => record(type, Buffer.alloc(0))),
    "data that looks like records of handshakes": [record(0x17, Buffer.concat([BEGINNING, clientHello(), finished()]))],
  };
  for (const [name, records] of Object.entries(harmless)) {
    for (const [which, handshake] of Object.entries(HANDSHAKES)) {
      it(`goes through uncounted: ${name}, behind a handshake that is ${which}`, () => {
        for (const size of [1e6, 1, 4, 5, 6, 17]) {
          const proxy = loggingProxy();
          const flights = [
            ...handshake,
            ...Array.from({ length: 3 }, () => records.map((one) => client(one))).flat(),
            server(applicationData(5)),
          ];
          const connection = talk(proxy, cut(flights, size));
          assert.deepEqual([connection.closed, connection.logged.renegotiation], [false, undefined], `cut at ${size}`);
          assert.equal(proxy.stat("renegotiations"), 0);
          assert.ok(reached(connection).equals(bytes("client", flights)), `cut at ${size}`);
          assert.ok(received(connection).equals(bytes("server", flights)), `cut at ${size}`);
        }
      });
    }
  }

  it("is a false start: data between a client's Finished and the server's", () => {
    const proxy = loggingProxy();
    const [hello, answer, end, last] = HANDSHAKES.full as [Flight, Flight, Flight, Flight];
    const connection = talk(proxy, [
      hello,
      answer,
      end,
      client(applicationData(300)),
      last,
      client(applicationData(1)),
    ]);
    assert.deepEqual([connection.closed, proxy.stat("renegotiations")], [false, 0]);
    connection.fromClient(BEGINNING);
    assert.deepEqual([connection.closed, proxy.stat("renegotiations")], [true, 1]);
  });

  it("is data that comes in one chunk with the Finished, wherever that chunk ends", () => {
    for (const name of Object.keys(HANDSHAKES)) {
      const handshake = HANDSHAKES[name] as Flight[];
      const at = handshake.findLastIndex(({ from }) => from === "client");
      const end = (handshake[at] as Flight).bytes.length;
      const joined = Buffer.concat([(handshake[at] as Flight).bytes, applicationData(20), applicationData(40)]);
      for (let split = end; split < joined.length; split++) {
        const proxy = loggingProxy();
        const connection = talk(proxy, [
          ...handshake.slice(0, at),
          client(joined.subarray(0, split)),
          ...handshake.slice(at + 1),
          client(joined.subarray(split)),
          client(applicationData(9)),
        ]);
        assert.deepEqual([connection.closed, proxy.stat("renegotiations")], [false, 0], `${name}: ${split - end}`);
        connection.fromClient(BEGINNING);
        assert.deepEqual([connection.closed, proxy.stat("renegotiations")], [true, 1], `${name}: ${split - end}`);
      }
    }
  });

  it("is a connection of TLS 1.3, whatever its records", () => {
    const proxy = loggingProxy();
    const connection = talk(proxy, [...tls13([ticket("key", 1)], { selected: 0 }), ...TALK, client(BEGINNING)]);
    assert.deepEqual([connection.closed, proxy.stat("renegotiations")], [false, 0]);
  });

  it("is what is no TLS at all", () => {
    const proxy = loggingProxy({ enforcement: "strict" });
    const connection = talk(proxy, [
      client(Buffer.from("SSH-2.0-x\r\n")),
      server(Buffer.from("SSH-2.0-y\r\n")),
      client(BEGINNING),
    ]);
    assert.deepEqual([connection.closed, proxy.stat("renegotiations")], [false, 0]);
  });
});

describe("a handshake that is declined or fails", () => {
  it("is followed no less: a client that tries its second hello at once is noticed", () => {
    const proxy = loggingProxy();
    const offered = fullWithId(sessionId(7), { offered: sessionId(8) });
    const connection = talk(proxy, [...offered, client(BEGINNING)]);
    assert.deepEqual([connection.closed, proxy.stat("renegotiations")], [true, 1]);
  });

  it("in which a second Finished of the client comes before the server's is a renegotiation", () => {
    const proxy = loggingProxy();
    const [hello, answer, end] = HANDSHAKES.full as [Flight, Flight, Flight];
    const connection = talk(proxy, [
      hello,
      answer,
      end,
      client(BEGINNING),
      server(changeCipherSpec(), finished()),
      client(applicationData(1)),
    ]);
    assert.deepEqual([connection.closed, proxy.stat("renegotiations")], [true, 1]);
  });

  it("of which only the ServerHello was odd is followed as well", () => {
    const proxy = loggingProxy();
    const odd = server(serverHello({ sessionId: sessionId(3), cipher: 0xfefe }));
    const [, answer, ...rest] = HANDSHAKES.full as [Flight, Flight, ...Flight[]];
    const behind = server(Buffer.from(answer.bytes).subarray(serverHello({ sessionId: sessionId(1) }).length));
    const connection = talk(proxy, [client(clientHello()), odd, behind, ...rest, client(BEGINNING)]);
    assert.deepEqual([connection.closed, proxy.stat("renegotiations")], [true, 1]);
  });
});

function loggingProxy(cache: Record<string, unknown> = {}): Proxy {
  const { enforcement, ...own } = cache;
  const shared = enforcement === undefined ? {} : { enforcement };
  const proxy = new Proxy({ workers: 1, cache: shared });
  assert.ok(proxy.worker.configure("observer", { ...observerSettings(shared), ...own, access_log: true }));
  return proxy;
}

function talk(proxy: Proxy, flights: Flight[]): Connection {
  const connection = proxy.worker.connection({ upstream: "10.0.0.7:443" });
  for (const flight of flights) {
    if (connection.closed) break;
    connection.exchange([flight]);
  }
  return connection;
}

/** All of that went through, and then the end. */
function assertClosed(connection: Connection, before: Flight[]): void {
  assert.ok(connection.closed, "the connection is closed");
  assert.equal(reached(connection).toString("hex"), bytes("client", before).toString("hex"));
  assert.equal(received(connection).toString("hex"), bytes("server", before).toString("hex"));
}

function bytes(side: Flight["from"], flights: Flight[]): Buffer {
  return Buffer.concat(flights.filter(({ from }) => from === side).map((flight) => flight.bytes));
}

/** How many bytes a client has sent before the record that begins its renegotiation. */
function bytesBefore(flights: Flight[]): number {
  return bytes("client", flights).length - BEGINNING.length;
}
