/** The operator of the soak: removes sessions, adds some again, and changes named decisions, each time on another proxy. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../support/random.ts";
import type { Stack } from "../../support/stack.ts";
import type { Crowd } from "./crowd.ts";
import type { Outages } from "./outages.ts";
import type { Proxies, Proxy } from "./proxies.ts";
import type { Removal, Removals } from "./removals.ts";

export class Operator {
  readonly did: Record<string, number> = {};
  readonly errors: string[] = [];
  private isOver = false;
  private running: Promise<void> = Promise.resolve();
  private readonly checks = new Set<Promise<void>>();
  private numbers = 0;
  private revokedAt = 0;

  constructor(
    private readonly proxies: Proxies,
    private readonly crowd: Crowd,
    private readonly removals: Removals,
    private readonly outages: Outages,
    private readonly random: Random,
  ) {}

  start(): void {
    this.running = (async () => {
      for (let i = 0; !this.isOver; i++) {
        await this.act(i);
        await sleep(200);
      }
      await Promise.all(this.checks);
    })();
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.running;
  }

  /** While a name is revoked, TLS 1.2 sessions that a proxy has not seen issued do not resume. */
  get hasRevokedLately(): boolean {
    return Date.now() - this.revokedAt < REVOCATION_REACH_MILLISECONDS;
  }

  private async act(i: number): Promise<void> {
    if (i % 50 === 20) return this.named("PUT", `/v1/revocations/gone-${this.numbers % 20}.example`, {}, "revoked");
    if (i % 50 === 23)
      return this.named("DELETE", `/v1/revocations/gone-${this.numbers++ % 20}.example`, undefined, "lifted");
    if (i % 25 === 5) return this.named("DELETE", `/v1/ticket-keys/${this.keyName()}`, undefined, "keys removed");
    if (i % 25 === 15) {
      const body = { upstream: "10.0.0.1:443" };
      return this.named("PUT", `/v1/ticket-keys/${this.keyName()}`, body, "keys assigned");
    }
    if (i % 100 === 40) return this.named("PUT", "/v1/timeout", { timeout: 7200 + this.random.below(100) }, "settings");
    if (i % 4 === 3) return this.addAgain();
    await this.remove();
  }

  private async remove(): Promise<void> {
    const { held } = this.crowd;
    if (held.length < 50) return;
    const one = this.random.pick(held);
    const { id } = one.seen;
    if (this.removals.has(id)) return;
    const proxy = this.random.pick(this.proxies.all);
    if ((await this.call(proxy, "DELETE", `/v1/sessions/${id}`)) === null) return;
    this.count("removed");
    const removal = this.removals.note(id, proxy.name);
    this.crowd.noteRemoved(one);
    const check: Promise<void> = this.check(removal).finally(() => this.checks.delete(check));
    this.checks.add(check);
  }

  /** Lifts a removal that was in force everywhere. */
  private async addAgain(): Promise<void> {
    const ids = this.removals.inForce();
    if (ids.length < 30) return;
    const id = this.random.pick(ids.slice(0, -20));
    this.removals.lift(id);
    const body = { upstream: "10.0.0.1:443" };
    if ((await this.call(this.random.pick(this.proxies.all), "PUT", `/v1/sessions/${id}`, body)) !== null) {
      this.count("added again");
    }
  }

  private async named(method: string, path: string, body: unknown, what: string): Promise<void> {
    if (what === "revoked") this.revokedAt = Date.now();
    if ((await this.call(this.random.pick(this.proxies.all), method, path, body)) !== null) this.count(what);
    if (what === "lifted") this.revokedAt = Date.now();
  }

  /** Asks all proxies once a removal must hold. */
  private async check(removal: Removal): Promise<void> {
    let due = this.outages.dueAfter(removal.at);
    while (Date.now() < due && !this.isOver) {
      await sleep(100);
      due = this.outages.dueAfter(removal.at);
    }
    if (this.isOver) return;
    for (const proxy of this.proxies.all) {
      const asked = Date.now();
      const status = await this.call(proxy, "GET", `/v1/sessions/${removal.id}`);
      if (status !== null && status !== 410) this.removals.judge(removal.id, asked, `${proxy.name} answered ${status}`);
    }
    this.count("removals checked on all");
  }

  /** Null if the proxy is down, or goes down meanwhile. */
  private async call(proxy: Proxy, method: string, path: string, body?: unknown): Promise<number | null> {
    const stack: Stack | undefined = proxy.stack;
    if (stack === undefined) return null;
    try {
      const { status, text } = await stack.admin(method, path, body === undefined ? {} : { body });
      const isFine = status < 300 || status === 404 || status === 410;
      if (!isFine) this.errors.push(`${method} ${path}: ${status} ${text}`);
      return status;
    } catch (error) {
      if (proxy.stack === stack) this.errors.push(`${method} ${path} on ${proxy.name}: ${String(error)}`);
      return null;
    }
  }

  private keyName(): string {
    return this.random.below(20).toString(16).padStart(2, "0").repeat(16);
  }

  private count(what: string): void {
    this.did[what] = (this.did[what] ?? 0) + 1;
  }
}

const REVOCATION_REACH_MILLISECONDS = 10_000;
