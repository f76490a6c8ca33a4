/**
 * Removed sessions do not resume: real clients, real servers that would accept, a real Envoy in between. A client that
 * is refused sees a TLS alert, never a hang or a bare end of the connection, and nobody else is disturbed.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { constants, createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { freshSni } from "../../contract/client.ts";
import { generate } from "selfsigned";
import { Folder, savedSession } from "../../support/openssl.ts";
import { type Stack, eventually, startStack } from "../../support/stack.ts";
import { freePorts } from "../../../tools/proxies/free_ports.ts";
import { plainVisit, type TlsRequest, type Visit, visit } from "../../support/tls_client.ts";

const KINDS: Record<"id" | "ticket" | "psk", Partial<TlsRequest>> = {
  id: { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET },
  ticket: { version: "TLSv1.2" },
  psk: { version: "TLSv1.3" },
};
const kinds = ["id", "ticket", "psk"] as const;

let upstream: DemoUpstream;
let dribbler: Server;
let stack: Stack;
/** The same upstream behind a server that sends its bytes one by one, and slowly at first. */
let slowStack: Stack;

before(async () => {
  upstream = await startDemoUpstream({ name: "alpha", tickets: true });
  dribbler = await startDribbler(upstream.port);
  stack = await startStack({ upstreams: [upstream.address] });
  slowStack = await startStack({ upstreams: [`127.0.0.1:${(dribbler.address() as AddressInfo).port}`] });
});

after(async () => {
  await stack?.stop();
  await slowStack?.stop();
  dribbler?.close();
  await upstream?.close();
});

describe("a removed session", () => {
  for (const kind of kinds) {
    it(`of the kind ${kind} is answered with an alert, and a new session can be had at once`, async () => {
      const first = await visit({ port: stack.tlsPort, ...KINDS[kind] });
      const again = await visit({ port: stack.tlsPort, session: first.session, ...KINDS[kind] });
      assert.ok(again.resumed, "it would resume");
      const before = await stack.stats();
      await stack.admin("DELETE", `/v1/sessions/${first.id}`);
      for (let i = 0; i < 4; i++) await assertRefused(stack, first, kind);
      const stats = await stack.stats();
      assert.equal(stats.refused, Number(before.refused) + 4);
      for (const counter of ["hits", "misses", "declined", "failed"] as const) {
        assert.equal(stats[counter], before[counter], `what was refused is not counted as ${counter}`);
      }
      const fresh = await visit({ port: stack.tlsPort, ...KINDS[kind] });
      assert.equal(fresh.resumed, false);
      const resumed = await visit({ port: stack.tlsPort, session: fresh.session, ...KINDS[kind] });
      assert.ok(resumed.resumed, "other sessions are not disturbed");
    });

    it(`of the kind ${kind} is refused although the server's answer comes byte by byte`, async () => {
      const first = await visit({ port: slowStack.tlsPort, ...KINDS[kind] });
      const again = await visit({ port: slowStack.tlsPort, session: first.session, ...KINDS[kind] });
      assert.ok(again.resumed, "what may resume goes through");
      await slowStack.admin("DELETE", `/v1/sessions/${first.id}`);
      await assertRefused(slowStack, first, kind);
    });

    it(`of the kind ${kind} that the server does not accept goes through untouched`, async () => {
      const other = await startDemoUpstream({ name: "beta", tickets: true });
      const forgetful = await startStack({ upstreams: [other.address] });
      try {
        const first = await visit({ port: stack.tlsPort, ...KINDS[kind] });
        await forgetful.admin("DELETE", `/v1/sessions/${first.id}`);
        const seen = await visit({ port: forgetful.tlsPort, session: first.session, ...KINDS[kind] });
        assert.equal(seen.resumed, false);
        assert.equal((await forgetful.stats()).refused, 0);
      } finally {
        await forgetful.stop();
        await other.close();
      }
    });

    it(`of the kind ${kind} resumes again when it was added by hand, and under observe`, async () => {
      const first = await visit({ port: stack.tlsPort, ...KINDS[kind] });
      await stack.admin("DELETE", `/v1/sessions/${first.id}`);
      await assertRefused(stack, first, kind);
      await stack.admin("PUT", "/v1/enforcement", { body: { enforcement: "observe" } });
      assert.ok((await visit({ port: stack.tlsPort, session: first.session, ...KINDS[kind] })).resumed);
      await stack.admin("PUT", "/v1/enforcement", { body: { enforcement: "revoked" } });
      await assertRefused(stack, first, kind);
      await stack.admin("PUT", `/v1/sessions/${first.id}`, { body: { kind } });
      assert.ok((await visit({ port: stack.tlsPort, session: first.session, ...KINDS[kind] })).resumed);
    });
  }

  it("that is put back without fields is as it was: it resumes, and is steered home", async () => {
    const servers = [upstream, await startDemoUpstream({ name: "beta", tickets: true })];
    const steered = await startStack({ upstreams: servers.map(({ address }) => address), steering: "exact" });
    try {
      const versions = { port: steered.tlsPort, ...KINDS.ticket };
      // The first clients show which upstreams there are.
      for (let client = 0; client < 20; client++) await visit(versions);
      for (let client = 0; client < 6; client++) {
        const first = await visit(versions);
        const path = `/v1/sessions/${first.id}`;
        const held = (await steered.admin("GET", path)).json;
        assert.equal((await steered.admin("DELETE", path)).status, 200);
        const put = await steered.admin("PUT", path);
        assert.equal(put.status, 201, put.text);
        for (const field of ["kind", "protocol", "cipher", "sni", "upstream", "ticket_key"] as const) {
          assert.equal(put.json.session?.[field], held[field], field);
        }
        for (let again = 0; again < 3; again++) {
          const back = await visit({ ...versions, session: first.session });
          assert.ok(back.resumed, `client ${client}, visit ${again}`);
          assert.equal(back.upstream, first.upstream);
        }
      }
    } finally {
      await steered.stop();
      await servers[1]?.close();
    }
  });

  it("is told as an event, with what it was refused for", async () => {
    const first = await visit({ port: stack.tlsPort, ...KINDS.id });
    await stack.admin("DELETE", `/v1/sessions/${first.id}`);
    const mark = (await stack.admin("GET", "/v1/events?limit=1000")).json.next;
    await assertRefused(stack, first, "id");
    await eventually("the event is there", async () => {
      const { json } = await stack.admin("GET", `/v1/events?after=${String(mark)}`);
      const events = json.events as { type: string; cause: string; id: string }[];
      const isTold = events.some(({ type, cause, id }) => type === "refused" && cause === "session" && id === first.id);
      assert.ok(isTold, "no event tells it");
    });
  });

  it("is refused by a flush as well, of every kind", async () => {
    const visits = await Promise.all(kinds.map((kind) => plainVisit({ port: stack.tlsPort, ...KINDS[kind] })));
    // A PSK is known only once it was accepted.
    await visit({ port: stack.tlsPort, session: (visits[2] as Visit).session, ...KINDS.psk });
    await stack.admin("POST", "/v1/sessions/flush", { body: {} });
    for (const [i, kind] of kinds.entries()) await assertRefused(stack, visits[i] as Visit, kind);
  });
});

describe("a removed ticket key", () => {
  for (const kind of ["ticket", "psk"] as const) {
    it(`refuses every ${kind} under it, seen before or not`, async () => {
      const server = await startDemoUpstream({ name: "gamma", tickets: true });
      const own = await startStack({ upstreams: [server.address] });
      try {
        const seen = await visit({ port: own.tlsPort, ...KINDS[kind] });
        const unseen = await visit({ port: server.port, ...KINDS[kind] });
        assert.equal(unseen.ticketKey, seen.ticketKey);
        assert.equal((await own.admin("DELETE", `/v1/ticket-keys/${seen.ticketKey}`)).status, 200);
        await assertRefused(own, seen, kind);
        await assertRefused(own, unseen, kind);
        const { json } = await own.admin("GET", "/v1/ticket-keys");
        const keys = json.ticket_keys as { name: string; state: string }[];
        assert.equal(keys.find(({ name }) => name === seen.ticketKey)?.state, "removed");
      } finally {
        await own.stop();
        await server.close();
      }
    });
  }
});

describe("a revoked server name", () => {
  for (const kind of kinds) {
    it(`refuses the sessions of the kind ${kind} issued before, and not others`, async () => {
      const sni = freshSni();
      const first = await visit({ port: stack.tlsPort, sni, ...KINDS[kind] });
      const bystander = await visit({ port: stack.tlsPort, ...KINDS[kind] });
      await stack.admin("PUT", `/v1/revocations/${sni.toUpperCase()}`);
      await assertRefused(stack, first, kind, sni);
      assert.ok((await visit({ port: stack.tlsPort, session: bystander.session, ...KINDS[kind] })).resumed);
      if (kind !== "psk") {
        // Stored in a later second than that of the revocation.
        await sleep(1100);
        const later = await visit({ port: stack.tlsPort, sni, ...KINDS[kind] });
        assert.ok((await visit({ port: stack.tlsPort, sni, session: later.session, ...KINDS[kind] })).resumed);
      }
      assert.equal((await stack.admin("DELETE", `/v1/revocations/${sni}`)).status, 200);
      assert.ok((await visit({ port: stack.tlsPort, sni, session: first.session, ...KINDS[kind] })).resumed);
    });
  }
});

describe("strict enforcement", () => {
  it("lets only those sessions resume that the cache holds, and of PSKs those added by hand", async () => {
    const strict = await startStack({ upstreams: [upstream.address], cache: { enforcement: "strict" } });
    try {
      for (const kind of kinds) {
        const elsewhere = await visit({ port: upstream.port, ...KINDS[kind] });
        await assertRefused(strict, elsewhere, kind);
        await strict.admin("PUT", `/v1/sessions/${elsewhere.id}`, { body: { kind } });
        assert.ok((await visit({ port: strict.tlsPort, session: elsewhere.session, ...KINDS[kind] })).resumed, kind);
      }
      const seen = await visit({ port: strict.tlsPort, ...KINDS.ticket });
      assert.ok((await visit({ port: strict.tlsPort, session: seen.session, ...KINDS.ticket })).resumed);
      const psk = await visit({ port: strict.tlsPort, ...KINDS.psk });
      await assertRefused(strict, psk, "psk");
    } finally {
      await strict.stop();
    }
  });
});

describe("early data", () => {
  it("behind a removed PSK never reaches the server, and the client is told", async () => {
    const folder = new Folder();
    const server = await startEarlyServer(folder);
    const own = await startStack({ upstreams: [server.address] });
    try {
      const file = folder.file("session.pem");
      const words = folder.file("words.txt");
      writeFileSync(words, "early words\n".repeat(100));
      await earlyClient(own.tlsPort, "-sess_out", file);
      const { ticket } = await savedSession(file);
      assert.ok(ticket !== null);
      const id = createHash("sha256").update(ticket).digest("hex");

      const accepted = await earlyClient(own.tlsPort, "-sess_in", file, "-early_data", words, "-sess_out", file);
      assert.match(accepted, /Early data was accepted/);
      assert.match(server.output(), /early words/);

      // OpenSSL's server takes early data once for each ticket; the removed one is the newest.
      const newest = (await savedSession(file)).ticket;
      assert.ok(newest !== null);
      const newestId = createHash("sha256").update(newest).digest("hex");
      assert.notEqual(newestId, id);
      await own.admin("DELETE", `/v1/sessions/${newestId}`);
      writeFileSync(words, "forbidden words\n".repeat(100));
      const refused = await earlyClient(own.tlsPort, "-sess_in", file, "-early_data", words);
      assert.match(refused, /alert handshake failure/);

      const fresh = await earlyClient(own.tlsPort);
      assert.match(fresh, /^New, TLSv1.3/m);
      assert.doesNotMatch(server.output(), /forbidden/);
    } finally {
      await own.stop();
      await server.stop();
      folder.remove();
    }
  });
});

describe("early data that the server answers with a HelloRetryRequest", () => {
  it("is dropped, and the second hello of the client is not", async () => {
    const folder = new Folder();
    // s_client's first key share is for X25519: this server asks for another one.
    const server = await startEarlyServer(folder, "-groups", "P-384");
    const own = await startStack({ upstreams: [server.address] });
    try {
      const file = folder.file("session.pem");
      const words = folder.file("words.txt");
      await earlyClient(own.tlsPort, "-sess_out", file);
      const { ticket } = await savedSession(file);
      assert.ok(ticket !== null);
      writeFileSync(words, "forbidden words\n".repeat(100));
      await own.admin("DELETE", `/v1/sessions/${createHash("sha256").update(ticket).digest("hex")}`);
      const refused = await earlyClient(own.tlsPort, "-sess_in", file, "-early_data", words);
      // Whether the server takes the session then is its own affair: it does not resume, and nobody hangs.
      assert.match(refused, /^New, TLSv1.3|alert handshake failure/m);
      assert.doesNotMatch(refused, /^Reused/m);
      assert.match(await earlyClient(own.tlsPort), /^New, TLSv1.3/m);
      assert.doesNotMatch(server.output(), /forbidden/);
    } finally {
      await own.stop();
      await server.stop();
      folder.remove();
    }
  });
});

const ALERT_CODE = /ALERT_HANDSHAKE_FAILURE/;

/** `openssl s_server` that takes early data and prints what it receives. */
async function startEarlyServer(folder: Folder, ...options: string[]) {
  const made = await generate([{ name: "commonName", value: "localhost" }], { keyType: "ec", curve: "P-256" });
  writeFileSync(folder.file("server.pem"), `${made.cert}\n${made.private}`);
  const [port] = (await freePorts(1)) as [number];
  const args = ["s_server", "-accept", `127.0.0.1:${port}`, "-cert", folder.file("server.pem")];
  const child = spawn("openssl", [...args, "-tls1_3", "-early_data", "-max_early_data", "16384", ...options]);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("latin1")));
  child.stderr.resume();
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await eventually("openssl s_server accepts", () => assert.match(output, /ACCEPT/));
  return {
    address: `127.0.0.1:${port}`,
    output: () => output,
    stop: async (): Promise<void> => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** `openssl s_client` for a moment, so that tickets and alerts have come; its output. */
function earlyClient(port: number, ...options: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, "-tls1_3", ...options]);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("latin1")));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("latin1")));
    const quit = setTimeout(() => child.stdin.end(), 700);
    const kill = setTimeout(() => child.kill("SIGKILL"), 10_000);
    child.stdin.on("error", () => undefined);
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(quit);
      clearTimeout(kill);
      resolve(output);
    });
  });
}

/** A TLS alert tells the client. */
async function assertRefused({ tlsPort }: Stack, { session }: Visit, kind: keyof typeof KINDS, sni?: string) {
  const request = { port: tlsPort, session, ...(sni === undefined ? {} : { sni }), ...KINDS[kind] };
  const outcome = await visit(request).catch((error: NodeJS.ErrnoException) => error);
  if (outcome instanceof Error) {
    assert.match(String(outcome.code), ALERT_CODE, `the client sees an alert, and not: ${String(outcome)}`);
  } else {
    const { upstream: server, resumed } = outcome;
    assert.fail(`upstream ${server} ${resumed ? "resumed the session" : "made a full handshake"}: no alert was seen`);
  }
}

/** Hands bytes on to a server, and those of the server back one by one while its first flight lasts. */
async function startDribbler(port: number): Promise<Server> {
  const server = createServer((client) => {
    const upstreamSocket = connect(port, "127.0.0.1");
    const end = (): void => {
      client.destroy();
      upstreamSocket.destroy();
    };
    client.setNoDelay(true);
    client.on("error", end).on("close", end);
    upstreamSocket.on("error", end);
    client.on("data", (chunk: Buffer) => upstreamSocket.write(chunk));
    void dribble(upstreamSocket, client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

async function dribble(from: Socket, to: Socket): Promise<void> {
  let slowly = 12;
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      let rest = chunk;
      for (; slowly > 0 && rest.length > 1; slowly--) {
        to.write(rest.subarray(0, 1));
        rest = rest.subarray(1);
        await sleep(3);
      }
      to.write(rest);
    }
  } catch {
    // One side is gone.
  }
  to.end();
}
