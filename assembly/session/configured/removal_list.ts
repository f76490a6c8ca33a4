/**
 * The sessions, ticket keys and server names that one configuration removes, as they stand in the shared store.
 *
 * Layout, little-endian: u64 identity of the filter's registration, then entries one behind the other, each u8 kind
 * (`Removes`), u8 length, and so many bytes: a session ID, the name of a ticket key, or a server name in lower case. Grows as
 * entries are added.
 */
import { lowerCase } from "../../bytes/ascii";
import { StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";

/** The kind of a removed thing. */
export const enum Removes {
  Session = 0,
  TicketKey = 1,
  ServerName = 2,
  /** The name that all handles of a session share; only in `removal_set.ts`. */
  SessionName = 3,
}

export class RemovalList {
  /** Since when it is in force, in Unix seconds. */
  since: u64 = 0;
  private bytes: StaticArray<u8> = new StaticArray<u8>(HEAD_SIZE);
  /** In bytes, the head included. */
  private size: i32 = HEAD_SIZE;

  get isEmpty(): bool {
    return this.size == HEAD_SIZE;
  }

  /** The address of the entries; valid until the next one is added. */
  get start(): usize {
    return changetype<usize>(this.bytes) + <usize>HEAD_SIZE;
  }

  /** Of the entries, in bytes. */
  get length(): i32 {
    return this.size - HEAD_SIZE;
  }

  /** Adds an entry of at most 255 bytes. */
  add(kind: Removes, bytes: usize, length: i32): void {
    const size = ENTRY_HEAD_SIZE + length;
    if (this.size + size > this.bytes.length) this.grow(size);
    const at = this.start + <usize>this.length;
    store<u8>(at, <u8>kind);
    store<u8>(at, <u8>length, 1);
    memory.copy(at + <usize>ENTRY_HEAD_SIZE, bytes, length);
    if (kind == Removes.ServerName) lowerCase(at + <usize>ENTRY_HEAD_SIZE, length);
    this.size += size;
  }

  /** Stores this as the list of a registration; false if the store does not take it. */
  store(value: StoredValue, identity: u64): bool {
    store<u64>(changetype<usize>(this.bytes), identity);
    return value.overwrite(changetype<usize>(this.bytes), this.size) == StoreResult.Ok;
  }

  /** Reads the list of a registration; leaves this empty if it is not there. False if it cannot be read. */
  read(value: StoredValue, identity: u64): bool {
    let bytes = new StaticArray<u8>(USUAL_SIZE);
    let result = value.read(changetype<usize>(bytes), USUAL_SIZE);
    if (result == StoreResult.TooLarge) {
      bytes = new StaticArray<u8>(MAX_STORED_SIZE);
      result = value.read(changetype<usize>(bytes), MAX_STORED_SIZE);
    }
    if (result == StoreResult.Absent || result == StoreResult.TooLarge) return true;
    if (result != StoreResult.Ok) return false;
    if (value.length < HEAD_SIZE || load<u64>(changetype<usize>(bytes)) != identity) return true;
    this.bytes = bytes;
    this.size = value.length;
    return true;
  }

  private grow(size: i32): void {
    const grown = new StaticArray<u8>(2 * this.bytes.length + size + FIRST_CAPACITY);
    memory.copy(changetype<usize>(grown), changetype<usize>(this.bytes), this.size);
    this.bytes = grown;
  }
}

export const ENTRY_HEAD_SIZE: i32 = 2;
const HEAD_SIZE: i32 = 8;
const FIRST_CAPACITY: i32 = 1024;
const USUAL_SIZE: i32 = 16_384;
/** A list is shorter than the text that has it, which is 1 MiB at most. */
const MAX_STORED_SIZE: i32 = 1_048_576;
