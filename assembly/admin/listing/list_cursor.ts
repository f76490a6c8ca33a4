/**
 * The position at which a listing goes on: opaque text, 40 lower-case hexadecimal digits. Layout:
 *
 *     0  u32  page of the cache     4  u64  version behind which it goes on     12  u64  check
 *
 * The check covers position, path and filters. So a cursor holds for its own list only, and damaged or invented ones are
 * refused. A cursor is not secret: it shows nothing that a listing from its beginning does not.
 */
import { FNV_BASIS, fnvBytes, fnvText } from "../../bytes/fnv";
import { decodeHexText, encodeHex } from "../../bytes/hex";

export class ListCursor {
  page: u32 = 0;
  version: u64 = 0;

  /** `binding` is the path and the filters of the list. */
  constructor(private readonly binding: string) {}

  /** Reads the position from a text; false if that is not a cursor of this list. */
  read(text: string): bool {
    if (decodeHexText(text, PLACE, SIZE) != SIZE) return false;
    if (load<u64>(PLACE, CHECK_OFFSET) != this.check()) return false;
    this.page = load<u32>(PLACE);
    this.version = load<u64>(PLACE, VERSION_OFFSET);
    return true;
  }

  /** Returns the text of the position. */
  text(): string {
    store<u32>(PLACE, this.page);
    store<u64>(PLACE, this.version, VERSION_OFFSET);
    store<u64>(PLACE, this.check(), CHECK_OFFSET);
    const text = new StaticArray<u8>(2 * SIZE);
    encodeHex(PLACE, SIZE, changetype<usize>(text));
    return String.UTF8.decodeUnsafe(changetype<usize>(text), 2 * SIZE);
  }

  /** Covers the position at PLACE and the binding. */
  private check(): u64 {
    return fnvText(fnvBytes(FNV_BASIS, PLACE, <i32>CHECK_OFFSET), this.binding);
  }
}

const VERSION_OFFSET: usize = 4;
const CHECK_OFFSET: usize = 12;
const SIZE: i32 = 20;
const PLACE: usize = memory.data(SIZE, 8);
