/** The admin API's contract on the built module, and what of it needs a host of its own. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeAdminContract } from "../../contract/all.ts";
import { FULL_TOKEN, READ_TOKEN, assertProblem } from "../../contract/client.ts";
import { FakeHost } from "../../fake_host/fake_host.ts";
import { Proxy, adminSettings } from "../../fake_host/proxy.ts";

/** The 64 pages of the table of issuers; settings, how much the cache holds, and all sums at once. */
const MOST_READS_OF_STATISTICS = 64 + 8;

describe("the admin API", () => describeAdminContract(new Proxy().admin()));

describe("a request in pieces", () => {
  for (const pieceBytes of [1, 7, 100]) {
    it(`is understood when its body comes ${pieceBytes} bytes at a time`, () => {
      const proxy = new Proxy();
      const body = { sni: "pieces.example", timeout: 77 };
      const { json, status } = proxy.request("PUT", "/v1/sessions/abcd", { body, pieceBytes });
      assert.deepEqual([status, json.session?.sni, json.session?.timeout], [201, "pieces.example", 77]);
    });
  }

  it("is refused with 413 as soon as it is too large, not at its end", () => {
    const proxy = new Proxy();
    const exchange = proxy.worker.begin("PUT", "/v1/sessions/abcd", {
      token: FULL_TOKEN,
      body: " ".repeat(70_000),
      pieceBytes: 1000,
    });
    assert.equal(exchange.answer?.status, 413);
  });

  it("is refused at its headers when nobody may send it: the body is not waited for", () => {
    const proxy = new Proxy();
    const exchange = proxy.worker.begin("PUT", "/v1/sessions/abcd", { token: "wrong", body: "x".repeat(100_000) });
    assert.equal(exchange.answer?.status, 401);
  });

  it("leaves nothing behind when its client goes away in the middle", () => {
    const proxy = new Proxy();
    proxy.request("PUT", "/v1/sessions/abcd", { body: { sni: "kept.example" } });
    for (let i = 0; i < 50; i++) proxy.worker.begin("PUT", "/v1/sessions/abcd", { token: FULL_TOKEN }).abandon();
    assert.equal(proxy.session("abcd").sni, "kept.example");
  });
});

describe("the tokens in the configuration", () => {
  it("are required: without any the admin filter refuses its configuration and says so", () => {
    for (const admin of [undefined, {}, { tokens: [] }, { tokens: [], read_tokens: [] }]) {
      const host = new FakeHost();
      assert.equal(host.worker().configure("admin", { cache: "default", admin }), false, JSON.stringify(admin));
      assert.match(host.log.at(-1)?.text ?? "", /token/i);
    }
  });

  it("may be missing where allow_unauthenticated is true", () => {
    const host = new FakeHost();
    const worker = host.worker();
    assert.ok(worker.configure("admin", { cache: "default", admin: { allow_unauthenticated: true } }));
    assert.equal(worker.request("PUT", "/v1/sessions/abcd").status, 201);
  });

  it("may come from the environment", () => {
    const host = new FakeHost({ ADMIN_TOKEN: "all-from-environment", ADMIN_READ_TOKEN: "read-from-environment" });
    const worker = host.worker();
    const admin = { tokens_env: ["ADMIN_TOKEN"], read_tokens_env: ["ADMIN_READ_TOKEN"] };
    assert.ok(worker.configure("admin", { cache: "default", admin }));
    assert.equal(worker.request("PUT", "/v1/sessions/abcd", { token: "all-from-environment" }).status, 201);
    assert.equal(worker.request("GET", "/v1/sessions/abcd", { token: "read-from-environment" }).status, 200);
    assertProblem(worker.request("PUT", "/v1/sessions/abcd", { token: "read-from-environment" }), 403);
    assertProblem(worker.request("GET", "/v1/sessions/abcd", { token: FULL_TOKEN }), 401);
  });

  it("are refused where the environment has none: an empty variable is no token", () => {
    for (const environment of [{}, { ADMIN_TOKEN: "" }]) {
      const host = new FakeHost(environment as Record<string, string>);
      assert.equal(host.worker().configure("admin", { admin: { tokens_env: ["ADMIN_TOKEN"] } }), false);
      assert.match(host.log.at(-1)?.text ?? "", /ADMIN_TOKEN is not set, or empty.*host_env_keys/);
    }
  });

  it("never let an empty token pass", () => {
    const host = new FakeHost({ ADMIN_TOKEN: "good-0123456789-good", ADMIN_READ_TOKEN: "" });
    const worker = host.worker();
    const admin = { tokens_env: ["ADMIN_TOKEN"], read_tokens_env: ["ADMIN_READ_TOKEN"] };
    if (!worker.configure("admin", { cache: "default", admin })) return;
    for (const authorization of ["Bearer ", "Bearer", "", " "]) {
      assertProblem(worker.request("GET", "/v1/stats", { headers: { authorization } }), 401);
    }
  });

  it("are several, each as good as the other", () => {
    const tokens = ["one", "two", "three", "four"].map((name) => `${name}-0123456789-${name}`);
    const host = new FakeHost();
    const worker = host.worker();
    assert.ok(worker.configure("admin", { admin: { tokens: tokens.slice(0, 2), read_tokens: tokens.slice(2) } }));
    for (const token of tokens) {
      assert.equal(worker.request("GET", "/v1/stats", { token }).status, 200, token);
    }
    assertProblem(worker.request("PUT", "/v1/sessions/abcd", { token: tokens[3] }), 403);
  });

  it("let only reading pass where only read tokens are configured", () => {
    const host = new FakeHost();
    const worker = host.worker();
    assert.ok(worker.configure("admin", { admin: { read_tokens: [READ_TOKEN] } }));
    assert.equal(worker.request("GET", "/v1/stats", { token: READ_TOKEN }).status, 200);
    assertProblem(worker.request("PUT", "/v1/sessions/abcd", { token: READ_TOKEN }), 403);
  });

  it("are never written to the log", () => {
    const proxy = new Proxy();
    proxy.request("GET", "/v1/stats", { token: "wrong-secret-token" });
    const log = proxy.host.log.map(({ text }) => text).join("\n");
    for (const secret of [FULL_TOKEN, READ_TOKEN, "wrong-secret-token"]) assert.ok(!log.includes(secret));
  });
});

describe("a configuration", () => {
  for (const configuration of [
    "",
    "not json",
    "[]",
    '{"cache": 7}',
    '{"cache": ""}',
    '{"cache_size": -1}',
    '{"cache_size": "many"}',
    '{"timeout": 0}',
    '{"timeout": 2147483648}',
    '{"mode": "SERVER"}',
    '{"mode": ["SERVE"]}',
    '{"mode": ["OFF", "SERVER"]}',
    '{"removed_seconds": -1}',
    '{"colour": "red"}',
    '{"cache": "default"',
    "\0\0\0\0",
  ]) {
    it(`that is ${JSON.stringify(configuration)} is refused with a reason, or taken for the default if it is empty`, () => {
      const host = new FakeHost();
      const accepted = host.worker().configure("observer", configuration);
      if (configuration === "" && accepted) return;
      assert.equal(accepted, false);
      assert.ok(host.log.some(({ level }) => level === "error" || level === "critical" || level === "warn"));
    });
  }

  it("says of an unknown setting which one it is", () => {
    const host = new FakeHost();
    assert.equal(host.worker().configure("observer", { cache_sise: 5 }), false);
    assert.match(host.log.at(-1)?.text ?? "", /cache_sise/);
  });

  it("is at most 1 MiB long", () => {
    const host = new FakeHost();
    const text = '{"cache": "long"}';
    assert.equal(host.worker().configure("observer", text.padEnd(1_048_577)), false);
    assert.match(host.log.at(-1)?.text ?? "", /1048577 bytes, more than 1048576: shorten it/);
    assert.equal(host.worker().configure("observer", text.padEnd(1_048_576)), true);
  });

  it("is refused where another filter of the same cache has other settings", () => {
    const host = new FakeHost();
    const worker = host.worker();
    assert.ok(worker.configure("observer", { cache: "default", timeout: 100 }));
    assert.equal(worker.configure("admin", adminSettings({ timeout: 200 })), false);
    assert.ok(worker.configure("admin", adminSettings({ timeout: 100 })));
  });

  it("does not undo what was set over HTTP when it comes again unchanged", () => {
    const proxy = new Proxy({ workers: 1, cache: { timeout: 100 } });
    proxy.set("timeout", { timeout: 55 });
    assert.ok(proxy.worker.configure("admin", adminSettings({ timeout: 100 })));
    assert.equal(proxy.request("GET", "/v1/timeout").json.timeout, 55);
  });

  it("with an unknown root ID is refused, not served", () => {
    const host = new FakeHost();
    assert.equal(host.worker().configure("obsrever", {}), false);
  });

  it("works where the observer and the admin API live in one VM", () => {
    const host = new FakeHost();
    const worker = host.worker();
    assert.ok(worker.configure("observer", { cache: "default" }, "both"));
    assert.ok(worker.configure("admin", adminSettings(), "both"));
    assert.equal(worker.request("PUT", "/v1/sessions/abcd", { token: FULL_TOKEN }).status, 201);
  });
});

describe("the statistics", () => {
  it("are read with few calls of the host's store, however many numbers there are", () => {
    const proxy = new Proxy({ workers: 1 });
    const { text, json } = proxy.request("GET", "/v1/stats");
    assert.ok((text.match(/:\d/g) ?? []).length > 100, text);
    assert.equal(json.number, 0);
    const { host } = proxy;
    const before = host.sharedData.gets;
    proxy.request("GET", "/v1/stats");
    assert.ok(host.sharedData.gets - before <= MOST_READS_OF_STATISTICS, `${host.sharedData.gets - before} reads`);
  });
});

describe("named caches", () => {
  const edge = { cache: "edge" };

  it("do not see each other's sessions, removals, settings or statistics", async () => {
    const host = new FakeHost();
    const one = new Proxy({ host });
    const two = new Proxy({ host, cache: edge });
    one.put("aa01", { sni: "one.example" });
    one.delete("aa02");
    one.set("timeout", { timeout: 11 });
    assert.equal(two.get("aa01").status, 404);
    assert.equal(two.get("aa02").status, 404);
    assert.equal(two.request("GET", "/v1/timeout").json.timeout, 7200);
    assert.deepEqual([await one.number(), await two.number()], [1, 0]);
    two.put("aa01", { sni: "two.example" });
    assert.equal(one.session("aa01").sni, "one.example");
    assert.equal(two.flush().json.removed, 1);
    assert.equal(one.get("aa01").status, 200);
  });

  it("may have different settings", () => {
    const host = new FakeHost();
    const one = new Proxy({ host, cache: { timeout: 100 } });
    const two = new Proxy({ host, cache: { ...edge, timeout: 200 } });
    assert.equal(one.put("aa").json.session?.timeout, 100);
    assert.equal(two.put("aa").json.session?.timeout, 200);
  });
});
