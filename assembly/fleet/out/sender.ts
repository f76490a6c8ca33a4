/**
 * One stream of batches on its way out: records gather in one buffer while the batch before it is stored from another. A
 * batch that was not stored is written again under the same key, so a write whose answer was lost is harmless.
 */
import { Journal } from "../../ports/journal";
import { Metrics } from "../../ports/metrics";
import { BatchWriter, MAX_BATCH_SIZE, MAX_RECORD_SIZE } from "../records/batch";
import { Keys } from "../records/keys";
import { FleetMetric, TOLD_KINDS } from "../state/metrics";

export class Sender {
  readonly batch: BatchWriter;
  /** Batches that are stored, and their records. */
  batches: u64 = 0;
  stored: u64 = 0;
  /** The last event whose record is stored, or was none of this stream. */
  storedUpTo: u64 = 0;
  /** When the oldest record came that is not stored yet: nanoseconds since 1970, 0 if there is none. */
  oldest: u64 = 0;
  /** Records by `ToldKind`: of the batch that is gathered, and of the one under way. */
  private readonly gathered: StaticArray<u32> = new StaticArray<u32>(TOLD_KINDS);
  private readonly underWay: StaticArray<u32> = new StaticArray<u32>(TOLD_KINDS);
  private readonly value: usize = heap.alloc(MAX_BATCH_SIZE);
  private readonly key: Keys;
  /** Bytes of the batch under way, 0 if there is none. */
  private length: i32 = 0;
  private count: u32 = 0;
  private until: u64 = 0;
  private closedUpTo: u64 = 0;
  private closedAt: u64 = 0;
  private sequence: u32 = 0;
  private openedAt: u64 = 0;

  /** `kind`: the first letter of the keys. A bucket ends at a multiple of `bucketSeconds`. */
  constructor(
    private readonly kind: u8,
    private readonly bucketSeconds: u64,
    private readonly intervalNanoseconds: u64,
    private readonly run: u64,
    name: string,
    term: u32,
  ) {
    this.batch = new BatchWriter(kind, MAX_BATCH_SIZE);
    this.key = new Keys(name, run, term);
  }

  free(): void {
    this.batch.free();
    this.key.free();
    heap.free(this.value);
  }

  /** Whether one more record fits. */
  get hasRoom(): bool {
    return this.batch.hasRoom(MAX_RECORD_SIZE);
  }

  /** Whether all records of a page fit. */
  get hasRoomForPage(): bool {
    return this.batch.hasRoom(ROOM_FOR_PAGE);
  }

  get isEmpty(): bool {
    return this.length == 0 && this.batch.count == 0;
  }

  /** Records that are not stored yet. */
  get pending(): u32 {
    return this.count + this.batch.count;
  }

  /** Notes that a record of a `ToldKind` was appended to the batch, at a time. */
  noteGathered(kind: i32, nowNanoseconds: u64): void {
    this.gathered[kind]++;
    if (this.openedAt != 0) return;
    this.openedAt = nowNanoseconds;
    if (this.oldest == 0) this.oldest = nowNanoseconds;
  }

  /** Notes that all events up to one were looked at; its batch is closed if that is due, or if it is full. */
  close(nowNanoseconds: u64, readUpTo: u64): void {
    if (this.length > 0) return;
    if (this.batch.count == 0) {
      this.storedUpTo = readUpTo;
      return;
    }
    const isDue = nowNanoseconds - this.closedAt >= this.intervalNanoseconds;
    if (!isDue && this.hasRoomForPage) return;
    this.closedAt = nowNanoseconds;
    this.closedUpTo = readUpTo;
    this.count = this.batch.count;
    this.until = this.batch.until;
    this.length = this.batch.finish(this.run, this.value);
    this.batch.clear();
    for (let kind = 0; kind < TOLD_KINDS; kind++) {
      this.underWay[kind] = this.gathered[kind];
      this.gathered[kind] = 0;
    }
    this.openedAt = 0;
    this.key.batch(this.kind, roundUp(this.until, this.bucketSeconds), ++this.sequence);
  }

  /** Begins to store the batch that waits for it; false if there is none, or the journal is not ready. */
  send(journal: Journal): bool {
    if (this.length == 0) return false;
    return journal.put(
      this.key.start,
      this.key.length,
      this.value,
      this.length,
      roundUp(this.until, this.bucketSeconds),
    );
  }

  /** The batch under way was stored. */
  noteStored(metrics: Metrics): void {
    for (let kind = 0; kind < TOLD_KINDS; kind++) {
      if (this.underWay[kind] > 0) metrics.increase(FleetMetric.TOLD + kind, this.underWay[kind]);
    }
    this.batches++;
    this.stored += this.count;
    this.storedUpTo = this.closedUpTo;
    this.length = 0;
    this.count = 0;
    this.oldest = this.openedAt;
  }
}

function roundUp(seconds: u64, step: u64): u64 {
  return ((seconds + step - 1) / step) * step;
}

/** More than the records of a page of 4095 bytes take, names included. */
const ROOM_FOR_PAGE: i32 = 16_384;
