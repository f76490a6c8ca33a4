/** Counts of one server under one setting, and their judgement. */
import type { Case } from "./mutations/step.ts";

export interface Failure {
  what: string;
  detail: string;
  lane: string;
  /** With which the generator makes it again; -1 for a case with a name. */
  index: number;
  /** With the fewest steps that still fail. */
  case: Case;
}

export class Tally {
  /** Connections with what the case says, direct and through the filter. */
  attempts = 0;
  direct = 0;
  resumedDirectly = 0;
  /** Of those, with at least one step. */
  mutatedResumed = 0;
  removed = 0;
  resumed = 0;
  bystanders = 0;
  plainBystanders = 0;
  disturbed = 0;
  unfollowed = 0;
  /** The admin API did not obey. */
  notRemoved = 0;
  readonly failures: Failure[] = [];

  constructor(
    readonly server: string,
    readonly setting: string,
  ) {}

  /** Why this is not a proof, if it is not. */
  weakness(): string | undefined {
    if (this.direct === 0) return "nothing was tried";
    const least = Math.max(1, Math.floor(this.direct * LEAST_SHARE));
    if (this.mutatedResumed < least) return `only ${this.mutatedResumed} mutated of ${this.direct} resumed directly`;
    return this.bystanders === 0 ? "there was no bystander" : undefined;
  }

  hasFailed(): boolean {
    return this.resumed + this.disturbed + this.notRemoved > 0 || this.weakness() !== undefined;
  }
}

export function table(tallies: readonly Tally[]): string[] {
  const head =
    "| server | setting | attempts | direct | resumed directly | after removal | resumed although removed | bystanders | disturbed | unfollowed |";
  return [
    head,
    `|${" --- |".repeat(10)}`,
    ...tallies.map((one) => {
      const cells = [one.server, one.setting, one.attempts, one.direct, one.resumedDirectly, one.removed, one.resumed];
      return `| ${[...cells, one.bystanders, one.disturbed, one.unfollowed].join(" | ")} |`;
    }),
  ];
}

const LEAST_SHARE = 0.05;
