/** `openssl s_client` against `openssl s_server` through Envoy: `openssl sess_id` and the API agree on a session. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { isPlainTicket } from "../../../tools/demo/plain_ticket.ts";
import type { Session } from "../../support/answer.ts";
import {
  type ClientRun,
  Folder,
  type OpensslServer,
  sClient,
  savedSession,
  startSServer,
} from "../../support/openssl.ts";
import { untilPlain } from "../../support/plain_ticket.ts";
import { type Stack, startStack } from "../../support/stack.ts";

const folder = new Folder();
let server: OpensslServer;
let stack: Stack;

before(async () => {
  server = await startSServer(folder);
  stack = await startStack({ upstreams: [server.address] });
});

after(async () => {
  await server?.stop();
  folder.remove();
  await stack?.stop();
});

describe("openssl s_client", () => {
  it("in TLS 1.2 without tickets: the ID is learned, resumed, and counted", async () => {
    const file = folder.file("id");
    const first = await sClient(stack.tlsPort, "-tls1_2", "-no_ticket", "-servername", "id.example", "-sess_out", file);
    assert.deepEqual([first.resumed, first.protocol], [false, "TLSv1.2"]);
    const { id, ticket } = await savedSession(file);
    assert.deepEqual([id.length, ticket], [64, null]);
    assert.deepEqual(await facts(id), ["id", "TLSv1.2", "id.example", server.address, null, 0]);
    assert.ok((await sClient(stack.tlsPort, "-tls1_2", "-no_ticket", "-sess_in", file)).resumed);
    assert.ok((await sClient(stack.tlsPort, "-tls1_2", "-no_ticket", "-sess_in", file)).resumed);
    assert.equal((await facts(id)).at(-1), 2);
  });

  it("in TLS 1.2 with tickets: the ticket is learned under its SHA-256, resumed, and counted", async () => {
    const file = folder.file("ticket");
    await sClient(stack.tlsPort, "-tls1_2", "-servername", "ticket.example", "-sess_out", file);
    const { ticket } = await savedSession(file);
    assert.ok(ticket !== null && ticket.length > 16);
    const key = ticket.subarray(0, 16).toString("hex");
    assert.deepEqual(await facts(hash(ticket)), ["ticket", "TLSv1.2", "ticket.example", server.address, key, 0]);
    assert.ok((await sClient(stack.tlsPort, "-tls1_2", "-sess_in", file)).resumed);
    assert.equal((await facts(hash(ticket))).at(-1), 1);
  });

  it("in TLS 1.3: the ticket is learned when it is accepted, and counted when it is accepted again", async () => {
    const file = folder.file("psk");
    const options = ["-tls1_3", "-servername", "psk.example"];
    const { run, ticket } = await saveTicket(file, stack.tlsPort, ...options);
    assert.equal(run.protocol, "TLSv1.3");
    assert.equal((await stack.admin("GET", `/v1/sessions/${hash(ticket)}`)).status, 404);
    assert.ok((await sClient(stack.tlsPort, ...options, "-sess_in", file)).resumed);
    const key = ticket.subarray(0, 16).toString("hex");
    assert.deepEqual((await facts(hash(ticket))).slice(0, 5), ["psk", "TLSv1.3", "psk.example", server.address, key]);
    const { hits } = (await stack.admin("GET", `/v1/sessions/${hash(ticket)}`)).json;
    assert.ok((await sClient(stack.tlsPort, ...options, "-sess_in", file)).resumed);
    assert.equal((await stack.admin("GET", `/v1/sessions/${hash(ticket)}`)).json.hits, (hits as number) + 1);
  });

  it("with a HelloRetryRequest in between: the session is learned all the same", async () => {
    const file = folder.file("retry");
    // The client's key share is for the first group; a server that only has the second asks again.
    const strict = await startSServer(folder, "-groups", "P-384");
    const own = await startStack({ upstreams: [strict.address] });
    try {
      const groups = ["-tls1_3", "-groups", "P-256:P-384"];
      const { ticket } = await saveTicket(file, own.tlsPort, ...groups);
      assert.ok((await sClient(own.tlsPort, ...groups, "-sess_in", file)).resumed);
      const { json, status } = await own.admin("GET", `/v1/sessions/${hash(ticket)}`);
      assert.deepEqual([status, json.kind], [200, "psk"]);
    } finally {
      await strict.stop();
      await own.stop();
    }
  });

  for (const [option, protocol] of [
    ["-tls1", "TLSv1"],
    ["-tls1_1", "TLSv1.1"],
  ] as const) {
    it(`in ${protocol}: the ID is learned under that protocol`, async (context) => {
      const old = ["-cipher", "DEFAULT@SECLEVEL=0"];
      const oldServer = await startSServer(folder, option, ...old);
      const own = await startStack({ upstreams: [oldServer.address] });
      try {
        const file = folder.file(protocol);
        const run = await sClient(own.tlsPort, option, "-no_ticket", ...old, "-sess_out", file).catch(
          (error: Error) => error,
        );
        if (run instanceof Error) return context.skip(`this OpenSSL does not speak ${protocol}`);
        const { id } = await savedSession(file);
        assert.equal((await own.admin("GET", `/v1/sessions/${id}`)).json.protocol, protocol);
      } finally {
        await oldServer.stop();
        await own.stop();
      }
    });
  }

  it("whose session was removed goes on to work: the upstream decides", async () => {
    const file = folder.file("removed");
    await sClient(stack.tlsPort, "-tls1_2", "-no_ticket", "-sess_out", file);
    const { id } = await savedSession(file);
    await stack.admin("DELETE", `/v1/sessions/${id}`);
    await sClient(stack.tlsPort, "-tls1_2", "-no_ticket", "-sess_in", file);
    assert.equal((await stack.admin("GET", `/v1/sessions/${id}`)).status, 410);
  });
});

/** Saves a session with a plain ticket. */
function saveTicket(file: string, port: number, ...options: string[]): Promise<{ run: ClientRun; ticket: Buffer }> {
  const take = async (): Promise<{ run: ClientRun; ticket: Buffer }> => {
    const run = await sClient(port, ...options, "-sess_out", file);
    const { ticket } = await savedSession(file);
    assert.ok(ticket !== null);
    return { run, ticket };
  };
  return untilPlain(take, ({ ticket }) => isPlainTicket(ticket));
}

async function facts(id: string): Promise<unknown[]> {
  const { json, status, text } = await stack.admin("GET", `/v1/sessions/${id}`);
  assert.equal(status, 200, text);
  const { hits, kind, protocol, sni, ticket_key, upstream } = json as unknown as Session;
  return [kind, protocol, sni, upstream, ticket_key, hits];
}

function hash(ticket: Buffer): string {
  return createHash("sha256").update(ticket).digest("hex");
}
