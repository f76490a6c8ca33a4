/**
 * The hash by which pages, rows and names find their place in the store. Its key of 128 random bits is made with the cache's
 * settings and shared through them. So all virtual machines agree, and nobody outside can aim at one place.
 */
import { sipHash13 } from "../bytes/siphash";

export class KeyedHash {
  key0: u64 = 0;
  key1: u64 = 0;

  /** Returns the hash of some bytes. Costs about 40 ns, allocates nothing. */
  @inline
  of(bytes: usize, length: i32): u32 {
    return <u32>sipHash13(this.key0, this.key1, bytes, length);
  }

  /**
   * Returns another hash of the same bytes, of 64 bits, never 0: a name that nobody can foresee. `of` cannot be derived from
   * it.
   */
  nameOf(bytes: usize, length: i32): u64 {
    const name = sipHash13(this.key0 ^ OTHER_KEY, this.key1, bytes, length);
    return name == 0 ? 1 : name;
  }
}

const OTHER_KEY: u64 = 0x73657373696f6e21;
