/**
 * All deliberate differences from libssl's cache, by name, with the reason. `reference.ts` carries each out in terms of
 * libssl's own functions, so that everything else must be equal. docs/use/openssl.md has the same list for readers. A
 * difference that never occurs in a run fails that run, as nothing has checked it.
 */
export const DIFFERENCES = {
  "size-holds-n": "a size of N holds N sessions, as everybody expects; libssl holds N-1 (and 1 for N = 1)",
  "lower-size-evicts-at-once":
    "a lowered size evicts before its answer, as its caller wants the memory now; libssl waits for the next add",
  "sampled-eviction":
    "above a size of 256, the evicted session is the first to expire of a sample of pages, not always of all pages, so an " +
    "add costs the same in a large cache; the number and cache_full are still equal",
  "replacing-evicts-nobody":
    "in a full cache a new session takes the place of the one that it replaces; libssl may also evict another session",
  "equal-by-fields":
    "identical means that every given field is equal, as a caller over HTTP has no object; libssl compares addresses",
  "unsaid-stays": "a replacing add keeps the fields that it does not give; libssl keeps nothing of the old object",
  "undoing-keeps":
    "an add over a removal keeps the fields that it does not give, as they were before; libssl knows nothing of them any more",
  "expired-is-absent":
    "adding over an expired session is a new add that returns 1; libssl returns 0 for the same object, expired or not",
  "expired-stays-until-swept":
    "an expired session stays in the number until it is swept, as a lookup only observes; libssl drops it in the lookup " +
    "that finds it",
  "removed-stays-refused":
    "a removed ID, held or not, is not learned again until its tombstone ends or the API adds it, as the servers still " +
    "hold it and would bring it back; libssl only marks the object",
  "removed-is-cut-off":
    "an alert cuts off a removed session that a server accepts, and it only counts as refused, as a removal is meant to " +
    "reach the servers; libssl resumes a session that its get callback finds",
  "flushed-stays-refused": "the same for unexpired sessions that a flush removes",
  "off-counts-nothing": "OFF neither looks up nor counts; libssl stores nothing, but looks up, counts and resumes",
  "key-without-protocol":
    "an ID names one session, and one of another protocol version is held and declined; libssl keeps one for each " +
    "version, so one of another version is a miss",
  "hit-at-completion":
    "a hit counts when the handshake completes, else anyone who has seen an ID could count hits; libssl counts it before " +
    "the client has proved the key",
  "unclean-end-keeps":
    "a connection that ends without close_notify keeps its session (RFC 5246 7.2.1 allows it), as alerts are encrypted; " +
    "libssl removes it",
  "cleared-in-background":
    "a sweeper clears expired sessions in the background, five seconds late; libssl clears in every 256th handshake, " +
    "whose client waits",
  "turns-by-change":
    "of sessions that expire in the same second, the one whose record was made or filled in least recently goes first; in " +
    "libssl an add of the identical session counts too, and there is no filling in",
  "out-of-range-refused":
    "a negative size and a timeout below 1 are errors; libssl silently ignores the size and takes the timeout",
  "issued-again-replaces":
    "a held ID that a server issues again is replaced, as many servers share the cache; a libssl server fails that " +
    "handshake",
  "hit-only-if-held":
    "a resumption of a session that is not held is a miss and is learned; libssl, if its get callback finds it, counts a " +
    "miss and a hit",
  "expired-counts-if-declined":
    "an expired session that is offered counts as a timeout, whatever the reason of its decline; libssl first compares " +
    "the session ID context, which no proxy sees",
} as const;

export type Difference = keyof typeof DIFFERENCES;

/** How often each difference occurred. */
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
