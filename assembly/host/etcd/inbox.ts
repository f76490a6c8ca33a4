/**
 * Messages of the store that the domain has not read yet, as they came, and the record that it reads. All together have at most
 * CAPACITY bytes. Each message has memory of its own, outside of collected memory, which is given back once it was read.
 */
import { ProtobufReader } from "../../bytes/protobuf_reader";
import { KeyValue, WatchEvent } from "./etcd_message";

export class Inbox {
  /** Of the record that `next` moved to: in a message, which stays until the next call of `next`. */
  readonly record: KeyValue;
  isDeleted: bool = false;
  isReplayed: bool = false;

  private readonly event: WatchEvent;
  private readonly fields: ProtobufReader = new ProtobufReader();
  /** The message that is read, 0 for none; then those that wait, from the first to the last. */
  private current: usize = 0;
  private first: usize = 0;
  private last: usize = 0;
  private size: i32 = 0;
  private replays: i32 = 0;

  constructor() {
    const event = new WatchEvent();
    this.event = event;
    this.record = event.keyValue;
  }

  /** No message waits; one may be read still. */
  get isIdle(): bool {
    return this.first == 0;
  }

  /** Whether messages of a replay were not read to their end. */
  get hasReplay(): bool {
    return this.replays > 0;
  }

  /** Returns memory for a message, or 0 if it has no room here. `keep` or `drop` must follow. */
  allocate(length: i32): usize {
    if (length < 0 || length > CAPACITY - this.size) return 0;
    return heap.alloc(OVERHEAD + <usize>length) + OVERHEAD;
  }

  /** Adds a message, a RangeResponse of a replay or a WatchResponse. */
  keep(bytes: usize, length: i32, isReplay: bool): void {
    const message = changetype<Message>(bytes - OVERHEAD);
    message.next = 0;
    message.length = length;
    message.isReplay = isReplay ? 1 : 0;
    if (this.first == 0) this.first = changetype<usize>(message);
    else changetype<Message>(this.last).next = changetype<usize>(message);
    this.last = changetype<usize>(message);
    this.size += length;
    if (isReplay) this.replays++;
  }

  /** Gives memory of `allocate` back. */
  drop(bytes: usize): void {
    heap.free(bytes - OVERHEAD);
  }

  /** Moves to the next record; false if there is none. */
  next(): bool {
    while (true) {
      if (this.current == 0 && !this.openFirst()) return false;
      if (this.readRecord()) return true;
      this.closeCurrent();
    }
  }

  /** Forgets all messages. The record stays where it is until the next call of `next`. */
  clear(): void {
    while (this.first != 0) {
      const message = changetype<Message>(this.first);
      this.first = message.next;
      this.release(message);
    }
    this.last = 0;
    this.fields.open(0, 0);
    if (this.current != 0 && changetype<Message>(this.current).isReplay != 0) this.endReplay();
  }

  /** Gives all memory back, that of the record too. */
  free(): void {
    this.clear();
    if (this.current != 0) this.closeCurrent();
  }

  private openFirst(): bool {
    if (this.first == 0) return false;
    const message = changetype<Message>(this.first);
    this.current = this.first;
    this.first = message.next;
    if (this.first == 0) this.last = 0;
    this.isReplayed = message.isReplay != 0;
    this.fields.open(this.current + OVERHEAD, message.length);
    return true;
  }

  private readRecord(): bool {
    const fields = this.fields;
    while (fields.next()) {
      if (this.isReplayed) {
        if (fields.field != RANGE_KEY_VALUES || !this.record.read(fields)) continue;
        this.isDeleted = false;
        return true;
      }
      if (fields.field != WATCH_EVENTS || !this.event.read(fields)) continue;
      this.isDeleted = this.event.isDelete;
      return true;
    }
    return false;
  }

  private closeCurrent(): void {
    const message = changetype<Message>(this.current);
    this.current = 0;
    this.release(message);
  }

  private release(message: Message): void {
    this.size -= message.length;
    if (message.isReplay != 0) this.replays--;
    heap.free(changetype<usize>(message));
  }

  /** A message that is forgotten while it is read counts no longer. */
  private endReplay(): void {
    changetype<Message>(this.current).isReplay = 0;
    this.replays--;
  }
}

/** In front of its bytes. */
@unmanaged
class Message {
  next: usize;
  length: i32;
  isReplay: u32;
}

/** Of a Message, up to the next alignment. */
const OVERHEAD: usize = 16;
const CAPACITY: i32 = 8 << 20;
const RANGE_KEY_VALUES: u32 = 2;
const WATCH_EVENTS: u32 = 11;
