/** All that one connection sends: the first flight, the second after a HelloRetryRequest, early data; and its sessions. */
import { randomBytes } from "node:crypto";
import { chunksOf, type Chunk, type Flight, type Insert, plainFlight } from "./flight.ts";
import { encodeHello, EXT, type EncodedHello, type Extension, type Hello } from "./hello.ts";
import { type Group, P256, publicKey, X25519 } from "./key_exchange.ts";
import { digest, type Hash } from "./key_schedule.ts";
import { message, uint16, vector } from "./records.ts";
import type { Session } from "./session.ts";
import { TLS12, TLS13 } from "./suites.ts";

export interface Plan {
  first: Flight;
  serverName: string;
  /** The sessions whose secrets a server may use, the one on trial first. */
  sessions: Session[];
  /** Mutates the second flight before it is written. */
  onSecond: (flight: Flight) => void;
  /** The second flight follows the first one without waiting for a HelloRetryRequest. */
  secondUnasked: boolean;
  earlyData: EarlyRecord[];
  /** The client closes its writing side after the application data. */
  halfClose: boolean;
  /** Records in front of the client's Finished. */
  beforeFinished: Buffer[];
}

/** A record under the early keys, or bytes as they are. */
export type EarlyRecord = { sealed: Buffer } | { plain: Buffer };

export interface HelloOptions {
  version: 0x0303 | 0x0304;
  serverName: string;
  session?: Session;
  /** TLS 1.2: the handles that it offers. */
  handle?: "id" | "ticket" | "both";
  /** TLS 1.2: asks for a ticket. */
  wantsTicket?: boolean;
  /** TLS 1.3: the groups whose shares it sends. An empty list makes the server send a HelloRetryRequest. */
  shares?: Group[];
  earlyData?: boolean;
  preferP256?: boolean;
}

export function plainPlan(options: HelloOptions): Plan {
  const hello = options.version === TLS13 ? hello13(options) : hello12(options);
  return {
    first: plainFlight(hello, 0x0301),
    serverName: options.serverName,
    sessions: options.session === undefined ? [] : [options.session],
    onSecond: () => undefined,
    secondUnasked: false,
    earlyData: [],
    halfClose: false,
    beforeFinished: [],
  };
}

export interface SentFlight extends EncodedHello {
  chunks: Chunk[];
}

export function firstFlight(plan: Plan, early: (encoded: EncodedHello) => Buffer[]): SentFlight {
  const encoded = encodeHello(plan.first.hello, () => Buffer.alloc(0));
  return { ...encoded, chunks: chunksOf(plan.first, encoded.bytes, early(encoded)) };
}

/** The hello that answers a HelloRetryRequest (RFC 8446 4.1.2): the first hello, with the requested share. */
export function secondFlight(plan: Plan, firstHello: Buffer, retry: Buffer, group: number, cookie: Buffer): SentFlight {
  const hello = structuredHello(plan.first.hello);
  hello.extensions = (hello.extensions ?? []).filter(({ type }) => type !== EXT.earlyData);
  const share = hello.extensions.find(({ type }) => type === EXT.keyShare);
  const body = keyShares([group === P256 ? P256 : X25519]);
  if (share === undefined) hello.extensions.unshift({ type: EXT.keyShare, body });
  else share.body = body;
  if (cookie.length > 0) hello.extensions.unshift({ type: EXT.cookie, body: cookie });
  const flight = plainFlight(hello, 0x0303);
  plan.onSecond(flight);
  const encoded = encodeHello(flight.hello, (hash) => retryTranscript(hash, firstHello, retry));
  return { ...encoded, chunks: chunksOf(flight, encoded.bytes, []) };
}

export function retryTranscript(hash: Hash, firstHello: Buffer, retry: Buffer): Buffer {
  return Buffer.concat([message(254, digest(hash, firstHello)), retry]);
}

export function insert(where: Insert["where"], bytes: Buffer): Insert {
  return { where, bytes };
}

export function serverNameBody(name: string): Buffer {
  return vector(2, Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name, "latin1"))]));
}

export function keyShares(groups: Group[]): Buffer {
  return vector(2, Buffer.concat(groups.map((group) => Buffer.concat([uint16(group), vector(2, publicKey(group))]))));
}

export function ageOf(session: Session): number {
  return (Date.now() - session.receivedAt + session.ageAdd) >>> 0;
}

function structuredHello(hello: Hello): Hello {
  return {
    ...hello,
    extensions: hello.extensions?.map((extension) => ({
      ...extension,
      ...(extension.psks === undefined ? {} : { psks: extension.psks.map((psk) => ({ ...psk })) }),
    })),
  };
}

function common(options: HelloOptions): Extension[] {
  const groups = options.preferP256 === true ? [P256, X25519] : [X25519, P256];
  return [
    { type: EXT.serverName, body: serverNameBody(options.serverName) },
    { type: EXT.extendedMaster, body: Buffer.alloc(0) },
    { type: EXT.renegotiation, body: Buffer.from([0]) },
    { type: EXT.groups, body: vector(2, Buffer.concat(groups.map(uint16))) },
    { type: EXT.pointFormats, body: Buffer.from([1, 0]) },
    { type: EXT.signatures, body: vector(2, Buffer.concat(SIGNATURES.map(uint16))) },
  ];
}

function hello12(options: HelloOptions): Hello {
  const { session, handle = "id", wantsTicket = false } = options;
  const extensions = common(options);
  const byTicket = session !== undefined && handle !== "id";
  if (byTicket || wantsTicket) extensions.push({ type: EXT.ticket, body: byTicket ? session.ticket : Buffer.alloc(0) });
  let sessionId: Buffer = Buffer.alloc(0);
  if (session !== undefined) sessionId = handle === "ticket" ? randomBytes(32) : session.id;
  return hello(TLS12, SUITES12, sessionId, extensions);
}

function hello13(options: HelloOptions): Hello {
  const { session, shares = [options.preferP256 === true ? P256 : X25519] } = options;
  const extensions = common(options);
  extensions.push({ type: EXT.versions, body: vector(1, uint16(TLS13)) });
  extensions.push({ type: EXT.pskModes, body: Buffer.from([1, 1]) });
  extensions.push({ type: EXT.keyShare, body: keyShares(shares) });
  if (options.earlyData === true) extensions.push({ type: EXT.earlyData, body: Buffer.alloc(0) });
  if (session !== undefined) {
    const psks = [{ identity: session.ticket, age: ageOf(session), session }];
    extensions.push({ type: EXT.psk, body: Buffer.alloc(0), psks });
  }
  return hello(TLS12, SUITES13, randomBytes(32), extensions);
}

function hello(version: number, suites: number[], sessionId: Buffer, extensions: Extension[]): Hello {
  return {
    version,
    random: randomBytes(32),
    sessionId,
    suites: Buffer.concat(suites.map(uint16)),
    compression: Buffer.from([0]),
    extensions,
    blockLengthOff: 0,
    messageLengthOff: 0,
    trailing: Buffer.alloc(0),
  };
}

const SUITES12 = [0xc02b, 0xc02f, 0xc02c, 0xc030];
const SUITES13 = [0x1301, 0x1302];
/** ECDSA, RSA-PSS and PKCS #1, each with SHA-256, and with longer hashes for keys that need them. */
const SIGNATURES = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
