/** Events of real sessions on two workers: read over HTTP, and posted to a receiver that fails at first. */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { freshId } from "../../contract/client.ts";
import { type Stack, eventually, inParallel, startStack } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";

interface SessionEvent {
  seq: string;
  type: string;
  id: string;
  time: number;
  cause: string;
}

interface Batch {
  events: SessionEvent[];
  next: string;
  missed: number;
}

const received: Batch[] = [];
const statuses = [503, 503];
let receiver: Server;
let upstream: DemoUpstream;
let stack: Stack;

before(async () => {
  receiver = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
    request.on("end", () => {
      const status = statuses.shift() ?? 204;
      if (status === 204) {
        assert.equal(request.method, "POST");
        assert.equal(request.url, "/tls-sessions");
        received.push(JSON.parse(text) as Batch);
      }
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const { port } = receiver.address() as AddressInfo;
  upstream = await startDemoUpstream({ name: "alpha", tickets: true });
  stack = await startStack({
    upstreams: [upstream.address],
    cache: { events: { cluster: "audit", path: "/tls-sessions" } },
    change: (configuration) =>
      configuration.addIn(["static_resources", "clusters"], {
        name: "audit",
        type: "STATIC",
        load_assignment: {
          cluster_name: "audit",
          endpoints: [
            {
              lb_endpoints: [{ endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } } }],
            },
          ],
        },
      }),
  });
});

after(async () => {
  await stack?.stop();
  await upstream?.close();
  receiver?.close();
});

describe("the events", () => {
  it("tell of a session's whole life, in order", async () => {
    const mark = (await events()).next;
    const { id } = await visit({ port: stack.tlsPort, version: "TLSv1.2" });
    await stack.admin("PUT", `/v1/sessions/${id}`, { body: { timeout: 60 } });
    await stack.admin("DELETE", `/v1/sessions/${id}`);
    await stack.admin("PUT", `/v1/sessions/${id}`);
    await stack.admin("POST", "/v1/sessions/flush", { body: {} });
    const seen = await eventually("all five events are there", async () => {
      const batch = await events(mark);
      const own = batch.events.filter((event) => event.id === id);
      assert.equal(own.length, 5);
      return own;
    });
    assert.deepEqual(
      seen.map(({ type, cause }) => [type, cause]),
      [
        ["new", "handshake"],
        ["replaced", "api"],
        ["removed", "api"],
        ["new", "api"],
        ["flushed", "flush"],
      ],
    );
    assert.ok(seen.every(({ time }) => Math.abs(time - Date.now() / 1000) < 10));
  });

  it("lose nothing when both workers are busy", async () => {
    const mark = (await events()).next;
    const ids = Array.from({ length: 300 }, freshId);
    await inParallel(ids, 16, async (id) => {
      await stack.admin("PUT", `/v1/sessions/${id}`);
      await stack.admin("DELETE", `/v1/sessions/${id}`);
    });
    const seen = new Map<string, string[]>();
    let after = mark;
    await eventually("two events of each session", async () => {
      const batch = await events(after);
      assert.equal(batch.missed, 0);
      after = batch.next;
      for (const { id, type } of batch.events) seen.set(id, [...(seen.get(id) ?? []), type]);
      assert.ok(
        ids.every((id) => seen.get(id)?.length === 2),
        `${seen.size} IDs have come`,
      );
    });
    for (const id of ids) assert.deepEqual(seen.get(id), ["new", "removed"]);
  });

  it("reach the receiver, each once, although it refused at first", async () => {
    const all: SessionEvent[] = [];
    for (let mark = ""; ;) {
      const batch = await events(mark === "" ? undefined : mark);
      all.push(...batch.events);
      mark = batch.next;
      if (batch.events.length === 0) break;
    }
    assert.ok(all.length > 600);
    await eventually(
      "the receiver has them all",
      () =>
        assert.ok(
          received.flatMap((batch) => batch.events).length >= all.length,
          `${received.length} batches have come`,
        ),
      20,
    );
    assert.deepEqual(received.flatMap((batch) => batch.events).slice(0, all.length), all);
    assert.ok(received.every(({ missed }) => missed === 0));
    assert.match(await stack.prometheus(), /tls_session_cache_event_posts_failed_total\{cache="default"\} 2\n/);
  });
});

async function events(after?: string): Promise<Batch> {
  const answer = await stack.admin("GET", `/v1/events?limit=1000${after === undefined ? "" : `&after=${after}`}`);
  assert.equal(answer.status, 200);
  return answer.json as unknown as Batch;
}
