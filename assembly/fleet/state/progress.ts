/**
 * How far the leader of this process has come: a small value in the shared store, so that another virtual machine can go on
 * when it ends. Only the leader writes it.
 *
 * Cost: one read when a machine becomes the leader, one write for each batch that is stored or taken over.
 */
import { Entropy } from "../../ports/entropy";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";

export class Progress {
  private readonly value: StoredValue;
  private readonly record: ProgressRecord = changetype<ProgressRecord>(heap.alloc(<usize>SIZE));

  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    private readonly entropy: Entropy,
  ) {
    this.value = new StoredValue(cacheName, "fleet/progress", sharedStore);
  }

  free(): void {
    this.value.free();
    heap.free(changetype<usize>(this.record));
  }

  /** Reads how far the leader before has come, or begins. False if that is impossible now. */
  load(): bool {
    if (this.value.readWhole(this.bytes, SIZE)) {
      this.record.terms++;
      return this.save();
    }
    memory.fill(this.bytes, 0, SIZE);
    if (!this.entropy.fill(this.bytes, 8)) return false;
    this.record.terms = 1;
    return this.value.create(this.bytes, SIZE) == StoreResult.Ok;
  }

  save(): bool {
    return this.value.overwrite(this.bytes, SIZE) == StoreResult.Ok;
  }

  private get bytes(): usize {
    return changetype<usize>(this.record);
  }

  /** The number of this process, by chance. */
  get run(): u64 {
    return this.record.run;
  }

  /** How many leaders this process has had. */
  get terms(): u32 {
    return this.record.terms;
  }

  /** The last event that was told, and the making of its log. */
  get sequence(): u64 {
    return this.record.sequence;
  }

  get making(): u64 {
    return this.record.making;
  }

  moveTo(making: u64, sequence: u64): void {
    if (this.record.making == making && this.record.sequence == sequence) return;
    this.record.making = making;
    this.record.sequence = sequence;
    this.save();
  }

  /**
   * Whether whatever this process holds may be unknown to the store, records of other proxies as well. It stays: after each walk
   * earlier batches of this proxy are deleted, so each has to tell the records of proxies again that may be gone.
   */
  get tellsAll(): bool {
    return this.record.tellsAll != 0;
  }

  markLost(): void {
    this.record.tellsAll = 1;
    this.save();
  }

  /**
   * Begins to take over the batch of a key. Returns how often that was begun before without an end: a machine that faults
   * over it leaves this behind.
   */
  try(key: u64): u32 {
    this.record.tries = this.record.tried == key ? this.record.tries + 1 : 1;
    this.record.tried = key;
    this.save();
    return this.record.tries - 1;
  }

  /** The batch was taken over. */
  endTry(): void {
    if (this.record.tried == 0) return;
    this.record.tried = 0;
    this.record.tries = 0;
    this.save();
  }
}

/** The value in the store, SIZE bytes, little-endian. */
@unmanaged
class ProgressRecord {
  run: u64;
  making: u64;
  sequence: u64;
  /** A hash of the key of the batch that is being taken over, 0 for none. */
  tried: u64;
  tries: u32;
  terms: u32;
  tellsAll: u32;
  private rest: u32;
}

const SIZE: i32 = 48;
