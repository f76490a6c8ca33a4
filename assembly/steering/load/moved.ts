/**
 * Remembers sessions that were led away from their issuer to level the load, or networks whose clients were declined, so
 * that they are spared the next time. One for each virtual machine; a fixed array of hashes, of which two that share a place
 * displace each other.
 */
export class Moved {
  private readonly places: StaticArray<u32> = new StaticArray<u32>(PLACES);

  /** `hash` identifies the session or the network. */
  has(hash: u32): bool {
    return unchecked(this.places[hash % PLACES]) == (hash | 1);
  }

  add(hash: u32): void {
    unchecked((this.places[hash % PLACES] = hash | 1));
  }

  clear(): void {
    for (let place: u32 = 0; place < PLACES; place++) unchecked((this.places[place] = 0));
  }
}

const PLACES: u32 = 2048;
