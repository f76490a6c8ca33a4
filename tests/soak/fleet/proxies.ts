/** The proxies of the soak: those that live now, their memory, and how each is killed and started again. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, isSeq, parse, type YAMLMap } from "yaml";
import { joinFleet } from "../../../tools/proxies/fleet_config.ts";
import { trapLines } from "../../../tools/proxies/trap_log.ts";
import { MODULE_FILE, PROJECT_FOLDER } from "../../../tools/project.ts";
import { fleetState } from "../../support/fleet.ts";
import { readProcessMemory } from "../../support/process_memory.ts";
import type { Network } from "./network.ts";
import type { Random } from "../../support/random.ts";
import { type Stack, startStack } from "../../support/stack.ts";

export interface MemorySample {
  /** Milliseconds. */
  at: number;
  resident: number;
}

export interface Proxy {
  readonly name: string;
  /** Undefined while it is down, or not ready yet. */
  stack: Stack | undefined;
  /** Since its last start. */
  memory: MemorySample[];
}

export class Proxies {
  readonly all: Proxy[] = [];
  readonly traps: string[] = [];
  /** Samples of processes that were killed. */
  readonly earlier: MemorySample[][] = [];

  constructor(
    private readonly network: Network,
    /** Environments of those whose clock is off. */
    private readonly clocks: Record<string, Record<string, string>>,
    private readonly upstreams: string[],
    private readonly random: Random,
  ) {}

  async start(names: string[]): Promise<void> {
    for (const name of names) {
      const proxy: Proxy = { name, stack: undefined, memory: [] };
      this.all.push(proxy);
      await this.startProxy(proxy);
    }
  }

  get live(): Stack[] {
    return this.all.flatMap(({ stack }) => stack ?? []);
  }

  /** One that lives. */
  any(): Stack {
    return this.random.pick(this.live);
  }

  /** Ends one without a farewell. */
  async kill(proxy: Proxy): Promise<void> {
    const { stack } = proxy;
    if (stack === undefined) return;
    proxy.stack = undefined;
    process.kill(stack.envoy.pid, "SIGKILL");
    await stack.envoy.ended;
    await this.end(stack);
    this.earlier.push(proxy.memory);
    proxy.memory = [];
  }

  /** Starts one, and lets clients come once it follows the fleet, or has tried for a while. */
  async startProxy(proxy: Proxy): Promise<void> {
    const stack = await startStack({
      upstreams: this.upstreams,
      env: this.clocks[proxy.name] ?? {},
      steering: "hash",
      cache: { cache_size: CACHE_SIZE },
      change: (configuration) => {
        joinFleet(configuration, {
          name: proxy.name,
          etcd: this.network.addressesFor(proxy.name),
          modulePath: MODULE_FILE,
        });
        addHealthChecks(configuration);
      },
    });
    for (const deadline = Date.now() + READY_SECONDS * 1000; Date.now() < deadline;) {
      if ((await fleetState(stack)).synced) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    proxy.stack = stack;
  }

  sample(): void {
    for (const { stack, memory } of this.all) {
      if (stack === undefined) continue;
      memory.push({ at: Date.now(), resident: readProcessMemory(stack.envoy.pid).resident });
    }
  }

  async stop(): Promise<void> {
    for (const proxy of this.all) {
      const { stack } = proxy;
      proxy.stack = undefined;
      if (stack !== undefined) await this.end(stack);
    }
  }

  private async end(stack: Stack): Promise<void> {
    this.traps.push(...trapLines(stack.envoy.log()));
    // Traps are among the verdicts.
    await stack.stop().catch(() => undefined);
  }
}

/** Those of deploy/fleet/health_checks.yaml, to the cluster of etcd. */
function addHealthChecks(configuration: Document): void {
  const text = readFileSync(join(PROJECT_FOLDER, "deploy/fleet/health_checks.yaml"), "utf8");
  const clusters = configuration.getIn(["static_resources", "clusters"]);
  const cluster = isSeq(clusters) ? (clusters.items as YAMLMap[]).find((one) => one.get("name") === "etcd") : undefined;
  if (cluster === undefined) throw new Error("the configuration has no cluster of etcd");
  for (const [field, value] of Object.entries(parse(text) as object)) {
    cluster.set(field, configuration.createNode(value));
  }
}

/** More than the clients of the soak make before their sessions are over. */
const CACHE_SIZE = 20_000;
const READY_SECONDS = 15;
