/**
 * Two workers at the same time, on the built module. An operation of one worker is interrupted before each of its
 * accesses to shared data in turn, and a whole operation of the other worker is done there. Whatever the place, the
 * answers and the end state must be those of one operation after the other, in one of the two orders. In a full cache
 * such a race may evict one session more than needed, but the size is kept, and the place is filled by the next add.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Flight, Worker } from "../../fake_host/fake_host.ts";
import { Proxy, hex } from "../../fake_host/proxy.ts";
import { fullWithId, fullWithTicket, resumedById, sessionId, sha256, ticket } from "../../support/tls_bytes.ts";

interface Operation {
  name: string;
  /** The operation's answer, as far as it is to be compared. */
  run(proxy: Proxy, worker: Worker): string;
  /** Of a handshake, which is an operation of several moments: between any two flights another operation may come. */
  flights?: Flight[];
  upstream?: string;
  /** What is left of a handshake when its session was not held at its look and is held when it would be learned. */
  lookOnly?: Flight[];
  /** Of a flush, which reaches one session after the other: what others are answered meanwhile may vary. */
  lasts?: boolean;
}

const SHARED = sessionId(1);
const OTHER = sessionId(2);
const TICKET = ticket("key", 1);

const operations: Operation[] = [
  put("adds the session", SHARED, {}),
  put("adds the session with a server name", SHARED, { sni: "put.example" }),
  put("adds another session", OTHER, { sni: "other.example" }),
  remove("removes the session", SHARED),
  remove("removes another session", OTHER),
  handshake("learns the session", fullWithId(SHARED), "10.0.0.7:443"),
  {
    ...handshake("resumes the session", resumedById(SHARED), "10.0.0.7:443"),
    lookOnly: fullWithId(Buffer.alloc(0), { offered: SHARED }),
  },
  handshake("learns a ticket", fullWithTicket(TICKET), "10.0.0.8:443"),
  {
    name: "flushes",
    lasts: true,
    run: (proxy, worker) => answerOf(proxy, worker, "POST", "/v1/sessions/flush", {}),
  },
  { name: "switches off", run: (proxy, worker) => answerOf(proxy, worker, "PUT", "/v1/mode", { mode: ["OFF"] }) },
];

const beginnings: Record<string, (proxy: Proxy) => void> = {
  "an empty cache": () => undefined,
  "a cache that holds the session": (proxy) => void proxy.put(SHARED, { sni: "first.example" }),
  "a cache where the session was removed": (proxy) => void proxy.delete(SHARED),
};

for (const [beginning, prepare] of Object.entries(beginnings)) {
  describe(`on ${beginning}`, () => {
    for (const first of operations) {
      for (const second of operations) {
        it(`one worker ${first.name} while another ${second.name}`, async () => {
          const allowed = await inOrder(prepare, first, second);
          let places = 0;
          for (; ; places++) {
            const { reached, result } = await interrupted(prepare, first, second, places);
            if (!reached) break;
            assert.ok(
              allowed.includes(result),
              `interrupted at access ${places}:\n  ${result}\nin order:\n  ${allowed.join("\n  ")}`,
            );
          }
          assert.ok(places > 0, "the first operation reads or writes the cache");
        });
      }
    }
  });
}

describe("on a full cache", () => {
  const size = 3;
  for (const first of operations) {
    for (const second of operations) {
      it(`one worker ${first.name} while another ${second.name}: never more than its size, nor less for long`, async () => {
        for (let place = 0; ; place++) {
          const proxy = new Proxy({ cache: { cache_size: size } });
          for (let i = 0; i < size; i++) proxy.put(sessionId(10 + i), { timeout: 100 + i });
          let greatest = 0;
          proxy.host.sharedData.beforeCall(place, () => {
            second.run(proxy, proxy.on(1));
            greatest = proxy.request("GET", "/v1/stats", {}, proxy.on(1)).json.number as number;
          });
          first.run(proxy, proxy.on(0));
          const reached = !proxy.host.sharedData.callHookPending;
          proxy.host.sharedData.clearHooks();
          if (!reached) return;
          assert.ok(Math.max(greatest, await proxy.number()) <= size, `interrupted at access ${place}`);
          proxy.set("mode", { mode: ["SERVER"] });
          for (let i = 0; i < size; i++) proxy.put(sessionId(100 + i), { timeout: 9000 });
          assert.equal(await proxy.number(), size, `later adds fill it again, interrupted at access ${place}`);
        }
      });
    }
  }
});

describe("a change that always loses its race", () => {
  const changes: Operation[] = [
    put("PUT", SHARED, { sni: "late.example" }),
    remove("DELETE", SHARED),
    { name: "PUT of the mode", run: (proxy, worker) => answerOf(proxy, worker, "PUT", "/v1/mode", { mode: ["OFF"] }) },
    {
      name: "PUT of the cache size",
      run: (proxy, worker) => answerOf(proxy, worker, "PUT", "/v1/cache-size", { cache_size: 9 }),
    },
    {
      name: "PUT of the timeout",
      run: (proxy, worker) => answerOf(proxy, worker, "PUT", "/v1/timeout", { timeout: 9 }),
    },
  ];
  for (const change of changes) {
    it(`answers 503 with Retry-After after a bounded number of tries, and changes nothing: ${change.name}`, async () => {
      const proxy = new Proxy();
      proxy.put(SHARED, { sni: "kept.example" });
      const before = await stateOf(proxy);
      const { sharedData } = proxy.host;
      sharedData.loseNextSets(1_000_000);
      const sets = sharedData.sets;
      const answer = change.run(proxy, proxy.worker);
      assert.ok(sharedData.sets - sets <= 1000, `${sharedData.sets - sets} tries`);
      sharedData.clearHooks();
      assert.match(answer, /^503 /);
      assert.match(answer, /retry-after=\d+/);
      assert.equal(await stateOf(proxy), before);
      assert.match(change.run(proxy, proxy.worker), /^200 /, "it succeeds when the others let go");
    });
  }

  it("is told by the flush too, and never as a smaller number", () => {
    const proxy = new Proxy();
    for (let i = 0; i < 20; i++) proxy.put(sessionId(i));
    proxy.host.sharedData.loseNextSets(1_000_000);
    const { status, json } = proxy.flush();
    proxy.host.sharedData.clearHooks();
    assert.equal(status, 503, JSON.stringify(json));
    proxy.flush();
    for (let i = 0; i < 20; i++) assert.equal(proxy.get(sessionId(i)).status, 410);
  });

  it("does not disturb a connection whose session cannot be stored, and is counted", async () => {
    const proxy = new Proxy();
    for (let i = 0; i < 500; i++) proxy.put(sessionId(1000 + i));
    proxy.host.sharedData.loseNextSets(1_000_000);
    const connection = proxy.handshake(fullWithId(sessionId(7)));
    proxy.host.sharedData.clearHooks();
    assert.equal(connection.toServer.length + connection.toClient.length, 4);
    const held = proxy.get(sessionId(7)).status === 200;
    assert.ok(held || proxy.host.metric("not_stored_total") === 1);
    assert.equal(await proxy.number(), held ? 501 : 500);
  });

  it("succeeds when it loses only now and then", () => {
    const proxy = new Proxy();
    proxy.put(SHARED);
    for (let i = 1; i <= 3; i++) {
      proxy.host.sharedData.loseNextSets(i);
      assert.equal(proxy.put(SHARED, { sni: `try${i}.example` }).status, 200);
      assert.equal(proxy.session(SHARED).sni, `try${i}.example`);
    }
  });
});

describe("many sessions from several workers in turn", () => {
  it("are all there, when each worker's change falls between the read and the write of another's", async () => {
    const proxy = new Proxy({ workers: 3, cache: { max_memory_mib: 1 } });
    let added = 0;
    for (let round = 0; round < 150; round++) {
      // One page in many is hit by all three: the inner ones happen before the outer one's set.
      const [one, two, three] = [added++, added++, added++].map((i) => sessionId(i)) as [Buffer, Buffer, Buffer];
      proxy.host.sharedData.beforeNextSet(/(?:)/, () => {
        proxy.host.sharedData.beforeNextSet(/(?:)/, () => void proxy.put(three, {}, proxy.on(2)));
        proxy.handshake(fullWithId(two), "10.0.0.7:443", proxy.on(1));
      });
      assert.equal(proxy.put(one).status, 201);
    }
    assert.equal(await proxy.number(), added);
    const listed = new Set((await proxy.list()).map(({ id }) => id));
    for (let i = 0; i < added; i++) assert.ok(listed.has(hex(sessionId(i))), `session ${i}`);
  });

  it("count each hit once", () => {
    const proxy = new Proxy();
    proxy.put(SHARED);
    for (let i = 0; i < 100; i++) {
      proxy.host.sharedData.beforeNextSet(/(?:)/, () => {
        proxy.handshake(resumedById(SHARED), "10.0.0.7:443", proxy.on(1));
      });
      proxy.handshake(resumedById(SHARED), "10.0.0.7:443", proxy.on(0));
    }
    assert.equal(proxy.session(SHARED).hits, 200);
    assert.equal(proxy.stat("hits"), 200);
  });
});

function put(name: string, id: Buffer, fields: Record<string, unknown>): Operation {
  return { name, run: (proxy, worker) => answerOf(proxy, worker, "PUT", `/v1/sessions/${hex(id)}`, fields) };
}

function remove(name: string, id: Buffer): Operation {
  return { name, run: (proxy, worker) => answerOf(proxy, worker, "DELETE", `/v1/sessions/${hex(id)}`) };
}

function handshake(name: string, flights: Flight[], upstream: string): Operation {
  return {
    name,
    flights,
    upstream,
    run: (proxy, worker) => {
      proxy.handshake(flights, upstream, worker);
      return "done";
    },
  };
}

function answerOf(proxy: Proxy, worker: Worker, method: string, path: string, body?: unknown): string {
  const { headers, json, status } = proxy.request(method, path, { body }, worker);
  const retry = headers["retry-after"] === undefined ? "" : ` retry-after=${headers["retry-after"]}`;
  const { outcome, removed } = json;
  return `${status} ${outcome ?? ""}${removed === undefined ? "" : ` removed=${String(removed)}`}${retry}`;
}

function fresh(prepare: (proxy: Proxy) => void): Proxy {
  const proxy = new Proxy();
  // One moment for all, so that records can be compared.
  proxy.host.clock.microsecondsPerReading = 0;
  prepare(proxy);
  return proxy;
}

/** The results of one after the other, and of the second between two flights of the first. */
async function inOrder(prepare: (proxy: Proxy) => void, first: Operation, second: Operation): Promise<string[]> {
  const orders: ((proxy: Proxy) => [string, string])[] = [
    (proxy) => {
      const one = first.run(proxy, proxy.on(0));
      return [one, second.run(proxy, proxy.on(1))];
    },
    (proxy) => {
      const two = second.run(proxy, proxy.on(1));
      return [first.run(proxy, proxy.on(0)), two];
    },
  ];
  const { flights = [], upstream = "" } = first;
  for (let length = 1; length < flights.length; length++) {
    orders.push((proxy) => {
      const connection = proxy.on(0).connection({ upstream }).exchange(flights.slice(0, length));
      const two = second.run(proxy, proxy.on(1));
      connection.exchange(flights.slice(length)).close();
      return ["done", two];
    });
  }
  const { lookOnly } = first;
  if (lookOnly !== undefined) {
    orders.push((proxy) => {
      proxy.handshake(lookOnly, upstream, proxy.on(0));
      return ["done", second.run(proxy, proxy.on(1))];
    });
  }
  const results: string[] = [];
  for (const order of orders) {
    const proxy = fresh(prepare);
    const [one, two] = order(proxy);
    results.push(await describeResult(proxy, first, one, second, two));
  }
  return results;
}

async function interrupted(
  prepare: (proxy: Proxy) => void,
  first: Operation,
  second: Operation,
  place: number,
): Promise<{ reached: boolean; result: string }> {
  const proxy = fresh(prepare);
  let inner: string | undefined;
  proxy.host.sharedData.beforeCall(place, () => {
    inner = second.run(proxy, proxy.on(1));
  });
  const outer = first.run(proxy, proxy.on(0));
  proxy.host.sharedData.clearHooks();
  if (inner === undefined) return { reached: false, result: "" };
  return { reached: true, result: await describeResult(proxy, first, outer, second, inner) };
}

async function describeResult(
  proxy: Proxy,
  first: Operation,
  one: string,
  second: Operation,
  two: string,
): Promise<string> {
  const lasting = first.lasts === true || second.lasts === true;
  if (lasting) return `${one.slice(0, 2)}, ${two.slice(0, 2)} => ${await stateOf(proxy, ["number", "hits", "misses"])}`;
  // Two operations of one kind may change places.
  const answers = first === second ? [one, two].sort() : [one, two];
  return `${answers.join(", ")} => ${await stateOf(proxy, ["number", "hits", "misses", "replaces", "removes"])}`;
}

/** Everything that can be seen from outside, but for the counters of what was tried. */
async function stateOf(proxy: Proxy, counted: string[] = ["number", "replaces", "removes"]): Promise<string> {
  const sessions = (await proxy.list())
    .map(({ hits, id, origin, sni, timeout, upstream }) =>
      [id.slice(0, 4), sni, upstream, hits, origin, timeout].join("/"),
    )
    .sort();
  const statuses = [SHARED, OTHER, sha256(TICKET)].map((id) => proxy.get(id).status);
  const settings = ["mode", "cache-size", "timeout"].map((name) => proxy.request("GET", `/v1/${name}`).text);
  const counters = counted.map((name) => `${name}=${proxy.stat(name)}`);
  return [sessions.join(" "), statuses.join(" "), settings.join(" "), counters.join(" ")].join(" | ");
}
