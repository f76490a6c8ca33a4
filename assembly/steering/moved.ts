/**
 * Sessions that were led away from their issuer once, to level the load: they are not led away again. One for each virtual machine; a
 * fixed array of hashes, the latest of two that share a place.
 */
export class Moved {
  private readonly places: StaticArray<u32> = new StaticArray<u32>(PLACES);

  /** `hash` is that of what identifies the session. */
  has(hash: u32): bool {
    return unchecked(this.places[hash % PLACES]) == (hash | 1);
  }

  add(hash: u32): void {
    unchecked((this.places[hash % PLACES] = hash | 1));
  }
}

const PLACES: u32 = 2048;
