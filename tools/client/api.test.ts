/** What a caller reads if a call fails, against a real HTTP server that answers as it likes. */
import assert from "node:assert/strict";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { Api } from "./api.ts";
import { ClientError, EXIT, type ExitCode } from "./client_error.ts";
import { allSessions } from "./pages.ts";

let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let proxy: string;

before(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

function answers(status: number, type: string, body: string, headers: Record<string, string> = {}): void {
  answer = (_request, response) => response.writeHead(status, { "content-type": type, ...headers }).end(body);
}

async function fails(exitCode: ExitCode, message: RegExp, api = new Api(proxy, "token-of-test")): Promise<void> {
  await assert.rejects(api.call("getStatistics", { timeoutSeconds: 2 }), (error) => {
    assert.ok(error instanceof ClientError, String(error));
    assert.equal(error.exitCode, exitCode);
    assert.match(error.message, message);
    assert.ok(error.message.startsWith(`${api.proxy}: `) && !error.message.includes("\n"), error.message);
    assert.ok(!error.message.includes("token-of-test"), "the token stays secret");
    return true;
  });
}

const PROBLEM = "application/problem+json";

describe("a call", () => {
  for (const [status, advice] of [
    [401, /401: the proxy does not know this token; set TLS_SESSIONS_TOKEN/],
    [403, /403: this token may only read; use one of admin\.tokens/],
    [404, /404: nothing is there; look elsewhere$/],
    [410, /410: nothing is there/],
    [422, /422: nothing is there/],
  ] as const) {
    it(`that is refused by ${String(status)} says what would be right`, async () => {
      answers(status, PROBLEM, JSON.stringify({ title: "No", status, detail: "nothing is there;\n look elsewhere" }));
      await fails(EXIT.refused, advice);
    });
  }

  it("without a token says so", async () => {
    answers(401, PROBLEM, "{}");
    await fails(EXIT.refused, /401: no token was sent; set TLS_SESSIONS_TOKEN/, new Api(proxy, null));
  });

  it("that meets a busy cache says when to try again", async () => {
    answers(503, PROBLEM, '{"detail":"not stored"}', { "retry-after": "1" });
    await fails(EXIT.refused, /503: not stored; try again in 1 s$/);
  });

  it("that gets no JSON names the listener that is meant", async () => {
    answers(200, "text/html", "<html>");
    await fails(EXIT.unreachable, /200, is text\/html rather than JSON; name the listener of the admin API/);
    answers(200, "application/json", "{");
    await fails(EXIT.unreachable, /200, is broken JSON rather than JSON/);
  });

  it("shows no control character of an answer", async () => {
    answers(404, PROBLEM, JSON.stringify({ detail: "no \u001b[2J\u009b such" }));
    await fails(EXIT.refused, /404: no \\x1b\[2J\\x9b such$/);
  });

  it("that nobody answers ends in time", async () => {
    answer = () => undefined;
    await fails(EXIT.unreachable, /no answer within 2 s$/);
  });

  it("that waits ends at once if it is aborted", async () => {
    const api = new Api(proxy, null);
    answer = () => api.abort();
    await assert.rejects(api.call("getStatistics"), ClientError);
  });

  it("that meets nothing, or something other than HTTP, says so", async () => {
    await fails(EXIT.unreachable, /connection refused: nothing listens there/, new Api("http://127.0.0.1:1", null));
    answer = (request) => request.socket.end("SSH-2.0-here\r\n");
    await fails(EXIT.unreachable, /does not speak HTTP/);
  });

  it("encodes names in path and query", async () => {
    let asked = "";
    answer = (request, response) => {
      asked = `${String(request.method)} ${String(request.url)}`;
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    };
    await new Api(`${proxy}/prefix`, null).call("putRevocation", { parameter: "a/b ?", query: { unseen: "x y&z" } });
    assert.equal(asked, "PUT /prefix/v1/revocations/a%2Fb%20%3F?unseen=x%20y%26z");
  });
});

describe("a listing", () => {
  it("follows all pages, empty ones too, up to its limit", async () => {
    const asked: string[] = [];
    const pages = [
      { sessions: [1, 2], next: "p1" },
      { sessions: [], next: "p2" },
      { sessions: [3], next: null },
    ];
    answer = (request, response) => {
      asked.push(String(request.url));
      const page = pages[Number(/cursor=p(\d)/.exec(String(request.url))?.[1] ?? 0)];
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(page));
    };
    const api = new Api(proxy, null);
    assert.deepEqual(await allSessions(api, { kind: "id" }, Infinity), { rows: [1, 2, 3], hasMore: false });
    assert.equal(asked[1], "/v1/sessions?kind=id&limit=1000&cursor=p1");
    assert.deepEqual(await allSessions(api, {}, 2), { rows: [1, 2], hasMore: true });
  });

  it("does not follow a page that leads to itself", async () => {
    answers(200, "application/json", '{"sessions":[],"next":"p1"}');
    await assert.rejects(allSessions(new Api(proxy, null), {}, Infinity), /leads to itself/);
  });
});
