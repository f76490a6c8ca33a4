/**
 * The operator of a soak: calls of the admin API at all times, beside the traffic. Sessions of its own, whose every change is
 * looked at again; revocations of server names, removals of ticket keys and flushes, each offered against; sizes and modes that
 * change and change back; and somebody who reads everything all the time.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Stack } from "../support/stack.ts";
import type { AnswerBody, TicketKey } from "../support/answer.ts";
import type { Random } from "../support/random.ts";
import { type Crowd, kinds, longLife } from "./crowd.ts";
import type { Held, Refusals } from "./refusals.ts";

export class Operator {
  readonly did = {
    calls: 0,
    changes: 0,
    notStored: 0,
    revocations: 0,
    ticketKeys: 0,
    flushes: 0,
    resizes: 0,
    readings: 0,
  };
  readonly lostUpdates: string[] = [];
  readonly errors: string[] = [];
  private isStopping = false;
  private readonly lanes: Promise<void>[] = [];

  constructor(
    private readonly stack: Stack,
    private readonly crowd: Crowd,
    private readonly refusals: Refusals,
    private readonly random: Random,
    private readonly cacheSize: number,
    private readonly lifeSeconds: number,
  ) {}

  start(): void {
    for (let lane = 0; lane < 3; lane++) this.lane(this.keepingSessions(lane));
    this.every(15, () => this.revokeName());
    this.every(20, () => this.removeTicketKey());
    this.every(45, () => this.flush());
    this.every(25, () => this.resize());
    this.every(50, () => this.storeNothing());
    this.every(4, () => this.readEverything());
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.lanes);
  }

  private lane(lane: Promise<void>): void {
    this.lanes.push(lane.catch((error: unknown) => void this.errors.push(`a lane has ended: ${String(error)}`)));
  }

  private every(seconds: number, act: () => Promise<void>): void {
    const again = async (): Promise<void> => {
      for (;;) {
        for (let tenths = 0; tenths < seconds * 10; tenths++) {
          if (this.isStopping) return;
          await sleep(100);
        }
        await act();
      }
    };
    this.lane(again());
  }

  /** Each change of sessions that nobody else touches must be there at once, whichever worker answers. */
  private async keepingSessions(lane: number): Promise<void> {
    for (let i = 0; !this.isStopping; i++) {
      const { flushes } = this.crowd;
      const path = `/v1/sessions/${randomBytes(1 + this.random.below(32)).toString("hex")}`;
      const name = (word: string): string => `${word}-${lane}-${i}.example`;
      const put = (sni: string, timeout: number) => ["PUT", path, { sni, timeout }] as const;
      // Short IDs come twice.
      if (path.length < 34) continue;
      const said: string[] = [];
      const expect = async ([method, of, body]: Call, ...expected: unknown[]): Promise<void> => {
        const { json, status } = await this.call(method, of, body);
        const seen = [status, ...(expected.length > 1 ? [json.session?.sni ?? json.sni] : [])];
        if (status === 503) return;
        if (JSON.stringify(seen) !== JSON.stringify(expected)) said.push(`${method}: ${seen.join(" ")}`);
      };
      await expect(put(name("first"), longLife(this.lifeSeconds)), 201, name("first"));
      await expect(["GET", path], 200, name("first"));
      await expect(put(name("second"), longLife(this.lifeSeconds)), 200, name("second"));
      await expect(["GET", path], 200, name("second"));
      if (i % 10 === 0) {
        // Beyond its time a session counts as absent, though it may not have been swept.
        await expect(put(name("short"), 1), 200, name("short"));
        await sleep(2100);
        await expect(["GET", path], 404);
        await expect(put(name("third"), longLife(this.lifeSeconds)), 201, name("third"));
      }
      await expect(["DELETE", path], 200);
      await expect(["GET", path], 410);
      this.did.changes++;
      if (said.length > 0 && flushes === this.crowd.flushes && flushes % 2 === 0) {
        this.lostUpdates.push(`${path}: ${said.join(", ")}`);
      }
      if (flushes === this.crowd.flushes) this.refusals.removed(path.slice(13), this.lifeSeconds, "the session");
      await sleep(50);
    }
  }

  private async revokeName(): Promise<void> {
    const sni = `${this.random.pick(kinds)}-${this.random.below(3)}.example`;
    const asked = Date.now();
    const { status } = await this.call("PUT", `/v1/revocations/${sni}`);
    if (status === 503) return;
    const claim = this.refusals.revokedName(sni, asked);
    this.did.revocations++;
    await sleep(2000);
    claim.lifted = true;
    await this.lift("DELETE", `/v1/revocations/${sni}`);
  }

  private async removeTicketKey(): Promise<void> {
    const { json } = await this.call("GET", "/v1/ticket-keys");
    const key = json.ticket_keys?.find(({ state }: TicketKey) => state === "learned" || state === "configured");
    if (key === undefined || key.upstream === null) return;
    const { status } = await this.call("DELETE", `/v1/ticket-keys/${key.name}`);
    if (status === 503) return;
    const claim = this.refusals.removedKey(key.name);
    this.did.ticketKeys++;
    await sleep(1500);
    claim.lifted = true;
    await this.lift("PUT", `/v1/ticket-keys/${key.name}`, { upstream: key.upstream });
  }

  /** Sessions that are held when a flush begins are refused once it has answered. Sessions held for certain are added by hand before. */
  private async flush(): Promise<void> {
    const held: Held[] = [];
    for (const kind of kinds) {
      const one = await this.crowd.visit(kind, "flushed.example", null);
      if (one === null) continue;
      const { status } = await this.call("PUT", `/v1/sessions/${one.id}`, {
        kind,
        timeout: longLife(this.lifeSeconds),
      });
      if (status !== 503) held.push(one);
    }
    this.crowd.flushes++;
    const { status } = await this.call("POST", "/v1/sessions/flush", {});
    for (const { id } of held)
      if (status === 200) this.refusals.removed(id, this.lifeSeconds, "by a flush, the session");
    this.crowd.flushes++;
    this.did.flushes++;
    for (const one of held) await this.crowd.visit(one.kind, one.sni, one);
  }

  private async resize(): Promise<void> {
    const size = Math.floor(this.cacheSize / 2);
    await this.lift("PUT", "/v1/cache-size", { cache_size: size });
    const { number } = (await this.call("GET", "/v1/stats")).json;
    if (Number(number) > size) this.errors.push(`the number is ${String(number)}, the size ${size}`);
    this.did.resizes++;
    await sleep(1000);
    await this.lift("PUT", "/v1/cache-size", { cache_size: this.cacheSize });
  }

  private async storeNothing(): Promise<void> {
    await this.lift("PUT", "/v1/mode", { mode: ["SERVER", "NO_INTERNAL_STORE"] });
    await sleep(500);
    await this.lift("PUT", "/v1/mode", { mode: ["SERVER"] });
  }

  private async readEverything(): Promise<void> {
    await this.stack.sessions();
    const { number } = await this.stack.stats();
    if (Number(number) > this.cacheSize)
      this.errors.push(`the number is ${String(number)}, the size ${this.cacheSize}`);
    for (const path of ["/v1/events?limit=1000", "/v1/removed?limit=1000", "/v1/revocations", "/v1/openapi.json"]) {
      await this.call("GET", path);
    }
    await this.call("GET", "/v1/sessions?cursor=nonsense");
    await this.call("PUT", "/v1/sessions/zz", "{");
    this.did.readings++;
  }

  /** What must be done in the end is tried until it is. */
  private async lift(method: string, path: string, body?: unknown): Promise<void> {
    for (let tries = 0; tries < 50; tries++) {
      if ((await this.call(method, path, body)).status < 300) return;
      await sleep(100);
    }
    this.errors.push(`${method} ${path} could not be carried out`);
  }

  private async call(method: string, path: string, body?: unknown): Promise<{ status: number; json: AnswerBody }> {
    this.did.calls++;
    const { json, status, text } = await this.stack.admin(method, path, body === undefined ? {} : { body });
    if (status === 503) this.did.notStored++;
    else if (status >= 500) this.errors.push(`${method} ${path} was answered with ${status}: ${text.slice(0, 200)}`);
    return { status, json };
  }
}

type Call = readonly [method: string, path: string, body?: unknown];
