/** Many readers of the admin API at once, beside a client that only wants to shake hands; and a flush of more than an outbox holds. */
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { after, before, describe, it } from "node:test";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { READ_TOKEN, freshId } from "../../contract/client.ts";
import { type Stack, adminClient, inParallel, startStack } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";

const SESSIONS = 6000;
const READERS = 100;
const LISTINGS = 300;
const HANDSHAKES = 40;

let upstream: DemoUpstream;
let stack: Stack;

before(async () => {
  upstream = await startDemoUpstream({ name: "alpha", tickets: false });
  stack = await startStack({ upstreams: [upstream.address] });
  const body = { sni: "held.example", upstream: "10.0.0.7:443" };
  const ids = Array.from({ length: SESSIONS }, freshId);
  await inParallel(ids, 32, (id) => stack.admin("PUT", `/v1/sessions/${id}`, { body }));
});

after(async () => {
  await stack?.stop();
  await upstream?.close();
});

describe("a bystander's handshake", () => {
  it(`is not held up by ${LISTINGS} listings of a cache at once`, () =>
    besides(LISTINGS, "/v1/sessions?limit=1000&sni=nobody.example"));

  it(`is not held up by ${READERS} readers of events at once`, () => besides(READERS, "/v1/events?type=diverted"));
});

describe("a flush of more sessions than an outbox holds events", () => {
  it("is told of each of them, with its names", async () => {
    const mark = await lastMark();
    const { json } = await stack.admin("POST", "/v1/sessions/flush", { body: {} });
    assert.ok(Number(json.removed) >= SESSIONS);
    let told = 0;
    for (let position = mark; ;) {
      const path = `/v1/events?type=flushed&sni=held.example&upstream=10.0.0.7:443&limit=1000&after=${position}`;
      const batch = (await stack.admin("GET", path)).json;
      assert.equal(batch.missed, 0, JSON.stringify(batch.missed_for));
      told += (batch.events as unknown[]).length;
      position = String(batch.next);
      if ((batch.events as unknown[]).length === 0) break;
    }
    assert.equal(told, SESSIONS);
  });
});

/** Handshakes alone, then beside callers who ask again and again: they may take a little longer, and not wait for all of those. */
async function besides(callers: number, path: string): Promise<void> {
  const alone = await durations();
  const agent = new Agent({ keepAlive: true });
  const admin = adminClient(stack.adminPort, agent);
  let stopped = false;
  let answers = 0;
  const lanes = Array.from({ length: callers }, async () => {
    while (!stopped) {
      const { status, text } = await admin("GET", path, { token: READ_TOKEN });
      assert.equal(status, 200, text);
      answers++;
    }
  });
  const all = Promise.all(lanes);
  try {
    const besides = await durations();
    const bound = 40 + 3 * middle(alone);
    const said = `${middle(besides)} ms beside ${callers} callers, ${middle(alone)} ms alone; ${answers} answers`;
    assert.ok(middle(besides) < bound, said);
  } finally {
    stopped = true;
    await all;
    agent.destroy();
  }
  assert.ok(answers >= callers, "each of them was answered");
}

async function durations(): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < HANDSHAKES; i++) {
    const begun = performance.now();
    await visit({ port: stack.tlsPort, version: "TLSv1.2" });
    times.push(performance.now() - begun);
  }
  return times.sort((a, b) => a - b);
}

function middle(times: readonly number[]): number {
  return Math.round(times[times.length >> 1] ?? 0);
}

async function lastMark(): Promise<string> {
  for (let mark = ""; ;) {
    const { json } = await stack.admin("GET", `/v1/events?limit=1000${mark === "" ? "" : `&after=${mark}`}`);
    mark = String(json.next);
    if ((json.events as unknown[]).length === 0) return mark;
  }
}
