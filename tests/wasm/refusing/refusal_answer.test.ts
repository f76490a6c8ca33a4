/**
 * The bytes that a client receives in the place of an answer that must not be, and the early data that reaches the server, on
 * the built module.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Connection, Flight } from "../../fake_host/fake_host.ts";
import { HANDSHAKE_FAILURE, assertAnsweredWith, fatalAlert, reached, received, run } from "../../fake_host/passage.ts";
import { Proxy, observerSettings } from "../../fake_host/proxy.ts";
import {
  applicationData,
  changeCipherSpec,
  client,
  clientHello,
  cut,
  finished,
  newSessionTicket,
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

const ID = sessionId(1);
const TICKET = ticket("key", 1);
const HELLO = serverHello({ sessionId: ID });
const ALERTS: Record<string, number> = {
  unexpected_message: 10,
  bad_record_mac: 20,
  handshake_failure: 40,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  unknown_psk_identity: 115,
};
/** How the server's bytes may come: at once, cut, or byte by byte. */
const PIECES = [1e6, 64, 5, 1];

describe("what a client of TLS 1.2 receives where its session was removed", () => {
  it("is the server's hello and an alert, however the answer comes", () => {
    for (const size of PIECES)
      answered({}, cut(resumedById(ID), size), Buffer.concat([HELLO, fatalAlert(HANDSHAKE_FAILURE)]));
  });

  it("is the alert alone, or one behind the change of cipher spec, where the configuration says so", () => {
    const alertBytes = fatalAlert(HANDSHAKE_FAILURE);
    for (const size of PIECES) {
      const flights = cut(resumedById(ID), size);
      answered({ tls12_behind: "nothing" }, flights, alertBytes);
      answered({ tls12_behind: "server_hello" }, flights, Buffer.concat([HELLO, alertBytes]));
      answered({ tls12_behind: "change_cipher_spec" }, flights, Buffer.concat([HELLO, changeCipherSpec(), alertBytes]));
    }
  });

  for (const [name, number] of Object.entries(ALERTS)) {
    it(`has the alert of that name: ${name}`, () => {
      answered({ tls12: name }, resumedById(ID), Buffer.concat([HELLO, fatalAlert(number)]));
      // That of TLS 1.3 is another setting.
      answered({ tls13: name }, resumedById(ID), Buffer.concat([HELLO, fatalAlert(HANDSHAKE_FAILURE)]));
    });
  }

  it("is no alert under `none`: what stands before it, and the close", () => {
    answered({ tls12: "none" }, resumedById(ID), HELLO);
    answered({ tls12: "none", tls12_behind: "nothing" }, resumedById(ID), Buffer.alloc(0));
    answered(
      { tls12: "none", tls12_behind: "change_cipher_spec" },
      resumedById(ID),
      Buffer.concat([HELLO, changeCipherSpec()]),
    );
  });

  it("has the version of the handshake in each record", () => {
    for (const version of [0x0300, 0x0301, 0x0302]) {
      const hello = serverHello({ sessionId: ID, version });
      // As servers of that version write them.
      hello.writeUInt16BE(version, 1);
      const changed = changeCipherSpec();
      changed.writeUInt16BE(version, 1);
      const flights = [client(clientHello({ sessionId: ID })), server(hello, changed, finished())];
      answered({}, flights, Buffer.concat([hello, fatalAlert(HANDSHAKE_FAILURE, version)]));
      const behind = Buffer.concat([hello, changed, fatalAlert(HANDSHAKE_FAILURE, version)]);
      answered({ tls12_behind: "change_cipher_spec" }, flights, behind);
    }
  });

  it("is never a ticket of the server's, although it stands in one record with the hello", () => {
    const renewed = ticket("key", 2);
    const hello = serverHello({ sessionId: sha256(TICKET), ticket: true });
    const both = record(0x16, Buffer.concat([hello.subarray(5), newSessionTicket(renewed, 60).subarray(5)]));
    const [offer] = resumedByTicket(TICKET) as [Flight];
    for (const size of PIECES) {
      for (const behind of ["nothing", "server_hello", "change_cipher_spec"]) {
        const flights = cut([offer, server(both, changeCipherSpec(), finished())], size);
        const proxy = refusing({ tls12_behind: behind });
        const connection = run(proxy, flights).fromServer(both).fromServer(newSessionTicket(renewed, 60));
        assert.equal(received(connection).includes(renewed.subarray(0, 24)), false, "no ticket passes");
        const before: Record<string, Buffer[]> = {
          nothing: [],
          server_hello: [hello],
          change_cipher_spec: [hello, changeCipherSpec()],
        };
        assertAnsweredWith(
          proxy,
          connection,
          Buffer.concat([...(before[behind] ?? []), fatalAlert(HANDSHAKE_FAILURE)]),
        );
      }
    }
  });

  it("is the alert alone where the server's hello is split over records, or something stands before it", () => {
    const body = HELLO.subarray(5);
    const [offer] = resumedById(ID) as [Flight];
    const rest = [changeCipherSpec(), finished()];
    for (const size of PIECES) {
      const split = [record(0x16, body.subarray(0, 40)), record(0x16, body.subarray(40))];
      answered({}, cut([offer, server(...split, ...rest)], size), fatalAlert(HANDSHAKE_FAILURE));
    }
    const warned = [record(0x15, Buffer.of(1, 112)), HELLO];
    for (const size of [1e6, 64]) {
      answered({}, cut([offer, server(...warned, ...rest)], size), fatalAlert(HANDSHAKE_FAILURE));
    }
    // Once the warning is whole, it goes on.
    const bytewise = cut([offer, server(...warned, ...rest)], 1);
    answered({}, bytewise, Buffer.concat([...warned, fatalAlert(HANDSHAKE_FAILURE)]));
  });

  it("is the alert alone where the server's hello is longer than what is looked at", () => {
    const body = Buffer.concat([
      HELLO.subarray(9),
      Buffer.of(0x0b, 0xbc, 0xfe, 0xfe, 0x0b, 0xb8),
      Buffer.alloc(3000, 7),
    ]);
    const long = record(0x16, Buffer.concat([Buffer.of(2, 0, body.length >> 8, body.length & 0xff), body]));
    const [offer] = resumedById(ID) as [Flight];
    for (const size of [1e6, 999]) {
      answered({}, cut([offer, server(long, changeCipherSpec(), finished())], size), fatalAlert(HANDSHAKE_FAILURE));
    }
  });
});

describe("what a client of TLS 1.3 receives where its PSK was removed", () => {
  it("is an alert alone, whatever is said of TLS 1.2, however the answer comes", () => {
    for (const size of PIECES) {
      const flights = cut(tls13([TICKET], { selected: 0 }), size);
      for (const refusal of [{}, { tls12_behind: "change_cipher_spec" }, { tls12: "none" }]) {
        answered(refusal, flights, fatalAlert(HANDSHAKE_FAILURE));
      }
    }
  });

  for (const [name, number] of Object.entries(ALERTS)) {
    it(`is the alert of that name: ${name}`, () => {
      answered({ tls13: name }, tls13([TICKET], { selected: 0 }), fatalAlert(number));
      answered({ tls12: name }, tls13([TICKET], { selected: 0 }), fatalAlert(HANDSHAKE_FAILURE));
    });
  }

  it("is nothing but the close under `none`", () => {
    for (const size of PIECES)
      answered({ tls13: "none" }, cut(tls13([TICKET], { selected: 0 }), size), Buffer.alloc(0));
  });
});

describe("early data behind a removed PSK", () => {
  const hello = clientHello({ tls13: true, sessionId: ID, pskIdentities: [TICKET], earlyData: true });
  const answer = server(serverHello({ tls13: true, sessionId: ID }), changeCipherSpec(), applicationData(600));
  const odd: Record<string, Buffer> = {
    "an empty handshake record": record(0x16, Buffer.alloc(0)),
    "an alert": record(0x15, Buffer.of(1, 90)),
    "a long alert": record(0x15, Buffer.alloc(9, 1)),
    "a change of cipher spec": changeCipherSpec(),
    "a change of cipher spec that is malformed": record(0x14, Buffer.alloc(7, 9)),
    "an unknown type": record(0x63, Buffer.alloc(30, 5)),
    "an unknown type, empty": record(0x63, Buffer.alloc(0)),
    "a heartbeat": record(0x18, Buffer.alloc(20, 1)),
    "another major version": Buffer.concat([Buffer.from("1609090003", "hex"), Buffer.alloc(3, 2)]),
    "a message of a handshake": record(0x16, Buffer.from("0b00000401020304", "hex")),
    nothing: Buffer.alloc(0),
  };
  const early = [applicationData(40), applicationData(0), applicationData(700)] as const;
  const end = Buffer.concat([changeCipherSpec(), applicationData(53)]);

  for (const [name, one] of Object.entries(odd)) {
    it(`never reaches the server, and all else does, cut at every byte, with ${name} before, between and behind`, () => {
      const flight = Buffer.concat([hello, one, early[0], one, one, early[1], early[2], one]);
      const rest = Buffer.concat([hello, one, one, one, one]);
      for (let at = 0; at <= flight.length; at++) {
        const proxy = dropping();
        const connection = proxy.worker.connection({ upstream: "10.0.0.7:443" });
        for (const piece of [flight.subarray(0, at), flight.subarray(at)])
          if (piece.length > 0) connection.fromClient(piece);
        assert.equal(reached(connection).toString("hex"), rest.toString("hex"), `cut at ${at}`);
        connection.exchange([answer]).fromClient(end);
        assert.equal(reached(connection).toString("hex"), Buffer.concat([rest, end]).toString("hex"), `cut at ${at}`);
        assert.equal(received(connection).toString("hex"), Buffer.from(answer.bytes).toString("hex"));
        assert.deepEqual([proxy.stat("early_data_dropped"), proxy.stat("refused")], [1, 0]);
      }
    });
  }

  it("never reaches the server where every byte comes by itself, nor where all comes at once", () => {
    for (const [name, one] of Object.entries(odd)) {
      // No server goes on behind a first byte that is not TLS.
      if (name.startsWith("an unknown") || name.startsWith("another")) continue;
      const flight = Buffer.concat([one, hello, one, early[0], one, early[2], one]);
      const rest = Buffer.concat([one, hello, one, one, one]);
      for (const size of [1, 2, 3, 1e6]) assertRest(run(dropping(), cut([client(flight)], size)), rest, one);
    }
  });

  it("never reaches the server behind a hello that cannot be followed", () => {
    const broken = Buffer.from(hello);
    const at = 5 + 4 + 2 + 32 + 1 + 32 + 2 + 8 + 2;
    broken.writeUInt16BE(broken.readUInt16BE(at) + 9, at);
    for (const size of [1, 7, 1e6]) {
      const proxy = dropping();
      const connection = run(proxy, cut([client(broken, early[0], early[2])], size));
      assertRest(connection, broken, broken);
    }
  });

  it("reaches it whole where the PSK was not removed, and under observe", () => {
    const flight = Buffer.concat([hello, early[0], early[2]]);
    for (const proxy of [new Proxy({ workers: 1 }), dropping({ enforcement: "observe" })]) {
      const connection = run(proxy, cut([client(flight)], 100));
      assert.ok(reached(connection).equals(flight));
      assert.equal(proxy.stat("early_data_dropped"), 0);
    }
  });

  it("is dropped up to the second hello behind a HelloRetryRequest, which goes on", () => {
    const second = clientHello({ tls13: true, sessionId: ID, pskIdentities: [TICKET] });
    const retry = serverHello({ tls13: true, sessionId: ID });
    // RFC 8446 4.1.3
    Buffer.from("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c", "hex").copy(retry, 11);
    for (const size of [1, 13, 1e6]) {
      const proxy = dropping();
      const flights = [
        client(hello, early[0]),
        server(retry),
        client(early[2], changeCipherSpec(), second),
        answer,
        client(end),
      ];
      const connection = run(proxy, cut(flights, size));
      const rest = Buffer.concat([hello, changeCipherSpec(), second, end]);
      // Data behind a retry may go on: its server skips what it has declined.
      const data = reached(connection).toString("hex").replace(early[2].toString("hex"), "");
      assert.equal(data, rest.toString("hex"), `cut at ${size}`);
    }
  });

  function dropping(cache: Record<string, unknown> = {}): Proxy {
    const proxy = new Proxy({ workers: 1, cache });
    proxy.delete(sha256(TICKET));
    return proxy;
  }

  function assertRest(connection: Connection, rest: Buffer, one: Buffer): void {
    assert.equal(reached(connection).toString("hex"), rest.toString("hex"), one.toString("hex").slice(0, 40));
  }
});

/** A proxy with that `refusal`, in which the session of `ID` and `TICKET` was removed. */
function refusing(refusal: Record<string, unknown>): Proxy {
  const proxy = new Proxy({ workers: 1 });
  assert.ok(proxy.worker.configure("observer", { ...observerSettings(), refusal }));
  proxy.delete(ID);
  proxy.delete(sha256(TICKET));
  return proxy;
}

/** That is what the client receives of an exchange. */
function answered(refusal: Record<string, unknown>, flights: Flight[], expected: Buffer): void {
  const proxy = refusing(refusal);
  const untilAnswer = flights.slice(0, flights.findLastIndex(({ from }) => from === "server") + 1);
  const connection = run(proxy, untilAnswer);
  assertAnsweredWith(proxy, connection, expected, JSON.stringify(refusal));
  assert.equal(proxy.stat("refused"), 1);
}
