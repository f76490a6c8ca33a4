/**
 * The sessions, ticket keys and server names that one configuration removes, as bytes.
 *
 * Layout: entries one behind the other, each u8 kind (`Removes`), u8 length, then so many bytes: a session ID, the name of a
 * ticket key, or a server name in lower case. Grows as entries are added.
 */
import { lowerCase } from "../../bytes/ascii";

/** The kind of a removed thing. */
export const enum Removes {
  Session = 0,
  TicketKey = 1,
  ServerName = 2,
  /** The name that all handles of a session share; only in `removal_set.ts`. */
  SessionName = 3,
}

export class RemovalList {
  /** In bytes. */
  length: i32 = 0;
  private bytes: StaticArray<u8> = new StaticArray<u8>(0);

  /** The address of the entries; valid until the next one is added. */
  get start(): usize {
    return changetype<usize>(this.bytes);
  }

  /** Adds an entry of at most 255 bytes. */
  add(kind: Removes, bytes: usize, length: i32): void {
    const size = ENTRY_HEAD_SIZE + length;
    if (this.length + size > this.bytes.length) this.grow(size);
    const at = this.start + <usize>this.length;
    store<u8>(at, <u8>kind);
    store<u8>(at, <u8>length, 1);
    memory.copy(at + <usize>ENTRY_HEAD_SIZE, bytes, length);
    if (kind == Removes.ServerName) lowerCase(at + <usize>ENTRY_HEAD_SIZE, length);
    this.length += size;
  }

  private grow(size: i32): void {
    const grown = new StaticArray<u8>(2 * this.bytes.length + size + FIRST_CAPACITY);
    memory.copy(changetype<usize>(grown), this.start, this.length);
    this.bytes = grown;
  }
}

export const ENTRY_HEAD_SIZE: i32 = 2;
const FIRST_CAPACITY: i32 = 1024;
