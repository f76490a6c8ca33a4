/** What may reach a TLS port beside good TLS: all of it passes untouched and at once, and Envoy goes on to learn. */
import assert from "node:assert/strict";
import { type Server, type Socket, connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { Random } from "../../support/random.ts";
import { alert, clientHello, cut, fullWithId, record, serverHello, sessionId, tls13 } from "../../support/tls_bytes.ts";
import { type Stack, assertNoTrap, eventually, inParallel, startStack } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";

let tlsUpstream: DemoUpstream;
let echo: Server;
let stack: Stack;
/** A client that asks for this name is answered with random bytes. */
const NONSENSE_SNI = "nonsense.example";
const nonsense = new Random(8);

before(async () => {
  tlsUpstream = await startDemoUpstream({ name: "tls", tickets: true });
  echo = createServer((socket) => switchProtocol(socket));
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  stack = await startStack({ upstreams: [`127.0.0.1:${(echo.address() as AddressInfo).port}`] });
});

after(async () => {
  await stack?.stop();
  await tlsUpstream?.close();
  echo?.close();
});

async function stillLearns(): Promise<void> {
  const seen = await inParallel(Array.from({ length: 8 }), 4, () =>
    visit({ port: stack.tlsPort, version: "TLSv1.2", sni: "after.example" }),
  );
  for (const { id } of seen) assert.equal((await stack.admin("GET", `/v1/sessions/${id}`)).status, 200);
  assertNoTrap(stack.envoy.log());
}

describe("another protocol on the TLS port", () => {
  const texts: Record<string, Buffer> = {
    "plain HTTP": Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    SSH: Buffer.from("SSH-2.0-OpenSSH_9.9\r\n"),
    "a hello of SSLv2": Buffer.from("802e0100020015000000100700c0030080010080", "hex"),
    zeros: Buffer.alloc(5000),
    "one byte": Buffer.from("x"),
    "the PROXY protocol": Buffer.from("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n"),
    "a TLS record type with a wrong version": Buffer.from("1699990010", "hex"),
  };
  for (const [name, bytes] of Object.entries(texts)) {
    it(`passes untouched and at once: ${name}`, async () => {
      assert.deepEqual(await echoed(bytes), bytes);
    });
  }

  it("passes byte by byte as it comes", async () => {
    const socket = await open();
    for (const letter of "GET /") {
      socket.write(letter);
      assert.equal((await nextBytes(socket)).toString(), letter);
    }
    socket.destroy();
  });

  it("leaves Envoy learning", stillLearns);
});

describe("malformed TLS", () => {
  it("of many kinds, cut in many ways, leaves Envoy learning", async () => {
    const random = new Random(7);
    const hello = clientHello({ sni: "broken.example", tls13: true, pskIdentities: [Buffer.alloc(40, 1)] });
    const inputs = Array.from({ length: 150 }, (_, i) => {
      if (i === 0) return record(0x16, Buffer.alloc(0));
      if (i === 1) return Buffer.from("160301ffff", "hex");
      if (i === 2) return Buffer.concat([Buffer.from("160301400001ffffff", "hex"), Buffer.alloc(16380, 7)]);
      if (i === 3) return Buffer.concat([hello, hello, hello]);
      if (i === 4) return Buffer.concat([alert(2, 40), hello]);
      return random.mutated(hello);
    });
    await inParallel(inputs, 10, (bytes) =>
      send(cut([{ from: "client", bytes }], 1 + random.below(700)).map((piece) => piece.bytes)),
    );
    await stillLearns();
  });

  it("is counted by kind of error", async () => {
    const hello = clientHello({ sni: "counted.example" });
    // A session ID longer than the message.
    hello[43] = 0xff;
    const before = await parseErrors();
    await send([hello]);
    await eventually("the error is counted", async () => assert.ok((await parseErrors()) > before, "none was counted"));
    assert.match(await stack.prometheus(), /^tls_session_cache_parse_errors_total\{.*error="[a-z0-9_]+".*\} [1-9]/m);
  });

  it("from the client's side alone, as if a server had answered, stores nothing", async () => {
    const { number } = await stack.stats();
    for (const flights of [fullWithId(sessionId(1)), tls13([Buffer.alloc(64, 5)], { selected: 0 })]) {
      await send(flights.map(({ bytes }) => bytes));
    }
    assert.equal((await stack.stats()).number, number);
  });
});

describe("clients that stop halfway", () => {
  it("and stay, or leave, disturb nobody", async () => {
    const hello = clientHello({ sni: "half.example" });
    const idle = await Promise.all(Array.from({ length: 60 }, () => open()));
    for (const [index, socket] of idle.entries()) socket.write(hello.subarray(0, (index * 7) % hello.length));
    await stillLearns();
    for (const [index, socket] of idle.entries()) {
      if (index % 2 === 0) socket.destroy();
      else socket.end();
    }
    await stillLearns();
  });

  it("after the server's hello store nothing", async () => {
    const { number } = await stack.stats();
    const sni = "left.example";
    await inParallel(Array.from({ length: 20 }), 10, async () => {
      const socket = await open();
      socket.write(clientHello({ sni }));
      await nextBytes(socket).catch(() => undefined);
      socket.destroy();
    });
    assert.equal((await stack.stats()).number, number);
    await stillLearns();
  });
});

describe("a server that talks nonsense", () => {
  it("is passed on as it is, and leaves Envoy learning", async () => {
    const received = await inParallel(Array.from({ length: 60 }), 10, async () => {
      const socket = await open();
      socket.write(clientHello({ sni: NONSENSE_SNI }));
      const bytes = await nextBytes(socket);
      socket.destroy();
      return bytes;
    });
    for (const bytes of received) assert.ok(bytes.length > 0);
    await stillLearns();
  });
});

describe("much data that is not TLS", () => {
  it("passes whole, both ways", async () => {
    const random = new Random(9);
    const bytes = Buffer.concat([...Array.from({ length: 200 }, () => random.bytes(10_000))]);
    assert.ok((await echoed(bytes)).equals(bytes));
  });
});

/** TLS by its first byte, else an echo. */
function switchProtocol(socket: Socket): void {
  socket.on("error", () => socket.destroy());
  socket.once("data", (first: Buffer) => {
    if (first[0] !== 0x16 || first[1] !== 0x03) {
      socket.write(first);
      socket.pipe(socket);
      return;
    }
    if (first.includes(NONSENSE_SNI)) {
      const hello = serverHello({ sessionId: nonsense.bytes(32) });
      socket.end(nonsense.below(2) === 0 ? nonsense.mutated(hello) : nonsense.bytes(1 + nonsense.below(2000)));
      return;
    }
    const upstream = connect(tlsUpstream.port, "127.0.0.1");
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
    socket.on("close", () => upstream.destroy());
    upstream.write(first);
    socket.pipe(upstream).pipe(socket);
  });
}

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(stack.tlsPort, "127.0.0.1", () => resolve(socket));
    socket.on("error", reject);
  });
}

function nextBytes(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const patience = setTimeout(() => reject(new Error("nothing came within 5 s")), 5000);
    socket.once("data", (bytes: Buffer) => {
      clearTimeout(patience);
      resolve(bytes);
    });
    socket.once("close", () => {
      clearTimeout(patience);
      reject(new Error("closed"));
    });
  });
}

async function echoed(bytes: Buffer): Promise<Buffer> {
  const socket = await open();
  socket.write(bytes);
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < bytes.length) {
    const chunk = await nextBytes(socket);
    chunks.push(chunk);
    length += chunk.length;
  }
  socket.destroy();
  return Buffer.concat(chunks);
}

/** Writes pieces, waits for an end or a moment, and leaves. */
async function send(pieces: Uint8Array[]): Promise<void> {
  const socket = await open();
  socket.on("error", () => undefined);
  socket.on("data", () => undefined);
  for (const piece of pieces) {
    if (socket.destroyed) break;
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise<void>((resolve) => {
    setTimeout(resolve, 50);
    socket.once("close", () => resolve());
  });
  socket.destroy();
}

async function parseErrors(): Promise<number> {
  let sum = 0;
  for (const line of (await stack.prometheus()).split("\n")) {
    if (line.startsWith("tls_session_cache_parse_errors_total{")) sum += Number(line.slice(line.lastIndexOf(" ")));
  }
  return sum;
}
