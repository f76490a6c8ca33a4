/** Bodies, headers and lengths that must be refused and must change nothing. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { type Admin, freshId, freshSni, freshKeyName, assertProblem } from "./client.ts";

export function describeBadInput(admin: Admin): void {
  for (const [what, body] of [
    ["no JSON", "hello"],
    ["a JSON text that ends early", '{"sni":"a'],
    ["something behind the JSON", '{"sni":"a"} x'],
    ["a trailing comma", '{"sni":"a",}'],
    ["an array", "[]"],
    ["a string", '"sni"'],
    ["a number", "7"],
    ["null", "null"],
    ["an unknown field", '{"snii":"a"}'],
    ["a field that only the filter writes", '{"hits":3}'],
    ["bytes that are not UTF-8", Buffer.from([0x7b, 0x22, 0x73, 0x6e, 0x69, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
    ["deep nesting", "[".repeat(50_000)],
    ["deep nesting of a field", `{"sni":${'{"a":'.repeat(5000)}`],
    ["a control character in a string", '{"sni":"a\nb"}'],
    ["half a surrogate", '{"sni":"\\ud800'],
    ["single quotes", "{'sni':'a'}"],
    ["an empty file of zeros", Buffer.alloc(100)],
  ] as const) {
    it(`answers 400 to ${what}, and stores nothing`, async () => {
      const path = `/v1/sessions/${freshId()}`;
      assertProblem(await admin("PUT", path, { body }), 400);
      assertProblem(await admin("GET", path), 404);
    });
  }

  for (const body of [
    { timeout: 0 },
    { timeout: -1 },
    { timeout: 2147483648 },
    { timeout: 1e30 },
    { timeout: 1.5 },
    { sni: "a".repeat(256) },
    { sni: "ä".repeat(128) },
    { cipher: "TLS_NO_SUCH_SUITE" },
    { cipher: "0x12345" },
    { cipher: "0xZZZZ" },
    { cipher: "" },
  ]) {
    it(`answers 422 to ${JSON.stringify(body).slice(0, 60)}, and stores nothing`, async () => {
      const path = `/v1/sessions/${freshId()}`;
      assertProblem(await admin("PUT", path, { body }), 422);
      assertProblem(await admin("GET", path), 404);
    });
  }

  for (const body of [
    { timeout: "7200" },
    { timeout: null },
    { timeout: true },
    { sni: 7 },
    { sni: ["a"] },
    { kind: "cookie" },
    { kind: 1 },
    { protocol: "TLSv9" },
    { protocol: "" },
    { upstream: "no port" },
    { upstream: "10.0.0.7:99999" },
    { upstream: "x".repeat(5000) },
  ]) {
    it(`refuses ${JSON.stringify(body).slice(0, 60)}, and stores nothing`, async () => {
      const path = `/v1/sessions/${freshId()}`;
      assertProblem(await admin("PUT", path, { body }), 400, 422);
      assertProblem(await admin("GET", path), 404);
    });
  }

  it("changes nothing of a stored session when one field of several is refused", async () => {
    const path = `/v1/sessions/${freshId()}`;
    const { json } = await admin("PUT", path, { body: { sni: "kept.example" } });
    assertProblem(await admin("PUT", path, { body: { sni: "other.example", timeout: 0 } }), 422);
    assert.deepEqual((await admin("GET", path)).json, json.session);
  });

  it("takes a body of 64 KiB and refuses one byte more with 413", async () => {
    const path = `/v1/sessions/${freshId()}`;
    const text = '{"sni":"big.example"}';
    const largest = text + " ".repeat(64 * 1024 - text.length);
    assertProblem(await admin("PUT", path, { body: `${largest} ` }), 413);
    assertProblem(await admin("GET", path), 404);
    assert.equal((await admin("PUT", path, { body: largest })).status, 201);
  });

  it("refuses a large body on every call that takes one", async () => {
    const body = " ".repeat(200_000);
    for (const [method, path] of [
      ["PUT", `/v1/sessions/${freshId()}`],
      ["POST", "/v1/sessions/flush"],
      ["PUT", "/v1/mode"],
      ["PUT", "/v1/cache-size"],
      ["PUT", "/v1/timeout"],
      ["PUT", "/v1/enforcement"],
      ["PUT", `/v1/ticket-keys/${freshKeyName()}`],
      ["PUT", `/v1/revocations/${freshSni()}`],
    ] as const) {
      assertProblem(await admin(method, path, { body }), 413);
    }
  });

  for (const path of [
    "/v1/sessions?colour=red",
    "/v1/sessions?limit=0",
    "/v1/sessions?limit=1001",
    "/v1/sessions?limit=-1",
    "/v1/sessions?limit=ten",
    "/v1/sessions?limit=",
    "/v1/sessions?limit=99999999999999999999",
    "/v1/sessions?kind=cookie",
    "/v1/sessions?cursor=zzzz",
    "/v1/sessions?cursor=00",
    "/v1/sessions?sni=%zz",
    "/v1/removed?limit=0",
    "/v1/removed?cursor=zzzz",
    "/v1/removed?protocol=TLSv1.2",
    "/v1/removed?kind=cookie",
    "/v1/removed?sni=",
    "/v1/stats?x=1",
    "/v1/mode?x=1",
    "/v1/enforcement?x=1",
    "/v1/ticket-keys?limit=1",
    "/v1/revocations?limit=1",
    "/v1/revocations?lifted=1",
    "/v1/revocations?lifted=",
  ]) {
    it(`answers 400 to GET ${path}`, async () => {
      assertProblem(await admin("GET", path), 400);
    });
  }

  it("answers 400 to an unknown query name on PUT and DELETE, and does nothing", async () => {
    const path = `/v1/sessions/${freshId()}`;
    assertProblem(await admin("PUT", `${path}?x=1`), 400);
    assertProblem(await admin("GET", path), 404);
    await admin("PUT", path);
    assertProblem(await admin("DELETE", `${path}?x=1`), 400);
    assert.equal((await admin("GET", path)).status, 200);
  });

  it("does not show in a problem what could be markup or break the JSON", async () => {
    const answer = await admin("PUT", `/v1/sessions/${freshId()}`, { body: '{"a\\"<b>\\u0000\\n":1}' });
    assertProblem(answer, 400);
  });
}
