/**
 * What a client can make the cache believe, on the built module: only what a server's own bytes say. A liar has sessions of its own,
 * and has seen tickets and IDs of others, which go in clear.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Session } from "../../support/answer.ts";
import type { Flight } from "../../fake_host/fake_host.ts";
import { Proxy } from "../../fake_host/proxy.ts";
import {
  changeCipherSpec,
  client,
  clientHello,
  declinedTicket,
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

const A = "10.0.0.1:443";
const B = "10.0.0.2:443";

describe("a client that offers its own session ID beside a ticket that it has made up", () => {
  /** Each way in which a server that goes by IDs may answer. */
  const lies: Record<string, (made: Buffer, own: Buffer) => Flight[]> = {
    "where the server echoes the ID": (made, own) => echo({ ticket: made, sessionId: own }),
    "where the server renews with a ticket of its own": (made, own) =>
      echo({ ticket: made, sessionId: own }, newSessionTicket(ticket("key of B", 9), 7200)),
    "where the ID is shorter than most": (made, own) => echo({ ticket: made, sessionId: own.subarray(0, 16) }),
  };
  for (const [how, lie] of Object.entries(lies)) {
    for (const held of [true, false]) {
      const known = held ? "held" : "not held";
      it(`teaches nothing about the key, before and after its server is known: ${how}, its own session ${known}`, () => {
        const proxy = new Proxy();
        const own = sessionId(1);
        if (held) {
          proxy.handshake(fullWithId(own), B);
          proxy.handshake(fullWithId(own.subarray(0, 16)), B);
        }
        for (let i = 0; i < 20; i++) proxy.handshake(lie(ticket("key of A", 100 + i), own), B);
        assert.equal(keyOf(proxy, "key of A"), undefined, "nobody knows whose it is");

        proxy.handshake(tls13([ticket("key of A", 1)], { selected: 0 }), A);
        assert.deepEqual(keyOf(proxy, "key of A"), ["learned", A]);
        for (let i = 0; i < 100; i++) {
          proxy.handshake(lie(ticket("key of A", 200 + i), own), B);
          proxy.host.pass(1);
        }
        assert.deepEqual(keyOf(proxy, "key of A"), ["learned", A]);
      });
    }
  }

  it("teaches nothing by what a server declines", () => {
    const proxy = new Proxy();
    proxy.handshake(tls13([ticket("key of A", 1)], { selected: 0 }), A);
    proxy.handshake(declinedTicket(ticket("key of A", 3)), B);
    proxy.handshake(tls13([ticket("key of A", 4)]), B);
    assert.deepEqual(keyOf(proxy, "key of A"), ["learned", A]);
  });

  it("is told from one whose ticket alone explains the acceptance", () => {
    const proxy = new Proxy();
    proxy.handshake(tls13([ticket("key", 1)], { selected: 0 }), A);
    proxy.handshake(resumedByTicket(ticket("key", 2)), B);
    assert.deepEqual(keyOf(proxy, "key"), ["shared", A]);
  });
});

describe("a client that offers what it has seen of another beside a session of its own that is not held", () => {
  it("neither changes the other's record, but for a hit, nor gives it to another server", () => {
    for (const fields of [{}, { sni: "told.example" }, { upstream: A }]) {
      const proxy = new Proxy();
      const seen = ticket("key of A", 1);
      proxy.put(sha256(seen), { kind: "ticket", ...fields });
      const before = proxy.session(sha256(seen));
      proxy.handshake(echo({ ticket: seen, sessionId: sessionId(1), sni: "liar.example" }), B);
      assert.deepEqual(unused(proxy.session(sha256(seen))), unused(before));
    }
  });

  it("does not either where it is an ID that it has seen, beside a ticket of its own", () => {
    const proxy = new Proxy();
    const own = ticket("key of B", 1);
    proxy.put(sessionId(1), {});
    const before = proxy.session(sessionId(1));
    proxy.handshake(echo({ ticket: own, sessionId: sessionId(1), sni: "liar.example" }), B);
    assert.deepEqual(unused(proxy.session(sessionId(1))), unused(before));
    assert.equal(keyOf(proxy, "key of B"), undefined);
    assert.equal(proxy.get(sha256(own)).status, 404);
  });

  it("does not make a server count as one that resumes", () => {
    const proxy = new Proxy();
    const seen = ticket("key of A", 1);
    proxy.handshake(fullWithTicket(seen), A);
    for (let i = 0; i < 16; i++) proxy.handshake(declinedTicket(seen), A);
    assert.deepEqual(neverResume(proxy), [A]);
    proxy.handshake(echo({ ticket: seen, sessionId: sessionId(1) }), B);
    assert.deepEqual(neverResume(proxy), [A]);
  });
});

describe("a session that was put in by hand without a server name", () => {
  it("stays without: the name that a resumption shows is the client's word; all else is filled in", () => {
    const proxy = new Proxy();
    const mine = ticket("key", 1);
    const psk = ticket("key 13", 1);
    proxy.put(sessionId(1), {});
    proxy.put(sha256(mine), { kind: "ticket" });
    proxy.put(sha256(psk), { kind: "psk" });
    const options = { sni: "client.example" };
    for (let i = 0; i < 2; i++) {
      proxy.handshake(resumedById(sessionId(1), options), A);
      proxy.handshake(resumedByTicket(mine, options), A);
      proxy.handshake(tls13([psk], { ...options, selected: 0 }), A);
    }
    for (const id of [sessionId(1), sha256(mine), sha256(psk)]) {
      const { cipher, hits, origin, protocol, sni, upstream } = proxy.session(id);
      assert.deepEqual([sni, upstream, origin, hits], [null, A, "api", 2]);
      assert.ok(cipher !== null && protocol !== null);
    }
    assert.equal(proxy.session(sha256(mine)).ticket_key, nameOf("key"));
  });

  it("is not reached by a revocation of the name that a client has shown", () => {
    const proxy = new Proxy();
    proxy.put(sessionId(1), {});
    proxy.handshake(resumedById(sessionId(1), { sni: "liar.example" }), A);
    proxy.host.pass(2);
    assert.equal(proxy.request("PUT", "/v1/revocations/liar.example").status, 201);
    proxy.handshake(resumedById(sessionId(1), { sni: "shop.example" }), A);
    assert.equal(proxy.stat("refused"), 0);
  });

  it("is another matter than one that was learned: that takes the name which was not known", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(1)), A);
    proxy.handshake(resumedById(sessionId(1), { sni: "client.example" }), A);
    assert.equal(proxy.session(sessionId(1)).sni, "client.example");
  });
});

describe("a server that resumes nothing of what it issues", () => {
  const declinedId = (offered: Buffer, issued: Buffer): Flight[] => fullWithId(issued, { offered });

  it("is found out: what others decline of its sessions is no longer lost", () => {
    const proxy = new Proxy();
    let last = 0;
    proxy.handshake(fullWithId(sessionId(last)), A);
    const next = (upstream: string): void => {
      proxy.handshake(declinedId(sessionId(last), sessionId(last + 1)), upstream, proxy.on(last % 2));
      last++;
    };
    for (let round = 0; round < 16; round++) for (const upstream of [B, B, A, A]) next(upstream);
    assert.deepEqual(neverResume(proxy), [A, B]);
    const lost = proxy.stat("lost");
    assert.ok(lost > 0 && lost <= 32, `${lost} before that was known`);
    assert.equal(byKind(proxy, "resumptions_lost").id, lost);
    for (let round = 0; round < 8; round++) for (const upstream of [B, B, A, A]) next(upstream);
    assert.deepEqual([proxy.stat("lost"), proxy.stat("declined")], [lost, last]);
    assert.equal(byKind(proxy, "resumptions_lost").id, lost);
  });

  it("is found out by its ticket key's name, too", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithTicket(ticket("key of A", 0)), A);
    for (let i = 0; i < 16; i++) {
      proxy.handshake(tls13([ticket("key of A", 100 + i)]), B);
      assert.equal(byKind(proxy, "resumptions_lost").psk, i + 1);
      proxy.handshake(tls13([ticket("key of A", 200 + i)]), A);
    }
    assert.deepEqual(neverResume(proxy), [A]);
    proxy.handshake(tls13([ticket("key of A", 300)]), B);
    assert.equal(byKind(proxy, "resumptions_lost").psk, 16);
  });

  it("is found out sooner where several clients come to it", () => {
    for (const [sources, enough] of [
      [1, 16],
      [2, 8],
      [8, 8],
    ] as const) {
      const proxy = new Proxy();
      proxy.handshake(fullWithId(sessionId(0)), A);
      let declines = 0;
      while (neverResume(proxy).length === 0 && declines < 100) {
        const source = `192.0.2.${declines % sources}:${1000 + declines}`;
        proxy.worker
          .connection({ upstream: A, source })
          .exchange(declinedId(sessionId(declines), sessionId(++declines)))
          .close();
      }
      assert.equal(declines, enough, `${sources} sources`);
    }
  });

  it("is one that resumes from its first acceptance on, of any kind, on all workers", () => {
    for (const accepted of [
      resumedById(sessionId(1)),
      resumedByTicket(ticket("key", 1)),
      tls13([ticket("key", 2)], { selected: 0 }),
    ]) {
      const proxy = new Proxy();
      for (let i = 0; i < 2; i++) proxy.handshake(fullWithId(sessionId(i)), A);
      for (let i = 0; i < 16; i++) proxy.handshake(declinedId(sessionId(0), sessionId(2)), A);
      proxy.handshake(declinedId(sessionId(0), sessionId(3)), B);
      assert.deepEqual([neverResume(proxy), proxy.stat("lost")], [[A], 0]);
      proxy.handshake(accepted, A);
      assert.deepEqual(neverResume(proxy), []);
      for (let i = 0; i < 50; i++) proxy.handshake(declinedId(sessionId(1), sessionId(2)), A, proxy.on(1));
      proxy.handshake(declinedId(sessionId(0), sessionId(3)), B, proxy.on(1));
      assert.deepEqual([neverResume(proxy), proxy.stat("lost")], [[], 1], "and stays one");
    }
  });

  it("is not one that declines what has expired, what is not its own, or what nobody knows", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithTicket(ticket("old", 1), { lifetimeHintSeconds: 60 }), A);
    proxy.handshake(fullWithId(sessionId(1)), B);
    proxy.host.pass(62);
    for (let i = 0; i < 40; i++) {
      proxy.handshake(declinedTicket(ticket("old", 1)), A);
      proxy.handshake(declinedId(sessionId(1), sessionId(2)), A);
      proxy.handshake(tls13([ticket(`unknown ${i}`, 1)]), A);
    }
    assert.deepEqual(neverResume(proxy), []);
  });
});

describe("a session ID in a hello that asks for a ticket", () => {
  /** As Go does, limited to TLS 1.2: an ID of random bytes in each hello. */
  const hello = client(clientHello({ sessionId: sessionId(1), ticket: Buffer.alloc(0) }));

  it("may be made up where the server is going to issue one: not held, it is no offer", () => {
    const proxy = new Proxy();
    proxy.handshake([hello, ...fullWithTicket(ticket("key", 1)).slice(1)], A);
    assert.deepEqual(
      [byKind(proxy, "resumptions_offered").id, proxy.stat("misses"), proxy.stat("accept_good")],
      [0, 0, 1],
    );
  });

  it("counts where it is held, and where the server issues IDs", () => {
    const proxy = new Proxy();
    proxy.handshake([hello, ...fullWithId(sessionId(2)).slice(1)], A);
    assert.deepEqual([byKind(proxy, "resumptions_declined").id, proxy.stat("misses")], [1, 1]);
    proxy.put(sessionId(1), { upstream: B });
    proxy.handshake([hello, ...fullWithTicket(ticket("key", 1)).slice(1)], A);
    assert.deepEqual([proxy.stat("declined"), proxy.stat("lost"), byKind(proxy, "resumptions_lost").id], [1, 1, 1]);
  });
});

/** A server takes up a session, and shows no more of it than the ID that was offered. */
function echo(hello: { ticket: Buffer; sessionId: Buffer; sni?: string }, ...renewal: Buffer[]): Flight[] {
  const { sessionId: id } = hello;
  return [
    client(clientHello(hello)),
    server(serverHello({ sessionId: id, ticket: renewal.length > 0 }), ...renewal, changeCipherSpec(), finished()),
    client(changeCipherSpec(), finished()),
  ];
}

/** State and upstream of a ticket key's name. */
function keyOf(proxy: Proxy, key: string): [string, string] | undefined {
  proxy.host.pass(1);
  const { ticket_keys: keys } = proxy.request("GET", "/v1/ticket-keys").json as unknown as {
    ticket_keys: { name: string; state: string; upstream: string }[];
  };
  const found = keys.find(({ name }) => name === nameOf(key));
  return found && [found.state, found.upstream];
}

function nameOf(key: string): string {
  return ticket(key, 0).subarray(0, 16).toString("hex");
}

function neverResume(proxy: Proxy): string[] {
  return (proxy.request("GET", "/v1/stats").json.never_resume as unknown as string[]).toSorted();
}

function byKind(proxy: Proxy, name: string): Record<string, number> {
  return proxy.request("GET", "/v1/stats").json[name] as Record<string, number>;
}

/** What a record says of a session, but for how often it was used. */
function unused(session: Session): Partial<Session> {
  const { hits: _hits, last_used: _lastUsed, ...rest } = session;
  return rest;
}
