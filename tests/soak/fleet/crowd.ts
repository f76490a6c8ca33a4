/** Clients of the soak: so many connections a second, through all proxies that live, half of them with a session from an earlier one. */
import { constants } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../support/random.ts";
import type { Stack } from "../../support/stack.ts";
import { type TlsRequest, visit, type Visit } from "../../support/tls_client.ts";
import type { Proxies } from "./proxies.ts";
import type { Removals } from "./removals.ts";

export interface Held {
  readonly request: Partial<TlsRequest>;
  readonly seen: Visit;
}

export class Crowd {
  readonly seen = { full: 0, resumed: 0, "not resumed": 0, refused: 0, "cut with their proxy": 0 };
  readonly errors: string[] = [];
  /** Offers that every proxy had to refuse. */
  dueOffers = 0;
  readonly held: Held[] = [];
  private readonly removed: Held[] = [];
  private isOver = false;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly proxies: Proxies,
    private readonly removals: Removals,
    private readonly random: Random,
    private readonly maySeeRefusals: () => boolean,
  ) {}

  start(connectionsASecond: number): void {
    this.running = (async () => {
      const under = new Set<Promise<void>>();
      const began = performance.now();
      for (let i = 1; !this.isOver; i++) {
        const one = this.connect().finally(() => under.delete(one));
        under.add(one);
        // A machine that is too slow for that must not gather connections.
        if (under.size >= MAX_AT_ONCE) await Promise.race(under);
        await sleep(Math.max(0, began + (i * 1000) / connectionsASecond - performance.now()));
      }
      await Promise.all(under);
    })();
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.running;
  }

  get connections(): number {
    return Object.values(this.seen).reduce((sum, count) => sum + count, 0);
  }

  private async connect(): Promise<void> {
    const proxy = this.proxies.any();
    const offered = this.choose();
    const request = offered?.request ?? this.random.pick(KINDS);
    const begun = Date.now();
    if (offered !== undefined && this.removals.isDue(offered.seen.id, begun)) this.dueOffers++;
    try {
      const session = offered?.seen.session;
      const seen = await visit({ port: proxy.tlsPort, sni: SNI, ...request, session });
      if (offered === undefined) {
        this.seen.full++;
        this.hold({ request, seen });
      } else if (seen.resumed) {
        this.seen.resumed++;
        this.removals.judge(offered.seen.id, begun, `a ${offered.seen.kind} resumed`);
      } else this.seen["not resumed"]++;
    } catch (error) {
      this.judgeFailure(proxy, offered, String(error));
    }
  }

  /** Half of them offer a session; of these, one in four a removed one. */
  private choose(): Held | undefined {
    if (this.random.below(2) === 0 || this.held.length < 50) return undefined;
    const isRemoved = this.removed.length > 0 && this.random.below(4) === 0;
    return this.random.pick(isRemoved ? this.removed : this.held);
  }

  private judgeFailure(proxy: Stack, offered: Held | undefined, error: string): void {
    if (!this.proxies.live.includes(proxy)) this.seen["cut with their proxy"]++;
    else if (offered !== undefined && (this.removals.has(offered.seen.id) || this.maySeeRefusals()))
      this.seen.refused++;
    else this.errors.push(`${offered === undefined ? "a new client" : `with a ${offered.seen.kind}`}: ${error}`);
  }

  /** One of the last that were removed: it is offered again and again. */
  noteRemoved(held: Held): void {
    if (this.removed.length < MAX_REMOVED) this.removed.push(held);
    else this.removed[this.random.below(MAX_REMOVED)] = held;
  }

  private hold(held: Held): void {
    if (this.held.length < MAX_HELD) this.held.push(held);
    else this.held[this.random.below(MAX_HELD)] = held;
  }
}

const SNI = "shop.example";
const KINDS: Partial<TlsRequest>[] = [
  { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET },
  { version: "TLSv1.2" },
  { version: "TLSv1.3" },
];
const MAX_HELD = 1000;
const MAX_REMOVED = 200;
const MAX_AT_ONCE = 64;
