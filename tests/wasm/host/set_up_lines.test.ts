/** What the filters say of a set-up that serves and is not what its operator means: one line each, and none for what is right. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeHost } from "../../fake_host/fake_host.ts";
import { Proxy, observerSettings } from "../../fake_host/proxy.ts";
import { fullWithId, sessionId } from "../../support/tls_bytes.ts";

/** Warnings and errors about something. */
function lines(host: FakeHost, about: RegExp): string[] {
  return host.log.filter(({ level, text }) => level !== "info" && about.test(text)).map(({ text }) => text);
}

describe("fields of another filter", () => {
  it("are told once, on however many workers, and the filter starts", () => {
    const proxy = new Proxy({ workers: 3, observer: { admin: { tokens: ["one-token-0123"] } } });
    assert.deepEqual(lines(proxy.host, /without effect here/), [
      "configuration of the observer filter: without effect here: admin (of the admin filter); " +
        "if this text is not meant for several filters, move them to the one that uses them",
    ]);
  });

  it("are not told of a configuration that is refused", () => {
    const host = new FakeHost();
    assert.equal(host.worker().configure("guard", { steering: "hash", cache_size: -1 }), false);
    assert.deepEqual(lines(host, /without effect here/), []);
  });

  it("are not told where each filter has its own", () => {
    const proxy = new Proxy({ observer: { steering: "hash" } });
    assert.ok(proxy.worker.configure("guard", observerSettings()));
    assert.deepEqual(lines(proxy.host, /./), []);
  });
});

describe("a token for all that is missing", () => {
  it("is told where others may read", () => {
    const host = new FakeHost({ READ: "may-only-read-0123" });
    const admin = { tokens_env: ["ALL"], read_tokens_env: ["READ"] };
    assert.ok(host.worker().configure("admin", { cache: "default", admin }));
    assert.match(lines(host, /nobody may change anything/)[0] ?? "", /ALL is not set, or empty/);
  });
});

describe("a callback that does not come", () => {
  const visit = (proxy: Proxy): void => {
    proxy.handshake(fullWithId(sessionId(1)), "10.0.0.7:443");
  };

  it("is told of ticks once seconds have gone by without one", () => {
    const proxy = new Proxy({ workers: 1 });
    for (let second = 0; second < 4; second++) {
      visit(proxy);
      proxy.host.clock.move(1);
    }
    assert.equal(lines(proxy.host, /does not call proxy_on_tick/).length, 1);
  });

  it("is not told of a worker that was held up once, nor if the clock is set back", () => {
    const proxy = new Proxy({ workers: 1 });
    visit(proxy);
    proxy.host.clock.move(30);
    visit(proxy);
    visit(proxy);
    proxy.host.clock.jump(-3600);
    visit(proxy);
    proxy.host.tick();
    proxy.host.clock.move(7200);
    visit(proxy);
    assert.deepEqual(lines(proxy.host, /does not call/), []);
  });

  it("is told of the client's data by the server's hello", () => {
    const proxy = new Proxy({ workers: 1 });
    const flights = fullWithId(sessionId(1)).filter(({ from }) => from === "server");
    proxy.worker.connection({ upstream: "10.0.0.7:443" }).exchange(flights);
    proxy.worker.connection({ upstream: "10.0.0.7:443" }).exchange(flights);
    assert.equal(lines(proxy.host, /does not call proxy_on_downstream_data/).length, 1);
  });

  it("is not told of a server that speaks first in another protocol, or in bytes that only begin like a hello", () => {
    const proxy = new Proxy({ workers: 1 });
    for (const bytes of [
      "220 mail.example ESMTP\r\n",
      "\x16",
      "\x16\x03\x03\x00\x02",
      "\x15\x03\x03\x00\x02\x02\x28",
    ]) {
      proxy.worker.connection().fromServer(Buffer.from(bytes, "latin1")).close();
    }
    assert.deepEqual(lines(proxy.host, /does not call/), []);
  });
});

describe("a listener without session IDs", () => {
  const guarded = (): FakeHost => {
    const host = new FakeHost();
    assert.ok(host.worker().configure("guard", observerSettings()));
    host.tick();
    return host;
  };

  it("is told by the guard with its first client before TLS 1.3, once", () => {
    const host = guarded();
    for (let i = 0; i < 3; i++) host.workers[0]?.https({ protocol: "TLSv1.2" }).request();
    assert.equal(lines(host, /came without a session ID/).length, 1);
  });

  it("is not told of clients of TLS 1.3, and not where an ID has come", () => {
    const host = guarded();
    for (let i = 0; i < 3; i++) host.workers[0]?.https({ protocol: "TLSv1.3" }).request();
    host.workers[0]?.https({ sessionId: "abcd", protocol: "TLSv1.2" }).request();
    host.workers[0]?.https({ protocol: "TLSv1.2" }).request();
    assert.deepEqual(lines(host, /session ID/), []);
  });
});

describe("the events' cluster", () => {
  it("is told if Envoy does not have it", () => {
    const host = new FakeHost();
    host.clusters = new Set(["other"]);
    const events = { events: { cluster: "audit", path: "/" } };
    const proxy = new Proxy({ host, cache: events });
    for (let second = 0; second < 3; second++) host.pass(1);
    assert.deepEqual(lines(host, /events/), [], "nothing has happened yet");
    proxy.put("abcd");
    for (let second = 0; second < 10; second++) host.pass(1);
    assert.equal(lines(host, /Envoy has no cluster "audit", which events.cluster names/).length, 1);
    const { event_posts_failed: failed } = proxy.request("GET", "/v1/stats").json as unknown as Record<string, number>;
    assert.ok((failed ?? 0) >= 3, String(failed));
  });
});
