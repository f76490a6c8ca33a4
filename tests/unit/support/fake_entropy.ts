/** Random bytes that are the same each time, or none at all. */
import { Entropy } from "../../../assembly/ports/entropy";
import { KeyedHash } from "../../../assembly/shared/keyed_hash";

/** The hash of a cache whose key came from here. */
export function fakeHash(): KeyedHash {
  const hash = new KeyedHash();
  new FakeEntropy().fill(KEY, 16);
  hash.key0 = load<u64>(KEY);
  hash.key1 = load<u64>(KEY, 8);
  return hash;
}

const KEY: usize = memory.data(16, 8);

export class FakeEntropy extends Entropy {
  constructor(public fails: bool = false) {
    super();
  }

  fill(start: usize, length: i32): bool {
    if (this.fails) return false;
    for (let i = 0; i < length; i++) store<u8>(start + i, <u8>(i * 73 + 41));
    return true;
  }
}
