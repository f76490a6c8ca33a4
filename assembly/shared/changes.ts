/**
 * Tells every virtual machine that something has changed by which it judges or leads resumptions: a setting, the name of a
 * ticket key, a revoked server name. So each machine keeps its copies of them, and still never judges by an outdated one.
 *
 * It is one empty value in the shared store, which has another mark after each change; to read the mark costs less than to
 * read any value. A change is stored first and announced then, before anybody hears that it was made: whoever looks
 * afterwards sees it. If an announcement is lost, as its machine ended in between, the change is in force within a second or
 * two (`age`).
 */
import { SharedStore } from "../ports/shared_store";
import { StoredValue } from "./stored_value";

export class Changes {
  /** A copy that was made in one epoch is right for all of it. Never 0. */
  epoch: u32 = 1;
  private readonly value: StoredValue;
  private mark: u32 = 0;

  constructor(cacheName: string, sharedStore: SharedStore) {
    this.value = new StoredValue(cacheName, "changed", sharedStore);
  }

  free(): void {
    this.value.free();
  }

  /** Begins a new epoch if anything has changed since the last call, or if the store does not answer. */
  refresh(): void {
    const mark = this.value.readMark();
    if (mark != 0 && mark == this.mark) return;
    this.mark = mark;
    this.age();
  }

  /** Begins a new epoch. */
  age(): void {
    this.epoch = this.epoch == u32.MAX_VALUE ? 1 : this.epoch + 1;
  }

  /** Announces a change that was stored. From now on it is in force for all machines. */
  announce(): void {
    this.value.overwrite(NOTHING, 0);
    this.age();
  }
}

/** The address of an empty value. */
const NOTHING: usize = memory.data(1);
