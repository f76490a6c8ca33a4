/**
 * The demonstration of `npm run demo:fleet`: real clients on three proxies that share one cache through etcd. Each scene returns
 * one row of a table; whatever must not be is a complaint.
 */
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Kind, visit } from "../affinity/client.ts";
import { sessionOf } from "../ssl_session.ts";
import { type DemoUpstream, startDemoUpstream } from "../upstream.ts";
import { findEtcd } from "../../proxies/etcd_binary.ts";
import { type EtcdProcess, startEtcd } from "../../proxies/etcd_process.ts";
import { freePorts } from "../../proxies/free_ports.ts";
import { BUILD_FOLDER } from "../../project.ts";
import { FleetProxy } from "./proxy.ts";

export interface Scene {
  title: string;
  outcome: string;
  /** In milliseconds. */
  times: number[];
}

export interface FleetResult {
  scenes: Scene[];
  /** One line each for what must not be. */
  complaints: string[];
}

export interface FleetOptions {
  /** Sessions that each scene removes, or resumes, of each kind. */
  clients: number;
  progress: (line: string) => void;
}

export async function runFleetDemo(options: FleetOptions): Promise<FleetResult> {
  const fleet = new DemoFleet(options);
  try {
    await fleet.start();
    return await fleet.play();
  } finally {
    await fleet.end();
  }
}

export function fleetTable({ scenes }: FleetResult): string {
  const head = ["scene", "outcome", "median", "longest"];
  const lines = scenes.map(({ title, outcome, times }) => [
    title,
    outcome,
    spoken(median(times)),
    spoken(Math.max(...times)),
  ]);
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** A session of a client. */
interface Held {
  kind: Kind;
  session: Buffer;
  id: string;
}

class DemoFleet {
  private readonly complaints: string[] = [];
  private readonly scenes: Scene[] = [];
  private readonly folder = join(BUILD_FOLDER, "demo-fleet");
  private upstreams: DemoUpstream[] = [];
  private proxies: FleetProxy[] = [];
  private etcd: EtcdProcess | undefined;
  private startEtcd: () => Promise<EtcdProcess> = () => Promise.reject(new Error("no etcd"));
  private readonly removed: Held[] = [];

  constructor(private readonly options: FleetOptions) {}

  async start(): Promise<void> {
    const { progress } = this.options;
    progress("starting etcd, three proxies and three servers ...");
    rmSync(this.folder, { recursive: true, force: true });
    const [clientPort, peerPort] = (await freePorts(2)) as [number, number];
    const binary = await findEtcd(progress);
    this.startEtcd = () => startEtcd({ binary, folder: this.folder, clientPort, peerPort });
    this.etcd = await this.startEtcd();
    for (const name of ["alpha", "beta", "gamma"])
      this.upstreams.push(await startDemoUpstream({ name, tickets: true }));
    const upstreams = this.upstreams.map(({ address }) => address);
    for (const name of ["A", "B", "C"]) {
      const proxy = new FleetProxy({ name, etcd: [`127.0.0.1:${clientPort}`], upstreams, waits: true });
      this.proxies.push(proxy);
      await proxy.start();
      await this.meetServers(proxy);
    }
  }

  /** A proxy steers to no server that it has not seen: lets it see all. */
  private async meetServers(proxy: FleetProxy): Promise<void> {
    const seen = new Set<string>();
    for (let i = 0; i < MAX_VISITS && seen.size < this.upstreams.length; i++) {
      seen.add((await visit(proxy.tlsPort, "id", "127.0.0.1")).upstream);
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.proxies.map(async (proxy) => proxy.end()));
    await this.etcd?.stop();
    await Promise.all(this.upstreams.map(async (upstream) => upstream.close()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  async play(): Promise<FleetResult> {
    await this.scene("issued through A, resumed through B and C", () => this.resumeElsewhere());
    await this.scene("removed on A, refused on A, B and C", () => this.removeOn(0));
    await this.scene("etcd is killed: removed on B, clients go on, refused everywhere once etcd is back", () =>
      this.loseEtcd(),
    );
    await this.scene("C is killed and starts again: it still refuses, from its first connection", () =>
      this.loseProxy(),
    );
    await this.scene("all proxies and etcd start again: they still refuse", () => this.restartAll());
    return { scenes: this.scenes, complaints: this.complaints };
  }

  private async scene(title: string, act: () => Promise<Omit<Scene, "title">>): Promise<void> {
    this.options.progress(`${title} ...`);
    this.scenes.push({ title, ...(await act()) });
  }

  private async resumeElsewhere(): Promise<Omit<Scene, "title">> {
    const times: number[] = [];
    let resumed = 0;
    let visits = 0;
    for (const held of await this.issue()) {
      for (const proxy of this.proxies.slice(1)) {
        const begun = performance.now();
        const seen = await visit(proxy.tlsPort, held.kind, "127.0.0.1", held.session);
        times.push(performance.now() - begun);
        visits++;
        if (seen.error !== null) this.complaints.push(`a client of ${proxy.name} sees: ${seen.error}`);
        else if (seen.resumed) resumed++;
      }
    }
    return { outcome: `${resumed} of ${visits} resumed`, times };
  }

  private async removeOn(index: number): Promise<Omit<Scene, "title">> {
    const times: number[] = [];
    for (const held of await this.issue()) {
      const answered = await this.remove(index, held);
      const waited = await Promise.all(this.proxies.map(async (proxy) => proxy.untilRefused(held.id)));
      times.push(answered + Math.max(...waited));
    }
    return { outcome: `${await this.refusals()} resumptions refused`, times };
  }

  private async loseEtcd(): Promise<Omit<Scene, "title">> {
    const victims = await this.issue();
    await this.etcd?.kill();
    for (const held of victims) await this.remove(1, held);
    let served = 0;
    for (const proxy of this.proxies) {
      const seen = await visit(proxy.tlsPort, "ticket", "127.0.0.1");
      if (seen.error === null) served++;
      else this.complaints.push(`while etcd is away, a client of ${proxy.name} sees: ${seen.error}`);
    }
    this.etcd = await this.startEtcd();
    const begun = performance.now();
    const times = await Promise.all(
      victims.flatMap((held) =>
        this.proxies.map(async (proxy) => {
          await proxy.untilRefused(held.id);
          return performance.now() - begun;
        }),
      ),
    );
    return { outcome: `${served} clients served meanwhile; ${await this.refusals()} resumptions refused`, times };
  }

  private async loseProxy(): Promise<Omit<Scene, "title">> {
    const proxy = this.proxies[2] as FleetProxy;
    await proxy.stop();
    const begun = performance.now();
    await proxy.start(false);
    const started = performance.now();
    const refused = await this.refusedBy(proxy);
    await proxy.untilReady();
    return { outcome: `${refused} resumptions refused`, times: [started - begun] };
  }

  private async restartAll(): Promise<Omit<Scene, "title">> {
    await Promise.all(this.proxies.map(async (proxy) => proxy.stop()));
    await this.etcd?.stop();
    this.etcd = await this.startEtcd();
    const begun = performance.now();
    await Promise.all(this.proxies.map(async (proxy) => proxy.start()));
    return { outcome: `${await this.refusals()} resumptions refused`, times: [performance.now() - begun] };
  }

  /** Clients of every kind, each with a session that A has seen and that the others have heard of. */
  private async issue(): Promise<Held[]> {
    const held: Held[] = [];
    const proxy = this.proxies[0] as FleetProxy;
    for (let i = 0; i < KINDS.length * this.options.clients; i++) {
      const kind = KINDS[i % KINDS.length] as Kind;
      const first = await visit(proxy.tlsPort, kind, "127.0.0.1");
      if (first.session === undefined) throw new Error(`a new connection failed: ${first.error}`);
      // A proxy knows a PSK once a server has accepted it; which server can, steering finds out by trying.
      for (let tries = 0, known = kind !== "stateless"; tries < MAX_TRIES && !known; tries++) {
        known = (await visit(proxy.tlsPort, kind, "127.0.0.1", first.session)).resumed;
      }
      held.push({ kind, session: first.session, id: idOf(first.session) });
    }
    // Learned sessions are told twice a second.
    await new Promise((resolve) => setTimeout(resolve, TOLD_MILLISECONDS));
    return held;
  }

  /** Removes a session on one proxy. Returns after how many milliseconds that was answered. */
  private async remove(index: number, held: Held): Promise<number> {
    const begun = performance.now();
    const status = await (this.proxies[index] as FleetProxy).call("DELETE", `/v1/sessions/${held.id}`);
    if (status !== 200 && status !== 404) this.complaints.push(`DELETE answered ${status}`);
    this.removed.push(held);
    return performance.now() - begun;
  }

  /** Offers all removed sessions to all proxies. Returns how many attempts were refused. */
  private async refusals(): Promise<number> {
    let refused = 0;
    for (const proxy of this.proxies) refused += await this.refusedBy(proxy);
    return refused;
  }

  private async refusedBy(proxy: FleetProxy): Promise<number> {
    let refused = 0;
    for (const { kind, session } of this.removed) {
      const seen = await visit(proxy.tlsPort, kind, "127.0.0.1", session);
      if (seen.resumed) this.complaints.push(`${proxy.name} let a removed ${kind} resume`);
      else refused++;
    }
    return refused;
  }
}

/** The API's name of a session that a client holds. */
function idOf(session: Buffer): string {
  const { sessionId, ticket } = sessionOf(session);
  return ticket === null ? sessionId.toString("hex") : createHash("sha256").update(ticket).digest("hex");
}

function median(times: number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1] ?? 0;
}

function spoken(milliseconds: number): string {
  return milliseconds >= 1000 ? `${(milliseconds / 1000).toFixed(1)} s` : `${Math.max(1, Math.round(milliseconds))} ms`;
}

const KINDS: Kind[] = ["id", "ticket", "stateless"];
/** More than there are servers. */
const MAX_TRIES = 6;
const MAX_VISITS = 200;
const TOLD_MILLISECONDS = 1200;
