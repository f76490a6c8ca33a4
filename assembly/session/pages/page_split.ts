/**
 * Splits pages of a cache that have grown too large, and decides whether a page counts that was split off.
 *
 * A page P of level L is split in two steps. The first stores a page P + 2^L of level L + 1 with its half, as *pending*. The
 * second stores the page itself with the other half and level L + 1. The second step alone decides: a pending page counts
 * only if the page that it was split off has the level for it. So no machine ever sees an ID in both or in none, whoever is
 * interrupted where.
 *
 * Cost: about four reads and three writes for a split. Leaves the page that is edited alone.
 */
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { KeyedHash } from "../../shared/keyed_hash";
import { StoredValue } from "../../shared/stored_value";
import { Counts } from "../counting/counts";
import { HIGH, LOW, WHOLE } from "./buffers";
import { Directory } from "./directory";
import { Page, PAGE_CAPACITY, storedLength } from "./page";
import { evictExcess, saturateExcess, upgraded } from "./page_upgrade";

export class PageSplit {
  private readonly whole: StoredValue;
  /** The page that is split off another. */
  private readonly other: StoredValue;

  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    private readonly hash: KeyedHash,
    private readonly directory: Directory,
    private readonly numbers: Counts,
  ) {
    this.whole = new StoredValue(cacheName, "page", sharedStore);
    this.other = new StoredValue(cacheName, "page", sharedStore);
  }

  free(): void {
    this.whole.free();
    this.other.free();
  }

  /** Whether a page of that many bytes and that level is to be split. */
  isDue(number: u32, page: Page): bool {
    return page.used > splitAt(number) && <u32>page.level < this.directory.lastLevel;
  }

  /** Splits a page. Does nothing if others change the page meanwhile: they come here too. */
  split(number: u32, level: u32): void {
    const whole = changetype<Page>(WHOLE);
    const low = changetype<Page>(LOW);
    const high = changetype<Page>(HIGH);
    const otherNumber = number | ((<u32>1) << level);
    // The other page is read before the page itself: so it cannot be that of a split which is already in force.
    this.other.select(otherNumber);
    this.other.read(HIGH, PAGE_CAPACITY);
    if (!this.read(this.whole, number, whole)) return;
    if (<u32>whole.level != level || whole.used <= splitAt(number)) return;

    low.resetLike(whole, level + 1);
    high.resetLike(whole, level + 1);
    high.pending = 1;
    let entry = whole.first();
    while (entry) {
      const hash = this.hash.of(entry.id, entry.idLength);
      if ((hash >> level) & 1) high.append(entry);
      else low.append(entry);
      entry = whole.after(entry);
    }
    if (!this.directory.add(otherNumber)) return;
    if (putPage(this.other, high, 0) != StoreResult.Ok) return;
    if (putPage(this.whole, low, 0) != StoreResult.Ok) return;
    this.directory.learn(otherNumber);
    if (whole.saturatedUntil != 0) this.numbers.move(0, 0, 1);
    // From now on nobody needs to ask which page it was split off. A writer that came before has done the same.
    if (!this.read(this.other, otherNumber, high) || high.pending == 0) return;
    high.pending = 0;
    putPage(this.other, high, this.other.length);
  }

  /** Whether the split that made a pending page is in force. Uses the buffer WHOLE. */
  isInForce(number: u32): bool {
    const whole = changetype<Page>(WHOLE);
    if (!this.read(this.whole, originOf(number), whole)) return false;
    return (<u32>1) << whole.level > number;
  }

  /** Returns the level to which a page was split, judged by the pages that were split off it. Uses the buffer WHOLE. */
  levelOf(number: u32): u32 {
    let level = this.directory.firstLevelOf(number);
    while (level < this.directory.lastLevel) {
      this.whole.select(number | ((<u32>1) << level));
      if (this.whole.read(WHOLE, PAGE_CAPACITY) != StoreResult.Ok) break;
      level++;
    }
    return level;
  }

  /** Reads a page, of the earlier layout as well; false if there is none, or one that is not whole. */
  private read(value: StoredValue, number: u32, page: Page): bool {
    value.select(number);
    if (value.read(changetype<usize>(page), PAGE_CAPACITY) != StoreResult.Ok) return false;
    if (page.isWhole(value.length)) return true;
    const result = upgraded(page, value.length);
    if (!result) return false;
    evictExcess(result);
    saturateExcess(result);
    memory.copy(changetype<usize>(page), changetype<usize>(result), result.used);
    return true;
  }
}

/** Stores a page that was read as a value of so many bytes. */
export function putPage(value: StoredValue, page: Page, lengthBefore: i32): StoreResult {
  page.seal();
  return value.put(changetype<usize>(page), lengthFor(page, lengthBefore));
}

/** The length to store a page with. It gives memory back only if there is much of it: see `storedLength`. */
export function lengthFor(page: Page, before: i32): i32 {
  const length = storedLength(page.used);
  return length < before && length > before / 2 ? before : length;
}

/** The page that a page was split off: its number without the highest bit. */
export function originOf(number: u32): u32 {
  return number ^ ((<u32>1) << (31 - clz(number | 1)));
}

/**
 * A page with more bytes is split. Pages differ in it, by up to a factor of two, so that they are not all split at once:
 * then at any time some are new and some nearly full, and one page takes what another gives back to the host's allocator.
 */
@inline
function splitAt(number: u32): u32 {
  return LATEST_SPLIT - (number % SPLIT_STEPS) * SPLIT_STEP;
}

/**
 * Leaves room below a page's capacity for one more of the largest entries, so that nothing has to give way before a split.
 */
const LATEST_SPLIT: u32 = 3071;
const SPLIT_STEPS: u32 = 16;
const SPLIT_STEP: u32 = 98;
