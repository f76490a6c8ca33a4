/** One proxy of the demonstration: the shipped envoy.yaml, with `deploy/fleet/`, on free ports of 127.0.0.1. */
import { Agent, request as httpRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseDocument } from "yaml";
import { findEnvoy } from "../../proxies/envoy_binary.ts";
import { renderEnvoyConfig } from "../../proxies/envoy_config.ts";
import { type EnvoyProcess, startEnvoy } from "../../proxies/envoy_process.ts";
import { joinFleet } from "../../proxies/fleet_config.ts";
import { freePorts } from "../../proxies/free_ports.ts";
import { MODULE_FILE } from "../../project.ts";

export interface ProxyOptions {
  name: string;
  /** `host:port` of each. */
  etcd: string[];
  upstreams: string[];
  /** Whether resumptions wait for the fleet's decisions when it starts. */
  waits: boolean;
}

export class FleetProxy {
  tlsPort = 0;
  private adminPort = 0;
  private envoy: EnvoyProcess | undefined;
  private readonly agent = new Agent({ keepAlive: true });

  constructor(readonly options: ProxyOptions) {}

  get name(): string {
    return this.options.name;
  }

  /** Starts it, on other ports than before; `isReady` false: returns as soon as its listeners are open. */
  async start(isReady = true): Promise<void> {
    const { name, etcd, upstreams, waits } = this.options;
    const [tlsPort, httpsPort, adminPort, envoyAdminPort] = (await freePorts(4)) as [number, number, number, number];
    const start = { fleet: { start: waits ? "wait" : "serve" } };
    const configuration = parseDocument(
      renderEnvoyConfig({
        ...{ tlsPort, httpsPort, adminPort, envoyAdminPort, upstreams, modulePath: MODULE_FILE },
        observer: { steering: "hash", ...start },
        guard: start,
      }),
    );
    joinFleet(configuration, { name, etcd, modulePath: MODULE_FILE });
    this.tlsPort = tlsPort;
    this.adminPort = adminPort;
    this.envoy = await startEnvoy({
      binary: await findEnvoy(() => undefined),
      configuration: configuration.toString(),
      envoyAdminPort,
      concurrency: 2,
      env: { ADMIN_TOKEN: TOKEN, ADMIN_READ_TOKEN: undefined },
    });
    if (isReady) await this.untilReady();
  }

  async stop(): Promise<void> {
    await this.envoy?.stop();
    this.envoy = undefined;
  }

  async end(): Promise<void> {
    await this.stop();
    this.agent.destroy();
  }

  /** Waits until `GET /readyz` answers 200: whatever the fleet has decided is in force here. */
  async untilReady(seconds = 10): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while ((await this.call("GET", "/readyz").catch(() => 0)) !== 200) {
      if (Date.now() > deadline) throw new Error(`${this.name} is not ready after ${seconds} s`);
      await sleep(10);
    }
  }

  /** The status of a call of its admin API. */
  call(method: string, path: string, body?: unknown): Promise<number> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = { authorization: `Bearer ${TOKEN}`, "content-length": text === undefined ? 0 : text.length };
      const options = { host: "127.0.0.1", port: this.adminPort, method, path, headers, agent: this.agent };
      const request = httpRequest(options, (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0));
      });
      request.setTimeout(ANSWER_SECONDS * 1000, () =>
        request.destroy(new Error(`${this.name}: no answer to ${method} ${path}`)),
      );
      request.on("error", reject);
      request.end(text);
    });
  }

  /** Waits until it refuses a session. Returns after how many milliseconds it did. */
  async untilRefused(id: string, seconds = 10): Promise<number> {
    const begun = performance.now();
    while ((await this.call("GET", `/v1/sessions/${id}`)) !== 410) {
      if (performance.now() - begun > seconds * 1000)
        throw new Error(`${this.name} does not refuse ${id} after ${seconds} s`);
      await sleep(1);
    }
    return performance.now() - begun;
  }
}

const TOKEN = "demo-token-0123456789";
const ANSWER_SECONDS = 10;
