/**
 * The listener that terminates TLS, with the guard, and real clients: what Envoy itself issued is learned and counted, and
 * whoever is on a removed session is answered with 421. Then the layout for what the guard cannot see, TLS 1.3 and tickets:
 * the passthrough listener in front of a terminating one.
 */
import assert from "node:assert/strict";
import { constants, connect as connectHttp2 } from "node:http2";
import { Agent, request as httpsRequest } from "node:https";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import type { Document } from "yaml";
import type { Session } from "../../support/answer.ts";
import { HttpsConnection, type HttpsRequest } from "../../support/https_client.ts";
import { untilPlain } from "../../support/plain_ticket.ts";
import { Folder, sClient, savedSession } from "../../support/openssl.ts";
import { envoyVersion, findEnvoy } from "../../../tools/proxies/envoy_binary.ts";
import { abilitiesOf, SHIPPED_FOR } from "../../../tools/proxies/envoy_versions.ts";
import { sessionOf } from "../../../tools/demo/ssl_session.ts";
import { type Stack, eventually, inParallel, startStack } from "../../support/stack.ts";

/** Most tests here have no use for the passthrough listener. */
const NO_UPSTREAM = "127.0.0.1:1";

const folder = new Folder();
let stack: Stack;

/** Whether the Envoy at hand can close a connection behind the guard's answer; npm run test:compat runs some that cannot. */
let closes = true;

before(async () => {
  closes = abilitiesOf((await envoyVersion(await findEnvoy(() => undefined))) ?? SHIPPED_FOR).closesFromLua;
  stack = await startStack({ upstreams: [NO_UPSTREAM] });
});

after(async () => {
  folder.remove();
  await stack?.stop();
});

describe("a session that Envoy itself issued", () => {
  it("is learned with the first request, and counts a hit for each connection that resumes it", async () => {
    const first = await open({ version: "TLSv1.2", sni: "shop.example" });
    assert.deepEqual(await first.request().then(({ body, status }) => [status, body]), [200, "hello\n"]);
    const { id, kind } = first.identity;
    assert.equal(kind, "id");
    const { cipher, hits, protocol, sni, upstream } = await held(stack, id);
    assert.deepEqual([protocol, sni, cipher, upstream, hits], ["TLSv1.2", "shop.example", null, null, 0]);
    for (let resumptions = 1; resumptions <= 4; resumptions++) {
      const again = await open({ version: "TLSv1.2", sni: "shop.example", session: first.session });
      assert.ok(again.resumed);
      for (let i = 0; i < 3; i++) assert.equal((await again.request()).status, 200);
      assert.equal((await held(stack, id)).hits, resumptions, "its later requests count nothing");
      again.close();
    }
    first.close();
  });

  it("is counted once by an HTTP/2 connection, however many requests run on it at the same time", async () => {
    const first = await open({ version: "TLSv1.2" });
    await first.request();
    const client = await openHttp2(first.session);
    assert.ok((client.socket as TLSSocket).isSessionReused());
    const statuses = await inParallel(Array.from({ length: 20 }), 20, () => http2Get(client));
    assert.ok(statuses.every((status) => status === 200));
    assert.equal((await held(stack, first.identity.id)).hits, 1);
    client.destroy();
    first.close();
  });

  it("of TLS 1.3 has no ID: requests go on, and nothing is learned or counted", async () => {
    const before = await stack.stats();
    const connection = await open({ version: "TLSv1.3" });
    assert.equal((await connection.request()).status, 200);
    const stats = await stack.stats();
    for (const counter of ["number", "hits", "misses", "adds"]) assert.equal(stats[counter], before[counter], counter);
    connection.close();
  });
});

describe("a removed session", () => {
  it("is answered with 421; the client stays refused until it makes a new one", async () => {
    const first = await open({ version: "TLSv1.2" });
    await first.request();
    const before = await stack.stats();
    await stack.admin("DELETE", `/v1/sessions/${first.identity.id}`);
    for (let i = 0; i < 4; i++) {
      const again = await open({ version: "TLSv1.2", session: first.session });
      assert.ok(again.resumed, "Envoy accepts it again");
      await assertRefused(again);
    }
    const stats = await stack.stats();
    assert.equal(stats.refused, Number(before.refused) + 4);
    for (const counter of ["hits", "misses"]) assert.equal(stats[counter], before[counter], counter);
    const fresh = await open({ version: "TLSv1.2" });
    assert.deepEqual([fresh.resumed, (await fresh.request()).status], [false, 200]);
    fresh.close();
  });

  it("has its connection closed behind the answer", async () => {
    const first = await open({ version: "TLSv1.2" });
    await first.request();
    await stack.admin("DELETE", `/v1/sessions/${first.identity.id}`);
    assert.equal((await first.request()).headers.connection, "close");
    await first.closed();
  });

  it("is refused again and again on a connection that Envoy keeps", async () => {
    const own = await startStack({ upstreams: [NO_UPSTREAM], change: (document) => withoutClosing(document) });
    try {
      const connection = await HttpsConnection.open({ port: own.httpsPort, version: "TLSv1.2" });
      await connection.request();
      await own.admin("DELETE", `/v1/sessions/${connection.identity.id}`);
      for (let i = 0; i < 3; i++) assert.equal((await connection.request()).status, 421);
      assert.equal((await own.stats()).refused, 3);
      connection.close();
    } finally {
      await own.stop();
    }
  });

  it("is refused until Envoy lets it expire: then the client gets a new one, and goes on", async () => {
    const own = await startStack({ upstreams: [NO_UPSTREAM], change: (document) => endsSoon(document) });
    try {
      const request = { port: own.httpsPort, version: "TLSv1.2" } as const;
      const first = await HttpsConnection.open(request);
      await first.request();
      const { id } = first.identity;
      await own.admin("DELETE", `/v1/sessions/${id}`);
      const again = await HttpsConnection.open({ ...request, session: first.session });
      assert.ok(again.resumed);
      await assertRefused(again);
      const renewed = await eventually("Envoy does not resume it any more", async () => {
        const connection = await HttpsConnection.open({ ...request, session: first.session });
        if (connection.resumed) connection.close();
        assert.equal(connection.resumed, false);
        return connection;
      });
      assert.equal((await renewed.request()).status, 200);
      assert.notEqual(renewed.identity.id, id);
      for (const connection of [first, renewed]) connection.close();
    } finally {
      await own.stop();
    }
  });

  it("is refused on the connection that is open already", async () => {
    const connection = await open({ version: "TLSv1.2" });
    assert.equal((await connection.request()).status, 200);
    await stack.admin("DELETE", `/v1/sessions/${connection.identity.id}`);
    await assertRefused(connection);
  });

  it("is refused in HTTP/2, too, where the connection is told to go away", async () => {
    const first = await open({ version: "TLSv1.2" });
    await first.request();
    await stack.admin("DELETE", `/v1/sessions/${first.identity.id}`);
    const client = await openHttp2(first.session);
    let isGoingAway = false;
    client.once("goaway", () => (isGoingAway = true));
    try {
      assert.equal(await http2Get(client), 421);
      await eventually("it is told to go away", () => assert.equal(isGoingAway, true));
    } finally {
      client.destroy();
      first.close();
    }
  });

  it("cannot be got around, nor made up, by what a client sends", async () => {
    const removed = await open({ version: "TLSv1.2" });
    await removed.request();
    await stack.admin("DELETE", `/v1/sessions/${removed.identity.id}`);
    const other = await open({ version: "TLSv1.2" });
    const forged = { "tls-sid": removed.identity.id, "filter-state.tls-sid": removed.identity.id };
    assert.equal((await other.request(forged)).status, 200);
    await assertRefused(removed, { "tls-sid": other.identity.id, "x-envoy-tls-sid": other.identity.id });
    // Envoy itself takes no header with an underscore.
    assert.equal((await other.request({ tls_sid: removed.identity.id })).status, 400);
    other.close();
  });

  it("of an agent of Node's: refused while it offers the session, and at once again with a new agent", async () => {
    const agent = new Agent({ rejectUnauthorized: false, maxVersion: "TLSv1.2" });
    const first = await agentGet(agent);
    assert.deepEqual([first.status, first.resumed], [200, false]);
    const second = await agentGet(agent);
    assert.deepEqual([second.status, second.resumed, second.id], [200, true, first.id]);
    await stack.admin("DELETE", `/v1/sessions/${first.id}`);
    for (let i = 0; i < 2; i++) {
      const { connection, resumed, status } = await agentGet(agent);
      assert.deepEqual([status, resumed, connection], [421, true, "close"]);
    }
    const renewed = await agentGet(new Agent({ rejectUnauthorized: false, maxVersion: "TLSv1.2" }));
    assert.deepEqual([renewed.status, renewed.resumed], [200, false]);
  });

  it("of openssl s_client: refused, and the connection ends by itself", async () => {
    const file = folder.file("removed");
    const named = ["-tls1_2", "-servername", "id.example"];
    // The listener keeps the connection: the client is the one that ends it.
    await sClient(stack.httpsPort, ...named, "-sess_out", file, "-no_ign_eof");
    const { id } = await savedSession(file);
    assert.equal((await eventually("the session is learned", () => held(stack, id))).sni, "id.example");
    await stack.admin("DELETE", `/v1/sessions/${id}`);
    const again = await sClient(stack.httpsPort, ...named, "-sess_in", file);
    assert.ok(again.resumed);
    assert.match(again.output, /HTTP\/1\.1 421 /);
  });

  it("disturbs nobody else, while removals and requests race on all workers", async () => {
    const bystanders = await inParallel(Array.from({ length: 16 }), 8, () => open({ version: "TLSv1.2" }));
    const victims = await inParallel(Array.from({ length: 16 }), 8, () => open({ version: "TLSv1.2" }));
    for (const connection of [...bystanders, ...victims]) assert.equal((await connection.request()).status, 200);
    const removing = inParallel(victims, 2, ({ identity }) => stack.admin("DELETE", `/v1/sessions/${identity.id}`));
    const visits = Array.from({ length: 10 }, () => bystanders).flat();
    const statuses = await inParallel(visits, 8, async ({ session }) => {
      const again = await open({ version: "TLSv1.2", session });
      const { status } = await again.request();
      again.close();
      return status;
    });
    await removing;
    assert.deepEqual([...new Set(statuses)], [200]);
    await inParallel(victims, victims.length, (victim) => assertRefused(victim));
    for (const bystander of bystanders) {
      assert.equal((await bystander.request()).status, 200);
      bystander.close();
    }
  });
});

describe("a session of a server name that was revoked", () => {
  const sni = "revoked.example";

  it("is refused when it comes again; one that is issued afterwards resumes", async () => {
    const first = await open({ version: "TLSv1.2", sni });
    const bystander = await open({ version: "TLSv1.2", sni: "bystander.example" });
    for (const connection of [first, bystander]) assert.equal((await connection.request()).status, 200);
    const before = await stack.stats();
    assert.equal((await stack.admin("PUT", `/v1/revocations/${sni}`)).status, 201);
    for (let i = 0; i < 3; i++) {
      const again = await open({ version: "TLSv1.2", sni, session: first.session });
      assert.ok(again.resumed, "Envoy accepts it again");
      await assertRefused(again);
    }
    assert.equal((await stack.stats()).refused, Number(before.refused) + 3);
    const other = await open({ version: "TLSv1.2", sni: "bystander.example", session: bystander.session });
    assert.deepEqual([other.resumed, (await other.request()).status], [true, 200]);
    // A session that is stored in the second of the revocation counts as issued before it.
    await sleep(1100);
    const fresh = await open({ version: "TLSv1.2", sni });
    assert.deepEqual([fresh.resumed, (await fresh.request()).status], [false, 200]);
    const resumed = await open({ version: "TLSv1.2", sni, session: fresh.session });
    assert.deepEqual([resumed.resumed, (await resumed.request()).status], [true, 200]);
    await stack.admin("DELETE", `/v1/revocations/${sni}`);
    const lifted = await open({ version: "TLSv1.2", sni, session: first.session });
    assert.deepEqual([lifted.resumed, (await lifted.request()).status], [true, 200]);
    for (const connection of [first, bystander, other, fresh, resumed, lifted]) connection.close();
  });

  it("goes on under observe, and on the connections that were let through before", async () => {
    const first = await open({ version: "TLSv1.2", sni });
    assert.equal((await first.request()).status, 200);
    await stack.admin("PUT", `/v1/revocations/${sni}`);
    assert.equal((await first.request()).status, 200);
    await stack.admin("PUT", "/v1/enforcement", { body: { enforcement: "observe" } });
    const observed = await open({ version: "TLSv1.2", sni, session: first.session });
    assert.deepEqual([observed.resumed, (await observed.request()).status], [true, 200]);
    await stack.admin("PUT", "/v1/enforcement", { body: { enforcement: "revoked" } });
    await assertRefused(await open({ version: "TLSv1.2", sni, session: first.session }));
    await stack.admin("DELETE", `/v1/revocations/${sni}`);
    for (const connection of [first, observed]) connection.close();
  });
});

describe("under strict", () => {
  it("full handshakes go on, and so does what the cache holds; what it holds beyond its time does not", async () => {
    const cache = { enforcement: "strict", timeout: 2, mode: ["SERVER", "NO_AUTO_CLEAR"] };
    const own = await startStack({ upstreams: [NO_UPSTREAM], cache });
    try {
      const request = { port: own.httpsPort, version: "TLSv1.2" } as const;
      const first = await HttpsConnection.open(request);
      for (let i = 0; i < 2; i++) assert.equal((await first.request()).status, 200);
      const again = await HttpsConnection.open({ ...request, session: first.session });
      assert.deepEqual([again.resumed, (await again.request()).status], [true, 200]);
      await sleep(3200);
      const late = await HttpsConnection.open({ ...request, session: first.session });
      assert.ok(late.resumed, "Envoy accepts it again");
      await assertRefused(late);
      assert.equal((await again.request()).status, 200);
      for (const connection of [first, again]) connection.close();
    } finally {
      await own.stop();
    }
  });
});

describe("the passthrough listener in front of the shipped terminating one", () => {
  it("counts each resumption once, and refuses what was removed with an alert, before a request is sent", async () => {
    const own = await startStack({ upstreams: [NO_UPSTREAM], change: (document) => putInFront(document) });
    try {
      const request = { port: own.tlsPort, version: "TLSv1.2", sni: "front.example" } as const;
      const first = await HttpsConnection.open(request);
      await first.request();
      const { id } = first.identity;
      const { hits, sni, upstream } = await held(own, id);
      assert.deepEqual([upstream, sni, hits], [`127.0.0.1:${own.httpsPort}`, "front.example", 0]);
      const again = await HttpsConnection.open({ ...request, session: first.session });
      assert.ok(again.resumed);
      for (let i = 0; i < 3; i++) assert.equal((await again.request()).status, 200);
      assert.equal((await held(own, id)).hits, 1);
      await own.admin("DELETE", `/v1/sessions/${id}`);
      await assert.rejects(HttpsConnection.open({ ...request, session: first.session }), /alert handshake failure/);
      await assertRefused(again);
      const fresh = await HttpsConnection.open(request);
      assert.deepEqual([fresh.resumed, (await fresh.request()).status], [false, 200]);
      for (const connection of [first, fresh]) connection.close();
    } finally {
      await own.stop();
    }
  });
});

describe("the passthrough listener in front of a terminating one with tickets and without the guard", () => {
  let own: Stack;

  before(async () => {
    own = await startStack({
      upstreams: [NO_UPSTREAM],
      change: (document) => {
        putInFront(document);
        withTickets(document);
        withoutGuard(document);
      },
    });
  });

  after(() => own?.stop());

  for (const [version, kind] of [
    ["TLSv1.2", "ticket"],
    ["TLSv1.3", "psk"],
  ] as const) {
    it(`sees and refuses the sessions of ${version}`, async () => {
      const request = { port: own.tlsPort, version };
      const opened: HttpsConnection[] = [];
      const first = await untilPlain(
        async () => {
          const connection = await HttpsConnection.open(request);
          opened.push(connection);
          await connection.request();
          return connection;
        },
        ({ identity }) => identity.isPlain,
      );
      const { session } = first;
      const again = await HttpsConnection.open({ ...request, session });
      assert.ok(again.resumed);
      assert.equal((await again.request()).status, 200);
      const { id } = first.identity;
      const { kind: seenKind, upstream } = await held(own, id);
      assert.deepEqual([seenKind, upstream], [kind, `127.0.0.1:${own.httpsPort}`]);
      await own.admin("DELETE", `/v1/sessions/${id}`);
      await assert.rejects(HttpsConnection.open({ ...request, session }), /alert handshake failure/);
      const fresh = await HttpsConnection.open(request);
      assert.deepEqual([fresh.resumed, (await fresh.request()).status], [false, 200]);
      for (const connection of [...opened, again, fresh]) connection.close();
    });
  }
});

function open(request: Omit<HttpsRequest, "port">): Promise<HttpsConnection> {
  return HttpsConnection.open({ port: stack.httpsPort, ...request });
}

async function held({ admin }: Stack, id: string): Promise<Session> {
  const { json, status, text } = await admin("GET", `/v1/sessions/${id}`);
  assert.equal(status, 200, text);
  return json as unknown as Session;
}

async function assertRefused(connection: HttpsConnection, headers: Record<string, string> = {}): Promise<void> {
  const answer = await connection.request(headers);
  assert.equal(answer.status, 421);
  assert.equal(answer.headers.connection, closes ? "close" : undefined);
  assert.equal(answer.headers["content-type"], "application/problem+json");
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal((JSON.parse(answer.body) as { status: number }).status, 421);
  if (closes) await connection.closed();
  else connection.close();
}

interface AgentAnswer {
  status: number;
  connection: string;
  resumed: boolean;
  id: string;
}

/** `https.request` as programs use it, the body read to its end. */
function agentGet(agent: Agent): Promise<AgentAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({ host: "127.0.0.1", port: stack.httpsPort, agent }, (response) => {
      const socket = response.socket as TLSSocket;
      const resumed = socket.isSessionReused();
      const session = socket.getSession() ?? Buffer.alloc(0);
      response.on("error", reject);
      response.on("end", () => {
        const { headers, statusCode } = response;
        resolve({ status: statusCode ?? 0, connection: headers.connection ?? "", resumed, id: idOf(session) });
      });
      response.resume();
    });
    request.setTimeout(15_000, () => request.destroy(new Error("no answer")));
    request.on("error", reject);
    request.end();
  });
}

function openHttp2(session: Buffer): Promise<ReturnType<typeof connectHttp2>> {
  return new Promise((resolve, reject) => {
    const client = connectHttp2(`https://127.0.0.1:${stack.httpsPort}`, {
      rejectUnauthorized: false,
      maxVersion: "TLSv1.2",
      servername: "localhost.example",
      session,
    });
    client.once("error", reject);
    client.once("connect", () => resolve(client));
  });
}

function http2Get(client: ReturnType<typeof connectHttp2>): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = client.request({ [constants.HTTP2_HEADER_PATH]: "/" });
    let status = 0;
    stream.on("response", (headers) => (status = Number(headers[constants.HTTP2_HEADER_STATUS])));
    stream.on("error", reject);
    stream.on("end", () => resolve(status));
    stream.resume();
    stream.end();
  });
}

/** The passthrough listener's only upstream becomes the HTTPS listener of the same Envoy. */
function putInFront(document: Document): void {
  const https = listener(document);
  const port = document.getIn([...https, "address", "socket_address", "port_value"]);
  const endpoint = ["load_assignment", "endpoints", 0, "lb_endpoints", 0, "endpoint", "address", "socket_address"];
  document.setIn(["static_resources", "clusters", 0, ...endpoint, "port_value"], port);
}

function endsSoon(document: Document): void {
  document.setIn([...tlsContext(document), "session_timeout"], "3s");
}

function withTickets(document: Document): void {
  const tls = tlsContext(document);
  assert.ok(document.hasIn([...tls, "disable_stateless_session_resumption"]));
  document.setIn([...tls, "disable_stateless_session_resumption"], false);
}

function withoutClosing(document: Document): void {
  takeOut(document, "close_when_refused");
}

function withoutGuard(document: Document): void {
  takeOut(document, "tls_session_guard", "close_when_refused", "tls_session_id");
}

/** HTTP filters of the listener, by name. */
function takeOut(document: Document, ...unwanted: string[]): void {
  const filters = [...listener(document), "filter_chains", 0, "filters", 0, "typed_config", "http_filters"];
  const names = (document.getIn(filters) as { toJSON(): { name: string }[] }).toJSON().map(({ name }) => name);
  for (const name of unwanted) {
    assert.ok(names.includes(name), `envoy.yaml has no ${name}`);
    document.deleteIn([...filters, names.indexOf(name)]);
    names.splice(names.indexOf(name), 1);
  }
}

function tlsContext(document: Document): (string | number)[] {
  return [...listener(document), "filter_chains", 0, "transport_socket", "typed_config"];
}

function listener(document: Document): (string | number)[] {
  const listeners = (document.toJS() as { static_resources: { listeners: { name: string }[] } }).static_resources
    .listeners;
  return ["static_resources", "listeners", listeners.findIndex(({ name }) => name === "https")];
}

function idOf(session: Buffer): string {
  return sessionOf(session).sessionId.toString("hex");
}
