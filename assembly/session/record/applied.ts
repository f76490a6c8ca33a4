/** What became of a record of another proxy. */
export const enum Applied {
  /** It holds from now on. */
  Stored = 0,
  /** What is here holds: it is later, or the same. */
  Older = 1,
  /** There is no room for it; a removal still counts, if its page is saturated. */
  NoRoom = 2,
  /** The store did not answer, or other writers came first each time: try again. */
  Failed = 3,
}
