/**
 * All cases under one setting, with one Envoy and all servers at once. First the named cases, then random ones, then those
 * that remove a whole ticket key, which leaves no bystanders at that server.
 */
import { Random } from "../support/random.ts";
import { type Front, type Setting, settingName, startFront } from "./envoy.ts";
import type { Found } from "./found.ts";
import { randomCase } from "./mutations/cases.ts";
import type { Case } from "./mutations/step.ts";
import { type Finding, Oracle } from "./oracle.ts";
import { runPlan } from "./client/connection.ts";
import { plainPlan } from "./client/plan.ts";
import { ticketKey } from "./client/session.ts";
import { TLS12, TLS13 } from "./client/suites.ts";
import type { Lane } from "./servers/lane.ts";
import { shrunk } from "./shrink.ts";
import { Tally } from "./tally.ts";

export interface SliceOptions {
  setting: Setting;
  lanes: readonly Lane[];
  seed: number;
  /** The index of the next case, for all lanes of one name. It continues from slice to slice. */
  nextIndex: Map<string, number>;
  seconds: number;
  attempts: number;
  found: readonly Found[];
  progress: (attempts: number) => void;
}

export interface SliceResult {
  tallies: Tally[];
  /** For each named case: the servers at which it resumed directly, and those at which it failed. */
  named: Map<Found, { resumed: string[]; failures: string[] }>;
}

export async function runSlice(options: SliceOptions): Promise<SliceResult> {
  const front = await startFront(options.lanes, options.setting);
  try {
    return await new Slice(options, front).run();
  } finally {
    await front.stack.stop();
  }
}

class Slice {
  private readonly oracle: Oracle;
  private readonly tallies = new Map<string, Tally>();
  private readonly named: SliceResult["named"] = new Map();
  private attempts = 0;

  constructor(
    private readonly options: SliceOptions,
    front: Front,
  ) {
    this.oracle = new Oracle(front, options.setting);
  }

  async run(): Promise<SliceResult> {
    const { found, lanes, seconds } = this.options;
    // Each case runs at one copy of a server, and all copies run side by side.
    await this.everywhere(async (lane, worker) => {
      const copies = lanes.filter(({ name }) => name === lane.name);
      const own = copies.indexOf(lane) * lane.width + worker;
      const share = found.filter((_, index) => index % (copies.length * lane.width) === own);
      await this.runNamed(lane, share);
    });
    if (seconds > 0) await this.everywhere((lane, lead) => (lead === 0 ? this.runPlain(lane) : Promise.resolve()));
    const begun = Date.now();
    const until = (share: number): (() => boolean) => {
      const end = begun + seconds * share * 1000;
      return () => Date.now() < end && this.attempts < this.options.attempts * share;
    };
    const mayGoOn = until(1 - KEY_SHARE);
    await this.everywhere(async (lane) => {
      while (mayGoOn()) await this.step(lane);
    });
    const mayGoOnWithKeys = until(1);
    await Promise.all(
      lanes.filter(({ hasTicketKey }) => hasTicketKey).map((lane) => this.runKeys(lane, mayGoOnWithKeys)),
    );
    return { tallies: [...this.tallies.values()], named: this.named };
  }

  private async everywhere(act: (lane: Lane, index: number) => Promise<void>): Promise<void> {
    const runs = this.options.lanes.flatMap((lane) =>
      Array.from({ length: lane.width }, (_, index) => act(lane, index)),
    );
    await Promise.all(runs);
  }

  private async step(lane: Lane): Promise<void> {
    const index = this.nextIndex(lane);
    const { one, wantsBystander } = caseOf(this.options.seed, lane, index);
    await this.judge(lane, one, index, wantsBystander);
  }

  private async judge(lane: Lane, one: Case, index: number, wantsBystander: boolean): Promise<void> {
    const tally = this.tally(lane);
    const direct = await this.oracle.direct(lane, one);
    tally.direct++;
    this.count(tally);
    if (direct.detail === "ECONNREFUSED") return await this.revive(lane, one);
    if (direct.kind === "resumed" || direct.earlyReached === true) {
      tally.resumedDirectly++;
      if (one.steps.length > 0) tally.mutatedResumed++;
      await this.judgeRemoved(lane, one, index);
    }
    if (!wantsBystander || (direct.kind !== "resumed" && direct.kind !== "full")) return;
    const seen = await this.oracle.bystander(lane, one, direct);
    tally.bystanders++;
    if (one.steps.length === 0) tally.plainBystanders++;
    this.count(tally);
    if (seen === "unfollowed") tally.unfollowed++;
    else if (seen !== undefined) await this.fail(lane, one, index, seen);
  }

  /** Restarts a server that a hello has ended: not a failure of the filter, but printed. */
  private async revive(lane: Lane, one: Case): Promise<void> {
    console.log(`${lane.name} has ended, and is started again; about then it was sent ${JSON.stringify(one)}`);
    await lane.restart();
  }

  private async judgeRemoved(lane: Lane, one: Case, index: number): Promise<void> {
    const tally = this.tally(lane);
    const finding = await this.oracle.removed(lane, one);
    tally.removed++;
    this.count(tally);
    if (finding !== undefined) await this.fail(lane, one, index, finding);
  }

  private async fail(lane: Lane, one: Case, index: number, finding: Finding): Promise<void> {
    const tally = this.tally(lane);
    if (finding.what === "disturbed") tally.disturbed++;
    else if (finding.what === "not removed") tally.notRemoved++;
    else tally.resumed++;
    // Only the first few are made small: it takes time, and the others are most often the same.
    const isShrinkable = finding.what !== "disturbed" && finding.what !== "not removed";
    if (tally.failures.length >= MAX_FAILURES) return;
    const failure = { what: finding.what, detail: finding.detail, lane: lane.name, index, case: one };
    tally.failures.push(failure);
    if (isShrinkable && tally.failures.length <= MAX_SHRUNK) {
      failure.case = await shrunk(one, async (smaller) => (await this.oracle.removed(lane, smaller)) !== undefined);
    }
  }

  /** Removes ticket keys: no ticket under a removed key may resume, whoever issued it. */
  private async runKeys(lane: Lane, mayGoOn: () => boolean): Promise<void> {
    const bases = lane.possible.bases.filter((base) => ["ticket", "psk", "retry", "early"].includes(base));
    const keys = new Set<string>();
    for (const version of [TLS12, TLS13] as const) {
      const plan = plainPlan({ version, serverName: "shop.example", wantsTicket: true });
      const { fresh } = await runPlan(plan, { port: lane.port, milliseconds: 3000, wantsTicket: version === TLS13 });
      const key = fresh[0] === undefined ? undefined : ticketKey(fresh[0]);
      if (key !== undefined) keys.add(key);
    }
    const { admin } = this.oracle.front.stack;
    const lanes = Array.from({ length: lane.width }, async () => {
      while (mayGoOn()) {
        const index = this.nextIndex(lane);
        const { one } = caseOf(
          this.options.seed,
          { ...lane, possible: { ...lane.possible, bases, ways: ["key"] } },
          index,
        );
        await this.judge(lane, one, index, false);
      }
    });
    await Promise.all(lanes);
    for (const key of keys) await admin("PUT", `/v1/ticket-keys/${key}`, { body: {} });
  }

  /** Runs each base without a mutation: if that fails, the rest proves nothing. */
  private async runPlain(lane: Lane): Promise<void> {
    for (const base of lane.possible.bases) {
      await this.judge(lane, { base, steps: [], way: "session", asksTicket: base !== "id" }, -1, true);
    }
  }

  private async runNamed(lane: Lane, all: readonly Found[]): Promise<void> {
    for (const found of all) {
      if (!found.servers.includes(lane.server) && !found.servers.includes(lane.name)) continue;
      const result = this.named.get(found) ?? { resumed: [], failures: [] };
      this.named.set(found, result);
      if (!lane.possible.bases.includes(found.case.base)) continue;
      const direct = await this.oracle.direct(lane, found.case);
      const isBystander = found.bystander === true;
      const isGood = direct.kind === "resumed" || (isBystander ? direct.kind === "full" : direct.earlyReached === true);
      if (!isGood) continue;
      const where = `${lane.name} (${settingName(this.options.setting)})`;
      result.resumed.push(where);
      const finding = isBystander
        ? await this.oracle.bystander(lane, found.case, direct)
        : await this.oracle.removed(lane, found.case);
      if (typeof finding === "object") result.failures.push(`${where}: ${finding.what} ${finding.detail}`);
    }
  }

  private nextIndex({ name }: Lane): number {
    const index = this.options.nextIndex.get(name) ?? 0;
    this.options.nextIndex.set(name, index + 1);
    return index;
  }

  private tally({ server }: Lane): Tally {
    const tally = this.tallies.get(server) ?? new Tally(server, settingName(this.options.setting));
    this.tallies.set(server, tally);
    return tally;
  }

  private count(tally: Tally): void {
    tally.attempts++;
    this.attempts++;
    this.options.progress(this.attempts);
  }
}

/** The case for a seed, a lane's name and an index: always the same one. */
export function caseOf(seed: number, lane: Lane, index: number): { one: Case; wantsBystander: boolean } {
  let mixed = seed;
  for (const letter of `${lane.name} ${index}`) mixed = (Math.imul(mixed, 31) + letter.charCodeAt(0)) >>> 0;
  const random = new Random(mixed);
  const one = randomCase(random, lane.possible);
  return { one, wantsBystander: one.base.startsWith("full") || random.below(3) === 0 };
}

/** The share of the time that goes to removed ticket keys. */
const KEY_SHARE = 0.15;
const MAX_FAILURES = 30;
const MAX_SHRUNK = 6;
