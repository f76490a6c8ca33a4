/**
 * A real Envoy with the shipped envoy.yaml and one worker, whose cache the module for measuring has filled from the main thread:
 * handshakes of a real client through the observer, one after the other, alone and beside a flush of all sessions on the same worker.
 */
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseDocument } from "yaml";
import { findEnvoy } from "../../tools/proxies/envoy_binary.ts";
import { renderEnvoyConfig } from "../../tools/proxies/envoy_config.ts";
import { startEnvoy } from "../../tools/proxies/envoy_process.ts";
import { freePorts } from "../../tools/proxies/free_ports.ts";
import { BYSTANDER_CLIENT, handshakesOf } from "../bystander_orders.ts";
import { startLoad } from "../load.ts";
import { startPart } from "../parts.ts";
import { quantile } from "../statistics.ts";
import { measuringModule, residentBytesOf } from "./in_envoy.ts";
import { Reader, type Run } from "./run.ts";

/** One row for each phase. `run` only fills. */
export async function measureBesideFlush(run: Run, modulePath: string): Promise<string[][]> {
  const load = await startLoad();
  const [tlsPort, httpsPort, adminPort, envoyAdminPort] = (await freePorts(4)) as [number, number, number, number];
  const cache = { cache: "bench", max_memory_mib: run.maxMemoryMib, cache_size: 0 };
  const ports = { tlsPort, httpsPort, adminPort, envoyAdminPort };
  const settings = { cache, admin: { admin: { tokens: [TOKEN] } }, upstreams: [load.upstream] };
  const configuration = parseDocument(renderEnvoyConfig({ ...ports, ...settings }));
  configuration.set("bootstrap_extensions", configuration.createNode([measuringModule(run, modulePath, VM_ID)]));
  const envoy = await startEnvoy({
    binary: await findEnvoy(() => undefined),
    configuration: configuration.toString(),
    envoyAdminPort,
    concurrency: 1,
    env: { ADMIN_TOKEN: TOKEN },
  });
  const client = startPart(BYSTANDER_CLIENT);
  try {
    await untilFilled(() => envoy.log(), run.sessions);
    const order = { port: tlsPort, count: HANDSHAKES, pauseMilliseconds: PAUSE_MILLISECONDS };
    await handshakesOf(client, order);
    const rows: string[][] = [];
    const add = (phase: string, seconds: number, times: number[]): void => {
      const figures = [0.5, 0.99, 0.999, 1].map((share) => quantile(times, share).toFixed(1));
      const mebibytes = (residentBytesOf(envoy.pid) / 2 ** 20).toFixed(0);
      rows.push([phase, seconds.toFixed(1), String(times.length), ...figures, mebibytes]);
    };
    const begun = performance.now();
    const alone = await handshakesOf(client, order);
    add("alone", (performance.now() - begun) / 1000, alone);
    const before = await call(adminPort, "GET", "/v1/stats");
    let isFlushing = true;
    const flushBegun = performance.now();
    const flushed = call(adminPort, "POST", "/v1/sessions/flush").finally(() => (isFlushing = false));
    const beside: number[] = [];
    do beside.push(...(await handshakesOf(client, { ...order, count: BATCH })));
    while (isFlushing);
    const { removed } = JSON.parse(await flushed) as { removed: number };
    if (removed < run.sessions)
      throw new Error(`${removed} of ${run.sessions} sessions were flushed; before: ${before}`);
    add("beside the flush", (performance.now() - flushBegun) / 1000, beside);
    const after = await handshakesOf(client, order);
    add("after it", 0, after);
    return rows;
  } finally {
    client.child.kill("SIGKILL");
    await envoy.stop();
    load.stop();
  }
}

export const BESIDE_HEAD = [
  "handshakes",
  "s",
  "number",
  "median ms",
  "99 %",
  "99.9 %",
  "longest",
  "resident MiB of Envoy",
];

async function untilFilled(log: () => string, sessions: number): Promise<void> {
  const deadline = Date.now() + (MIN_SECONDS + sessions / MIN_SESSIONS_A_SECOND) * 1000;
  for (;;) {
    const reader = new Reader();
    reader.read(log());
    if (reader.done) return;
    if (Date.now() > deadline) throw new Error(`the cache is not full in time: ${log().slice(-2000)}`);
    await sleep(200);
  }
}

function call(port: number, method: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const body = method === "POST" ? "{}" : "";
    const headers = {
      authorization: `Bearer ${TOKEN}`,
      "content-type": "application/json",
      "content-length": body.length,
    };
    const sent = request({ host: "127.0.0.1", port, method, path, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${method} ${path}: ${response.statusCode ?? 0} ${text}`));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const VM_ID = "tls_session_cache";
const TOKEN = "benchmark-0123456789";
const HANDSHAKES = 500;
const BATCH = 25;
const PAUSE_MILLISECONDS = 2;
const MIN_SECONDS = 60;
const MIN_SESSIONS_A_SECOND = 10_000;
