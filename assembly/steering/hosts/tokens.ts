/**
 * The upstreams of one cluster, and which token leads to which of them. Envoy chooses a host by the hash of a text
 * (RING_HASH or MAGLEV), and the filter chooses the text. So it keeps TOKENS texts, the tokens, and learns from answers
 * where each of them leads. To reach an upstream it takes a token that leads there. Health checks, weights and failover stay
 * with Envoy.
 *
 * When the hosts change, some tokens lead elsewhere, and nobody reports which. The first token that is found to have moved
 * begins an era. Tokens that were seen in it are preferred to others, and new connections try the others again. So a client
 * whose session has moved to another upstream reaches that one at the next attempt.
 *
 * The table is one value of the shared store, stored only after news. Each virtual machine has a copy, and reads a small
 * number, the revision, to know whether its copy is still right.
 *
 * `upstream_table.ts` has the layout of the table.
 */
import { zeroed } from "../../bytes/zeroed";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";
import { TokenIndex } from "./token_index";
import { ADDRESS_CAPACITY, FOREVER, MAX_UPSTREAMS, Upstream } from "./upstream";
import { TABLE_SIZE, TOKENS, UpstreamTable } from "./upstream_table";

export class HostTokens {
  private readonly value: StoredValue;
  private readonly revisionValue: StoredValue;
  /** This virtual machine's copy, and its revision. */
  private readonly table: usize;
  private revision: u32 = 0;
  /** When `followIfStale` has followed last, in nanoseconds since 1970. */
  private followed: u64 = 0;
  /** Built when it is asked for first after a change. */
  private readonly lazyIndex: TokenIndex = new TokenIndex();
  private isIndexed: bool = false;

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

  /** Takes over news of other virtual machines. Costs one read of four bytes if there are none. */
  follow(): void {
    if (this.revisionValue.read(REVISION, 4) != StoreResult.Ok || load<u32>(REVISION) == this.revision) return;
    const revision = load<u32>(REVISION);
    if (this.refresh()) this.revision = revision;
  }

  /** As `follow`, at most once in 10 ms. */
  followIfStale(nowNanoseconds: u64): void {
    // If the clock was set back, the difference is huge.
    if (nowNanoseconds - this.followed < STALE_NANOSECONDS) return;
    this.followed = nowNanoseconds;
    this.follow();
  }

  /** Another number after each change that `follow` has seen. */
  get revisionSeen(): u32 {
    return this.revision;
  }

  /** Tells all virtual machines of news, here or in another table that uses the numbers of this one. */
  announce(): void {
    if (this.revisionValue.read(REVISION, 4) != StoreResult.Ok) store<u32>(REVISION, 0);
    // If another one comes first, its count announces this change, too, as the change is stored already.
    store<u32>(REVISION, load<u32>(REVISION) + 1);
    this.revisionValue.put(REVISION, 4);
  }

  /** Number of upstreams that were ever seen. */
  get upstreams(): i32 {
    return this.known.upstreams;
  }

  /** Returns the number of an upstream by its address, -1 if it is not known. */
  numberOf(address: usize, length: i32): i32 {
    const upstreams = this.upstreams;
    for (let number = 0; number < upstreams; number++) {
      if (this.at(number).is(address, length)) return number;
    }
    return -1;
  }

  /** The address of an upstream, as text with its port. */
  addressOf(number: i32): usize {
    return this.at(number).address;
  }

  addressLengthOf(number: i32): i32 {
    return this.at(number).addressLength;
  }

  /** A token that leads to an upstream, or -1. Always the same one, so that the first client finds out when it moves. */
  leadingTo(upstream: i32): i32 {
    if (upstream < 0 || upstream >= MAX_UPSTREAMS) return -1;
    return this.index.leadingTo(upstream);
  }

  /** Whether an upstream has a number, and a token (-1 for none) was seen in this era to lead to it. */
  knows(token: i32, number: i32): bool {
    return number >= 0 && (token < 0 || (this.leads(token) == number && this.known.isSeen(token)));
  }

  /** The first token from `start` on that was not seen in this era, or -1. */
  unexplored(start: u32): i32 {
    if (this.index.allSeen) return -1;
    for (let i: u32 = 0; i < TOKENS; i++) {
      const token = (start + i) % TOKENS;
      if (this.leads(token) < 0 || !this.known.isSeen(token)) return token;
    }
    return -1;
  }

  /** Whether any token leads to an upstream. */
  reaches(upstream: i32): bool {
    return this.leadingTo(upstream) >= 0;
  }

  /** Whether Envoy's hash gives all upstreams equal shares, by the tokens that lead to them. */
  get isEven(): bool {
    return this.index.isEven;
  }

  /** Whether an upstream is not to be named at that second. */
  isAvoided(upstream: i32, nowSeconds: u64): bool {
    return <u64>this.at(upstream).avoidedUntil >= nowSeconds;
  }

  /** Whether others have answered in an upstream's place, and it has not answered since. */
  isAway(upstream: i32): bool {
    return this.at(upstream).away;
  }

  /** Number of all returns of upstreams that were away. */
  get returns(): u32 {
    return this.known.returns;
  }

  /** Number of an upstream's last return, 0 if it never was away. */
  lastReturnOf(upstream: i32): u32 {
    return this.at(upstream).lastReturn;
  }

  /** Number of upstreams that are away. */
  get away(): i32 {
    return this.index.away;
  }

  /** The key name that only this upstream is known to hold, as in `own`; 0 for none. */
  ownKeyOf(upstream: i32): u32 {
    return this.at(upstream).ownKey;
  }

  /** Stores the last second (Unix time) at which an upstream is not to be named; 0 lifts it. */
  avoid(upstream: i32, untilSeconds: u32): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const place = this.open(upstream);
      if (!place || place.avoidedUntil == untilSeconds) return;
      place.avoidedUntil = untilSeconds;
      if (this.write() != StoreResult.Conflict) return;
    }
  }

  /**
   * Another upstream has answered in the place of this one, so it is away. It is not named for a second, twice as long each
   * time that this happens again, and at most for MAX_AVOIDED_SECONDS.
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
      place.avoidedUntil = <u32>nowSeconds + min((<u32>1) << (<u32>place.failures), MAX_AVOIDED_SECONDS) - 1;
      if (place.failures < MAX_FAILURES) place.failures++;
      if (this.write() != StoreResult.Conflict) return;
    }
  }

  /** An upstream that was away or avoided has answered, so it is back. */
  comeBack(upstream: i32): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const place = this.open(upstream);
      if (!place || (!place.away && place.avoidedUntil == 0)) return;
      if (place.away) {
        // The hosts have changed: some tokens lead there again.
        this.known.era++;
        this.known.returns++;
        place.lastReturn = this.returns;
      }
      place.away = false;
      place.avoidedUntil = 0;
      place.failures = 0;
      if (this.write() != StoreResult.Conflict) return;
    }
  }

  /**
   * Claims the next try of an upstream that is away for the current connection; false if it is not due. Only one connection
   * of all virtual machines gets each try: every two seconds at first, then more and more rarely, MAX_AWAY_TRIES times in
   * all.
   */
  claimTry(upstream: i32, nowSeconds: u64): bool {
    if (!mayBeTried(this.at(upstream), nowSeconds)) return false;
    const place = this.open(upstream);
    if (!place || !mayBeTried(place, nowSeconds)) return false;
    place.tries++;
    place.nextTry = <u32>nowSeconds + secondsAfter(place.tries);
    return this.write() == StoreResult.Ok;
  }

  /** Stores the key name that only this upstream is known to hold, as the low half of its hash; 0 for none. */
  own(upstream: i32, key: u32): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const place = this.open(upstream);
      if (!place || place.ownKey == key) return;
      place.ownKey = key;
      if (this.write() != StoreResult.Conflict) return;
    }
  }

  /** Stores where a token (-1 for none) led. Returns the number of the upstream, -1 if it gets none. */
  learn(token: i32, address: usize, length: i32): i32 {
    if (length <= 0 || length > ADDRESS_CAPACITY || token >= <i32>TOKENS) return -1;
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

  /** Reads the place of an upstream for a change, which `write` stores; null if there is none. */
  private open(upstream: i32): Upstream | null {
    if (!this.refresh() || upstream < 0 || upstream >= this.upstreams) return null;
    return this.at(upstream);
  }

  /** Reads the table; false if there is none, or it cannot be read. Replaces a damaged one by an empty one. */
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

  /** Whether the table that was read last can be relied on. */
  private get isWhole(): bool {
    return this.value.length == TABLE_SIZE && this.known.isWhole;
  }

  private write(): StoreResult {
    const result = this.value.put(this.table, TABLE_SIZE);
    if (result == StoreResult.Ok) this.announce();
    return result;
  }

  private note(token: i32, upstream: i32): void {
    this.isIndexed = false;
    this.known.note(token, upstream);
  }

  private get index(): TokenIndex {
    if (!this.isIndexed) {
      this.isIndexed = true;
      this.lazyIndex.build(this.known);
    }
    return this.lazyIndex;
  }

  /** Number of the upstream that a token led to when it was seen last, -1 if it never was. */
  leads(token: i32): i32 {
    return this.known.leads(token);
  }

  /** Numbers a new upstream; if all numbers are taken, with that of one that is gone. -1 if there is none. */
  private append(address: usize, length: i32): i32 {
    let number = this.known.nextNumber();
    if (number < 0) {
      const byToken = this.known.leadsAnywhere;
      number = 0;
      while (number < MAX_UPSTREAMS && !this.isGone(number, byToken)) number++;
      if (number == MAX_UPSTREAMS) return -1;
    }
    this.at(number).become(address, length);
    return number;
  }

  private isGone(upstream: i32, byToken: bool): bool {
    return this.at(upstream).avoidedUntil == FOREVER || (byToken && !this.reaches(upstream));
  }

  private at(upstream: i32): Upstream {
    return this.known.at(upstream);
  }

  private get known(): UpstreamTable {
    return changetype<UpstreamTable>(this.table);
  }
}

function mayBeTried(upstream: Upstream, nowSeconds: u64): bool {
  if (!upstream.away || upstream.avoidedUntil == FOREVER || upstream.tries >= MAX_AWAY_TRIES) return false;
  return <u64>upstream.nextTry <= nowSeconds;
}

/** After so many tries of an upstream that is away, how long until the next one. */
function secondsAfter(tries: u8): u32 {
  if (tries < 4) return 2;
  if (tries < 10) return 4;
  return tries < 16 ? 16 : 64;
}

const STALE_NANOSECONDS: u64 = 10_000_000;
const MAX_TRIES: i32 = 16;
const MAX_AVOIDED_SECONDS: u32 = 4;
const MAX_FAILURES: u8 = 2;
/** Over eleven minutes. */
const MAX_AWAY_TRIES: u8 = 24;
const REVISION: usize = memory.data(4, 4);
