/**
 * Values in shared data that another hand has changed, between calls: a page, the directory, settings, tables, the log of events.
 *
 * The first byte of a step is a number, of the session it is about, the rest depends on its kind. Promises: nothing traps or hangs; answers
 * stay within the contract; memory stays bounded.
 */
import type { Proxy } from "../../wasm/proxy.ts";
import { fullWithId, fullWithTicket, resumedById, sessionId, ticket, tls13 } from "../../wasm/tls_bytes.ts";
import type { Input, Session, Target } from "../input.ts";
import { assertAnswer, bounded, openProxy } from "./bystanders.ts";

const DAMAGE = 0;
const REQUESTS = ["PUT", "GET", "DELETE"];
const FIRST_REQUEST = 1;
const HANDSHAKE = 4;
const LISTING = 5;
const TIME_PASSES = 6;
const NAMED_DAMAGE = 7;

export const sharedData: Target = {
  name: "shared_data",
  kinds: 8,
  variants: 2,
  longestStep: 300,
  dictionary: [
    "00",
    "ffffffff",
    "00000000",
    "ffffffffffffffff",
    "0100",
    "ffff",
    "7fffffff",
    "20",
    "0000000000000080",
  ].map((text) => Buffer.from(text, "hex")),

  seeds(): Input[] {
    const seeds: Input[] = [];
    for (let way = 0; way < WAYS; way++) {
      for (let key = 0; key < 12; key++) {
        seeds.push([
          { kind: DAMAGE, bytes: Buffer.from([way, 0, key * 5, 0, key * 3, 0xff, 0x80, 0, 1]) },
          ...[1, 2, 3, 4, 5, 6].map((kind) => ({ kind, bytes: Buffer.from([key]) })),
        ]);
      }
    }
    return seeds;
  },

  open: (wasm, variant): Session =>
    new SharedDataSession(openProxy(wasm, { max_memory_mib: 1, ...(variant === 1 ? { steering: "hash" } : {}) })),
};

class SharedDataSession implements Session {
  readonly memories: WebAssembly.Memory[];
  /** Values as they were when the session was opened: to go back to. */
  private readonly old = new Map<string, Buffer>();

  constructor(private readonly proxy: Proxy) {
    for (let i = 0; i < 24; i++) proxy.put(sessionId(i), { sni: `${i}.example`, upstream: "10.0.0.7:443" });
    for (let i = 0; i < 6; i++) proxy.delete(sessionId(i));
    for (let i = 0; i < 4; i++) proxy.handshake(fullWithTicket(ticket("fuzz", i)));
    proxy.request("PUT", "/v1/revocations/shop.example");
    const { sharedData: shared } = proxy.host;
    for (const key of shared.keys()) this.old.set(key, Buffer.from(shared.peek(key) ?? []));
    this.memories = [proxy.worker.memory("observer"), proxy.worker.memory("admin")];
  }

  run(input: Input): void {
    for (const { kind, bytes } of input) this.step(kind, bytes);
  }

  private step(kind: number, bytes: Buffer): void {
    const { host, worker } = this.proxy;
    const number = bytes[0] ?? 0;
    const id = sessionId(number % 40);
    const request = REQUESTS[kind - FIRST_REQUEST];
    if (kind === DAMAGE) this.damage(bytes);
    else if (kind === NAMED_DAMAGE) this.damageNamed(bytes);
    else if (request !== undefined)
      this.ask(request, `/v1/sessions/${id.toString("hex")}`, request === "PUT" ? "{}" : "");
    else if (kind === LISTING) this.ask("GET", LISTINGS[number % LISTINGS.length] ?? "", "");
    else if (kind === TIME_PASSES) host.pass((number % 32) / 8);
    else if (kind === HANDSHAKE) {
      const flights = [
        fullWithId(id),
        resumedById(id),
        fullWithTicket(ticket("fuzz", number)),
        tls13([ticket("fuzz", number)], { selected: 0 }),
      ];
      const connection = worker.connection({ upstream: "10.0.0.7:443" });
      for (const { from, bytes: piece } of flights[number % flights.length] ?? []) {
        if (connection.closed) break;
        if (from === "client") connection.fromClient(piece);
        else connection.fromServer(piece);
      }
      connection.close();
    }
  }

  /** A way, two bytes that choose the key, two that say where, then what is put there. */
  private damage(bytes: Buffer): void {
    if (bytes.length < 5) return;
    const { sharedData: shared } = this.proxy.host;
    const keys = shared.keys();
    const key = keys[bytes.readUInt16BE(1) % Math.max(keys.length, 1)];
    if (key !== undefined) this.damageValue(key, bytes.readUInt8(0), bytes.readUInt16BE(3), bytes.subarray(5));
  }

  /** The end of a key's name, a zero, then as above without the key: what was found is of that value wherever it comes to stand. */
  private damageNamed(bytes: Buffer): void {
    const end = bytes.indexOf(0);
    if (end < 1 || bytes.length < end + 4) return;
    const name = bytes.toString("latin1", 0, end);
    const key = this.proxy.host.sharedData.keys().find((one) => one.endsWith(name));
    const rest = bytes.subarray(end + 1);
    if (key !== undefined) this.damageValue(key, rest.readUInt8(0), rest.readUInt16BE(1), rest.subarray(3));
  }

  private damageValue(key: string, way: number, where: number, given: Buffer): void {
    const { sharedData: shared } = this.proxy.host;
    const value = Buffer.from(shared.peek(key) ?? []);
    const at = where % (value.length + 1);
    shared.damage(key, this.damaged(way % WAYS, key, value, at, given));
  }

  private damaged(way: number, key: string, value: Buffer, at: number, given: Buffer): Buffer {
    switch (way) {
      case 0: // bits changed
        for (let i = 0; i < given.length && at + i < value.length; i++)
          value[at + i] = (value[at + i] ?? 0) ^ (given[i] ?? 0);
        return value;
      case 1: // bytes put over
        given.copy(value, at);
        return value;
      case 2: // cut
        return value.subarray(0, at);
      case 3: // longer
        return Buffer.concat([value, given]);
      case 4: // bytes put in
        return Buffer.concat([value.subarray(0, at), given, value.subarray(at)]);
      case 5: // another value
        return given;
      case 6: // all ones from there on
        return value.fill(0xff, at);
      case 7: // as it once was
        return this.old.get(key) ?? Buffer.alloc(0);
      default: {
        // the value of another key
        const names = [...this.old.keys()];
        return this.old.get(names[at % Math.max(names.length, 1)] ?? "") ?? value;
      }
    }
  }

  private ask(method: string, path: string, body: string): void {
    const answer = this.proxy.request(method, path, body === "" ? {} : { body });
    assertAnswer(answer, false);
  }

  check(): void {
    bounded(this.proxy);
  }
}

const WAYS = 9;
const LISTINGS = [
  "/v1/sessions?limit=1000",
  "/v1/removed?limit=1000",
  "/v1/ticket-keys",
  "/v1/revocations",
  "/v1/events?limit=1000",
  "/v1/stats",
  "/v1/mode",
  "/v1/enforcement",
];
