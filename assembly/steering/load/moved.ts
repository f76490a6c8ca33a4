/**
 * Who was asked a sacrifice of lately: sessions that were led away from their issuer to level the load, networks whose clients have missed. They
 * are spared the next one. One for each virtual machine; a fixed array of hashes, the latest of two that share a place.
 */
export class Moved {
  private readonly places: StaticArray<u32> = new StaticArray<u32>(PLACES);

  /** `hash` is that of what identifies the session, or the network. */
  has(hash: u32): bool {
    return unchecked(this.places[hash % PLACES]) == (hash | 1);
  }

  add(hash: u32): void {
    unchecked((this.places[hash % PLACES] = hash | 1));
  }
}

const PLACES: u32 = 2048;
