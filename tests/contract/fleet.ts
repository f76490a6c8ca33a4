/** A proxy that shares its cache with no other: the answers of calls about fleets, and nothing of them in other answers. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { type Admin, freshId, freshKeyName, freshSni, assertProblem } from "./client.ts";

export function describeFleet(admin: Admin): void {
  it("the proxy is ready, and says so to everybody", async () => {
    const answer = await admin("GET", "/readyz", { token: null });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json, { status: "ok", fleet: "off" });
    assertProblem(await admin("GET", "/readyz?for=enforcement", { token: null }), 400);
  });

  it("GET /v1/fleet is for callers with a token, and says that there is none", async () => {
    assertProblem(await admin("GET", "/v1/fleet", { token: null }), 401);
    const answer = await admin("GET", "/v1/fleet");
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json, { state: "off" });
    assertProblem(await admin("GET", "/v1/fleet?name=a"), 400);
  });

  it("no answer to a change speaks of other proxies", async () => {
    const [session, key, name] = [`/v1/sessions/${freshId()}`, `/v1/ticket-keys/${freshKeyName()}`, freshSni()];
    const { timeout } = (await admin("GET", "/v1/timeout")).json;
    for (const [method, path, body] of [
      ["PUT", session, {}],
      ["DELETE", session, undefined],
      ["PUT", key, { upstream: "10.0.0.7:443" }],
      ["DELETE", key, undefined],
      ["PUT", `/v1/revocations/${name}`, undefined],
      ["DELETE", `/v1/revocations/${name}`, undefined],
      ["PUT", "/v1/timeout", { timeout }],
    ] as const) {
      const answer = await admin(method, path, { body });
      assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
      assert.ok(!("fleet" in answer.json), answer.text);
    }
  });
}
