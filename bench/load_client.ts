/**
 * The load generator, a process of its own: carries out an order and reports. Its clients are Node's TLS clients, which are
 * OpenSSL. Each of SESSIONS clients behind a port keeps a session: of TLS 1.2 always the first one, of TLS 1.3 the newest, as
 * browsers do. A connection that fails fails the order.
 */
import { constants } from "node:crypto";
import { type Socket, connect as connectTcp } from "node:net";
import { type ConnectionOptions, connect } from "node:tls";
import { OPENSSL_TLS12 } from "../tests/fixtures/openssl_tls12.ts";
import type { Handshake, Order, Report } from "./messages.ts";
import { serveOrders } from "./parts.ts";

serveOrders(carryOut);

async function carryOut(order: Order): Promise<Report> {
  switch (order.order) {
    case "handshakes":
      return await handshakes(order.port, order.handshake, order.count, order.concurrency);
    case "download":
      await download(order.port, order.bytes);
      return { done: 1, resumed: 0 };
    case "open":
      await inParallel(order.count, order.concurrency, async () => {
        kept.push(await open(order.port));
      });
      return { done: order.count, resumed: 0 };
    case "drop":
      for (const socket of kept.splice(0)) socket.resetAndDestroy();
      return { done: 0, resumed: 0 };
    case "vanish":
      await inParallel(order.count, order.concurrency, (index) => vanish(order.port, index));
      return { done: order.count, resumed: 0 };
  }
}

async function handshakes(port: number, handshake: Handshake, count: number, concurrency: number): Promise<Report> {
  const sessions = sessionsOf(port, handshake);
  let resumed = 0;
  await inParallel(count, concurrency, async (index) => {
    const client = index % sessions.length;
    const offered = handshake.startsWith("full") ? undefined : sessions[client];
    const { isResumed, session } = await visit(port, handshake, offered);
    if (isResumed) resumed++;
    if (handshake === "resumed13" || offered === undefined) sessions[client] = session;
  });
  return { done: count, resumed };
}

function sessionsOf(port: number, handshake: Handshake): (Buffer | undefined)[] {
  const key = `${port} ${handshake}`;
  let sessions = sessionsByUse.get(key);
  if (sessions === undefined)
    sessionsByUse.set(key, (sessions = new Array<Buffer | undefined>(SESSIONS).fill(undefined)));
  return sessions;
}

/** One connection: its handshake, nothing else, and an end in order. */
function visit(
  port: number,
  handshake: Handshake,
  session: Buffer | undefined,
): Promise<{ isResumed: boolean; session: Buffer | undefined }> {
  return new Promise((resolve, reject) => {
    const socket = connect(tlsOptions(port, handshake, session));
    let newest = session;
    let isResumed = false;
    socket.on("session", (made: Buffer) => (newest = made));
    socket.on("secureConnect", () => {
      isResumed = socket.isSessionReused();
      socket.end();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve({ isResumed, session: newest }));
    socket.resume();
  });
}

function download(port: number, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(tlsOptions(port, "full13", undefined));
    let received = 0;
    socket.on("secureConnect", () => socket.write(`${bytes}\n`));
    socket.on("data", (chunk: Buffer) => (received += chunk.length));
    socket.on("error", reject);
    socket.on("close", () => {
      if (received === bytes) resolve();
      else reject(new Error(`${received} of ${bytes} bytes came`));
    });
  });
}

/** A connection whose handshake is complete: the server has answered a request, so nothing is on its way any more. */
function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const transport = connectTcp({ port, host: "127.0.0.1" });
    const socket = connect({ ...tlsOptions(port, "full13", undefined), socket: transport });
    socket.on("secureConnect", () => socket.write("hello\n"));
    socket.on("data", () => resolve(transport));
    socket.on("error", reject);
  });
}

function vanish(port: number, index: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ port, host: "127.0.0.1", noDelay: true });
    const bytes = (CLIENT_HELLO.length * (index % 3)) >> 1;
    socket.on("connect", () => {
      // A moment, so that the bytes have reached the filter before the reset throws them away.
      if (bytes > 0) socket.write(CLIENT_HELLO.subarray(0, bytes));
      setTimeout(() => socket.resetAndDestroy(), VANISH_MILLISECONDS);
    });
    socket.on("error", reject);
    socket.on("close", () => resolve());
  });
}

function tlsOptions(port: number, handshake: Handshake, session: Buffer | undefined): ConnectionOptions {
  const version = handshake.endsWith("13") ? "TLSv1.3" : "TLSv1.2";
  return {
    host: "127.0.0.1",
    port,
    servername: "shop.example",
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
    ...(handshake === "resumed12_id" ? { secureOptions: constants.SSL_OP_NO_TICKET } : {}),
    ...(session === undefined ? {} : { session }),
  };
}

async function inParallel(count: number, concurrency: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, lane));
}

const SESSIONS = 64;
const VANISH_MILLISECONDS = 2;
const sessionsByUse = new Map<string, (Buffer | undefined)[]>();
const kept: Socket[] = [];
/** A captured ClientHello. */
const CLIENT_HELLO = Buffer.from(OPENSSL_TLS12.find((line) => line.startsWith("> "))?.slice(2) ?? "", "hex");
