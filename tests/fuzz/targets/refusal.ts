/**
 * Accepted resumptions of removed sessions, cut in every way that keeps their meaning: hellos over several records, and
 * bytes over several packets. Promise: the client gets a fatal alert, never the whole answer of the server, and the
 * connection closes.
 *
 * A step's bytes are a plan: which resumption, whether to cut records, then the lengths of the pieces.
 */
import type { Flight } from "../../fake_host/fake_host.ts";
import type { Proxy } from "../../fake_host/proxy.ts";
import {
  changeCipherSpec,
  record,
  resumedById,
  resumedByTicket,
  sessionId,
  sha256,
  ticket,
  tls13,
} from "../../support/tls_bytes.ts";
import { hold, type Input, type Session, type Target } from "../input.ts";
import { bounded, openProxy } from "./bystanders.ts";

export const refusal: Target = {
  name: "refusal",
  kinds: 1,
  variants: 2,
  maxStepLength: 400,
  dictionary: [Buffer.of(0), Buffer.of(1), Buffer.of(255), Buffer.of(4), Buffer.of(5)],

  seeds: (): Input[] =>
    RESUMPTIONS.flatMap((_, index) =>
      [0, 1, 5, 40].map((cut) => [{ kind: 0, bytes: Buffer.from([index, 0, cut, cut]) }]),
    ),

  open: (wasm, variant): Session =>
    new RefusalSession(openProxy(wasm, variant === 1 ? { steering: "hash", access_log: true } : {})),
};

class RefusalSession implements Session {
  readonly memories: WebAssembly.Memory[];

  constructor(private readonly proxy: Proxy) {
    for (const id of [ID, sha256(TICKET)]) proxy.delete(id);
    this.memories = [proxy.worker.memory("observer")];
  }

  run(input: Input): void {
    for (const { bytes } of input) this.resume(bytes);
  }

  private resume(bytes: Buffer): void {
    const plan = new Plan(bytes);
    const flights = (RESUMPTIONS[plan.next() % RESUMPTIONS.length] ?? ((): Flight[] => []))();
    const connection = this.proxy.worker.connection({ upstream: "10.0.0.7:443" });
    const inRecords = plan.next() % 2 === 1;
    let answer = 0;
    for (const { from, bytes: whole } of flights) {
      const sent = inRecords ? overRecords(Buffer.from(whole), plan) : Buffer.from(whole);
      if (from === "server" && answer === 0) answer = lastByteOfServerHello(sent);
      for (const piece of overPackets(sent, plan)) {
        if (connection.closed) break;
        if (from === "client") connection.fromClient(piece);
        else connection.fromServer(piece);
      }
    }
    this.proxy.host.tick();
    const toClient = Buffer.concat(connection.toClient);
    const { closed } = connection;
    connection.close();
    hold(closed, () => `a removed session resumed: ${toClient.length} bytes to the client`);
    const alert = toClient.subarray(-7);
    hold(
      alert[0] === 0x15 && alert.readUInt16BE(3) === 2 && alert[5] === 2,
      () => `no alert: ${toClient.toString("hex")}`,
    );
    hold(
      toClient.length - 7 <= answer,
      () => "the client got more of the server's answer than its hello before the alert",
    );
  }

  check(): void {
    bounded(this.proxy);
  }
}

/** The bytes of the plan, and zeros after its end. */
class Plan {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  next(): number {
    return this.bytes[this.at++] ?? 0;
  }
}

/** Cuts the handshake records in front of the first other record into smaller ones. */
function overRecords(bytes: Buffer, plan: Plan): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length;) {
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    if (bytes[at] !== 0x16) return Buffer.concat([...records, bytes.subarray(at)]);
    for (let from = at + 5; from < end;) {
      const length = Math.min(end - from, plan.next() || end - from);
      records.push(record(0x16, bytes.subarray(from, from + length)));
      from += length;
    }
    at = end;
  }
  return Buffer.concat(records);
}

function overPackets(bytes: Buffer, plan: Plan): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = plan.next() || bytes.length - at;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

/** The length of a server's first flight up to the end of its hello, with the record headers. */
function lastByteOfServerHello(bytes: Buffer): number {
  let wanted = Infinity;
  let message = Buffer.alloc(0);
  for (let at = 0; at + 5 <= bytes.length;) {
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    message = Buffer.concat([message, bytes.subarray(at + 5, end)]);
    if (message.length >= 4) wanted = 4 + message.readUIntBE(1, 3);
    if (message.length >= wanted) return end;
    at = end;
  }
  return 0;
}

const ID = sessionId(999);
const TICKET = ticket("fuzz", 999);
const OTHER = ticket("fuzz", 5);
const RESUMPTIONS: (() => Flight[])[] = [
  (): Flight[] => resumedById(ID),
  (): Flight[] => resumedById(ID, { version: 0x0301, sni: "shop.example" }),
  (): Flight[] => resumedByTicket(TICKET),
  (): Flight[] => resumedByTicket(TICKET, { renewed: OTHER, sni: "shop.example" }),
  (): Flight[] => tls13([TICKET], { selected: 0 }),
  (): Flight[] => tls13([OTHER, TICKET], { selected: 1, sni: "shop.example" }),
  (): Flight[] => tls13([TICKET], { selected: 0, earlyData: true }),
  // RFC 8446 D.4: a client without early data may send a change of cipher spec before its second flight.
  (): Flight[] => {
    const [hello, ...rest] = tls13([TICKET], { selected: 0 });
    return hello === undefined ? rest : [hello, { from: "client", bytes: changeCipherSpec() }, ...rest];
  },
];
