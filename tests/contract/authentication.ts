/** Who may call: tokens, the headers that carry them, and their rights. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { FULL_TOKEN, READ_TOKEN, type Admin, freshId, freshSni, freshKeyName, assertProblem } from "./client.ts";

export function describeAuthentication(admin: Admin): void {
  const wrongTokens = ["", "x", FULL_TOKEN.slice(0, -1), `${FULL_TOKEN}x`, FULL_TOKEN.toUpperCase(), "x".repeat(8000)];
  for (const token of [null, ...wrongTokens]) {
    it(`answers 401 to ${token === null ? "no token" : `the token "${token.slice(0, 30)}"`}`, async () => {
      for (const [method, path] of [
        ["GET", "/v1/sessions"],
        ["GET", "/v1/stats"],
        ["GET", "/v1/openapi.json"],
        ["PUT", `/v1/sessions/${freshId()}`],
        ["DELETE", `/v1/sessions/${freshId()}`],
        ["POST", "/v1/sessions/flush"],
        ["PUT", "/v1/mode"],
      ] as const) {
        const answer = await admin(method, path, { token });
        assertProblem(answer, 401);
        assert.match(answer.headers["www-authenticate"] ?? "", /^Bearer\b/);
      }
    });
  }

  for (const authorization of [
    FULL_TOKEN,
    `Basic ${FULL_TOKEN}`,
    `Bearer`,
    `Bearer${FULL_TOKEN}`,
    `Bearer ${FULL_TOKEN} ${FULL_TOKEN}`,
    `Bearer "${FULL_TOKEN}"`,
  ]) {
    it(`answers 401 to the header "${authorization.slice(0, 40)}"`, async () => {
      const answer = await admin("GET", "/v1/stats", { token: null, headers: { authorization } });
      assertProblem(answer, 401);
    });
  }

  it("does nothing for a caller without a valid token", async () => {
    const path = `/v1/sessions/${freshId()}`;
    await admin("PUT", path, { token: null });
    assertProblem(await admin("GET", path), 404);
    await admin("PUT", path);
    await admin("DELETE", path, { token: "wrong" });
    assert.equal((await admin("GET", path)).status, 200);
  });

  it("lets a read token read", async () => {
    for (const path of [
      "/v1/sessions",
      "/v1/removed",
      "/v1/stats",
      "/v1/mode",
      "/v1/cache-size",
      "/v1/timeout",
      "/v1/enforcement",
      "/v1/ticket-keys",
      "/v1/revocations",
    ]) {
      assert.equal((await admin("GET", path, { token: READ_TOKEN })).status, 200, path);
    }
  });

  it("answers 403 to a read token on a change, and does nothing", async () => {
    const path = `/v1/sessions/${freshId()}`;
    assertProblem(await admin("PUT", path, { token: READ_TOKEN }), 403);
    assertProblem(await admin("GET", path), 404);
    assertProblem(await admin("DELETE", path, { token: READ_TOKEN }), 403);
    assertProblem(await admin("GET", path), 404);
    for (const [method, changed, body] of [
      ["POST", "/v1/sessions/flush", {}],
      ["PUT", "/v1/mode", { mode: ["OFF"] }],
      ["PUT", "/v1/cache-size", { cache_size: 1 }],
      ["PUT", "/v1/timeout", { timeout: 1 }],
      ["PUT", "/v1/enforcement", { enforcement: "observe" }],
      ["PUT", `/v1/ticket-keys/${freshKeyName()}`, { upstream: "10.0.0.7:443" }],
      ["DELETE", `/v1/ticket-keys/${freshKeyName()}`, undefined],
      ["PUT", `/v1/revocations/${freshSni()}`, undefined],
      ["DELETE", `/v1/revocations/${freshSni()}`, undefined],
    ] as const) {
      assertProblem(await admin(method, changed, { token: READ_TOKEN, body }), 403);
    }
  });

  it("takes the scheme in any case, as HTTP says", async () => {
    const headers = { authorization: `bearer ${FULL_TOKEN}` };
    assert.equal((await admin("GET", "/v1/stats", { token: null, headers })).status, 200);
  });

  it("answers /healthz without a token", async () => {
    const answer = await admin("GET", "/healthz", { token: null });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, { status: "ok" });
  });
}
