/** The guard and the requests on a listener that terminates TLS, on the built module. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assertProblem } from "../../contract/client.ts";
import type { AnswerBody } from "../../support/answer.ts";
import { FakeHost, type HttpsOptions, type Passage, type Worker } from "../../fake_host/fake_host.ts";
import { Proxy, hex, observerSettings } from "../../fake_host/proxy.ts";
import { fullWithId, sessionId } from "../../support/tls_bytes.ts";

const ID = sessionId(1);
const OTHER = sessionId(2);

function guardedProxy(cache: Record<string, unknown> = {}, host = new FakeHost()): Proxy {
  const proxy = new Proxy({ cache, host });
  for (const worker of proxy.workers) assert.ok(worker.configure("guard", observerSettings(cache)));
  return proxy;
}

/** One request on a connection of its own. */
function visit(worker: Worker, id: Buffer | string, options: HttpsOptions = {}): Passage {
  return worker.https({ sessionId: hex(id), ...options }).request();
}

function assertRefused({ answer, passedThrough }: Passage): void {
  assert.equal(passedThrough, false);
  assert.ok(answer !== undefined);
  assertProblem(answer, 421);
  assert.equal(answer.headers.connection, "close");
  assert.equal(answer.headers["cache-control"], "no-store");
}

function hits(proxy: Proxy, id: Buffer): number {
  return proxy.session(id).hits;
}

describe("a session that Envoy itself issued", () => {
  it("is learned with the first request, with what the connection shows of it", () => {
    const proxy = guardedProxy();
    assert.ok(visit(proxy.worker, ID, { sni: "shop.example" }).passedThrough);
    const { time, issued, ...rest } = proxy.session(ID);
    assert.deepEqual([time, issued], [proxy.host.clock.seconds, time]);
    assert.deepEqual(rest, {
      id: hex(ID),
      kind: "id",
      protocol: "TLSv1.2",
      cipher: null,
      sni: "shop.example",
      upstream: null,
      ticket_key: null,
      session: null,
      timeout: 7200,
      last_used: null,
      hits: 0,
      origin: "observed",
    });
    assert.deepEqual([proxy.stat("hits"), proxy.stat("misses")], [0, 0]);
  });

  for (const [shown, protocol] of [
    ["TLSv1", "TLSv1"],
    ["TLSv1.1", "TLSv1.1"],
    ["TLSv1.2", "TLSv1.2"],
    ["TLSv1.4", null],
    ["TLSv2.2", null],
    ["SSLv3.1", null],
    ["TLSv1,2", null],
    ["TLSv1.2.", null],
    ["", null],
  ] as const) {
    it(`has protocol ${protocol} where the connection shows "${shown}"`, () => {
      const proxy = guardedProxy();
      visit(proxy.worker, ID, { protocol: shown });
      assert.equal(proxy.session(ID).protocol, protocol);
    });
  }

  it("is learned without a server name that is longer than any, and with one of odd bytes", () => {
    const proxy = guardedProxy();
    visit(proxy.worker, ID, { sni: "a".repeat(256) });
    assert.equal(proxy.session(ID).sni, null);
    assert.ok(visit(proxy.worker, OTHER, { sni: `"\\\n\xff`.repeat(60) }).passedThrough);
    assert.equal(proxy.session(OTHER).id, hex(OTHER));
  });

  it("is hit by each later connection, on any worker, and never by their later requests", () => {
    const proxy = guardedProxy();
    visit(proxy.worker, ID);
    for (const [index, worker] of [proxy.on(0), proxy.on(1), proxy.on(1)].entries()) {
      const connection = worker.https({ sessionId: hex(ID) });
      for (let i = 0; i < 5; i++) assert.ok(connection.request().passedThrough);
      assert.equal(hits(proxy, ID), index + 1);
    }
    assert.equal(proxy.stat("hits"), 3);
    assert.equal(proxy.stat("misses"), 0);
  });

  it("is learned once by a connection whose first requests overlap, and hit by none of them", () => {
    const proxy = guardedProxy();
    const connection = proxy.worker.https({ sessionId: hex(ID) });
    const open = Array.from({ length: 4 }, () => connection.begin());
    for (const request of open) request.end();
    assert.ok(connection.request().passedThrough);
    assert.deepEqual([hits(proxy, ID), proxy.stat("replaces")], [0, 0]);
  });

  it("counts as a timeout when it comes after its time", () => {
    const proxy = guardedProxy({ timeout: 60 });
    visit(proxy.worker, ID);
    proxy.host.pass(62);
    assert.ok(visit(proxy.worker, ID).passedThrough);
    assert.deepEqual([proxy.stat("timeouts"), proxy.stat("hits"), proxy.stat("misses")], [1, 0, 0]);
  });

  it("is left to the observer where that one has seen it, which has counted it already", () => {
    const proxy = guardedProxy();
    proxy.handshake(fullWithId(ID), "127.0.0.1:10444");
    assert.ok(visit(proxy.worker, ID).passedThrough);
    assert.deepEqual([hits(proxy, ID), proxy.stat("hits"), proxy.stat("replaces")], [0, 0, 0]);
    proxy.delete(ID);
    assertRefused(visit(proxy.worker, ID));
  });
});

describe("a removed session", () => {
  it("is answered with 421 on every worker and for every request, each of them counted as refused and as nothing else", () => {
    const proxy = guardedProxy();
    visit(proxy.worker, ID);
    visit(proxy.worker, OTHER);
    proxy.delete(ID);
    const connection = proxy.on(1).https({ sessionId: hex(ID) });
    for (let i = 0; i < 3; i++) assertRefused(connection.request());
    assertRefused(visit(proxy.on(0), ID));
    assert.deepEqual([proxy.stat("refused"), proxy.stat("hits"), proxy.stat("misses")], [4, 0, 0]);
    assert.equal(proxy.get(ID).status, 410);
    assert.ok(visit(proxy.worker, OTHER).passedThrough, "others are not disturbed");
  });

  it("is refused on a connection that is open already", () => {
    const proxy = guardedProxy();
    const connection = proxy.worker.https({ sessionId: hex(ID) });
    assert.ok(connection.request().passedThrough);
    proxy.delete(ID, proxy.on(1));
    assertRefused(connection.request());
  });

  it("is refused where it was never seen, and where a flush has removed it", () => {
    const proxy = guardedProxy();
    proxy.delete(ID);
    assertRefused(visit(proxy.worker, ID));
    visit(proxy.worker, OTHER);
    proxy.flush();
    assertRefused(visit(proxy.worker, OTHER));
  });

  it("is refused when it is removed between the look and the learning", () => {
    const proxy = guardedProxy();
    proxy.host.sharedData.beforeNextSet(/(?:)/, () => void proxy.delete(ID, proxy.on(1)));
    assertRefused(visit(proxy.on(0), ID));
    assert.equal(proxy.get(ID).status, 410);
  });

  it("goes on once it was added by hand again", () => {
    const proxy = guardedProxy();
    proxy.delete(ID);
    assertRefused(visit(proxy.worker, ID));
    proxy.put(ID);
    assert.ok(visit(proxy.worker, ID).passedThrough);
    assert.equal(hits(proxy, ID), 1);
  });

  it("is an event that says so", () => {
    const proxy = guardedProxy();
    proxy.delete(ID);
    visit(proxy.worker, ID);
    proxy.host.pass(1);
    const events = proxy.request("GET", "/v1/events").json.events as AnswerBody[];
    const { cause, id, type } = events.at(-1) ?? {};
    assert.deepEqual({ cause, id, type }, { cause: "session", id: hex(ID), type: "refused" });
  });

  for (const mode of [[], ["SERVER", "NO_INTERNAL_STORE"], ["SERVER", "NO_INTERNAL_LOOKUP"]]) {
    it(`is refused in mode [${mode.join(", ")}], which governs learning and counting only`, () => {
      const proxy = guardedProxy();
      proxy.set("mode", { mode });
      proxy.put(OTHER);
      proxy.delete(ID);
      assertRefused(visit(proxy.worker, ID));
      visit(proxy.worker, sessionId(3));
      visit(proxy.worker, OTHER);
      const learned = proxy.get(sessionId(3)).status === 200;
      assert.deepEqual(
        { learned, hits: hits(proxy, OTHER) },
        { learned: mode.includes("NO_INTERNAL_LOOKUP"), hits: mode.includes("NO_INTERNAL_STORE") ? 1 : 0 },
      );
    });
  }

  it("goes on where the configuration only observes", () => {
    const proxy = guardedProxy({ enforcement: "observe" });
    proxy.delete(ID);
    assert.ok(visit(proxy.worker, ID).passedThrough);
    assert.equal(proxy.stat("refused"), 0);
    assert.equal(proxy.get(ID).status, 410, "and is not learned again");
  });
});

describe("a session of a server name that was revoked", () => {
  const SNI = "shop.example";

  function revoke(proxy: Proxy): void {
    assert.ok(proxy.request("PUT", `/v1/revocations/${SNI}`).status < 300);
    proxy.host.pass(1.5);
  }

  it("is refused when it comes again, for each request, and told as an event", () => {
    const proxy = guardedProxy();
    visit(proxy.worker, ID, { sni: SNI });
    revoke(proxy);
    const again = proxy.on(1).https({ sessionId: hex(ID), sni: SNI });
    for (let i = 0; i < 3; i++) assertRefused(again.request());
    assert.deepEqual([proxy.stat("refused"), proxy.stat("hits"), hits(proxy, ID)], [3, 0, 0]);
    proxy.host.pass(1);
    const events = proxy.request("GET", "/v1/events").json.events as AnswerBody[];
    assert.deepEqual([events.at(-1)?.type, events.at(-1)?.cause, events.at(-1)?.id], ["refused", "sni", hex(ID)]);
  });

  it("is refused under whatever name it comes, and another name's session is not", () => {
    const proxy = guardedProxy();
    visit(proxy.worker, ID, { sni: SNI });
    visit(proxy.worker, OTHER, { sni: "other.example" });
    revoke(proxy);
    assertRefused(visit(proxy.worker, ID, { sni: "other.example" }));
    assertRefused(visit(proxy.worker, ID));
    assert.ok(visit(proxy.worker, OTHER, { sni: "other.example" }).passedThrough);
    assertRefused(visit(proxy.worker, OTHER, { sni: SNI.toUpperCase() }));
  });

  it("resumes where it was issued afterwards, or once the revocation is lifted", () => {
    const proxy = guardedProxy();
    visit(proxy.worker, ID, { sni: SNI });
    revoke(proxy);
    assert.ok(visit(proxy.worker, OTHER, { sni: SNI }).passedThrough, "a full handshake");
    assert.ok(visit(proxy.worker, OTHER, { sni: SNI }).passedThrough, "and its resumption");
    assert.equal(hits(proxy, OTHER), 1);
    assertRefused(visit(proxy.worker, ID, { sni: SNI }));
    proxy.request("DELETE", `/v1/revocations/${SNI}`);
    assert.ok(visit(proxy.worker, ID, { sni: SNI }).passedThrough);
    assert.equal(hits(proxy, ID), 1);
  });

  it("goes on, on a connection that was let through before", () => {
    const proxy = guardedProxy();
    const issuing = proxy.worker.https({ sessionId: hex(ID), sni: SNI });
    assert.ok(issuing.request().passedThrough);
    const resumed = proxy.worker.https({ sessionId: hex(ID), sni: SNI });
    assert.ok(resumed.request().passedThrough);
    revoke(proxy);
    for (const connection of [issuing, resumed]) assert.ok(connection.request().passedThrough);
  });

  it("goes on under observe, where nothing was stored, and where the observer in front has judged it", () => {
    for (const cache of [{ enforcement: "observe" }, { mode: ["SERVER", "NO_INTERNAL_STORE"] }]) {
      const proxy = guardedProxy(cache);
      visit(proxy.worker, ID, { sni: SNI });
      revoke(proxy);
      assert.ok(visit(proxy.worker, ID, { sni: SNI }).passedThrough);
      assert.equal(proxy.stat("refused"), 0);
    }
    const proxy = guardedProxy();
    proxy.handshake(fullWithId(ID, { sni: SNI }), "127.0.0.1:10444");
    revoke(proxy);
    assert.ok(visit(proxy.worker, ID, { sni: SNI }).passedThrough);
  });

  it("goes on where the host keeps no marks, as no request is known to be the first one then", () => {
    const proxy = guardedProxy({}, new FakeHost({}, true));
    const connection = proxy.worker.https({ sessionId: hex(ID), sni: SNI });
    assert.ok(connection.request().passedThrough);
    revoke(proxy);
    assert.ok(connection.request().passedThrough);
  });
});

describe("under strict", () => {
  for (const mode of [["SERVER"], ["SERVER", "NO_INTERNAL_STORE"]]) {
    it(`a full handshake is never refused, in mode ${mode.join(", ")}`, () => {
      const proxy = guardedProxy({ enforcement: "strict", mode });
      const connection = proxy.worker.https({ sessionId: hex(ID) });
      for (let i = 0; i < 3; i++) assert.ok(connection.request().passedThrough);
    });
  }

  it("a session that the cache holds resumes", () => {
    const proxy = guardedProxy({ enforcement: "strict" });
    visit(proxy.worker, ID);
    assert.ok(visit(proxy.worker, ID).passedThrough);
    proxy.put(OTHER);
    assert.ok(visit(proxy.worker, OTHER).passedThrough);
    assert.deepEqual([hits(proxy, ID), hits(proxy, OTHER)], [1, 1]);
  });

  it("one whose time is over is refused, and not on a connection that was let through in its time", () => {
    const proxy = guardedProxy({ enforcement: "strict", timeout: 60, mode: ["SERVER", "NO_AUTO_CLEAR"] });
    const connection = proxy.worker.https({ sessionId: hex(ID) });
    assert.ok(connection.request().passedThrough);
    proxy.host.pass(62);
    assert.ok(connection.request().passedThrough);
    assertRefused(visit(proxy.worker, ID));
    assert.deepEqual([proxy.stat("timeouts"), proxy.stat("refused")], [0, 1]);
  });
});

describe("a guard with an access log", () => {
  it("leaves for each request what its connection was", () => {
    const proxy = guardedProxy({});
    for (const worker of proxy.workers) assert.ok(worker.configure("guard", { cache: "default", access_log: true }));
    const full = proxy.worker.https({ sessionId: hex(ID) });
    const resumed = proxy.worker.https({ sessionId: hex(ID) });
    for (let i = 0; i < 2; i++) assert.deepEqual(full.request().logged, { outcome: "full" });
    for (let i = 0; i < 2; i++) assert.deepEqual(resumed.request().logged, { outcome: "resumed" });
    proxy.delete(ID);
    assert.deepEqual(resumed.request().logged, { outcome: "refused" });
    assert.deepEqual(proxy.worker.https({ sessionId: "" }).request().logged, {});
  });

  it("leaves nothing where the observer in front has seen the session, and nothing where it is not asked to", () => {
    const proxy = guardedProxy({});
    assert.deepEqual(visit(proxy.worker, OTHER).logged, {});
    assert.ok(proxy.worker.configure("guard", { cache: "default", access_log: true }));
    proxy.handshake(fullWithId(ID), "127.0.0.1:10444");
    assert.deepEqual(visit(proxy.worker, ID).logged, {});
  });
});

describe("a connection without a session ID", () => {
  const nothing: [string, HttpsOptions][] = [
    ["no filter state", {}],
    ["an empty one, as in TLS 1.3", { sessionId: "", protocol: "TLSv1.3" }],
    ["a dash", { sessionId: "-" }],
    ["half a byte", { sessionId: "abc" }],
    ["an ID that is not hex", { sessionId: "zz".repeat(32) }],
    ["33 bytes", { sessionId: "ab".repeat(33) }],
    ["very many bytes", { sessionId: "ab".repeat(50_000) }],
  ];
  for (const [what, options] of nothing) {
    it(`goes on, and counts nothing: ${what}`, async () => {
      const proxy = guardedProxy();
      assert.ok(proxy.worker.https(options).request().passedThrough);
      assert.deepEqual([await proxy.number(), proxy.stat("hits"), proxy.stat("misses")], [0, 0, 0]);
    });
  }

  it("is no removed session, even where one byte of zero was removed", () => {
    const proxy = guardedProxy();
    proxy.delete("00");
    assert.ok(proxy.worker.https({ sessionId: "" }).request().passedThrough);
    assertRefused(visit(proxy.worker, "00"));
  });
});

describe("a guard", () => {
  it("says so where the host keeps nothing with connections, and goes on: then each request counts", () => {
    const host = new FakeHost({}, true);
    const proxy = guardedProxy({}, host);
    assert.ok(host.log.some(({ level, text }) => level === "warn" && /every request counts/.test(text)));
    const connection = proxy.worker.https({ sessionId: hex(ID) });
    for (let i = 0; i < 3; i++) assert.ok(connection.request().passedThrough);
    assert.equal(hits(proxy, ID), 2);
  });

  it("refuses a configuration that is wrong, or that contradicts the other filters of its cache", () => {
    const host = new FakeHost();
    const proxy = new Proxy({ host, cache: { timeout: 60 } });
    assert.equal(proxy.worker.configure("guard", { cache_sice: 1 }), false);
    assert.match(host.log.at(-1)?.text ?? "", /configuration of the guard.*cache_sice/);
    assert.equal(proxy.worker.configure("guard", { timeout: 61 }), false);
    assert.match(host.log.at(-1)?.text ?? "", /timeout/);
  });

  it("is named where a root_id is unknown", () => {
    const host = new FakeHost();
    assert.equal(host.worker().configure("gard", {}), false);
    assert.match(host.log.at(-1)?.text ?? "", /"guard"/);
  });

  it("holds no memory for the connections that it has seen", () => {
    const proxy = guardedProxy();
    const visits = (count: number): void => {
      for (let i = 0; i < count; i++) visit(proxy.worker, ID);
    };
    visits(2000);
    const before = proxy.worker.memoryBytes;
    visits(20_000);
    assert.equal(proxy.worker.memoryBytes, before);
  });
});
