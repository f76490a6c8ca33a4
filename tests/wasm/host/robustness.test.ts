/**
 * No input may trap the VM, and nothing that clients or callers do may make it grow: random and mutated bytes with a
 * fixed seed, on the built module. A trap is an exception of the fake host, so reaching the end is the first assertion.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FULL_TOKEN } from "../../contract/client.ts";
import type { Flight } from "../../fake_host/fake_host.ts";
import { Proxy } from "../../fake_host/proxy.ts";
import { Random } from "../../support/random.ts";
import {
  cut,
  fullWithId,
  fullWithTicket,
  resumedById,
  resumedByTicket,
  sessionId,
  ticket,
  tls13,
} from "../../support/tls_bytes.ts";

/** More rounds: FUZZ_FACTOR=100 npm run test:wasm */
const FACTOR = Number(process.env.FUZZ_FACTOR ?? "1");

describe("random TLS bytes", () => {
  it("never trap, pass untouched where nothing is enforced, and leave the observer learning", async () => {
    const random = new Random(1);
    const proxy = new Proxy({ cache: { enforcement: "observe" } });
    for (let round = 0; round < 4000 * FACTOR; round++) {
      const flights = mutatedExchange(random);
      const connection = proxy.worker.connection({
        upstream: random.pick(["10.0.0.7:443", "", "\xff\xfe", "x".repeat(999)]),
      });
      connection.exchange(cut(flights, 1 + random.below(400)));
      if (random.below(10) > 0) connection.close();
      for (const from of ["client", "server"] as const) {
        const sent = Buffer.concat(flights.filter((flight) => flight.from === from).map(({ bytes }) => bytes));
        const passed = Buffer.concat(from === "client" ? connection.toServer : connection.toClient);
        assert.ok(sent.equals(passed), `round ${round}: bytes from the ${from} were changed`);
      }
    }
    proxy.handshake(fullWithId(sessionId(1_000_000)));
    assert.equal(proxy.session(sessionId(1_000_000)).kind, "id");
    await proxy.number();
  });

  it("never trap where what cannot be followed is refused: all of the server's bytes pass, or an alert", () => {
    const random = new Random(3);
    const proxy = new Proxy();
    let refused = 0;
    for (let round = 0; round < 4000 * FACTOR; round++) {
      const flights = mutatedExchange(random);
      const connection = proxy.worker.connection({ upstream: "10.0.0.7:443" });
      connection.exchange(cut(flights, 1 + random.below(400)));
      const sent = Buffer.concat(flights.filter(({ from }) => from === "server").map(({ bytes }) => bytes));
      const passed = Buffer.concat(connection.toClient);
      if (passed.subarray(-7).equals(ALERT)) refused++;
      else
        assert.ok(sent.subarray(0, passed.length).equals(passed), `round ${round}: bytes of the server were changed`);
      connection.close();
    }
    assert.equal(proxy.stat("refused"), refused);
    assert.ok(refused > 100, `${refused} of them`);
    proxy.handshake(fullWithId(sessionId(1_000_000)));
    assert.equal(proxy.session(sessionId(1_000_000)).kind, "id");
  });

  it("from both sides at once, without any order, never trap", () => {
    const random = new Random(2);
    const proxy = new Proxy();
    for (let round = 0; round < 1500 * FACTOR; round++) {
      const connection = proxy.worker.connection();
      for (let pieces = random.below(12); pieces > 0; pieces--) {
        const bytes =
          random.below(2) === 0 ? random.bytes(random.below(300)) : random.pick(mutatedExchange(random)).bytes;
        if (random.below(2) === 0) connection.fromClient(bytes, random.below(9) === 0);
        else connection.fromServer(bytes, random.below(9) === 0);
      }
      connection.close();
    }
    proxy.handshake(fullWithId(sessionId(1)));
    assert.equal(proxy.get(sessionId(1)).status, 200);
  });
});

describe("random requests", () => {
  it("never trap, and all have an answer in JSON", async () => {
    const random = new Random(3);
    const proxy = new Proxy();
    proxy.put("aa01", { sni: "kept.example" });
    for (let round = 0; round < 6000 * FACTOR; round++) {
      const headers: Record<string, string> = {};
      for (let i = random.below(3); i > 0; i--) {
        headers[random.pick(["authorization", "content-type", "content-length", "x", "accept"])] = text(random, 60);
      }
      const answer = proxy.worker.request(random.pick(METHODS), randomPath(random), {
        headers,
        ...(random.below(10) > 0 ? { token: FULL_TOKEN } : {}),
        ...(random.below(2) > 0 ? { body: randomBody(random) } : {}),
        pieceBytes: 1 + random.below(50),
      });
      assert.ok(answer.status >= 200 && answer.status <= 503, `round ${round}: status ${answer.status}`);
      const type = answer.headers["content-type"] ?? "";
      assert.match(type, answer.status < 300 || answer.json.outcome === "not_found" ? /json/ : /problem\+json/);
    }
    proxy.request("PUT", "/v1/mode", { body: { mode: ["SERVER"] } });
    proxy.request("PUT", "/v1/cache-size", { body: { cache_size: 100 } });
    assert.equal(proxy.put("bb01").status < 202, true);
    await proxy.number();
  });

  it("with every single byte as a path, a method, a header and a body never trap", () => {
    const proxy = new Proxy();
    for (let byte = 0; byte < 256; byte++) {
      const character = String.fromCharCode(byte);
      for (const path of [
        character,
        `/${character}`,
        `/v1/sessions/${character}`,
        `/v1/sessions?${character}`,
        `/v1/sessions?limit=${character}`,
      ]) {
        assert.ok(proxy.request("GET", path).status >= 200);
      }
      assert.ok(proxy.request(character, "/v1/stats").status >= 400);
      assert.equal(proxy.worker.request("GET", "/v1/stats", { headers: { authorization: character } }).status, 401);
      assert.ok(proxy.request("PUT", "/v1/sessions/aa", { body: Buffer.of(byte) }).status >= 200);
    }
    assert.equal(proxy.request("GET", "", {}).status, 404);
  });
});

describe("random configurations", () => {
  it("never trap, and what is refused says why", () => {
    const random = new Random(4);
    for (let round = 0; round < 150 * FACTOR; round++) {
      const proxy = new Proxy({ workers: 1 });
      const before = proxy.host.log.length;
      const valid =
        '{"cache":"c","cache_size":5,"mode":["SERVER"],"admin":{"tokens":["tttttttttttttttt"],"allow_unauthenticated":false}}';
      const configuration = random.mutated(Buffer.from(valid)).toString("latin1");
      const worker = proxy.host.worker();
      for (const root of ["observer", "admin"]) {
        if (!worker.configure(root, configuration)) assert.ok(proxy.host.log.length > before, configuration);
      }
    }
  });
});

describe("shared data that another hand has written", () => {
  it("never traps, whatever it is", () => {
    const random = new Random(5);
    for (let round = 0; round < 40 * FACTOR; round++) {
      const proxy = new Proxy({ cache: { max_memory_mib: 1 } });
      for (let i = 0; i < 150; i++) proxy.put(sessionId(i), { sni: `${i}.example`, upstream: "10.0.0.7:443" });
      for (let i = 0; i < 30; i++) proxy.delete(sessionId(i));
      const { sharedData } = proxy.host;
      for (const key of sharedData.keys()) {
        const value = sharedData.peek(key) ?? Buffer.alloc(0);
        const kind = random.below(4);
        if (kind === 0) sharedData.damage(key, random.mutated(value));
        if (kind === 1) sharedData.damage(key, random.bytes(random.below(200)));
        if (kind === 2) sharedData.damage(key, Buffer.alloc(value.length, 0xff));
      }
      for (let i = 0; i < 200; i++) {
        proxy.put(sessionId(i), { sni: "again.example" });
        proxy.get(sessionId(i));
        if (i % 3 === 0) proxy.delete(sessionId(i));
        proxy.handshake(i % 2 === 0 ? fullWithId(sessionId(i)) : resumedById(sessionId(i)));
      }
      proxy.request("GET", "/v1/sessions?limit=1000");
      proxy.request("GET", "/v1/removed?limit=1000");
      proxy.host.pass(2);
      proxy.worker.request("POST", "/v1/sessions/flush", { token: FULL_TOKEN, body: {} });
    }
  });
});

describe("memory", () => {
  it("of the VMs does not grow over 100,000 connections", () => {
    const proxy = new Proxy({ cache: { cache_size: 500 } });
    let made = 0;
    const run = (connections: number): number => {
      for (const end = made + connections; made < end; made++) proxy.handshake(someExchange(made));
      return proxy.worker.memoryBytes;
    };
    const warm = run(20_000);
    assert.equal(run(80_000), warm, "linear memory in bytes");
  });

  it("of the VMs does not grow over 100,000 requests", () => {
    const proxy = new Proxy({ cache: { cache_size: 500 } });
    let made = 0;
    const run = (requests: number): number => {
      for (const end = made + requests; made < end; made++) {
        const path = `/v1/sessions/${sessionId(made % 2000).toString("hex")}`;
        const kind = made % 10;
        if (kind < 4) proxy.request("PUT", path, { body: { sni: `${made}.example` } });
        else if (kind < 7) proxy.request("GET", path);
        else if (kind === 7) proxy.request("DELETE", path);
        else if (kind === 8) proxy.request("PUT", path, { body: '{"broken":' });
        else proxy.request("GET", made % 100 === 9 ? "/v1/sessions?limit=100" : "/v1/stats");
      }
      return proxy.worker.memoryBytes;
    };
    const warm = run(20_000);
    assert.ok(
      run(80_000) <= warm * 1.02,
      `linear memory in bytes: ${warm} after 20,000, ${proxy.worker.memoryBytes} at the end`,
    );
  });

  it("is given back by connections that stop in the middle of a hello", () => {
    const proxy = new Proxy();
    const hello = fullWithId(sessionId(1), { sni: "half.example" })[0] as Flight;
    const round = (): number => {
      const open = Array.from({ length: 2000 }, (_, i) =>
        proxy.worker.connection().fromClient(hello.bytes.subarray(0, 1 + (i % (hello.bytes.length - 1)))),
      );
      for (const connection of open) connection.close();
      return proxy.worker.memoryBytes;
    };
    const first = round();
    for (let i = 0; i < 5; i++) assert.equal(round(), first);
  });

  it("of a hello does not grow with its length, announced or sent", () => {
    // Each claims to be a ClientHello, of its least length or of its greatest, and never ends.
    const memoryOf = (announced: string, sent: number): number => {
      const proxy = new Proxy({ workers: 1 });
      const claim = Buffer.concat([Buffer.from(`1603014000010${announced}0303`, "hex"), Buffer.alloc(sent, 1)]);
      const open = Array.from({ length: 12_000 }, () => proxy.worker.connection().fromClient(claim));
      const bytes = proxy.worker.memoryBytes;
      for (const connection of open) assert.equal(Buffer.concat(connection.toServer).length, claim.length);
      for (const connection of open) connection.close();
      proxy.handshake(fullWithId(sessionId(1)));
      assert.equal(proxy.get(sessionId(1)).status, 200);
      return bytes;
    };
    const bytes = memoryOf("033fc", 8000);
    assert.equal(bytes, memoryOf("000ff", 32), "as much as for short ones");
    // 1.7 KB for each; the memory grows by halves.
    assert.ok(bytes < 12_000 * 3500, `${bytes} bytes`);
  });
});

/** handshake_failure, fatal. */
const ALERT = Buffer.from("15030300020228", "hex");

function someExchange(number: number): Flight[] {
  switch (number % 6) {
    case 0:
      return fullWithId(sessionId(number % 3000), { sni: `${number % 97}.example` });
    case 1:
      return resumedById(sessionId(number % 3000));
    case 2:
      return fullWithTicket(ticket("key", number % 500));
    case 3:
      return tls13([ticket("key", number % 500)], { selected: 0 });
    case 4:
      return cut(fullWithId(sessionId(number % 3000)), 90).slice(0, number % 20);
    default:
      return [{ from: "client", bytes: Buffer.from("GET / HTTP/1.1\r\n\r\n") }];
  }
}

function mutatedExchange(random: Random): Flight[] {
  const exchange = random.pick([
    fullWithId(sessionId(random.below(50)), { sni: "fuzz.example" }),
    resumedById(sessionId(random.below(50))),
    fullWithTicket(ticket("fuzz", random.below(50))),
    resumedByTicket(ticket("fuzz", random.below(50))),
    tls13([ticket("fuzz", random.below(50)), random.bytes(random.below(40))], { selected: random.below(3) }),
  ]);
  return exchange.map((flight) =>
    random.below(3) === 0 ? { ...flight, bytes: random.mutated(flight.bytes) } : flight,
  );
}

function randomPath(random: Random): string {
  const base = random.pick(PATHS);
  if (random.below(3) === 0) return random.mutated(Buffer.from(base)).toString("latin1");
  return random.below(4) === 0 ? base + text(random, 40) : base;
}

function randomBody(random: Random): Buffer {
  if (random.below(4) === 0) return random.bytes(random.below(200));
  const body = Buffer.from(random.pick(BODIES));
  return random.below(3) === 0 ? body : random.mutated(body);
}

function text(random: Random, longest: number): string {
  return random.bytes(random.below(longest)).toString("latin1");
}

const METHODS = ["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "", "get", "OPTIONS"];
const PATHS = [
  "/healthz",
  "/v1/sessions",
  "/v1/sessions?limit=5&kind=id",
  "/v1/sessions?sni=kept.example&upstream=10.0.0.7%3A443&cursor=0001",
  "/v1/sessions/aa01",
  "/v1/sessions/9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c9f3c",
  "/v1/removed?limit=3",
  "/v1/stats",
  "/v1/mode",
  "/v1/cache-size",
  "/v1/timeout",
  "/v1/openapi.json",
  "",
];
const BODIES = [
  '{"kind":"ticket","protocol":"TLSv1.2","cipher":"TLS_AES_128_GCM_SHA256","sni":"a.example","upstream":"10.0.0.7:443","timeout":60}',
  '{"sni":"\\u00e4\\ud83d\\ude00\\n"}',
  '{"mode":["SERVER","NO_INTERNAL_STORE"]}',
  '{"cache_size":100}',
  '{"timeout":7200}',
  '{"before":1790000000}',
  '{"timeout":1e9999}',
  "{}",
  "[[[[[[[[",
];
