/** Goes through the entries of one kind that configurations remove, for a listing in slices; ends early if they change. */
import { Removes } from "../../session/configured/removal_list";
import { RemovalSet } from "../../session/configured/removal_set";

export class ConfiguredEntries {
  /** Offset of the present entry in `set`. */
  offset: i32 = 0;
  private next: i32 = 0;
  private readonly revision: u32;

  constructor(
    readonly set: RemovalSet,
    private readonly kind: Removes,
  ) {
    this.revision = set.revision;
  }

  /** Moves to the next entry; false if there are no more. */
  advance(): bool {
    const set = this.set;
    if (set.revision != this.revision) return false;
    const offset = set.next(this.kind, this.next);
    if (offset < 0) return false;
    this.offset = offset;
    this.next = set.after(offset);
    return true;
  }

  /** The bytes of the present entry. */
  get bytes(): usize {
    return this.set.bytesAt(this.offset);
  }

  get length(): i32 {
    return this.set.lengthAt(this.offset);
  }

  /** Since when it is in force, in Unix seconds. */
  get since(): u64 {
    return this.set.sinceAt(this.offset);
  }
}
