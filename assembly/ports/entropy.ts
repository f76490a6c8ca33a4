/** What the domain needs of a source of random bytes that nobody can foresee. */
export abstract class Entropy {
  /** Fills `length` bytes, at most 1024; false where the source has failed. */
  abstract fill(start: usize, length: i32): bool;
}
