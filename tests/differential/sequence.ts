/** Runs a sequence on both sides, compares them after every step, and shortens a failing sequence. */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Random } from "../support/random.ts";
import type { Occurrences } from "./differences.ts";
import { FilterSide, REMOVED_SECONDS, START_SECONDS, STAY_SECONDS, SWEEP_SECONDS } from "./filter_side.ts";
import type { Libssl } from "./libssl.ts";
import { type Operation, lineOf } from "./operations.ts";
import { ALL_SLOTS, Reference, type State } from "./reference.ts";

export interface Mismatch {
  /** The operations up to and including the failing one. */
  operations: Operation[];
  /** A line for each figure that differs. */
  lines: string[];
}

/** Returns the first step in which the two sides differ, if there is one. */
export function compare(
  operations: readonly Operation[],
  libssl: Libssl,
  occurrences: Occurrences,
): Mismatch | undefined {
  const reference = new Reference(libssl, occurrences, SETTINGS);
  const filter = new FilterSide(IDS);
  for (const [index, operation] of operations.entries()) {
    const { exchange, returned, state } = reference.apply(operation);
    const looks = [touched(operation), exchange?.issued].filter((slot) => slot !== undefined);
    const last = index === operations.length - 1;
    const expected = named(
      returned,
      state,
      last ? state : {},
      looks.map((slot) => [slot, reference.statusOf(slot)]),
    );
    let found: Record<string, unknown>;
    try {
      const answer = filter.apply(operation, exchange);
      const statistics = last ? filter.statistics() : {};
      found = named(
        answer,
        filter.state(),
        statistics,
        looks.map((slot) => [slot, filter.statusOf(slot)]),
      );
    } catch (error) {
      found = { returned: String(error) };
    }
    const lines = differingLines(expected, found);
    if (lines.length > 0) return { operations: operations.slice(0, index + 1), lines };
  }
  return undefined;
}

/** The compared figures, with their names in a report. `statistics`: those of /v1/stats. */
function named(
  returned: string,
  state: State,
  statistics: Partial<State>,
  looks: readonly (readonly [number, number])[],
): Record<string, unknown> {
  const shown: Record<string, unknown> = { returned, ...state };
  for (const name of COUNTED) if (name in statistics) shown[`${name} in /v1/stats`] = statistics[name];
  for (const [slot, status] of looks) shown[`GET of ${slot}`] = status;
  return shown;
}

/** Leaves out operations, first many at a time, then one by one, and simplifies the rest, while the sequence still fails. */
export function shrink(mismatch: Mismatch, fails: (operations: Operation[]) => Mismatch | undefined): Mismatch {
  let shortest = mismatch;
  for (let size = Math.ceil(shortest.operations.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < shortest.operations.length;) {
      const { operations } = shortest;
      const shorter = fails([...operations.slice(0, from), ...operations.slice(from + size)]);
      if (shorter === undefined) from += size;
      else shortest = shorter;
    }
  }
  for (let index = 0; index < shortest.operations.length; index++) {
    for (const simpler of simplerThan(shortest.operations[index])) {
      shortest = fails(shortest.operations.with(index, simpler)) ?? shortest;
    }
  }
  return shortest;
}

function simplerThan(operation: Operation | undefined): Operation[] {
  if (operation?.kind === "handshake") return [{ ...operation, how: "usual" }];
  if (operation?.kind === "mode") return operation.flags.map((flag) => ({ kind: "mode", flags: ["SERVER", flag] }));
  if (operation?.kind !== "add") return [];
  const { timeout } = operation.fields;
  return [
    { ...operation, fields: timeout === undefined ? {} : { timeout } },
    { ...operation, fields: {} },
  ];
}

export function describeMismatch({ lines, operations }: Mismatch): string {
  return [...operations.map(lineOf), ...lines.map((line) => `#   ${line}`)].join("\n");
}

/**
 * Compares a cache of more than 256 sessions, filled beyond its size. There the two sides may evict different sessions: then
 * libssl evicts the filter's choice instead, so that everything else is still compared.
 */
export function compareLarge(libssl: Libssl, occurrences: Occurrences, random: Random): Mismatch | undefined {
  const reference = new Reference(libssl, occurrences, SETTINGS);
  const filter = new FilterSide(LARGE_IDS);
  const size = 257 + random.below(40);
  const operations: Operation[] = [{ kind: "size", size }];
  for (let slot = 0; slot < LARGE_IDS.length; slot++) {
    operations.push({ kind: "add", slot, fields: { timeout: 1000 + random.below(100_000) } });
  }
  for (const [index, operation] of operations.entries()) {
    const expected = reference.apply(operation);
    const returned = filter.apply(operation, undefined);
    // A look at the whole state takes long, and nothing is evicted before.
    if (index < size) continue;
    const found = filter.state();
    const evictedHere = missing(expected.state.held, found.held);
    const evictedThere = missing(found.held, expected.state.held);
    if (evictedHere.length === 1 && evictedThere.length === 1 && evictedHere[0] !== touched(operation)) {
      occurrences.met("sampled-eviction");
      reference.evictInstead(evictedHere[0] ?? 0, evictedThere[0] ?? 0);
      expected.state.held = found.held;
    }
    const lines = differingLines({ returned: expected.returned, ...expected.state }, { returned, ...found });
    if (lines.length > 0) return { operations: operations.slice(0, index + 1), lines };
  }
  return undefined;
}

/** The slots of the list's sessions that `from` does not have. */
function missing(list: string, from: string): number[] {
  const there = new Set(from.split(" "));
  return list
    .split(" ")
    .filter((entry) => !there.has(entry))
    .map((entry) => Number.parseInt(entry, 10));
}

function touched(operation: Operation): number | undefined {
  if (operation.kind === "add" || operation.kind === "remove") return operation.slot;
  return operation.kind === "handshake" ? operation.offered : undefined;
}

function differingLines(expected: Record<string, unknown>, found: Record<string, unknown>): string[] {
  if (isDeepStrictEqual(expected, found)) return [];
  return Object.keys(expected)
    .filter((name) => expected[name] !== found[name])
    .map((name) => `${name}: libssl has "${String(expected[name])}", the filter "${String(found[name])}"`);
}

/** Session IDs of many lengths. Some are prefixes of others, or differ only in their last byte. */
export const IDS: readonly Buffer[] = Array.from({ length: ALL_SLOTS }, (_, slot) => {
  const whole = createHash("sha256").update("session").digest();
  if (slot < 3) return whole.subarray(0, [1, 4, 16][slot]);
  if (slot < 6) return Buffer.concat([whole.subarray(0, 31), Buffer.of(slot)]);
  return createHash("sha256")
    .update(`session ${slot}`)
    .digest()
    .subarray(0, slot === 6 ? 31 : 32);
});

export const LARGE_IDS: readonly Buffer[] = Array.from({ length: 400 }, (_, slot) =>
  createHash("sha256").update(`large ${slot}`).digest(),
);

const COUNTED = ["number", "hits", "misses", "timeouts", "cacheFull"] as const;

const SETTINGS = {
  startSeconds: START_SECONDS,
  removedSeconds: REMOVED_SECONDS,
  sweepSeconds: SWEEP_SECONDS,
  staySeconds: STAY_SECONDS,
};
