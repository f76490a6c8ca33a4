/**
 * A real Envoy whose admin filter does not get bodies, as Istio's and Envoy Gateway's own resources set one up: without
 * allow_on_headers_stop_iteration Envoy keeps the body of a request back until the filter lets its headers go.
 */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Document } from "yaml";
import { FULL_TOKEN, assertProblem, freshId, freshKeyName, freshSni } from "../../contract/client.ts";
import { type Stack, startStack } from "../../support/stack.ts";

/** No connection is made to it. */
const UPSTREAM = "127.0.0.1:9";

describe("an admin filter that Envoy gives no bodies", () => {
  let stack: Stack;

  before(async () => (stack = await startStack({ upstreams: [UPSTREAM], change: keepBodiesBack })));
  after(() => stack?.stop());

  it("answers 408 within a second to a call with a body, and names the flag that is left out", async () => {
    const begun = Date.now();
    const answer = await stack.admin("PUT", `/v1/sessions/${freshId()}`, { body: { sni: "shop.example" } });
    const took = Date.now() - begun;
    assertProblem(answer, 408);
    assert.match(answer.json.detail ?? "", /allow_on_headers_stop_iteration.*query/);
    assert.ok(took < 1000, `${took} ms`);
  });

  it("answers so to each of many at once, and to others meanwhile", async () => {
    const begun = Date.now();
    const calls = Array.from({ length: 30 }, () => stack.admin("PUT", "/v1/timeout", { body: { timeout: 60 } }));
    assert.equal((await stack.admin("GET", "/v1/timeout")).status, 200);
    for (const answer of await Promise.all(calls)) assertProblem(answer, 408);
    assert.ok(Date.now() - begun < 2000);
    assert.equal((await stack.admin("GET", "/v1/timeout")).json.timeout, 7200, "nothing was changed");
  });

  it("carries out every change without a body", async () => {
    const id = freshId();
    const sni = freshSni();
    const key = freshKeyName();
    const calls: [string, string, number][] = [
      ["PUT", `/v1/sessions/${id}?sni=${sni}&upstream=10.0.0.7:443&kind=ticket`, 201],
      ["PUT", "/v1/mode?mode=SERVER,UPDATE_TIME", 200],
      ["PUT", "/v1/cache-size?cache_size=1000", 200],
      ["PUT", "/v1/timeout?timeout=3600", 200],
      ["PUT", "/v1/enforcement?enforcement=strict", 200],
      ["PUT", `/v1/ticket-keys/${key}?upstream=10.0.0.7:443`, 201],
      ["DELETE", `/v1/ticket-keys/${key}`, 200],
      ["PUT", `/v1/ticket-keys/${key}`, 200],
      ["PUT", `/v1/revocations/${sni}?ticket_lifetime=60`, 201],
      ["POST", `/v1/sessions/remove?sni=${sni}`, 200],
      ["POST", "/v1/sessions/flush?before=0", 200],
    ];
    for (const [method, path, status] of calls) {
      const answer = await stack.admin(method, path);
      assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
    }
    assert.equal((await stack.admin("GET", `/v1/sessions/${id}`)).status, 410);
    assert.equal((await stack.admin("GET", "/v1/cache-size")).json.cache_size, 1000);
  });
});

describe("an admin filter that is given bodies", () => {
  let stack: Stack;

  before(async () => (stack = await startStack({ upstreams: [UPSTREAM] })));
  after(() => stack?.stop());

  it("waits for the rest of one that has begun, and not for one of which nothing comes", async () => {
    const id = freshId();
    const begun = await half(stack.adminPort, id, '{"sni":"slow.', 1500, 'example"}');
    assert.match(begun, /^HTTP\/1\.1 201 /);
    assert.equal((await stack.admin("GET", `/v1/sessions/${id}`)).json.sni, "slow.example");
    assert.match(await half(stack.adminPort, freshId(), "", 1500, '{"sni":"slow.example"}'), /^HTTP\/1\.1 408 /);
  });
});

/** The answer to a PUT whose body comes in two pieces, with a pause between them. */
async function half(port: number, id: string, first: string, pause: number, second: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (piece: string) => (answer += piece));
  // What the server has answered it need not read to its end.
  socket.on("error", () => undefined);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const length = first.length + second.length;
  socket.write(
    `PUT /v1/sessions/${id} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${FULL_TOKEN}\r\n` +
      `Content-Length: ${length}\r\nConnection: close\r\n\r\n${first}`,
  );
  await sleep(pause);
  if (!socket.destroyed) socket.write(second);
  await Promise.race([closed, sleep(5000)]);
  socket.destroy();
  return answer;
}

function keepBodiesBack(document: Document): void {
  const path = [
    "static_resources",
    "listeners",
    1,
    "filter_chains",
    0,
    "filters",
    0,
    "typed_config",
    "http_filters",
    0,
  ];
  assert.ok(document.deleteIn([...path, "typed_config", "config", "allow_on_headers_stop_iteration"]), "it is set");
}
