/**
 * Takes in one list that a listing of another cache gave, or of this one before a restart. In slices; an entry that is
 * malformed, or that cannot be stored, ends it, and the ones before it stay taken in.
 */
import { JsonKind, JsonValue } from "../../json/value";
import { Cache } from "../../session/cache";
import { Deadline, Job } from "../../work/job";

export const enum Taken {
  Taken = 0,
  /** It is in force here already. */
  Identical = 1,
  /** It has ended, or is only shown. */
  Skipped = 2,
  /** `error` has the rule. */
  Malformed = 3,
  NotStored = 4,
}

export abstract class Import extends Job {
  /** The rule that a malformed entry breaks. */
  error: string = "";
  /** The line of each entry, from 1; null if they are the items of an array. */
  lines: i32[] | null = null;
  /** The number of the next entry. */
  private number: i32 = 0;
  /** How many entries there were of the first three of `Taken`. */
  readonly counts: StaticArray<u64> = new StaticArray<u64>(3);

  constructor(
    protected readonly cache: Cache,
    private readonly name: string,
    private readonly items: JsonValue[],
  ) {
    super();
  }

  /** Takes in one entry, which is an object. */
  protected abstract take(entry: JsonValue): Taken;

  /** The outcome of an entry that breaks a rule. */
  protected malformed(rule: string): Taken {
    this.error = rule;
    return Taken.Malformed;
  }

  /** The next entry, in texts for people. */
  get place(): string {
    const lines = this.lines;
    if (lines !== null) return "line " + lines[this.number].toString() + ": " + this.name + ": ";
    return this.name + "[" + this.number.toString() + "]: ";
  }

  step(deadline: Deadline): bool {
    this.cache.readSettings();
    while (this.number < this.items.length) {
      const entry = this.items[this.number];
      this.error = "expected an object, as GET gives it";
      const taken = entry.kind == JsonKind.Object ? this.take(entry) : Taken.Malformed;
      if (taken == Taken.Malformed) return true;
      this.error = "";
      if (taken == Taken.NotStored) {
        this.failed = true;
        return true;
      }
      this.counts[taken] += 1;
      this.number++;
      if (deadline.passed) return false;
    }
    return true;
  }
}

/** Returns a member that is a string; empty if it is none. */
export function textOf(entry: JsonValue, member: string): string {
  const value = entry.member(member);
  return value !== null && value.kind == JsonKind.String ? value.text : "";
}

/** Returns Unix seconds: `otherwise` if there are none, -1 if they are malformed. */
export function secondsOf(value: JsonValue | null, otherwise: u64): i64 {
  if (value === null) return <i64>otherwise;
  return value.isWhole(0, u32.MAX_VALUE) ? <i64>value.number : -1;
}

export const SNI_EXPECTED: string = "expected a server name, 1 to 255 bytes";
export const SECONDS_EXPECTED: string = "expected Unix seconds, a whole number up to 4294967295";
