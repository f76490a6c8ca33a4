/**
 * The identity of the fleet's records: random bytes under the key `meta`. Whoever has read all keys and found none creates it.
 *
 * Other bytes than before mean other records: etcd was wiped, its keys were deleted, or the configuration names another etcd.
 * Neither the number of its cluster nor its revision shows that in each case. So this process tells again whatever it holds
 * (`takeLoss`), at most once in RETELLING_NANOSECONDS, whoever writes the key how often.
 *
 * The shared store keeps the identity for the next leader of this process. Cost: one read when a machine becomes the leader.
 *
 * The value has 16 bytes. A later format may append more; a shorter value is malformed, and is left as it is.
 */
import { NANOSECONDS_PER_SECOND } from "../../ports/clock";
import { Entropy } from "../../ports/entropy";
import { Journal, Outcome } from "../../ports/journal";
import { SharedStore } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";

export class Identity {
  private readonly value: StoredValue;
  /** The one that this process has told its records to, zeros for none; then the one that is being created. */
  private readonly known: usize = heap.alloc(IDENTITY_SIZE);
  private readonly created: usize = heap.alloc(IDENTITY_SIZE);
  /** Whether the journal has the key, as far as it was read. */
  private isThere: bool = false;
  /** The records are others than before, and nobody was told. */
  private isOther: bool = false;
  private lossAt: u64 = 0;
  /** When to try again to create it, and how long to wait after the next failure. */
  private retryAt: u64 = 0;
  private delay: u64 = NANOSECONDS_PER_SECOND;

  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    private readonly entropy: Entropy,
  ) {
    this.value = new StoredValue(cacheName, "fleet/identity", sharedStore);
    if (!this.value.readWhole(this.known, IDENTITY_SIZE)) memory.fill(this.known, 0, IDENTITY_SIZE);
  }

  free(): void {
    this.value.free();
    heap.free(this.known);
    heap.free(this.created);
  }

  /** The journal is read anew. */
  forget(): void {
    this.isThere = false;
  }

  /** The journal has found out by itself that records are gone: the next identity is not a loss of its own. */
  expectOther(): void {
    this.isOther = false;
    memory.fill(this.known, 0, IDENTITY_SIZE);
    this.keep();
  }

  /** Takes a value of the key; false if it is malformed. */
  take(value: usize, length: i32): bool {
    this.isThere = true;
    if (length < IDENTITY_SIZE) return false;
    const known = this.known;
    if (memory.compare(known, value, IDENTITY_SIZE) == 0) return true;
    if (!isNone(known)) this.isOther = true;
    memory.copy(known, value, IDENTITY_SIZE);
    this.keep();
    return true;
  }

  /** The key was deleted. */
  noteDeleted(): void {
    this.isThere = false;
  }

  /** Whether the records are others than before; taken by that. */
  takeLoss(now: u64): bool {
    if (!this.isOther) return false;
    if (this.lossAt != 0 && now >= this.lossAt && now - this.lossAt < RETELLING_NANOSECONDS) return false;
    this.isOther = false;
    this.lossAt = now;
    return true;
  }

  /** Begins to create the key, of which the caller gives the bytes, if all keys were read and it is none of them. */
  send(journal: Journal, key: usize, keyLength: i32, now: u64): bool {
    if (this.isThere || now < this.retryAt) return false;
    if (!this.entropy.fill(this.created, IDENTITY_SIZE)) return false;
    return journal.swap(key, keyLength, this.created, IDENTITY_SIZE, 0);
  }

  /** The operation has ended. Its value, or that of whoever came first, comes as every change does. */
  settle(outcome: Outcome, now: u64): void {
    if (outcome == Outcome.Done || outcome == Outcome.Conflict) {
      this.isThere = true;
      this.delay = NANOSECONDS_PER_SECOND;
      return;
    }
    // A user of etcd that may not write the key must not have decisions wait for that again and again.
    this.retryAt = now + this.delay;
    this.delay = min(this.delay * 2, MAX_DELAY_NANOSECONDS);
  }

  private keep(): void {
    this.value.overwrite(this.known, IDENTITY_SIZE);
  }
}

function isNone(identity: usize): bool {
  return (load<u64>(identity) | load<u64>(identity, 8)) == 0;
}

const IDENTITY_SIZE: i32 = 16;
const RETELLING_NANOSECONDS: u64 = 60 * NANOSECONDS_PER_SECOND;
const MAX_DELAY_NANOSECONDS: u64 = 600 * NANOSECONDS_PER_SECOND;
