/** One decision with a name: of a ticket key, a server name or a setting. A buffer of its own holds its texts. */
import { Decision, keyOf } from "../../session/record/stamp";
import { BatchReader, BatchRecord, RecordType } from "../records/batch";
import { orderOf } from "./shared_settings";

export class NamedDecision {
  /** A `RecordType`. */
  type: u8 = 0;
  /** Of a ticket key or a server name one of `NamedState`, and NamedState.UNSEEN. */
  state: u8 = 0;
  readonly name: usize = heap.alloc(256);
  nameLength: i32 = 0;
  readonly upstream: usize = heap.alloc(256);
  upstreamLength: i32 = 0;
  time: u64 = 0;
  /** Of a revocation its end, 0 for none; of a setting its value. */
  until: u64 = 0;
  stamp: u64 = 0;

  free(): void {
    heap.free(this.name);
    heap.free(this.upstream);
  }

  /** Whether it refuses resumptions. */
  get refuses(): bool {
    return this.type != RecordType.SETTING && (this.state & NamedState.REFUSES) != 0;
  }

  /** Whether it is the trace of a removal or a revocation that was lifted. */
  get isLifted(): bool {
    return this.type != RecordType.SETTING && this.state == NamedState.LIFTED;
  }

  /** The greater one of two holds; of a setting, the later one. */
  get rank(): u64 {
    // Of two decisions of one key, the refusing one.
    const refuses: u64 = this.refuses ? 1 : 0;
    return (keyOf(this.refuses ? Decision.Removal : Decision.Addition, this.stamp) << 1) | refuses;
  }

  /**
   * Of two decisions of one key and of equal rank, the greater one holds. A setting: its value. A revocation: whether it refuses
   * unseen PSKs, then its end.
   */
  get detail(): u64 {
    if (this.type == RecordType.SETTING) return orderOf(<i32>load<u8>(this.name), <u32>this.until);
    if (this.type != RecordType.REVOCATION || !this.refuses) return 0;
    const end: u64 = this.until == 0 ? <u64>u32.MAX_VALUE + 1 : this.until;
    return this.state & NamedState.UNSEEN ? end | REFUSES_UNSEEN : end;
  }

  setTexts(name: usize, nameLength: i32, upstream: usize, upstreamLength: i32): void {
    this.nameLength = min(nameLength, 255);
    memory.copy(this.name, name, this.nameLength);
    this.setUpstream(upstream, upstreamLength);
  }

  setUpstream(upstream: usize, upstreamLength: i32): void {
    this.upstreamLength = upstream == 0 ? 0 : min(upstreamLength, 255);
    memory.copy(this.upstream, upstream, this.upstreamLength);
  }

  setSetting(number: u8, value: u32, stamp: u64, writer: string): void {
    this.type = RecordType.SETTING;
    this.state = 0;
    store<u8>(this.name, number);
    this.nameLength = 1;
    this.upstreamLength = <i32>(
      String.UTF8.encodeUnsafe(changetype<usize>(writer), min(writer.length, 64), this.upstream)
    );
    this.time = 0;
    this.until = value;
    this.stamp = stamp;
  }

  take(other: NamedDecision): void {
    this.type = other.type;
    this.state = other.state;
    this.time = other.time;
    this.until = other.until;
    this.stamp = other.stamp;
    this.setTexts(other.name, other.nameLength, other.upstream, other.upstreamLength);
  }

  read(batch: BatchReader, record: BatchRecord): void {
    this.type = record.type;
    this.state = record.detail;
    this.time = record.time;
    this.until = record.until;
    this.stamp = record.stamp;
    const upstream = batch.name(record.upstream);
    this.setTexts(record.id, record.idLength, upstream, batch.nameLength);
  }
}

const REFUSES_UNSEEN: u64 = 1 << 33;

/** The states of named decisions in the journal: they never change. */
export namespace NamedState {
  /** A ticket key was assigned to an upstream. */
  export const CONFIGURED: u8 = 1;
  /** A removal or a revocation was lifted. */
  export const LIFTED: u8 = 2;
  /** Bit: a ticket key was removed, or a server name revoked. */
  export const REFUSES: u8 = 0x10;
  /** Bit, of a revocation: it refuses PSKs that nobody has seen. */
  export const UNSEEN: u8 = 0x20;
}
