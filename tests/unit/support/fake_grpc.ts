/**
 * gRPC calls that a test sees and answers. The messages of etcd that it answers with are made here from the fields of etcd's
 * rpc.proto.
 */
import { ProtobufReader } from "../../../assembly/bytes/protobuf_reader";
import { ProtobufWriter } from "../../../assembly/bytes/protobuf_writer";
import { GrpcCalls } from "../../../assembly/host/grpc/grpc_calls";
import { LastingText } from "../../../assembly/host/lasting_text";

export class FakeCall {
  isCancelled: bool = false;
  isOver: bool = false;
  /** Of the call, or the last one that was sent on the stream. */
  message: Uint8Array = new Uint8Array(0);
  timeoutMilliseconds: u32 = 0;

  constructor(
    readonly token: u32,
    /** Such as KV.Range. */
    readonly method: string,
    readonly isStream: bool,
  ) {}

  /** A number of the request, or of the message in it that the fields before the last one lead to; 0 if it is not there. */
  number(path: u32[]): u64 {
    const reader = new ProtobufReader();
    return this.find(path, reader) ? reader.number : 0;
  }

  text(path: u32[]): string {
    const reader = new ProtobufReader();
    return this.find(path, reader) ? String.UTF8.decodeUnsafe(reader.bytes, reader.length) : "";
  }

  /** How many fields of a number the request has. */
  count(field: u32): i32 {
    const reader = new ProtobufReader();
    reader.open(this.message.dataStart, this.message.length);
    let count = 0;
    while (reader.next()) if (reader.field == field) count++;
    return count;
  }

  private find(path: u32[], reader: ProtobufReader): bool {
    reader.open(this.message.dataStart, this.message.length);
    for (let i = 0; i < path.length; i++) {
      let found = false;
      while (!found && reader.next()) found = reader.field == path[i];
      if (!found) return false;
      if (i + 1 < path.length) reader.enter(reader);
    }
    return true;
  }
}

export class FakeGrpc extends GrpcCalls {
  readonly calls: FakeCall[] = [];
  /** The host begins nothing while this is set. */
  refuses: bool = false;
  /** Nothing can be sent on a stream while this is set. */
  sendsNothing: bool = false;
  /** Of `receive` and `closedText`. */
  message: Uint8Array = new Uint8Array(0);
  words: string = "";
  private tokens: u32 = 0;

  call(service: LastingText, method: LastingText, message: usize, length: i32, timeoutMilliseconds: u32): u32 {
    if (this.refuses) return 0;
    const made = this.add(service, method, false);
    made.message = copyOf(message, length);
    made.timeoutMilliseconds = timeoutMilliseconds;
    return made.token;
  }

  open(service: LastingText, method: LastingText): u32 {
    return this.refuses ? 0 : this.add(service, method, true).token;
  }

  send(token: u32, message: usize, length: i32): bool {
    if (this.sendsNothing) return false;
    this.calls[token - 1].message = copyOf(message, length);
    return true;
  }

  cancel(token: u32): void {
    this.calls[token - 1].isCancelled = true;
  }

  receive(buffer: usize, length: i32): bool {
    if (length != this.message.length) return false;
    memory.copy(buffer, this.message.dataStart, <usize>length);
    return true;
  }

  closedText(): string {
    return this.words;
  }

  free(): void {}

  get last(): FakeCall {
    return this.calls[this.calls.length - 1];
  }

  private add(service: LastingText, method: LastingText, isStream: bool): FakeCall {
    const name = textOf(service).replace("etcdserverpb.", "") + "." + textOf(method);
    const made = new FakeCall(++this.tokens, name, isStream);
    this.calls.push(made);
    return made;
  }
}

/** Makes answers of one etcd. */
export class EtcdAnswers {
  clusterId: u64 = 0xc0ffee;
  revision: u64 = 1;
  private readonly out: ProtobufWriter = new ProtobufWriter(BUFFER, CAPACITY);

  /** Of Put, and of whatever has a header only. */
  put(): Uint8Array {
    this.begin();
    return this.made();
  }

  /** Of Range: keys, then `field`. */
  range(records: FakeRecord[], more: bool = false): Uint8Array {
    this.begin();
    for (let i = 0; i < records.length; i++) this.keyValue(2, records[i]);
    if (more) this.out.number(3, 1);
    this.out.number(4, records.length);
    return this.made();
  }

  transaction(succeeded: bool): Uint8Array {
    this.begin();
    if (succeeded) this.out.number(2, 1);
    return this.made();
  }

  lease(id: u64): Uint8Array {
    this.begin();
    this.out.number(2, id);
    this.out.number(3, 60);
    return this.made();
  }

  created(): Uint8Array {
    this.begin();
    this.out.number(3, 1);
    return this.made();
  }

  cancelled(compactRevision: u64, reason: string): Uint8Array {
    this.begin();
    this.out.number(4, 1);
    if (compactRevision != 0) this.out.number(5, compactRevision);
    const text = String.UTF8.encode(reason);
    this.out.bytes(6, changetype<usize>(text), text.byteLength);
    return this.made();
  }

  /** Of Watch: changes; none for a sign of life. */
  changes(records: FakeRecord[], isFragment: bool = false): Uint8Array {
    this.begin();
    if (isFragment) this.out.number(7, 1);
    for (let i = 0; i < records.length; i++) {
      const event = this.out.begin(11);
      if (records[i].isDeleted) this.out.number(1, 1);
      this.keyValue(2, records[i]);
      this.out.end(event);
    }
    return this.made();
  }

  private begin(): void {
    this.out.clear();
    const header = this.out.begin(1);
    this.out.number(1, this.clusterId);
    this.out.number(2, 0x1234567890abcdef);
    this.out.number(3, this.revision);
    this.out.number(4, 2);
    this.out.end(header);
  }

  private keyValue(field: u32, record: FakeRecord): void {
    const out = this.out;
    const key = String.UTF8.encode(record.key);
    const mark = out.begin(field);
    out.bytes(1, changetype<usize>(key), key.byteLength);
    out.number(2, record.mark);
    out.number(3, record.mark);
    out.number(4, 1);
    if (!record.isDeleted) {
      out.bytesHead(5, record.valueLength);
      for (let i = 0; i < record.valueLength; i++) out.append(VALUE_BYTE, 1);
    }
    out.number(6, 77);
    out.end(mark);
  }

  private made(): Uint8Array {
    return copyOf(this.out.start, this.out.length);
  }
}

export class FakeRecord {
  isDeleted: bool = false;

  constructor(
    /** As a whole. */
    public key: string,
    public mark: u64,
    /** Of so many letters v. */
    public valueLength: i32 = 1,
  ) {}
}

function copyOf(start: usize, length: i32): Uint8Array {
  const copy = new Uint8Array(length);
  memory.copy(copy.dataStart, start, <usize>length);
  return copy;
}

function textOf(text: LastingText): string {
  return String.UTF8.decodeUnsafe(text.start, text.length);
}

const CAPACITY: i32 = 4 << 20;
const BUFFER: usize = heap.alloc(CAPACITY);
const VALUE_BYTE: usize = heap.alloc(1);
store<u8>(VALUE_BYTE, 0x76);
