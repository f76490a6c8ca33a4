/**
 * An entry of `report.ts`: the state of one filter's steering of one cluster.
 *
 * Layout, 272 bytes, little-endian: the fields, 16 bytes; 127 bytes of the cluster's name, 1 unused; 128 bytes of the
 * argument.
 */
import { SteeringMode } from "./modes";
import { Effect, Fault, SteeringState } from "./steering_state";

/** See the head of this file. */
@unmanaged
export class ReportEntry {
  /** Hash of the filter's name. */
  filter: u32;
  /** Number of the write that has made it. */
  number: u32;
  /** A SteeringMode; 0 for no entry. */
  mode: u8;
  effect: u8;
  fault: u8;
  private nameLength: u8;
  private argumentLength: u8;
  /** Whether the exact cluster was seen to be there. */
  clusterSeen: bool;
  private unused: u16;

  /** Whether it is an entry at all. */
  get exists(): bool {
    return this.mode != 0;
  }

  isOf(filter: u32, cluster: string): bool {
    return this.exists && this.filter == filter && isText(this.name, this.nameLength, cluster);
  }

  /** Whether it has the same state, whatever the cluster's name. */
  hasState(state: SteeringState): bool {
    return (
      this.mode == <u8>state.mode &&
      this.effect == <u8>state.effect &&
      this.fault == <u8>state.fault &&
      isText(this.argument, this.argumentLength, state.argument)
    );
  }

  /** Whether its lengths fit. */
  get isWhole(): bool {
    return <i32>this.nameLength <= NAME_CAPACITY && <i32>this.argumentLength <= ARGUMENT_CAPACITY;
  }

  /** Makes it a filter's entry of a cluster that was not seen yet, by the write of that number. */
  become(filter: u32, state: SteeringState, number: u32): void {
    memory.fill(changetype<usize>(this), 0, REPORT_ENTRY_SIZE);
    this.filter = filter;
    this.nameLength = put(this.name, state.cluster, NAME_CAPACITY);
    this.update(state, number);
  }

  /** Replaces the state; whether the cluster was seen stays. */
  update(state: SteeringState, number: u32): void {
    this.number = number;
    this.mode = <u8>state.mode;
    this.effect = <u8>state.effect;
    this.fault = <u8>state.fault;
    this.argumentLength = put(this.argument, state.argument, ARGUMENT_CAPACITY);
  }

  toState(): SteeringState {
    const state = new SteeringState(String.UTF8.decodeUnsafe(this.name, this.nameLength));
    state.mode = <SteeringMode>this.mode;
    state.effect = <Effect>this.effect;
    state.fault = <Fault>this.fault;
    state.argument = String.UTF8.decodeUnsafe(this.argument, this.argumentLength);
    return state;
  }

  private get name(): usize {
    return changetype<usize>(this) + NAME_OFFSET;
  }

  private get argument(): usize {
    return changetype<usize>(this) + ARGUMENT_OFFSET;
  }
}

/** Writes a text of visible ASCII, cut to `capacity`; returns its length. */
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

export const REPORT_ENTRY_SIZE: usize = 272;
const NAME_CAPACITY: i32 = 127;
const ARGUMENT_CAPACITY: i32 = 128;
const NAME_OFFSET: usize = 16;
const ARGUMENT_OFFSET: usize = 144;
