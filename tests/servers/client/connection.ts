/**
 * One connection from its first byte to its end: writes what a plan holds, and returns the outcome. Never throws, and never
 * waits longer than the options allow.
 */
import { ServerEvents } from "./events.ts";
import { EXT, type EncodedHello } from "./hello.ts";
import { derived, digest, earlySecret } from "./key_schedule.ts";
import type { Outcome } from "./outcome.ts";
import { firstFlight, type Plan, retryTranscript, secondFlight } from "./plan.ts";
import { Protection13 } from "./protection.ts";
import { message, vector } from "./records.ts";
import { parseServerHello, type ServerHello } from "./server_hello.ts";
import { TLS13 } from "./suites.ts";
import { finish12 } from "./tls12.ts";
import { finish13 } from "./tls13.ts";
import { Stopped, Wire } from "./wire.ts";

export interface ConnectOptions {
  port: number;
  milliseconds: number;
  /** Waits for a ticket of TLS 1.3. */
  wantsTicket?: boolean;
  /** A HelloRetryRequest of this server, for plans that write the second hello before it comes. */
  knownRetry?: Buffer | undefined;
}

export async function runPlan(plan: Plan, options: ConnectOptions): Promise<Outcome> {
  const wire = new Wire(options.port, options.milliseconds);
  const seen: { retry?: Buffer } = {};
  let goodbye: Buffer | undefined;
  try {
    const outcome = await handshake(plan, options, wire, seen);
    goodbye = outcome.goodbye;
    return { ...outcome, ...seen };
  } catch (error) {
    const nothing = { fresh: [], earlyData: false, ...seen };
    if (error instanceof Stopped) return { kind: error.kind, detail: error.detail, ...nothing };
    // For example, a key share is not a point of its curve.
    return { kind: "broken", detail: String(error), ...nothing };
  } finally {
    if (goodbye === undefined || plan.halfClose) wire.close();
    else wire.leave(goodbye);
  }
}

async function handshake(plan: Plan, options: ConnectOptions, wire: Wire, seen: { retry?: Buffer }): Promise<Outcome> {
  const events = new ServerEvents(wire);
  let early: Protection13 | undefined;
  const first = firstFlight(plan, (encoded) => {
    if (plan.earlyData.length === 0) return [];
    early = earlyProtection(encoded);
    return plan.earlyData.map((one) => ("plain" in one ? one.plain : (early?.seal(23, one.sealed) ?? one.sealed)));
  });
  let { identities } = first;
  const knownRetry = options.knownRetry && retryFor(options.knownRetry, plan.first.hello.sessionId);
  const unasked = plan.secondUnasked && knownRetry !== undefined ? secondOf(plan, first.bytes, knownRetry) : undefined;
  let written = wire.writeChunks([...first.chunks, ...(unasked?.chunks ?? [])]);
  written.catch(() => undefined);

  let hello = await serverHello(events);
  let heads = headsOf(plan, first.bytes);
  if (hello.parsed.isRetry) {
    seen.retry = hello.bytes;
    const retry = hello.bytes;
    const second = unasked !== undefined && knownRetry?.equals(retry) ? unasked : secondOf(plan, first.bytes, retry);
    const before = retryTranscript(suiteHash(hello.parsed), first.bytes, retry);
    heads = [Buffer.concat([before, second.bytes])];
    identities = second.identities;
    await written;
    if (second !== unasked) written = wire.writeChunks(second.chunks);
    events.ignoresChanges = true;
    hello = await serverHello(events);
  }
  const begun = { plan, events, heads, serverHello: hello.parsed, serverHelloBytes: hello.bytes, written };
  const is13 = hello.parsed.extensions.get(EXT.versions)?.readUInt16BE(0) === TLS13;
  if (!is13) return finish12(begun);
  return finish13({ ...begun, identities, early, wantsTicket: options.wantsTicket ?? false });
}

async function serverHello(events: ServerEvents): Promise<{ parsed: ServerHello; bytes: Buffer }> {
  const { body, bytes } = await events.message(2);
  return { parsed: parseServerHello(body), bytes };
}

/** The transcript's beginning, without and with the messages in front of the hello. */
function headsOf({ first }: Plan, hello: Buffer): Buffer[] {
  if (first.front.length + first.behind.length === 0) return [hello];
  const front = Buffer.concat(first.front.map(({ bytes }) => bytes));
  return [hello, Buffer.concat([front, hello])];
}

function secondOf(plan: Plan, first: Buffer, retry: Buffer): ReturnType<typeof secondFlight> {
  const { extensions } = parseServerHello(retry.subarray(4));
  const group = extensions.get(EXT.keyShare)?.readUInt16BE(0) ?? 0;
  return secondFlight(plan, first, retry, group, extensions.get(EXT.cookie) ?? Buffer.alloc(0));
}

/** The HelloRetryRequest that this server sends for another session ID, which it echoes. */
function retryFor(known: Buffer, sessionId: Buffer): Buffer {
  const body = known.subarray(4);
  const after = 35 + body[34]!;
  return message(2, Buffer.concat([body.subarray(0, 34), vector(1, sessionId), body.subarray(after)]));
}

function suiteHash({ suite }: ServerHello): "sha256" | "sha384" {
  return suite === 0x1302 ? "sha384" : "sha256";
}

function earlyProtection({ bytes, identities }: EncodedHello): Protection13 | undefined {
  const session = identities[0]?.session;
  if (session === undefined) return undefined;
  const { hash } = session.suite;
  return new Protection13(
    session.suite,
    derived(hash, earlySecret(hash, session.secret), "c e traffic", digest(hash, bytes)),
  );
}
