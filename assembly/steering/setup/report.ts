/**
 * The observers' reports on their steering, for the admin API: one entry for each filter and steering cluster, in one value
 * of the shared store. A filter writes only a change; one that it cannot write in MAX_TRIES is written later. If all places
 * are taken, the oldest entry gives way.
 *
 * Layout, little-endian: u32 writes so far; then ENTRIES entries (`report_entry.ts`).
 */
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { hashId, StoreKey } from "../../shared/store_key";
import { SteeringMode } from "./modes";
import { REPORT_ENTRY_SIZE, ReportEntry } from "./report_entry";
import { Effect, SteeringState } from "./steering_state";

export class SteeringReport {
  private readonly key: StoreKey;

  constructor(
    cacheName: string,
    private readonly sharedStore: SharedStore,
  ) {
    this.key = new StoreKey(cacheName, "steering/report", false);
  }

  free(): void {
    this.key.free();
  }

  /** Replaces all reports of a filter by its first one on a cluster; by none if it does not steer. */
  begin(filter: string, state: SteeringState): void {
    const name = nameOf(filter);
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const exists = this.read();
      const mark = this.sharedStore.mark;
      if (!exists) {
        if (state.mode == SteeringMode.Off) return;
        memory.fill(VALUE, 0, VALUE_SIZE);
      }
      let changed = false;
      for (let i = 0; i < ENTRIES; i++) {
        const entry = entryAt(i);
        if (!entry.exists || entry.filter != name) continue;
        entry.mode = 0;
        changed = true;
      }
      if (state.mode != SteeringMode.Off) {
        fill(freeEntry(), name, state);
        changed = true;
      }
      if (!changed || this.write(exists, mark) != StoreResult.Conflict) return;
    }
  }

  /**
   * Stores the state of a filter's cluster. `insists`: also if another virtual machine has stored another state; without it,
   * only if none has found out anything. False if nothing had to be written.
   */
  put(filter: string, state: SteeringState, insists: bool): bool {
    const name = nameOf(filter);
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const exists = this.read();
      const mark = this.sharedStore.mark;
      if (!exists) memory.fill(VALUE, 0, VALUE_SIZE);
      const found = find(name, state.cluster);
      if (found && (found.hasState(state) || (!insists && found.effect != <u8>Effect.Unknown))) return false;
      fill(found ? found : freeEntry(), name, state);
      if (this.write(exists, mark) != StoreResult.Conflict) return true;
    }
    return true;
  }

  /** Reports whether a virtual machine has seen the filter's exact cluster since the filter was configured. */
  hasSeenCluster(filter: string, cluster: string): bool {
    if (!this.read()) return false;
    const found = find(nameOf(filter), cluster);
    return found != null && found.clusterSeen;
  }

  /** Stores that the filter's exact cluster is there. */
  noteClusterSeen(filter: string, cluster: string): void {
    this.noteCluster(filter, cluster, true);
  }

  /** Stores that the filter's exact cluster is not there, or no longer. */
  noteClusterMissing(filter: string, cluster: string): void {
    this.noteCluster(filter, cluster, false);
  }

  private noteCluster(filter: string, cluster: string, isThere: bool): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.read()) return;
      const mark = this.sharedStore.mark;
      const found = find(nameOf(filter), cluster);
      if (!found || found.clusterSeen == isThere) return;
      found.clusterSeen = isThere;
      if (this.write(true, mark) != StoreResult.Conflict) return;
    }
  }

  /** Returns the states of all filters; empty if none steers. */
  states(): SteeringState[] {
    const states: SteeringState[] = [];
    if (!this.read()) return states;
    for (let i = 0; i < ENTRIES; i++) {
      const entry = entryAt(i);
      if (entry.exists) states.push(entry.toState());
    }
    return states;
  }

  /** Copies the value to VALUE; false if there is none, or it is damaged. */
  private read(): bool {
    const result = this.sharedStore.read(this.key.start, this.key.length, VALUE, VALUE_SIZE);
    if (result != StoreResult.Ok || this.sharedStore.length != VALUE_SIZE) return false;
    for (let i = 0; i < ENTRIES; i++) {
      if (!entryAt(i).isWhole) return false;
    }
    return true;
  }

  private write(exists: bool, mark: u32): StoreResult {
    if (exists) return this.sharedStore.replace(this.key.start, this.key.length, VALUE, VALUE_SIZE, mark);
    const result = this.sharedStore.create(this.key.start, this.key.length, VALUE, VALUE_SIZE);
    if (result != StoreResult.Conflict || this.read()) return result;
    // The stored value is damaged: begin with an empty one.
    memory.fill(VALUE, 0, VALUE_SIZE);
    this.sharedStore.overwrite(this.key.start, this.key.length, VALUE, VALUE_SIZE);
    return result;
  }
}

function nameOf(filter: string): u32 {
  const bytes = String.UTF8.encode(filter);
  return hashId(changetype<usize>(bytes), bytes.byteLength);
}

/** The entry of a filter and a cluster, or null. */
function find(filter: u32, cluster: string): ReportEntry | null {
  for (let i = 0; i < ENTRIES; i++) {
    const entry = entryAt(i);
    if (entry.isOf(filter, cluster)) return entry;
  }
  return null;
}

/** A free place, or else the oldest entry. */
function freeEntry(): ReportEntry {
  let oldest = entryAt(0);
  for (let i = 0; i < ENTRIES; i++) {
    const entry = entryAt(i);
    if (!entry.exists) return entry;
    if (entry.number < oldest.number) oldest = entry;
  }
  return oldest;
}

function fill(entry: ReportEntry, filter: u32, state: SteeringState): void {
  const number = load<u32>(VALUE) + 1;
  store<u32>(VALUE, number);
  if (entry.isOf(filter, state.cluster)) entry.update(state, number);
  else entry.become(filter, state, number);
}

function entryAt(index: i32): ReportEntry {
  return changetype<ReportEntry>(VALUE + HEAD_SIZE + <usize>index * REPORT_ENTRY_SIZE);
}

const ENTRIES: i32 = 8;
const MAX_TRIES: i32 = 8;
const HEAD_SIZE: usize = 4;
const VALUE_SIZE: i32 = <i32>(HEAD_SIZE + <usize>ENTRIES * REPORT_ENTRY_SIZE);
const VALUE: usize = memory.data(VALUE_SIZE, 4);
