/**
 * Runs the module for measuring in a real Envoy of its own: on its main thread, with nothing else to do there.
 * Returns the module's measurements, and the resident memory of the Envoy before and after filling. On a worker, the filter
 * itself serves the admin API of the same cache, so that a listing can be timed as its caller sees it.
 */
import { readFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { findEnvoy } from "../../tools/proxies/envoy_binary.ts";
import { startEnvoy } from "../../tools/proxies/envoy_process.ts";
import { freePorts } from "../../tools/proxies/free_ports.ts";
import { MODULE_FILE } from "../../tools/project.ts";
import { IDLE_PHASES, type Measurements, Reader, type Run, textOf } from "./run.ts";

export async function measureInEnvoy(run: Run, modulePath: string): Promise<Measurements> {
  const [envoyAdminPort, apiPort] = (await freePorts(2)) as [number, number];
  const envoy = await startEnvoy({
    binary: await findEnvoy(() => undefined),
    configuration: configurationOf(run, modulePath, envoyAdminPort, apiPort),
    envoyAdminPort,
    concurrency: 1,
  });
  const reader = new Reader();
  const residentBytes = new Map<string, number>();
  let httpListingNanoseconds: number | undefined;
  try {
    const longestSeconds = LONGEST_SECONDS + run.sessions / MIN_SESSIONS_A_SECOND;
    const deadline = Date.now() + longestSeconds * 1000;
    while (!reader.done) {
      if (Date.now() > deadline) throw new Error(`no result after ${longestSeconds} s: ${envoy.log().slice(-2000)}`);
      await sleep(100);
      const phase = reader.phase;
      reader.read(envoy.log());
      if (reader.phase === phase || !IDLE_PHASES.some((idle) => idle === reader.phase)) continue;
      // The module idles for a second: the memory is what it is.
      await sleep(300);
      residentBytes.set(reader.phase, residentBytesOf(envoy.pid));
    }
    if (!run.hostOnly && run.removals === 0) httpListingNanoseconds = await timeListings(apiPort);
  } finally {
    await envoy.stop();
  }
  const bytesPerSession = ((residentBytes.get("filled") ?? NaN) - (residentBytes.get("before") ?? NaN)) / run.sessions;
  return {
    ...reader.measurements(),
    bytesPerSession,
    residentBytes,
    ...(httpListingNanoseconds === undefined ? {} : { httpListingNanoseconds }),
  };
}

/** The median of pages of a listing, one after the other, over one connection. */
async function timeListings(port: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  let cursor = "";
  try {
    for (let page = 0; page < LISTED_PAGES; page++) {
      const begin = process.hrtime.bigint();
      const text = await body(port, `/v1/sessions?limit=100${cursor}`, agent);
      times.push(Number(process.hrtime.bigint() - begin));
      const { next, sessions } = JSON.parse(text) as { next: string | null; sessions: unknown[] };
      if (sessions.length === 0 && next === null) throw new Error("the listing over HTTP is empty");
      cursor = next === null ? "" : `&cursor=${next}`;
    }
  } finally {
    agent.destroy();
  }
  return times.sort((a, b) => a - b)[LISTED_PAGES >> 1] ?? NaN;
}

function body(port: number, path: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const request = get({ host: "127.0.0.1", port, path, headers, agent }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`GET ${path}: ${response.statusCode ?? 0} ${text}`));
      });
    });
    request.on("error", reject);
    request.setTimeout(REQUEST_SECONDS * 1000, () => request.destroy(new Error(`no answer to GET ${path}`)));
  });
}

export function residentBytesOf(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) * 1024;
}

function configurationOf(run: Run, modulePath: string, envoyAdminPort: number, apiPort: number): string {
  return JSON.stringify({
    static_resources: { listeners: [apiListener(run, apiPort)] },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: envoyAdminPort } } },
    bootstrap_extensions: [measuringModule(run, modulePath, "bench")],
  });
}

/** Runs the module for measuring on Envoy's main thread, over the shared data of a `vm_id`. */
export function measuringModule(run: Run, modulePath: string, vmId: string): unknown {
  return {
    name: "envoy.bootstrap.wasm",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.wasm.v3.WasmService",
      singleton: true,
      config: {
        name: "bench",
        root_id: "bench",
        vm_config: { vm_id: vmId, runtime: "envoy.wasm.runtime.v8", code: { local: { filename: modulePath } } },
        configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: textOf(run) },
      },
    },
  };
}

function apiListener(run: Run, port: number): unknown {
  const settings = {
    cache: "bench",
    max_memory_mib: run.maxMemoryMib,
    cache_size: run.cacheSize,
    admin: { tokens: [TOKEN] },
  };
  const router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
  const filter = {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
    config: {
      name: "admin",
      root_id: "admin",
      allow_on_headers_stop_iteration: true,
      vm_config: { vm_id: "bench", runtime: "envoy.wasm.runtime.v8", code: { local: { filename: MODULE_FILE } } },
      configuration: {
        "@type": "type.googleapis.com/google.protobuf.StringValue",
        value: JSON.stringify(settings),
      },
    },
  };
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: "api",
    http_filters: [
      { name: "admin", typed_config: filter },
      { name: "envoy.filters.http.router", typed_config: { "@type": router } },
    ],
    route_config: {
      virtual_hosts: [
        { name: "api", domains: ["*"], routes: [{ match: { prefix: "/" }, direct_response: { status: 404 } }] },
      ],
    },
  };
  return {
    name: "api",
    address: { socket_address: { address: "127.0.0.1", port_value: port } },
    filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }] }],
  };
}

const LONGEST_SECONDS = 120;
const MIN_SESSIONS_A_SECOND = 10_000;
const REQUEST_SECONDS = 10;
const LISTED_PAGES = 301;
const TOKEN = "benchmark-0123456789";
