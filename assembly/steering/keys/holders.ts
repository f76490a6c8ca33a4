/**
 * Which upstreams hold which ticket keys, of one cluster: the evidence by which steering goes.
 *
 * That an upstream holds a key, only its own bytes tell, which no client can make: a NewSessionTicket in clear under the key's name
 * (RFC 5077 3.3), a PSK that it has selected (RFC 8446 4.2.11: it had to decrypt the ticket to check the binder), or a ticket
 * whose acceptance nothing else explains. One such observation is enough, whoever brought it about.
 *
 * That it does not hold a key, nothing tells for certain: a decline may mean an expired ticket, another server name or cipher suite, or
 * a made-up ticket, all of which a client can bring about alone. So declines only ever add up from different networks,
 * MOST_DECLINES of them in a row take a holder out of several, and none takes out the last one. One acceptance makes all of
 * them undone. The worst that a liar gets from it is that a server with a shared key has fewer resumptions for a while.
 *
 * Nothing is known of a name before a server was seen to hold it (`session/revocation/ticket_keys.ts` says which names are any), so that made-up
 * names take no place here. An array of PLACES places in SEGMENTS values of the shared store, found by a keyed hash; names that share a
 * place displace each other, and are learned again. Each virtual machine has copies of COPIES of them, which are right as long as
 * the revision of `tokens.ts` is the same: to look costs one read after a change, and none otherwise.
 */
import { zeroed } from "../../bytes/zeroed";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { KeyedHash } from "../../shared/keyed_hash";
import { StoredValue } from "../../shared/stored_value";
import { TICKET_KEY_LENGTH } from "../../session/record/session";
import { Holding, HOLDING_SIZE, MOST_DECLINES } from "./holding";
import { Tokens } from "../hosts/tokens";

export class Holders {
  private readonly value: StoredValue;
  private readonly copies: usize;

  constructor(
    cacheName: string,
    family: string,
    sharedStore: SharedStore,
    private readonly hash: KeyedHash,
    private readonly tokens: Tokens,
  ) {
    this.value = new StoredValue(cacheName, family + "/holders", sharedStore);
    this.copies = zeroed(COPIES * COPY_SIZE);
  }

  free(): void {
    this.value.free();
    heap.free(this.copies);
  }

  /** What is known of a key by its name of 16 bytes; null for nothing. Valid until the next call. */
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

  /** Whether it is known, and nothing speaks against it, that an upstream holds a key. */
  knows(name: usize, upstream: i32): bool {
    const copy = this.look(name);
    return copy != null && copy.holding.isHeldBy(upstream) && copy.holding.declinesOf(upstream) == 0;
  }

  /** An upstream was seen to hold a key; `before`: one that is known for it from elsewhere, or -1. */
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
      const result = this.write();
      if (result == StoreResult.Conflict) continue;
      if (result == StoreResult.Ok) this.owned(hashed, upstream, holders);
      return;
    }
  }

  /**
   * An upstream has declined a ticket under a key that is known; `network` is the client's. The only holder that is known never minds.
   */
  declined(name: usize, upstream: i32, network: u32, nowSeconds: u64): void {
    const copy = this.look(name);
    if (!copy || !minds(copy.holding, upstream, network)) return;
    const hashed = this.hash.nameOf(name, TICKET_KEY_LENGTH);
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const holding = this.read(hashed);
      if (!holding || !minds(holding, upstream, network)) return;
      holding.decline(upstream);
      holding.network = network;
      if (!holding.isHeldBy(upstream)) postpone(holding, nowSeconds);
      else if (holding.declinesOf(upstream) == MOST_DECLINES) {
        holding.letGo(upstream);
        holding.nextProbe = <u32>nowSeconds + FIRST_PROBE_SECONDS;
      }
      if (this.write() != StoreResult.Conflict) return;
    }
  }

  /** Keeps up which upstream has a key of its own. */
  private owned(hashed: u64, upstream: i32, holders: i32): void {
    const own = ownName(hashed);
    if (holders == 1) return this.tokens.own(upstream, own);
    for (let other = 0; other < this.tokens.upstreams; other++) {
      if (this.tokens.ownKeyOf(other) == own) this.tokens.own(other, 0);
    }
  }

  /** The place of a name as it is stored, in SEGMENT; null if it is not there. */
  private read(hashed: u64): Holding | null {
    this.value.select(<u32>(hashed % SEGMENTS));
    if (!this.value.readWhole(SEGMENT, SEGMENT_SIZE)) memory.fill(SEGMENT, 0, SEGMENT_SIZE);
    const holding = this.placeOf(hashed);
    return holding.name == hashed ? holding : null;
  }

  private write(): StoreResult {
    const result = this.value.put(SEGMENT, SEGMENT_SIZE);
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

/** This machine's copy of a place. */
@unmanaged
export class Copy {
  name: u64;
  revision: u32;
  /** How often a ticket under the key was sent to its only holder since another one was asked. */
  sent: u32;
  exists: bool;


  @inline
  get holding(): Holding {
    return changetype<Holding>(changetype<usize>(this) + COPY_HEADER_SIZE);
  }

  begin(name: u64): void {
    memory.fill(changetype<usize>(this), 0, COPY_SIZE);
    this.name = name;
  }
}

/** By what an upstream's place says that a key is its own. */
export function ownName(hashed: u64): u32 {
  return (<u32>hashed) | 1;
}

/** Whether a decline of an upstream is to be noted: it is not, of the only holder, nor twice in a row by one network. */
function minds(holding: Holding, upstream: i32, network: u32): bool {
  const declines = holding.declinesOf(upstream);
  if (declines >= MOST_DECLINES || (declines > 0 && holding.network == network)) return false;
  return !holding.isHeldBy(upstream) || holding.holders > 1;
}

/** Another upstream was asked in vain: it is asked more and more rarely, after 1, 4, 16 minutes and so on. */
function postpone(holding: Holding, nowSeconds: u64): void {
  if (holding.failedProbes < MOST_FAILED_PROBES) holding.failedProbes++;
  const further = <u32>holding.failedProbes - 1;
  holding.nextProbe = <u32>nowSeconds + (FIRST_PROBE_SECONDS << (2 * further));
}

/** So often another upstream is asked without waiting for that. */
export const FREE_PROBES: u8 = 2;
const FIRST_PROBE_SECONDS: u32 = 60;
/** From then on every 4 hours. */
const MOST_FAILED_PROBES: u8 = 5;
/** 2,048 names in 256 KiB. */
const SEGMENTS: u64 = 256;
const PLACES_A_SEGMENT: u64 = 8;
const SEGMENT_SIZE: i32 = 1024;
const SEGMENT: usize = memory.data(1024, 8);
const MAX_TRIES: i32 = 8;
const COPIES: usize = 64;
const COPY_HEADER_SIZE: usize = 24;
const COPY_SIZE: usize = COPY_HEADER_SIZE + 128;
