/**
 * The requests of etcd v3 that this module sends (etcd, api/etcdserverpb/rpc.proto), in one buffer. Keys are relative to the
 * fleet's part of the store; the prefix goes in front of each. A request that does not fit has `isWhole` false.
 */
import { ProtobufWriter } from "../../bytes/protobuf_writer";
import { LastingText } from "../lasting_text";

export class EtcdRequest {
  private readonly out: ProtobufWriter;
  /** With the slash behind it. */
  private readonly prefix: LastingText;
  /** The first key behind all that begin with the prefix: its last byte, a slash, plus one. */
  private readonly behind: LastingText;

  constructor(prefix: string) {
    this.out = new ProtobufWriter(heap.alloc(CAPACITY), CAPACITY);
    this.prefix = new LastingText(prefix + "/");
    this.behind = new LastingText(prefix + "0");
  }

  /** Gives its memory back; it must not be used any more. */
  free(): void {
    heap.free(this.out.start);
  }

  get start(): usize {
    return this.out.start;
  }

  get length(): i32 {
    return this.out.length;
  }

  get isWhole(): bool {
    return !this.out.overflowed;
  }

  get prefixLength(): i32 {
    return this.prefix.length;
  }

  /** Reports whether a whole key is one of the fleet's, and more than the prefix. */
  owns(key: usize, length: i32): bool {
    return length > this.prefix.length && this.prefix.is(key, this.prefix.length);
  }

  /** Range of one key; without its value if nobody wants it. */
  getKey(key: usize, length: i32): void {
    this.out.clear();
    this.key(KEY, key, length);
  }

  getMark(key: usize, length: i32): void {
    this.getKey(key, length);
    this.out.number(RANGE_KEYS_ONLY, 1);
  }

  /** Range of the fleet's keys behind one, at a revision; 0 for the present one. */
  getBehind(key: usize, length: i32, limit: i32, revision: u64): void {
    this.out.clear();
    this.key(KEY, key, length);
    this.out.bytes(RANGE_END, this.behind.start, this.behind.length);
    this.out.number(RANGE_LIMIT, <u64>limit);
    if (revision != 0) this.out.number(RANGE_REVISION, revision);
  }

  /** Range, without values, of keys with a beginning that were changed last at a revision or before. */
  getOlder(key: usize, length: i32, mark: u64, limit: i32): void {
    const out = this.out;
    this.getKey(key, length);
    // Keys are ASCII: the last byte plus one is the first key behind those.
    out.bytesHead(RANGE_END, this.prefix.length + length);
    out.append(this.prefix.start, this.prefix.length);
    out.append(key, length);
    if (!out.overflowed) {
      const last = out.start + <usize>out.length - 1;
      store<u8>(last, load<u8>(last) + 1);
    }
    out.number(RANGE_LIMIT, <u64>limit);
    out.number(RANGE_KEYS_ONLY, 1);
    out.number(RANGE_MAX_MOD_REVISION, mark);
  }

  put(key: usize, length: i32, value: usize, valueLength: i32, lease: u64): void {
    this.out.clear();
    this.putFields(key, length, value, valueLength);
    if (lease != 0) this.out.number(PUT_LEASE, lease);
  }

  /** Txn: puts if the key has a mark. */
  swap(key: usize, length: i32, value: usize, valueLength: i32, mark: u64): void {
    const out = this.out;
    out.clear();
    this.compare(key, length, mark);
    const success = out.begin(TXN_SUCCESS);
    const put = out.begin(OP_PUT);
    this.putFields(key, length, value, valueLength);
    out.end(put);
    out.end(success);
  }

  /** Txn: deletes if the key has a mark. */
  remove(key: usize, length: i32, mark: u64): void {
    const out = this.out;
    out.clear();
    this.compare(key, length, mark);
    const success = out.begin(TXN_SUCCESS);
    const remove = out.begin(OP_DELETE_RANGE);
    this.key(KEY, key, length);
    out.end(remove);
    out.end(success);
  }

  /** Txn that deletes; begins without keys. */
  removeNone(): void {
    this.out.clear();
  }

  /** Adds a whole key to the Txn of `removeNone`; false if it does not fit. */
  removeToo(key: usize, length: i32): bool {
    const out = this.out;
    const before = out.length;
    const success = out.begin(TXN_SUCCESS);
    const remove = out.begin(OP_DELETE_RANGE);
    out.bytes(KEY, key, length);
    out.end(remove);
    out.end(success);
    if (!out.overflowed) return true;
    out.truncate(before);
    return false;
  }

  grantLease(seconds: u64): void {
    this.out.clear();
    this.out.number(LEASE_TTL, seconds);
  }

  /** WatchRequest: all of the fleet's keys from a revision on, large changes in pieces. */
  watch(revision: u64): void {
    const out = this.out;
    out.clear();
    const create = out.begin(WATCH_CREATE);
    out.bytes(KEY, this.prefix.start, this.prefix.length);
    out.bytes(RANGE_END, this.behind.start, this.behind.length);
    out.number(WATCH_START_REVISION, revision);
    out.number(WATCH_PROGRESS_NOTIFY, 1);
    out.number(WATCH_FRAGMENT, 1);
    out.end(create);
  }

  private putFields(key: usize, length: i32, value: usize, valueLength: i32): void {
    this.key(KEY, key, length);
    this.out.bytes(PUT_VALUE, value, valueLength);
  }

  /** A Compare that a key has a revision: its creation's for 0, as a key that is not there has no other. */
  private compare(key: usize, length: i32, mark: u64): void {
    const out = this.out;
    const compare = out.begin(TXN_COMPARE);
    out.number(COMPARE_RESULT, EQUAL);
    out.number(COMPARE_TARGET, mark == 0 ? TARGET_CREATE : TARGET_MOD);
    this.key(COMPARE_KEY, key, length);
    out.number(mark == 0 ? COMPARE_CREATE_REVISION : COMPARE_MOD_REVISION, mark);
    out.end(compare);
  }

  private key(field: u32, key: usize, length: i32): void {
    this.out.bytesHead(field, this.prefix.length + length);
    this.out.append(this.prefix.start, this.prefix.length);
    this.out.append(key, length);
  }
}

/** Of requests: a value of 64 KiB and its key twice. */
const CAPACITY: i32 = 72 * 1024;

/** RangeRequest, PutRequest, DeleteRangeRequest, WatchCreateRequest */
const KEY: u32 = 1;
/** RangeRequest, WatchCreateRequest */
const RANGE_END: u32 = 2;
const RANGE_LIMIT: u32 = 3;
const RANGE_REVISION: u32 = 4;
const RANGE_KEYS_ONLY: u32 = 8;
const RANGE_MAX_MOD_REVISION: u32 = 11;
const PUT_VALUE: u32 = 2;
const PUT_LEASE: u32 = 3;
const TXN_COMPARE: u32 = 1;
const TXN_SUCCESS: u32 = 2;
const OP_PUT: u32 = 2;
const OP_DELETE_RANGE: u32 = 3;
const COMPARE_RESULT: u32 = 1;
const COMPARE_TARGET: u32 = 2;
const COMPARE_KEY: u32 = 3;
const COMPARE_CREATE_REVISION: u32 = 5;
const COMPARE_MOD_REVISION: u32 = 6;
const EQUAL: u64 = 0;
const TARGET_CREATE: u64 = 1;
const TARGET_MOD: u64 = 2;
const LEASE_TTL: u32 = 1;
const WATCH_CREATE: u32 = 1;
const WATCH_START_REVISION: u32 = 3;
const WATCH_PROGRESS_NOTIFY: u32 = 4;
const WATCH_FRAGMENT: u32 = 8;
