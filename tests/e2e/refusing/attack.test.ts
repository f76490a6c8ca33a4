/**
 * Hostile clients through a real Envoy: very many that vanish, and such as offer session IDs that they made up, leave halfway or
 * complete. Their traces, and their cost. More of them on the built module alone: `tests/wasm/refusing/attack.test.ts`.
 */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { cpuMicroseconds } from "../../../bench/cpu_time.ts";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { type ProcessMemory, readProcessMemory } from "../../support/process_memory.ts";
import { freshId } from "../../contract/client.ts";
import { Random } from "../../support/random.ts";
import { clientHello } from "../../support/tls_bytes.ts";
import { type Stack, eventually, inParallel, startStack } from "../../support/stack.ts";
import { sessionOf } from "../../../tools/demo/ssl_session.ts";
import { visit } from "../../support/tls_client.ts";
import { Traffic } from "../../support/traffic.ts";

const ID = { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET } as const;
const SIZE = 1000;
const VANISHING = 10_000;
const AT_A_TIME = 250;
const random = new Random(21);
let upstream: DemoUpstream;
let stack: Stack;

before(async () => {
  upstream = await startDemoUpstream({ name: "alpha", tickets: true });
  stack = await startStack({ upstreams: [upstream.address], cache: { cache_size: SIZE }, steering: "hash" });
});

after(async () => {
  await stack?.stop();
  await upstream?.close();
});

describe(`${VANISHING} connections whose clients vanish`, () => {
  it("at any point of the handshake leave nothing behind, and shut nobody out", async (t) => {
    const others = new Traffic({ port: stack.tlsPort, ...ID }, 2);
    const wave = async (): Promise<Memory> => {
      for (let gone = 0; gone < VANISHING / 4; gone += AT_A_TIME) {
        await inParallel(Array.from({ length: AT_A_TIME }), 64, vanish);
        // What is open at the same time does need memory: here never more than these.
        await others.more(5);
        await fewAreOpen();
      }
      return memory();
    };
    const memories = [await wave(), await wave(), await wave(), await wave()];
    await others.stop();
    await allAreGone();
    const kib = memories.map(({ allocated, resident, wasm }) =>
      [allocated, resident, wasm].map((bytes) => bytes >> 10),
    );
    t.diagnostic(
      `KiB that Envoy allocates, has in RAM, and of the module: ${kib.map((of) => of.join("/")).join(", ")}`,
    );
    const [, middle, , last] = memories as [Memory, Memory, Memory, Memory];
    assert.equal(last.wasm, middle.wasm, "the second half needs no more of the module's memory");
    const bytesEach = (last.allocated - middle.allocated) / (VANISHING / 2);
    assert.ok(bytesEach < 100, `${bytesEach} bytes for each connection`);
    assert.deepEqual(others.errors, [], `errors of other clients, of ${others.visits} visits`);
  });
});

describe("clients that offer session IDs which they made up", () => {
  it("and leave halfway displace nobody, and cost no more than twice a normal client", async (t) => {
    const others = await Promise.all(Array.from({ length: 20 }, () => visit({ port: stack.tlsPort, ...ID })));
    const model = others[0]?.session ?? Buffer.alloc(0);
    await cost(20, () => visit({ port: stack.tlsPort, ...ID }));
    const ratio = await ratioOfCosts(t, "leaving", () => leaveHalfway(withOtherId(model)));
    assert.ok(ratio <= 2, `${ratio.toFixed(2)} times the CPU of a normal client`);
    for (const { id } of others) assert.equal((await stack.admin("GET", `/v1/sessions/${id}`)).status, 200);
  });

  it("and complete stay within the size, displace no removed session, and cost no more than twice a normal client", async (t) => {
    const removed = Array.from({ length: 50 }, freshId);
    for (const id of removed) await stack.admin("DELETE", `/v1/sessions/${id}`);
    const model = (await visit({ port: stack.tlsPort, ...ID })).session;
    const ratio = await ratioOfCosts(t, "completing", () => {
      return visit({ port: stack.tlsPort, ...ID, session: withOtherId(model) });
    });
    assert.ok(ratio <= 2, `${ratio.toFixed(2)} times the CPU of a normal client`);
    const { number, cache_full: evicted } = await stack.stats();
    assert.equal(number, SIZE, "it is full");
    assert.ok(Number(evicted) > 100, `${String(evicted)} evicted`);
    for (const id of removed) assert.equal((await stack.admin("GET", `/v1/sessions/${id}`)).status, 410);
  });
});

/** A hello, whole or in part, or nothing; then a reset, without waiting for anything more than some milliseconds. */
async function vanish(): Promise<void> {
  const hello = clientHello({ sni: "vanish.example", tls13: random.below(2) === 0, sessionId: random.bytes(32) });
  const socket = connect(stack.tlsPort, "127.0.0.1");
  await new Promise<void>((resolve) => {
    socket.on("error", () => resolve());
    socket.once("connect", resolve);
  });
  const bytes = random.below(hello.length + hello.length / 2);
  if (bytes > 0) socket.write(hello.subarray(0, bytes));
  if (random.below(2) === 0) await sleep(random.below(6));
  if (random.below(2) === 0) socket.resetAndDestroy();
  else socket.destroy();
}

interface Memory extends ProcessMemory {
  /** What Envoy itself says; what it has in RAM is more, by what its allocator keeps of the busiest moment. */
  allocated: number;
}

async function memory(): Promise<Memory> {
  const { allocated } = (await (await fetch(`http://127.0.0.1:${stack.envoyAdminPort}/memory`)).json()) as {
    allocated: string;
  };
  return { allocated: Number(allocated), ...readProcessMemory(stack.envoy.pid) };
}

async function allAreGone(): Promise<void> {
  await eventually("nothing is under way", async () => {
    assert.equal(await openConnections(), 0);
    const { accept, failed, full, resumed } = await stack.stats();
    const ended = [full, resumed].flatMap((counts) => Object.values(counts as Record<string, number>));
    assert.equal(accept, Number(failed) + ended.reduce((sum, count) => sum + count, 0));
  });
}

/** Only those of the other clients. */
async function fewAreOpen(): Promise<void> {
  await eventually("they are gone", async () => assert.ok((await openConnections()) < 10, "more are open"));
}

async function openConnections(): Promise<number> {
  const filter = `listener\\..*_${stack.tlsPort}\\.downstream_cx_active`;
  const text = await (await fetch(`http://127.0.0.1:${stack.envoyAdminPort}/stats?filter=${filter}`)).text();
  return Number(/downstream_cx_active: (\d+)\n/.exec(text)?.[1]);
}

/** The session with random bytes in the place of its ID. */
function withOtherId(session: Buffer): Buffer {
  const made = Buffer.from(session);
  const { sessionId } = sessionOf(made);
  random.bytes(sessionId.length).copy(sessionId);
  return made;
}

/** Leaves as soon as the server's part of the handshake is there. */
function leaveHalfway(session: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const port = stack.tlsPort;
    const socket = connectTls({
      host: "127.0.0.1",
      port,
      rejectUnauthorized: false,
      servername: "half.example",
      session,
      ...TLS12,
    });
    socket.on("error", () => undefined);
    socket.once("keylog", () => socket.destroy());
    socket.once("close", () => resolve());
  });
}

/** CPU time of Envoy that hostile clients take, by that of normal ones: the median of some rounds, by turns. */
async function ratioOfCosts(
  t: { diagnostic(line: string): void },
  name: string,
  act: () => Promise<unknown>,
): Promise<number> {
  const ratios: number[] = [];
  const costs: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const normal = await cost(CONNECTIONS, () => visit({ port: stack.tlsPort, ...ID }));
    const hostile = await cost(CONNECTIONS, act);
    ratios.push(hostile / normal);
    costs.push(`${Math.round(hostile)} / ${Math.round(normal)}`);
  }
  t.diagnostic(`microseconds of CPU, ${name} / normal: ${costs.join(", ")}`);
  return ratios.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? NaN;
}

async function cost(connections: number, act: () => Promise<unknown>): Promise<number> {
  const before = cpuMicroseconds(stack.envoy.pid);
  await inParallel(Array.from({ length: connections }), 8, act);
  return (cpuMicroseconds(stack.envoy.pid) - before) / connections;
}

const TLS12 = { maxVersion: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET } as const;
const ROUNDS = 5;
const CONNECTIONS = 100;
