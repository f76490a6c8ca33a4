/** Counts of one server under one setting, and whether they prove anything. */
import type { Case } from "./mutations/step.ts";

export interface Failure {
  what: string;
  detail: string;
  lane: string;
  /** The index with which the generator makes the case again; -1 for a case without a mutation. */
  index: number;
  /** The case, with as few steps as still fail. */
  case: Case;
}

export class Tally {
  /** Connections that offered a case, direct and through the filter. */
  attempts = 0;
  direct = 0;
  resumedDirectly = 0;
  /** Those of `resumedDirectly` with at least one step. */
  mutatedResumed = 0;
  removed = 0;
  resumed = 0;
  bystanders = 0;
  plainBystanders = 0;
  disturbed = 0;
  unfollowed = 0;
  /** Removals that the admin API did not carry out. */
  notRemoved = 0;
  readonly failures: Failure[] = [];

  constructor(
    readonly server: string,
    readonly setting: string,
  ) {}

  /** Why these counts prove nothing; undefined if they do. */
  weakness(): string | undefined {
    if (this.direct === 0) return "nothing was tried";
    const least = Math.max(1, Math.floor(this.direct * MIN_SHARE));
    if (this.mutatedResumed < least) return `only ${this.mutatedResumed} mutated of ${this.direct} resumed directly`;
    return this.bystanders === 0 ? "there was no bystander" : undefined;
  }

  hasFailed(): boolean {
    return this.resumed + this.disturbed + this.notRemoved > 0 || this.weakness() !== undefined;
  }
}

export function table(tallies: readonly Tally[]): string[] {
  const head =
    "| server | setting | attempts | direct | resumed directly | after removal | resumed although removed | " +
    "bystanders | disturbed | unfollowed |";
  return [
    head,
    `|${" --- |".repeat(10)}`,
    ...tallies.map((one) => {
      const cells = [one.server, one.setting, one.attempts, one.direct, one.resumedDirectly, one.removed, one.resumed];
      return `| ${[...cells, one.bystanders, one.disturbed, one.unfollowed].join(" | ")} |`;
    }),
  ];
}

const MIN_SHARE = 0.05;
