/**
 * The sessions, ticket keys and server names that all configurations in force remove, in this virtual machine's memory: a
 * hash table over copies of their lists (`removal_list.ts`).
 *
 * A look costs about 100 ns and no host call, and nothing while the set is empty. Built as a whole, and
 * allocates only then.
 */
import { lowerCase } from "../../bytes/ascii";
import { zeroed } from "../../bytes/zeroed";
import { KeyedHash } from "../../shared/keyed_hash";
import { MAX_SNI_LENGTH, TICKET_KEY_LENGTH } from "../record/session";
import { ENTRY_HEAD_SIZE, RemovalList, Removes } from "./removal_list";

export class RemovalSet {
  sessions: u32 = 0;
  ticketKeys: u32 = 0;
  serverNames: u32 = 0;
  /** Another number after each `build`: offsets of before are not valid any more. */
  revision: u32 = 0;
  private entries: usize = 0;
  private capacity: i32 = 0;
  private used: i32 = 0;
  /** Offsets of entries, plus one; 0 for a free place. */
  private places: usize = 0;
  private mask: u32 = 0;

  constructor(private readonly hash: KeyedHash) {}

  free(): void {
    if (this.capacity > 0) heap.free(this.entries);
    if (this.places != 0) heap.free(this.places);
    this.entries = 0;
    this.capacity = 0;
    this.places = 0;
    this.used = 0;
    this.mask = 0;
    this.sessions = 0;
    this.ticketKeys = 0;
    this.serverNames = 0;
  }

  /** Makes this the set of all entries of some lists. */
  build(lists: RemovalList[]): void {
    this.free();
    this.revision++;
    let length = 0;
    for (let i = 0; i < lists.length; i++) length += lists[i].length;
    if (length == 0) return;
    // An entry has a byte at least besides its head, and a session a second entry for its name.
    const most = length / (ENTRY_HEAD_SIZE + 1) + 1;
    this.capacity = length + most * (SINCE_SIZE + SINCE_SIZE + ENTRY_HEAD_SIZE + SESSION_NAME_SIZE);
    this.entries = heap.alloc(this.capacity);
    const places = (<u32>2) << (32 - clz(<u32>most * 2));
    this.places = zeroed((<usize>places) << 2);
    this.mask = places - 1;
    for (let i = 0; i < lists.length; i++) this.add(lists[i].start, lists[i].length, lists[i].since);
  }

  /** Adds entries that are in force since a second (Unix time), up to the first one that is not well-formed. */
  private add(start: usize, length: i32, since: u64): void {
    let at = 0;
    while (at + ENTRY_HEAD_SIZE <= length) {
      const entry = start + <usize>at;
      const kind = load<u8>(entry);
      const size = <i32>load<u8>(entry, 1);
      at += ENTRY_HEAD_SIZE + size;
      if (at > length || <i32>kind > <i32>Removes.ServerName) return;
      const bytes = entry + <usize>ENTRY_HEAD_SIZE;
      if (!this.put(kind, bytes, size, <u32>since)) continue;
      if (kind == Removes.TicketKey) this.ticketKeys++;
      else if (kind == Removes.ServerName) this.serverNames++;
      else {
        this.sessions++;
        // If it is the first handle of its session, the others carry this name.
        store<u64>(NAME, this.hash.nameOf(bytes, size));
        this.put(<u8>Removes.SessionName, NAME, SESSION_NAME_SIZE, <u32>since);
      }
    }
  }

  removesSession(id: usize, idLength: i32): bool {
    return this.sessions > 0 && this.has(Removes.Session, id, idLength);
  }

  /** Whether the first handle of a session is removed; `session` is the name that its handles share. */
  removesSessionOf(session: u64): bool {
    if (this.sessions == 0 || session == 0) return false;
    store<u64>(NAME, session);
    return this.has(Removes.SessionName, NAME, SESSION_NAME_SIZE);
  }

  removesTicketKey(name: usize): bool {
    return this.ticketKeys > 0 && this.has(Removes.TicketKey, name, TICKET_KEY_LENGTH);
  }

  /** Since when the sessions of a server name are revoked, in Unix seconds; 0 if they are not. */
  revokedAt(sni: usize, sniLength: i32): u64 {
    if (this.serverNames == 0 || sniLength <= 0 || sniLength > MAX_SNI_LENGTH) return 0;
    memory.copy(NAME, sni, sniLength);
    lowerCase(NAME, sniLength);
    return this.since(Removes.ServerName, NAME, sniLength);
  }

  get revokesNames(): bool {
    return this.serverNames > 0;
  }

  /** Reports whether something is removed. */
  private has(kind: Removes, bytes: usize, length: i32): bool {
    return load<u32>(this.placeOf(kind, bytes, length)) != 0;
  }

  /** Returns since when something is removed (Unix seconds); 0 if it is not. */
  private since(kind: Removes, bytes: usize, length: i32): u64 {
    const offset = load<u32>(this.placeOf(kind, bytes, length));
    return offset == 0 ? 0 : <u64>max(load<u32>(this.entries + <usize>offset - 1), <u32>1);
  }

  /** Returns the offset of an entry of a kind by its number, -1 if there are fewer. O(entries). */
  nth(kind: Removes, number: i32): i32 {
    let offset = this.next(kind, 0);
    for (let i = 0; i < number && offset >= 0; i++) offset = this.next(kind, this.after(offset));
    return offset;
  }

  /** Moves to the first entry of a kind at an offset or behind it; returns its offset, or -1 for none. The beginning is 0. */
  next(kind: Removes, offset: i32): i32 {
    let at = offset;
    while (at < this.used) {
      if (load<u8>(this.entries + <usize>at, SINCE_SIZE) == <u8>kind) return at;
      at = this.after(at);
    }
    return -1;
  }

  /** The offset behind an entry. */
  after(offset: i32): i32 {
    return offset + SINCE_SIZE + ENTRY_HEAD_SIZE + this.lengthAt(offset);
  }

  /** The bytes of an entry. */
  bytesAt(offset: i32): usize {
    return this.entries + <usize>(offset + SINCE_SIZE + ENTRY_HEAD_SIZE);
  }

  lengthAt(offset: i32): i32 {
    return <i32>load<u8>(this.entries + <usize>offset, SINCE_SIZE + 1);
  }

  /** Since when an entry is in force. */
  sinceAt(offset: i32): u64 {
    return load<u32>(this.entries + <usize>offset);
  }

  /** Adds an entry, or moves the time of one that is there forward. Returns whether it is new. */
  private put(kind: u8, bytes: usize, length: i32, since: u32): bool {
    const place = this.placeOf(<Removes>kind, bytes, length);
    const known = load<u32>(place);
    if (known != 0) {
      const entry = this.entries + <usize>known - 1;
      store<u32>(entry, max(load<u32>(entry), since));
      return false;
    }
    const size = SINCE_SIZE + ENTRY_HEAD_SIZE + length;
    if (this.used + size > this.capacity) return false;
    const entry = this.entries + <usize>this.used;
    store<u32>(entry, since);
    store<u8>(entry, kind, SINCE_SIZE);
    store<u8>(entry, <u8>length, SINCE_SIZE + 1);
    memory.copy(entry + <usize>(SINCE_SIZE + ENTRY_HEAD_SIZE), bytes, length);
    store<u32>(place, <u32>this.used + 1);
    this.used += size;
    return true;
  }

  /** The place of an entry, or the free one where it belongs: there always is one, as there are twice as many as entries. */
  private placeOf(kind: Removes, bytes: usize, length: i32): usize {
    let number = this.hash.of(bytes, length) & this.mask;
    while (true) {
      const place = this.places + ((<usize>number) << 2);
      const offset = load<u32>(place);
      if (offset == 0) return place;
      const entry = this.entries + <usize>offset - 1;
      const isOf = load<u8>(entry, SINCE_SIZE) == <u8>kind && <i32>load<u8>(entry, SINCE_SIZE + 1) == length;
      if (isOf && memory.compare(entry + <usize>(SINCE_SIZE + ENTRY_HEAD_SIZE), bytes, length) == 0) return place;
      number = (number + 1) & this.mask;
    }
  }
}

/** In memory, an entry of a list has u32 Unix seconds before it. */
const SINCE_SIZE: i32 = 4;
const SESSION_NAME_SIZE: i32 = 8;
const NAME: usize = memory.data(256, 8);
