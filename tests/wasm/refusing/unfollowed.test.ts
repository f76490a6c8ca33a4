/**
 * An acceptance that nobody here could follow, on the built module: it may be anything, a removed session too. So it does not
 * resume unless enforcement is `observe`; a full handshake behind the very same hello goes through.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Flight } from "../../fake_host/fake_host.ts";
import {
  HANDSHAKE_FAILURE,
  assertAnsweredWith,
  assertPassed,
  fatalAlert,
  refusals,
  run,
} from "../../fake_host/passage.ts";
import { Proxy } from "../../fake_host/proxy.ts";
import {
  alert,
  certificate,
  changeCipherSpec,
  client,
  clientHello,
  clientKeyExchange,
  cut,
  finished,
  newSessionTicket,
  record,
  resumedById,
  server,
  serverHello,
  serverHelloDone,
  sessionId,
  sha256,
  ticket,
  tls13,
} from "../../support/tls_bytes.ts";

interface Case {
  /** What comes before the server's answer. */
  opening: Flight[];
  /** The server's hello if it resumes; in TLS 1.3 it stands for itself. */
  hello: Buffer;
  modern?: boolean;
  /** The hello was followed, and offers nothing to hold an answer back for: only an answer that comes whole is refused. */
  plain?: boolean;
  /** Of the event; null if nobody can tell. */
  id: Buffer | null;
}

const A = "10.0.0.7:443";
const PSKS = Array.from({ length: 6 }, (_, i) => ticket("key", i));
const ID = sessionId(1);
const WHOLE = clientHello({ sessionId: ID });
const MODERN = clientHello({ tls13: true, sessionId: ID, pskIdentities: PSKS });

const CASES: Record<string, Case> = {
  "the fifth PSK": { opening: [client(MODERN)], hello: modernHello(4), modern: true, id: null },
  "a PSK beyond those offered": {
    opening: [client(clientHello({ tls13: true, sessionId: ID, pskIdentities: PSKS.slice(0, 1) }))],
    hello: modernHello(1),
    modern: true,
    plain: true,
    id: null,
  },
  "a PSK where none was offered": {
    opening: [client(clientHello({ tls13: true, sessionId: ID }))],
    hello: modernHello(0),
    modern: true,
    plain: true,
    id: null,
  },
  "a PSK behind a second hello that nobody has asked for": {
    opening: [client(clientHello({ tls13: true, sessionId: ID, pskIdentities: PSKS.slice(0, 1) }), MODERN)],
    hello: modernHello(0),
    modern: true,
    id: sha256(PSKS[0] as Buffer),
  },
  "a session ID behind a second hello that nobody has asked for": {
    opening: [client(WHOLE, clientHello({ sessionId: sessionId(2) }))],
    hello: legacyHello(ID),
    id: ID,
  },
  "a session ID behind a second hello in a chunk of its own": {
    opening: [client(WHOLE), client(clientHello({ sessionId: sessionId(2) }))],
    hello: legacyHello(sessionId(2)),
    id: ID,
  },
  "a session ID in a hello whose extensions reach beyond its end": {
    opening: [client(withBlockLength(WHOLE, 5))],
    hello: legacyHello(ID),
    id: ID,
  },
  "a session ID in a hello that goes on behind its extensions": {
    opening: [client(withBlockLength(WHOLE, -4))],
    hello: legacyHello(ID),
    id: ID,
  },
  "a session ID that is answered before its hello is whole": {
    opening: [client(WHOLE.subarray(0, -1))],
    hello: legacyHello(ID),
    id: ID,
  },
  "something that is answered before a byte of the client's was understood": {
    opening: [client(Buffer.from("\x16\x02 no record, and some server's business"))],
    hello: legacyHello(ID),
    id: null,
  },
  "nothing: the hello offers none": { opening: [client(clientHello())], hello: legacyHello(ID), plain: true, id: null },
  "nothing: the hello asks for a ticket": {
    opening: [client(clientHello({ ticket: Buffer.alloc(0) }))],
    hello: legacyHello(Buffer.alloc(0)),
    plain: true,
    id: null,
  },
  "a session ID longer than any": {
    opening: [client(clientHello({ sessionId: Buffer.alloc(33, 5) }))],
    hello: legacyHello(Buffer.alloc(33, 5)),
    id: null,
  },
};

describe("an acceptance that cannot be followed", () => {
  for (const [name, one] of Object.entries(CASES)) {
    for (const enforcement of ["revoked", "strict"]) {
      it(`does not resume, and is told as that, under ${enforcement}: ${name}`, () => {
        for (const size of one.plain === true ? [1e6] : [1e6, 50, 7, 1]) {
          const proxy = new Proxy({ workers: 1, cache: { enforcement } });
          const connection = run(proxy, cut([...one.opening, accepting(one)], size), A);
          const alertBytes = fatalAlert(HANDSHAKE_FAILURE);
          const expected = one.modern === true ? alertBytes : Buffer.concat([one.hello, alertBytes]);
          assertAnsweredWith(proxy, connection, expected, `cut at ${size}`);
          const told = refusals(proxy).map(({ cause, id }) => ({ cause, id }));
          assert.deepEqual(told, [{ cause: "unfollowed", id: one.id === null ? null : one.id.toString("hex") }]);
          const stats = ["refused", "unfollowed", "hits", "misses", "accept_good"].map((stat) => proxy.stat(stat));
          assert.deepEqual(stats, [1, 1, 0, 0, 0], `cut at ${size}`);
          assert.equal(proxy.stat("number"), 0, "nothing is learned from it");
          const cause = proxy.host.metrics
            .names()
            .filter((metric) => /unfollowed/.test(metric) && /refus/.test(metric));
          assert.deepEqual(
            cause.map((metric) => proxy.host.metrics.value(metric)),
            [1],
            cause.join(),
          );
        }
      });
    }

    it(`goes through byte for byte under observe: ${name}`, () => {
      const proxy = new Proxy({ workers: 1, cache: { enforcement: "observe" } });
      const end = one.modern === true ? [] : [client(changeCipherSpec(), finished())];
      const flights = [...one.opening, accepting(one), ...end];
      for (const size of [1e6, 33, 1]) {
        const connection = run(proxy, cut(flights, size), A);
        assertPassed(connection, flights, `cut at ${size}`);
        connection.close();
      }
      assert.equal(proxy.stat("refused"), 0);
    });

    it(`is not what a full handshake behind the same hello is: that goes through: ${name}`, () => {
      for (const enforcement of ["revoked", "strict"]) {
        const proxy = new Proxy({ workers: 1, cache: { enforcement } });
        const flights = [...one.opening, ...full(one.modern === true)];
        for (const size of [1e6, 33, 1]) {
          const connection = run(proxy, cut(flights, size), A);
          assertPassed(connection, flights, `cut at ${size}`);
          assert.equal(connection.closed, false);
          connection.close();
        }
        assert.deepEqual([proxy.stat("refused"), refusals(proxy).length], [0, 0]);
      }
    });

    it(`is not what a server declines with an alert: that goes through: ${name}`, () => {
      const proxy = new Proxy({ workers: 1 });
      const flights = [...one.opening, server(alert(2, 40))];
      assertPassed(run(proxy, flights, A), flights);
      assert.equal(proxy.stat("refused"), 0);
    });
  }
});

describe("what is followed in the end", () => {
  it("is the hello behind warnings, empty records and a change of cipher spec: it is learned, and refused where it was removed", () => {
    const noise = [
      record(0x15, Buffer.of(1, 90)),
      record(0x16, Buffer.alloc(0)),
      changeCipherSpec(),
      record(0x17, Buffer.alloc(3)),
    ];
    for (const one of noise) {
      const proxy = new Proxy({ workers: 1 });
      const [, ...rest] = resumedById(ID) as [Flight, ...Flight[]];
      // The hello in two records, with the same noise between them.
      const body = WHOLE.subarray(5);
      const split = [client(one, record(0x16, body.subarray(0, 30)), one, record(0x16, body.subarray(30))), ...rest];
      const connection = run(proxy, split, A);
      assertPassed(connection, split);
      assert.equal(proxy.session(ID).kind, "id");
      proxy.delete(ID);
      const again = run(proxy, split, A);
      assertAnsweredWith(proxy, again, Buffer.concat([legacyHello(ID), fatalAlert(HANDSHAKE_FAILURE)]));
      assert.equal(proxy.stat("unfollowed"), 0);
    }
  });

  it("is counted once for each connection, whatever else is wrong with it", () => {
    const proxy = new Proxy({ workers: 1 });
    const broken = withBlockLength(WHOLE, 5);
    run(proxy, [client(broken, WHOLE, WHOLE), server(legacyHello(ID), changeCipherSpec(), finished())], A);
    assert.equal(proxy.stat("refused"), 1);
    assert.ok(proxy.stat("unfollowed") >= 1);
  });

  it("is the fourth PSK, which is judged as any other", () => {
    const proxy = new Proxy({ workers: 1 });
    const flights = tls13(PSKS, { selected: 3 });
    assertPassed(run(proxy, flights, A), flights);
    proxy.delete(sha256(PSKS[3] as Buffer));
    assertAnsweredWith(proxy, run(proxy, flights, A), fatalAlert(HANDSHAKE_FAILURE));
    assert.deepEqual(
      refusals(proxy).map(({ cause }) => cause),
      ["session"],
    );
  });
});

function modernHello(selectedPsk: number): Buffer {
  return serverHello({ tls13: true, sessionId: ID, selectedPsk });
}

function legacyHello(id: Buffer): Buffer {
  return serverHello({ sessionId: id });
}

function accepting({ hello, modern = false }: Case): Flight {
  if (modern) return server(hello, changeCipherSpec(), record(0x17, Buffer.alloc(80, 1)));
  return server(hello, changeCipherSpec(), finished());
}

function full(modern: boolean): Flight[] {
  if (modern) {
    const hello = serverHello({ tls13: true, sessionId: ID });
    return [server(hello, changeCipherSpec(), record(0x17, Buffer.alloc(600, 1)))];
  }
  return [
    server(serverHello({ sessionId: sessionId(9), ticket: true }), certificate(), serverHelloDone()),
    client(clientKeyExchange(), changeCipherSpec(), finished()),
    server(newSessionTicket(ticket("key", 9), 60), changeCipherSpec(), finished()),
  ];
}

/** A hello that says that its extensions are so many bytes longer than they are; where they are shorter, the rest is left over. */
function withBlockLength(hello: Buffer, more: number): Buffer {
  const copy = Buffer.from(hello);
  const at = 5 + 4 + 2 + 32 + 1 + (copy[43] as number) + 2 + 8 + 2;
  copy.writeUInt16BE(copy.readUInt16BE(at) + more, at);
  return copy;
}
