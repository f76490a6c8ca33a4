/**
 * A count of what the pages of a cache hold, against which the numbers in the shared store (`counts.ts`) are held: a machine that ended in
 * the middle of a change leaves them wrong, and a page whose bytes were changed by something else may have held more than can be told.
 *
 * One pass over the pages is no snapshot, as others change them meanwhile. Two passes, one after the other, that find the same in every
 * respect, each page's last version included, while the stored numbers stayed the same from the first to the last, saw a cache in which
 * nobody came or went: then what they counted is right. Passes are seconds apart, a change takes microseconds. A cache that is never
 * quiet so long is not corrected until it is; its number is too high at most.
 */
import { Counts } from "../counting/counts";
import { Page } from "./page";
import { Pages } from "./pages";

export class Census {
  sessions: u32 = 0;
  tombstones: u32 = 0;
  saturatedPages: u32 = 0;
  /** Of the stored numbers when this began. */
  private mark: u32 = 0;
  private pages: u32 = 0;
  private versions: u64 = 0;
  private isDisturbed: bool = false;

  /** Begins a count. */
  constructor(private readonly counts: Counts) {
    counts.read();
    this.mark = counts.mark;
  }

  see(page: Page): void {
    this.sessions += page.sessions;
    this.tombstones += page.tombstones;
    if (page.saturatedUntil != 0) this.saturatedPages++;
    this.pages++;
    this.versions += page.lastVersion;
  }

  /** A page was changed by who counts. */
  disturb(): void {
    this.isDisturbed = true;
  }

  /** This count is complete; puts the stored numbers right if it and the one before it agree. */
  end(before: Census | null): void {
    const counts = this.counts;
    counts.read();
    if (!before || counts.mark != this.mark || !this.agreesWith(before)) return;
    const isRight =
      counts.sessions == this.sessions &&
      counts.tombstones == this.tombstones &&
      counts.saturatedPages == this.saturatedPages;
    if (!isRight) counts.correct(this.mark, this.sessions, this.tombstones, this.saturatedPages);
  }

  private agreesWith(before: Census): bool {
    if (this.isDisturbed || before.isDisturbed || this.mark != before.mark) return false;
    if (this.pages != before.pages || this.versions != before.versions) return false;
    return this.sessions == before.sessions && this.tombstones == before.tombstones;
  }
}

/** Gives a cache whose pages an earlier version of this module made its numbers. Cost: one read of each page. */
export function beginCounts(pages: Pages, counts: Counts): void {
  const census = new Census(counts);
  pages.directory.refreshAll();
  for (let number = pages.directory.next(0); number < pages.count; number = pages.directory.next(number + 1)) {
    const page = pages.read(number);
    if (page) census.see(page);
  }
  counts.begin(census.sessions, census.tombstones, census.saturatedPages);
}
