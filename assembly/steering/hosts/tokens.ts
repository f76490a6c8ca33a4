/**
 * The upstreams of one cluster that were seen, and which token leads to which of them. Envoy chooses the host by hashing a
 * text (RING_HASH or MAGLEV); the filter may choose the text. So it keeps TOKENS texts and learns, from the answers it
 * sees, where each of them leads: to reach an upstream it takes one of the tokens that lead there. Health checks, weights
 * and failover stay Envoy's.
 *
 * When the hosts change, some tokens lead elsewhere, and nobody says which. The first token that is found to have moved
 * begins an era: tokens that were seen in it are preferred to those that were not, and connections that resume nothing
 * try these again. So a client whose session is gone to another upstream finds that one at the next attempt.
 *
 * The table is one value in the shared store, changed only where something new was seen; each virtual machine has a copy,
 * and reads a small number, the revision, to know whether the copy is still right.
 *
 * Layout, little-endian: 0 u32 upstreams known, 4 u32 era, 8 u32 how often an upstream has come back, 12 u32 zero; 16 for each of
 * 255 upstreams its place (`upstream.ts`); then for each of TOKENS u8 number of its upstream + 1 (0 = not known); then for each of
 * TOKENS u8 the low byte of the era in which it was seen last.
 */
import { zeroed } from "../../bytes/zeroed";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";
import { isEven, tells } from "./evenness";
import { FOREVER, MAX_ADDRESS, MAX_UPSTREAMS, Upstream, UPSTREAM_SIZE } from "./upstream";

export class Tokens {
  private readonly value: StoredValue;
  private readonly revisionValue: StoredValue;
  /** This machine's copy, and the revision that it is of. */
  private readonly table: usize;
  private revision: u32 = 0;
  /** For each upstream, the token to take for it; and whether all tokens were seen. Made when they are asked for. */
  private readonly leading: StaticArray<i16> = new StaticArray<i16>(MAX_UPSTREAMS);
  private allSeen: bool = false;
  private isIndexed: bool = false;
  /** For each upstream, how many tokens lead to it; how many upstreams can be reached, and whether by equal numbers of tokens. */
  private readonly leadingTokens: StaticArray<u32> = new StaticArray<u32>(MAX_UPSTREAMS);
  private spreadsEvenly: bool = true;
  private upstreamsAway: i32 = 0;

  /** `family` names the cluster's part of the cache's keys. */
  constructor(cacheName: string, family: string, sharedStore: SharedStore) {
    this.value = new StoredValue(cacheName, family + "/upstreams", sharedStore);
    this.revisionValue = new StoredValue(cacheName, family + "/revision", sharedStore);
    this.table = zeroed(TABLE_SIZE);
  }

  free(): void {
    this.value.free();
    this.revisionValue.free();
    heap.free(this.table);
  }

  /** Takes what other machines have learned, where there is anything. Costs one read of four bytes where there is not. */
  follow(): void {
    if (this.revisionValue.read(REVISION, 4) != StoreResult.Ok || load<u32>(REVISION) == this.revision) return;
    const revision = load<u32>(REVISION);
    if (this.refresh()) this.revision = revision;
  }

  /** Another number after each change that this machine has taken notice of. */
  get revisionSeen(): u32 {
    return this.revision;
  }

  /** Tells all machines that something was learned: here, or in another table that goes by the numbers of this one. */
  announce(): void {
    if (this.revisionValue.read(REVISION, 4) != StoreResult.Ok) store<u32>(REVISION, 0);
    // Where somebody else comes first, that one's count tells of this change, too: it was made before.
    store<u32>(REVISION, load<u32>(REVISION) + 1);
    this.revisionValue.put(REVISION, 4);
  }

  /** Number of upstreams that were ever seen. */
  get upstreams(): i32 {
    return <i32>load<u32>(this.table);
  }

  /** Number of an upstream by its address, -1 where it is not known. */
  numberOf(address: usize, length: i32): i32 {
    const upstreams = this.upstreams;
    for (let number = 0; number < upstreams; number++) {
      if (this.at(number).is(address, length)) return number;
    }
    return -1;
  }

  /** Where the address of an upstream begins, and how long it is. */
  addressOf(number: i32): usize {
    return this.at(number).address;
  }

  addressLengthOf(number: i32): i32 {
    return this.at(number).addressLength;
  }

  /** A token that leads to an upstream, or -1: always the same one, so that when it moves, the first client finds out. */
  leadingTo(upstream: i32): i32 {
    if (upstream < 0 || upstream >= MAX_UPSTREAMS) return -1;
    this.index();
    return unchecked(this.leading[upstream]);
  }

  /** Whether an upstream has a number, and a token (-1 for none) is known to lead to it. */
  knows(token: i32, number: i32): bool {
    return number >= 0 && (token < 0 || (this.leads(token) == number && this.seenInThisEra(token)));
  }

  /** A token that was not seen in this era to lead anywhere, the first one from `start` on, or -1. */
  unexplored(start: u32): i32 {
    this.index();
    if (this.allSeen) return -1;
    for (let i: u32 = 0; i < TOKENS; i++) {
      const token = (start + i) % TOKENS;
      if (this.leads(token) < 0 || !this.seenInThisEra(token)) return token;
    }
    return -1;
  }

  /** Whether any token leads to an upstream: whether it is still there, as far as is known. */
  reaches(upstream: i32): bool {
    return this.leadingTo(upstream) >= 0;
  }

  /** Whether Envoy's hash gives all upstreams the same share, as far as the tokens tell. */
  get isEven(): bool {
    this.index();
    return this.spreadsEvenly;
  }

  /** Whether an upstream is not to be named for now. */
  isAvoided(upstream: i32, nowSeconds: u64): bool {
    return <u64>this.at(upstream).avoidedUntil >= nowSeconds;
  }

  /** Whether others have answered in an upstream's place, and it has not answered since. */
  isAway(upstream: i32): bool {
    return this.at(upstream).away;
  }

  /** How often any upstream has come back that was away. */
  get returns(): u32 {
    return load<u32>(this.table, 8);
  }

  /** Which of these was an upstream's last one, 0 if it never was away. */
  lastReturnOf(upstream: i32): u32 {
    return this.at(upstream).lastReturn;
  }

  /** How many upstreams are away. */
  get away(): i32 {
    this.index();
    return this.upstreamsAway;
  }

  /** Of the key name that an upstream alone is known to hold; 0 if there is none. */
  ownKeyOf(upstream: i32): u32 {
    return this.at(upstream).ownKey;
  }

  /** Notes until when (Unix seconds) an upstream is not to be named; 0 lifts it. */
  avoid(upstream: i32, untilSeconds: u32): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const place = this.open(upstream);
      if (!place || place.avoidedUntil == untilSeconds) return;
      place.avoidedUntil = untilSeconds;
      if (this.write() != StoreResult.Conflict) return;
    }
  }

  /**
   * Another upstream has answered in the place of this one: it is away. It is not named for a second, for twice as long each
   * time that this happens again, and for AVOIDED_AT_MOST seconds at the most.
   */
  leave(upstream: i32, nowSeconds: u64): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const place = this.open(upstream);
      if (!place || place.avoidedUntil == FOREVER) return;
      if (!place.away) {
        place.away = true;
        place.tries = 0;
        place.nextTry = <u32>nowSeconds + secondsAfter(0);
      }
      place.avoidedUntil = <u32>nowSeconds + min((<u32>1) << (<u32>place.failures), AVOIDED_AT_MOST) - 1;
      if (place.failures < MOST_FAILURES) place.failures++;
      if (this.write() != StoreResult.Conflict) return;
    }
  }

  /** An upstream has answered that was away or avoided: it is back. */
  comeBack(upstream: i32): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const place = this.open(upstream);
      if (!place || (!place.away && place.avoidedUntil == 0)) return;
      if (place.away) {
        // The hosts have changed: some tokens lead there again.
        store<u32>(this.table, this.era + 1, 4);
        place.lastReturn = this.returns + 1;
        store<u32>(this.table, this.returns + 1, 8);
      }
      place.away = false;
      place.avoidedUntil = 0;
      place.failures = 0;
      if (this.write() != StoreResult.Conflict) return;
    }
  }

  /**
   * Whether an upstream that is away is to be tried by the connection at hand: one of all machines' each time, every two seconds at
   * first, then more and more rarely, MOST_TRIES times in all.
   */
  claimTry(upstream: i32, nowSeconds: u64): bool {
    if (!mayBeTried(this.at(upstream), nowSeconds)) return false;
    const place = this.open(upstream);
    if (!place || !mayBeTried(place, nowSeconds)) return false;
    place.tries++;
    place.nextTry = <u32>nowSeconds + secondsAfter(place.tries);
    return this.write() == StoreResult.Ok;
  }

  /** Notes that an upstream alone is known to hold a key (`key` the low half of its name's hash), or no longer: 0. */
  own(upstream: i32, key: u32): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const place = this.open(upstream);
      if (!place || place.ownKey == key) return;
      place.ownKey = key;
      if (this.write() != StoreResult.Conflict) return;
    }
  }

  /** Notes where a token led; -1 for what was no token. Answers with the number of the upstream, -1 where not known. */
  learn(token: i32, address: usize, length: i32): i32 {
    if (length <= 0 || length > MAX_ADDRESS || token >= <i32>TOKENS) return -1;
    let number = this.numberOf(address, length);
    if (this.knows(token, number)) return number;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      this.refresh();
      number = this.numberOf(address, length);
      if (number < 0) number = this.append(address, length);
      if (number < 0) return -1;
      if (token >= 0) this.note(token, number);
      if (this.write() != StoreResult.Conflict) return number;
    }
    return number;
  }

  /** The place of an upstream, as it is stored, for a change that `write` is to store; null if there is none. */
  private open(upstream: i32): Upstream | null {
    if (!this.refresh() || upstream < 0 || upstream >= this.upstreams) return null;
    return this.at(upstream);
  }

  /** Copies the table as it is stored; false where there is none, or it cannot be read. A damaged one begins anew. */
  private refresh(): bool {
    this.isIndexed = false;
    const result = this.value.read(this.table, TABLE_SIZE);
    if (result == StoreResult.Ok && this.isWhole) return true;
    memory.fill(this.table, 0, TABLE_SIZE);
    if (result != StoreResult.Ok && result != StoreResult.TooLarge) return false;
    this.value.overwrite(this.table, TABLE_SIZE);
    const again = this.value.read(this.table, TABLE_SIZE);
    if (again == StoreResult.Ok && this.isWhole) return true;
    memory.fill(this.table, 0, TABLE_SIZE);
    return false;
  }

  /** What is relied on later: its size, the number of upstreams, and that no address is longer than its place. */
  private get isWhole(): bool {
    if (this.value.length != TABLE_SIZE || load<u32>(this.table) > <u32>MAX_UPSTREAMS) return false;
    const upstreams = this.upstreams;
    for (let number = 0; number < upstreams; number++) {
      if (this.addressLengthOf(number) > MAX_ADDRESS) return false;
    }
    for (let token: u32 = 0; token < TOKENS; token++) {
      if (this.leads(token) >= upstreams) return false;
    }
    return true;
  }

  private write(): StoreResult {
    const result = this.value.put(this.table, TABLE_SIZE);
    if (result == StoreResult.Ok) this.announce();
    return result;
  }

  private note(token: i32, upstream: i32): void {
    this.isIndexed = false;
    const before = this.leads(token);
    if (before >= 0 && before != upstream && this.seenInThisEra(token)) store<u32>(this.table, this.era + 1, 4);
    store<u8>(this.table + LEADS_OFFSET + <usize>token, <u8>(upstream + 1));
    store<u8>(this.table + SEEN_OFFSET + <usize>token, <u8>this.era);
  }

  /** For each upstream the first token that was seen in this era to lead there, or else the first that ever did. */
  private index(): void {
    if (this.isIndexed) return;
    this.isIndexed = true;
    this.allSeen = true;
    for (let upstream = 0; upstream < MAX_UPSTREAMS; upstream++) unchecked((this.leading[upstream] = -1));
    this.indexTokens(false);
    this.indexTokens(true);
    this.countLeading();
  }

  /** Counts for `isEven`: only what was seen in this era, as nobody explores what leads to an upstream that is away. */
  private countLeading(): void {
    let total: u32 = 0;
    let reached = 0;
    for (let upstream = 0; upstream < MAX_UPSTREAMS; upstream++) unchecked((this.leadingTokens[upstream] = 0));
    for (let token: i32 = 0; token < <i32>TOKENS; token++) {
      const upstream = this.leads(token);
      if (upstream < 0 || !this.seenInThisEra(token)) continue;
      total++;
      if (unchecked(this.leadingTokens[upstream]) == 0) reached++;
      unchecked((this.leadingTokens[upstream] += 1));
    }
    this.upstreamsAway = 0;
    for (let upstream = 0; upstream < this.upstreams; upstream++) {
      if (this.at(upstream).away) this.upstreamsAway++;
    }
    // What is too little to tell says nothing: what was known holds on.
    if (tells(reached, total)) this.spreadsEvenly = isEven(this.leadingTokens, this.upstreams, reached, total);
  }

  private indexTokens(seen: bool): void {
    for (let token = <i32>TOKENS - 1; token >= 0; token--) {
      const upstream = this.leads(token);
      if (upstream >= 0 && this.seenInThisEra(token) == seen) unchecked((this.leading[upstream] = <i16>token));
      if (upstream < 0 || !this.seenInThisEra(token)) this.allSeen = false;
    }
  }

  private get era(): u32 {
    return load<u32>(this.table, 4);
  }

  /** Number of the upstream that a token led to when it was seen last, -1 if it never was. */
  leads(token: i32): i32 {
    return <i32>load<u8>(this.table + LEADS_OFFSET + <usize>token) - 1;
  }

  private seenInThisEra(token: i32): bool {
    return load<u8>(this.table + SEEN_OFFSET + <usize>token) == <u8>this.era;
  }

  /** Where all numbers are taken, that of an upstream which is gone is used again. */
  private append(address: usize, length: i32): i32 {
    let number = this.upstreams;
    if (number == MAX_UPSTREAMS) {
      const byToken = this.leadsAnywhere;
      number = 0;
      while (number < MAX_UPSTREAMS && !this.isGone(number, byToken)) number++;
      if (number == MAX_UPSTREAMS) return -1;
    } else {
      store<u32>(this.table, <u32>number + 1);
    }
    this.at(number).become(address, length);
    return number;
  }

  private isGone(upstream: i32, byToken: bool): bool {
    return this.at(upstream).avoidedUntil == FOREVER || (byToken && !this.reaches(upstream));
  }

  private get leadsAnywhere(): bool {
    for (let token: u32 = 0; token < TOKENS; token++) {
      if (this.leads(token) >= 0) return true;
    }
    return false;
  }

  private at(upstream: i32): Upstream {
    return changetype<Upstream>(this.table + UPSTREAMS_OFFSET + <usize>upstream * UPSTREAM_SIZE);
  }
}

function mayBeTried(upstream: Upstream, nowSeconds: u64): bool {
  if (!upstream.away || upstream.avoidedUntil == FOREVER || upstream.tries >= MOST_TRIES) return false;
  return <u64>upstream.nextTry <= nowSeconds;
}

/** After so many tries of an upstream that is away, how long until the next one. */
function secondsAfter(tries: u8): u32 {
  if (tries < 4) return 2;
  if (tries < 10) return 4;
  return tries < 16 ? 16 : 64;
}

export const TOKENS: u32 = 256;
const MAX_TRIES: i32 = 16;
/** How long an upstream is not named at the most after it has not answered. */
const AVOIDED_AT_MOST: u32 = 4;
const MOST_FAILURES: u8 = 2;
/** Over eleven minutes. */
const MOST_TRIES: u8 = 24;
const UPSTREAMS_OFFSET: usize = 16;
const LEADS_OFFSET: usize = 16 + 255 * 80;
const SEEN_OFFSET: usize = LEADS_OFFSET + 256;
const TABLE_SIZE: i32 = 16 + 255 * 80 + 256 + 256;
const REVISION: usize = memory.data(4, 4);
