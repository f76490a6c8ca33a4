/** Which sessions the operator has removed, where and when: the soak's own account, beside the proxies'. */
import type { Outages } from "./outages.ts";

export interface Removal {
  readonly id: string;
  readonly proxy: string;
  /** Milliseconds: when its answer was there. */
  readonly at: number;
  /** Added again since, or lost with its proxy before it can have been told. */
  isLifted: boolean;
}

export class Removals {
  readonly late: string[] = [];
  lostWithProxy = 0;
  private readonly all = new Map<string, Removal>();

  constructor(private readonly outages: Outages) {}

  note(id: string, proxy: string): Removal {
    const removal = { id, proxy, at: Date.now(), isLifted: false };
    this.all.set(id, removal);
    return removal;
  }

  /** It is being added again. */
  lift(id: string): void {
    const removal = this.all.get(id);
    if (removal !== undefined) removal.isLifted = true;
  }

  /** Whether it was removed at any time. */
  has(id: string): boolean {
    return this.all.has(id);
  }

  /** Whether all proxies must refuse it from a time on. */
  isDue(id: string, since: number): boolean {
    const removal = this.all.get(id);
    return removal !== undefined && !removal.isLifted && since >= this.outages.dueAfter(removal.at);
  }

  /** A proxy is killed: its last removals may not have been told. */
  noteKilled(proxy: string): void {
    const now = Date.now();
    for (const removal of this.all.values()) {
      if (removal.proxy !== proxy || removal.isLifted || this.outages.dueAfter(removal.at) < now) continue;
      removal.isLifted = true;
      this.lostWithProxy++;
    }
  }

  /** A session resumed, or a proxy did not refuse it, from a time on. */
  judge(id: string, since: number, what: string): void {
    const removal = this.all.get(id);
    if (removal === undefined || !this.isDue(id, since)) return;
    this.late.push(`${what}, ${since - removal.at} ms after its removal on ${removal.proxy}`);
  }

  /** IDs that must be refused everywhere. */
  inForce(): string[] {
    return [...this.all.values()].flatMap(({ id, isLifted }) => (isLifted ? [] : id));
  }
}
