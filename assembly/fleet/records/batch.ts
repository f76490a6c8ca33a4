/**
 * The values in which proxies tell each other records: a header, names, then records.
 *
 * Layout, little-endian:
 *   header:  0 u8 FORMAT    1 u8 kind (`BatchKind`)    2 u16 number of names    4 u32 number of records
 *            8 u64 run of the writer's process    16 u64 FNV-1a of all bytes behind the header
 *   name:    u8 length, then its bytes
 *   record:  0 u8 type (`RecordType`)    1 u8 flags    2 u8 length of its ID    3 u8 cause, state, or lower byte of the protocol + 1
 *            4 u16 cipher suite    6 u16 upstream (the number of a name, from 1; 0 = none)    8 u16 SNI, likewise
 *            10 u16 of a tombstone: lower byte of the protocol + 1    12 u32 time    16 u32 until, timeout or value
 *            [u64 stamp]  ID  [16 bytes ticket key]
 * A reader skips records of a type that it does not know by their length, and a batch of a format that it does not know as a
 * whole.
 */
import { FNV_BASIS, fnvBytes } from "../../bytes/fnv";
import { TICKET_KEY_LENGTH } from "../../session/record/session";

export namespace BatchKind {
  /** Decisions. */
  export const DECISIONS: u8 = 0x64;
  /** Observed sessions. */
  export const SESSIONS: u8 = 0x73;
  /** One decision under a name of its own. */
  export const NAMED: u8 = 0x6e;
}

export namespace RecordType {
  export const TOMBSTONE: u8 = 1;
  /** A session that was put in by hand. */
  export const SESSION: u8 = 2;
  /** A session that was learned. */
  export const OBSERVED: u8 = 3;
  /** The ID has the 8 bytes of the time before which sessions expire, 0 for all. */
  export const FLUSH: u8 = 4;
  /** A ticket key that was learned: the ID is its name. */
  export const KEY_LEARNED: u8 = 5;
  /** Decisions under a name: a ticket key, a server name, a setting. */
  export const TICKET_KEY: u8 = 6;
  export const REVOCATION: u8 = 7;
  export const SETTING: u8 = 8;
}

/** Bits of a record's flags; the kind of its session, 0 if unknown, stands in two of them. */
export namespace RecordFlag {
  export const STAMPED: u8 = 1;
  export const TICKET_KEY: u8 = 2;
  export const CIPHER: u8 = 4;
  /** The time of its issue is unknown. */
  export const UNISSUED: u8 = 8;
  /** A ticket beside which no session ID was issued. */
  export const ALONE: u8 = 16;
}

/** The fixed part of a record, RECORD_FIXED_SIZE bytes. */
@unmanaged
export class BatchRecord {
  type: u8;
  flags: u8;
  idLength: u8;
  /** Of a tombstone its cause, of a named decision its state, of a session the lower byte of its protocol + 1. */
  detail: u8;
  cipher: u16;
  upstream: u16;
  sni: u16;
  /** Of a tombstone: the lower byte of the protocol + 1. */
  protocol: u16;
  time: u32;
  until: u32;


  @inline
  get stamp(): u64 {
    return this.flags & RecordFlag.STAMPED ? load<u64>(changetype<usize>(this) + RECORD_FIXED_SIZE) : 0;
  }

  /** The address of its ID. */
  @inline
  get id(): usize {
    return changetype<usize>(this) + RECORD_FIXED_SIZE + (this.flags & RecordFlag.STAMPED ? 8 : 0);
  }

  /** The address of the ticket key's name, if it has one. */
  @inline
  get ticketKey(): usize {
    return this.id + <usize>this.idLength;
  }

  /** Kind of its session, 0 if unknown. */
  @inline
  get kind(): u8 {
    return (this.flags >> KIND_SHIFT) & 3;
  }

  /** Bytes that it takes. */
  @inline
  get size(): i32 {
    return sizeOf(this.flags, this.idLength);
  }
}

/** Bytes of a record. */
function sizeOf(flags: u8, idLength: i32): i32 {
  let size = <i32>RECORD_FIXED_SIZE + idLength;
  if (flags & RecordFlag.STAMPED) size += 8;
  if (flags & RecordFlag.TICKET_KEY) size += TICKET_KEY_LENGTH;
  return size;
}

/** Builds one batch. Allocates its buffers when it is constructed. */
export class BatchWriter {
  /** Records in it. */
  count: u32 = 0;
  /** The greatest second until which one of them matters. */
  until: u64 = 0;
  private readonly names: usize;
  private readonly records: usize;
  private readonly places: usize;
  private namesUsed: i32 = 0;
  private nameCount: i32 = 0;
  private used: i32 = 0;

  /** `capacity`: of a finished batch, in bytes. */
  constructor(
    private readonly kind: u8,
    private readonly capacity: i32,
  ) {
    this.names = heap.alloc(NAMES_CAPACITY);
    this.records = heap.alloc(capacity);
    this.places = heap.alloc(<usize>PLACES * PLACE_SIZE);
    this.clear();
  }

  free(): void {
    heap.free(this.names);
    heap.free(this.records);
    heap.free(this.places);
  }

  clear(): void {
    this.count = 0;
    this.until = 0;
    this.namesUsed = 0;
    this.nameCount = 0;
    this.used = 0;
    memory.fill(this.places, 0, <usize>PLACES * PLACE_SIZE);
  }

  /** Bytes of a finished batch. */
  get length(): i32 {
    return <i32>BATCH_HEADER_SIZE + this.namesUsed + this.used;
  }

  /** Whether so many bytes of records and names are sure to fit. */
  hasRoom(size: i32): bool {
    return this.length + size <= this.capacity && this.namesUsed + size <= NAMES_CAPACITY;
  }

  /**
   * Appends a record whose fixed fields are 0, with its ID. The caller has asked for room with `hasRoom`, for MAX_RECORD_SIZE
   * bytes at least.
   */
  append(type: u8, flags: u8, id: usize, idLength: i32): BatchRecord {
    const record = changetype<BatchRecord>(this.records + <usize>this.used);
    memory.fill(changetype<usize>(record), 0, RECORD_FIXED_SIZE);
    record.type = type;
    record.flags = flags;
    record.idLength = <u8>idLength;
    memory.copy(record.id, id, idLength);
    this.used += sizeOf(flags, idLength);
    this.count++;
    return record;
  }

  /** Returns the number of a name in this batch, 0 for an empty one. */
  nameOf(name: usize, length: i32): u16 {
    if (length <= 0 || length > 255) return 0;
    const hash = <u32>fnvBytes(FNV_BASIS, name, length);
    const place = this.places + <usize>(hash % PLACES) * PLACE_SIZE;
    const known = load<u16>(place);
    if (known != 0) {
      const start = this.names + <usize>load<u16>(place, 2);
      if (load<u8>(start) == <u8>length && memory.compare(start + 1, name, length) == 0) return known;
    }
    const start = this.names + <usize>this.namesUsed;
    store<u8>(start, <u8>length);
    memory.copy(start + 1, name, length);
    this.nameCount++;
    store<u16>(place, <u16>this.nameCount);
    store<u16>(place, <u16>this.namesUsed, 2);
    this.namesUsed += 1 + length;
    return <u16>this.nameCount;
  }

  /** Writes the batch to an address with room for `length` bytes. Returns its length. */
  finish(run: u64, to: usize): i32 {
    const length = this.length;
    store<u8>(to, FORMAT);
    store<u8>(to, this.kind, 1);
    store<u16>(to, <u16>this.nameCount, 2);
    store<u32>(to, this.count, 4);
    store<u64>(to, run, 8);
    const body = to + BATCH_HEADER_SIZE;
    memory.copy(body, this.names, this.namesUsed);
    memory.copy(body + <usize>this.namesUsed, this.records, this.used);
    store<u64>(to, fnvBytes(FNV_BASIS, body, length - <i32>BATCH_HEADER_SIZE), 16);
    return length;
  }
}

/** Reads one batch; whatever its bytes are, it never reads beyond them. */
export class BatchReader {
  kind: u8 = 0;
  run: u64 = 0;
  /** Records that were not read yet. */
  left: u32 = 0;
  private at: usize = 0;
  private end: usize = 0;
  private readonly names: StaticArray<u32> = new StaticArray<u32>(MAX_NAMES + 1);
  private nameCount: i32 = 0;
  private start: usize = 0;

  /** Begins to read; false if the bytes are not a whole batch of this format. They must stay while it is read. */
  open(start: usize, length: i32): bool {
    this.left = 0;
    this.start = start;
    if (length < <i32>BATCH_HEADER_SIZE || load<u8>(start) != FORMAT) return false;
    const body = start + BATCH_HEADER_SIZE;
    const end = start + <usize>length;
    if (load<u64>(start, 16) != fnvBytes(FNV_BASIS, body, length - <i32>BATCH_HEADER_SIZE)) return false;
    const count = <i32>load<u16>(start, 2);
    if (count > MAX_NAMES) return false;
    let at = body;
    for (let number = 1; number <= count; number++) {
      if (at >= end || at + 1 + <usize>load<u8>(at) > end) return false;
      unchecked((this.names[number] = <u32>(at - start)));
      at += 1 + <usize>load<u8>(at);
    }
    this.nameCount = count;
    this.kind = load<u8>(start, 1);
    this.run = load<u64>(start, 8);
    this.left = load<u32>(start, 4);
    this.at = at;
    this.end = end;
    return true;
  }

  /** The next record, or null at the end, or if the rest is malformed: then `left` is not 0. */
  next(): BatchRecord | null {
    if (this.left == 0 || this.at + RECORD_FIXED_SIZE > this.end) return null;
    const record = changetype<BatchRecord>(this.at);
    const size = <usize>record.size;
    if (this.at + size > this.end) return null;
    this.at += size;
    this.left--;
    return record;
  }

  /** The address of a name by its number; its length is in `nameLength`. 0 if there is none. */
  name(number: u16): usize {
    this.nameLength = 0;
    if (number == 0 || <i32>number > this.nameCount) return 0;
    const start = this.start + <usize>unchecked(this.names[number]);
    this.nameLength = load<u8>(start);
    return start + 1;
  }

  nameLength: i32 = 0;
}

/** In bytes: etcd takes 1.5 MiB in a request. */
export const MAX_BATCH_SIZE: i32 = 60_000;
/** The most that one record and its names take. */
export const MAX_RECORD_SIZE: i32 = 512;
const FORMAT: u8 = 1;
const BATCH_HEADER_SIZE: usize = 24;
const RECORD_FIXED_SIZE: usize = 20;
export const KIND_SHIFT: u8 = 5;
const NAMES_CAPACITY: i32 = 32768;
const MAX_NAMES: i32 = 16384;
/** Of a hash table of names; those that share a place are written twice. */
const PLACES: u32 = 1024;
const PLACE_SIZE: usize = 4;
