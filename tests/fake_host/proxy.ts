/** A fake host with workers that run the observer and the admin API on one cache, and short words for what tests do. */
import assert from "node:assert/strict";
import type { Session } from "../support/answer.ts";
import { type Admin, FULL_TOKEN, READ_TOKEN, allPages } from "../contract/client.ts";
import { type Answer, type Connection, FakeHost, type Flight, type RequestOptions, type Worker } from "./fake_host.ts";

export interface ProxyOptions {
  workers?: number;
  /** Settings of the cache, the same for all filters. */
  cache?: Record<string, unknown>;
  /** Settings of the observer alone. */
  observer?: Record<string, unknown>;
  host?: FakeHost;
}

export class Proxy {
  readonly host: FakeHost;
  readonly workers: Worker[] = [];

  constructor({ workers = 2, cache = {}, observer = {}, host = new FakeHost() }: ProxyOptions = {}) {
    this.host = host;
    for (let i = 0; i < workers; i++) {
      const worker = host.worker();
      assert.ok(
        worker.configure("observer", { ...observerSettings(cache), ...observer }),
        this.lastLog("the observer refused"),
      );
      assert.ok(worker.configure("admin", adminSettings(cache)), this.lastLog("the admin filter refused"));
      this.workers.push(worker);
    }
  }

  get worker(): Worker {
    return this.on(0);
  }

  on(worker: number): Worker {
    const found = this.workers[worker];
    if (found === undefined) throw new Error(`there is no worker ${worker}`);
    return found;
  }

  request(method: string, path: string, options: RequestOptions = {}, worker = this.worker): Answer {
    return worker.request(method, path, { token: FULL_TOKEN, ...options });
  }

  put(id: Buffer | string, fields: Record<string, unknown> = {}, worker = this.worker): Answer {
    return this.request("PUT", `/v1/sessions/${hex(id)}`, { body: fields }, worker);
  }

  delete(id: Buffer | string, worker = this.worker): Answer {
    return this.request("DELETE", `/v1/sessions/${hex(id)}`, {}, worker);
  }

  get(id: Buffer | string, worker = this.worker): Answer {
    return this.request("GET", `/v1/sessions/${hex(id)}`, {}, worker);
  }

  /** The record of a session that must be held. */
  session(id: Buffer | string): Session {
    const answer = this.get(id);
    assert.equal(answer.status, 200, answer.text);
    return answer.json as unknown as Session;
  }

  flush(body: Record<string, unknown> = {}): Answer {
    return this.request("POST", "/v1/sessions/flush", { body });
  }

  async list(query = ""): Promise<Session[]> {
    return allPages<Session>(this.admin(), `/v1/sessions?limit=1000${query}`, "sessions");
  }

  /** The statistic of that name, wherever it stands among the others. */
  stat(name: string): number {
    const { json } = this.request("GET", "/v1/stats");
    const inner = Object.values(json).find((value) => isObject(value) && name in value) as Record<string, unknown>;
    const value = name in json ? json[name] : inner?.[name];
    assert.equal(typeof value, "number", `there is no statistic "${name}" in ${JSON.stringify(json)}`);
    return value as number;
  }

  /** `number`, which the listing must always agree with. */
  async number(): Promise<number> {
    const number = this.stat("number");
    assert.equal((await this.list()).length, number, "the listing and the number agree");
    return number;
  }

  /** A whole connection: opened, used, closed. */
  handshake(flights: Flight[], upstream = "10.0.0.7:443", worker = this.worker): Connection {
    const connection = worker.connection({ upstream }).exchange(flights);
    connection.close();
    return connection;
  }

  set(setting: "mode" | "cache-size" | "timeout", body: Record<string, unknown>): void {
    const answer = this.request("PUT", `/v1/${setting}`, { body });
    assert.equal(answer.status, 200, answer.text);
    this.host.pass(1);
  }

  /** As the contract's tests want it. Requests go to the workers in turn. */
  admin(): Admin {
    let turn = 0;
    return async (method, path, { body, headers = {}, token = FULL_TOKEN } = {}) => {
      const worker = this.on(turn++ % this.workers.length);
      const options: RequestOptions = { body, headers };
      if (token !== null) options.token = token;
      return worker.request(method, path, options);
    };
  }

  private lastLog(what: string): string {
    return `${what} its configuration: ${this.host.log.at(-1)?.text ?? "(no log)"}`;
  }
}

export function observerSettings(cache: Record<string, unknown> = {}): Record<string, unknown> {
  return { cache: "default", ...cache };
}

export function adminSettings(cache: Record<string, unknown> = {}): Record<string, unknown> {
  return { cache: "default", ...cache, admin: { tokens: [FULL_TOKEN], read_tokens: [READ_TOKEN] } };
}

export function hex(id: Buffer | string): string {
  return typeof id === "string" ? id : id.toString("hex");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
