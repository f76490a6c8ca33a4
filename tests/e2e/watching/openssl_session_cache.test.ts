/**
 * OpenSSL's own tests of its session cache (test/sslapitest.c), said again where a handshake is involved: real clients and
 * servers, a real Envoy. Each `describe` names the test that it stands for; the others are in
 * tests/unit/session/cache.openssl.spec.ts.
 */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { after, before, beforeEach, describe, it } from "node:test";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import type { AnswerBody } from "../../support/answer.ts";
import { type Stack, inParallel, startStack } from "../../support/stack.ts";
import { plainVisit, type TlsRequest, type Visit, visit } from "../../support/tls_client.ts";

const KINDS: Record<"id" | "ticket" | "psk", Partial<TlsRequest>> = {
  id: { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET },
  ticket: { version: "TLSv1.2" },
  psk: { version: "TLSv1.3" },
};
type KindOfSession = keyof typeof KINDS;
const ALL_KINDS = Object.keys(KINDS) as KindOfSession[];

describe("the cache in front of one server", () => {
  let upstream: DemoUpstream;
  let stack: Stack;

  before(async () => {
    upstream = await startDemoUpstream({ name: "alpha", tickets: true });
    stack = await startStack({ upstreams: [upstream.address] });
  });

  after(async () => {
    await upstream?.close();
    await stack?.stop();
  });

  beforeEach(async () => {
    await set("mode", { mode: ["SERVER"] });
    await set("cache-size", { cache_size: 1000 });
    await stack.admin("POST", "/v1/sessions/flush", { body: {} });
  });

  describe("test_session_with_only_int_cache", () => {
    it("a session that a handshake has stored is in the cache already: adding returns 0, and it resumes", async () => {
      const first = await visitBy("id");
      assert.equal(await add(first), 0);
      const { hits } = await stack.stats();
      assert.ok((await visitBy("id", first)).resumed);
      assert.equal((await stack.stats()).hits, (hits as number) + 1);
    });

    it("after its removal, adding returns 1, removing returns 1, and removing again returns 0", async () => {
      const first = await visitBy("id");
      assert.equal(await remove(first), 1);
      await assert.rejects(visitBy("id", first), /alert/, "it does not resume");
      assert.deepEqual([await add(first), await remove(first), await remove(first)], [1, 1, 0]);
    });

    it("a TLS 1.3 session is not in the cache before it is resumed: removing returns 0, and it does not resume", async () => {
      const first = await visitBy("psk");
      assert.equal(await remove(first), 0);
      await assert.rejects(visitBy("psk", first), /alert/);
      assert.equal((await stack.admin("GET", path(first))).status, 410);
    });
  });

  describe("test_session_with_only_ext_cache", () => {
    for (const kind of ALL_KINDS) {
      it(`under NO_INTERNAL_STORE nothing is stored of a session known by its ${kind}, nor when its server resumes it`, async () => {
        await set("mode", { mode: ["SERVER", "NO_INTERNAL_STORE"] });
        const first = await visitBy(kind);
        const { misses } = await stack.stats();
        const again = await visitBy(kind, first);
        assert.ok(again.resumed);
        if (kind === "id") assert.equal(again.id, first.id, "resuming makes no new session");
        const now = await stack.stats();
        assert.deepEqual([now.number, now.misses], [0, (misses as number) + 1]);
      });
    }

    it("removing an absent session returns 0, and it is not resumable all the same", async () => {
      await set("mode", { mode: ["SERVER", "NO_INTERNAL_STORE"] });
      const first = await visitBy("id");
      assert.equal(await remove(first), 0);
      assert.equal((await stack.admin("GET", path(first))).status, 410);
    });

    it("adding by hand still works, and what was added is found", async () => {
      await set("mode", { mode: ["SERVER", "NO_INTERNAL_STORE"] });
      const first = await visitBy("id");
      assert.equal(await add(first), 1);
      const { hits } = await stack.stats();
      assert.ok((await visitBy("id", first)).resumed);
      assert.equal((await stack.stats()).hits, (hits as number) + 1);
    });
  });

  describe("test_session_with_both_cache", () => {
    it("a session that is no longer held and that its server resumes counts one miss, and is held again", async () => {
      await set("cache-size", { cache_size: 1 });
      const first = await visitBy("id");
      await visitBy("id");
      assert.equal((await stack.admin("GET", path(first))).status, 404, "the second has displaced the first");
      const { hits, misses } = await stack.stats();
      assert.ok((await visitBy("id", first)).resumed);
      const now = await stack.stats();
      assert.deepEqual([now.hits, now.misses], [hits, (misses as number) + 1]);
      assert.equal((await stack.admin("GET", path(first))).status, 200);
    });

    it("with a size of 1 an added session displaces the other one, although it expires earlier", async () => {
      const [first, second] = [await visitBy("id"), await visitBy("id")];
      await add(first, { timeout: 1000 });
      await add(second, { timeout: 2000 });
      await set("cache-size", { cache_size: 1 });
      assert.equal((await stack.admin("GET", path(second))).status, 200, "it expires last: it stays");
      assert.equal(await add(first, { timeout: 1000 }), 1);
      assert.deepEqual(
        [(await stack.admin("GET", path(first))).status, (await stack.admin("GET", path(second))).status],
        [200, 404],
      );
    });
  });

  describe("test_session_cache_overflow", () => {
    for (const [word, timeout] of [
      ["longer", 100_000],
      ["shorter", 60],
    ] as const) {
      for (const kind of ["id", "ticket"] as const) {
        it(`with a size of 1 and an older ${kind} that lives ${word}, no client fails and one session is held`, async () => {
          await set("cache-size", { cache_size: 1 });
          const older = await visitBy(kind);
          await add(older, { timeout });
          const newer = await visitBy(kind);
          assert.deepEqual(await heldOf(older, newer), [false, true]);
          assert.ok((await visitBy(kind, older)).resumed, "its server found it");
          assert.deepEqual(await heldOf(older, newer), [true, false]);
          assert.ok((await visitBy(kind, newer)).resumed);
          assert.equal((await stack.stats()).number, 1);
        });
      }
    }
  });

  describe("test_multi_resume", () => {
    for (const kind of ALL_KINDS) {
      it(`sessions known by their ${kind}, resumed again and again, one after another and at once, keep within the size`, async () => {
        await set("cache-size", { cache_size: 5 });
        const sessions = await inParallel(Array.from({ length: 10 }), 10, () => visitBy(kind));
        for (let round = 0; round < 3; round++) {
          for (const session of sessions) assert.ok((await visitBy(kind, session)).resumed);
          assert.ok(((await stack.stats()).number as number) <= 5);
        }
        const crowd = sessions.flatMap((session) => Array.from({ length: 8 }, () => session));
        const visits = await inParallel(crowd, 40, (session) => visitBy(kind, session));
        assert.ok(visits.every(({ resumed }) => resumed));
        assert.ok(((await stack.stats()).number as number) <= 5);
        assert.equal((await stack.sessions()).length, (await stack.stats()).number);
      });
    }
  });

  function visitBy(kind: KindOfSession, resumed?: Visit): Promise<Visit> {
    const request = { port: stack.tlsPort, timeoutSeconds: 60, ...KINDS[kind] };
    return resumed === undefined ? plainVisit(request) : visit({ ...request, session: resumed.session });
  }

  async function add(session: Visit, fields: Record<string, unknown> = {}): Promise<number | undefined> {
    return (await stack.admin("PUT", path(session), { body: fields })).json.result;
  }

  async function remove(session: Visit): Promise<number | undefined> {
    return (await stack.admin("DELETE", path(session))).json.result;
  }

  function heldOf(...sessions: Visit[]): Promise<boolean[]> {
    return Promise.all(sessions.map(async (session) => (await stack.admin("GET", path(session))).status === 200));
  }

  async function set(setting: string, body: AnswerBody): Promise<void> {
    const { status, text } = await stack.admin("PUT", `/v1/${setting}`, { body });
    assert.equal(status, 200, text);
  }
});

describe("test_tickets", () => {
  let upstreams: DemoUpstream[];
  let stack: Stack;

  before(async () => {
    upstreams = await Promise.all(["alpha", "beta"].map((name) => startDemoUpstream({ name, tickets: true })));
    stack = await startStack({ upstreams: upstreams.map(({ address }) => address) });
  });

  after(async () => {
    await Promise.all((upstreams ?? []).map((upstream) => upstream.close()));
    await stack?.stop();
  });

  for (const kind of ["ticket", "psk"] as const) {
    it(`each ${kind} of a server is declined by another server and accepted by its issuer, and so it is counted`, async () => {
      const port = stack.tlsPort;
      const firsts = await inParallel(Array.from({ length: 6 }), 6, () => plainVisit({ port, ...KINDS[kind] }));
      const before = await stack.stats();
      let accepted = 0;
      let declined = 0;
      for (const first of firsts) {
        const seen = new Set<string>();
        for (let tries = 0; seen.size < 2; tries++) {
          assert.ok(tries < 40, "round robin comes by both servers");
          const again = await visit({ port, ...KINDS[kind], session: first.session });
          assert.equal(again.resumed, again.upstream === first.upstream);
          seen.add(again.upstream);
          if (again.resumed) accepted++;
          else declined++;
        }
      }
      assert.ok(accepted >= 6 && declined >= 6);
      const now = await stack.stats();
      const grown = (name: string): number => (now[name] as number) - (before[name] as number);
      assert.equal(grown("hits") + grown("misses") + grown("declined"), accepted + declined);
      // A ticket of TLS 1.3 is known from its first acceptance on: before, it is a miss, accepted or not.
      if (kind === "ticket")
        assert.deepEqual([grown("hits"), grown("declined"), grown("lost")], [accepted, declined, declined]);
      else assert.ok(grown("hits") <= accepted && grown("misses") >= firsts.length);
    });
  }
});

function path({ id }: Visit): string {
  return `/v1/sessions/${id}`;
}
