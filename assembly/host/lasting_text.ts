/** A text as UTF-8 bytes outside of collected memory, for as long as the virtual machine lives. For start-up. */
export class LastingText {
  readonly start: usize;
  /** In bytes. */
  readonly length: i32;

  constructor(text: string) {
    const length = String.UTF8.byteLength(text);
    const start = heap.alloc(length);
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, start);
    this.start = start;
    this.length = length;
  }

  /** Whether a text of `length` bytes at `start` is the same. */
  is(start: usize, length: i32): bool {
    return length == this.length && memory.compare(start, this.start, length) == 0;
  }
}
