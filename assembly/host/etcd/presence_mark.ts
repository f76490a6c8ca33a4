/**
 * The mark of the key that only this proxy writes, again and again. If the store has another mark for it, its state is not the one
 * that this proxy has written to, such as one from a backup whose revisions have passed those that this proxy knows.
 */
import { LastingText } from "../lasting_text";

export class PresenceMark {
  readonly key: LastingText;
  /** Of the last write that was answered; 0 for none. */
  private mark: u64 = 0;
  /** A write since then has no answer, and may have been done. */
  private isOpen: bool = false;

  constructor(key: string) {
    this.key = new LastingText(key);
  }

  is(key: usize, length: i32): bool {
    return this.key.is(key, length);
  }

  /** A write of the key begins. */
  writes(): void {
    this.isOpen = true;
  }

  /** The write was done, and gave the key this mark. */
  written(mark: u64): void {
    this.mark = mark;
    this.isOpen = false;
  }

  /** Reports whether the store may have a mark, 0 if it does not have the key. */
  allows(mark: u64): bool {
    if (this.mark == 0 || mark == this.mark) return true;
    return this.isOpen && mark > this.mark;
  }

  forget(): void {
    this.mark = 0;
  }
}
