/** Paths and methods: those that are there, and the answer to all others. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { type Admin, freshId, assertProblem, mediaType } from "./client.ts";

export function describePaths(admin: Admin): void {
  for (const path of [
    "/",
    "/v1",
    "/v1/",
    "/v2/sessions",
    "/v1/session",
    "/v1/sessions/",
    "/v1/stats/",
    "/healthz/",
    "/readyz/",
    "/v1/fleet/",
    `/v1/sessions/${"ab".repeat(16)}/`,
    `/v1/sessions/${"ab".repeat(16)}/x`,
    "//v1/sessions",
    "/V1/sessions",
    "/v1/enforcement/",
    "/v1/ticket-keys/",
    "/v1/revocations/",
  ]) {
    it(`answers 404 to ${path}`, async () => {
      assertProblem(await admin("GET", path), 404);
    });
  }

  for (const [method, path, allowed] of [
    ["POST", "/v1/sessions", ["GET"]],
    ["DELETE", "/v1/sessions", ["GET"]],
    ["POST", `/v1/sessions/${"ab".repeat(16)}`, ["GET", "PUT", "DELETE"]],
    ["PATCH", `/v1/sessions/${"ab".repeat(16)}`, ["GET", "PUT", "DELETE"]],
    ["PUT", "/v1/removed", ["GET", "POST"]],
    ["POST", "/v1/export", ["GET"]],
    ["PUT", "/v1/sessions/flush", ["POST"]],
    ["DELETE", "/v1/stats", ["GET"]],
    ["DELETE", "/v1/mode", ["GET", "PUT"]],
    ["POST", "/v1/cache-size", ["GET", "PUT"]],
    ["POST", "/v1/timeout", ["GET", "PUT"]],
    ["DELETE", "/v1/enforcement", ["GET", "PUT"]],
    ["PUT", "/v1/ticket-keys", ["GET"]],
    ["GET", `/v1/ticket-keys/${"ab".repeat(16)}`, ["PUT", "DELETE"]],
    ["PUT", "/v1/revocations", ["GET"]],
    ["GET", "/v1/revocations/shop.example", ["PUT", "DELETE"]],
    ["PUT", "/v1/openapi.json", ["GET"]],
    ["POST", "/healthz", ["GET"]],
    ["POST", "/readyz", ["GET"]],
    ["PUT", "/v1/fleet", ["GET"]],
  ] as const) {
    it(`answers 405 with Allow to ${method} ${path.slice(0, 30)}`, async () => {
      const answer = await admin(method, path);
      assertProblem(answer, 405);
      const allow = (answer.headers.allow ?? "").split(",").map((name) => name.trim());
      assert.deepEqual(allow.filter((name) => name !== "HEAD" && name !== "OPTIONS").sort(), [...allowed].sort());
    });
  }

  it("answers HEAD like GET", async () => {
    for (const path of ["/healthz", "/readyz", "/v1/fleet", "/v1/sessions", "/v1/stats"]) {
      assert.equal((await admin("HEAD", path)).status, 200, path);
    }
    assert.equal((await admin("HEAD", `/v1/sessions/${freshId()}`)).status, 404);
  });

  it("says of every answer that it is JSON and must not be stored", async () => {
    const path = `/v1/sessions/${freshId()}`;
    for (const [method, at, body] of [
      ["PUT", path, {}],
      ["GET", path, undefined],
      ["GET", "/v1/sessions", undefined],
      ["GET", "/v1/stats", undefined],
      ["GET", "/v1/openapi.json", undefined],
      ["DELETE", path, undefined],
    ] as const) {
      const answer = await admin(method, at, { body });
      assert.equal(mediaType(answer), "application/json", `${method} ${at}`);
      assert.equal(answer.headers["cache-control"], "no-store", `${method} ${at}`);
    }
    for (const at of [path, "/nowhere", "/v1/sessions/x"]) {
      assert.equal((await admin("GET", at)).headers["cache-control"], "no-store", at);
    }
  });
}
