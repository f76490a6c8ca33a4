/**
 * TLS 1.3 from the ServerHello on, after any HelloRetryRequest: full, or under the PSK that the server selected. "Resumed"
 * and "full" mean that both Finished were right and the server answered application data.
 */
import type { ServerEvents } from "./events.ts";
import { EXT, type Identity } from "./hello.ts";
import { sharedSecret } from "./key_exchange.ts";
import {
  derived,
  digest,
  earlySecret,
  expandLabel,
  finished13,
  hashLength,
  handshakeSecret,
  mainSecret,
} from "./key_schedule.ts";
import type { Outcome } from "./outcome.ts";
import type { Plan } from "./plan.ts";
import { Protection13 } from "./protection.ts";
import { ALERT, CHANGE_CIPHER_SPEC, message, record } from "./records.ts";
import { Cursor, parseExtensions, parseTicket13, type ServerHello } from "./server_hello.ts";
import type { Session } from "./session.ts";
import { type Suite, SUITES, TLS13 } from "./suites.ts";
import { CLOSE_NOTIFY, QUESTION } from "./tls12.ts";
import { Stopped } from "./wire.ts";

export interface Begun13 {
  plan: Plan;
  events: ServerEvents;
  /** The candidates for the transcript in front of the ServerHello. */
  heads: Buffer[];
  serverHello: ServerHello;
  serverHelloBytes: Buffer;
  identities: Identity[];
  early: Protection13 | undefined;
  written: Promise<void>;
  /** Also waits for a ticket. */
  wantsTicket: boolean;
}

export async function finish13(begun: Begun13): Promise<Outcome> {
  const { events, serverHello } = begun;
  const suite = SUITES.get(serverHello.suite);
  if (suite === undefined || suite.version !== TLS13) throw new Stopped("broken", "a suite that was not offered");
  const psk = selected(begun);
  const share = new Cursor(serverHello.extensions.get(EXT.keyShare) ?? Buffer.alloc(0));
  const group = share.number(2);
  const shared = sharedSecret(group, share.vector(2));
  const handshake = handshakeSecret(suite.hash, earlySecret(suite.hash, psk?.secret), shared);

  events.ignoresChanges = true;
  let first = await events.peek();
  while (first.type === CHANGE_CIPHER_SPEC) {
    events.drop();
    first = await events.peek();
  }
  let seen: Buffer = Buffer.alloc(0);
  let clientSecret: Buffer = seen;
  let serverSecret: Buffer = seen;
  // The keys show whether the server has hashed the messages in front of the hello as well.
  for (const head of begun.heads) {
    seen = Buffer.concat([head, begun.serverHelloBytes]);
    const hash = digest(suite.hash, seen);
    clientSecret = derived(suite.hash, handshake, "c hs traffic", hash);
    serverSecret = derived(suite.hash, handshake, "s hs traffic", hash);
    if (begun.heads.length === 1 || new Protection13(suite, serverSecret).open(first) !== undefined) break;
  }
  events.protection = new Protection13(suite, serverSecret);

  const encrypted = await events.message(ENCRYPTED_EXTENSIONS);
  const earlyData = parseExtensions(new Cursor(encrypted.body).vector(2)).has(EXT.earlyData);
  const parts = [seen, encrypted.bytes];
  let before: Buffer = Buffer.concat(parts);
  for (;;) {
    const { type, bytes, body } = await events.message(CERTIFICATE, CERTIFICATE_VERIFY, FINISHED);
    if (type === FINISHED) {
      if (!body.equals(finished13(suite.hash, serverSecret, digest(suite.hash, before)))) {
        throw new Stopped("broken", "a wrong Finished");
      }
      before = Buffer.concat([before, bytes]);
      break;
    }
    before = Buffer.concat([before, bytes]);
  }
  const main = mainSecret(suite.hash, handshake);
  const hash = digest(suite.hash, before);
  const own = new Protection13(suite, derived(suite.hash, main, "c ap traffic", hash));
  events.protection = new Protection13(suite, derived(suite.hash, main, "s ap traffic", hash));
  const flight: Buffer[] = [...begun.plan.beforeFinished];
  let all = before;
  if (earlyData && begun.early !== undefined) {
    const end = message(5, Buffer.alloc(0));
    flight.push(begun.early.seal(22, end));
    all = Buffer.concat([all, end]);
  }
  const finished = message(20, finished13(suite.hash, clientSecret, digest(suite.hash, all)));
  all = Buffer.concat([all, finished]);
  if (begun.plan.first.hello.sessionId.length > 0) flight.push(record(CHANGE_CIPHER_SPEC, 0x0303, Buffer.from([1])));
  flight.push(new Protection13(suite, clientSecret).seal(22, finished), own.seal(23, QUESTION));
  await begun.written;
  events.wire.write(Buffer.concat(flight));
  if (begun.plan.halfClose) events.wire.endWriting();

  const resumption = derived(suite.hash, main, "res master", digest(suite.hash, all));
  const fresh: Session[] = [];
  let isAnswered = false;
  while (!isAnswered || (begun.wantsTicket && fresh.length === 0)) {
    const event = await events.next();
    if (event.kind === "data" && event.bytes.length > 0) isAnswered = true;
    if (event.kind === "message" && event.type === NEW_SESSION_TICKET) {
      fresh.push(sessionOf(event.body, suite, resumption, begun.plan.serverName));
    }
  }
  const kind = psk === undefined ? "full" : "resumed";
  const goodbye = own.seal(ALERT, CLOSE_NOTIFY);
  return { kind, detail: "", ...(psk === undefined ? {} : { session: psk }), fresh, earlyData, goodbye };
}

function selected({ identities, serverHello }: Begun13): Session | undefined {
  const index = serverHello.extensions.get(EXT.psk)?.readUInt16BE(0);
  if (index === undefined) return undefined;
  const session = identities[index]?.session;
  if (session === undefined) throw new Stopped("broken", "an accepted PSK that has no session");
  return session;
}

function sessionOf(body: Buffer, suite: Suite, resumption: Buffer, serverName: string): Session {
  const { ageAdd, maxEarlyData, nonce, ticket } = parseTicket13(body);
  return {
    version: TLS13,
    suite,
    secret: expandLabel(suite.hash, resumption, "resumption", nonce, hashLength(suite.hash)),
    id: Buffer.alloc(0),
    ticket,
    extendedMaster: true,
    serverName,
    ageAdd,
    receivedAt: Date.now(),
    maxEarlyData,
  };
}

const NEW_SESSION_TICKET = 4;
const ENCRYPTED_EXTENSIONS = 8;
const CERTIFICATE = 11;
const CERTIFICATE_VERIFY = 15;
const FINISHED = 20;
