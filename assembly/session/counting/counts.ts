/**
 * The numbers of sessions, tombstones and saturated pages of a cache, as one small value in the shared store. The value is
 * the cache's own, and decides whether there is room (`admission.ts`). The gauges of the same names only show it: Envoy adds
 * up the gauges and counters of two processes while a hot restart lasts, and those of two caches of one name.
 *
 * Each change is a compare-and-set that is tried again a bounded number of times. A change that could not be stored even so
 * is owed: it goes along with this machine's next change, or with its next tick. Of sessions, only departures are ever owed:
 * the number is too high for a moment then, never too low. A machine that ends in the middle of a change leaves the number
 * wrong; `census.ts` corrects it.
 *
 * Gauges are set to each number that was stored, not raised by it. So a gauge that another machine has set meanwhile is
 * right again within a second (`show`).
 *
 * Cost of a change: one read, one write, and a call for each gauge that changes. Nothing here allocates.
 */
import { Metrics } from "../../ports/metrics";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";
import { Metric } from "./statistics";

export const enum Room {
  /** There was room for one more session; it is taken now. */
  Taken = 0,
  None = 1,
  /** Others kept changing the number, or the store does not answer. */
  Unknown = 2,
}

export class Counts {
  /** The numbers as this machine has read or stored them last. */
  sessions: u32 = 0;
  tombstones: u32 = 0;
  saturatedPages: u32 = 0;
  private owedSessions: i32 = 0;
  private owedTombstones: i32 = 0;
  private owedPages: i32 = 0;
  private readonly value: StoredValue;

  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    private readonly metrics: Metrics,
  ) {
    this.value = new StoredValue(cacheName, "counts", sharedStore);
  }

  free(): void {
    this.value.free();
  }

  /** Whether the store has a value. */
  get exist(): bool {
    return this.load() == StoreResult.Ok;
  }

  /** Gives a cache its first numbers. A value that another machine has stored stays. */
  begin(sessions: u32, tombstones: u32, saturatedPages: u32): void {
    this.put(sessions, tombstones, saturatedPages);
    if (this.value.create(VALUE_BYTES, VALUE_SIZE) == StoreResult.Ok) this.show();
  }

  /** Reads the numbers; if that fails, the last known stay. */
  read(): void {
    this.load();
  }

  /** Takes room for one session in a cache of a size, 0 for any number. */
  take(size: u32): Room {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const result = this.load();
      if (result != StoreResult.Ok && result != StoreResult.Absent) return Room.Unknown;
      if (size != 0 && this.sessions >= size) return Room.None;
      const stored = this.change(1, 0, 0);
      if (stored == StoreResult.Ok) return Room.Taken;
      if (stored != StoreResult.Conflict) return Room.Unknown;
    }
    return Room.Unknown;
  }

  /** Adds to each number: by how much a change of a page has made it grow. */
  move(sessions: i32, tombstones: i32, saturatedPages: i32): void {
    this.owedSessions += sessions;
    this.owedTombstones += tombstones;
    this.owedPages += saturatedPages;
    this.settle();
  }

  /** Stores the changes that are owed, if any. */
  settle(): void {
    for (let attempt = 0; attempt < MAX_TRIES && this.owes; attempt++) {
      const result = this.load();
      if (result != StoreResult.Ok && result != StoreResult.Absent) return;
      if (this.change(this.owedSessions, this.owedTombstones, this.owedPages) != StoreResult.Ok) continue;
      this.owedSessions = 0;
      this.owedTombstones = 0;
      this.owedPages = 0;
    }
  }

  /** Replaces the numbers that carry `mark`, if they still do, by counted ones. */
  correct(mark: u32, sessions: u32, tombstones: u32, saturatedPages: u32): void {
    this.put(sessions, tombstones, saturatedPages);
    if (this.value.replace(VALUE_BYTES, VALUE_SIZE, mark) == StoreResult.Ok) this.show();
  }

  /** Sets the gauges to the numbers in the store. */
  show(): void {
    if (this.load() != StoreResult.Ok) return;
    this.metrics.record(Metric.SESSIONS, this.sessions);
    this.metrics.record(Metric.TOMBSTONES, this.tombstones);
    this.metrics.record(Metric.SATURATED_PAGES, this.saturatedPages);
  }

  /** Of the value that was read last; another one after each change. */
  get mark(): u32 {
    return this.value.mark;
  }

  private get owes(): bool {
    return this.owedSessions != 0 || this.owedTombstones != 0 || this.owedPages != 0;
  }

  private load(): StoreResult {
    const result = this.value.read(VALUE_BYTES, VALUE_SIZE);
    if (result == StoreResult.Ok && this.value.length == VALUE_SIZE) {
      this.sessions = VALUE.sessions;
      this.tombstones = VALUE.tombstones;
      this.saturatedPages = VALUE.saturatedPages;
      return result;
    }
    if (result == StoreResult.Absent) {
      this.sessions = 0;
      this.tombstones = 0;
      this.saturatedPages = 0;
      return result;
    }
    return StoreResult.Failed;
  }

  /** Stores the numbers that were loaded, each changed by so much. */
  private change(sessions: i32, tombstones: i32, saturatedPages: i32): StoreResult {
    const nextSessions = changed(this.sessions, sessions);
    const nextTombstones = changed(this.tombstones, tombstones);
    const nextPages = changed(this.saturatedPages, saturatedPages);
    this.put(nextSessions, nextTombstones, nextPages);
    const result = this.value.put(VALUE_BYTES, VALUE_SIZE);
    if (result != StoreResult.Ok) return result;
    if (nextSessions != this.sessions) this.metrics.record(Metric.SESSIONS, nextSessions);
    if (nextTombstones != this.tombstones) this.metrics.record(Metric.TOMBSTONES, nextTombstones);
    if (nextPages != this.saturatedPages) this.metrics.record(Metric.SATURATED_PAGES, nextPages);
    this.sessions = nextSessions;
    this.tombstones = nextTombstones;
    this.saturatedPages = nextPages;
    return result;
  }

  /** Writes the value in memory. */
  private put(sessions: u32, tombstones: u32, saturatedPages: u32): void {
    VALUE.sessions = sessions;
    VALUE.tombstones = tombstones;
    VALUE.saturatedPages = saturatedPages;
  }
}

/** Never below zero: a damaged page may have held more than was counted. */
function changed(value: u32, by: i32): u32 {
  const next = <i64>value + <i64>by;
  return next < 0 ? 0 : <u32>next;
}

/** The value in the store, 16 bytes, little-endian. */
@unmanaged
class CountsValue {
  /** Including those about to be stored. */
  sessions: u32;
  tombstones: u32;
  saturatedPages: u32;
  private zero: u32;
}

/** Against other machines that change the number at the same moment. */
const MAX_TRIES: i32 = 64;
const VALUE_SIZE: i32 = 16;
const VALUE_BYTES: usize = memory.data(16, 8);
const VALUE: CountsValue = changetype<CountsValue>(VALUE_BYTES);
