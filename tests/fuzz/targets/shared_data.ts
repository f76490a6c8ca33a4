/**
 * Values in shared data, damaged between calls: a page, the directory, settings, tables, the log of events.
 *
 * The first byte of a step is the number of its session; the rest depends on its kind. Promises: nothing traps or hangs.
 * Answers keep to the contract. Memory stays bounded. If only pages of the cache are damaged, each broken page is counted
 * and rebuilt when it is read.
 */
import type { Proxy } from "../../fake_host/proxy.ts";
import { fullWithId, fullWithTicket, resumedById, sessionId, ticket, tls13 } from "../../support/tls_bytes.ts";
import type { Input, Session, Target } from "../input.ts";
import { hold } from "../input.ts";
import { assertAnswer, bounded, openProxy } from "./bystanders.ts";
import { isPage, isPageKey } from "./page.ts";

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
  variants: 3,
  maxStepLength: 300,
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
    new SharedDataSession(
      openProxy(wasm, { max_memory_mib: 1, ...(variant === STEERING ? { steering: "hash" } : {}) }),
      variant === PAGES_ONLY,
    ),
};

class SharedDataSession implements Session {
  readonly memories: WebAssembly.Memory[];
  /** The values at the start of the session, which damage may restore. */
  private readonly old = new Map<string, Buffer>();

  constructor(
    private readonly proxy: Proxy,
    /** Damages only pages, so the directory still has all of them. */
    private readonly isForPages: boolean,
  ) {
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

  /** The bytes: a way, 2 bytes that choose the key, 2 that choose the place, then the bytes to put there. */
  private damage(bytes: Buffer): void {
    if (bytes.length < 5) return;
    const { sharedData: shared } = this.proxy.host;
    const keys = shared.keys().filter((key) => !this.isForPages || isPageKey(key));
    const key = keys[bytes.readUInt16BE(1) % Math.max(keys.length, 1)];
    if (key !== undefined) this.damageValue(key, bytes.readUInt8(0), bytes.readUInt16BE(3), bytes.subarray(5));
  }

  /** The bytes: the end of a key's name, a zero, then as above without the key. The order of keys does not matter then. */
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
    if (this.isForPages && !isPageKey(key)) return;
    // An earlier page, or another one, is valid: the filter cannot notice it.
    const ways = this.isForPages ? WAYS_OF_BREAKING : WAYS;
    shared.damage(key, this.damaged(way % ways, key, value, at, given));
  }

  private damaged(way: number, key: string, value: Buffer, at: number, given: Buffer): Buffer {
    switch (way) {
      case 0: // bits changed
        for (let i = 0; i < given.length && at + i < value.length; i++)
          value[at + i] = (value[at + i] ?? 0) ^ (given[i] ?? 0);
        return value;
      case 1: // bytes overwritten
        given.copy(value, at);
        return value;
      case 2: // cut
        return value.subarray(0, at);
      case 3: // longer
        return Buffer.concat([value, given]);
      case 4: // bytes inserted
        return Buffer.concat([value.subarray(0, at), given, value.subarray(at)]);
      case 5: // another value
        return given;
      case 6: // all bits set from there on
        return value.fill(0xff, at);
      case 7: // its value at the start
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
    if (this.isForPages) this.holdPages();
    bounded(this.proxy);
  }

  /** A listing reads every page once. */
  private holdPages(): void {
    const { host } = this.proxy;
    const broken = this.brokenPages();
    const before = host.metric("corrupted_pages_total");
    let cursor: string | null = "";
    for (let pages = 0; cursor !== null; pages++) {
      hold(pages < MAX_LISTINGS, () => `the listing has not ended after ${MAX_LISTINGS} pages`);
      const { json, status, text } = this.proxy.request("GET", `/v1/sessions?limit=1000${cursor}`);
      hold(status === 200, () => `the listing answers ${status}: ${text}`);
      cursor = typeof json.next === "string" ? `&cursor=${json.next}` : null;
    }
    const counted = host.metric("corrupted_pages_total") - before;
    hold(
      counted === broken.length,
      () => `${broken.length} pages were damaged and ${counted} counted: ${broken.join(", ")}`,
    );
    const left = this.brokenPages();
    hold(left.length === 0, () => `still broken after they were read: ${left.join(", ")}`);
  }

  private brokenPages(): string[] {
    const { sharedData: shared } = this.proxy.host;
    return shared.keys().filter((key) => isPageKey(key) && !isPage(Buffer.from(shared.peek(key) ?? [])));
  }
}

const WAYS = 9;
const WAYS_OF_BREAKING = 7;
/** Variants. */
const STEERING = 1;
const PAGES_ONLY = 2;
const MAX_LISTINGS = 100;
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
