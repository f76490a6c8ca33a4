/** A source of random bytes that nobody can foresee. */
export abstract class Entropy {
  /** Fills `length` bytes, at most 1024; false if the source fails. */
  abstract fill(start: usize, length: i32): bool;
}
