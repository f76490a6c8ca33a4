/**
 * What would be refused at its issuer and was steered to another server, which did a full handshake: it counts as diverted, and as nothing
 * else. A balancer stands behind the module here that obeys the module's choice for tcp_proxy, as Envoy does.
 */
import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { type Connection, FakeHost, type Flight } from "../../fake_host/fake_host.ts";
import { Proxy, hex } from "../../fake_host/proxy.ts";
import { Random } from "../../support/random.ts";
import { NONE, assertAddsUp, eventsOf, fates } from "../../fake_host/sums.ts";
import {
  declinedTicket,
  fullWithId,
  fullWithTicket,
  resumedById,
  resumedByTicket,
  sessionId,
  sha256,
  ticket,
  tls13,
} from "../../support/tls_bytes.ts";

const SERVERS = ["10.0.0.1:443", "10.0.0.2:443", "10.0.0.3:443"] as const;
const ID = sessionId(1);
const TICKET = ticket("key", 1);
const SNI = "shop.example";
/** Of each connection of the fake host. */
const CLIENT = "127.0.0.1:50000";

interface Kind {
  id: Buffer;
  /** A server issues the session, or, of TLS 1.3, is seen to accept it. */
  issued: Flight[];
  /** A client offers it: a server does a full handshake, or resumes it. */
  full: Flight[];
  resumed: Flight[];
}

const KINDS: Record<"id" | "ticket" | "psk", Kind> = {
  id: {
    id: ID,
    issued: fullWithId(ID, { sni: SNI }),
    full: fullWithId(sessionId(2), { offered: ID, sni: SNI }),
    resumed: resumedById(ID, { sni: SNI }),
  },
  ticket: {
    id: sha256(TICKET),
    issued: fullWithTicket(TICKET),
    full: declinedTicket(TICKET),
    resumed: resumedByTicket(TICKET),
  },
  psk: {
    id: sha256(TICKET),
    issued: tls13([TICKET], { selected: 0 }),
    full: tls13([TICKET]),
    resumed: tls13([TICKET], { selected: 0 }),
  },
};
const kinds = ["id", "ticket", "psk"] as const;

/** A proxy that steers, and has seen all servers. */
class Steered {
  readonly proxy: Proxy;
  private turn = 0;

  constructor(steering: "hash" | "exact" | "off", settings: Record<string, unknown> = {}) {
    const host = new FakeHost();
    host.clusters = new Set(["edge", "edge_exact"]);
    const names = { cluster: "edge", ...(steering === "exact" ? { exact_cluster: "edge_exact" } : {}) };
    const steered = steering === "off" ? {} : { ...names, upstreams: SERVERS };
    // The settings of the observer alone.
    this.proxy = new Proxy({ host, cache: {}, observer: { access_log: true, steering, ...steered, ...settings } });
    host.pass(0.2);
    for (let i = 0; i < 60; i++) this.visit(fullWithTicket(ticket("other", i)));
  }

  /** A connection, and which server it came to: the one that Envoy was told, unless it is `server`. */
  visit(flights: Flight[], server?: string): { server: string; connection: Connection } {
    const options: { upstream?: string } = {};
    const connection = this.proxy.worker.connection(options);
    const [hello, ...rest] = flights as [Flight, ...Flight[]];
    connection.exchange([hello]);
    options.upstream = server ?? this.chosen(connection.filterState);
    connection.exchange(rest).close();
    return { server: options.upstream, connection };
  }

  private chosen(state: ReadonlyMap<string, string>): string {
    const named = state.get("envoy.network.transport_socket.original_dst_address");
    if (named !== undefined) return named;
    const text = state.get("envoy.hashable_string");
    return SERVERS[text === undefined ? this.turn++ % 3 : Number(BigInt(`0x${text}`) % 3n)] ?? SERVERS[0];
  }

  /** How far the counts have gone on since they were asked for last. */
  counts(): Record<string, number> {
    const names = ["diverted", "refused", "lost", "declined", "misses", "hits"] as const;
    return Object.fromEntries(names.map((name) => [name, this.proxy.stat(name)]));
  }
}

const UNCHANGED = { refused: 0, lost: 0, declined: 0, misses: 0, hits: 0 };

function grown(now: Record<string, number>, before: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(now).map(([name, count]) => [name, count - (before[name] ?? 0)]));
}

for (const steering of ["hash", "exact"] as const) {
  describe(`what is steered away by ${steering}, and gets a full handshake`, () => {
    let steered: Steered;
    beforeEach(() => (steered = new Steered(steering)));

    for (const kind of kinds) {
      it(`counts as diverted and as nothing else: ${kind}`, () => {
        const { id, issued, full } = KINDS[kind];
        const issuer = steered.visit(issued).server;
        steered.proxy.delete(id);
        const [before, fate] = [steered.counts(), fates(steered.proxy)];
        for (let i = 0; i < 5; i++) {
          const { server, connection } = steered.visit(full);
          assert.notEqual(server, issuer);
          assert.equal(connection.logged.outcome, "diverted");
          assert.equal(connection.logged.id, hex(id));
        }
        assert.deepEqual(grown(steered.counts(), before), { ...UNCHANGED, diverted: 5 });
        const now = fates(steered.proxy);
        assert.deepEqual(now.diverted, { ...NONE, [kind]: 5 });
        assert.deepEqual([now.lost, now.declined, now.refused], [fate.lost, fate.declined, fate.refused]);
        const events = eventsOf(steered.proxy, "diverted");
        assert.deepEqual(
          events.map((event) => [event.id, event.cause, event.sni, event.upstream, event.client]),
          Array(5).fill([hex(id), "session", kind === "id" ? SNI : null, issuer, CLIENT]),
        );
        assertAddsUp(steered.proxy);
      });

      it(`is refused as ever if the other server resumes it all the same: ${kind}`, () => {
        const { id, issued, resumed } = KINDS[kind];
        steered.visit(issued);
        steered.proxy.delete(id);
        const before = steered.counts();
        assert.equal(steered.visit(resumed).connection.logged.outcome, "refused");
        assert.deepEqual(grown(steered.counts(), before), { ...UNCHANGED, diverted: 0, refused: 1 });
        assertAddsUp(steered.proxy);
      });

      it(`is declined if it came to its issuer after all: ${kind}`, () => {
        const { id, issued, full } = KINDS[kind];
        const issuer = steered.visit(issued).server;
        steered.proxy.delete(id);
        const before = steered.counts();
        assert.equal(steered.visit(full, issuer).connection.logged.outcome, "declined");
        assert.deepEqual(grown(steered.counts(), before), { ...UNCHANGED, diverted: 0, misses: 1 });
        assert.deepEqual(fates(steered.proxy).declined, { ...NONE, [kind]: 1 });
        assert.deepEqual(eventsOf(steered.proxy, "diverted"), []);
        assertAddsUp(steered.proxy);
      });
    }

    it("counts by what it would be refused for", () => {
      const issuer = steered.visit(KINDS.ticket.issued).server;
      const name = TICKET.subarray(0, 16).toString("hex");
      assert.equal(steered.proxy.request("DELETE", `/v1/ticket-keys/${name}`).status, 200);
      steered.visit(KINDS.ticket.full);
      assert.deepEqual(divertedFor(steered), { session: 0, ticket_key: 1, sni: 0, strict: 0, unfollowed: 0 });
      const idIssuer = steered.visit(KINDS.id.issued).server;
      assert.ok(steered.proxy.request("PUT", `/v1/revocations/${SNI}`).status < 300);
      steered.visit(KINDS.id.full);
      assert.deepEqual(divertedFor(steered), { session: 0, ticket_key: 1, sni: 1, strict: 0, unfollowed: 0 });
      const events = eventsOf(steered.proxy, "diverted");
      assert.deepEqual(
        events.map(({ cause, upstream }) => [cause, upstream]),
        [
          ["ticket_key", issuer],
          ["sni", idIssuer],
        ],
      );
      assertAddsUp(steered.proxy);
    });

    it("names its key's upstream if the cache does not hold it", () => {
      const issuer = steered.visit(KINDS.ticket.issued).server;
      const name = TICKET.subarray(0, 16).toString("hex");
      assert.equal(steered.proxy.request("DELETE", `/v1/ticket-keys/${name}`).status, 200);
      steered.visit(declinedTicket(ticket("key", 2)));
      assert.deepEqual(
        eventsOf(steered.proxy, "diverted").map(({ id, upstream }) => [id, upstream]),
        [[hex(sha256(ticket("key", 2))), issuer]],
      );
    });

    it("counts as `strict` what only `strict` refuses", () => {
      const strict = new Steered(steering);
      strict.visit(KINDS.psk.issued);
      const { status } = strict.proxy.request("PUT", "/v1/enforcement", { body: { enforcement: "strict" } });
      assert.equal(status, 200);
      strict.visit(KINDS.psk.full);
      assert.deepEqual(divertedFor(strict), { session: 0, ticket_key: 0, sni: 0, strict: 1, unfollowed: 0 });
      assertAddsUp(strict.proxy);
    });

    it("is not diverted under `observe`, where nothing would be refused", () => {
      assert.equal(steered.proxy.request("PUT", "/v1/enforcement", { body: { enforcement: "observe" } }).status, 200);
      steered.visit(KINDS.id.issued);
      steered.proxy.delete(ID);
      steered.visit(KINDS.id.full);
      assert.equal(steered.proxy.stat("diverted"), 0);
    });

    it("adds up with all else after a thousand at random", () => {
      const random = new Random(5);
      for (let round = 0; round < 1000; round++) {
        const { full, id, issued, resumed } = KINDS[random.pick(kinds)];
        const dice = random.below(20);
        if (dice === 0) steered.proxy.delete(id);
        if (dice === 1) steered.proxy.put(id, { upstream: random.pick(SERVERS) });
        const server = random.below(12) === 0 ? random.pick(SERVERS) : undefined;
        steered.visit(random.pick([full, full, issued, resumed]), server);
      }
      assertAddsUp(steered.proxy);
      const { diverted, declined, lost, refused, accepted } = fates(steered.proxy);
      for (const fate of [diverted, declined, lost, refused, accepted]) {
        assert.ok(fate !== undefined && fate.id + fate.ticket + fate.psk > 0, JSON.stringify(fates(steered.proxy)));
      }
      assert.equal(eventsOf(steered.proxy, "diverted").length, steered.proxy.stat("diverted"));
    });
  });
}

describe("without steering", () => {
  it("nothing is diverted: another server's full handshake counts as before", () => {
    const steered = new Steered("off");
    const issuer = steered.visit(KINDS.id.issued).server;
    steered.proxy.delete(ID);
    const before = steered.counts();
    const other = SERVERS.find((server) => server !== issuer);
    assert.equal(steered.visit(KINDS.id.full, other).connection.logged.outcome, "declined");
    assert.deepEqual(grown(steered.counts(), before), { ...UNCHANGED, diverted: 0, misses: 1 });
    assertAddsUp(steered.proxy);
  });
});

function divertedFor({ proxy }: Steered): unknown {
  return proxy.request("GET", "/v1/stats").json.diverted_for;
}
