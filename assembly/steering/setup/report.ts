/**
 * What the observers of a cache say of their steering, for the admin API: one entry for each filter and steering cluster, in one value
 * of the shared store. A filter writes only when what it says has changed; what it cannot write in MAX_TRIES is written later.
 * Where all places are taken, the entry that was written first gives way.
 *
 * Layout, little-endian: u32 writes so far; then ENTRIES times: 0 u32 filter (hash of its name), 4 u32 number of the write,
 * 8 u8 mode (0 = no entry), 9 u8 effect, 10 u8 fault, 11 u8 length of the cluster's name, 12 u8 length of the argument, 13 u8 whether the
 * exact cluster was seen, 14 two unused; 16 127 bytes name, 1 unused, 128 bytes argument.
 */
import { hash32 } from "../../bytes/fnv";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";
import { SteeringMode } from "./modes";

/** Whether steering has the effect that it is to have. */
export const enum Effect {
  /** Nothing was steered yet, or not enough to say so. */
  Unknown = 0,
  Yes = 1,
  No = 2,
}

/** Why it has none. */
export const enum Fault {
  None = 0,
  /** tcp_proxy does not read before it has connected. */
  NoEarlyData = 1,
  /** Servers speak first: this is no TLS. */
  ServerFirst = 2,
  /** Connections go to another cluster, the argument, than the one that the configuration names. */
  OtherCluster = 3,
  /** One text does not lead to one host. */
  NoHash = 4,
  /** The host has no cluster of the name of `exact_cluster`, the argument. */
  NoExactCluster = 5,
}

/** What one filter says of one cluster. */
export class SteeringState {
  mode: SteeringMode = SteeringMode.Off;
  effect: Effect = Effect.Unknown;
  fault: Fault = Fault.None;
  /** Of some faults, else "". At most 128 bytes of visible ASCII. */
  argument: string = "";

  constructor(public cluster: string) {}
}

export class SteeringReport {
  private readonly value: StoredValue;

  constructor(cacheName: string, sharedStore: SharedStore) {
    this.value = new StoredValue(cacheName, "steering/report", sharedStore);
  }

  free(): void {
    this.value.free();
  }

  /** A filter begins anew: what it said before goes, and what it says of a cluster is there, unless it steers nothing. */
  begin(filter: string, state: SteeringState): void {
    const name = nameOf(filter);
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.read()) {
        if (state.mode == SteeringMode.Off) return;
        memory.fill(VALUE, 0, VALUE_SIZE);
      }
      let changed = false;
      for (let i = 0; i < ENTRIES; i++) {
        const entry = entryAt(i);
        if (load<u8>(entry, MODE) == 0 || load<u32>(entry) != name) continue;
        store<u8>(entry, 0, MODE);
        changed = true;
      }
      if (state.mode != SteeringMode.Off) {
        fill(freeEntry(), name, state, 0);
        changed = true;
      }
      if (!changed || this.write() != StoreResult.Conflict) return;
    }
  }

  /**
   * Says what a filter has found out of a cluster. `insists`: also where another virtual machine says something else; without, only where
   * nobody knows anything. False where nothing had to be written.
   */
  say(filter: string, state: SteeringState, insists: bool): bool {
    const name = nameOf(filter);
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.read()) memory.fill(VALUE, 0, VALUE_SIZE);
      const found = find(name, state.cluster);
      if (found != 0 && (isSame(found, state) || (!insists && load<u8>(found, EFFECT) != <u8>Effect.Unknown)))
        return false;
      // Whether the cluster was seen stays as it is.
      if (found != 0) fill(found, name, state, load<u8>(found, SEEN));
      else fill(freeEntry(), name, state, 0);
      if (this.write() != StoreResult.Conflict) return true;
    }
    return true;
  }

  /** Whether some virtual machine has seen that the filter's exact cluster is there, since the filter was configured. */
  hasSeenCluster(filter: string, cluster: string): bool {
    if (!this.read()) return false;
    const found = find(nameOf(filter), cluster);
    return found != 0 && load<u8>(found, SEEN) != 0;
  }

  /** Notes whether the filter's exact cluster was seen to be there. */
  noteCluster(filter: string, cluster: string, isThere: bool): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.read()) return;
      const found = find(nameOf(filter), cluster);
      if (found == 0 || (load<u8>(found, SEEN) != 0) == isThere) return;
      store<u8>(found, isThere ? 1 : 0, SEEN);
      if (this.write() != StoreResult.Conflict) return;
    }
  }

  /** What all filters say; empty where none steers. */
  states(): SteeringState[] {
    const states: SteeringState[] = [];
    if (!this.read()) return states;
    for (let i = 0; i < ENTRIES; i++) {
      const entry = entryAt(i);
      if (load<u8>(entry, MODE) == 0) continue;
      const state = new SteeringState(String.UTF8.decodeUnsafe(entry + NAME, load<u8>(entry, NAME_LENGTH)));
      state.mode = <SteeringMode>load<u8>(entry, MODE);
      state.effect = <Effect>load<u8>(entry, EFFECT);
      state.fault = <Fault>load<u8>(entry, FAULT);
      state.argument = String.UTF8.decodeUnsafe(entry + ARGUMENT, load<u8>(entry, ARGUMENT_LENGTH));
      states.push(state);
    }
    return states;
  }

  /** Copies the value to VALUE; false where there is none that is whole. */
  private read(): bool {
    if (!this.value.readWhole(VALUE, VALUE_SIZE)) return false;
    for (let i = 0; i < ENTRIES; i++) {
      const entry = entryAt(i);
      const length = <i32>load<u8>(entry, NAME_LENGTH);
      if (length > MAX_NAME || <i32>load<u8>(entry, ARGUMENT_LENGTH) > MAX_ARGUMENT) return false;
    }
    return true;
  }

  private write(): StoreResult {
    const wasThere = this.value.exists;
    const result = this.value.put(VALUE, VALUE_SIZE);
    if (wasThere || result != StoreResult.Conflict || this.read()) return result;
    // What is there is damaged: it begins anew.
    memory.fill(VALUE, 0, VALUE_SIZE);
    this.value.overwrite(VALUE, VALUE_SIZE);
    return result;
  }
}

function nameOf(filter: string): u32 {
  const bytes = String.UTF8.encode(filter);
  return hash32(changetype<usize>(bytes), bytes.byteLength);
}

/** The entry of a filter and a cluster, 0 where there is none. */
function find(filter: u32, cluster: string): usize {
  for (let i = 0; i < ENTRIES; i++) {
    const entry = entryAt(i);
    if (load<u8>(entry, MODE) == 0 || load<u32>(entry) != filter) continue;
    if (isText(entry + NAME, load<u8>(entry, NAME_LENGTH), cluster)) return entry;
  }
  return 0;
}

/** One that is free, or else the one that was written first. */
function freeEntry(): usize {
  let oldest = entryAt(0);
  for (let i = 0; i < ENTRIES; i++) {
    const entry = entryAt(i);
    if (load<u8>(entry, MODE) == 0) return entry;
    if (load<u32>(entry, NUMBER) < load<u32>(oldest, NUMBER)) oldest = entry;
  }
  return oldest;
}

function fill(entry: usize, filter: u32, state: SteeringState, seen: u8): void {
  const number = load<u32>(VALUE) + 1;
  memory.fill(entry, 0, ENTRY_SIZE);
  store<u32>(VALUE, number);
  store<u32>(entry, filter);
  store<u32>(entry, number, NUMBER);
  store<u8>(entry, <u8>state.mode, MODE);
  store<u8>(entry, <u8>state.effect, EFFECT);
  store<u8>(entry, <u8>state.fault, FAULT);
  store<u8>(entry, put(entry + NAME, state.cluster, MAX_NAME), NAME_LENGTH);
  store<u8>(entry, put(entry + ARGUMENT, state.argument, MAX_ARGUMENT), ARGUMENT_LENGTH);
  store<u8>(entry, seen, SEEN);
}

function isSame(entry: usize, state: SteeringState): bool {
  return (
    load<u8>(entry, MODE) == <u8>state.mode &&
    load<u8>(entry, EFFECT) == <u8>state.effect &&
    load<u8>(entry, FAULT) == <u8>state.fault &&
    isText(entry + ARGUMENT, load<u8>(entry, ARGUMENT_LENGTH), state.argument)
  );
}

/** Writes a text of visible ASCII, cut where it is too long; answers with its length. */
function put(at: usize, text: string, capacity: i32): u8 {
  const length = min(text.length, capacity);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    const isVisible = code > 0x20 && code < 0x7f;
    store<u8>(at + <usize>i, isVisible ? <u8>code : 0x3f);
  }
  return <u8>length;
}

function isText(at: usize, length: i32, text: string): bool {
  if (length != text.length) return false;
  for (let i = 0; i < length; i++) {
    if (<i32>load<u8>(at + <usize>i) != text.charCodeAt(i)) return false;
  }
  return true;
}

function entryAt(index: i32): usize {
  return VALUE + 4 + <usize>index * ENTRY_SIZE;
}

const ENTRIES: i32 = 8;
const MAX_TRIES: i32 = 8;
const MAX_NAME: i32 = 127;
const MAX_ARGUMENT: i32 = 128;
const NUMBER: usize = 4;
const MODE: usize = 8;
const EFFECT: usize = 9;
const FAULT: usize = 10;
const NAME_LENGTH: usize = 11;
const ARGUMENT_LENGTH: usize = 12;
const SEEN: usize = 13;
const NAME: usize = 16;
const ARGUMENT: usize = 144;
const ENTRY_SIZE: usize = 272;
const VALUE_SIZE: i32 = 4 + 8 * 272;
const VALUE: usize = memory.data(2180, 4);
