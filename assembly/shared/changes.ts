/**
 * Tells every virtual machine that something has changed by which resumptions are judged or led: a setting, a ticket key's
 * name, a revoked server name. So each can keep what it has looked up, and still never judge by what is no longer so.
 *
 * One empty value in the shared store, which has another mark after each change; a look at it costs less than reading any
 * value. A change is stored first and announced then, before anybody is told that it was made: whoever looks afterwards
 * sees it. Should an announcement be lost, as its machine ended in between, the change is in force within a second or two
 * (`age`).
 */
import { SharedStore } from "../ports/shared_store";
import { StoredValue } from "./stored_value";

export class Changes {
  /** What was looked up in one epoch is right for all of it. Never 0. */
  epoch: u32 = 1;
  private readonly value: StoredValue;
  private mark: u32 = 0;

  constructor(cacheName: string, sharedStore: SharedStore) {
    this.value = new StoredValue(cacheName, "changed", sharedStore);
  }

  free(): void {
    this.value.free();
  }

  /** Begins a new epoch where anything has changed since the last call, or where that cannot be told. */
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

  /** Lets everybody know of a change that was stored. From now on it is in force for all. */
  announce(): void {
    this.value.overwrite(NOTHING, 0);
    this.age();
  }
}

const NOTHING: usize = memory.data(1);
