/** The observer learns from handshakes, on the built module. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Proxy, hex } from "../../fake_host/proxy.ts";
import {
  alert,
  applicationData,
  certificate,
  changeCipherSpec,
  client,
  clientHello,
  clientKeyExchange,
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
  serverHelloDone,
  sessionId,
  sha256,
  ticket,
  tls13,
} from "../../support/tls_bytes.ts";
import type { Flight } from "../../fake_host/fake_host.ts";

describe("a TLS 1.2 session ID", () => {
  it("is learned with all that the handshake shows", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(1), { sni: "shop.example" }), "10.0.0.7:443");
    const { time, issued, last_used, ...rest } = proxy.session(sessionId(1));
    assert.deepEqual([time, issued], [proxy.host.clock.seconds, time]);
    assert.ok(last_used === null || last_used === time);
    assert.deepEqual(rest, {
      id: hex(sessionId(1)),
      kind: "id",
      protocol: "TLSv1.2",
      cipher: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
      sni: "shop.example",
      upstream: "10.0.0.7:443",
      ticket_key: null,
      session: null,
      timeout: 7200,
      hits: 0,
      origin: "observed",
    });
  });

  it("is stored when its handshake completes, and not a byte earlier", () => {
    const proxy = new Proxy();
    const pieces = cut(fullWithId(sessionId(2)), 1);
    const connection = proxy.worker.connection({ upstream: "10.0.0.7:443" });
    const last = pieces.pop();
    for (const piece of pieces) connection.exchange([piece]);
    assert.equal(proxy.get(sessionId(2)).status, 404);
    connection.exchange(last === undefined ? [] : [last]);
    assert.equal(proxy.get(sessionId(2)).status, 200);
  });

  it("is learned alike however the bytes are cut", () => {
    const whole = new Proxy();
    whole.handshake(fullWithId(sessionId(3), { sni: "cut.example" }));
    const expected = whole.session(sessionId(3));
    for (const bytes of [1, 2, 3, 5, 11, 64, 500]) {
      const proxy = new Proxy();
      proxy.handshake(cut(fullWithId(sessionId(3), { sni: "cut.example" }), bytes));
      assert.deepEqual(proxy.session(sessionId(3)), expected, `pieces of ${bytes}`);
    }
  });

  it("counts a hit when it is resumed, and keeps its time, timeout, issuer and origin", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(4)), "10.0.0.7:443");
    const before = proxy.session(sessionId(4));
    proxy.host.pass(100);
    proxy.handshake(resumedById(sessionId(4)), "10.0.0.8:443");
    const after = proxy.session(sessionId(4));
    assert.equal(after.hits, 1);
    assert.ok((after.last_used ?? 0) >= before.time + 100);
    const { hits: _hits, last_used: _lastUsed, ...kept } = after;
    const { hits: _hitsBefore, last_used: _lastUsedBefore, ...expected } = before;
    assert.deepEqual(kept, expected);
    assert.deepEqual([proxy.stat("hits"), proxy.stat("misses"), proxy.stat("timeouts")], [1, 0, 0]);
  });

  it("is learned from a resumption if it was not held, and counts a miss", () => {
    const proxy = new Proxy();
    proxy.handshake(resumedById(sessionId(5), { sni: "late.example" }), "10.0.0.9:443");
    const { kind, origin, protocol, sni } = proxy.session(sessionId(5));
    assert.deepEqual([kind, origin, protocol, sni], ["id", "observed", "TLSv1.2", "late.example"]);
    assert.deepEqual([proxy.stat("hits"), proxy.stat("misses")], [0, 1]);
  });

  it("counts a miss when it is not held and the server declines it", async () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(7), { offered: sessionId(6) }));
    assert.deepEqual([proxy.stat("hits"), proxy.stat("misses")], [0, 1]);
    assert.equal(proxy.get(sessionId(6)).status, 404);
    assert.equal(await proxy.number(), 1);
  });

  it("made up by a client that can do TLS 1.3 is no miss at a server that cannot", async () => {
    const proxy = new Proxy();
    proxy.handshake([
      client(clientHello({ tls13: true, sessionId: sessionId(18) })),
      server(serverHello({ sessionId: sessionId(19) }), certificate(), serverHelloDone()),
      client(clientKeyExchange(), changeCipherSpec(), finished()),
      server(changeCipherSpec(), finished()),
    ]);
    assert.deepEqual([proxy.stat("misses"), proxy.get(sessionId(18)).status], [0, 404]);
    assert.equal(await proxy.number(), 1);
  });

  it("counts as declined when its own issuer declines it, and as lost too when another upstream does", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(8)), "10.0.0.7:443");
    proxy.handshake(fullWithId(sessionId(9), { offered: sessionId(8) }), "10.0.0.7:443");
    assert.deepEqual([proxy.stat("declined"), proxy.stat("lost")], [1, 0]);
    proxy.handshake(fullWithId(sessionId(10), { offered: sessionId(8) }), "10.0.0.8:443");
    assert.deepEqual([proxy.stat("declined"), proxy.stat("lost")], [2, 1]);
    assert.deepEqual([proxy.stat("hits"), proxy.stat("misses")], [0, 0]);
    assert.equal(proxy.get(sessionId(8)).status, 200, "the session stays: its issuer may still take it");
  });

  it("counts a timeout and no hit when it has expired", () => {
    const proxy = new Proxy({ cache: { mode: ["SERVER", "NO_AUTO_CLEAR"] } });
    proxy.handshake(fullWithId(sessionId(11)));
    proxy.host.pass(7300);
    proxy.handshake(resumedById(sessionId(11)));
    assert.deepEqual([proxy.stat("timeouts"), proxy.stat("hits"), proxy.stat("misses")], [1, 0, 0]);
  });

  it("is not resumed where the server echoes the ID but goes on with a full handshake", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(12)));
    proxy.handshake([
      client(clientHello({ sessionId: sessionId(12) })),
      server(serverHello({ sessionId: sessionId(12) }), certificate(), serverHelloDone()),
      client(clientKeyExchange(), changeCipherSpec(), finished()),
      server(changeCipherSpec(), finished()),
    ]);
    assert.equal(proxy.stat("hits"), 0);
  });

  it("replaces the record when a server issues the same ID again", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(13), { sni: "a.example" }), "10.0.0.7:443");
    proxy.host.pass(10);
    proxy.handshake(fullWithId(sessionId(13), { sni: "b.example" }), "10.0.0.8:443");
    const { sni, time, upstream } = proxy.session(sessionId(13));
    assert.deepEqual([sni, upstream], ["b.example", "10.0.0.8:443"]);
    assert.ok(time >= proxy.host.clock.seconds - 1);
    assert.equal(proxy.stat("replaces"), 1);
  });

  it("is not stored when the server issues none", async () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(Buffer.alloc(0)));
    assert.equal(await proxy.number(), 0);
    assert.equal(proxy.stat("accept_good"), 1);
  });

  for (const [version, name] of [
    [0x0300, "SSLv3"],
    [0x0301, "TLSv1"],
    [0x0302, "TLSv1.1"],
    [0x0303, "TLSv1.2"],
  ] as const) {
    it(`has the protocol ${name} where the server chose it`, () => {
      const proxy = new Proxy();
      proxy.handshake(fullWithId(sessionId(14), { version }));
      assert.equal(proxy.session(sessionId(14)).protocol, name);
    });
  }

  it("has a cipher that is not registered as a number", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(15), { cipher: 0xfafa }));
    assert.equal(proxy.session(sessionId(15)).cipher?.toLowerCase(), "0xfafa");
  });

  it("is found by every worker", () => {
    const proxy = new Proxy({ workers: 3 });
    proxy.handshake(fullWithId(sessionId(16)), "10.0.0.7:443", proxy.on(2));
    for (const worker of proxy.workers) assert.equal(proxy.get(sessionId(16), worker).status, 200);
  });

  it("may be as short as one byte", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(Buffer.of(0)));
    assert.equal(proxy.session("00").id, "00");
  });

  it("has a server name with quotes and backslashes as it is", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(17), { sni: '"},{"id":"\\x' }));
    const { sni } = proxy.session(sessionId(17));
    assert.ok(sni === null || sni === '"},{"id":"\\x');
  });
});

describe("a handshake that does not complete", () => {
  const flights = fullWithId(sessionId(20));

  it("stores nothing, wherever the connection is cut off", async () => {
    const proxy = new Proxy();
    const pieces = cut(flights, 37);
    for (let length = 0; length < pieces.length; length++) proxy.handshake(pieces.slice(0, length));
    assert.equal(await proxy.number(), 0);
    assert.equal(proxy.stat("accept_good"), 0);
  });

  it("stores nothing after a fatal alert, once the server has answered", async () => {
    const proxy = new Proxy();
    for (const from of ["client", "server"] as const) {
      for (let length = from === "client" ? 2 : 1; length < flights.length; length++) {
        const broken: Flight[] = [...flights.slice(0, length), { from, bytes: alert(2, 40) }, ...flights.slice(length)];
        proxy.handshake(broken);
      }
    }
    assert.equal(await proxy.number(), 0);
  });

  it("stores nothing when an alert comes in place of the last Finished", async () => {
    const proxy = new Proxy();
    const encryptedAlert = record(0x15, Buffer.alloc(26, 0xaa));
    proxy.handshake([...flights.slice(0, 3), server(changeCipherSpec(), encryptedAlert)]);
    assert.equal(await proxy.number(), 0);
  });
});

describe("a TLS 1.2 ticket", () => {
  const first = ticket("key one", 1);

  it("is learned under its SHA-256, with its key name and lifetime", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithTicket(first, { sni: "t.example", lifetimeHintSeconds: 300 }));
    const session = proxy.session(sha256(first));
    assert.deepEqual(
      [session.kind, session.protocol, session.sni, session.ticket_key, session.timeout, session.origin],
      ["ticket", "TLSv1.2", "t.example", hex(first.subarray(0, 16)), 300, "observed"],
    );
  });

  it("has the default timeout for a lifetime hint of 0, and at most a week for a long one", () => {
    for (const [hint, timeout] of [
      [0, 7200],
      [1, 1],
      [604800, 604800],
      [604801, 604800],
      [0xffffffff, 604800],
    ] as const) {
      const proxy = new Proxy();
      proxy.handshake(fullWithTicket(first, { lifetimeHintSeconds: hint }));
      assert.equal(proxy.session(sha256(first)).timeout, timeout, `hint ${hint}`);
    }
  });

  it("is one session with the ID that the server issues beside it: two rows that share a name", async () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithTicket(first, { sessionId: sessionId(30) }));
    assert.equal(await proxy.number(), 2);
    const [asTicket, asId] = [proxy.session(sha256(first)), proxy.session(sessionId(30))];
    assert.deepEqual([asTicket.kind, asId.kind], ["ticket", "id"]);
    assert.match(asTicket.session ?? "", /^[0-9a-f]{16}$/);
    assert.equal(asId.session, asTicket.session);
  });

  it("counts a hit when it is resumed; the session ID that its client made up is not stored", async () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithTicket(first));
    proxy.handshake(resumedByTicket(first));
    assert.equal(proxy.session(sha256(first)).hits, 1);
    assert.deepEqual([await proxy.number(), proxy.stat("hits"), proxy.stat("misses")], [1, 1, 0]);
  });

  it("is learned from a resumption if it was not held", () => {
    const proxy = new Proxy();
    proxy.handshake(resumedByTicket(first));
    const { kind, ticket_key } = proxy.session(sha256(first));
    assert.deepEqual([kind, ticket_key], ["ticket", hex(first.subarray(0, 16))]);
    assert.equal(proxy.stat("misses"), 1);
  });

  it("is learned too when a resumption renews it", async () => {
    const proxy = new Proxy();
    const renewed = ticket("key one", 2);
    proxy.handshake(fullWithTicket(first));
    proxy.handshake(resumedByTicket(first, { renewed }));
    assert.equal(proxy.session(sha256(first)).hits, 1);
    assert.equal(proxy.session(sha256(renewed)).kind, "ticket");
    assert.equal(await proxy.number(), 2);
  });

  it("counts as declined and lost when another upstream declines it", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithTicket(first), "10.0.0.7:443");
    proxy.handshake(declinedTicket(first), "10.0.0.8:443");
    assert.deepEqual([proxy.stat("declined"), proxy.stat("lost"), proxy.stat("hits")], [1, 1, 0]);
  });

  it("has no key name when it is shorter than 16 bytes", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithTicket(Buffer.alloc(15, 3)));
    assert.equal(proxy.session(sha256(Buffer.alloc(15, 3))).ticket_key, null);
  });

  it("is not stored when it is empty", async () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithTicket(Buffer.alloc(0)));
    assert.equal(await proxy.number(), 0);
  });
});

describe("a rush of resumptions", () => {
  const MANY = 400;

  it("counts each of them as any other", () => {
    const proxy = new Proxy();
    const mine = ticket("key", 1);
    proxy.handshake(fullWithTicket(mine));
    for (let i = 0; i < MANY; i++) proxy.handshake(resumedByTicket(mine));
    proxy.host.pass(1);
    assert.equal(proxy.session(sha256(mine)).hits, MANY);
    assert.equal(proxy.stat("hits"), MANY);
    assert.equal(ticketKey(proxy).tickets, MANY + 1);
  });

  it("shows soon that servers share a ticket key", () => {
    const proxy = new Proxy();
    const mine = ticket("key", 1);
    proxy.handshake(fullWithTicket(mine), "10.0.0.7:443");
    for (let i = 0; i < MANY; i++) proxy.handshake(resumedByTicket(mine), "10.0.0.7:443");
    assert.equal(ticketKey(proxy).state, "learned");
    for (let i = 0; i < 8; i++) proxy.handshake(resumedByTicket(mine), "10.0.0.8:443");
    assert.equal(ticketKey(proxy).state, "shared");
  });

  it("learns who has answered where that is not known yet", () => {
    const proxy = new Proxy();
    const mine = ticket("key", 1);
    proxy.handshake(fullWithTicket(mine));
    for (let i = 0; i < MANY; i++) proxy.handshake(resumedByTicket(mine));
    // Under the same key: one that was never seen, and one that was added by hand without its issuer.
    const [unseen, added] = [ticket("key", 2), ticket("key", 3)];
    assert.equal(proxy.put(sha256(added), { kind: "ticket" }).status, 201);
    for (const other of [unseen, added]) {
      proxy.handshake(resumedByTicket(other), "10.0.0.8:443");
      assert.equal(proxy.session(sha256(other)).upstream, "10.0.0.8:443");
    }
  });

  function ticketKey(proxy: Proxy): Record<string, unknown> {
    const { ticket_keys: keys } = proxy.request("GET", "/v1/ticket-keys").json as unknown as {
      ticket_keys: Record<string, unknown>[];
    };
    assert.equal(keys.length, 1);
    return keys[0] ?? {};
  }
});

describe("a TLS 1.3 PSK", () => {
  const identity = ticket("key 13", 1);

  it("is learned when it is accepted: a full handshake shows nothing to store", async () => {
    const proxy = new Proxy();
    proxy.handshake(tls13([], { sni: "p.example" }));
    assert.deepEqual([await proxy.number(), proxy.stat("misses")], [0, 0]);
    proxy.handshake(tls13([identity], { sni: "p.example", selected: 0 }));
    const session = proxy.session(sha256(identity));
    assert.deepEqual(
      [session.kind, session.protocol, session.cipher, session.sni, session.ticket_key],
      ["psk", "TLSv1.3", "TLS_AES_128_GCM_SHA256", "p.example", hex(identity.subarray(0, 16))],
    );
    assert.deepEqual([await proxy.number(), proxy.stat("hits"), proxy.stat("misses")], [1, 0, 1]);
  });

  it("counts a hit when it is accepted again", () => {
    const proxy = new Proxy();
    for (let i = 0; i < 3; i++) proxy.handshake(tls13([identity], { selected: 0 }));
    assert.equal(proxy.session(sha256(identity)).hits, 2);
    assert.equal(proxy.stat("hits"), 2);
  });

  it("is committed at its acceptance", () => {
    const proxy = new Proxy();
    proxy.handshake(tls13([identity], { selected: 0 }).slice(0, 2));
    assert.equal(proxy.get(sha256(identity)).status, 200);
  });

  it("is the identity that the server selected; the others do not count", async () => {
    const proxy = new Proxy();
    const others = [ticket("key 13", 2), ticket("key 13", 3)];
    proxy.handshake(tls13([others[0] as Buffer, identity, others[1] as Buffer], { selected: 1 }));
    assert.equal(proxy.session(sha256(identity)).kind, "psk");
    assert.deepEqual([await proxy.number(), proxy.stat("misses")], [1, 1]);
  });

  it("leaves the session ID of compatibility mode alone: it is neither stored nor a miss nor a hit", async () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(40)));
    proxy.handshake(tls13([], { sessionId: sessionId(40) }));
    proxy.handshake(tls13([], { sessionId: sessionId(41) }));
    proxy.handshake(tls13([identity], { sessionId: sessionId(42), selected: 0 }));
    assert.deepEqual([await proxy.number(), proxy.stat("hits"), proxy.stat("misses")], [2, 0, 1]);
  });

  it("is learned from a handshake with early data", () => {
    const proxy = new Proxy();
    proxy.handshake(tls13([identity], { selected: 0, earlyData: true }));
    assert.equal(proxy.session(sha256(identity)).kind, "psk");
  });

  it("has no key name when it is shorter than 16 bytes", () => {
    const proxy = new Proxy();
    proxy.handshake(tls13([Buffer.alloc(15, 9)], { selected: 0 }));
    assert.equal(proxy.session(sha256(Buffer.alloc(15, 9))).ticket_key, null);
  });

  it("is nothing to store where the server selects one that was not offered", async () => {
    const proxy = new Proxy();
    proxy.handshake(tls13([identity], { selected: 5 }));
    assert.equal(await proxy.number(), 0);
  });
});

describe("a session that was added by hand", () => {
  it("takes what was unknown from its first resumption, and keeps what was known", () => {
    const proxy = new Proxy();
    proxy.put(sessionId(50), { sni: "told.example" });
    const before = proxy.session(sessionId(50));
    proxy.host.pass(5);
    proxy.handshake(resumedById(sessionId(50), { sni: "seen.example" }));
    const after = proxy.session(sessionId(50));
    assert.deepEqual(
      [after.sni, after.protocol, after.cipher, after.origin, after.time, after.hits],
      ["told.example", "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "api", before.time, 1],
    );
  });

  it("keeps its hits when it is replaced by hand", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(51)));
    proxy.handshake(resumedById(sessionId(51)));
    proxy.host.pass(5);
    const { json } = proxy.put(sessionId(51), { sni: "new.example" });
    assert.equal(json.outcome, "replaced");
    assert.deepEqual([json.session?.hits, json.session?.origin], [1, "api"]);
    assert.equal(json.session?.time, proxy.host.clock.seconds);
  });
});

describe("a session that was removed", () => {
  it("is not taken up again by a resumption, nor by a new issue of the same ID", async () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(60)));
    proxy.delete(sessionId(60));
    proxy.handshake(resumedById(sessionId(60)));
    assert.equal(proxy.get(sessionId(60)).status, 410);
    proxy.handshake(fullWithId(sessionId(60)));
    assert.equal(proxy.get(sessionId(60)).status, 410);
    assert.equal(await proxy.number(), 0);
  });

  it("is not taken up again when it is a ticket or a PSK", async () => {
    const proxy = new Proxy();
    const one = ticket("key", 61);
    const two = ticket("key", 62);
    proxy.delete(sha256(one));
    proxy.delete(sha256(two));
    proxy.handshake(resumedByTicket(one));
    proxy.handshake(tls13([two], { selected: 0 }));
    assert.deepEqual([proxy.get(sha256(one)).status, proxy.get(sha256(two)).status], [410, 410]);
    assert.equal(await proxy.number(), 0);
  });

  it("is not taken up again by a handshake that had begun before", () => {
    const proxy = new Proxy();
    const flights = fullWithId(sessionId(63));
    for (let length = 1; length < flights.length; length++) {
      proxy.put(sessionId(63));
      const connection = proxy.worker.connection({ upstream: "10.0.0.7:443" }).exchange(flights.slice(0, length));
      proxy.delete(sessionId(63), proxy.on(1));
      connection.exchange(flights.slice(length));
      assert.equal(proxy.get(sessionId(63)).status, 410, `removed after ${length} flights`);
    }
  });
});

describe("traffic", () => {
  const exchanges: Record<string, Flight[]> = {
    "a full handshake": fullWithId(sessionId(70)),
    "a resumption": resumedById(sessionId(70)),
    "a ticket": fullWithTicket(ticket("key", 70)),
    "TLS 1.3": tls13([ticket("key", 71)], { selected: 0, earlyData: true }),
    "plain HTTP": [
      client(Buffer.from("GET / HTTP/1.1\r\n\r\n")),
      server(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")),
    ],
    "SSH, where the server speaks first": [server(Buffer.from("SSH-2.0-x\r\n")), client(Buffer.from("SSH-2.0-y\r\n"))],
    "a hello of SSLv2": [client(Buffer.from("802e0100020015000000100700c0", "hex")), server(Buffer.alloc(50))],
    zeros: [client(Buffer.alloc(3000)), server(Buffer.alloc(3000))],
    "a broken hello": [client(record(0x16, Buffer.from("0100000401020304", "hex"))), server(Buffer.alloc(9, 0x16))],
    "a full handshake and much data behind": [
      ...fullWithId(sessionId(72)),
      ...Array.from({ length: 50 }, () => server(applicationData(16384))),
      client(applicationData(100)),
    ],
  };
  for (const [name, flights] of Object.entries(exchanges)) {
    it(`passes untouched and at once: ${name}`, () => {
      for (const pieceBytes of [1, 100, 1_000_000]) {
        const connection = new Proxy({ workers: 1 }).worker.connection({ upstream: "10.0.0.7:443" });
        const expected = { client: Buffer.alloc(0), server: Buffer.alloc(0) };
        const limited = pieceBytes === 1 ? flights.slice(0, 6) : flights;
        for (const piece of cut(limited, pieceBytes)) {
          connection.exchange([piece]);
          const passed = piece.from === "client" ? connection.toServer : connection.toClient;
          // What follows a hello that cannot be read waits until it is known to be no resumption.
          if (name !== "a broken hello" || piece.from === "client") {
            assert.deepEqual(
              passed.at(-1),
              Buffer.from(piece.bytes),
              "each piece is passed on before the next one comes",
            );
          }
          if (pieceBytes > 1) expected[piece.from] = Buffer.concat([expected[piece.from], piece.bytes]);
        }
        if (pieceBytes > 1) {
          assert.deepEqual(Buffer.concat(connection.toServer), expected.client);
          assert.deepEqual(Buffer.concat(connection.toClient), expected.server);
        }
        connection.close();
      }
    });
  }
});

describe("the metrics", () => {
  it("count handshakes by protocol and outcome", () => {
    const proxy = new Proxy();
    const one = ticket("key", 80);
    proxy.handshake(fullWithId(sessionId(80)));
    proxy.handshake(resumedById(sessionId(80)));
    proxy.handshake(resumedById(sessionId(80)));
    proxy.handshake(fullWithTicket(one));
    proxy.handshake(resumedByTicket(one));
    proxy.handshake(tls13([]));
    proxy.handshake(tls13([one], { selected: 0 }));
    const count = (protocol: string, outcome: string): number =>
      proxy.host.metrics.value(
        `tls_session_cache_handshakes_total.cache.default.protocol.${protocol}.outcome.${outcome}`,
      );
    assert.deepEqual(
      {
        full12: count("TLSv1.2", "full"),
        byId: count("TLSv1.2", "resumed_id"),
        byTicket: count("TLSv1.2", "resumed_ticket"),
        full13: count("TLSv1.3", "full"),
        byPsk: count("TLSv1.3", "resumed_psk"),
      },
      { full12: 2, byId: 2, byTicket: 1, full13: 1, byPsk: 1 },
    );
  });

  it("count malformed input by kind of error, and other protocols not as an error", () => {
    const proxy = new Proxy();
    proxy.handshake([client(Buffer.from("GET / HTTP/1.1\r\n\r\n"))]);
    assert.equal(proxy.host.metric("parse_errors_total"), 0);
    proxy.handshake([client(record(0x16, Buffer.from("0100000401020304", "hex")))]);
    assert.equal(proxy.host.metric("parse_errors_total"), 1);
    assert.equal(proxy.host.metric("parse_errors_total", ".error."), 1);
  });

  it("all have one prefix and are fit for Prometheus", () => {
    const proxy = new Proxy();
    const names = proxy.host.metrics.names();
    assert.ok(names.length > 10);
    for (const name of names) assert.match(name, /^tls_session_cache_[a-z0-9_]+(\.[a-z]+\.[A-Za-z0-9_.]+)*$/);
  });

  it("keep the number of sessions as a gauge that is exact", async () => {
    const proxy = new Proxy();
    for (let i = 0; i < 10; i++) proxy.put(sessionId(90 + i));
    for (let i = 0; i < 4; i++) proxy.delete(sessionId(90 + i));
    for (let i = 0; i < 4; i++) proxy.delete(sessionId(90 + i));
    assert.equal(await proxy.number(), 6);
    const gauge = proxy.host.metrics.names().find((name) => /^tls_session_cache_sessions\b/.test(name)) ?? "";
    assert.equal(proxy.host.metrics.value(gauge), 6, `gauge "${gauge}" of ${proxy.host.metrics.names().join(" ")}`);
  });

  it("count started and finished handshakes", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(95)));
    proxy.handshake(fullWithId(sessionId(96)).slice(0, 2));
    assert.deepEqual([proxy.stat("accept"), proxy.stat("accept_good")], [2, 1]);
  });
});
