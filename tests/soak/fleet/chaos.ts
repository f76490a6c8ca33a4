/** Breaks one thing after another, and mends it. Every kind comes before one comes again. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RelayState } from "../../support/relay.ts";
import type { Random } from "../../support/random.ts";
import type { EtcdNodes } from "./etcd_nodes.ts";
import type { Network } from "./network.ts";
import type { Outages } from "./outages.ts";
import type { Proxies } from "./proxies.ts";

export class Chaos {
  readonly done: Record<string, number> = {};
  readonly errors: string[] = [];
  private isOver = false;
  private running: Promise<void> = Promise.resolve();
  private readonly actions: [string, () => Promise<void>][];

  constructor(
    private readonly etcd: EtcdNodes,
    private readonly proxies: Proxies,
    private readonly network: Network,
    private readonly outages: Outages,
    private readonly random: Random,
    private readonly progress: (line: string) => void,
    /** A proxy is killed: what it had not told yet is lost. */
    private readonly killed: (name: string) => void,
  ) {
    this.actions = [
      ["etcd's leader killed", () => this.killLeader()],
      ["a proxy killed", () => this.killProxy()],
      ["etcd's leader frozen", () => this.freeze(false)],
      ["compacted", async () => void (await this.etcd.compact())],
      ["all of etcd frozen", () => this.freeze(true)],
      ["a proxy cut off from etcd", () => this.disturb("cut", CUT_MILLISECONDS)],
      ["bytes between a proxy and etcd stalled", () => this.disturb("stalled", FROZEN_MILLISECONDS)],
      ["packets between a proxy and etcd lost", () => this.disturb("lossy", LOSSY_MILLISECONDS)],
    ];
  }

  start(secondsBetween: number): void {
    this.running = (async () => {
      let waiting: [string, () => Promise<void>][] = [];
      while (!this.isOver) {
        for (let i = 0; i < secondsBetween * 10 && !this.isOver; i++) await sleep(100);
        if (this.isOver) return;
        if (waiting.length === 0) waiting = [...this.actions];
        const [[name, act] = ["", () => Promise.resolve()]] = waiting.splice(this.random.below(waiting.length), 1);
        this.progress(`chaos: ${name}`);
        try {
          await act();
          this.done[name] = (this.done[name] ?? 0) + 1;
        } catch (error) {
          this.errors.push(`${name}: ${String(error)}`);
        }
      }
    })();
  }

  /** Returns when the last thing is mended. */
  async stop(): Promise<void> {
    this.isOver = true;
    await this.running;
  }

  private async killLeader(): Promise<void> {
    const node = await this.etcd.leader();
    await this.during(async () => {
      await this.etcd.killNode(node);
      await sleep(DOWN_MILLISECONDS);
      await this.etcd.startNode(node);
    });
  }

  private async killProxy(): Promise<void> {
    const proxy = this.random.pick(this.proxies.all);
    const restart = async (): Promise<void> => {
      this.killed(proxy.name);
      await this.proxies.kill(proxy);
      await sleep(DOWN_MILLISECONDS);
      await this.proxies.startProxy(proxy);
    };
    await restart();
  }

  private async freeze(all: boolean): Promise<void> {
    const leader = await this.etcd.leader();
    const nodes = all ? [...this.etcd.addresses.keys()] : [leader];
    await this.during(async () => {
      for (const node of nodes) this.etcd.signal(node, "SIGSTOP");
      await sleep(FROZEN_MILLISECONDS);
      for (const node of nodes) this.etcd.signal(node, "SIGCONT");
    });
  }

  /** Of one proxy: those that it does not meet go on with each other. */
  private async disturb(state: RelayState, milliseconds: number): Promise<void> {
    const { name } = this.random.pick(this.proxies.all);
    const before = this.network.disturbed(name);
    await this.during(async () => {
      this.network.set(name, state);
      await sleep(milliseconds);
      this.network.set(name, "open");
    });
    if (this.network.disturbed(name) === before) throw new Error(`${name} has not felt it`);
  }

  private async during(act: () => Promise<void>): Promise<void> {
    const end = this.outages.begin();
    try {
      await act();
    } finally {
      end();
    }
  }
}

const DOWN_MILLISECONDS = 3000;
const FROZEN_MILLISECONDS = 5000;
const CUT_MILLISECONDS = 5000;
const LOSSY_MILLISECONDS = 8000;
