/**
 * The entries of one kind that configurations remove, by their numbers, for listings in slices and pages. To go on to the
 * next one is O(1); to begin anywhere else, or after the configurations have changed, O(entries).
 */
import { Removes } from "../../session/configured/removal_list";
import { RemovalSet } from "../../session/configured/removal_set";

export class ConfiguredEntries {
  /** Number and offset in `set` of the present entry, in a revision of the set; the offset is -1 if there is none. */
  private number: u64 = 0;
  private offset: i32 = -1;
  private revision: u32 = 0;

  constructor(
    private readonly set: RemovalSet,
    private readonly kind: Removes,
  ) {}

  /** Moves to an entry by its number, from 0 on; false if there are fewer. */
  moveTo(number: u64): bool {
    const set = this.set;
    const isNear = this.offset >= 0 && this.revision == set.revision && number - this.number <= 1;
    if (!isNear) this.offset = set.nth(this.kind, <i32>number);
    else if (number != this.number) this.offset = set.next(this.kind, set.after(this.offset));
    this.number = number;
    this.revision = set.revision;
    return this.offset >= 0;
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
