/**
 * A host that does not do what refusing stands on, on the built module: what must not resume does not, the connection is closed, and
 * the operator is told.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Connection, FakeHost, type Flight } from "../../fake_host/fake_host.ts";
import { assertPassed, complaints, reached, received, run } from "../../fake_host/passage.ts";
import { Proxy, adminSettings, observerSettings } from "../../fake_host/proxy.ts";
import {
  applicationData,
  clientHello,
  cut,
  fullWithId,
  resumedById,
  sessionId,
  sha256,
  ticket,
  tls13,
} from "../../support/tls_bytes.ts";

const ID = sessionId(1);
const TICKET = ticket("key", 1);
const REMOVED: Record<string, Flight[]> = {
  "a session ID": resumedById(ID),
  "a PSK": tls13([TICKET], { selected: 0 }),
  "a session ID, byte by byte": cut(resumedById(ID), 1),
};
const NEEDED = ["proxy_set_buffer_bytes", "proxy_close_stream", "proxy_set_effective_context", "proxy_get_shared_data"];
const SERVER_FINISHED = Buffer.alloc(40, 0xf1);

describe("a host that lets nothing be stored", () => {
  const DENIED =
    /the host forbids this module to call proxy_set_shared_data; allow it in capability_restriction_config/;

  for (const root of ["observer", "admin"]) {
    it(`makes the ${root} filter refuse its configuration, and is told as what it is`, () => {
      const host = new FakeHost();
      host.denied.add("proxy_set_shared_data");
      const settings = root === "admin" ? adminSettings() : observerSettings({ enforcement: "observe" });
      assert.equal(host.worker().configure(root, settings), false);
      const told = host.log.filter(({ text }) => DENIED.test(text));
      assert.ok(told.some(({ text }) => text.includes("its settings could not be stored")));
      assert.ok(!host.log.some(({ text }) => text.includes("others kept changing")));
    });
  }

  it("makes changes 503 with the reason, and is logged once", () => {
    const host = new FakeHost();
    const failing = new Set<string>();
    host.failing = failing;
    const proxy = new Proxy({ host });
    failing.add("proxy_set_shared_data");
    for (const [method, path] of [
      ["PUT", "/v1/sessions/abcd"],
      ["DELETE", "/v1/sessions/abcd"],
      ["PUT", "/v1/timeout?timeout=60"],
      ["PUT", "/v1/ticket-keys/000102030405060708090a0b0c0d0e0f?upstream=10.0.0.7:443"],
      ["POST", "/v1/sessions/flush?before=0"],
    ] as const) {
      const answer = proxy.request(method, path);
      assert.equal(answer.status, 503, path);
      assert.match(String(answer.json.detail), DENIED, path);
    }
    assert.equal(host.log.filter(({ text }) => DENIED.test(text)).length, 1);
    failing.clear();
    assert.equal(proxy.request("PUT", "/v1/sessions/abcd").status, 201);
  });
});

describe("a configuration whose capabilities lack a call that refusing needs", () => {
  for (const call of NEEDED) {
    it(`is refused with a line that says which one, and where to allow it: ${call}`, () => {
      for (const enforcement of [undefined, "revoked", "strict"]) {
        const host = new FakeHost();
        host.denied.add(call);
        const settings = observerSettings(enforcement === undefined ? {} : { enforcement });
        assert.equal(host.worker().configure("observer", settings), false);
        const line = host.log.at(-1);
        assert.equal(line?.level, "error");
        assert.match(
          line?.text ?? "",
          new RegExp(`observer filter: enforcement: .*${call}.*capability_restriction_config`),
        );
        assert.doesNotMatch(line?.text ?? "", /\n/);
      }
    });

    if (call === "proxy_get_shared_data") continue;
    it(`is taken where it says that nothing is to be refused: ${call}`, () => {
      const host = new FakeHost();
      host.denied.add(call);
      const worker = host.worker();
      assert.ok(worker.configure("observer", observerSettings({ enforcement: "observe" })), host.log.at(-1)?.text);
      const flights = fullWithId(ID);
      assertPassed(worker.connection().exchange(flights), flights);
    });
  }

  it("closes what must not resume where enforcement is switched on later", () => {
    for (const call of ["proxy_set_buffer_bytes", "proxy_close_stream"]) {
      const host = new FakeHost();
      const worker = host.worker();
      assert.ok(worker.configure("admin", adminSettings()));
      host.denied.add(call);
      assert.ok(worker.configure("observer", observerSettings({ enforcement: "observe" })));
      host.denied.delete(call);
      const proxy = new Proxy({ host, workers: 0 });
      proxy.workers.push(worker);
      proxy.delete(ID);
      assert.equal(proxy.request("PUT", "/v1/enforcement", { body: { enforcement: "revoked" } }).status, 200);
      const connection = run(proxy, resumedById(ID).slice(0, 2));
      host.pass(0.2);
      assert.ok(!received(connection).includes(SERVER_FINISHED), "nothing of a resumption passes");
      assert.ok(proxy.stat("host_calls_failed") > 0);
    }
  });
});

describe("a host that does not replace bytes when it comes to it", () => {
  for (const [name, flights] of Object.entries(REMOVED)) {
    it(`has the connection closed, and nothing of the server's answer passes: ${name}`, () => {
      const { proxy, failing } = failingProxy();
      failing.add("proxy_set_buffer_bytes");
      const connection = talk(proxy, flights);
      assertCut(proxy, connection);
      assert.equal(received(connection).length, 0);
      failing.clear();
      assertWorks(proxy);
    });
  }

  it("has the connection closed where early data is to be dropped, and none of it goes on", () => {
    const { proxy, failing } = failingProxy();
    failing.add("proxy_set_buffer_bytes");
    const early = applicationData(300);
    const hello = clientHello({ tls13: true, sessionId: ID, pskIdentities: [TICKET], earlyData: true });
    for (const size of [1e6, 50]) {
      const connection = talk(proxy, cut([{ from: "client", bytes: Buffer.concat([hello, early]) }], size));
      assert.ok(connection.closed);
      assert.ok(!reached(connection).includes(early.subarray(5, 60)), `cut at ${size}`);
    }
    assert.ok(proxy.stat("host_calls_failed") > 0);
  });

  it("has the connection closed where a renegotiation is to be swallowed", () => {
    const { proxy, failing } = failingProxy();
    const connection = talk(proxy, resumedById(sessionId(5)));
    failing.add("proxy_set_buffer_bytes");
    const beginning = clientHello();
    connection.fromClient(beginning);
    assert.ok(connection.closed);
    assert.ok(!reached(connection).includes(beginning));
    assert.equal(proxy.stat("renegotiations"), 1);
  });
});

describe("a host that does not show bytes when it comes to it", () => {
  for (const [name, flights] of Object.entries(REMOVED)) {
    it(`has the connection closed, and nothing of the server's answer passes: ${name}`, () => {
      const { proxy, failing } = failingProxy();
      const at = flights.findIndex(({ from }) => from === "server");
      const connection = talk(proxy, flights.slice(0, at));
      failing.add("proxy_get_buffer_bytes");
      for (const flight of flights.slice(at)) if (!connection.closed) connection.exchange([flight]);
      assertCut(proxy, connection);
      assert.equal(received(connection).length, 0);
      failing.clear();
      assertWorks(proxy);
    });
  }

  it("is no refusal, also where it fails for the bytes that are to be held back", () => {
    const { proxy, failing } = failingProxy();
    const flights = cut(resumedById(ID), 20);
    const at = flights.findIndex(({ from }) => from === "server");
    const connection = talk(proxy, flights.slice(0, at));
    // The first look at the chunk reads it, the second one is for what is held back.
    let looks = 0;
    failing.has = (name) => name === "proxy_get_buffer_bytes" && ++looks === 2;
    connection.exchange([flights[at] as Flight]);
    assertCut(proxy, connection);
    assert.equal(received(connection).length, 0);
    assert.deepEqual([proxy.stat("refused"), proxy.stat("unfollowed"), looks], [0, 0, 2]);
  });

  it("has the connection closed where the hello is not shown: it may offer anything", () => {
    const { proxy, failing } = failingProxy();
    failing.add("proxy_get_buffer_bytes");
    const connection = talk(proxy, resumedById(ID));
    assertCut(proxy, connection);
    assert.equal(received(connection).length, 0);
  });

  it("has the connection closed where a record behind the handshake is not shown", () => {
    const { proxy, failing } = failingProxy();
    const connection = talk(proxy, resumedById(sessionId(5)));
    failing.add("proxy_get_buffer_bytes");
    connection.fromClient(clientHello());
    assert.ok(connection.closed);
    assert.equal(proxy.stat("renegotiations"), 0, "nobody knows what it was");
    assert.equal(proxy.stat("host_calls_failed"), 1);
  });

  it("lets everything pass under observe, unwatched", () => {
    const { proxy, failing } = failingProxy({ enforcement: "observe" });
    failing.add("proxy_get_buffer_bytes");
    for (const flights of [fullWithId(ID), resumedById(ID), tls13([TICKET], { selected: 0 })]) {
      assertPassed(talk(proxy, flights), flights);
    }
    assert.equal(proxy.stat("unwatched"), 3);
  });
});

describe("a host that does not close a connection when it comes to it", () => {
  it("has nothing of the server's answer passed on, and says so", () => {
    for (const flights of Object.values(REMOVED)) {
      const { proxy, failing } = failingProxy();
      failing.add("proxy_close_stream");
      const connection = talk(proxy, flights);
      proxy.host.pass(0.2);
      connection.fromServer(applicationData(50));
      assert.equal(connection.closed, false);
      assert.ok(!received(connection).includes(SERVER_FINISHED));
      assert.equal(received(connection).at(-7), 0x15, "the alert is the last of it");
      assert.equal(proxy.stat("host_calls_failed"), 1);
      assert.equal(complaints(proxy).length, 1);
      connection.close();
    }
  });
});

describe("shared data that cannot be read when it comes to it", () => {
  it("has what must not resume refused, as nobody knows that it may", () => {
    for (const flights of Object.values(REMOVED)) {
      const { proxy, failing } = failingProxy();
      failing.add("proxy_get_shared_data");
      const connection = talk(proxy, flights);
      failing.clear();
      proxy.host.pass(0.1);
      assert.ok(connection.closed);
      assert.ok(!received(connection).includes(SERVER_FINISHED));
      assert.equal(received(connection).at(-7), 0x15);
      assert.equal(refusedFor(proxy).unfollowed, 1);
      const counts = ["refused", "hits", "misses", "declined"].map((name) => proxy.stat(name));
      assert.deepEqual(counts, [1, 0, 0, 0]);
      assertWorks(proxy);
    }
  });

  it("has a full handshake go through", () => {
    const { proxy, failing } = failingProxy();
    failing.add("proxy_get_shared_data");
    const flights = fullWithId(sessionId(8));
    assertPassed(talk(proxy, flights), flights);
  });
});

function failingProxy(cache: Record<string, unknown> = {}): { proxy: Proxy; failing: Set<string> } {
  const host = new FakeHost();
  const failing = new Set<string>();
  host.failing = failing;
  const proxy = new Proxy({ host, workers: 1, cache });
  proxy.delete(ID);
  proxy.delete(sha256(TICKET));
  return { proxy, failing };
}

function talk(proxy: Proxy, flights: Flight[]): Connection {
  const connection = proxy.worker.connection({ upstream: "10.0.0.7:443" });
  for (const flight of flights) if (!connection.closed) connection.exchange([flight]);
  return connection;
}

function refusedFor(proxy: Proxy): Record<string, number> {
  return proxy.request("GET", "/v1/stats").json.refused_for as Record<string, number>;
}

/** Closed, counted and logged as what it is: a host that does not do what it is asked for, and no refusal. */
function assertCut(proxy: Proxy, connection: Connection): void {
  proxy.host.pass(0.1);
  assert.ok(connection.closed, "the connection is closed");
  assert.ok(!received(connection).includes(SERVER_FINISHED), "nothing of a resumption passes");
  const counts = ["hits", "misses", "accept_good", "failed"].map((name) => proxy.stat(name));
  assert.deepEqual(counts, [0, 0, 0, 0]);
  assert.ok(proxy.stat("host_calls_failed") > 0, "it is counted");
  const lines = complaints(proxy);
  assert.equal(lines.length, 1, lines.join("\n"));
  assert.match(lines[0] ?? "", /the host refused proxy_(?:set|get)_buffer_bytes.*capability_restriction_config/);
}

/** The next connections are watched as any. */
function assertWorks(proxy: Proxy): void {
  const flights = fullWithId(sessionId(9));
  assertPassed(talk(proxy, flights), flights);
  assert.equal(proxy.session(sessionId(9)).kind, "id");
}
