/**
 * How much a cache holds: its sessions, its tombstones and its saturated pages, as one small value in the shared store. It is the
 * cache's own, and decides whether there is room (`admission.ts`). The gauges of the same names only show it: of gauges and counters
 * Envoy adds up those of two processes while a hot restart lasts, and those of two caches of one name.
 *
 * Each change is a compare-and-set that is tried again a bounded number of times. What could not be stored even so is owed: it goes
 * along with this machine's next change, or with its next tick. Of sessions, only departures are ever owed: the number is too high for
 * a moment then, never too low. A machine that ends in the middle of a change leaves the number wrong: `census.ts` mends that.
 *
 * The gauges are set to each number that was stored, not raised by it: one that another machine has set meanwhile is right again within
 * a second (`show`).
 *
 * Layout, little-endian: 0 u32 sessions, about to be stored included; 4 u32 tombstones; 8 u32 saturated pages; 12 u32 zero.
 * Cost of a change: one read, one write, and a call for each gauge that changes. Nothing here allocates.
 */
import { Metrics } from "../../ports/metrics";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";
import { Metric } from "./statistics";

export const enum Room {
  /** There was room for one more session, and it is taken. */
  Taken = 0,
  None = 1,
  /** Others kept changing the number, or the store does not answer. */
  Unknown = 2,
}

export class Counts {
  /** As they were read or stored last. */
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

  /** Gives a cache that has none its first value; one that another machine has given is kept. */
  begin(sessions: u32, tombstones: u32, saturatedPages: u32): void {
    this.put(sessions, tombstones, saturatedPages);
    if (this.value.create(VALUE, VALUE_SIZE) == StoreResult.Ok) this.show();
  }

  /** Takes the present numbers; where they cannot be read, the last known stay. */
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

  /** Notes what a change of a page has made of it: by how much each number has grown. */
  move(sessions: i32, tombstones: i32, saturatedPages: i32): void {
    this.owedSessions += sessions;
    this.owedTombstones += tombstones;
    this.owedPages += saturatedPages;
    this.settle();
  }

  /** Stores what is owed, if anything is. */
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

  /** Puts counted numbers in the place of those that carry `mark`, if they still do. */
  correct(mark: u32, sessions: u32, tombstones: u32, saturatedPages: u32): void {
    this.put(sessions, tombstones, saturatedPages);
    if (this.value.replace(VALUE, VALUE_SIZE, mark) == StoreResult.Ok) this.show();
  }

  /** Lets the gauges show the present numbers. */
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
    const result = this.value.read(VALUE, VALUE_SIZE);
    if (result == StoreResult.Ok && this.value.length == VALUE_SIZE) {
      this.sessions = load<u32>(VALUE);
      this.tombstones = load<u32>(VALUE, 4);
      this.saturatedPages = load<u32>(VALUE, 8);
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

  /** Stores the numbers that were loaded, with `loaded` as the answer, changed by so much. */
  private change(sessions: i32, tombstones: i32, saturatedPages: i32): StoreResult {
    const nextSessions = changed(this.sessions, sessions);
    const nextTombstones = changed(this.tombstones, tombstones);
    const nextPages = changed(this.saturatedPages, saturatedPages);
    this.put(nextSessions, nextTombstones, nextPages);
    const result = this.value.put(VALUE, VALUE_SIZE);
    if (result != StoreResult.Ok) return result;
    if (nextSessions != this.sessions) this.metrics.record(Metric.SESSIONS, nextSessions);
    if (nextTombstones != this.tombstones) this.metrics.record(Metric.TOMBSTONES, nextTombstones);
    if (nextPages != this.saturatedPages) this.metrics.record(Metric.SATURATED_PAGES, nextPages);
    this.sessions = nextSessions;
    this.tombstones = nextTombstones;
    this.saturatedPages = nextPages;
    return result;
  }

  private put(sessions: u32, tombstones: u32, saturatedPages: u32): void {
    store<u32>(VALUE, sessions);
    store<u32>(VALUE, tombstones, 4);
    store<u32>(VALUE, saturatedPages, 8);
    store<u32>(VALUE, 0, 12);
  }
}

/** Never below zero: a page whose bytes were changed may have held more than was counted. */
function changed(value: u32, by: i32): u32 {
  const next = <i64>value + <i64>by;
  return next < 0 ? 0 : <u32>next;
}

/** Against other machines that change the number at the same moment. */
const MAX_TRIES: i32 = 64;
const VALUE_SIZE: i32 = 16;
const VALUE: usize = memory.data(16, 8);
