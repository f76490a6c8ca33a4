/**
 * Where a listing goes on: opaque text, 40 lower-case hexadecimal digits:
 *
 *     0  u32  page of the cache     4  u64  version behind which it goes on     12  u64  check
 *
 * The check is over position, path and filters, so a cursor holds for the list that it came from and for no other, and neither
 * a damaged one nor one that was made up is taken for one. It is no secret and needs to be none: a cursor opens nothing that a
 * listing from its beginning does not.
 */
import { FNV_BASIS, fnvBytes, fnvText } from "../../bytes/fnv";
import { decodeHexText, encodeHex } from "../../bytes/hex";

export class ListCursor {
  page: u32 = 0;
  version: u64 = 0;

  /** `binding`: path and filters of the list. */
  constructor(private readonly binding: string) {}

  /** Takes the position from a text; false where it is no cursor of this list. */
  read(text: string): bool {
    if (decodeHexText(text, PLACE, SIZE) != SIZE) return false;
    if (load<u64>(PLACE, CHECK_OFFSET) != this.check()) return false;
    this.page = load<u32>(PLACE);
    this.version = load<u64>(PLACE, VERSION_OFFSET);
    return true;
  }

  /** The text of the position. */
  text(): string {
    store<u32>(PLACE, this.page);
    store<u64>(PLACE, this.version, VERSION_OFFSET);
    store<u64>(PLACE, this.check(), CHECK_OFFSET);
    const text = new StaticArray<u8>(2 * SIZE);
    encodeHex(PLACE, SIZE, changetype<usize>(text));
    return String.UTF8.decodeUnsafe(changetype<usize>(text), 2 * SIZE);
  }

  /** Over the position at PLACE and the binding. */
  private check(): u64 {
    return fnvText(fnvBytes(FNV_BASIS, PLACE, <i32>CHECK_OFFSET), this.binding);
  }
}

const VERSION_OFFSET: usize = 4;
const CHECK_OFFSET: usize = 12;
const SIZE: i32 = 20;
const PLACE: usize = memory.data(SIZE, 8);
