/** The admin API's contract over HTTP on a real Envoy with two workers. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { describeAdminContract } from "../../contract/all.ts";
import { type Admin, FULL_TOKEN, assertProblem, freshId, freshSni } from "../../contract/client.ts";
import { type Stack, adminClient, eventually, inParallel, startStack } from "../../support/stack.ts";

let stack: Stack;

before(async () => {
  // No TLS client comes here.
  stack = await startStack({ upstreams: ["127.0.0.1:9"] });
});

after(() => stack?.stop());

const admin: Admin = (...parameters) => stack.admin(...parameters);

describe("the admin API", () => describeAdminContract(admin));

describe("changes", () => {
  it("are seen by the other worker at once", async () => {
    for (let i = 0; i < 20; i++) {
      const path = `/v1/sessions/${freshId()}`;
      // Each of these has a connection of its own, so they spread over the workers.
      const own = adminClient(stack.adminPort);
      assert.equal((await own("PUT", path)).status, 201);
      const seen = await inParallel(Array.from({ length: 6 }), 6, () => own("GET", path));
      assert.deepEqual([...new Set(seen.map(({ status }) => status))], [200]);
      await own("DELETE", path);
      const gone = await inParallel(Array.from({ length: 6 }), 6, () => own("GET", path));
      assert.deepEqual([...new Set(gone.map(({ status }) => status))], [410]);
    }
  });

  it("of one session by many callers at once: one adds, and one removes", async () => {
    for (let i = 0; i < 10; i++) {
      const path = `/v1/sessions/${freshId()}`;
      const added = await inParallel(Array.from({ length: 16 }), 16, () => stack.admin("PUT", path));
      assert.equal(added.filter(({ json }) => json.outcome === "added").length, 1);
      assert.equal(added.filter(({ json }) => json.outcome === "identical").length, 15);
      const removed = await inParallel(Array.from({ length: 16 }), 16, () => stack.admin("DELETE", path));
      assert.equal(removed.filter(({ json }) => json.outcome === "removed").length, 1);
      assert.equal(removed.filter(({ json }) => json.outcome === "not_found").length, 15);
    }
  });

  it("of 2,000 sessions by 32 callers at once lose none", async () => {
    const sni = freshSni();
    const ids = Array.from({ length: 2000 }, () => freshId());
    const answers = await inParallel(ids, 32, (id) => stack.admin("PUT", `/v1/sessions/${id}`, { body: { sni } }));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201]);
    const listed = await stack.sessions(`&sni=${sni}`);
    assert.deepEqual(listed.map(({ id }) => id).sort(), ids.sort());
    assert.equal((await stack.sessions()).length, (await stack.stats()).number);
  });
});

describe("HTTP as it comes", () => {
  it("with a body in chunks, slowly, is answered", async () => {
    const id = freshId();
    const answer = await raw([
      `PUT /v1/sessions/${id} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${FULL_TOKEN}\r\nTransfer-Encoding: chunked\r\n` +
        `Connection: close\r\n\r\n`,
      '7\r\n{"sni":\r\n',
      '10\r\n"chunks.example"\r\n',
      "1\r\n}\r\n0\r\n\r\n",
    ]);
    assert.match(answer, /^HTTP\/1\.1 201 /);
    assert.equal((await stack.admin("GET", `/v1/sessions/${id}`)).json.sni, "chunks.example");
  });

  it("with HEAD has the headers of GET and no body", async () => {
    const answer = await raw([
      `HEAD /v1/stats HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${FULL_TOKEN}\r\nConnection: close\r\n\r\n`,
    ]);
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.ok(answer.endsWith("\r\n\r\n"), "nothing follows the headers");
  });

  it("with an endless body is refused with 413, and the rest is not read", async () => {
    const answer = await raw(
      [
        `PUT /v1/sessions/${freshId()} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${FULL_TOKEN}\r\nContent-Length: 99999999\r\n\r\n`,
        ...Array.from({ length: 40 }, () => " ".repeat(64 * 1024)),
      ],
      true,
    );
    assert.match(answer, /^HTTP\/1\.1 413 /);
  });

  it("is refused by the API itself, with a problem, however much of a large body comes at once", async () => {
    for (const [first, second] of [
      [60_000, 400_000],
      [1, 400_000],
      [65_536, 1],
    ] as const) {
      const answer = await raw(
        [
          `PUT /v1/sessions/${freshId()} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${FULL_TOKEN}\r\nContent-Length: ${first + second}\r\n\r\n`,
          " ".repeat(first),
          " ".repeat(second),
        ],
        true,
      );
      assert.match(answer, /^HTTP\/1\.1 413 [^]*application\/problem\+json/, `${first} and ${second} bytes`);
    }
  });

  it("that is no HTTP, or stops halfway, leaves the API answering", async () => {
    await raw(["\0\0\0\0garbage\r\n\r\n"], true);
    await raw(["GET /v1/stats HTTP/9.9\r\n\r\n"], true);
    const half = Array.from({ length: 20 }, () => connect(stack.adminPort, "127.0.0.1"));
    for (const socket of half) {
      socket.on("error", () => undefined);
      socket.write(
        `PUT /v1/sessions/abcd HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${FULL_TOKEN}\r\nContent-Length: 50\r\n\r\n{"sni`,
      );
    }
    assert.equal((await stack.admin("GET", "/v1/stats")).status, 200);
    for (const socket of half) socket.destroy();
    await eventually("the API still adds", async () => {
      assert.equal((await stack.admin("PUT", `/v1/sessions/${freshId()}`)).status, 201);
    });
  });

  it("with two Authorization headers never lets the worse one pass", async () => {
    const answer = await raw([
      "GET /v1/stats HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer wrong\r\nAuthorization: Bearer worse\r\nConnection: close\r\n\r\n",
    ]);
    assert.match(answer, /^HTTP\/1\.1 401 /);
  });

  it("with headers that are too large is refused, and the next caller is served", async () => {
    const headers = { authorization: `Bearer ${"x".repeat(200_000)}` };
    const answer = await stack.admin("GET", "/v1/stats", { token: null, headers }).catch(() => undefined);
    assert.ok(answer === undefined || answer.status >= 400);
    assert.equal((await stack.admin("GET", "/v1/stats")).status, 200);
  });
});

describe("after all this", () => {
  it("the API still has good answers and good refusals", async () => {
    assertProblem(await stack.admin("GET", "/v1/sessions", { token: "wrong" }), 401);
    assert.equal((await stack.admin("POST", "/v1/sessions/flush", { body: {} })).status, 200);
    assert.equal((await stack.stats()).number, 0);
  });
});

/** Sends pieces one after the other over one connection and gives back all that comes, until the server closes. */
function raw(pieces: string[], mayBreak = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(stack.adminPort, "127.0.0.1");
    let text = "";
    socket.setTimeout(8000, () => {
      socket.destroy();
      if (mayBreak) resolve(text);
      else reject(new Error(`no end of the answer: "${text.slice(0, 200)}"`));
    });
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (mayBreak && text.includes("\r\n\r\n")) socket.destroy();
    });
    socket.on("error", (error) => (mayBreak ? resolve(text) : reject(error)));
    socket.on("close", () => resolve(text));
    socket.on("connect", () => {
      let at = 0;
      const next = (): void => {
        if (at === pieces.length || socket.destroyed) return;
        socket.write(pieces[at++] ?? "", () => setTimeout(next, 10));
      };
      next();
    });
  });
}
