/**
 * Which upstreams of one cluster hold which ticket keys: the evidence for steering.
 *
 * Only an upstream's own bytes prove that it holds a key, as no client can make them: a NewSessionTicket in clear under the
 * key's name (RFC 5077 3.3), a PSK that it has selected (RFC 8446 4.2.11: it had to decrypt the ticket to check the binder),
 * or an acceptance that only a ticket explains. One such proof is enough, whoever caused it.
 *
 * Nothing proves that an upstream does not hold a key. A decline may mean an expired ticket, another server name or cipher
 * suite, or a made-up ticket, all of which a client can cause alone. So declines only add up from different networks.
 * MAX_DECLINES in a row remove one holder of several, and never the last one. One acceptance undoes all of them. The worst
 * that a liar can do is to give a server with a shared key fewer resumptions for a while.
 *
 * A name has no place here before a server was seen to hold it (`session/revocation/ticket_keys.ts` decides that), so
 * made-up names take none. The places are in SEGMENTS values of the shared store, found by a keyed hash. Names that share a
 * place displace each other, and are learned again. Each virtual machine has COPIES copies, which are right as long as the
 * revision of `tokens.ts` is the same: a look costs one read after a change, and none otherwise.
 */
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { KeyedHash } from "../../shared/keyed_hash";
import { StoreKey } from "../../shared/store_key";
import { TICKET_KEY_LENGTH } from "../../session/record/session";
import { Holding, HOLDING_SIZE, MAX_DECLINES } from "./holding";
import { HostTokens } from "../hosts/tokens";

export class Holders {
  private readonly key: StoreKey;
  private readonly copies: usize;

  constructor(
    cacheName: string,
    family: string,
    private readonly sharedStore: SharedStore,
    private readonly hash: KeyedHash,
    private readonly tokens: HostTokens,
  ) {
    this.key = new StoreKey(cacheName, family + "/holders", true);
    const copies = heap.alloc(COPIES * COPY_SIZE);
    memory.fill(copies, 0, COPIES * COPY_SIZE);
    this.copies = copies;
  }

  free(): void {
    this.key.free();
    heap.free(this.copies);
  }

  /**
   * Returns the copy of a key, by its name of 16 bytes, or null if nobody is known to hold it. Valid until the next call.
   */
  look(name: usize): Copy | null {
    const hashed = this.hash.nameOf(name, TICKET_KEY_LENGTH);
    const copy = this.copyOf(hashed);
    const isOther = copy.name != hashed;
    if (isOther) copy.begin(hashed);
    if (isOther || copy.revision != this.tokens.revisionSeen) {
      copy.revision = this.tokens.revisionSeen;
      const stored = this.read(hashed);
      copy.exists = stored != null;
      if (stored) memory.copy(changetype<usize>(copy.holding), changetype<usize>(stored), HOLDING_SIZE);
    }
    return copy.exists ? copy : null;
  }

  /** Reports whether an upstream is known to hold a key, and has not declined since. */
  knows(name: usize, upstream: i32): bool {
    const copy = this.look(name);
    return copy != null && copy.holding.isHeldBy(upstream) && copy.holding.declinesOf(upstream) == 0;
  }

  /** An upstream was seen to hold a key. `before`: an upstream that another table has for it, or -1. */
  accepted(name: usize, upstream: i32, before: i32, nowSeconds: u64): void {
    if (this.knows(name, upstream)) return;
    const hashed = this.hash.nameOf(name, TICKET_KEY_LENGTH);
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      let holding = this.read(hashed);
      if (!holding) {
        holding = this.placeOf(hashed);
        holding.begin(hashed, <u32>nowSeconds + FIRST_PROBE_SECONDS);
        if (before >= 0) holding.hold(before);
      } else if (holding.isHeldBy(upstream) && holding.declinesOf(upstream) == 0) {
        return;
      }
      holding.hold(upstream);
      const holders = holding.holders;
      if (holders > 1) {
        holding.failedProbes = 0;
        holding.nextProbe = <u32>nowSeconds;
      }
      const result = this.write(hashed);
      if (result == StoreResult.Conflict) continue;
      if (result == StoreResult.Ok) this.owned(hashed, upstream, holders);
      return;
    }
  }

  /**
   * An upstream has declined a ticket under a known key; `network` is the client's. Declines of the only holder do not
   * count.
   */
  declined(name: usize, upstream: i32, network: u32, nowSeconds: u64): void {
    const copy = this.look(name);
    if (!copy || !counts(copy.holding, upstream, network)) return;
    const hashed = this.hash.nameOf(name, TICKET_KEY_LENGTH);
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const holding = this.read(hashed);
      if (!holding || !counts(holding, upstream, network)) return;
      holding.decline(upstream);
      holding.network = network;
      if (!holding.isHeldBy(upstream)) postpone(holding, nowSeconds);
      else if (holding.declinesOf(upstream) == MAX_DECLINES) {
        holding.letGo(upstream);
        holding.nextProbe = <u32>nowSeconds + FIRST_PROBE_SECONDS;
      }
      if (this.write(hashed) != StoreResult.Conflict) return;
    }
  }

  /** Keeps the table of upstreams true about who has a key of its own. */
  private owned(hashed: u64, upstream: i32, holders: i32): void {
    const own = ownName(hashed);
    if (holders == 1) return this.tokens.own(upstream, own);
    for (let other = 0; other < this.tokens.upstreams; other++) {
      if (this.tokens.ownKeyOf(other) == own) this.tokens.own(other, 0);
    }
  }

  /** Reads the place of a name to SEGMENT, for `write`; null if it is another one's. */
  private read(hashed: u64): Holding | null {
    this.key.select(<u32>(hashed % SEGMENTS));
    const result = this.sharedStore.read(this.key.start, this.key.length, SEGMENT, SEGMENT_SIZE);
    this.exists = result == StoreResult.Ok && this.sharedStore.length == SEGMENT_SIZE;
    this.mark = this.sharedStore.mark;
    if (!this.exists) memory.fill(SEGMENT, 0, SEGMENT_SIZE);
    const holding = this.placeOf(hashed);
    return holding.name == hashed ? holding : null;
  }

  private exists: bool = false;
  private mark: u32 = 0;

  private write(hashed: u64): StoreResult {
    this.key.select(<u32>(hashed % SEGMENTS));
    const result = this.exists
      ? this.sharedStore.replace(this.key.start, this.key.length, SEGMENT, SEGMENT_SIZE, this.mark)
      : this.sharedStore.create(this.key.start, this.key.length, SEGMENT, SEGMENT_SIZE);
    if (result == StoreResult.Ok) this.tokens.announce();
    return result;
  }

  private placeOf(hashed: u64): Holding {
    const slot = <usize>((hashed / SEGMENTS) % PLACES_A_SEGMENT);
    return changetype<Holding>(SEGMENT + slot * HOLDING_SIZE);
  }

  private copyOf(hashed: u64): Copy {
    return changetype<Copy>(this.copies + <usize>((hashed >> 32) % <u64>COPIES) * COPY_SIZE);
  }
}

/** This virtual machine's copy of a place. */
@unmanaged
export class Copy {
  name: u64;
  revision: u32;
  /** How often a ticket under the key was sent to its only holder since another one was asked. */
  sent: u32;
  exists: bool;

  /** Stands behind the fields. */
  @inline
  get holding(): Holding {
    return changetype<Holding>(changetype<usize>(this) + COPY_HEADER_SIZE);
  }

  begin(name: u64): void {
    memory.fill(changetype<usize>(this), 0, COPY_SIZE);
    this.name = name;
  }
}

/** Returns the number by which an upstream's place names a key as its own. */
export function ownName(hashed: u64): u32 {
  return (<u32>hashed) | 1;
}

/** Whether a decline of an upstream counts: not of the only holder, nor twice in a row by one network. */
function counts(holding: Holding, upstream: i32, network: u32): bool {
  const declines = holding.declinesOf(upstream);
  if (declines >= MAX_DECLINES || (declines > 0 && holding.network == network)) return false;
  return !holding.isHeldBy(upstream) || holding.holders > 1;
}

/** Another upstream was asked in vain: others are asked more and more rarely, after 1, 4, 16 minutes and so on. */
function postpone(holding: Holding, nowSeconds: u64): void {
  if (holding.failedProbes < MAX_FAILED_PROBES) holding.failedProbes++;
  const further = <u32>holding.failedProbes - 1;
  holding.nextProbe = <u32>nowSeconds + (FIRST_PROBE_SECONDS << (2 * further));
}

/** So often another upstream is asked without such a pause. */
export const FREE_PROBES: u8 = 2;
const FIRST_PROBE_SECONDS: u32 = 60;
/** From then on every 4 hours. */
const MAX_FAILED_PROBES: u8 = 5;
/** 2,048 names in 256 KiB. */
const SEGMENTS: u64 = 256;
const PLACES_A_SEGMENT: u64 = 8;
const SEGMENT_SIZE: i32 = 1024;
const SEGMENT: usize = memory.data(SEGMENT_SIZE, 8);
const MAX_TRIES: i32 = 8;
const COPIES: usize = 64;
const COPY_HEADER_SIZE: usize = 24;
const COPY_SIZE: usize = COPY_HEADER_SIZE + 128;
