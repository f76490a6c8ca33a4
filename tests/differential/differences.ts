/**
 * Where this cache differs from libssl's on purpose: all of it, by name, with the reason. `reference.ts` carries each out in
 * terms of libssl's own functions, so that everything else must be equal; docs/use/openssl.md shows the same list to readers. A
 * difference that never occurs in a run fails that run: it would be a claim that nobody checks.
 */
export const DIFFERENCES = {
  "size-holds-n": "a size of N holds N sessions; libssl holds N-1 (and 1 for N = 1), which nobody means who says N",
  "lower-size-evicts-at-once":
    "a lowered size evicts before its answer; libssl waits for the next add: whoever lowers it wants the memory now",
  "sampled-eviction":
    "above a size of 256, the evicted session is the earliest to expire of a sample of pages and not always of all, so that " +
    "an add costs the same in a large cache; the number and cache_full are equal all the same",
  "replacing-evicts-nobody": "replacing in a full cache takes the old one's place; libssl may evict a bystander too",
  "equal-by-fields":
    "identical is what every given field says, since a caller over HTTP has no object; libssl compares addresses",
  "unsaid-stays": "what a replacing add does not say stays as it was; in libssl the new object is all there is",
  "undoing-keeps":
    "what an add over a removal does not say stays as it was when the session was removed; libssl knows nothing of it any more",
  "expired-is-absent":
    "adding over an expired session is a new add that returns 1; libssl returns 0 for the same object, expired or not",
  "expired-stays-until-swept":
    "an expired session stays in the number until it is swept; libssl drops it in the lookup that finds it: here a lookup " +
    "only observes",
  "removed-stays-refused":
    "a removed ID, held or not, is not learned again until its tombstone ends or it is added by hand; libssl marks the " +
    "object only: here the servers still hold it and would bring it back",
  "removed-is-cut-off":
    "a removed session that a server accepts is cut off with an alert and counts as refused only; libssl, whose get callback " +
    "has found it, resumes it: here removing is meant to reach the servers",
  "flushed-stays-refused": "the same for a flush of what has not expired",
  "off-counts-nothing":
    "OFF looks nothing up and counts nothing; libssl stores nothing but looks up, counts and resumes",
  "key-without-protocol":
    "an ID names one session; libssl keeps one for each protocol version, so that one of another version is a miss: here " +
    "it is held and declined",
  "hit-at-completion":
    "a hit counts when the handshake completes; libssl counts it before the client has proved the key: here anyone who " +
    "saw an ID could count hits",
  "unclean-end-keeps":
    "a connection that ends without close_notify keeps its session (RFC 5246 7.2.1 allows it); libssl removes it: alerts " +
    "are encrypted here",
  "cleared-in-background":
    "expired sessions are cleared in the background, five seconds late; libssl clears in every 256th handshake, whose " +
    "client waits",
  "turns-by-change":
    "of sessions that expire in the same second the one goes first whose record was made or filled in least recently; in " +
    "libssl also adding the identical one counts, and filling in does not exist",
  "out-of-range-refused":
    "a negative size and a timeout below 1 are errors; libssl ignores the one silently and takes the other",
  "issued-again-replaces":
    "a held ID that a server issues again is replaced, as there are many servers; a libssl server fails that handshake",
  "hit-only-if-held":
    "a resumption of what is not held is a miss and is learned; libssl, whose get callback has found it, counts a miss " +
    "and a hit",
  "expired-counts-if-declined":
    "an expired session that is offered counts as a timeout, whyever it was declined; libssl compares the session ID " +
    "context first, which no proxy sees",
} as const;

export type Difference = keyof typeof DIFFERENCES;

/** How often each difference was met. */
export class Occurrences {
  private readonly counts = new Map<Difference, number>();

  met(difference: Difference): void {
    this.counts.set(difference, this.count(difference) + 1);
  }

  count(difference: Difference): number {
    return this.counts.get(difference) ?? 0;
  }

  never(): Difference[] {
    return (Object.keys(DIFFERENCES) as Difference[]).filter((difference) => this.count(difference) === 0);
  }

  lines(): string[] {
    return (Object.keys(DIFFERENCES) as Difference[]).map((name) => `${String(this.count(name)).padStart(9)}  ${name}`);
  }
}
