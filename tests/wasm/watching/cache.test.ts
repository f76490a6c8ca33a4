/** The cache's contract over time and under load, on the built module: expiry, size, eviction, flush, tombstones, modes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RemovedSession } from "../../support/answer.ts";
import { FULL_TOKEN, assertProblem, enforced } from "../../contract/client.ts";
import { FakeHost } from "../../fake_host/fake_host.ts";
import { Proxy, adminSettings, hex, observerSettings } from "../../fake_host/proxy.ts";
import { Random } from "../../support/random.ts";
import { fullWithId, resumedById, sessionId, ticket, tls13 } from "../../support/tls_bytes.ts";

/** In seconds, with a tenth for the page at which the time is over. */
const MILLISECOND = 0.0011;
/** The values beside the pages of a cache: settings, which pages there are, the latest events of each VM. */
const BESIDE_PAGES_BYTES = 512 * 1024;
const KEEP_EXPIRED = { mode: ["SERVER", "NO_AUTO_CLEAR"] };

describe("a session's time", () => {
  it("is over when now > time + timeout, and not a second earlier", () => {
    const proxy = new Proxy({ cache: KEEP_EXPIRED });
    proxy.host.clock.set(1_790_000_000);
    proxy.put("aa01", { timeout: 100 });
    proxy.host.clock.set(1_790_000_100);
    assert.equal(proxy.get("aa01").status, 200);
    proxy.host.clock.set(1_790_000_101);
    assertProblem(proxy.get("aa01"), 404);
  });

  it("being over, it stays in the number and in the listing, until it is swept", async () => {
    const proxy = new Proxy({ cache: KEEP_EXPIRED });
    proxy.put("aa01", { timeout: 10 });
    proxy.put("aa02", { timeout: 1000 });
    proxy.host.pass(50);
    assert.equal(await proxy.number(), 2);
  });

  it("being over, it is swept after a while, without a tombstone", async () => {
    const proxy = new Proxy();
    for (let i = 0; i < 50; i++) proxy.put(sessionId(i), { timeout: 10 });
    for (let i = 50; i < 60; i++) proxy.put(sessionId(i), { timeout: 100_000 });
    for (let minute = 0; minute < 10; minute++) proxy.host.pass(60);
    assert.equal(await proxy.number(), 10);
    assert.equal(proxy.get(sessionId(0)).status, 404);
    assert.deepEqual(removed(proxy), []);
  });

  it("being over, it is not swept under NO_AUTO_CLEAR", async () => {
    const proxy = new Proxy({ cache: KEEP_EXPIRED });
    for (let i = 0; i < 50; i++) proxy.put(sessionId(i), { timeout: 10 });
    for (let minute = 0; minute < 10; minute++) proxy.host.pass(60);
    assert.equal(await proxy.number(), 50);
  });

  it("being over, PUT adds it anew with nothing of the old record", () => {
    const proxy = new Proxy({ cache: KEEP_EXPIRED });
    proxy.put("aa01", { timeout: 10, sni: "old.example" });
    proxy.host.pass(50);
    const { json, status } = proxy.put("aa01", { timeout: 20 });
    assert.deepEqual([status, json.outcome, json.session?.sni, json.session?.hits], [201, "added", null, 0]);
  });

  it("being over, DELETE takes it out of the number and refuses it from then on", async () => {
    const proxy = new Proxy({ cache: KEEP_EXPIRED });
    proxy.put("aa01", { timeout: 10 });
    proxy.host.pass(50);
    // Found, as OpenSSL would, or not, as GET says: both are right.
    const { json, status } = proxy.delete("aa01");
    assert.ok((status === 200 && json.result === 1) || (status === 404 && json.result === 0));
    assert.equal(proxy.get("aa01").status, 410);
    assert.equal(await proxy.number(), 0);
  });

  it("does not move when the session is identical, and becomes now when it is replaced", () => {
    const proxy = new Proxy();
    const { time = 0 } = proxy.put("aa01", { sni: "a.example" }).json.session ?? {};
    proxy.host.pass(100);
    proxy.put("aa01", { sni: "a.example" });
    assert.equal(proxy.session("aa01").time, time);
    proxy.put("aa01", { sni: "b.example" });
    assert.equal(proxy.session("aa01").time, proxy.host.clock.seconds);
  });
});

describe("the cache size", () => {
  it("holds N sessions for N, and evicts the one that expires earliest", async () => {
    const proxy = new Proxy({ cache: { cache_size: 4 } });
    for (const [id, timeout] of [
      ["aa01", 400],
      ["aa02", 100],
      ["aa03", 300],
      ["aa04", 200],
    ] as const) {
      proxy.put(id, { timeout });
    }
    assert.equal(await proxy.number(), 4);
    proxy.put("aa05", { timeout: 500 });
    assert.deepEqual((await proxy.list()).map(({ id }) => id).sort(), ["aa01", "aa03", "aa04", "aa05"]);
    assert.equal(proxy.stat("cache_full"), 1);
    assertProblem(proxy.get("aa02"), 404);
  });

  for (const size of [1, 2, 7, 64, 255, 256]) {
    it(`of ${size} evicts exactly the earliest of all each time`, async () => {
      const random = new Random(size);
      const proxy = new Proxy({ cache: { cache_size: size } });
      proxy.host.clock.microsecondsPerReading = 0;
      const model = new Map<string, number>();
      const timeouts = shuffled(random, 2 * size + 20);
      for (const [index, timeout] of timeouts.entries()) {
        const id = hex(sessionId(index));
        if (model.size === size) {
          const [earliest] = [...model].reduce((least, entry) => (entry[1] < least[1] ? entry : least));
          model.delete(earliest);
        }
        model.set(id, timeout);
        assert.equal(proxy.put(id, { timeout: 1000 + timeout }).json.outcome, "added");
        assert.ok(proxy.stat("number") <= size);
      }
      assert.deepEqual((await proxy.list()).map(({ id }) => id).sort(), [...model.keys()].sort());
      assert.equal(proxy.stat("cache_full"), timeouts.length - size);
    });
  }

  it("evicts nobody when a session is replaced in a full cache", async () => {
    const proxy = new Proxy({ cache: { cache_size: 50 } });
    for (let i = 0; i < 50; i++) proxy.put(sessionId(i), { timeout: 1000 + i });
    for (let i = 0; i < 50; i++) proxy.put(sessionId(i), { sni: "new.example" });
    assert.equal(await proxy.number(), 50);
    assert.equal(proxy.stat("cache_full"), 0);
  });

  it("is never exceeded, also above 256, while clients fill the cache", async () => {
    const size = 1000;
    const proxy = new Proxy({ cache: { cache_size: size } });
    for (let i = 0; i < 3 * size; i++) {
      proxy.handshake(fullWithId(sessionId(i)), "10.0.0.7:443", proxy.on(i % 2));
      if (i % 100 === 0) assert.ok(proxy.stat("number") <= size);
    }
    assert.equal(await proxy.number(), size);
    assert.equal(proxy.stat("cache_full"), 2 * size);
    assert.equal(proxy.get(sessionId(3 * size - 1)).status, 200, "the newest is held");
  });

  it("made smaller is kept from the next add on, by evicting", async () => {
    const proxy = new Proxy();
    for (let i = 0; i < 300; i++) proxy.put(sessionId(i), { timeout: 1000 + i });
    proxy.set("cache-size", { cache_size: 100 });
    proxy.put(sessionId(1000), { timeout: 9000 });
    proxy.host.pass(2);
    assert.ok((await proxy.number()) <= 100, `${await proxy.number()} sessions are left`);
    assert.equal(proxy.get(sessionId(1000)).status, 200);
    assert.equal(proxy.get(sessionId(299)).status, 200, "those that expire last stay");
  });

  it("made larger is in force at once", async () => {
    const proxy = new Proxy({ cache: { cache_size: 10 } });
    proxy.set("cache-size", { cache_size: 30 });
    for (let i = 0; i < 40; i++) proxy.put(sessionId(i), {}, proxy.on(1));
    assert.equal(await proxy.number(), 30);
  });

  it("of 0 is unlimited within the bound on memory, which holds whatever clients send", async () => {
    const proxy = new Proxy({ cache: { cache_size: 0, max_memory_mib: 1 } });
    const sni = "x".repeat(240);
    for (let i = 0; i < 12_000; i++) {
      proxy.handshake(fullWithId(sessionId(i), { sni: sni + String(i % 1000) }), "10.0.0.7:443", proxy.on(i % 2));
    }
    assert.ok(
      proxy.host.sharedData.bytes <= 1024 * 1024 + BESIDE_PAGES_BYTES,
      `${proxy.host.sharedData.bytes} bytes are used`,
    );
    assert.ok((await proxy.number()) > 1000);
    assert.ok(proxy.stat("cache_full") > 0);
    assert.equal(proxy.get(sessionId(11_999)).status, 200);
  });
});

describe("a revocation of a server name", () => {
  it("ends after the lifetime of tickets, in the configuration or in the call, and by neither clock alone", () => {
    const proxy = new Proxy({ cache: { ticket_lifetime: 600 } });
    const revoked = (): string[] =>
      (proxy.request("GET", "/v1/revocations", {}, proxy.on(1)).json.revocations ?? []).map(({ sni }) => sni).sort();
    proxy.request("PUT", "/v1/revocations/short.example");
    proxy.request("PUT", "/v1/revocations/long.example", { body: { ticket_lifetime: 1200 } });
    proxy.host.clock.jump(86_400);
    proxy.host.pass(12);
    assert.deepEqual(revoked(), ["long.example", "short.example"]);
    proxy.host.clock.jump(-86_400);
    proxy.host.pass(580);
    assert.deepEqual(revoked(), ["long.example", "short.example"]);
    proxy.host.pass(20);
    assert.deepEqual(revoked(), ["long.example"]);
    proxy.host.pass(600);
    assert.deepEqual(revoked(), []);
  });

  it("refuses a session until then, and not afterwards", () => {
    const proxy = new Proxy({ cache: { timeout: 5000 } });
    proxy.handshake(fullWithId(sessionId(1), { sni: "shop.example" }));
    proxy.request("PUT", "/v1/revocations/shop.example", { body: { ticket_lifetime: 60 } });
    proxy.handshake(resumedById(sessionId(1), { sni: "shop.example" }));
    assert.equal(proxy.stat("refused"), 1);
    proxy.host.pass(62);
    proxy.handshake(resumedById(sessionId(1), { sni: "shop.example" }));
    assert.equal(proxy.stat("refused"), 1);
    assert.equal(proxy.session(sessionId(1)).hits, 1);
  });
});

describe("a tombstone", () => {
  it("lasts for removed_seconds at least", () => {
    const proxy = new Proxy({ cache: { removed_seconds: 600 } });
    proxy.put("aa01", { timeout: 10 });
    proxy.delete("aa01");
    const [entry] = removed(proxy);
    assert.deepEqual([entry?.id, entry?.cause, (entry?.until ?? 0) - (entry?.time ?? 0)], ["aa01", "api", 600]);
    proxy.host.pass(590);
    assert.equal(proxy.get("aa01").status, 410);
    for (let minute = 0; minute < 5; minute++) proxy.host.pass(60);
    assert.equal(proxy.get("aa01").status, 404);
    assert.deepEqual(removed(proxy), []);
  });

  it("lasts until the session's own expiry where that is later", () => {
    const proxy = new Proxy({ cache: { removed_seconds: 10 } });
    proxy.put("aa01", { timeout: 5000 });
    const { time } = proxy.session("aa01");
    proxy.delete("aa01");
    assert.equal(removed(proxy)[0]?.until, time + 5000);
    proxy.host.pass(4000);
    assert.equal(proxy.get("aa01").status, 410);
  });

  it("lasts for a week where nothing is configured", () => {
    const proxy = new Proxy();
    proxy.delete("aa01");
    const [entry] = removed(proxy);
    assert.equal((entry?.until ?? 0) - (entry?.time ?? 0), 604800);
  });

  it("is not lifted by a clock that steps back", () => {
    const proxy = new Proxy();
    proxy.put("aa01");
    proxy.delete("aa01");
    for (const seconds of [-3600, -86400, 43200]) {
      proxy.host.clock.move(seconds);
      proxy.host.pass(3);
      assert.equal(proxy.get("aa01").status, 410);
      proxy.handshake(resumedById(Buffer.from("aa01", "hex")));
      assert.equal(proxy.get("aa01").status, 410);
    }
  });

  it("is not ended by a clock that is eight days ahead for some seconds, nor does anything resume meanwhile", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(1)));
    proxy.delete(sessionId(1));
    proxy.delete(sessionId(2));
    proxy.host.clock.jump(8 * 86_400);
    // Long enough for a pass of the sweeper.
    proxy.host.pass(12);
    for (const id of [sessionId(1), sessionId(2)]) {
      const resumption = proxy.worker.connection({ upstream: "10.0.0.7:443" }).exchange(resumedById(id));
      assert.match(Buffer.concat(resumption.toClient).toString("hex"), /15030300020228$/, "an alert at the end");
      resumption.close();
    }
    assert.equal(removed(proxy).length, 2);
    proxy.host.clock.jump(-8 * 86_400);
    proxy.host.pass(12);
    for (const id of [sessionId(1), sessionId(2)]) assert.equal(proxy.get(id).status, 410);
  });

  it("ends by the clock of the day where the host lets nobody read the machine's, and the log says how to mend it", () => {
    const host = new FakeHost();
    host.denied.add("clock_time_get");
    const proxy = new Proxy({ host, cache: { removed_seconds: 600 } });
    const warnings = host.log.filter(({ level, text }) => level === "warn" && text.includes("clock_time_get"));
    assert.equal(warnings.length, 4, "one for each filter on each worker");
    assert.match(warnings[0]?.text ?? "", /^observer: .*allowed_capabilities$/);
    proxy.delete("aa01");
    assert.equal(proxy.get("aa01").status, 410);
    host.clock.jump(601);
    assert.equal(proxy.get("aa01").status, 404);
    assert.deepEqual(
      new Proxy().host.log.filter(({ level }) => level === "warn"),
      [],
    );
  });

  it("that a clock which had stepped back wrote after an add is not undone by that add", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(1)));
    proxy.host.clock.move(-100);
    assert.equal(proxy.delete(sessionId(1)).json.outcome, "removed");
    proxy.host.clock.move(200);
    assert.equal(proxy.get(sessionId(1)).status, 410);
  });

  it("is never pushed out by load", () => {
    const proxy = new Proxy({ cache: { cache_size: 256, max_memory_mib: 1 } });
    const ids = Array.from({ length: 100 }, (_, i) => sessionId(100_000 + i));
    for (const id of ids) proxy.delete(id);
    for (let i = 0; i < 10_000; i++) proxy.handshake(fullWithId(sessionId(i)), "10.0.0.7:443", proxy.on(i % 2));
    for (const id of ids) assert.equal(proxy.get(id).status, 410);
  });

  it("displaces live sessions where there is no room for both", async () => {
    const proxy = new Proxy({ cache: { cache_size: 0, max_memory_mib: 1 } });
    for (let i = 0; i < 12_000; i++) proxy.handshake(fullWithId(sessionId(i)));
    const before = await proxy.number();
    for (let i = 0; i < 3000; i++) assert.equal(proxy.delete(sessionId(50_000 + i)).status, 404);
    for (let i = 0; i < 3000; i++) assert.equal(proxy.get(sessionId(50_000 + i)).status, 410);
    assert.ok((await proxy.number()) < before);
  });

  it("that finds no room saturates its page: what is unknown there counts as removed, and a metric says so", async () => {
    const proxy = new Proxy({ cache: { max_memory_mib: 1 } });
    const count = 40_000;
    for (let i = 0; i < count; i++) {
      const { status } = proxy.delete(sessionId(i), proxy.on(i % 2));
      assert.ok(status === 404, `DELETE number ${i} answered ${status}`);
    }
    for (let i = 0; i < count; i += 37) assert.equal(proxy.get(sessionId(i)).status, 410, `session ${i}`);
    assert.ok(proxy.host.metric("saturated") > 0);
    assert.equal(proxy.get(sessionId(999_999)).status, 410, "an ID never seen, on a saturated page");
    assert.ok(proxy.host.sharedData.bytes <= 1024 * 1024 + BESIDE_PAGES_BYTES);
    proxy.handshake(resumedById(sessionId(999_998)));
    assert.equal(await proxy.number(), 0, "nothing unknown is learned there");
    for (let hour = 0; hour < 100; hour++) proxy.host.pass(7200);
    assert.equal(proxy.get(sessionId(999_999)).status, 404, "it ends with the tombstones");
  });
});

describe("a flush", () => {
  it("of all removes all, and makes the unexpired ones non-resumable", async () => {
    const proxy = new Proxy({ cache: KEEP_EXPIRED });
    proxy.put("aa01", { timeout: 10 });
    proxy.host.pass(20);
    proxy.put("aa02");
    proxy.put("aa03");
    assert.deepEqual(enforced(proxy.flush()), { removed: 3 });
    assert.deepEqual(
      ["aa01", "aa02", "aa03"].map((id) => proxy.get(id).status),
      [404, 410, 410],
    );
    assert.equal(await proxy.number(), 0);
    assert.deepEqual(
      removed(proxy)
        .map(({ id }) => id)
        .sort(),
      ["aa02", "aa03"],
    );
    for (const { cause } of removed(proxy)) assert.notEqual(cause, "");
  });

  it("with before 0 removes all too", async () => {
    const proxy = new Proxy();
    proxy.put("aa01");
    assert.deepEqual(enforced(proxy.flush({ before: 0 })), { removed: 1 });
    assert.equal(await proxy.number(), 0);
  });

  it("removes what has expired at a time: exactly at its expiry a session survives", () => {
    const proxy = new Proxy({ cache: KEEP_EXPIRED });
    proxy.host.clock.set(1_790_000_000);
    for (const [id, timeout] of [
      ["aa01", 9],
      ["aa02", 10],
      ["aa03", 20],
    ] as const)
      proxy.put(id, { timeout });
    assert.deepEqual(enforced(proxy.flush({ before: 1_790_000_009 })), { removed: 0 });
    assert.deepEqual(enforced(proxy.flush({ before: 1_790_000_010 })), { removed: 1 });
    assert.deepEqual(enforced(proxy.flush({ before: 1_790_000_012 })), { removed: 1 });
    assert.equal(proxy.get("aa03").status, 200);
    assert.deepEqual(enforced(proxy.flush({ before: 1_790_000_021 })), { removed: 1 });
  });

  it("of what expires in the future makes it non-resumable, as it is not expired yet", () => {
    const proxy = new Proxy();
    proxy.put("aa01", { timeout: 100 });
    proxy.put("aa02", { timeout: 1000 });
    assert.deepEqual(enforced(proxy.flush({ before: proxy.host.clock.seconds + 500 })), { removed: 1 });
    assert.deepEqual([proxy.get("aa01").status, proxy.get("aa02").status], [410, 200]);
  });

  it("of an empty cache removes nothing", () => {
    assert.deepEqual(enforced(new Proxy().flush()), { removed: 0 });
  });

  it("keeps tombstones that were there", () => {
    const proxy = new Proxy();
    proxy.delete("aa01");
    assert.deepEqual(enforced(proxy.flush()), { removed: 0 });
    assert.equal(proxy.get("aa01").status, 410);
  });

  it("leaves sessions resumable again when they are added by hand", () => {
    const proxy = new Proxy();
    proxy.put("aa01");
    proxy.flush();
    assert.equal(proxy.put("aa01").status, 201);
    assert.equal(proxy.get("aa01").status, 200);
  });

  for (const body of [
    { before: -1 },
    { before: "now" },
    { before: 1.5 },
    { befor: 1 },
    { before: null },
    { before: [] },
  ]) {
    it(`with ${JSON.stringify(body)} is refused, and removes nothing`, () => {
      const proxy = new Proxy();
      proxy.put("aa01");
      assertProblem(proxy.flush(body), 400, 422);
      assert.equal(proxy.get("aa01").status, 200);
    });
  }

  it("of a large cache never holds a worker longer than a millisecond, and answers with the whole number", async () => {
    const proxy = new Proxy();
    const count = 5000;
    for (let i = 0; i < count; i++) proxy.handshake(fullWithId(sessionId(i)));
    // A page costs a few microseconds and a look or two at the clock.
    proxy.host.clock.microsecondsPerReading = 2;
    const { clock } = proxy.host;
    const begun = clock.exactSeconds;
    const exchange = proxy.worker.begin("POST", "/v1/sessions/flush", { token: FULL_TOKEN, body: {} });
    assert.ok(clock.exactSeconds - begun <= MILLISECOND, `the request took ${(clock.exactSeconds - begun) * 1e3} ms`);
    assert.ok(!exchange.answered, "it is not carried out at once");
    for (let i = 0; exchange.answer === undefined && i < 100_000; i++) {
      for (const worker of proxy.workers) {
        for (const root of worker.ticking()) {
          const before = clock.exactSeconds;
          root.tick();
          assert.ok(
            clock.exactSeconds - before <= MILLISECOND,
            `a tick took ${(clock.exactSeconds - before) * 1e3} ms`,
          );
        }
      }
    }
    assert.ok(exchange.answer);
    assert.deepEqual(enforced(exchange.answer), { removed: count });
    proxy.host.clock.microsecondsPerReading = 1;
    assert.equal(await proxy.number(), 0);
    for (let i = 0; i < count; i += 97) assert.equal(proxy.get(sessionId(i)).status, 410);
  });

  it("reaches every session held at its moment, while clients go on to fill and use the cache", () => {
    const proxy = new Proxy();
    const count = 3000;
    for (let i = 0; i < count; i++) proxy.handshake(fullWithId(sessionId(i)));
    proxy.host.clock.microsecondsPerReading = 50;
    const exchange = proxy.worker.begin("POST", "/v1/sessions/flush", { token: FULL_TOKEN, body: {} });
    let fresh = count;
    for (let i = 0; exchange.answer === undefined && i < 10_000; i++) {
      proxy.handshake(fullWithId(sessionId(fresh++)), "10.0.0.7:443", proxy.on(1));
      proxy.handshake(resumedById(sessionId(i % count)), "10.0.0.7:443", proxy.on(1));
      proxy.host.tick();
    }
    assert.equal(exchange.answer?.status, 200);
    proxy.host.clock.microsecondsPerReading = 1;
    for (let i = 0; i < count; i++) assert.equal(proxy.get(sessionId(i)).status, 410, `session ${i}`);
  });

  it("goes on, or stops in order, when its caller goes away", () => {
    const proxy = new Proxy();
    for (let i = 0; i < 3000; i++) proxy.handshake(fullWithId(sessionId(i)));
    proxy.host.clock.microsecondsPerReading = 50;
    const exchange = proxy.worker.begin("POST", "/v1/sessions/flush", { token: FULL_TOKEN, body: {} });
    proxy.host.tick();
    exchange.abandon();
    for (let i = 0; i < 1000; i++) proxy.host.tick();
    assert.equal(proxy.request("GET", "/v1/stats").status, 200);
    assert.equal(proxy.flush().status, 200);
    assert.equal(proxy.stat("number"), 0);
  });

  it("of two callers at the same time answers both", () => {
    const proxy = new Proxy();
    for (let i = 0; i < 3000; i++) proxy.handshake(fullWithId(sessionId(i)));
    proxy.host.clock.microsecondsPerReading = 50;
    const exchanges = [
      proxy.on(0).begin("POST", "/v1/sessions/flush", { token: FULL_TOKEN, body: {} }),
      proxy.on(0).begin("POST", "/v1/sessions/flush", { token: FULL_TOKEN, body: {} }),
      proxy.on(1).begin("POST", "/v1/sessions/flush", { token: FULL_TOKEN, body: {} }),
    ];
    for (let i = 0; i < 10_000 && exchanges.some(({ answer }) => answer === undefined); i++) proxy.host.tick();
    let total = 0;
    for (const { answer } of exchanges) {
      assert.ok(answer?.status === 200 || answer?.status === 503, `status ${answer?.status}`);
      if (answer.status === 503) assert.match(answer.headers["retry-after"] ?? "", /^\d+$/);
      total += Number(answer.json.removed ?? 0);
    }
    assert.equal(total, 3000, "each session is counted once");
  });
});

describe("a mode", () => {
  const modes: Record<string, string[]> = {
    OFF: ["OFF"],
    NO_INTERNAL_STORE: ["SERVER", "NO_INTERNAL_STORE"],
    NO_INTERNAL: ["SERVER", "NO_INTERNAL"],
  };
  for (const [name, mode] of Object.entries(modes)) {
    it(`of ${name} learns nothing, on any worker, but adding by hand works`, async () => {
      const proxy = new Proxy();
      proxy.set("mode", { mode });
      for (const worker of proxy.workers) {
        proxy.handshake(fullWithId(sessionId(1)), "10.0.0.7:443", worker);
        proxy.handshake(resumedById(sessionId(2)), "10.0.0.7:443", worker);
        proxy.handshake(tls13([ticket("key", 3)], { selected: 0 }), "10.0.0.7:443", worker);
      }
      assert.equal(await proxy.number(), 0);
      assert.equal(proxy.put("aa01").status, 201);
      assert.equal(proxy.get("aa01").status, 200);
      proxy.set("mode", { mode: ["SERVER"] });
      proxy.handshake(fullWithId(sessionId(4)));
      assert.equal(await proxy.number(), 2);
    });
  }

  it("of OFF counts neither hits nor misses", () => {
    const proxy = new Proxy();
    proxy.put(sessionId(1));
    proxy.set("mode", { mode: ["OFF"] });
    proxy.handshake(resumedById(sessionId(1)));
    proxy.handshake(resumedById(sessionId(2)));
    assert.deepEqual([proxy.stat("hits"), proxy.stat("misses"), proxy.session(sessionId(1)).hits], [0, 0, 0]);
  });

  it("of NO_INTERNAL_STORE still looks up and counts", () => {
    const proxy = new Proxy();
    proxy.put(sessionId(1));
    proxy.set("mode", { mode: ["SERVER", "NO_INTERNAL_STORE"] });
    proxy.handshake(resumedById(sessionId(1)));
    proxy.handshake(resumedById(sessionId(2)));
    assert.deepEqual([proxy.stat("hits"), proxy.stat("misses")], [1, 1]);
  });

  it("of NO_INTERNAL_LOOKUP counts no hit and no miss, but learns", async () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(1)));
    proxy.set("mode", { mode: ["SERVER", "NO_INTERNAL_LOOKUP"] });
    proxy.handshake(resumedById(sessionId(1)));
    proxy.handshake(fullWithId(sessionId(3), { offered: sessionId(2) }));
    assert.deepEqual([proxy.stat("hits"), proxy.stat("misses")], [0, 0]);
    assert.equal(await proxy.number(), 2);
  });

  it("never touches tombstones", () => {
    for (const mode of [["OFF"], ["SERVER", "NO_INTERNAL"]]) {
      const proxy = new Proxy();
      proxy.put("aa01");
      proxy.set("mode", { mode });
      assert.equal(proxy.delete("aa01").json.outcome, "removed");
      assert.equal(proxy.get("aa01").status, 410);
    }
  });

  it("may come from the configuration", async () => {
    const proxy = new Proxy({ cache: { mode: ["SERVER", "NO_INTERNAL_STORE"] } });
    proxy.handshake(fullWithId(sessionId(1)));
    assert.equal(await proxy.number(), 0);
    assert.deepEqual(proxy.request("GET", "/v1/mode").json.mode?.sort(), ["NO_INTERNAL_STORE", "SERVER"]);
  });

  it("set over HTTP holds for workers that start later", async () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.set("mode", { mode: ["OFF"] });
    const late = proxy.host.worker();
    assert.ok(late.configure("observer", observerSettings()));
    assert.ok(late.configure("admin", adminSettings()));
    proxy.handshake(fullWithId(sessionId(1)), "10.0.0.7:443", late);
    assert.equal(await proxy.number(), 0);
  });
});

describe("OpenSSL's own tests of its cache", () => {
  it("only the internal cache: stored, add -> 0; removed, add -> 1, remove -> 1, remove -> 0", () => {
    const proxy = new Proxy();
    proxy.handshake(fullWithId(sessionId(1)));
    assert.equal(proxy.put(sessionId(1)).json.result, 0);
    assert.equal(proxy.delete(sessionId(1)).json.result, 1);
    assert.equal(proxy.put(sessionId(1)).json.result, 1);
    assert.equal(proxy.delete(sessionId(1)).json.result, 1);
    assert.equal(proxy.delete(sessionId(1)).json.result, 0);
  });

  it("size 1: an added session displaces the other", async () => {
    const proxy = new Proxy({ cache: { cache_size: 1 } });
    proxy.put("aa01");
    proxy.put("aa02");
    assert.deepEqual(
      (await proxy.list()).map(({ id }) => id),
      ["aa02"],
    );
  });

  it("timeouts: sessions added late, middle and early are flushed one by one, then all; re-adding -> 1", async () => {
    const proxy = new Proxy({ cache: KEEP_EXPIRED });
    proxy.host.clock.set(1_790_000_000);
    for (const [id, timeout] of [
      ["aa03", 20],
      ["aa02", 10],
      ["aa01", 8],
    ] as const)
      proxy.put(id, { timeout });
    for (const [at, left] of [
      [9, 2],
      [11, 1],
      [21, 0],
    ] as const) {
      assert.equal(proxy.flush({ before: 1_790_000_000 + at }).json.removed, 1);
      assert.equal(await proxy.number(), left);
    }
    for (const id of ["aa01", "aa02", "aa03"]) assert.equal(proxy.put(id).json.result, 1);
    assert.equal(proxy.flush().json.removed, 3);
  });

  it("repeated resumption keeps the size bounded", async () => {
    const proxy = new Proxy({ cache: { cache_size: 5 } });
    for (let i = 0; i < 500; i++) proxy.handshake(resumedById(sessionId(i % 20)));
    assert.ok((await proxy.number()) <= 5);
  });
});

function removed(proxy: Proxy): RemovedSession[] {
  const { json } = proxy.request("GET", "/v1/removed?limit=1000");
  return json.removed as RemovedSession[];
}

function shuffled(random: Random, length: number): number[] {
  const numbers = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [numbers[i], numbers[j]] = [numbers[j] as number, numbers[i] as number];
  }
  return numbers;
}
