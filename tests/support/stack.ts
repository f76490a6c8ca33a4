/**
 * A real Envoy with the shipped envoy.yaml (other ports) in front of upstreams of a test, and its admin API.
 *
 * Promises: `startStack` returns when both listeners answer; `stop` ends everything that it started, in any state, and
 * fails if Envoy's log shows that the module trapped.
 */
import assert from "node:assert/strict";
import { Agent, request as httpRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Document, parseDocument } from "yaml";
import { findEnvoy } from "../../tools/proxies/envoy_binary.ts";
import { renderEnvoyConfig, type Settings } from "../../tools/proxies/envoy_config.ts";
import { type EnvoyProcess, startEnvoy } from "../../tools/proxies/envoy_process.ts";
import { MODULE_FILE } from "../../tools/project.ts";
import type { AnswerBody, Session } from "./answer.ts";
import { type Admin, FULL_TOKEN, READ_TOKEN, allPages } from "../contract/client.ts";
import { freePorts } from "../../tools/proxies/free_ports.ts";
import { trapLines } from "../../tools/proxies/trap_log.ts";

export interface StackOptions {
  /** `host:port` each. */
  upstreams: string[];
  /** Settings of the cache, the same for all filters. */
  cache?: Settings;
  concurrency?: number;
  /** Off by default: then Envoy's own balancing can be told from the filter's. */
  steering?: "off" | "hash" | "exact";
  /** Added to the environment of Envoy. */
  env?: Record<string, string>;
  /** Changes the configuration that was rendered. */
  change?: (configuration: Document) => void;
}

export interface Stack {
  readonly tlsPort: number;
  readonly httpsPort: number;
  readonly adminPort: number;
  readonly envoyAdminPort: number;
  readonly envoy: EnvoyProcess;
  readonly admin: Admin;
  /** All sessions that the API lists. */
  sessions(query?: string): Promise<Session[]>;
  stats(): Promise<AnswerBody>;
  /** Envoy's metrics for Prometheus. */
  prometheus(): Promise<string>;
  stop(): Promise<void>;
}

export async function startStack(options: StackOptions): Promise<Stack> {
  const [tlsPort, httpsPort, adminPort, envoyAdminPort] = (await freePorts(4)) as [number, number, number, number];
  const configuration = parseDocument(
    renderEnvoyConfig({
      tlsPort,
      httpsPort,
      adminPort,
      envoyAdminPort,
      upstreams: options.upstreams,
      modulePath: MODULE_FILE,
      observer: { steering: options.steering ?? "off" },
      ...(options.cache === undefined ? {} : { cache: options.cache }),
    }),
  );
  options.change?.(configuration);
  const envoy = await startEnvoy({
    binary: await findEnvoy(() => undefined),
    configuration: configuration.toString(),
    envoyAdminPort,
    concurrency: options.concurrency ?? 2,
    env: { ADMIN_TOKEN: FULL_TOKEN, ADMIN_READ_TOKEN: READ_TOKEN, ...options.env },
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const admin = adminClient(adminPort, agent);
  const stack: Stack = {
    tlsPort,
    httpsPort,
    adminPort,
    envoyAdminPort,
    envoy,
    admin,
    sessions: (query = "") => allPages<Session>(admin, `/v1/sessions?limit=1000${query}`, "sessions"),
    stats: async () => (await admin("GET", "/v1/stats")).json,
    prometheus: async () => (await fetch(`http://127.0.0.1:${envoyAdminPort}/stats/prometheus`)).text(),
    stop: async () => {
      agent.destroy();
      await envoy.stop();
      assertNoTrap(envoy.log());
    },
  };
  try {
    await eventually("the admin API answers", async () => {
      const { status } = await admin("GET", "/healthz", { token: null });
      assert.equal(status, 200);
    });
  } catch (error) {
    agent.destroy();
    await envoy.stop();
    throw new Error(`${String(error)}\nEnvoy's log ends:\n${envoy.log().slice(-3000)}`, { cause: error });
  }
  return stack;
}

/** An API client that sends the path as it is, and reads an answer even if the server does not read the whole body. */
export function adminClient(port: number, agent?: Agent): Admin {
  return (method, path, { body, headers = {}, token = FULL_TOKEN } = {}) =>
    new Promise((resolve, reject) => {
      const bytes = body === undefined ? undefined : bytesOf(body);
      const sent: Record<string, string | number> = { ...headers };
      if (token !== null) sent.authorization = `Bearer ${token}`;
      if (bytes !== undefined) sent["content-length"] = bytes.length;
      const options = { host: "127.0.0.1", port, method, path, headers: sent, agent: agent ?? false };
      const request = httpRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          const received = Object.fromEntries(
            Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
          );
          // Envoy's own refusals, such as of headers that are too large, are plain text.
          const isJson = text !== "" && /\bjson\b/.test(received["content-type"] ?? "");
          const json = isJson ? (JSON.parse(text) as AnswerBody) : {};
          resolve({ status: response.statusCode ?? 0, headers: received, text, json });
        });
      });
      request.setTimeout(ANSWER_SECONDS * 1000, () => request.destroy(new Error(`no answer to ${method} ${path}`)));
      request.on("error", reject);
      request.end(bytes);
    });
}

/** Tries until it does not throw any more; the last reason is in the message if it never stops. */
export async function eventually<T>(what: string, attempt: () => Promise<T> | T, seconds = 10): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(`expected within ${seconds} s: ${what}; but ${String(error)}`, { cause: error });
      }
    }
    await sleep(25);
  }
}

export function assertNoTrap(log: string): void {
  assert.deepEqual(trapLines(log), [], "the module never traps");
}

/** Runs `act` for each item, at most `width` at a time. */
export async function inParallel<T, R>(items: readonly T[], width: number, act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array<R>(items.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await act(items[index] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}

function bytesOf(body: unknown): Buffer {
  if (typeof body === "string" || body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(JSON.stringify(body));
}

const ANSWER_SECONDS = 20;
