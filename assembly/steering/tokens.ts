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
 * Layout, little-endian: 0 u32 upstreams known, 4 u32 era; 8 for each of 255 upstreams: u8 length, 59 bytes of address,
 * u32 avoided until (Unix seconds); then for each of TOKENS u8 number of its upstream + 1 (0 = not known); then for each of
 * TOKENS u8 the low byte of the era in which it was seen last.
 */
import { SharedStore, StoreResult } from "../ports/shared_store";
import { StoreKey } from "../session/keys";

export class Tokens {
  private readonly key: StoreKey;
  private readonly revisionKey: StoreKey;
  /** This machine's copy, and the revision that it is of. */
  private readonly table: usize;
  private revision: u32 = 0;
  /** For each upstream, the token to take for it; and whether all tokens were seen. Made when they are asked for. */
  private readonly leading: StaticArray<i16> = new StaticArray<i16>(MAX_UPSTREAMS);
  private allSeen: bool = false;
  private isIndexed: bool = false;

  /** `family` names the cluster's part of the cache's keys. */
  constructor(
    cacheName: string,
    family: string,
    private readonly sharedStore: SharedStore,
  ) {
    this.key = new StoreKey(cacheName, family + "/tokens", false);
    this.revisionKey = new StoreKey(cacheName, family + "/revision", false);
    const table = heap.alloc(TABLE_SIZE);
    memory.fill(table, 0, TABLE_SIZE);
    this.table = table;
  }

  free(): void {
    this.key.free();
    this.revisionKey.free();
    heap.free(this.table);
  }

  /** Takes what other machines have learned, where there is anything. Costs one read of four bytes where there is not. */
  follow(): void {
    const result = this.sharedStore.read(this.revisionKey.start, this.revisionKey.length, REVISION, 4);
    if (result != StoreResult.Ok || load<u32>(REVISION) == this.revision) return;
    const revision = load<u32>(REVISION);
    if (this.refresh()) this.revision = revision;
  }

  /** Number of upstreams that were ever seen. */
  get upstreams(): i32 {
    return <i32>load<u32>(this.table);
  }

  /** Number of an upstream by its address, -1 where it is not known. */
  numberOf(address: usize, length: i32): i32 {
    const upstreams = this.upstreams;
    for (let number = 0; number < upstreams; number++) {
      const place = this.placeOf(number);
      if (load<u8>(place) == <u8>length && memory.compare(place + 1, address, length) == 0) return number;
    }
    return -1;
  }

  /** Where the address of an upstream begins, and how long it is. */
  addressOf(number: i32): usize {
    return this.placeOf(number) + 1;
  }

  addressLengthOf(number: i32): i32 {
    return load<u8>(this.placeOf(number));
  }

  /** A token that leads to an upstream, or -1: always the same one, so that when it moves, the first client finds out. */
  leadingTo(upstream: i32): i32 {
    if (upstream < 0 || upstream >= MAX_UPSTREAMS) return -1;
    this.index();
    return unchecked(this.leading[upstream]);
  }

  /** Whether a token (-1 for none) is known to lead to an upstream of this address. */
  knows(token: i32, address: usize, length: i32): bool {
    const number = this.numberOf(address, length);
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

  /** Whether an upstream is not to be chosen for now. */
  isAvoided(upstream: i32, nowSeconds: u64): bool {
    return <u64>this.avoidedUntil(upstream) >= nowSeconds;
  }

  /** Notes until when (Unix seconds) an upstream is not to be chosen; 0 lifts it. */
  avoid(upstream: i32, untilSeconds: u32): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.refresh() || upstream < 0 || upstream >= this.upstreams) return;
      const mark = this.sharedStore.mark;
      if (this.avoidedUntil(upstream) == untilSeconds) return;
      store<u32>(this.placeOf(upstream), untilSeconds, AVOIDED_OFFSET);
      if (this.write(true, mark) != StoreResult.Conflict) return;
    }
  }

  /** Notes where a token led; -1 for what was no token. Answers with the number of the upstream, -1 where not known. */
  learn(token: i32, address: usize, length: i32): i32 {
    if (length <= 0 || length > MAX_ADDRESS || token >= <i32>TOKENS) return -1;
    if (this.knows(token, address, length)) return this.numberOf(address, length);
    let number = -1;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const exists = this.refresh();
      const mark = this.sharedStore.mark;
      number = this.numberOf(address, length);
      if (number < 0) number = this.append(address, length);
      if (number < 0) return -1;
      if (token >= 0) this.note(token, number);
      if (this.write(exists, mark) != StoreResult.Conflict) return number;
    }
    return number;
  }

  /** Copies the table as it is stored; false where there is none, or it cannot be read. A damaged one begins anew. */
  private refresh(): bool {
    this.isIndexed = false;
    const result = this.sharedStore.read(this.key.start, this.key.length, this.table, TABLE_SIZE);
    if (result == StoreResult.Ok && this.isWhole) return true;
    memory.fill(this.table, 0, TABLE_SIZE);
    if (result != StoreResult.Ok && result != StoreResult.TooLarge) return false;
    this.sharedStore.overwrite(this.key.start, this.key.length, this.table, TABLE_SIZE);
    const again = this.sharedStore.read(this.key.start, this.key.length, this.table, TABLE_SIZE);
    if (again == StoreResult.Ok && this.isWhole) return true;
    memory.fill(this.table, 0, TABLE_SIZE);
    return false;
  }

  /** What is relied on later: its size, the number of upstreams, and that no address is longer than its place. */
  private get isWhole(): bool {
    if (this.sharedStore.length != TABLE_SIZE || load<u32>(this.table) > <u32>MAX_UPSTREAMS) return false;
    const upstreams = this.upstreams;
    for (let number = 0; number < upstreams; number++) {
      if (this.addressLengthOf(number) > MAX_ADDRESS) return false;
    }
    for (let token: u32 = 0; token < TOKENS; token++) {
      if (this.leads(token) >= upstreams) return false;
    }
    return true;
  }

  private write(exists: bool, mark: u32): StoreResult {
    const result = exists
      ? this.sharedStore.replace(this.key.start, this.key.length, this.table, TABLE_SIZE, mark)
      : this.sharedStore.create(this.key.start, this.key.length, this.table, TABLE_SIZE);
    if (result == StoreResult.Ok) this.announce();
    return result;
  }

  /** Counts the revision up. Where somebody else comes first, that one's count tells of this change, too: it was made before. */
  private announce(): void {
    const exists =
      this.sharedStore.read(this.revisionKey.start, this.revisionKey.length, REVISION, 4) == StoreResult.Ok;
    const mark = this.sharedStore.mark;
    if (!exists) store<u32>(REVISION, 0);
    store<u32>(REVISION, load<u32>(REVISION) + 1);
    if (exists) this.sharedStore.replace(this.revisionKey.start, this.revisionKey.length, REVISION, 4, mark);
    else this.sharedStore.create(this.revisionKey.start, this.revisionKey.length, REVISION, 4);
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

  private leads(token: i32): i32 {
    return <i32>load<u8>(this.table + LEADS_OFFSET + <usize>token) - 1;
  }

  private seenInThisEra(token: i32): bool {
    return load<u8>(this.table + SEEN_OFFSET + <usize>token) == <u8>this.era;
  }

  private avoidedUntil(upstream: i32): u32 {
    return load<u32>(this.placeOf(upstream), AVOIDED_OFFSET);
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
    const place = this.placeOf(number);
    memory.fill(place, 0, UPSTREAM_SIZE);
    store<u8>(place, <u8>length);
    memory.copy(place + 1, address, length);
    return number;
  }

  private isGone(upstream: i32, byToken: bool): bool {
    return this.avoidedUntil(upstream) == FOREVER || (byToken && !this.reaches(upstream));
  }

  private get leadsAnywhere(): bool {
    for (let token: u32 = 0; token < TOKENS; token++) {
      if (this.leads(token) >= 0) return true;
    }
    return false;
  }

  private placeOf(upstream: i32): usize {
    return this.table + UPSTREAMS_OFFSET + <usize>upstream * UPSTREAM_SIZE;
  }
}

export const TOKENS: u32 = 256;
export const MAX_UPSTREAMS: i32 = 254;
/** To avoid an upstream that has left the cluster. */
export const FOREVER: u32 = 0xffffffff;
/** An IPv6 address with its port in brackets has 47 characters at most. */
const MAX_ADDRESS: i32 = 59;
const MAX_TRIES: i32 = 16;
const UPSTREAM_SIZE: usize = 64;
const AVOIDED_OFFSET: usize = 60;
const UPSTREAMS_OFFSET: usize = 8;
const LEADS_OFFSET: usize = 8 + 255 * 64;
const SEEN_OFFSET: usize = LEADS_OFFSET + 256;
const TABLE_SIZE: i32 = 8 + 255 * 64 + 256 + 256;
const REVISION: usize = memory.data(4, 4);
