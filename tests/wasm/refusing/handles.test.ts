/**
 * The handles of a session, over the wire: its ID, its ticket, a renewed ticket, a ticket with bytes behind it are one session, and
 * removing any of them refuses all that were seen. What a client has made up beside them is none.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Flight } from "../../fake_host/fake_host.ts";
import { assertPassed, isRefused, refusals, run } from "../../fake_host/passage.ts";
import { Proxy } from "../../fake_host/proxy.ts";
import {
  changeCipherSpec,
  client,
  clientHello,
  finished,
  fullWithId,
  fullWithTicket,
  newSessionTicket,
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
const RENEWED = ticket("key", 2);
const JUNK = Buffer.from("a ticket that nobody has issued, of some length");

describe("a full handshake that issues an ID and a ticket", () => {
  const both = (): Proxy => {
    const proxy = new Proxy({ workers: 1 });
    proxy.handshake(fullWithTicket(TICKET, { sessionId: ID }));
    return proxy;
  };

  it("makes two rows with one `session`", async () => {
    const proxy = both();
    assert.equal(await proxy.number(), 2);
    const { session } = proxy.session(ID);
    assert.match(session ?? "", /^[0-9a-f]{16}$/);
    assert.equal(proxy.session(sha256(TICKET)).session, session);
  });

  for (const [removed, id] of Object.entries({ ID, ticket: sha256(TICKET) })) {
    it(`is removed whole by the removal of its ${removed}: both are refused, alone and together`, () => {
      const proxy = both();
      for (const flights of offers()) assert.ok(!isRefused(proxy, flights));
      const { json } = proxy.delete(id);
      assert.deepEqual([json.result, json.handles], [1, 2]);
      for (const [i, flights] of offers().entries()) assert.ok(isRefused(proxy, flights), `offer ${i}`);
      assert.deepEqual(
        refusals(proxy).map(({ cause }) => cause),
        offers().map(() => "session"),
      );
      assert.ok(!isRefused(proxy, resumedById(sessionId(9))), "others are not disturbed");
    });
  }

  it("is two sessions again for nobody: adding one by hand lifts that one alone", () => {
    const proxy = both();
    proxy.delete(ID);
    proxy.put(ID, { kind: "id" });
    assert.ok(!isRefused(proxy, resumedById(ID)));
    assert.ok(isRefused(proxy, resumedByTicket(TICKET)));
  });
});

describe("a renewed ticket", () => {
  const whichever: Record<string, Buffer> = { first: TICKET, renewed: RENEWED, "renewed again": ticket("key", 3) };
  for (const [name, removed] of Object.entries(whichever)) {
    it(`belongs to the session that it renews: with the ${name} one removed, none of them resumes`, () => {
      const proxy = new Proxy({ workers: 1 });
      proxy.handshake(fullWithTicket(TICKET));
      proxy.handshake(resumedByTicket(TICKET, { renewed: RENEWED }));
      proxy.handshake(resumedByTicket(RENEWED, { renewed: ticket("key", 3) }));
      const names = Object.values(whichever).map((one) => proxy.session(sha256(one)).session);
      assert.equal(new Set(names).size, 1, names.join());
      assert.equal(proxy.delete(sha256(removed)).json.handles, 3);
      for (const one of Object.values(whichever)) assert.ok(isRefused(proxy, resumedByTicket(one)));
    });
  }

  it("belongs to it where the first was never seen to be issued", () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.handshake(resumedByTicket(TICKET, { renewed: RENEWED }));
    proxy.delete(sha256(RENEWED));
    assert.ok(isRefused(proxy, resumedByTicket(TICKET)));
  });

  it("of an ID beside a ticket belongs to that session too", () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.handshake(fullWithTicket(TICKET, { sessionId: ID }));
    proxy.handshake(resumedByTicket(TICKET, { renewed: RENEWED }));
    assert.equal(proxy.delete(ID).json.handles, 3);
    for (const flights of [resumedById(ID), resumedByTicket(TICKET), resumedByTicket(RENEWED)]) {
      assert.ok(isRefused(proxy, flights));
    }
  });

  it("that comes while its session is being removed is refused, too", () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.handshake(fullWithTicket(TICKET));
    const [hello, answer, end] = resumedByTicket(TICKET, { renewed: RENEWED }) as [Flight, Flight, Flight];
    const connection = run(proxy, [hello, answer]);
    proxy.delete(sha256(TICKET));
    connection.exchange([end]).close();
    assert.ok(isRefused(proxy, resumedByTicket(RENEWED)));
  });
});

describe("a renewed ticket, where several handles may have been accepted", () => {
  const odd = longer(rfc5077(32), 12);
  const other = ticket("key", 8);

  it("belongs to a ticket that only looks as if it had bytes behind it, beside an ID that is made up", () => {
    for (const removed of [odd, RENEWED]) {
      const proxy = new Proxy({ workers: 1 });
      proxy.handshake(fullWithTicket(odd));
      proxy.handshake(idBeside(sessionId(77), odd, RENEWED));
      assert.equal(proxy.session(sha256(odd)).hits, 1);
      assert.equal(proxy.delete(sha256(removed)).json.handles, 2);
      for (const one of [odd, RENEWED]) assert.ok(isRefused(proxy, resumedByTicket(one)));
    }
  });

  it("belongs to the shorter ticket that has bytes behind it", () => {
    for (const removed of [rfc5077(32), RENEWED]) {
      const proxy = new Proxy({ workers: 1 });
      proxy.handshake(fullWithTicket(rfc5077(32)));
      proxy.handshake(idBeside(sessionId(77), odd, RENEWED));
      assert.equal(proxy.delete(sha256(removed)).json.handles, 2);
      for (const one of [odd, rfc5077(32), RENEWED]) assert.ok(isRefused(proxy, resumedByTicket(one)));
    }
  });

  it("belongs to a ticket that is not held and made itself known later, beside an ID that is made up", () => {
    for (const removed of [TICKET, RENEWED]) {
      const proxy = new Proxy({ workers: 1 });
      proxy.handshake(idBeside(sessionId(77), TICKET, RENEWED));
      assert.equal(proxy.get(sha256(TICKET)).status, 404, "nothing is learned of it");
      proxy.handshake(resumedByTicket(TICKET, { renewed: ticket("key", 3) }));
      assert.equal(proxy.delete(sha256(removed)).json.handles, 3);
      for (const one of [TICKET, RENEWED, ticket("key", 3)]) assert.ok(isRefused(proxy, resumedByTicket(one)));
    }
  });

  it("belongs to ID and ticket alike if neither has another handle, as after an import", () => {
    for (const removed of [ID, sha256(TICKET), sha256(RENEWED)]) {
      const proxy = new Proxy({ workers: 1 });
      proxy.put(ID, { kind: "id" });
      proxy.put(sha256(TICKET), { kind: "ticket" });
      const flights = idBeside(ID, TICKET, RENEWED);
      assertPassed(run(proxy, flights), flights);
      assert.equal(proxy.delete(removed).json.handles, 3);
      for (const one of [resumedById(ID), resumedByTicket(TICKET), resumedByTicket(RENEWED)]) {
        assert.ok(isRefused(proxy, one));
      }
    }
  });

  it("does not come, if they are of two sessions: it would outlive the removal of either", () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.handshake(fullWithTicket(TICKET, { sessionId: ID }));
    proxy.handshake(fullWithTicket(other));
    assert.ok(!isRefused(proxy, idBeside(ID, other)), "without a new ticket, both are as they were");
    assert.ok(isRefused(proxy, idBeside(ID, other, RENEWED)));
    assert.deepEqual(
      refusals(proxy).map(({ cause }) => cause),
      ["unfollowed"],
    );
    assert.equal(proxy.get(sha256(RENEWED)).status, 404);
    assert.ok(!isRefused(proxy, resumedByTicket(other, { renewed: RENEWED })), "alone, the ticket is renewed");
  });

  it("does not come in pieces either", () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.handshake(fullWithTicket(TICKET, { sessionId: ID }));
    proxy.handshake(fullWithTicket(other));
    const [hello, answer, end] = idBeside(ID, other, RENEWED) as [Flight, Flight, Flight];
    const pieces = [answer.bytes.subarray(0, 60), answer.bytes.subarray(60)].map((bytes) => ({ ...answer, bytes }));
    assert.ok(isRefused(proxy, [hello, ...pieces, end]));
  });

  it("under `observe` goes through, and belongs to the ticket", () => {
    const proxy = new Proxy({ workers: 1 });
    assert.equal(proxy.request("PUT", "/v1/enforcement", { body: { enforcement: "observe" } }).status, 200);
    proxy.handshake(fullWithTicket(TICKET, { sessionId: ID }));
    proxy.handshake(fullWithTicket(other));
    const flights = idBeside(ID, other, RENEWED);
    assertPassed(run(proxy, flights), flights);
    assert.equal(proxy.session(sha256(RENEWED)).session, proxy.session(sha256(other)).session);
    assert.notEqual(proxy.session(sha256(RENEWED)).session, proxy.session(ID).session);
  });
});

describe("a session ID beside a ticket that was made up", () => {
  it("is refused where it was removed", () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.handshake(fullWithId(ID));
    proxy.delete(ID);
    assert.ok(isRefused(proxy, idBeside(ID, JUNK)));
    assert.deepEqual(
      refusals(proxy).map(({ cause }) => cause),
      ["session"],
    );
  });

  it("resumes where it was not, and counts for the ID; nothing is learned of the ticket, nor of a key", async () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.handshake(fullWithId(ID));
    const flights = idBeside(ID, JUNK);
    assertPassed(run(proxy, flights), flights);
    assert.equal(proxy.session(ID).hits, 1);
    assert.equal(proxy.get(sha256(JUNK)).status, 404);
    assert.equal(await proxy.number(), 1);
    assert.deepEqual(proxy.request("GET", "/v1/ticket-keys").json.ticket_keys, []);
  });

  it("is learned by none of the two where neither is held", async () => {
    const proxy = new Proxy({ workers: 1 });
    const flights = idBeside(ID, JUNK);
    assertPassed(run(proxy, flights), flights);
    assert.equal(await proxy.number(), 0);
    assert.deepEqual(proxy.request("GET", "/v1/ticket-keys").json.ticket_keys, []);
  });

  it("that is the SHA-256 of it counts for the ticket", () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.handshake(fullWithTicket(TICKET));
    assert.ok(!isRefused(proxy, idBeside(sha256(TICKET), TICKET)));
    assert.equal(proxy.session(sha256(TICKET)).hits, 1);
    proxy.delete(sha256(TICKET));
    assert.ok(isRefused(proxy, idBeside(sha256(TICKET), TICKET)));
  });

  it("that is random, beside a ticket that is held, counts for the ticket, and no ID is learned", async () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.handshake(fullWithTicket(TICKET));
    const flights = idBeside(sessionId(77), TICKET);
    assertPassed(run(proxy, flights), flights);
    assert.equal(proxy.session(sha256(TICKET)).hits, 1);
    assert.equal(proxy.get(sessionId(77)).status, 404);
    assert.equal(await proxy.number(), 1);
    proxy.delete(sha256(TICKET));
    assert.ok(isRefused(proxy, flights));
  });
});

describe("a ticket that only looks as if it had bytes behind it", () => {
  const odd = longer(rfc5077(32), 12);

  it("counts its hits, as it is held and the other is not", () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.handshake(fullWithTicket(odd));
    for (let hits = 1; hits <= 3; hits++) {
      assert.ok(!isRefused(proxy, resumedByTicket(odd)));
      assert.equal(proxy.session(sha256(odd)).hits, hits);
    }
  });

  it("resumes while a server name is revoked, and under strict, as a server was seen to issue it as it is", () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.handshake(fullWithTicket(odd, { sni: "shop.example" }));
    assert.equal(proxy.request("PUT", "/v1/revocations/other.example").status, 201);
    assert.ok(!isRefused(proxy, resumedByTicket(odd)));
    assert.equal(proxy.request("PUT", "/v1/enforcement", { body: { enforcement: "strict" } }).status, 200);
    assert.ok(!isRefused(proxy, resumedByTicket(odd)));
    const unseen = longer(rfc5077(32, 9), 12);
    assert.ok(isRefused(proxy, resumedByTicket(unseen)));
  });

  it("is refused if the shorter one was removed, though it was issued itself", () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.handshake(fullWithTicket(odd));
    proxy.delete(sha256(rfc5077(32)));
    assert.ok(isRefused(proxy, resumedByTicket(odd)));
  });

  for (const [name, flights] of [
    ["", resumedByTicket(odd)],
    [", as a PSK", tls13([odd], { selected: 0 })],
  ] as const) {
    it(`is refused for its own removal, though another reason holds for the shorter one${name}`, () => {
      const proxy = new Proxy({ workers: 1 });
      proxy.handshake(fullWithTicket(odd, { sni: "shop.example" }));
      proxy.delete(sha256(odd));
      assert.equal(proxy.request("PUT", "/v1/revocations/other.example").status, 201);
      assert.ok(isRefused(proxy, flights));
      assert.equal(proxy.request("PUT", "/v1/enforcement", { body: { enforcement: "strict" } }).status, 200);
      assert.ok(isRefused(proxy, flights));
      assert.deepEqual(
        refusals(proxy).map(({ cause }) => cause),
        ["session", "session"],
      );
    });
  }

  it("counts none where both are held, as nobody can tell which was meant", () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.handshake(fullWithTicket(odd));
    proxy.handshake(fullWithTicket(rfc5077(32)));
    assert.ok(!isRefused(proxy, resumedByTicket(odd)));
    assert.equal(proxy.session(sha256(odd)).hits, 0);
  });
});

describe("a ticket with bytes behind it", () => {
  for (const mac of [20, 32]) {
    it(`is refused where the ticket was removed; MAC of ${mac} bytes`, () => {
      const plain = rfc5077(mac);
      const proxy = new Proxy({ workers: 1 });
      proxy.handshake(fullWithTicket(plain));
      for (const behind of [1, 2, 12, 100]) assert.ok(!isRefused(proxy, resumedByTicket(longer(plain, behind))));
      proxy.delete(sha256(plain));
      assert.ok(isRefused(proxy, resumedByTicket(plain)));
      for (const behind of [1, 2, 12, 31, 100, 5000]) {
        assert.ok(isRefused(proxy, resumedByTicket(longer(plain, behind))), `${behind} bytes behind`);
      }
      assert.ok(!isRefused(proxy, resumedByTicket(rfc5077(mac, 9))), "another one is not disturbed");
    });

    it(`is refused as a PSK, too; MAC of ${mac} bytes`, () => {
      const plain = rfc5077(mac);
      const proxy = new Proxy({ workers: 1 });
      proxy.delete(sha256(plain));
      for (const behind of [0, 1, 2, 31, 100]) {
        const offered = [ticket("other", 1), longer(plain, behind)];
        assert.ok(isRefused(proxy, tls13(offered, { selected: 1 })), `${behind} bytes behind`);
        assert.ok(!isRefused(proxy, tls13(offered, { selected: 0 })), "the other one was accepted");
      }
    });

    it(`is not learned as a session of its own; MAC of ${mac} bytes`, async () => {
      const plain = rfc5077(mac);
      const proxy = new Proxy({ workers: 1 });
      proxy.handshake(fullWithTicket(plain));
      proxy.handshake(resumedByTicket(longer(plain, 3)));
      assert.equal(proxy.get(sha256(longer(plain, 3))).status, 404);
      assert.equal(await proxy.number(), 1);
    });
  }
});

/** An abbreviated handshake of a client that offers a session ID and a ticket; the server echoes the ID. */
function idBeside(id: Buffer, offered: Buffer, renewed?: Buffer): Flight[] {
  const renewal = renewed === undefined ? [] : [newSessionTicket(renewed, 7200)];
  return [
    client(clientHello({ sessionId: id, ticket: offered })),
    server(serverHello({ sessionId: id, ticket: renewal.length > 0 }), ...renewal, changeCipherSpec(), finished()),
    client(changeCipherSpec(), finished()),
  ];
}

/** The session's handles, alone and together, from a client that makes its ID up, and from one that does not. */
function offers(): Flight[][] {
  const renewing = [
    client(clientHello({ sessionId: ID, ticket: TICKET })),
    server(serverHello({ sessionId: ID, ticket: true }), newSessionTicket(TICKET, 60), changeCipherSpec(), finished()),
    client(changeCipherSpec(), finished()),
  ];
  return [
    resumedById(ID),
    resumedByTicket(TICKET),
    idBeside(ID, TICKET),
    idBeside(sessionId(5), TICKET),
    idBeside(ID, JUNK),
    renewing,
  ];
}

/** RFC 5077 4: key name, IV, encrypted state with its length in front, MAC. */
function rfc5077(mac: number, number = 1): Buffer {
  const state = Buffer.alloc(100 + number, number);
  return Buffer.concat([
    Buffer.alloc(16, 0x4b),
    Buffer.alloc(16, number),
    Buffer.of(0, state.length),
    state,
    Buffer.alloc(mac, 0xac),
  ]);
}

function longer(ticket: Buffer, by: number): Buffer {
  return Buffer.concat([ticket, Buffer.alloc(by, 0x2a)]);
}
