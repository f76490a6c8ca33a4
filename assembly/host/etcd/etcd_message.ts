/**
 * The messages of etcd v3 that this module reads (etcd, api/etcdserverpb/rpc.proto and api/mvccpb/kv.proto). Each is read from
 * end to end before any of it is believed; a malformed one is refused. That costs one pass, and allocates nothing.
 */
import { ProtobufReader } from "../../bytes/protobuf_reader";

/** Of a ResponseHeader; 0 for what is not there. */
export class Header {
  clusterId: u64 = 0;
  revision: u64 = 0;
  private readonly fields: ProtobufReader = new ProtobufReader();

  clear(): void {
    this.clusterId = 0;
    this.revision = 0;
  }

  read(outer: ProtobufReader): bool {
    const fields = this.fields;
    if (!outer.isBytes) return false;
    fields.enter(outer);
    while (fields.next()) {
      if (fields.field == 1) this.clusterId = fields.number;
      else if (fields.field == 3) this.revision = fields.number;
    }
    return !fields.failed;
  }
}

/** A KeyValue, in the message that it was read from. */
export class KeyValue {
  key: usize = 0;
  keyLength: i32 = 0;
  value: usize = 0;
  valueLength: i32 = 0;
  modRevision: u64 = 0;
  private readonly fields: ProtobufReader = new ProtobufReader();

  clear(): void {
    this.key = 0;
    this.keyLength = 0;
    this.value = 0;
    this.valueLength = 0;
    this.modRevision = 0;
  }

  read(outer: ProtobufReader): bool {
    this.clear();
    if (!outer.isBytes) return false;
    const fields = this.fields;
    fields.enter(outer);
    while (fields.next()) {
      const field = fields.field;
      if (field <= 6 && fields.isBytes != (field == 1 || field == 5)) return false;
      if (field == 1) {
        this.key = fields.bytes;
        this.keyLength = fields.length;
      } else if (field == 3) {
        this.modRevision = fields.number;
      } else if (field == 5) {
        this.value = fields.bytes;
        this.valueLength = fields.length;
      }
    }
    return !fields.failed && this.keyLength > 0;
  }
}

/** An Event: a KeyValue, and whether it was deleted. */
export class WatchEvent {
  readonly keyValue: KeyValue = new KeyValue();
  isDelete: bool = false;
  private readonly fields: ProtobufReader = new ProtobufReader();

  read(outer: ProtobufReader): bool {
    this.isDelete = false;
    if (!outer.isBytes) return false;
    const fields = this.fields;
    let hasKey = false;
    fields.enter(outer);
    while (fields.next()) {
      if (fields.field == 1) this.isDelete = fields.number == DELETE;
      else if (fields.field != 2) continue;
      else if (!this.keyValue.read(fields)) return false;
      else hasKey = true;
    }
    return !fields.failed && hasKey;
  }
}

/** Answers of one shape, as those of Range, Put, Txn and LeaseGrant are: each of them uses some of the fields. */
export class Answer {
  readonly header: Header = new Header();
  /** Range: how many keys came, the last one of them, and whether the store has more. */
  keys: i32 = 0;
  readonly last: KeyValue = new KeyValue();
  more: bool = false;
  /** Txn: whether its comparisons held. */
  succeeded: bool = false;
  /** LeaseGrant */
  lease: u64 = 0;
  private readonly fields: ProtobufReader = new ProtobufReader();

  readRange(start: usize, length: i32): bool {
    this.keys = 0;
    this.more = false;
    this.last.clear();
    this.open(start, length);
    const fields = this.fields;
    while (fields.next()) {
      if (fields.field == 1 && !this.header.read(fields)) return false;
      if (fields.field == 2) {
        if (!this.last.read(fields)) return false;
        this.keys++;
      }
      if (fields.field == 3) this.more = fields.number != 0;
    }
    return this.isWhole();
  }

  readPut(start: usize, length: i32): bool {
    this.open(start, length);
    const fields = this.fields;
    while (fields.next()) {
      if (fields.field == 1 && !this.header.read(fields)) return false;
    }
    return this.isWhole();
  }

  readTransaction(start: usize, length: i32): bool {
    this.succeeded = false;
    this.open(start, length);
    const fields = this.fields;
    while (fields.next()) {
      if (fields.field == 1 && !this.header.read(fields)) return false;
      if (fields.field == 2) this.succeeded = fields.number != 0;
    }
    return this.isWhole();
  }

  readLease(start: usize, length: i32): bool {
    this.lease = 0;
    this.open(start, length);
    const fields = this.fields;
    while (fields.next()) {
      if (fields.field == 1 && !this.header.read(fields)) return false;
      if (fields.field == 2) this.lease = fields.number;
    }
    return this.isWhole() && this.lease != 0;
  }

  private open(start: usize, length: i32): void {
    this.header.clear();
    this.fields.open(start, length);
  }

  /** etcd sends a header with each answer, and neither of its numbers is 0. */
  private isWhole(): bool {
    return !this.fields.failed && this.header.clusterId != 0 && this.header.revision != 0;
  }
}

/** A WatchResponse. */
export class WatchMessage {
  readonly header: Header = new Header();
  isCreated: bool = false;
  isCancelled: bool = false;
  /** Why it is cancelled: the store has forgotten all changes before this revision. */
  compactRevision: u64 = 0;
  reason: usize = 0;
  reasonLength: i32 = 0;
  /** More changes of the same revision follow in the next message. */
  isFragment: bool = false;
  events: i32 = 0;
  lastRevision: u64 = 0;
  private readonly event: WatchEvent = new WatchEvent();
  private readonly fields: ProtobufReader = new ProtobufReader();

  read(start: usize, length: i32): bool {
    this.clear();
    const fields = this.fields;
    fields.open(start, length);
    while (fields.next()) {
      switch (fields.field) {
        case 1:
          if (!this.header.read(fields)) return false;
          break;
        case 3:
          this.isCreated = fields.number != 0;
          break;
        case 4:
          this.isCancelled = fields.number != 0;
          break;
        case 5:
          this.compactRevision = fields.number;
          break;
        case 6:
          this.reason = fields.bytes;
          this.reasonLength = fields.length;
          break;
        case 7:
          this.isFragment = fields.number != 0;
          break;
        case 11:
          if (!this.event.read(fields)) return false;
          this.events++;
          this.lastRevision = this.event.keyValue.modRevision;
          break;
        default:
          break;
      }
    }
    return !fields.failed && this.header.clusterId != 0;
  }

  private clear(): void {
    this.header.clear();
    this.isCreated = false;
    this.isCancelled = false;
    this.compactRevision = 0;
    this.reason = 0;
    this.reasonLength = 0;
    this.isFragment = false;
    this.events = 0;
    this.lastRevision = 0;
  }
}

/** Of an Event. */
const DELETE: u64 = 1;
