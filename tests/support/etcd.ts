/**
 * A real etcd for a test, and its keys as a test sees them: through etcd's JSON gateway (`/v3/kv/...`), beside the code that is
 * tested.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { runCommand } from "../../tools/command.ts";
import { findEtcd } from "../../tools/proxies/etcd_binary.ts";
import { DATA_NAME, type EtcdProcess, startEtcd } from "../../tools/proxies/etcd_process.ts";
import { freePorts } from "../../tools/proxies/free_ports.ts";
import { BUILD_FOLDER } from "../../tools/project.ts";

export interface StoredKey {
  key: string;
  value: Buffer;
  /** The revision of its last change. */
  modRevision: number;
  version: number;
  lease: string;
}

export interface EtcdSettings {
  quotaBytes?: number;
  /** More flags of etcd. */
  flags?: string[];
}

export class Etcd {
  private process: EtcdProcess | undefined;

  private constructor(
    private readonly binary: string,
    readonly folder: string,
    readonly port: number,
    private readonly peerPort: number,
    private readonly settings: EtcdSettings,
  ) {}

  /** Starts an empty one. */
  static async start(settings: EtcdSettings = {}): Promise<Etcd> {
    const etcd = await Etcd.prepare(settings);
    await etcd.start();
    return etcd;
  }

  /** One that is not started yet; its port refuses connections. */
  static async prepare(settings: EtcdSettings = {}): Promise<Etcd> {
    const parent = join(BUILD_FOLDER, "test");
    mkdirSync(parent, { recursive: true });
    const [port, peerPort] = (await freePorts(2)) as [number, number];
    const binary = await findEtcd(() => undefined);
    return new Etcd(binary, mkdtempSync(join(parent, "etcd-")), port, peerPort, settings);
  }

  /** `host:port` for clients. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.running.pid;
  }

  /** On the same ports and the same data. Changed settings stay for later starts. */
  async start(settings: EtcdSettings = {}): Promise<void> {
    Object.assign(this.settings, settings);
    const { binary, folder, port: clientPort, peerPort } = this;
    this.process = await startEtcd({ binary, folder, clientPort, peerPort, ...this.settings });
  }

  async stop(): Promise<void> {
    await this.process?.stop();
    this.process = undefined;
  }

  /** As a crash does. */
  async kill(): Promise<void> {
    await this.process?.kill();
    this.process = undefined;
  }

  freeze(): void {
    this.running.signal("SIGSTOP");
  }

  thaw(): void {
    this.running.signal("SIGCONT");
  }

  /** Deletes its data; it must not run. */
  wipe(): void {
    rmSync(join(this.folder, DATA_NAME), { recursive: true, force: true });
  }

  /** Ends it, and deletes all that it has written. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  log(): string {
    return this.running.log();
  }

  async put(key: string, value: string | Uint8Array, lease = "0"): Promise<number> {
    const { header } = await this.call("kv/put", { key: base64(key), value: base64(value), lease });
    return Number(header.revision);
  }

  async get(key: string): Promise<StoredKey | null> {
    const { kvs = [] } = await this.call("kv/range", { key: base64(key) });
    return kvs[0] === undefined ? null : storedKey(kvs[0]);
  }

  /** All keys with a beginning, in the order of their bytes; few enough for one answer. */
  async list(prefix: string): Promise<StoredKey[]> {
    const { kvs = [] } = await this.call("kv/range", { key: base64(prefix), range_end: base64(endOf(prefix)) });
    return kvs.map(storedKey);
  }

  /** Deletes all keys with a beginning; returns how many there were. */
  async removeKeys(prefix: string): Promise<number> {
    const { deleted = "0" } = await this.call("kv/deleterange", {
      key: base64(prefix),
      range_end: base64(endOf(prefix)),
    });
    return Number(deleted);
  }

  async revision(): Promise<number> {
    return Number((await this.call("maintenance/status", {})).header.revision);
  }

  /** Forgets all changes before a revision; of the present one if none is given. */
  async compact(revision?: number): Promise<void> {
    await this.call("kv/compaction", { revision: String(revision ?? (await this.revision())), physical: true });
  }

  /** The alarms that are on, such as NOSPACE. */
  async alarms(): Promise<string[]> {
    const { alarms = [] } = await this.call("maintenance/alarm", { action: "GET" });
    return alarms.map(({ alarm }) => alarm);
  }

  /** Makes room after NOSPACE, and takes the alarm back. */
  async disarm(): Promise<void> {
    await this.compact();
    await this.call("maintenance/defragment", {});
    await this.control("alarm", "disarm");
  }

  async leases(): Promise<{ id: string; secondsLeft: number; grantedSeconds: number }[]> {
    const { leases = [] } = await this.call("lease/leases", {});
    return await Promise.all(
      leases.map(async ({ ID }) => {
        const { TTL = "0", grantedTTL = "0" } = await this.call("lease/timetolive", { ID });
        return { id: ID, secondsLeft: Number(TTL), grantedSeconds: Number(grantedTTL) };
      }),
    );
  }

  async revoke(lease: string): Promise<void> {
    await this.call("lease/revoke", { ID: lease });
  }

  /** Runs etcdctl, which stands beside etcd, for this one; returns its output. */
  async control(...args: string[]): Promise<string> {
    const program = join(dirname(this.binary), "etcdctl");
    const { exitCode, output } = await runCommand(program, ["--endpoints", this.address, ...args], {
      env: { ...process.env, ETCDCTL_API: "3" },
      timeoutSeconds: 30,
    });
    if (exitCode !== 0) throw new Error(`etcdctl ${args.join(" ")}: ${output}`);
    return output;
  }

  /** Writes a backup. */
  async backup(file: string): Promise<void> {
    await this.control("snapshot", "save", file);
  }

  /** Puts a backup in the place of its data; it must not run. */
  async restore(file: string): Promise<void> {
    this.wipe();
    const peer = `http://127.0.0.1:${this.peerPort}`;
    await this.control(
      ...["snapshot", "restore", file, "--name", "one", "--data-dir", join(this.folder, DATA_NAME)],
      ...["--initial-cluster", `one=${peer}`, "--initial-advertise-peer-urls", peer],
    );
  }

  /** One call of etcd's JSON gateway. */
  async call(path: string, body: Record<string, unknown>): Promise<GatewayAnswer> {
    const response = await fetch(`http://${this.address}/v3/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_SECONDS * 1000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`etcd answers ${path} with ${response.status}: ${text}`);
    return JSON.parse(text) as GatewayAnswer;
  }

  private get running(): EtcdProcess {
    if (this.process === undefined) throw new Error("etcd does not run");
    return this.process;
  }
}

interface GatewayKey {
  key: string;
  value?: string;
  mod_revision: string;
  version: string;
  lease?: string;
}

/** etcd leaves out whatever is 0 or empty. */
interface GatewayAnswer {
  header: { revision: string; cluster_id: string };
  kvs?: GatewayKey[];
  deleted?: string;
  alarms?: { alarm: string }[];
  leases?: { ID: string }[];
  TTL?: string;
  grantedTTL?: string;
}

function storedKey({ key, value = "", mod_revision, version, lease = "0" }: GatewayKey): StoredKey {
  return {
    key: Buffer.from(key, "base64").toString("latin1"),
    value: Buffer.from(value, "base64"),
    modRevision: Number(mod_revision),
    version: Number(version),
    lease,
  };
}

function base64(bytes: string | Uint8Array): string {
  return Buffer.from(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes).toString("base64");
}

/** The first key behind all that begin so: the last byte, which is ASCII here, plus one. */
function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

const ANSWER_SECONDS = 10;
