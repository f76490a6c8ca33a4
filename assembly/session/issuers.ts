/**
 * Upstreams that resume their own sessions, and those that never do: nginx issues session IDs even if it keeps none (its
 * `ssl_session_cache none`, the default). A session of such a server is not lost when another one declines it: nobody would
 * have taken it up.
 *
 * An upstream never resumes if it has declined DECLINES_ENOUGH of its own sessions and none was ever accepted: session IDs,
 * tickets and PSKs together. Its own are those that it has issued by their records, and those under a ticket key's name that
 * is its alone; expired ones do not count. One acceptance makes it one that resumes, at once and for good, whoever accepts:
 * servers may share sessions.
 *
 * A client can have its own sessions declined, for instance by another server name. So those of a single source count only
 * if there are twice as many: then nobody else has come to that server all the while. A lie ends with the first acceptance,
 * by whatever client. Until then it is harmless: nothing is steered or refused by it, offers are only counted as declined
 * instead of lost.
 *
 * Shared rows (`table.ts`), named by the upstream's address. State: `Issuer`. Count: own sessions declined. In the place of
 * the upstream: a `FirstSource`. Time: of the last change. If a page is full, the oldest row gives way.
 *
 * Cost: an acceptance by an upstream that is known to resume costs a look into this machine's memory, and one access to the
 * store a minute; so does a decline by one whose state is final. A decline that counts asks for its source and costs a read
 * and a write.
 */
import { lengthWithoutPort } from "../bytes/address";
import { Clock } from "../ports/clock";
import { PeerAddress } from "../ports/peer_address";
import { SharedStore } from "../ports/shared_store";
import { Changes } from "../shared/changes";
import { KeyedHash } from "../shared/keyed_hash";
import { MAX_UPSTREAM_LENGTH } from "./record/session";
import { Row } from "../shared/row";
import { Table } from "../shared/table";
import { TableChange } from "../shared/table_change";

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
  private readonly change: TableChange;
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
    const table = new Table(cacheName, "issuers", sharedStore, hash, changes);
    this.table = table;
    this.change = new TableChange(table);
    this.resuming = heap.alloc(RESUMING << 3);
    this.forget();
  }

  free(): void {
    this.table.free();
    heap.free(this.resuming);
  }

  /**
   * To be called once a second. Once in FORGET_SECONDS, upstreams that resume are looked up again: a row may have given way.
   */
  tick(): void {
    this.seconds = (this.seconds + 1) % FORGET_SECONDS;
    if (this.seconds == 0) this.forget();
  }

  /** Whether an upstream never resumes the sessions that it has issued. As of the last `Changes.refresh`. */
  neverResumes(upstream: usize, length: i32): bool {
    const row = this.look(upstream, length);
    return row != null && row.state == Issuer.NEVER_RESUMES;
  }

  /** Notes that a session of an upstream was accepted for sure. */
  noteAccepted(upstream: usize, length: i32): void {
    if (length <= 0 || length > MAX_UPSTREAM_LENGTH || this.isResuming(upstream, length)) return;
    memory.copy(ADDRESS, upstream, length);
    this.change.begin();
    while (this.change.open(ADDRESS, length)) {
      const row = this.table.find(ADDRESS, length);
      const before: u8 = row ? row.state : 0;
      const now = this.clock.nowSeconds();
      // A row in use stays younger than an unused one.
      if (row && before == Issuer.RESUMES && now - row.time < YOUNG_SECONDS) return this.remember(length);
      if (row) this.table.remove(row);
      const resumes = this.append(length, 0);
      if (!resumes) return;
      resumes.state = Issuer.RESUMES;
      if (!this.change.store()) continue;
      if (before == Issuer.NEVER_RESUMES) this.changes.announce();
      return this.remember(length);
    }
  }

  /** Notes that an upstream has declined a session of its own. Reads the client's address only if the decline counts. */
  noteDeclined(upstream: usize, length: i32, client: PeerAddress | null): void {
    if (length <= 0 || length > MAX_UPSTREAM_LENGTH || this.isResuming(upstream, length)) return;
    const known = this.look(upstream, length);
    if (known && known.state >= Issuer.NEVER_RESUMES) return;
    const source = this.sourceOf(client);
    this.change.begin();
    while (this.change.open(ADDRESS, length)) {
      let row = this.table.find(ADDRESS, length);
      if (row && row.state >= Issuer.NEVER_RESUMES) return;
      if (!row) {
        row = this.append(length, source);
        if (!row) return;
        row.state = Issuer.ONE_SOURCE;
      }
      row.count++;
      row.time = this.clock.nowSeconds();
      if (changetype<FirstSource>(row.upstream).hash != source) row.state = Issuer.SOURCES;
      const enough = row.state == Issuer.SOURCES ? DECLINES_ENOUGH : DECLINES_OF_ONE_SOURCE;
      const found = row.count >= enough;
      if (found) row.state = Issuer.NEVER_RESUMES;
      if (!this.change.store()) continue;
      if (found) this.changes.announce();
      return;
    }
  }

  /** Leaves the address in ADDRESS: the given one may lie in the page of another table. */
  private look(upstream: usize, length: i32): Row | null {
    if (length <= 0 || length > MAX_UPSTREAM_LENGTH) return null;
    memory.copy(ADDRESS, upstream, length);
    return this.table.look(ADDRESS, length);
  }

  /** Appends a row of the address in ADDRESS; null if no room could be made. */
  private append(length: i32, source: u32): Row | null {
    FIRST_SOURCE.hash = source;
    const first = changetype<usize>(FIRST_SOURCE);
    let row = this.table.append(ADDRESS, length, first, FIRST_SOURCE_SIZE);
    while (!row && this.evictOldest()) row = this.table.append(ADDRESS, length, first, FIRST_SOURCE_SIZE);
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

  /** Remembers that the upstream in ADDRESS resumes. */
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

  /** Hash of the client's address without its port; 0 if it is not known. */
  private sourceOf(client: PeerAddress | null): u32 {
    if (!client) return 0;
    const length = lengthWithoutPort(CLIENT, client.read(CLIENT, CLIENT_CAPACITY));
    return length == 0 ? 0 : this.hash.of(CLIENT, length);
  }
}

/** Of an upstream that has declined its own: the source of the first decline. */
@unmanaged
class FirstSource {
  /** Keyed hash of the client's address, 0 if it is not known. */
  hash: u32;
}

/** Own sessions that an upstream has declined when it counts as one that never resumes. */
export const DECLINES_ENOUGH: u32 = 8;
export const DECLINES_OF_ONE_SOURCE: u32 = 16;
const FORGET_SECONDS: u32 = 60;
const YOUNG_SECONDS: u64 = 3600;
/** A power of two; as many upstreams as are steered to. */
const RESUMING: usize = 256;
/** An IPv6 address with its port in brackets has 47 characters at most. */
const CLIENT_CAPACITY: i32 = 64;
const CLIENT: usize = memory.data(CLIENT_CAPACITY);
const FIRST_SOURCE_SIZE: i32 = offsetof<FirstSource>();
const FIRST_SOURCE: FirstSource = changetype<FirstSource>(memory.data(4, 4));
const ADDRESS: usize = memory.data(MAX_UPSTREAM_LENGTH);
