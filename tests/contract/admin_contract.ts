/**
 * The admin API's contract as tests that do not know what runs behind it: the same on the built module in a fake host
 * and on a real Envoy. Every test uses session IDs and server names of its own, so they share one cache that others fill
 * and empty too; what needs a cache of its own, or a clock to turn, is tested beside the fake host only.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { AnswerBody, RemovedSession, Revocation, Session, TicketKey } from "../support/answer.ts";

export const FULL_TOKEN = "full-token-0123456789";
export const READ_TOKEN = "read-token-0123456789";

export interface AdminRequest {
  /** The token that may do everything where nothing else is said; null sends none. */
  token?: string | null;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface AdminAnswer {
  status: number;
  headers: Record<string, string>;
  text: string;
  json: AnswerBody;
}

/** Whatever answers the admin API. */
export type Admin = (method: string, path: string, request?: AdminRequest) => Promise<AdminAnswer>;

/** An ID that nobody used before. */
export function freshId(): string {
  return createHash("sha256").update(`${process.pid} ${RUN} ${freshIds++}`).digest("hex");
}

/** A server name that nobody used before. */
export function freshSni(): string {
  return `${freshId().slice(0, 20)}.example`;
}

/** A name of a ticket key that nobody used before. */
export function freshKeyName(): string {
  return freshId().slice(0, 32);
}

/** Follows `next` through all pages; `seen` is called for each page's length. */
export async function allPages<T>(
  admin: Admin,
  path: string,
  field: "sessions" | "removed",
  seen: (length: number) => void = () => undefined,
): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | null | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const separator = path.includes("?") ? "&" : "?";
    const at = cursor === undefined ? path : `${path}${separator}cursor=${encodeURIComponent(cursor ?? "")}`;
    const { json, status, text } = await admin("GET", at);
    assert.equal(status, 200, text);
    const page = json[field] as T[];
    seen(page.length);
    all.push(...page);
    cursor = json.next;
    if (cursor === null) return all;
    assert.equal(typeof cursor, "string", "next is a string or null");
  }
  throw new Error(`${path} did not end after ${MAX_PAGES} pages`);
}

export function assertProblem(answer: AdminAnswer, ...statuses: number[]): void {
  assert.ok(
    statuses.includes(answer.status),
    `expected ${statuses.join(" or ")}, was ${answer.status}: ${answer.text.slice(0, 300)}`,
  );
  assert.equal(mediaType(answer), "application/problem+json");
  assert.equal(answer.json.status, answer.status);
  assert.ok(typeof answer.json.title === "string" && answer.json.title !== "", "a problem has a title");
  assert.ok(typeof answer.json.detail === "string" && answer.json.detail !== "", "a problem has a detail");
}

/** The members of an answer to a change, but for who carries it out: here somebody does. */
export function enforced({ json }: { json: AnswerBody }): AnswerBody {
  const { enforced_by: by, ...others } = json as AnswerBody & { enforced_by: { observer: number; guard: number } };
  assert.ok(by.observer >= 1 && by.guard >= 0, JSON.stringify(json));
  assert.ok(!("warning" in others), JSON.stringify(json));
  return others;
}

export function mediaType(answer: AdminAnswer): string {
  return (answer.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
}

/** Registers the contract's tests; `open` is asked for the API once each test runs. */
export function describeAdminContract(admin: Admin): void {
  describe("adding, replacing and removing", () => describeChanges(admin));
  describe("a session put by hand", () => describePut(admin));
  describe("session IDs", () => describeIds(admin));
  describe("bad input", () => describeBadInput(admin));
  describe("who may call", () => describeAuthentication(admin));
  describe("paths and methods", () => describePaths(admin));
  describe("listing", () => describeListing(admin));
  describe("removed sessions", () => describeRemoved(admin));
  describe("selections of sessions", () => describeSelections(admin));
  describe("settings", () => describeSettings(admin));
  describe("ticket keys", () => describeTicketKeys(admin));
  describe("revocations of server names", () => describeRevocations(admin));
  describe("statistics and description", () => describeStats(admin));
}

function describeChanges(admin: Admin): void {
  it("answers add, add again, replace, remove and remove again as the seed's table says", async () => {
    const path = `/v1/sessions/${freshId()}`;
    const sni = freshSni();
    const added = await admin("PUT", path, { body: { sni } });
    assert.deepEqual([added.status, added.json.result, added.json.outcome], [201, 1, "added"], added.text);
    const again = await admin("PUT", path, { body: { sni } });
    assert.deepEqual([again.status, again.json.result, again.json.outcome], [200, 0, "identical"], again.text);
    assert.deepEqual(again.json.session, added.json.session);
    const replaced = await admin("PUT", path, { body: { sni: freshSni() } });
    assert.deepEqual(
      [replaced.status, replaced.json.result, replaced.json.outcome],
      [200, 1, "replaced"],
      replaced.text,
    );
    const removed = await admin("DELETE", path);
    assert.deepEqual([removed.status, enforced(removed)], [200, { result: 1, outcome: "removed", handles: 1 }]);
    const removedAgain = await admin("DELETE", path);
    assert.equal(removedAgain.status, 404);
    assert.deepEqual(enforced(removedAgain), { result: 0, outcome: "not_found", handles: 0 });
  });

  it("answers 404 for a session never seen, 200 for one that is held and 410 for one that was removed", async () => {
    const path = `/v1/sessions/${freshId()}`;
    assertProblem(await admin("GET", path), 404);
    await admin("PUT", path);
    assert.equal((await admin("GET", path)).status, 200);
    await admin("DELETE", path);
    assertProblem(await admin("GET", path), 410);
  });

  it("makes a session non-resumable by DELETE even if it was never seen", async () => {
    const path = `/v1/sessions/${freshId()}`;
    const answer = await admin("DELETE", path);
    assert.equal(answer.status, 404);
    assert.deepEqual([answer.json.result, answer.json.outcome], [0, "not_found"]);
    assertProblem(await admin("GET", path), 410);
  });

  it("lifts the removal when a removed session is added by hand", async () => {
    const id = freshId();
    await admin("PUT", `/v1/sessions/${id}`, { body: { sni: "before.example", timeout: 99 } });
    await admin("DELETE", `/v1/sessions/${id}`);
    const added = await admin("PUT", `/v1/sessions/${id}`);
    assert.deepEqual([added.status, added.json.result, added.json.outcome], [201, 1, "added"]);
    assert.equal(added.json.session?.sni, null, "nothing of the removed record is left");
    assert.equal((await admin("GET", `/v1/sessions/${id}`)).status, 200);
    const removed = await allPages<RemovedSession>(admin, "/v1/removed?limit=1000", "removed");
    assert.ok(!removed.some((entry) => entry.id === id), "the tombstone is gone");
  });

  it("shows on GET exactly what PUT answered", async () => {
    const id = freshId();
    const { json } = await admin("PUT", `/v1/sessions/${id}`, { body: { sni: "same.example", cipher: "0x1234" } });
    const { json: held } = await admin("GET", `/v1/sessions/${id}`);
    assert.deepEqual(held, json.session);
  });
}

function describePut(admin: Admin): void {
  it("has kind id, origin api, no hits, and null for all that is unknown", async () => {
    const id = freshId();
    const before = Math.floor(Date.now() / 1000);
    const { json } = await admin("PUT", `/v1/sessions/${id}`);
    const session = json.session as Session;
    const { time, timeout, issued, ...rest } = session;
    assert.equal(issued, time, "by hand, the time of issue is that of the call");
    assert.ok(Number.isInteger(time) && time > 0);
    assert.ok(time <= before + 60 || time >= 1_790_000_000, "time is in seconds");
    assert.ok(Number.isInteger(timeout) && timeout >= 1);
    assert.deepEqual(rest, {
      id,
      kind: "id",
      protocol: null,
      cipher: null,
      sni: null,
      upstream: null,
      ticket_key: null,
      session: null,
      last_used: rest.last_used,
      hits: 0,
      origin: "api",
    });
    assert.ok(rest.last_used === null || rest.last_used === time, `last_used is ${rest.last_used}`);
  });

  it("has the fields in the order and under the names of the contract", async () => {
    const { json } = await admin("PUT", `/v1/sessions/${freshId()}`);
    const names = "id kind protocol cipher sni upstream ticket_key session time issued timeout last_used hits origin";
    assert.deepEqual(Object.keys(json.session ?? {}).sort(), names.split(" ").sort());
  });

  it("keeps every field that is given", async () => {
    const fields = {
      kind: "psk",
      protocol: "TLSv1.3",
      cipher: "TLS_AES_256_GCM_SHA384",
      sni: "shop.example",
      upstream: "10.0.0.7:443",
      timeout: 1234,
    };
    const id = freshId();
    const put = await admin("PUT", `/v1/sessions/${id}`, { body: fields });
    assert.equal(put.status, 201, put.text);
    const { json } = await admin("GET", `/v1/sessions/${id}`);
    for (const [name, value] of Object.entries(fields)) assert.equal(json[name], value, name);
  });

  for (const kind of ["id", "ticket", "psk"]) {
    it(`accepts the kind ${kind}`, async () => {
      const { json } = await admin("PUT", `/v1/sessions/${freshId()}`, { body: { kind } });
      assert.equal(json.session?.kind, kind);
    });
  }

  for (const protocol of ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]) {
    it(`accepts the protocol ${protocol}`, async () => {
      const { json, text } = await admin("PUT", `/v1/sessions/${freshId()}`, { body: { protocol } });
      assert.equal(json.session?.protocol, protocol, text);
    });
  }

  for (const cipher of [
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "0xfafa",
  ]) {
    it(`gives the cipher ${cipher} back as it came`, async () => {
      const { json, text } = await admin("PUT", `/v1/sessions/${freshId()}`, { body: { cipher } });
      assert.equal(json.session?.cipher?.toLowerCase(), cipher.toLowerCase(), text);
    });
  }

  it("takes the number and the name of a cipher suite for the same", async () => {
    const path = `/v1/sessions/${freshId()}`;
    await admin("PUT", path, { body: { cipher: "0xC02C" } });
    const again = await admin("PUT", path, { body: { cipher: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" } });
    assert.deepEqual([again.status, again.json.outcome], [200, "identical"], again.text);
  });

  for (const upstream of ["10.0.0.7:443", "[2001:db8::1]:443", "127.0.0.1:10501"]) {
    it(`accepts the upstream ${upstream}`, async () => {
      const { json, text } = await admin("PUT", `/v1/sessions/${freshId()}`, { body: { upstream } });
      assert.equal(json.session?.upstream, upstream, text);
    });
  }

  it("replaces the fields that are given and keeps the others", async () => {
    const path = `/v1/sessions/${freshId()}`;
    await admin("PUT", path, { body: { sni: "one.example", upstream: "10.0.0.7:443", timeout: 100 } });
    const { json } = await admin("PUT", path, { body: { sni: "two.example" } });
    assert.equal(json.outcome, "replaced");
    const { sni, timeout, upstream } = json.session as Session;
    assert.deepEqual([sni, upstream, timeout], ["two.example", "10.0.0.7:443", 100]);
  });

  it("is identical where no field is given, or only some and all equal", async () => {
    const path = `/v1/sessions/${freshId()}`;
    await admin("PUT", path, { body: { sni: "one.example", upstream: "10.0.0.7:443" } });
    for (const body of [undefined, {}, { sni: "one.example" }, { upstream: "10.0.0.7:443", kind: "id" }]) {
      const { json, status } = await admin("PUT", path, { body });
      assert.deepEqual([status, json.result, json.outcome], [200, 0, "identical"], JSON.stringify(body));
    }
  });

  it("keeps a server name of 255 bytes, and one that JSON has to escape", async () => {
    for (const sni of ["a".repeat(255), 'quote"and\\backslash', "<script>", "tab\tnewline\n"]) {
      const path = `/v1/sessions/${freshId()}`;
      const put = await admin("PUT", path, { body: { sni } });
      if (put.status === 422 && /[^!-~]/.test(sni)) continue; // Control characters may be refused, never mangled.
      assert.equal(put.json.session?.sni, sni, put.text);
      assert.equal((await admin("GET", path)).json.sni, sni);
    }
  });

  it("keeps the smallest and the largest timeout", async () => {
    for (const timeout of [1, 2147483647]) {
      const { json, text } = await admin("PUT", `/v1/sessions/${freshId()}`, { body: { timeout } });
      assert.equal(json.session?.timeout, timeout, text);
    }
  });
}

function describeIds(admin: Admin): void {
  it("takes either case and answers in lower case", async () => {
    const id = freshId();
    const { json } = await admin("PUT", `/v1/sessions/${id.toUpperCase()}`);
    assert.equal(json.session?.id, id);
    assert.equal((await admin("GET", `/v1/sessions/${id}`)).status, 200);
    assert.equal((await admin("DELETE", `/v1/sessions/${id.toUpperCase()}`)).status, 200);
  });

  it("takes 1 to 32 bytes", async () => {
    for (const length of [1, 2, 16, 31, 32]) {
      const id = freshId().slice(0, 2 * length);
      await admin("DELETE", `/v1/sessions/${id}`);
      const { json, status } = await admin("PUT", `/v1/sessions/${id}`);
      assert.deepEqual([status, json.session?.id], [201, id]);
    }
  });

  it("keeps IDs apart of which one begins with the other", async () => {
    const id = freshId();
    await admin("PUT", `/v1/sessions/${id}`, { body: { sni: "long.example" } });
    assertProblem(await admin("GET", `/v1/sessions/${id.slice(0, 62)}`), 404);
    await admin("PUT", `/v1/sessions/${id.slice(0, 62)}`, { body: { sni: "short.example" } });
    assert.equal((await admin("GET", `/v1/sessions/${id}`)).json.sni, "long.example");
    await admin("DELETE", `/v1/sessions/${id.slice(0, 62)}`);
    assert.equal((await admin("GET", `/v1/sessions/${id}`)).status, 200);
  });

  for (const [what, id] of [
    ["one digit", "a"],
    ["an odd number of digits", "abc"],
    ["66 digits", "ab".repeat(33)],
    ["letters that are not hexadecimal", "zz"],
    ["a minus sign", "-1ab"],
    ["0x in front", "0xab"],
    ["an escaped space", "ab%20"],
    ["4096 digits", "ab".repeat(2048)],
  ] as const) {
    for (const method of ["GET", "PUT", "DELETE"]) {
      it(`refuses ${what} on ${method}`, async () => {
        assertProblem(await admin(method, `/v1/sessions/${id}`), 400);
      });
    }
  }
}

function describeBadInput(admin: Admin): void {
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
    "/v1/removed?sni=a",
    "/v1/stats?x=1",
    "/v1/mode?x=1",
    "/v1/enforcement?x=1",
    "/v1/ticket-keys?limit=1",
    "/v1/revocations?limit=1",
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

function describeAuthentication(admin: Admin): void {
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

function describePaths(admin: Admin): void {
  for (const path of [
    "/",
    "/v1",
    "/v1/",
    "/v2/sessions",
    "/v1/session",
    "/v1/sessions/",
    "/v1/stats/",
    "/healthz/",
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
    ["PUT", "/v1/removed", ["GET"]],
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
  ] as const) {
    it(`answers 405 with Allow to ${method} ${path.slice(0, 30)}`, async () => {
      const answer = await admin(method, path);
      assertProblem(answer, 405);
      const allow = (answer.headers.allow ?? "").split(",").map((name) => name.trim());
      assert.deepEqual(allow.filter((name) => name !== "HEAD" && name !== "OPTIONS").sort(), [...allowed].sort());
    });
  }

  it("answers HEAD like GET", async () => {
    for (const path of ["/healthz", "/v1/sessions", "/v1/stats"]) {
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

function describeListing(admin: Admin): void {
  it("shows every session exactly once, whatever the page's size", async () => {
    const sni = freshSni();
    const ids = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const id = freshId();
      ids.add(id);
      await admin("PUT", `/v1/sessions/${id}`, { body: { sni } });
    }
    for (const limit of [1, 7, 30, 1000]) {
      const listed = await allPages<Session>(admin, `/v1/sessions?sni=${sni}&limit=${limit}`, "sessions", (length) =>
        assert.ok(length <= limit, `a page of ${length} where ${limit} was asked for`),
      );
      assert.deepEqual(listed.map(({ id }) => id).sort(), [...ids].sort(), `limit=${limit}`);
    }
  });

  it("shows in the listing what GET shows", async () => {
    const sni = freshSni();
    const { json } = await admin("PUT", `/v1/sessions/${freshId()}`, { body: { sni, upstream: "10.1.2.3:443" } });
    const listed = await allPages<Session>(admin, `/v1/sessions?sni=${sni}`, "sessions");
    assert.deepEqual(listed, [json.session]);
  });

  it("filters by kind, server name and upstream, and by all of them", async () => {
    const sni = freshSni();
    const other = freshSni();
    const id = { ticket: freshId(), psk: freshId(), elsewhere: freshId(), otherName: freshId() };
    await admin("PUT", `/v1/sessions/${id.ticket}`, { body: { sni, kind: "ticket", upstream: "10.9.0.1:443" } });
    await admin("PUT", `/v1/sessions/${id.psk}`, { body: { sni, kind: "psk", upstream: "10.9.0.1:443" } });
    await admin("PUT", `/v1/sessions/${id.elsewhere}`, {
      body: { sni, kind: "ticket", upstream: "[2001:db8::9]:443" },
    });
    await admin("PUT", `/v1/sessions/${id.otherName}`, { body: { sni: other, kind: "ticket" } });
    const list = async (query: string): Promise<string[]> => {
      const sessions = await allPages<Session>(admin, `/v1/sessions?limit=1000&${query}`, "sessions");
      const mine = Object.values(id) as string[];
      return sessions
        .map((session) => session.id)
        .filter((found) => mine.includes(found))
        .sort();
    };
    assert.deepEqual(await list(`sni=${sni}`), [id.ticket, id.psk, id.elsewhere].sort());
    assert.deepEqual(await list("kind=ticket"), [id.ticket, id.elsewhere, id.otherName].sort());
    assert.deepEqual(await list("upstream=10.9.0.1:443"), [id.ticket, id.psk].sort());
    assert.deepEqual(await list("upstream=%5B2001%3Adb8%3A%3A9%5D%3A443"), [id.elsewhere]);
    assert.deepEqual(await list(`sni=${sni}&kind=ticket&upstream=10.9.0.1:443`), [id.ticket]);
    assert.deepEqual(await list(`sni=${sni}&kind=id`), []);
  });

  it("refuses a cursor with other filters than its own", async () => {
    const sni = freshSni();
    for (let i = 0; i < 3; i++) await admin("PUT", `/v1/sessions/${freshId()}`, { body: { sni } });
    const cursor = await cursorOf(admin, `/v1/sessions?sni=${sni}&limit=1`);
    const at = `cursor=${encodeURIComponent(cursor)}`;
    assert.equal((await admin("GET", `/v1/sessions?sni=${sni}&limit=1&${at}`)).status, 200);
    assertProblem(await admin("GET", `/v1/sessions?limit=1&${at}`), 400);
    assertProblem(await admin("GET", `/v1/sessions?sni=${freshSni()}&limit=1&${at}`), 400);
    assertProblem(await admin("GET", `/v1/sessions?sni=${sni}&kind=id&limit=1&${at}`), 400);
    assertProblem(await admin("GET", `/v1/removed?limit=1&${at}`), 400);
  });

  it("refuses a cursor of which a character was changed, or goes on to list, but never fails", async () => {
    const sni = freshSni();
    for (let i = 0; i < 3; i++) await admin("PUT", `/v1/sessions/${freshId()}`, { body: { sni } });
    const cursor = await cursorOf(admin, `/v1/sessions?sni=${sni}&limit=1`);
    for (let i = 0; i < cursor.length; i++) {
      const changed = `${cursor.slice(0, i)}${cursor[i] === "0" ? "1" : "0"}${cursor.slice(i + 1)}`;
      const { status } = await admin("GET", `/v1/sessions?sni=${sni}&limit=1&cursor=${encodeURIComponent(changed)}`);
      assert.ok(status === 200 || status === 400, `status ${status} for ${changed}`);
    }
    for (const changed of [cursor.slice(1), `${cursor}0`, cursor.repeat(2), cursor.repeat(50)]) {
      assertProblem(await admin("GET", `/v1/sessions?sni=${sni}&limit=1&cursor=${encodeURIComponent(changed)}`), 400);
    }
  });
}

function describeRemoved(admin: Admin): void {
  it("lists what was removed by hand, once each, until when and why", async () => {
    const ids = Array.from({ length: 12 }, () => freshId());
    for (const id of ids) await admin("PUT", `/v1/sessions/${id}`);
    for (const id of ids) await admin("DELETE", `/v1/sessions/${id}`);
    for (const limit of [3, 1000]) {
      const listed = await allPages<RemovedSession>(admin, `/v1/removed?limit=${limit}`, "removed", (length) =>
        assert.ok(length <= limit),
      );
      const mine = listed.filter(({ id }) => ids.includes(id));
      assert.deepEqual(mine.map(({ id }) => id).sort(), [...ids].sort());
      for (const entry of mine) {
        assert.deepEqual(Object.keys(entry).sort(), ["cause", "id", "time", "until"]);
        assert.equal(entry.cause, "api");
        assert.ok(entry.until > entry.time, "it lasts for a while");
      }
    }
  });

  it("tells as an event whether it was held", async () => {
    const id = freshId();
    await admin("PUT", `/v1/sessions/${id}`);
    await admin("DELETE", `/v1/sessions/${id}`);
    await admin("DELETE", `/v1/sessions/${id}`);
    const story = (await eventsOf(admin, id, 3)).map(({ type, held }) => [type, held]);
    assert.deepEqual(story, [
      ["new", undefined],
      ["removed", true],
      ["removed", false],
    ]);
  });

  it("does not list a removed session among the sessions", async () => {
    const sni = freshSni();
    const id = freshId();
    await admin("PUT", `/v1/sessions/${id}`, { body: { sni } });
    await admin("DELETE", `/v1/sessions/${id}`);
    assert.deepEqual(await allPages<Session>(admin, `/v1/sessions?sni=${sni}`, "sessions"), []);
  });
}

function describeSelections(admin: Admin): void {
  it("are removed with one call, and counted before with dry_run", async () => {
    const [sni, other] = [freshSni(), freshSni()];
    const ids = Array.from({ length: 5 }, () => freshId());
    const kept = freshId();
    for (const id of ids) await admin("PUT", `/v1/sessions/${id}?sni=${sni}&upstream=10.7.7.7:443`);
    await admin("PUT", `/v1/sessions/${kept}?sni=${other}&upstream=10.7.7.7:443`);
    const counted = await admin("POST", `/v1/sessions/remove?sni=${sni}&dry_run=true`);
    assert.equal(counted.status, 200, counted.text);
    assert.deepEqual(counted.json, { removed: 5, dry_run: true }, "a dry run is carried out by nobody");
    assert.equal((await admin("GET", `/v1/sessions/${ids[0]}`)).status, 200);
    const removed = await admin("POST", "/v1/sessions/remove", { body: { sni, upstream: "10.7.7.7:443" } });
    assert.equal(removed.status, 200, removed.text);
    assert.deepEqual(enforced(removed), { removed: 5, handles: 5, dry_run: false });
    for (const id of ids) assertProblem(await admin("GET", `/v1/sessions/${id}`), 410);
    assert.equal((await admin("GET", `/v1/sessions/${kept}`)).status, 200);
    assert.equal((await admin("POST", "/v1/sessions/remove", { body: { sni } })).json.removed, 0);
  });

  it("are never taken for all sessions", async () => {
    assertProblem(await admin("POST", "/v1/sessions/remove", { body: {} }), 400);
    assertProblem(await admin("POST", "/v1/sessions/remove"), 400);
    assertProblem(await admin("POST", "/v1/sessions/remove?dry_run=false"), 400);
    assertProblem(await admin("POST", "/v1/sessions/remove?sni="), 422);
    assertProblem(await admin("POST", "/v1/sessions/remove", { token: READ_TOKEN, body: { kind: "id" } }), 403);
  });

  it("of an upstream show in the list of upstreams", async () => {
    const id = freshId();
    await admin("PUT", `/v1/sessions/${id}?upstream=10.7.7.8:443`);
    const { json, status } = await admin("GET", "/v1/upstreams");
    assert.equal(status, 200);
    const upstreams = json.upstreams as { upstream: string; sessions: number }[];
    assert.equal(upstreams.find(({ upstream }) => upstream === "10.7.7.8:443")?.sessions, 1);
    await admin("DELETE", `/v1/sessions/${id}`);
  });
}

/** The first so many events of an ID, oldest first. */
async function eventsOf(admin: Admin, id: string, count: number): Promise<Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = [];
  let mark: string | null | undefined;
  for (let pages = 0; pages < MAX_PAGES && all.length < count; pages++) {
    const after = mark === undefined ? "" : `&after=${mark ?? ""}`;
    const { json } = await admin("GET", `/v1/events?limit=1000${after}`);
    const events = json.events as Record<string, unknown>[];
    all.push(...events.filter((event) => event.id === id));
    mark = json.next;
    // Another worker may be collecting them just now.
    if (events.length === 0) await setTimeout(10);
  }
  return all;
}

function describeSettings(admin: Admin): void {
  it("changes the mode and tells the one before", async () => {
    const before = (await admin("GET", "/v1/mode")).json.mode;
    const answer = await admin("PUT", "/v1/mode", { body: { mode: ["SERVER", "NO_INTERNAL_STORE"] } });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(sorted(answer.json.mode), ["NO_INTERNAL_STORE", "SERVER"]);
    assert.deepEqual(answer.json.previous, before);
    assert.deepEqual((await admin("GET", "/v1/mode")).json.mode, answer.json.mode);
    await admin("PUT", "/v1/mode", { body: { mode: before } });
  });

  it("gives NO_INTERNAL back as the two flags that it stands for", async () => {
    const before = (await admin("GET", "/v1/mode")).json.mode;
    const { json } = await admin("PUT", "/v1/mode", { body: { mode: ["SERVER", "NO_INTERNAL"] } });
    assert.deepEqual(sorted(json.mode), ["NO_INTERNAL_LOOKUP", "NO_INTERNAL_STORE", "SERVER"]);
    await admin("PUT", "/v1/mode", { body: { mode: before } });
  });

  it("takes [] for OFF", async () => {
    const before = (await admin("GET", "/v1/mode")).json.mode;
    const empty = (await admin("PUT", "/v1/mode", { body: { mode: [] } })).json.mode;
    const off = (await admin("PUT", "/v1/mode", { body: { mode: ["OFF"] } })).json.mode;
    assert.deepEqual(empty, off);
    await admin("PUT", "/v1/mode", { body: { mode: before } });
  });

  it("answers 422 to OFF together with anything", async () => {
    const before = (await admin("GET", "/v1/mode")).json.mode;
    assertProblem(await admin("PUT", "/v1/mode", { body: { mode: ["OFF", "SERVER"] } }), 422);
    assertProblem(await admin("PUT", "/v1/mode", { body: { mode: ["NO_AUTO_CLEAR", "OFF"] } }), 422);
    assert.deepEqual((await admin("GET", "/v1/mode")).json.mode, before);
  });

  for (const body of [
    {},
    { mode: "SERVER" },
    { mode: null },
    { mode: ["SERVE"] },
    { mode: ["SSL_SESS_CACHE_SERVER"] },
    { mode: ["server"] },
    { mode: [1] },
    { mode: ["SERVER"], more: 1 },
  ]) {
    it(`refuses the mode ${JSON.stringify(body)}`, async () => {
      assertProblem(await admin("PUT", "/v1/mode", { body }), 400, 422);
    });
  }

  it("changes the cache size and tells the one before", async () => {
    const before = (await admin("GET", "/v1/cache-size")).json.cache_size as number;
    const answer = await admin("PUT", "/v1/cache-size", { body: { cache_size: 15000 } });
    assert.deepEqual([answer.status, answer.json.cache_size, answer.json.previous], [200, 15000, before]);
    assert.equal((await admin("GET", "/v1/cache-size")).json.cache_size, 15000);
    assert.equal((await admin("GET", "/v1/stats")).json.cache_size, 15000);
    await admin("PUT", "/v1/cache-size", { body: { cache_size: before } });
  });

  for (const body of [
    {},
    { cache_size: -1 },
    { cache_size: 1.5 },
    { cache_size: "9" },
    { cache_size: null },
    { size: 1 },
  ]) {
    it(`refuses the cache size ${JSON.stringify(body)}`, async () => {
      assertProblem(await admin("PUT", "/v1/cache-size", { body }), 400, 422);
    });
  }

  it("changes the timeout of later sessions only, and tells the one before", async () => {
    const early = `/v1/sessions/${freshId()}`;
    const late = `/v1/sessions/${freshId()}`;
    const before = (await admin("GET", "/v1/timeout")).json.timeout as number;
    await admin("PUT", early);
    const answer = await admin("PUT", "/v1/timeout", { body: { timeout: 4321 } });
    assert.deepEqual([answer.status, answer.json.timeout, answer.json.previous], [200, 4321, before]);
    assert.equal((await admin("GET", "/v1/timeout")).json.timeout, 4321);
    await admin("PUT", late);
    assert.equal((await admin("GET", early)).json.timeout, before);
    assert.equal((await admin("GET", late)).json.timeout, 4321);
    await admin("PUT", "/v1/timeout", { body: { timeout: before } });
  });

  it("changes the enforcement and tells the one before", async () => {
    const before = (await admin("GET", "/v1/enforcement")).json.enforcement;
    for (const enforcement of ["observe", "strict", "revoked"]) {
      const previous = (await admin("GET", "/v1/enforcement")).json.enforcement;
      const answer = await admin("PUT", "/v1/enforcement", { body: { enforcement } });
      assert.deepEqual([answer.status, enforced(answer)], [200, { enforcement, previous }]);
      assert.deepEqual((await admin("GET", "/v1/enforcement")).json, { enforcement });
    }
    await admin("PUT", "/v1/enforcement", { body: { enforcement: before } });
  });

  for (const enforcement of ["", "Strict", "off", null, 2, ["strict"]]) {
    it(`answers 422 to the enforcement ${JSON.stringify(enforcement)}, and keeps the one before`, async () => {
      const before = (await admin("GET", "/v1/enforcement")).json;
      assertProblem(await admin("PUT", "/v1/enforcement", { body: { enforcement } }), 422);
      assert.deepEqual((await admin("GET", "/v1/enforcement")).json, before);
    });
  }

  it("answers 400 to an enforcement without its field, or with another", async () => {
    for (const body of [undefined, {}, { mode: "strict" }, { enforcement: "revoked", more: 1 }]) {
      assertProblem(await admin("PUT", "/v1/enforcement", { body }), 400);
    }
  });

  for (const body of [{}, { timeout: 0 }, { timeout: -5 }, { timeout: 2147483648 }, { timeout: "9" }, { time: 9 }]) {
    it(`refuses the timeout ${JSON.stringify(body)}`, async () => {
      assertProblem(await admin("PUT", "/v1/timeout", { body }), 400, 422);
    });
  }
}

function describeTicketKeys(admin: Admin): void {
  const listed = async (name: string): Promise<TicketKey[]> => {
    const { json, status, text } = await admin("GET", "/v1/ticket-keys");
    assert.equal(status, 200, text.slice(0, 300));
    return (json.ticket_keys ?? []).filter((key) => key.name === name);
  };

  it("are added, identical, replaced, removed and told again", async () => {
    const name = freshKeyName();
    const path = `/v1/ticket-keys/${name}`;
    const told = { name, upstream: "10.0.0.7:443", state: "configured", tickets: 0, last_used: null };
    const added = await admin("PUT", path, { body: { upstream: "10.0.0.7:443" } });
    assert.deepEqual([added.status, added.json], [201, { result: 1, outcome: "added", ticket_key: told }]);
    const again = await admin("PUT", path, { body: { upstream: "10.0.0.7:443" } });
    assert.deepEqual([again.status, again.json], [200, { result: 0, outcome: "identical", ticket_key: told }]);
    const replaced = await admin("PUT", path, { body: { upstream: "10.0.0.8:443" } });
    const elsewhere = { ...told, upstream: "10.0.0.8:443" };
    assert.deepEqual(
      [replaced.status, replaced.json],
      [200, { result: 1, outcome: "replaced", ticket_key: elsewhere }],
    );
    assert.deepEqual(await listed(name), [elsewhere]);
    const removed = await admin("DELETE", path);
    const { note, ...outcome } = enforced(removed);
    assert.deepEqual([removed.status, outcome], [200, { result: 1, outcome: "removed" }]);
    assert.match(note ?? "", /change the server's ticket key first, then remove its name here$/);
    assert.deepEqual(
      (await listed(name)).map(({ state }) => state),
      ["removed"],
    );
    const twice = await admin("DELETE", path);
    assert.deepEqual([twice.status, twice.json], [404, { result: 0, outcome: "not_found" }]);
    const lifted = await admin("PUT", path, { body: { upstream: "10.0.0.7:443" } });
    assert.deepEqual([lifted.status, lifted.json.outcome], [200, "replaced"]);
    assert.deepEqual(await listed(name), [told]);
  });

  it("are lifted without an upstream: what was known of them stays, of those that nobody has seen nothing", async () => {
    const [known, unknown] = [freshKeyName(), freshKeyName()];
    await admin("PUT", `/v1/ticket-keys/${known}?upstream=10.0.0.7:443`);
    for (const name of [known, unknown]) await admin("DELETE", `/v1/ticket-keys/${name}`);
    const key = { name: known, upstream: "10.0.0.7:443", state: "learned", tickets: 0, last_used: null };
    const lifted = await admin("PUT", `/v1/ticket-keys/${known}`);
    assert.deepEqual([lifted.status, lifted.json], [200, { result: 1, outcome: "lifted", ticket_key: key }]);
    const again = await admin("PUT", `/v1/ticket-keys/${known}`, { body: {} });
    assert.deepEqual([again.status, again.json], [200, { result: 0, outcome: "identical", ticket_key: key }]);
    const forgotten = await admin("PUT", `/v1/ticket-keys/${unknown}`, { body: {} });
    assert.deepEqual([forgotten.status, forgotten.json], [200, { result: 1, outcome: "lifted", ticket_key: null }]);
    assert.deepEqual(await listed(unknown), []);
  });

  for (const body of [undefined, {}]) {
    it(`answer 404 to a lift of a name that is not there (${JSON.stringify(body) ?? "no body"}), and store nothing`, async () => {
      const name = freshKeyName();
      const { json, status } = await admin("PUT", `/v1/ticket-keys/${name}`, { body });
      assert.deepEqual([status, json], [404, { result: 0, outcome: "not_found" }]);
      assert.deepEqual(await listed(name), []);
    });
  }

  it("are removed though nobody has seen them, and shown without an upstream", async () => {
    const name = freshKeyName();
    const removed = await admin("DELETE", `/v1/ticket-keys/${name.toUpperCase()}`);
    assert.deepEqual([removed.status, enforced(removed)], [200, { result: 1, outcome: "removed" }]);
    assert.deepEqual(await listed(name), [{ name, upstream: null, state: "removed", tickets: 0, last_used: null }]);
  });

  for (const name of [
    "ab",
    "ab".repeat(15),
    "ab".repeat(17),
    "zz".repeat(16),
    `0x${"ab".repeat(15)}`,
    "a".repeat(31),
  ]) {
    it(`refuse the name ${name}`, async () => {
      assertProblem(await admin("PUT", `/v1/ticket-keys/${name}`, { body: { upstream: "10.0.0.7:443" } }), 400);
      assertProblem(await admin("DELETE", `/v1/ticket-keys/${name}`), 400);
    });
  }

  for (const [body, status] of [
    [{ upstream: "10.0.0.7:443", state: "configured" }, 400],
    [{ upstream: null }, 422],
    [{ upstream: "" }, 422],
    [{ upstream: "shop.example:443" }, 422],
    [{ upstream: 443 }, 422],
  ] as const) {
    it(`answer ${status} to ${JSON.stringify(body)}, and store nothing`, async () => {
      const name = freshKeyName();
      assertProblem(await admin("PUT", `/v1/ticket-keys/${name}`, { body }), status);
      assert.deepEqual(await listed(name), []);
    });
  }
}

function describeRevocations(admin: Admin): void {
  const listed = async (sni: string): Promise<Revocation[]> => {
    const { json, status, text } = await admin("GET", "/v1/revocations");
    assert.equal(status, 200, text.slice(0, 300));
    return (json.revocations ?? []).filter((revocation) => revocation.sni === sni);
  };

  it("are added, replaced, lifted, and then not found", async () => {
    const sni = freshSni();
    const path = `/v1/revocations/${sni}`;
    const added = await admin("PUT", path);
    assert.deepEqual([added.status, added.json.result, added.json.outcome], [201, 1, "added"], added.text);
    assert.equal(added.json.revocation?.sni, sni);
    assert.ok(Number.isInteger(added.json.revocation?.time));
    assert.deepEqual(await listed(sni), [added.json.revocation]);
    const replaced = await admin("PUT", path, { body: {} });
    assert.deepEqual([replaced.status, replaced.json.result, replaced.json.outcome], [200, 1, "replaced"]);
    assert.deepEqual(await listed(sni), [replaced.json.revocation]);
    const removed = await admin("DELETE", path);
    assert.deepEqual([removed.status, removed.json], [200, { result: 1, outcome: "removed" }]);
    assert.deepEqual(await listed(sni), []);
    const again = await admin("DELETE", path);
    assert.deepEqual([again.status, again.json], [404, { result: 0, outcome: "not_found" }]);
  });

  it("are of names without regard to case", async () => {
    const sni = freshSni();
    const { json } = await admin("PUT", `/v1/revocations/${sni.toUpperCase()}`);
    assert.equal(json.revocation?.sni, sni);
    assert.equal((await admin("PUT", `/v1/revocations/${sni}`)).json.outcome, "replaced");
    assert.equal((await admin("DELETE", `/v1/revocations/${sni.toUpperCase()}`)).status, 200);
  });

  it("are of names that a path has to escape", async () => {
    for (const sni of [`b\u00fccher.${freshSni()}`, `a b+c.${freshSni()}`, `${"a".repeat(224)}.${freshSni()}`]) {
      const path = `/v1/revocations/${encodeURIComponent(sni)}`;
      const { json, status, text } = await admin("PUT", path);
      assert.deepEqual([status, json.revocation?.sni], [201, sni], text);
      assert.equal((await admin("DELETE", path)).status, 200);
    }
  });

  for (const sni of ["a".repeat(256), "%C3%BC".repeat(128), "%zz", "a%", "%ff"]) {
    it(`refuse the name ${sni.slice(0, 20)} of ${sni.length} characters`, async () => {
      assertProblem(await admin("PUT", `/v1/revocations/${sni}`), 400);
      assertProblem(await admin("DELETE", `/v1/revocations/${sni}`), 400);
    });
  }

  it("end by themselves, and later by a second one, but never earlier", async () => {
    const path = `/v1/revocations/${freshSni()}`;
    const lasts = ({ json }: AdminAnswer): number => (json.revocation?.until ?? 0) - (json.revocation?.time ?? 0);
    assert.equal(lasts(await admin("PUT", path)), 604_800);
    const shorter = await admin("PUT", path, { body: { ticket_lifetime: 60 } });
    assert.ok(lasts(shorter) > 600_000, shorter.text);
    assert.equal(lasts(await admin("PUT", path, { body: { ticket_lifetime: 2_147_483_647 } })), 2_147_483_647);
    await admin("DELETE", path);
    assert.equal(lasts(await admin("PUT", path, { body: { ticket_lifetime: 60 } })), 60);
  });

  it("say what they are for sessions that nobody has seen", async () => {
    const path = `/v1/revocations/${freshSni()}`;
    assert.equal((await admin("PUT", path)).json.revocation?.unseen, "by_name");
    assert.equal((await admin("PUT", path, { body: { unseen: "refuse" } })).json.revocation?.unseen, "refuse");
    assert.equal((await admin("PUT", path)).json.revocation?.unseen, "refuse", "what is not given stays");
    assert.equal((await admin("PUT", path, { body: { unseen: "by_name" } })).json.revocation?.unseen, "by_name");
    await admin("DELETE", path);
  });

  for (const body of [
    { ticket_lifetime: 0 },
    { ticket_lifetime: 2147483648 },
    { ticket_lifetime: "7d" },
    { unseen: "all" },
    { unseen: null },
  ]) {
    it(`answer 422 to ${JSON.stringify(body)}, and revoke nothing`, async () => {
      const sni = freshSni();
      assertProblem(await admin("PUT", `/v1/revocations/${sni}`, { body }), 422);
      assert.deepEqual(await listed(sni), []);
    });
  }

  for (const body of [{ time: 1 }, [], "no JSON", null]) {
    it(`refuse the body ${JSON.stringify(body)}, and revoke nothing`, async () => {
      const sni = freshSni();
      assertProblem(await admin("PUT", `/v1/revocations/${sni}`, { body }), 400);
      assert.deepEqual(await listed(sni), []);
    });
  }
}

function describeStats(admin: Admin): void {
  it("counts what the contract names, with at most one level of nesting", async () => {
    const { json } = await admin("GET", "/v1/stats");
    for (const name of "number cache_size accept accept_good hits misses timeouts cache_full removes replaces refused".split(
      " ",
    )) {
      assert.ok(
        Number.isInteger(json[name]) && (json[name] as number) >= 0,
        `${name} is ${JSON.stringify(json[name])}`,
      );
    }
    for (const value of Object.values(json)) {
      if (typeof value !== "object" || value === null) continue;
      for (const inner of Object.values(value)) assert.notEqual(typeof inner, "object", JSON.stringify(value));
    }
    const { mode, effective, why } = json.steering as Record<string, unknown>;
    assert.ok(mode === "off" || mode === "hash" || mode === "exact", String(mode));
    assert.ok(effective === undefined || typeof effective === "boolean", String(effective));
    assert.equal(why !== "", effective === false, "why is there if steering has no effect, and only then");
    const all = JSON.stringify(json);
    for (const word of ["resumed", "full", "lost"]) assert.match(all, new RegExp(word), word);
  });

  it("counts removals and replacements", async () => {
    const path = `/v1/sessions/${freshId()}`;
    const before = (await admin("GET", "/v1/stats")).json as Record<string, number>;
    await admin("PUT", path, { body: { sni: "a.example" } });
    await admin("PUT", path, { body: { sni: "a.example" } });
    await admin("PUT", path, { body: { sni: "b.example" } });
    await admin("DELETE", path);
    await admin("DELETE", path);
    const after = (await admin("GET", "/v1/stats")).json as Record<string, number>;
    assert.equal((after.replaces ?? 0) - (before.replaces ?? 0), 1, "replaces");
    assert.equal((after.removes ?? 0) - (before.removes ?? 0), 1, "removes");
  });

  it("describes itself in OpenAPI 3.1", async () => {
    const { json } = await admin("GET", "/v1/openapi.json");
    assert.match(String(json.openapi), /^3\.1\.\d+$/);
    const paths = json.paths as Record<string, Record<string, unknown>>;
    for (const [path, methods] of [
      ["/healthz", ["get"]],
      ["/v1/sessions", ["get"]],
      ["/v1/sessions/{id}", ["get", "put", "delete"]],
      ["/v1/sessions/flush", ["post"]],
      ["/v1/sessions/remove", ["post"]],
      ["/v1/upstreams", ["get"]],
      ["/v1/removed", ["get"]],
      ["/v1/stats", ["get"]],
      ["/v1/mode", ["get", "put"]],
      ["/v1/cache-size", ["get", "put"]],
      ["/v1/timeout", ["get", "put"]],
      ["/v1/enforcement", ["get", "put"]],
      ["/v1/ticket-keys", ["get"]],
      ["/v1/ticket-keys/{name}", ["put", "delete"]],
      ["/v1/revocations", ["get"]],
      ["/v1/revocations/{sni}", ["put", "delete"]],
      ["/v1/openapi.json", ["get"]],
    ] as const) {
      for (const method of methods) assert.ok(paths[path]?.[method] !== undefined, `${method} ${path} is described`);
    }
    for (const reference of JSON.stringify(json).matchAll(/"\$ref":"#\/([^"]*)"/g)) {
      const target = (reference[1] ?? "")
        .split("/")
        .reduce<unknown>((node, step) => (node as Record<string, unknown> | undefined)?.[step], json);
      assert.notEqual(target, undefined, `${reference[0]} leads somewhere`);
    }
  });
}

async function cursorOf(admin: Admin, path: string): Promise<string> {
  const { json } = await admin("GET", path);
  assert.equal(typeof json.next, "string", "there is a next page");
  return json.next as string;
}

function sorted(names: string[] | undefined): string[] {
  return [...(names ?? [])].sort();
}

const RUN = randomBytes(8).toString("hex");
const MAX_PAGES = 5_000;
let freshIds = 0;
