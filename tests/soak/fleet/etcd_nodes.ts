/** An etcd of several nodes on loopback, of which a test can kill, freeze and start each. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findEtcd } from "../../../tools/proxies/etcd_binary.ts";
import { type EtcdProcess, startEtcd } from "../../../tools/proxies/etcd_process.ts";
import { freePorts } from "../../../tools/proxies/free_ports.ts";
import { BUILD_FOLDER } from "../../../tools/project.ts";

export class EtcdNodes {
  private readonly processes: (EtcdProcess | undefined)[] = [];

  private constructor(
    private readonly binary: string,
    private readonly folder: string,
    private readonly ports: number[],
    private readonly peerPorts: number[],
  ) {}

  static async start(count: number): Promise<EtcdNodes> {
    const parent = join(BUILD_FOLDER, "test");
    mkdirSync(parent, { recursive: true });
    const ports = await freePorts(2 * count);
    const binary = await findEtcd(() => undefined);
    const folder = mkdtempSync(join(parent, "etcd-nodes-"));
    const nodes = new EtcdNodes(binary, folder, ports.slice(0, count), ports.slice(count));
    // None serves before most of them are there.
    const started = await Promise.allSettled(nodes.ports.map((_, node) => nodes.startNode(node)));
    const failed = started.find((one) => one.status === "rejected");
    if (failed === undefined) return nodes;
    await nodes.remove();
    throw failed.reason as Error;
  }

  get addresses(): string[] {
    return this.ports.map((port) => `127.0.0.1:${port}`);
  }

  async startNode(node: number): Promise<void> {
    const cluster = this.peerPorts.map((port, i) => `node-${i}=http://127.0.0.1:${port}`).join(",");
    this.processes[node] = await startEtcd({
      binary: this.binary,
      folder: join(this.folder, `node-${node}`),
      clientPort: this.ports[node] ?? 0,
      peerPort: this.peerPorts[node] ?? 0,
      flags: ["--name", `node-${node}`, "--initial-cluster", cluster],
    });
  }

  async killNode(node: number): Promise<void> {
    await this.processes[node]?.kill();
    this.processes[node] = undefined;
  }

  signal(node: number, name: NodeJS.Signals): void {
    this.processes[node]?.signal(name);
  }

  /** The node that leads; the first one if none does now. */
  async leader(): Promise<number> {
    for (const [node] of this.ports.entries()) {
      const status = await this.call(node, "maintenance/status", {}).catch(() => null);
      if (status !== null && status.leader === status.header.member_id) return node;
    }
    return 0;
  }

  /** Forgets all changes before the present one. Returns its revision. */
  async compact(): Promise<number> {
    const node = await this.leader();
    const { header } = await this.call(node, "maintenance/status", {});
    await this.call(node, "kv/compaction", { revision: header.revision, physical: true });
    return Number(header.revision);
  }

  /** In bytes, of the node that leads. */
  async databaseSize(): Promise<number> {
    return Number((await this.call(await this.leader(), "maintenance/status", {})).dbSize);
  }

  async remove(): Promise<void> {
    await Promise.all(this.processes.map(async (one) => one?.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async call(node: number, path: string, body: object): Promise<Status> {
    const response = await fetch(`http://${this.addresses[node]}/v3/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(2000),
    });
    if (!response.ok) throw new Error(`etcd answers ${path} with ${response.status}`);
    return (await response.json()) as Status;
  }
}

interface Status {
  header: { member_id: string; revision: string };
  leader: string;
  dbSize: string;
}
