/** Readers of the admin API: how many may wait, what they hold up, and whose events reach them across updates. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FULL_TOKEN, READ_TOKEN, assertProblem } from "../../contract/client.ts";
import type { AnswerBody } from "../../support/answer.ts";
import { Proxy, observerSettings } from "../../fake_host/proxy.ts";
import { fullWithId, resumedById, sessionId } from "../../support/tls_bytes.ts";

describe("listings at once", () => {
  it("are all answered, and one beyond those that may wait is told to come again", () => {
    const proxy = new Proxy({ workers: 1 });
    for (let i = 0; i < 40; i++) proxy.put(sessionId(i));
    const exchanges = Array.from({ length: 1100 }, () =>
      proxy.worker.begin("GET", "/v1/sessions?limit=40", { token: READ_TOKEN }),
    );
    const refused = exchanges.filter(({ answer }) => answer?.status === 503);
    assert.ok(refused.length > 0 && refused.length < 100, `${refused.length} were refused`);
    for (const { answer } of refused) {
      assert.ok(answer !== undefined);
      assertProblem(answer, 503);
      assert.ok(answer.headers["retry-after"] !== undefined);
    }
    for (let i = 0; i < 20_000 && exchanges.some(({ answer }) => answer === undefined); i++) proxy.host.nextTick();
    const listed = exchanges.filter(({ answer }) => answer?.status === 200);
    assert.equal(listed.length + refused.length, exchanges.length);
    assert.ok(listed.length >= 1000, `${listed.length} were answered`);
    for (const { answer } of listed) assert.equal(answer?.json.sessions?.length, 40);
  });
});

describe("the events of handshakes", () => {
  it("reach the log after any number of updates of the observer", () => {
    const proxy = new Proxy({ workers: 2 });
    for (let update = 0; update < 100; update++) {
      proxy.handshake(fullWithId(sessionId(update)), "10.0.0.7:443", proxy.on(update % 2));
      assert.ok(proxy.on(update % 2).configure("observer", { ...observerSettings(), timeout: undefined }));
    }
    const { json } = proxy.request("GET", "/v1/events?type=new&limit=1000");
    assert.deepEqual([(json.events as unknown[]).length, json.missed], [100, 0]);
  });

  it("tell which name, upstream and client a refusal was of", () => {
    const proxy = new Proxy({ workers: 1 });
    proxy.handshake(fullWithId(sessionId(1), { sni: "shop.example" }), "10.0.0.7:443");
    proxy.delete(sessionId(1));
    proxy.handshake(resumedById(sessionId(1), { sni: "shop.example" }), "10.0.0.8:443");
    const events = proxy.request("GET", "/v1/events?sni=SHOP.example", { token: FULL_TOKEN }).json
      .events as AnswerBody[];
    assert.deepEqual(
      events.map(({ type, sni, upstream, client }) => [type, sni, upstream, client !== null]),
      [
        ["new", "shop.example", "10.0.0.7:443", false],
        ["removed", "shop.example", "10.0.0.7:443", false],
        ["refused", "shop.example", "10.0.0.8:443", true],
      ],
    );
  });
});
