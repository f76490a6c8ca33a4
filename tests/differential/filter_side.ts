/**
 * The built filter module, with the interface of the reference. It gets operations as admin requests and as bytes of TLS
 * handshakes, on a fake host whose clock it sets. Two workers get them in turn, so no result may depend on one VM's memory.
 */
import { FULL_TOKEN } from "../contract/client.ts";
import type { RemovedSession, Session } from "../support/answer.ts";
import { type Answer, FakeHost, type Flight, type Worker } from "../fake_host/fake_host.ts";
import { adminSettings, observerSettings } from "../fake_host/proxy.ts";
import * as tls from "../support/tls_bytes.ts";
import { MODE_FLAGS, type Operation } from "./operations.ts";
import { DEFAULT_SIZE, DEFAULT_TIMEOUT_SECONDS, type Exchange, type State, listOf, modeText } from "./reference.ts";

export const START_SECONDS = 1_790_000_000;
/** Short, so that tombstones end within a sequence. */
export const REMOVED_SECONDS = 60;
/** The background sweeper runs every five seconds, and keeps expired sessions for five. */
export const SWEEP_SECONDS = 5;
export const STAY_SECONDS = 5;

export class FilterSide {
  private readonly host = new FakeHost();
  private readonly workers: Worker[] = [];
  private readonly slots: Map<string, number>;
  private steps = 0;

  constructor(private readonly ids: readonly Buffer[]) {
    this.slots = new Map(ids.map((id, slot) => [id.toString("hex"), slot]));
    this.host.clock.microsecondsPerReading = 0;
    this.host.clock.set(START_SECONDS);
    const cache = {
      cache_size: DEFAULT_SIZE,
      timeout: DEFAULT_TIMEOUT_SECONDS,
      removed_seconds: REMOVED_SECONDS,
      // Few pages, so that some sessions share one.
      max_memory_mib: 1,
    };
    for (let i = 0; i < WORKERS; i++) {
      const worker = this.host.worker();
      if (!worker.configure("observer", observerSettings(cache)) || !worker.configure("admin", adminSettings(cache))) {
        throw new Error(`the module refused its configuration: ${this.host.log.at(-1)?.text ?? ""}`);
      }
      this.workers.push(worker);
    }
  }

  /** `exchange`: a handshake as the server has decided it. */
  apply(operation: Operation, exchange: Exchange | undefined): string {
    this.steps++;
    // Within a second, this cache orders by the clock, libssl by the calls.
    this.host.clock.move(0.000_001);
    switch (operation.kind) {
      case "size":
        return this.set("cache-size", { cache_size: operation.size }, String);
      case "timeout":
        return this.set("timeout", { timeout: operation.seconds }, String);
      case "mode": {
        const mode = operation.flags.length === 0 ? ["OFF"] : operation.flags;
        return this.set("mode", { mode }, (previous) => modeText(flagsOf(previous as string[])));
      }
      case "add":
        return outcomeOf(this.request("PUT", this.path(operation.slot), operation.fields), 200, 201);
      case "remove":
        return outcomeOf(this.request("DELETE", this.path(operation.slot)), 200, 404);
      case "flush": {
        const body = operation.offset === undefined ? {} : { before: this.host.clock.seconds + operation.offset };
        return `removed ${String(this.request("POST", "/v1/sessions/flush", body).json.removed)}`;
      }
      case "pass":
        this.host.clock.move(operation.seconds);
        return "";
      case "sweep":
        this.host.clock.move(SWEEP_SECONDS);
        this.host.tick();
        return "";
      case "handshake":
        return this.handshake(exchange);
    }
  }

  state(): State {
    const sessions = this.list<Session>("/v1/sessions", "sessions");
    const removed = this.list<RemovedSession>("/v1/removed", "removed");
    const metric = (name: string): number => this.host.metrics.value(`tls_session_cache_${name}.cache.default`);
    return {
      number: metric("sessions"),
      hits: metric("hits_total"),
      misses: metric("misses_total"),
      timeouts: metric("timeouts_total"),
      cacheFull: metric("full_total"),
      held: listOf(sessions.map(({ id, time, timeout }) => [this.slot(id), time + timeout])),
      refused: listOf(removed.map(({ id, until }) => [this.slot(id), until])),
    };
  }

  /** The same counters, from the API. */
  statistics(): Partial<State> {
    const { json } = this.request("GET", "/v1/stats");
    const { cache_full, hits, misses, number, timeouts } = json as Record<string, number | undefined>;
    return {
      number: number ?? NaN,
      hits: hits ?? NaN,
      misses: misses ?? NaN,
      timeouts: timeouts ?? NaN,
      cacheFull: cache_full ?? NaN,
    };
  }

  statusOf(slot: number): number {
    return this.request("GET", this.path(slot)).status;
  }

  private handshake(exchange: Exchange | undefined): string {
    if (exchange === undefined) throw new Error("a handshake needs its bytes");
    const { brokenOff, issued, offered, resumed } = exchange;
    const connection = this.worker.connection({ upstream: "10.0.0.7:443" });
    let flights: Flight[];
    if (resumed) {
      flights = tls.resumedById(this.id(offered));
    } else {
      const id = issued === undefined ? Buffer.alloc(0) : this.id(issued);
      flights = tls.fullWithId(id, offered === undefined ? {} : { offered: this.id(offered) });
    }
    connection.exchange(brokenOff ? flights.slice(0, 2) : flights).close();
    const received = Buffer.concat(connection.toClient);
    if (received.subarray(-ALERT.length).equals(ALERT)) {
      // Only the server's ServerHello may stand in front of the alert.
      const hello = Buffer.from(flights[1]?.bytes ?? []).subarray(0, received.length - ALERT.length);
      const isHello = hello[5] === SERVER_HELLO && hello.length === 5 + hello.readUInt16BE(3);
      const before = received.subarray(0, -ALERT.length);
      return isHello && before.equals(hello) ? "cut off" : `more than an alert: ${received.toString("hex")}`;
    }
    return `${resumed ? "resumed" : "full"}, issued ${issued ?? "none"}`;
  }

  private set(setting: string, body: Record<string, unknown>, show: (previous: unknown) => string): string {
    const { json, status, text } = this.request("PUT", `/v1/${setting}`, body);
    if (status === 422) return "refused";
    return status === 200 ? `previous ${show(json.previous)}` : `${status} ${text}`;
  }

  private list<T>(path: string, field: "sessions" | "removed"): T[] {
    const { json } = this.request("GET", `${path}?limit=1000`);
    if (json.next !== null) throw new Error(`${path} did not fit into one page`);
    return json[field] as T[];
  }

  private request(method: string, path: string, body?: unknown): Answer {
    return this.worker.request(method, path, { token: FULL_TOKEN, ...(body === undefined ? {} : { body }) });
  }

  private get worker(): Worker {
    return this.workers[this.steps % WORKERS] as Worker;
  }

  private path(slot: number): string {
    return `/v1/sessions/${this.id(slot).toString("hex")}`;
  }

  private id(slot: number | undefined): Buffer {
    const id = this.ids[slot ?? -1];
    if (id === undefined) throw new Error(`there is no slot ${slot}`);
    return id;
  }

  private slot(id: string): number {
    return this.slots.get(id) ?? -1;
  }
}

function outcomeOf({ json, status, text }: Answer, ...statuses: number[]): string {
  return statuses.includes(status) ? `${json.result} ${json.outcome}` : `${status} ${text}`;
}

function flagsOf(names: readonly string[]): number {
  return names.reduce((mode, name) => mode | (MODE_FLAGS[name as keyof typeof MODE_FLAGS] ?? 0), 0);
}

const WORKERS = 2;
/** A TLS record of type alert (RFC 5246 6.2.1): handshake_failure, fatal. */
const ALERT = Buffer.from("15030300020228", "hex");
const SERVER_HELLO = 2;
