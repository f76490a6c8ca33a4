/**
 * Which upstreams resume their own sessions, and which never do: nginx issues session IDs also where it keeps none (its
 * `ssl_session_cache none`, the default). A session of such a server is not lost where another one declines it: nobody would have
 * taken it up.
 *
 * An upstream never resumes where DECLINES_ENOUGH of its own sessions were declined by itself and none was ever accepted, session IDs,
 * tickets and PSKs together. Its own are those that it has issued by their records, and those under a ticket key's name that is
 * its alone; what has expired does not count. One acceptance makes it one that resumes, at once and for good: whoever accepts it, as
 * servers may share sessions.
 *
 * A client can have its own sessions declined, for instance by another server name. So those of one source count only where there
 * are twice as many: then nobody else has come to that server all the while. A lie ends with the first acceptance, of
 * whatever client. Until then it is harmless: nothing is led or refused by it, offers are only counted as declined instead of lost.
 *
 * Shared rows (`table.ts`), named by the upstream's address. State: `Issuer`. Count: own sessions declined. The place of the upstream
 * has the u32 hash of the first source that was declined. Time: of the last change. Where a page is full, the oldest row gives way.
 *
 * Cost: of an acceptance by an upstream that is known to resume, a look into this machine's memory, and one access to the store a
 * minute; the same for a decline by one whose state is final. A decline that counts asks for its source and costs a read and a write.
 */
import { lengthWithoutPort } from "../bytes/address";
import { Clock } from "../ports/clock";
import { PeerAddress } from "../ports/peer_address";
import { SharedStore, StoreResult } from "../ports/shared_store";
import { Changes } from "../shared/changes";
import { KeyedHash } from "../shared/keyed_hash";
import { MAX_UPSTREAM_LENGTH } from "./record/session";
import { Row } from "../shared/row";
import { Table, TABLE_TRIES } from "../shared/table";

export namespace Issuer {
  /** It has declined sessions of its own, all from one source. */
  export const ONE_SOURCE: u8 = 1;
  /** It has declined sessions of its own, from several sources. */
  export const SOURCES: u8 = 2;
  export const NEVER_RESUMES: u8 = 3;
  export const RESUMES: u8 = 4;
}

export class Issuers {
  readonly table: Table;
  /** The keyed hashes of upstreams that are known to resume; 0 = empty. */
  private readonly resuming: usize;
  private seconds: u32 = 0;

  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    private readonly clock: Clock,
    private readonly hash: KeyedHash,
    private readonly changes: Changes,
  ) {
    this.table = new Table(cacheName, "issuers", sharedStore, hash, changes);
    this.resuming = heap.alloc(RESUMING << 3);
    this.forget();
  }

  free(): void {
    this.table.free();
    heap.free(this.resuming);
  }

  /** To be called once a second. Now and then, what resumes is looked up anew, as its row may have given way. */
  tick(): void {
    this.seconds = (this.seconds + 1) % FORGET_SECONDS;
    if (this.seconds == 0) this.forget();
  }

  /** Whether an upstream never resumes what it has issued. As of the last `Changes.refresh`. */
  neverResumes(upstream: usize, length: i32): bool {
    const row = this.look(upstream, length);
    return row != null && row.state == Issuer.NEVER_RESUMES;
  }

  /** A session of an upstream was accepted for sure. */
  accepted(upstream: usize, length: i32): void {
    if (length <= 0 || length > MAX_UPSTREAM_LENGTH || this.isResuming(upstream, length)) return;
    memory.copy(ADDRESS, upstream, length);
    for (let attempt = 0; attempt < TABLE_TRIES; attempt++) {
      if (!this.table.open(ADDRESS, length)) return;
      const row = this.table.find(ADDRESS, length);
      const before: u8 = row ? row.state : 0;
      const now = this.clock.nowSeconds();
      // What is in use stays younger than what is not.
      if (row && before == Issuer.RESUMES && now - row.time < YOUNG_SECONDS) return this.remember(length);
      if (row) this.table.remove(row);
      const resumes = this.append(length, 0);
      if (!resumes) return;
      resumes.state = Issuer.RESUMES;
      const result = this.table.commit();
      if (result == StoreResult.Ok) {
        if (before == Issuer.NEVER_RESUMES) this.changes.announce();
        return this.remember(length);
      }
      if (result != StoreResult.Conflict) return;
    }
  }

  /** An upstream has declined a session of its own. The client's address is asked of `client`, where it counts. */
  declined(upstream: usize, length: i32, client: PeerAddress | null): void {
    if (length <= 0 || length > MAX_UPSTREAM_LENGTH || this.isResuming(upstream, length)) return;
    const known = this.look(upstream, length);
    if (known && known.state >= Issuer.NEVER_RESUMES) return;
    const source = this.sourceOf(client);
    for (let attempt = 0; attempt < TABLE_TRIES; attempt++) {
      if (!this.table.open(ADDRESS, length)) return;
      let row = this.table.find(ADDRESS, length);
      if (row && row.state >= Issuer.NEVER_RESUMES) return;
      if (!row) {
        row = this.append(length, source);
        if (!row) return;
        row.state = Issuer.ONE_SOURCE;
      }
      row.count++;
      row.time = this.clock.nowSeconds();
      if (load<u32>(row.upstream) != source) row.state = Issuer.SOURCES;
      const enough = row.state == Issuer.SOURCES ? DECLINES_ENOUGH : DECLINES_OF_ONE_SOURCE;
      const found = row.count >= enough;
      if (found) row.state = Issuer.NEVER_RESUMES;
      const result = this.table.commit();
      if (result == StoreResult.Ok) {
        if (found) this.changes.announce();
        return;
      }
      if (result != StoreResult.Conflict) return;
    }
  }

  /** Leaves the address in ADDRESS: the given one may lie in the page of another table. */
  private look(upstream: usize, length: i32): Row | null {
    if (length <= 0 || length > MAX_UPSTREAM_LENGTH) return null;
    memory.copy(ADDRESS, upstream, length);
    return this.table.look(ADDRESS, length);
  }

  /** Appends a row of the address in ADDRESS; null where no room could be made. */
  private append(length: i32, source: u32): Row | null {
    store<u32>(SOURCE, source);
    let row = this.table.append(ADDRESS, length, SOURCE, SOURCE_SIZE);
    while (!row && this.evictOldest()) row = this.table.append(ADDRESS, length, SOURCE, SOURCE_SIZE);
    if (!row) return null;
    row.time = this.clock.nowSeconds();
    row.version = this.table.nextVersion(this.clock.nowNanoseconds());
    return row;
  }

  private evictOldest(): bool {
    let oldest: Row | null = null;
    let row = this.table.first();
    while (row) {
      if (!oldest || row.time < oldest.time) oldest = row;
      row = this.table.after(row);
    }
    if (!oldest) return false;
    this.table.remove(oldest);
    return true;
  }

  private isResuming(upstream: usize, length: i32): bool {
    const name = this.hash.nameOf(upstream, length);
    return load<u64>(this.placeOf(name)) == name;
  }

  /** From now on the upstream in ADDRESS is known to resume. */
  private remember(length: i32): void {
    const name = this.hash.nameOf(ADDRESS, length);
    store<u64>(this.placeOf(name), name);
  }

  private forget(): void {
    memory.fill(this.resuming, 0, RESUMING << 3);
  }

  private placeOf(name: u64): usize {
    return this.resuming + (((<usize>name) & (RESUMING - 1)) << 3);
  }

  /** The client's address without its port; 0 where it is not known. */
  private sourceOf(client: PeerAddress | null): u32 {
    if (!client) return 0;
    const length = lengthWithoutPort(CLIENT, client.read(CLIENT, CLIENT_CAPACITY));
    return length == 0 ? 0 : this.hash.of(CLIENT, length);
  }
}

/** Own sessions that an upstream has declined when it counts as one that never resumes. */
export const DECLINES_ENOUGH: u32 = 8;
export const DECLINES_OF_ONE_SOURCE: u32 = 16;
const FORGET_SECONDS: u32 = 60;
const YOUNG_SECONDS: u64 = 3600;
/** A power of two; as many upstreams as are steered to. */
const RESUMING: usize = 256;
const SOURCE_SIZE: i32 = 4;
/** An IPv6 address with its port in brackets has 47 characters at most. */
const CLIENT_CAPACITY: i32 = 64;
const CLIENT: usize = memory.data(64);
const SOURCE: usize = memory.data(4, 4);
const ADDRESS: usize = memory.data(64);
