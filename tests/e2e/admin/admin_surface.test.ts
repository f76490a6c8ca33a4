/**
 * What an attacker may try on the admin listener of a real Envoy, beside the admin API's contract: to be read in two ways, to
 * get past the token, to get text of his own into what others read. Each try has a clean answer.
 */
import assert from "node:assert/strict";
import { connect as connectHttp2 } from "node:http2";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import type { Document } from "yaml";
import { FULL_TOKEN, READ_TOKEN, freshId } from "../../contract/client.ts";
import type { Flight } from "../../fake_host/fake_host.ts";
import { fullWithId, sessionId } from "../../support/tls_bytes.ts";
import { type Stack, assertNoTrap, eventually, startStack } from "../../support/stack.ts";

let upstream: Server;
let stack: Stack;
/** Of the upstream's side of each connection, in the order in which they came. */
const accepted: Socket[] = [];

before(async () => {
  upstream = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    accepted.push(socket);
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  stack = await startStack({
    upstreams: [`127.0.0.1:${(upstream.address() as AddressInfo).port}`],
    // Envoy waits a second for the client's end, which here waits for Envoy's.
    change: (configuration) => configuration.setIn([...ADMIN_MANAGER, "delayed_close_timeout"], "0.05s"),
  });
});

after(async () => {
  await stack?.stop();
  for (const socket of accepted) socket.destroy();
  upstream?.close();
});

const ADMIN_MANAGER = ["static_resources", "listeners", 1, "filter_chains", 0, "filters", 0, "typed_config"];
const ADMIN_CAPABILITIES = [
  ...[...ADMIN_MANAGER, "http_filters", 0, "typed_config", "config", "vm_config"],
  ...["capability_restriction_config", "allowed_capabilities"],
];
const FULL = `Authorization: Bearer ${FULL_TOKEN}`;
const READ = `Authorization: Bearer ${READ_TOKEN}`;

describe("a path", () => {
  const tricks = [
    "/healthz/../v1/sessions",
    "/healthz/..%2fv1/sessions",
    "/healthz%2f..%2fv1%2fsessions",
    "/v1/sessions/../../healthz",
    "/v1/sessions/%2e%2e/%2e%2e/healthz",
    "/./v1/sessions",
    "//v1/sessions",
    "/v1//sessions",
    "/v1/sessions/",
    "/V1/SESSIONS",
    "/v1/sessions;/healthz",
    "/v1\\sessions",
    "/%76%31/sessions",
    "/healthz/",
    "/healthz%00",
    "/healthz;",
    "/healthz#/v1/sessions",
    `/${"a/".repeat(20_000)}`,
    "http://127.0.0.1/healthz/../v1/sessions",
    "http://healthz/v1/sessions",
  ];
  for (const path of tricks) {
    it(`that tricks, as ${path.slice(0, 40)}, leads nowhere, with a token and without`, async () => {
      const without = await status(`GET ${path} HTTP/1.1\r\nHost: a\r\n`);
      assert.ok(without === 401 || without === 400, `answered with ${without}`);
      if (path.startsWith("http://healthz")) return;
      const withToken = await status(`GET ${path} HTTP/1.1\r\nHost: a\r\n${FULL}\r\n`);
      assert.ok(withToken === 404 || withToken === 400, `answered with ${withToken}`);
    });
  }

  it("of absolute form is the same path, and needs the same token", async () => {
    const line = "GET http://elsewhere.example/v1/stats HTTP/1.1\r\nHost: a\r\n";
    assert.equal(await status(line), 401);
    assert.equal(await status(`${line}${FULL}\r\n`), 200);
  });

  it("that is too long is refused", async () => {
    const got = await status(`GET /v1/${"a".repeat(100_000)} HTTP/1.1\r\nHost: a\r\n${FULL}\r\n`);
    assert.ok(got === 431 || got === 400 || got === 414, `answered with ${got}`);
  });

  it("in another header has no say", async () => {
    for (const name of ["X-Original-URL", "X-Rewrite-URL", "X-Envoy-Original-Path", "X-Forwarded-Prefix"]) {
      assert.equal(await status(`GET /v1/stats HTTP/1.1\r\nHost: a\r\n${name}: /healthz\r\n`), 401);
    }
  });
});

describe("a token", () => {
  it("that is one of several is none, whatever the others are", async () => {
    const get = "GET /v1/stats HTTP/1.1\r\nHost: a\r\n";
    for (const other of [FULL, READ, "Authorization: Bearer wrong"]) {
      assert.equal(await status(`${get}${FULL}\r\n${other}\r\n`), 401);
      assert.equal(await status(`${get}${other}\r\n${FULL}\r\n`), 401);
    }
  });

  it("counts only as the whole of the header", async () => {
    const get = "GET /v1/stats HTTP/1.1\r\nHost: a\r\n";
    for (const header of [
      `Authorization: Bearer ${FULL_TOKEN}, Bearer x`,
      `Authorization: Bearer x, Bearer ${FULL_TOKEN}`,
      `Authorization: Bearer ${FULL_TOKEN}x`,
      `Authorization: Bearer ${FULL_TOKEN.slice(0, -1)}`,
      `Authorization: Bearer`,
      `Authorization: ${FULL_TOKEN}`,
      `Authorization: Basic ${FULL_TOKEN}`,
      `Proxy-Authorization: Bearer ${FULL_TOKEN}`,
      `Cookie: Authorization=Bearer ${FULL_TOKEN}`,
      `X-Authorization: Bearer ${FULL_TOKEN}`,
    ]) {
      assert.equal(await status(`${get}${header}\r\n`), 401, header);
    }
    assert.equal(await status(`GET /v1/stats?access_token=${FULL_TOKEN} HTTP/1.1\r\nHost: a\r\n`), 401);
  });

  it("that may only read cannot change anything by another header", async () => {
    const id = freshId();
    await stack.admin("PUT", `/v1/sessions/${id}`);
    for (const name of ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]) {
      assert.equal(await status(`GET /v1/sessions/${id} HTTP/1.1\r\nHost: a\r\n${READ}\r\n${name}: DELETE\r\n`), 200);
      assert.equal(await status(`POST /v1/sessions/${id} HTTP/1.1\r\nHost: a\r\n${READ}\r\n${name}: GET\r\n`), 405);
    }
    assert.equal((await stack.admin("GET", `/v1/sessions/${id}`)).status, 200);
  });
});

describe("a request that can be read in two ways", () => {
  /** A reader of the other opinion would take this for a second request. */
  const hidden = `DELETE /v1/sessions/c0ffee HTTP/1.1\r\nHost: a\r\n${FULL}\r\nContent-Length: 0\r\n\r\n`;
  const heads: Record<string, string> = {
    "two lengths": `Content-Length: 0\r\nContent-Length: ${hidden.length}`,
    "two lengths in one": `Content-Length: 0, ${hidden.length}`,
    "a length and chunks": `Content-Length: ${hidden.length}\r\nTransfer-Encoding: chunked`,
    "chunks and a length": `Transfer-Encoding: chunked\r\nContent-Length: ${hidden.length}`,
    "chunks that are none": `Transfer-Encoding: xchunked\r\nContent-Length: 0`,
    "chunks under another coding": `Transfer-Encoding: chunked, identity\r\nContent-Length: 0`,
    "a length with a sign": "Content-Length: +0",
    "a length below zero": "Content-Length: -1",
    "a length that is too large to be a number": "Content-Length: 99999999999999999999999",
    "a length with a space before the colon": "Content-Length : 0",
    "a header with a zero byte": "X-A: a\0b\r\nContent-Length: 0",
    "a header name with a zero byte": "X\0A: a\r\nContent-Length: 0",
    "a header without a colon": "X-A\r\nContent-Length: 0",
    "a name with an underscore": "Content_Length: 0\r\nContent-Length: 0",
    "no host": "NO-HOST",
  };
  for (const [name, head] of Object.entries(heads)) {
    it(`is refused, and the connection ends: ${name}`, async () => {
      await stack.admin("PUT", "/v1/sessions/c0ffee");
      const host = head === "NO-HOST" ? "X-A: a" : `Host: a\r\n${head}`;
      const answers = await exchange(`PUT /v1/sessions/beef HTTP/1.1\r\n${host}\r\n${FULL}\r\n\r\n${hidden}`);
      const statuses = statusesOf(answers);
      assert.equal(statuses.length, 1, answers);
      assert.ok(statuses[0] === 400 || statuses[0] === 501, answers);
      assert.equal((await stack.admin("GET", "/v1/sessions/c0ffee")).status, 200, "what was hidden is not carried out");
    });
  }

  it("by a header that goes on in the next line is never more than its one request", async () => {
    assert.equal(await status(`GET /v1/stats HTTP/1.1\r\nHost: a\r\nX-A: a\r\n ${FULL}\r\n`), 401);
    assert.equal(await status(`GET /v1/stats HTTP/1.1\r\nHost: a\r\nX-A: a\r${FULL}\r\n`), 401);
  });

  it("by chunks with a bad length is answered once", async () => {
    await stack.admin("PUT", "/v1/sessions/c0ffee");
    for (const size of ["0x0", "-1", "fffffffffffffffff", ";", "0\n", "0;a\rb"]) {
      const head = `PUT /v1/sessions/beef HTTP/1.1\r\nHost: a\r\n${FULL}\r\nTransfer-Encoding: chunked\r\n\r\n`;
      const answers = await exchange(`${head}${size}\r\n\r\n${hidden}`);
      assert.ok(
        statusesOf(answers).every((got) => got === 400),
        answers,
      );
      assert.equal((await stack.admin("GET", "/v1/sessions/c0ffee")).status, 200);
    }
  });
});

describe("another protocol", () => {
  it("is not switched to: h2c, WebSocket, CONNECT", async () => {
    const h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__";
    const webSocket =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";
    for (const upgrade of [h2c, webSocket]) {
      for (const [token, wanted] of [
        ["X-A: a", [401, 403]],
        [FULL, [200, 403]],
      ] as [string, number[]][]) {
        const got = await status(`GET /v1/stats HTTP/1.1\r\nHost: a\r\n${token}\r\n${upgrade}\r\n`, true);
        assert.ok(wanted.includes(got), `answered with ${got}`);
      }
    }
    const tunnel = await status(`CONNECT 127.0.0.1:${stack.envoyAdminPort} HTTP/1.1\r\nHost: a\r\n${FULL}\r\n`);
    assert.ok(tunnel >= 400, `answered with ${tunnel}`);
  });

  it("of HTTP/2 needs the same token", async () => {
    assert.equal(await overHttp2({ ":path": "/v1/stats" }), 401);
    assert.equal(await overHttp2({ ":path": "/v1/stats", authorization: `Bearer ${FULL_TOKEN}` }), 200);
    assert.equal(await overHttp2({ ":path": "/healthz/../v1/stats" }), 401);
    const both = { ":path": "/v1/sessions/abcd", ":method": "DELETE", authorization: `Bearer ${READ_TOKEN}` };
    assert.equal(await overHttp2(both), 403);
  });
});

describe("text of an attacker", () => {
  const visible = `"}],"x":"<script>'\\u0000%0d%0aInjected:1{a="b"}`;
  const nasty = `${visible}\u001b[31m\r\nInjected: 1\u007f\u009b31m\u202e\u2028`;

  it("in a server name is escaped wherever it is shown, and not even kept where it cannot be seen", async () => {
    const id = sessionId(77);
    const unseen = sessionId(78);
    await handshake(fullWithId(unseen, { sni: nasty }));
    await handshake(fullWithId(id, { sni: visible }));
    const listed = await eventually("the session is learned", async () => {
      const answer = await stack.admin("GET", "/v1/sessions");
      assert.ok(answer.text.includes(id.toString("hex")), "it is not listed");
      return answer;
    });
    assertHarmless(listed.text);
    const names = new Map((await stack.sessions()).map((session) => [session.id, session.sni]));
    assert.equal(names.get(id.toString("hex")), visible, "it is told as it is, escaped");
    assert.equal(names.get(unseen.toString("hex")), null);
    await stack.admin("DELETE", `/v1/sessions/${id.toString("hex")}`);
    await stack.admin("PUT", `/v1/revocations/${encodeURIComponent(nasty)}`);
    for (const path of ["/v1/events", "/v1/removed", "/v1/revocations", "/v1/stats"]) {
      const answer = await stack.admin("GET", path);
      assert.equal(answer.status, 200);
      assertHarmless(answer.text);
    }
  });

  it("never gets into metrics or the log", async () => {
    const stats = await (await fetch(`http://127.0.0.1:${stack.envoyAdminPort}/stats`)).text();
    for (const text of [await stack.prometheus(), stats, stack.envoy.log()]) {
      assert.equal(/.*(<script>|Injected: ?1).*/i.exec(text)?.[0], undefined);
    }
  });

  it("in a request is escaped in the answer, which no browser takes for a page", async () => {
    const answers = [
      await stack.admin("GET", `/${encodeURIComponent(nasty)}`),
      await stack.admin("GET", `/v1/sessions?${encodeURIComponent(nasty)}=1`),
      await stack.admin("GET", "/v1/sessions/<script>alert(1)</script>"),
      await stack.admin("PUT", `/v1/sessions/${freshId()}`, { body: { [nasty]: 1 } }),
      await stack.admin("PUT", `/v1/sessions/${freshId()}`, { body: { upstream: nasty } }),
      await stack.admin("PUT", "/v1/mode", { body: { mode: [nasty] } }),
    ];
    for (const { headers, status: got, text } of answers) {
      assert.ok(got >= 400 && got < 500, text);
      assert.match(headers["content-type"] ?? "", /^application\/problem\+json/);
      assert.equal(headers["x-content-type-options"], "nosniff");
      assertHarmless(text);
      assert.deepEqual(
        Object.keys(headers).filter((name) => name === "injected"),
        [],
      );
    }
  });
});

describe("tokens", () => {
  it("are neither in the log, whatever is traced, nor in Envoy's own admin", async () => {
    await logging("level=trace");
    // Envoy's own logger of HTTP prints every header at debug and trace. No other may.
    await logging("http=info");
    await stack.admin("GET", "/v1/stats");
    await stack.admin("PUT", `/v1/sessions/${freshId()}`, { token: READ_TOKEN });
    await stack.admin("GET", `/v1/stats?token=${FULL_TOKEN}`, { token: `${FULL_TOKEN}x` });
    await stack.admin("GET", "/v1/stats", { body: FULL_TOKEN });
    await eventually("the module is traced", () => assert.match(stack.envoy.log(), /proxy_on_request_headers/));
    await logging("level=info");
    const shown = await Promise.all(
      ["/config_dump", "/stats", "/server_info", "/clusters", "/listeners"].map(async (path) =>
        (await fetch(`http://127.0.0.1:${stack.envoyAdminPort}${path}`)).text(),
      ),
    );
    for (const text of [stack.envoy.log(), ...shown]) {
      assert.ok(!text.includes(FULL_TOKEN) && !text.includes(READ_TOKEN));
    }
  });

  it("are not in answers either", async () => {
    for (const path of ["/v1/openapi.json", "/v1/stats", `/${FULL_TOKEN.slice(0, 3)}`]) {
      assert.ok(!(await stack.admin("GET", path)).text.includes(FULL_TOKEN));
    }
  });
});

describe("the module", () => {
  it("is denied what envoy.yaml does not allow it: Envoy does not start, and says why", async () => {
    const change = (configuration: Document): void =>
      assert.ok(configuration.deleteIn([...ADMIN_CAPABILITIES, "proxy_set_shared_data"]));
    await assert.rejects(startStack({ upstreams: ["127.0.0.1:9"], change }), (error: Error) => {
      assert.match(error.message, /restricted proxy-wasm capability: proxy_set_shared_data/);
      assert.throws(() => assertNoTrap(error.message), "every end-to-end test looks for this");
      return true;
    });
  });
});

describe("after all this", () => {
  it("the module has not trapped, and answers", async () => {
    assert.equal((await stack.admin("GET", "/v1/stats")).status, 200);
    assertNoTrap(stack.envoy.log());
  });
});

async function logging(change: string): Promise<void> {
  await fetch(`http://127.0.0.1:${stack.envoyAdminPort}/logging?${change}`, { method: "POST" });
}

function assertHarmless(text: string): void {
  assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
  assert.doesNotThrow(() => JSON.parse(text));
}

/** The status of the only answer to a request of which the last line of the head is still missing. */
async function status(head: string, keepsConnection = false): Promise<number> {
  const close = keepsConnection ? "" : "Connection: close\r\n";
  const statuses = statusesOf(await exchange(`${head}${close}\r\n`));
  assert.equal(statuses.length, 1);
  return statuses[0] as number;
}

function statusesOf(answers: string): number[] {
  return [...answers.matchAll(/^HTTP\/1\.[01] (\d{3}) /gm)].map(([, digits]) => Number(digits));
}

/** Everything that comes back until the end, or until nothing has come for a while. */
function exchange(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(stack.adminPort, "127.0.0.1", () => socket.write(bytes, "latin1"));
    let text = "";
    socket.setTimeout(SILENCE_MILLISECONDS, () => socket.destroy());
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(text));
  });
}

function overHttp2(headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http://127.0.0.1:${stack.adminPort}`);
    session.on("error", reject);
    const request = session.request(headers);
    request.on("response", (answer) => {
      resolve(Number(answer[":status"]));
      session.destroy();
    });
    request.on("error", reject);
    request.end();
  });
}

/** Both sides of a handshake, played through Envoy flight by flight. */
async function handshake(flights: Flight[]): Promise<void> {
  const known = accepted.length;
  const client = connect(stack.tlsPort, "127.0.0.1");
  client.on("error", () => client.destroy());
  let server: Socket | undefined;
  for (const { from, bytes } of flights) {
    if (from === "client") {
      client.write(bytes);
      server ??= await eventually("the upstream is reached", () => {
        assert.ok(accepted.length > known, "none was accepted");
        return accepted.at(-1) as Socket;
      });
      await received(server, bytes.length);
    } else {
      server?.write(bytes);
      await received(client, bytes.length);
    }
  }
  client.destroy();
}

function received(socket: Socket, length: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const patience = setTimeout(() => reject(new Error("the flight did not come")), 5000);
    let left = length;
    const take = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left > 0) return;
      clearTimeout(patience);
      socket.off("data", take);
      socket.pause();
      resolve();
    };
    socket.on("data", take);
    socket.resume();
  });
}

const SILENCE_MILLISECONDS = 1500;
