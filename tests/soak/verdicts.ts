/** The conditions at the end of a soak, each an assertion with its finding. */
import type { AnswerBody, RemovedSession } from "../support/answer.ts";
import type { ProcessMemory } from "../support/process_memory.ts";

export interface Verdict {
  what: string;
  isTrue: boolean;
  found: string;
}

/** What clients saw of whole visits, and how many left in the middle. */
export interface Seen {
  full: number;
  resumed: number;
  refused: number;
  aborted: number;
}

/** `stats` are those of a proxy that nobody uses any more. */
export function judgeSums(stats: AnswerBody, seen: Seen, listed: number): Verdict[] {
  const full = sum(stats.full);
  const resumed = sum(stats.resumed);
  const refused = sum(stats.resumptions_refused);
  const { accept, accept_good: good, adds, cache_full: evicted, expired, failed, flushed, number, removes } = stats;
  const left = Number(adds) - Number(removes) - Number(flushed) - Number(evicted) - Number(expired);
  const offered = sum(stats.resumptions_offered);
  const fates = ["accepted", "lost", "declined", "refused", "failed", "diverted"].map((fate) =>
    sum(stats[`resumptions_${fate}`]),
  );
  return [
    equal("handshakes = full + resumed + refused + failed", Number(accept), full + resumed + refused + Number(failed)),
    equal("completed = full + resumed", Number(good), full + resumed),
    equal("offered = accepted + lost + declined + refused + failed + diverted", offered, add(fates)),
    equal("number = added - removed - flushed - evicted - expired", Number(number), left),
    equal("number = sessions that are listed", Number(number), listed),
    equal("resumed = what clients saw resumed", resumed, seen.resumed),
    equal("refused = what clients saw refused", refused, seen.refused),
    {
      what: "full = what clients saw, and perhaps some of those that left",
      isTrue: full >= seen.full && full <= seen.full + seen.aborted,
      found: `${full}, clients saw ${seen.full}, ${seen.aborted} left`,
    },
  ];
}

export interface Sample extends ProcessMemory {
  /** Removed sessions that are remembered. */
  removed: number;
}

/**
 * `samples`: of the whole run, at even distances. What the run holds is constant after its first two fifths, but for removed
 * sessions: they are remembered for as long as their servers might resume them, two hours.
 */
export function judgeMemory(samples: Sample[], allowedMib: number): Verdict[] {
  const part = (from: number, to: number): Sample[] =>
    samples.slice(Math.floor(samples.length * from), Math.floor(samples.length * to));
  const early = part(0.4, 0.6);
  const late = part(0.8, 1);
  const grown = mib(median(late.map(({ resident }) => resident)) - median(early.map(({ resident }) => resident)));
  const more = median(late.map(({ removed }) => removed)) - median(early.map(({ removed }) => removed));
  const taken = mib(Math.max(more, 0) * BYTES_A_REMOVED_SESSION);
  const [atFirst, atLast] = [early[0]?.wasm ?? 0, late.at(-1)?.wasm ?? 0];
  return [
    {
      what:
        `resident memory is flat (at most ${allowedMib} MiB more in the last fifth of the run than in the third, ` +
        `and ${BYTES_A_REMOVED_SESSION} bytes for each removed session that has come to be remembered)`,
      isTrue: late.length > 0 && grown <= allowedMib + taken,
      found: `${grown.toFixed(1)} MiB more, ${taken.toFixed(1)} of them for ${more} removed sessions; ${mib(late.at(-1)?.resident ?? 0).toFixed(1)} MiB in the end`,
    },
    {
      what: "the module's heaps do not grow after two fifths of the run",
      isTrue: late.length > 0 && atLast <= atFirst,
      found: `${atFirst / 1024} KiB, then ${atLast / 1024} KiB, of ${late.at(-1)?.vms ?? 0} VMs`,
    },
  ];
}

/** Sessions that were removed by hand, and must still be. A page that is saturated refuses what it does not list. */
export function judgeRemoved(expected: string[], removed: RemovedSession[], stats: AnswerBody): Verdict[] {
  const listed = new Set(removed.map(({ id }) => id));
  const missing = expected.filter((id) => !listed.has(id));
  return [
    none("removed sessions that are not listed as removed", missing),
    {
      what: "tombstones are at least the removed sessions that are listed (those that ended stay until they are swept)",
      isTrue: Number(stats.tombstones) >= removed.length,
      found: `${Number(stats.tombstones)}, ${removed.length} listed`,
    },
    equal("no page is saturated", Number(stats.saturated_pages), 0),
  ];
}

export function none(what: string, found: string[]): Verdict {
  const examples = found.length === 0 ? "none" : `${found.length}, such as: ${found.slice(0, 3).join("; ")}`;
  return { what: `no ${what}`, isTrue: found.length === 0, found: examples };
}

export function equal(what: string, found: number, expected: number): Verdict {
  return { what, isTrue: found === expected, found: found === expected ? `${found}` : `${found}, not ${expected}` };
}

export function sum(counts: unknown): number {
  return add(Object.values(counts as Record<string, number>));
}

function add(counts: number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function mib(bytes: number): number {
  return bytes / 2 ** 20;
}

/** As measured: 92 to 118, the less the more there are. */
const BYTES_A_REMOVED_SESSION = 100;
