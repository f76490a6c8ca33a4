/**
 * TLS 1.2 from the ServerHello on: full, or abbreviated under the client's session that makes the server's Finished right.
 * "Resumed" and "full" mean that both Finished were right and the server answered application data.
 */
import type { ServerEvents } from "./events.ts";
import { EXT } from "./hello.ts";
import { publicKey, sharedSecret } from "./key_exchange.ts";
import { digest, prf } from "./key_schedule.ts";
import type { Outcome } from "./outcome.ts";
import type { Plan } from "./plan.ts";
import { Protection12 } from "./protection.ts";
import { ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, message, MessageReader, record, vector } from "./records.ts";
import { parseKeyExchange, parseTicket12, type ServerHello } from "./server_hello.ts";
import type { Session } from "./session.ts";
import { type Suite, SUITES, TLS12 } from "./suites.ts";
import { Stopped } from "./wire.ts";

export interface Begun {
  plan: Plan;
  events: ServerEvents;
  /** The candidates for the client's side of the transcript so far: without and with the messages around its hello. */
  heads: Buffer[];
  serverHello: ServerHello;
  serverHelloBytes: Buffer;
  /** Resolves when the first flight is written. */
  written: Promise<void>;
}

interface Keys {
  client: Protection12;
  server: Protection12;
}

export async function finish12(begun: Begun): Promise<Outcome> {
  const suite = SUITES.get(begun.serverHello.suite);
  if (suite === undefined || suite.version !== TLS12) throw new Stopped("broken", "a suite that was not offered");
  const next = await begun.events.next();
  if (next.kind === "message" && next.type === CERTIFICATE) return full(begun, suite, next.bytes);
  if (next.kind === "change") return abbreviated(begun, suite, Buffer.alloc(0), undefined);
  if (next.kind === "message" && next.type === NEW_SESSION_TICKET) {
    const change = await begun.events.next();
    if (change.kind === "change") return abbreviated(begun, suite, next.bytes, parseTicket12(next.body));
  }
  throw new Stopped("broken", "neither a certificate nor a Finished");
}

async function full(begun: Begun, suite: Suite, certificate: Buffer): Promise<Outcome> {
  const { events, plan, serverHello } = begun;
  const seen = [begun.heads[0]!, begun.serverHelloBytes, certificate];
  let theirs: { group: number; point: Buffer } | undefined;
  for (;;) {
    const { type, bytes, body } = await events.message(STATUS, KEY_EXCHANGE, CERTIFICATE_REQUEST, HELLO_DONE);
    seen.push(bytes);
    if (type === KEY_EXCHANGE) theirs = parseKeyExchange(body);
    if (type === HELLO_DONE) break;
  }
  if (theirs === undefined) throw new Stopped("broken", "no key exchange");
  const group = theirs.group === 0x0017 ? 0x0017 : 0x001d;
  const exchange = message(16, vector(1, publicKey(group)));
  seen.push(exchange);
  const premaster = sharedSecret(theirs.group, theirs.point);
  const randoms = Buffer.concat([plan.first.hello.random, serverHello.random]);
  const extendedMaster = serverHello.extensions.has(EXT.extendedMaster);
  const master = extendedMaster
    ? prf(suite.hash, premaster, "extended master secret", digest(suite.hash, ...seen), 48)
    : prf(suite.hash, premaster, "master secret", randoms, 48);
  const keys = keysOf(suite, master, plan.first.hello.random, serverHello.random);
  const finished = message(20, verifyData(suite, master, "client", Buffer.concat(seen)));
  seen.push(finished);
  await begun.written;
  events.wire.write(Buffer.concat([record(HANDSHAKE, TLS12, exchange), ...endOf(plan, keys, finished)]));

  let ticket: Buffer = Buffer.alloc(0);
  for (;;) {
    const event = await events.next();
    if (event.kind === "change") break;
    if (event.kind !== "message" || event.type !== NEW_SESSION_TICKET) throw new Stopped("broken", "no Finished");
    seen.push(event.bytes);
    ticket = parseTicket12(event.body);
  }
  events.protection = keys.server;
  const { body } = await events.message(FINISHED);
  if (!body.equals(verifyData(suite, master, "server", Buffer.concat(seen)))) {
    throw new Stopped("broken", "a wrong Finished");
  }
  await answered(begun, keys);
  const session = sessionOf(begun, suite, master, ticket, extendedMaster);
  const isUseful = session.id.length + session.ticket.length > 0;
  return { kind: "full", detail: "", fresh: isUseful ? [session] : [], earlyData: false, goodbye: goodbye(keys) };
}

async function abbreviated(
  begun: Begun,
  suite: Suite,
  ticketMessage: Buffer,
  ticket: Buffer | undefined,
): Promise<Outcome> {
  const { events, plan, serverHello } = begun;
  const sealed = await events.peek();
  for (const session of plan.sessions.filter(({ version }) => version === TLS12)) {
    const keys = keysOf(suite, session.secret, plan.first.hello.random, serverHello.random);
    const opened = keys.server.open(sealed);
    if (opened === undefined) continue;
    const messages = new MessageReader();
    messages.push(opened.body);
    const finished = messages.next();
    const head = begun.heads
      .map((bytes) => Buffer.concat([bytes, begun.serverHelloBytes, ticketMessage]))
      .find((seen) => finished?.subarray(4).equals(verifyData(suite, session.secret, "server", seen)));
    if (finished === undefined || head === undefined) throw new Stopped("broken", "a wrong Finished");
    events.drop();
    events.protection = keys.server;
    const own = verifyData(suite, session.secret, "client", Buffer.concat([head, finished]));
    await begun.written;
    events.wire.write(Buffer.concat(endOf(plan, keys, message(20, own))));
    await answered(begun, keys);
    const fresh = ticket === undefined ? [] : [sessionOf(begun, suite, session.secret, ticket, session.extendedMaster)];
    return { kind: "resumed", detail: "", session, fresh, earlyData: false, goodbye: goodbye(keys) };
  }
  throw new Stopped("broken", "resumed under a secret that is not known");
}

function endOf(plan: Plan, keys: Keys, finished: Buffer): Buffer[] {
  return [...plan.beforeFinished, record(CHANGE_CIPHER_SPEC, TLS12, Buffer.from([1])), keys.client.seal(22, finished)];
}

function goodbye({ client }: Keys): Buffer {
  return client.seal(ALERT, CLOSE_NOTIFY);
}

async function answered({ events, plan }: Begun, keys: Keys): Promise<void> {
  events.wire.write(keys.client.seal(23, QUESTION));
  if (plan.halfClose) events.wire.endWriting();
  for (;;) {
    const event = await events.next();
    if (event.kind === "data" && event.bytes.length > 0) return;
  }
}

function verifyData(suite: Suite, master: Buffer, side: "client" | "server", seen: Buffer): Buffer {
  return prf(suite.hash, master, `${side} finished`, digest(suite.hash, seen), 12);
}

function keysOf(suite: Suite, master: Buffer, clientRandom: Buffer, serverRandom: Buffer): Keys {
  const size = suite.keyBytes;
  const block = prf(suite.hash, master, "key expansion", Buffer.concat([serverRandom, clientRandom]), 2 * size + 8);
  return {
    client: new Protection12(suite, block.subarray(0, size), block.subarray(2 * size, 2 * size + 4)),
    server: new Protection12(suite, block.subarray(size, 2 * size), block.subarray(2 * size + 4)),
  };
}

function sessionOf(begun: Begun, suite: Suite, secret: Buffer, ticket: Buffer, extendedMaster: boolean): Session {
  return {
    version: TLS12,
    suite,
    secret,
    id: Buffer.from(begun.serverHello.sessionId),
    ticket,
    extendedMaster,
    serverName: begun.plan.serverName,
    ageAdd: 0,
    receivedAt: Date.now(),
    maxEarlyData: 0,
  };
}

/** Application data that every server here answers; HTTP servers answer with an error. */
export const QUESTION = Buffer.from("x\n");
/** A server that stores sessions forgets the session of a connection that ends without a close_notify. */
export const CLOSE_NOTIFY = Buffer.from([1, 0]);
const NEW_SESSION_TICKET = 4;
const CERTIFICATE = 11;
const KEY_EXCHANGE = 12;
const CERTIFICATE_REQUEST = 13;
const HELLO_DONE = 14;
const FINISHED = 20;
const STATUS = 22;
