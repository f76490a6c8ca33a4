/**
 * Counts the sessions, tombstones and saturated pages of a cache, and corrects the numbers in the shared store
 * (`counts.ts`). A machine that ended in the middle of a change leaves them wrong, and a damaged page may have held more
 * than its header counts.
 *
 * One pass over the pages is not a snapshot, as others change them meanwhile. But two passes in a row may agree in every
 * respect, each page's last version included, while the stored numbers stay the same from the first to the last. Then nobody
 * came or went, and the count is right. Passes are seconds apart, a change takes microseconds. A cache that is never quiet
 * for so long is corrected when it is; until then its number is at most too high.
 */
import { Counts } from "../counting/counts";
import { Page } from "./page";
import { Pages } from "./pages";

export class Census {
  sessions: u32 = 0;
  tombstones: u32 = 0;
  saturatedPages: u32 = 0;
  /** Mark of the stored numbers when this began. */
  private mark: u32 = 0;
  private pages: u32 = 0;
  private versions: u64 = 0;
  private isDisturbed: bool = false;

  /** Begins a count. */
  constructor(private readonly counts: Counts) {
    counts.read();
    this.mark = counts.mark;
  }

  /** Counts a page. */
  see(page: Page): void {
    this.sessions += page.sessions;
    this.tombstones += page.tombstones;
    if (page.saturatedUntil != 0) this.saturatedPages++;
    this.pages++;
    this.versions += page.lastVersion;
  }

  /** The machine that counts has changed a page itself. */
  disturb(): void {
    this.isDisturbed = true;
  }

  /** Ends this count, and corrects the stored numbers if it agrees with the one before it. */
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

/** Counts a cache that an earlier version of this module made, for its first numbers. Cost: one read of each page. */
export function beginCounts(pages: Pages, counts: Counts): void {
  const census = new Census(counts);
  pages.directory.refreshAll();
  for (let number = pages.directory.next(0); number < pages.count; number = pages.directory.next(number + 1)) {
    const page = pages.read(number);
    if (page) census.see(page);
  }
  counts.begin(census.sessions, census.tombstones, census.saturatedPages);
}
