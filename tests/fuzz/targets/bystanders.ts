/** Sessions and refusals that no input names, and the promises of a proxy that hold after any input. */
import assert from "node:assert/strict";
import { FakeHost } from "../../fake_host/fake_host.ts";
import { observerSettings, adminSettings, Proxy } from "../../fake_host/proxy.ts";
import { fullWithId, resumedById, sha256 } from "../../support/tls_bytes.ts";
import { hold, Violation } from "../input.ts";

/** One worker with observer and admin API. The admin filter's configuration leaves out the observer's own fields. */
export function openProxy(wasm: WebAssembly.Module, settings: Record<string, unknown>): Proxy {
  const host = new FakeHost({}, false, wasm);
  const proxy = new Proxy({ workers: 0, host });
  const worker = host.worker();
  proxy.workers.push(worker);
  const { access_log, steering, ...cache } = settings;
  const observer = {
    ...(access_log === undefined ? {} : { access_log }),
    ...(steering === undefined ? {} : { steering }),
  };
  for (const [root, configuration] of [
    ["observer", observerSettings({ ...cache, ...observer })],
    ["admin", adminSettings(cache)],
  ] as const) {
    if (!worker.configure(root, configuration)) throw new Error(`refused: ${host.log.at(-1)?.text ?? ""}`);
  }
  return proxy;
}

export class Bystanders {
  private readonly texts: string[];
  private checks = 0;

  constructor(private readonly proxy: Proxy) {
    for (const id of KEPT)
      proxy.put(id, { sni: "bystander.example", upstream: "10.0.0.9:443", timeout: 2_000_000_000 });
    for (const id of REMOVED) proxy.delete(id);
    this.texts = KEPT.map((id) => proxy.get(id).text);
  }

  check(): void {
    const { proxy } = this;
    KEPT.forEach((id, index) => {
      const { text } = proxy.get(id);
      hold(
        text === this.texts[index],
        () => `a session that no input named was ${this.texts[index] ?? ""}, is ${text}`,
      );
    });
    for (const id of REMOVED) {
      const { status } = proxy.get(id);
      hold(status === 410, () => `a removed session that no input named answers ${status}`);
      const { closed, toClient } = this.resume(id);
      const refused = closed && Buffer.concat(toClient).subarray(-7)[0] === 0x15;
      hold(refused, () => "a removed session that no input named resumes");
    }
    const fresh = sha256(Buffer.from(`fresh ${this.checks++}`));
    proxy.handshake(fullWithId(fresh));
    const { status } = proxy.get(fresh);
    hold(status === 200, () => `a full handshake afterwards was not learned: ${status}`);
    bounded(proxy);
  }

  private resume(id: Buffer): { closed: boolean; toClient: Buffer[] } {
    const connection = this.proxy.worker.connection({ upstream: "10.0.0.9:443" });
    for (const { from, bytes } of resumedById(id)) {
      if (from === "client") connection.fromClient(bytes);
      else connection.fromServer(bytes);
    }
    this.proxy.host.pass(2);
    const { closed, toClient } = connection;
    connection.close();
    return { closed, toClient };
  }
}

/** Checks the sizes of linear memory and of shared data. */
export function bounded({ host, worker }: Proxy): void {
  const { memoryBytes } = worker;
  hold(memoryBytes <= MAX_MEMORY_BYTES, () => `linear memory has grown to ${memoryBytes} bytes`);
  const { bytes } = host.sharedData;
  hold(bytes <= MAX_SHARED_BYTES, () => `shared data has grown to ${bytes} bytes`);
}

/** Checks an answer of the admin API against the contract. The fake host has already read it as UTF-8 and JSON. */
export function assertAnswer(
  answer: { status: number; headers: Record<string, string>; json: Record<string, unknown> },
  isHead: boolean,
): void {
  const { headers, json, status } = answer;
  // The page, which alone is not JSON and may be kept.
  if (headers["content-encoding"] === "gzip" || status === 304) {
    hold(
      headers["content-security-policy"]?.startsWith("default-src 'none'") === true,
      () => "a page without a policy",
    );
    hold(status === 304 || headers["content-type"] === "text/html; charset=utf-8", () => "a page of another type");
    return;
  }
  hold(STATUSES.has(status), () => `status ${status} is not in the contract`);
  hold(status !== 503 || headers["retry-after"] !== undefined, () => "503 without Retry-After");
  hold(headers["cache-control"] === "no-store", () => `cache-control: ${String(headers["cache-control"])}`);
  for (const value of Object.values(headers)) {
    hold(!/[\x00-\x1f\x7f]/.test(value), () => `a header with control characters: ${JSON.stringify(value)}`);
  }
  if (isHead) return;
  const isProblem = status >= 400 && json.outcome !== "not_found";
  const type = headers["content-type"] ?? "";
  const right = isProblem ? ["application/problem+json"] : ["application/json", "application/x-ndjson"];
  hold(right.includes(type), () => `status ${status} as ${type}`);
  if (!isProblem) return;
  try {
    assert.equal(typeof json.title, "string");
    assert.equal(typeof json.detail, "string");
    assert.equal(json.status, status);
  } catch (error) {
    throw new Violation(`status ${status}: ${(error as Error).message}`);
  }
}

const KEPT = [1, 2, 3].map((number) => sha256(Buffer.from(`kept bystander ${number}`)));
const REMOVED = [1, 2].map((number) => sha256(Buffer.from(`removed bystander ${number}`)));
/** For observer and admin API together. They have 2 MiB at rest. */
const MAX_MEMORY_BYTES = 16 * 1024 * 1024;
const MAX_SHARED_BYTES = 16 * 1024 * 1024;
const STATUSES: ReadonlySet<number> = new Set([200, 201, 400, 401, 403, 404, 405, 406, 410, 413, 422, 503]);
