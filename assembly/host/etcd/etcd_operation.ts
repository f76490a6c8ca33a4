/**
 * The one operation that is under way: one call or several in turn, such as a lease before a Put. Its request is written again from
 * the caller's key and value for each call. It ends as `outcome` says; after a failure the next one has to wait (`Retry`).
 */
import { NANOSECONDS_PER_SECOND } from "../../ports/clock";
import { ProtobufReader } from "../../bytes/protobuf_reader";
import { JournalCall, Outcome } from "../../ports/journal";
import { GrpcStatus } from "../grpc/grpc_calls";
import { Answer, KeyValue } from "./etcd_message";
import { CALL_NANOSECONDS, EtcdStore, REFUSED_TEXT } from "./etcd_store";
import { isSignOfLife, leaseSeconds } from "./leases";
import { hasPassed, Retry } from "./retry";

const enum Kind {
  Put = 0,
  Get = 1,
  Swap = 2,
  Remove = 3,
  RemoveOlder = 4,
}

export class EtcdOperation {
  outcome: Outcome = Outcome.None;
  /** Of a Get, in the answer, which stays until the next operation. Of a Put or a swap, the mark that it gave. */
  value: usize = 0;
  valueLength: i32 = 0;
  mark: u64 = 0;

  private kind: Kind = Kind.Put;
  private key: usize = 0;
  private keyLength: i32 = 0;
  private givenValue: usize = 0;
  private givenLength: i32 = 0;
  private until: u64 = 0;
  private givenMark: u64 = 0;
  /** The call that is under way. */
  private call: u8 = 0;
  private token: u32 = 0;
  private since: u64 = 0;
  private floor: u64 = 0;
  /** The lease of this Put was granted for it. */
  private isLeaseNew: bool = false;
  private lease: u64 = 0;
  private rounds: i32 = 0;
  private readonly retry: Retry = new Retry();
  private readonly answer: Answer = new Answer();
  private readonly keyValue: KeyValue = new KeyValue();
  private readonly fields: ProtobufReader = new ProtobufReader();
  /** Of the last answer. */
  private bytes: usize = 0;
  private length: i32 = 0;

  constructor(private readonly store: EtcdStore) {}

  put(key: usize, keyLength: i32, value: usize, valueLength: i32, until: u64): bool {
    if (!this.begins(Kind.Put, key, keyLength)) return false;
    this.givenValue = value;
    this.givenLength = valueLength;
    this.until = until;
    this.isLeaseNew = false;
    this.lease = until == 0 ? 0 : this.store.leases.find(until);
    if (this.isPresence) this.store.presence.writes();
    if (until != 0 && this.lease == 0) this.askLease();
    else this.sendPut();
    return true;
  }

  get(key: usize, keyLength: i32): bool {
    if (!this.begins(Kind.Get, key, keyLength)) return false;
    this.store.request.getKey(key, keyLength);
    this.send(JournalCall.RANGE);
    return true;
  }

  swap(key: usize, keyLength: i32, value: usize, valueLength: i32, mark: u64): bool {
    if (!this.begins(Kind.Swap, key, keyLength)) return false;
    this.store.request.swap(key, keyLength, value, valueLength, mark);
    this.send(JournalCall.TXN);
    return true;
  }

  remove(key: usize, keyLength: i32, mark: u64): bool {
    if (!this.begins(Kind.Remove, key, keyLength)) return false;
    this.store.request.remove(key, keyLength, mark);
    this.send(JournalCall.TXN);
    return true;
  }

  removeOlder(key: usize, keyLength: i32, mark: u64): bool {
    if (!this.begins(Kind.RemoveOlder, key, keyLength)) return false;
    this.givenMark = mark;
    this.rounds = 0;
    this.askOlder();
    return true;
  }

  takeOutcome(): Outcome {
    const taken = this.outcome;
    if (taken != Outcome.UnderWay) this.outcome = Outcome.None;
    return taken;
  }

  tick(): void {
    if (this.token == 0 || !hasPassed(this.since, CALL_NANOSECONDS, this.store.now)) return;
    this.store.calls.cancel(this.token);
    this.fail(GrpcStatus.DEADLINE_EXCEEDED, "no answer in time");
  }

  /** Takes an answer; false if it is of another call. */
  received(token: u32, length: i32): bool {
    if (token != this.token || token == 0) return false;
    this.token = 0;
    this.store.hear();
    if (!this.receive(length)) return true;
    switch (this.call) {
      case JournalCall.LEASE:
        this.takeLease();
        break;
      case JournalCall.PUT:
        this.takePut();
        break;
      case JournalCall.RANGE:
        if (this.kind == Kind.Get) this.takeKey();
        else this.takeOlder();
        break;
      default:
        this.takeTransaction();
        break;
    }
    return true;
  }

  /** Takes the failure of a call; false if it is of another one. */
  closed(token: u32, status: i32, text: string): bool {
    if (token != this.token || token == 0) return false;
    this.token = 0;
    if (this.call == JournalCall.PUT && status == GrpcStatus.NOT_FOUND && this.lease != 0) {
      this.store.leases.forget(this.until);
      if (!this.isLeaseNew) {
        this.askLease();
        return true;
      }
    }
    this.fail(status, text);
    return true;
  }

  stop(): void {
    if (this.token != 0) this.store.calls.cancel(this.token);
    this.token = 0;
    if (this.outcome == Outcome.UnderWay) this.outcome = Outcome.Failed;
    this.dropAnswer();
  }

  private get isPresence(): bool {
    return this.store.presence.is(this.key, this.keyLength);
  }

  private begins(kind: Kind, key: usize, keyLength: i32): bool {
    const store = this.store;
    if (this.outcome == Outcome.UnderWay || !store.isReached || !this.retry.isDue(store.now)) return false;
    this.outcome = Outcome.UnderWay;
    this.kind = kind;
    this.key = key;
    this.keyLength = keyLength;
    this.value = 0;
    this.valueLength = 0;
    this.mark = 0;
    return true;
  }

  private askLease(): void {
    this.isLeaseNew = true;
    this.store.request.grantLease(leaseSeconds(this.until, this.nowSeconds));
    this.send(JournalCall.LEASE);
  }

  private takeLease(): void {
    const store = this.store;
    // The member that grants it may be behind the others, so its revision says nothing.
    if (!this.answer.readLease(this.bytes, this.length)) return this.misread();
    this.lease = this.answer.lease;
    if (!isSignOfLife(this.until, this.nowSeconds)) store.leases.remember(this.until, this.lease);
    this.sendPut();
  }

  private sendPut(): void {
    this.store.request.put(this.key, this.keyLength, this.givenValue, this.givenLength, this.lease);
    this.send(JournalCall.PUT);
  }

  private takePut(): void {
    if (!this.answer.readPut(this.bytes, this.length)) return this.misread();
    const revision = this.answer.header.revision;
    this.store.take(this.answer.header, this.floor);
    if (this.isPresence) this.store.presence.written(revision);
    this.succeed(revision);
  }

  private takeKey(): void {
    if (!this.answer.readRange(this.bytes, this.length)) return this.misread();
    this.store.take(this.answer.header, this.floor);
    const found = this.answer.last;
    this.value = found.value;
    this.valueLength = found.valueLength;
    this.succeed(found.modRevision);
  }

  private takeTransaction(): void {
    if (!this.answer.readTransaction(this.bytes, this.length)) return this.misread();
    this.store.take(this.answer.header, this.floor);
    if (this.kind == Kind.RemoveOlder) return this.askOlder();
    if (this.answer.succeeded) return this.succeed(this.answer.header.revision);
    this.retry.succeeded();
    this.outcome = Outcome.Conflict;
  }

  private askOlder(): void {
    if (this.rounds++ == MAX_ROUNDS) return this.fail(GrpcStatus.RESOURCE_EXHAUSTED, "too many keys to remove at once");
    this.store.request.getOlder(this.key, this.keyLength, this.givenMark, KEYS_A_ROUND);
    this.send(JournalCall.RANGE);
  }

  private takeOlder(): void {
    const answer = this.answer;
    if (!answer.readRange(this.bytes, this.length)) return this.misread();
    this.store.take(answer.header, this.floor);
    if (answer.keys == 0) return this.succeed(0);
    const request = this.store.request;
    const fields = this.fields;
    let keys = 0;
    request.removeNone();
    fields.open(this.bytes, this.length);
    while (fields.next() && keys < KEYS_A_ROUND) {
      if (fields.field != RANGE_KEY_VALUES || !this.keyValue.read(fields)) continue;
      const key = this.keyValue.key;
      const keyLength = this.keyValue.keyLength;
      // A store that answers with other keys than it was asked for must not have them deleted.
      if (!request.owns(key, keyLength) || !request.removeToo(key, keyLength)) break;
      keys++;
    }
    if (keys == 0) return this.misread();
    this.send(JournalCall.DELETE);
  }

  private get nowSeconds(): u64 {
    return this.store.now / NANOSECONDS_PER_SECOND;
  }

  private send(call: u8): void {
    const store = this.store;
    this.call = call;
    if (!store.request.isWhole) return this.fail(GrpcStatus.INVALID_ARGUMENT, "a key and a value that are too long");
    this.floor = store.revision;
    this.since = store.now;
    this.token = store.begin(call);
    if (this.token == 0) this.fail(GrpcStatus.UNAVAILABLE, REFUSED_TEXT);
  }

  private receive(length: i32): bool {
    this.dropAnswer();
    if (length >= 0 && length <= MAX_ANSWER_LENGTH) {
      this.bytes = heap.alloc(<usize>length);
      this.length = length;
      if (this.store.calls.receive(this.bytes, length)) return true;
    }
    this.fail(GrpcStatus.RESOURCE_EXHAUSTED, "an answer of " + length.toString() + " bytes");
    return false;
  }

  private dropAnswer(): void {
    if (this.bytes != 0) heap.free(this.bytes);
    this.bytes = 0;
  }

  private succeed(mark: u64): void {
    this.mark = mark;
    this.retry.succeeded();
    this.outcome = Outcome.Done;
  }

  private misread(): void {
    this.fail(GrpcStatus.INTERNAL, "an answer that is not one of etcd");
  }

  private fail(status: i32, text: string): void {
    this.token = 0;
    this.store.failures.add(this.store.now, this.call, status, text);
    this.retry.failed(this.store.now, status);
    this.outcome = Outcome.Failed;
  }
}

/** A Txn of etcd has at most 128 operations. */
const KEYS_A_ROUND: i32 = 100;
const MAX_ROUNDS: i32 = 1000;
/** Of one value, which etcd keeps below 1.5 MiB, with its key. */
const MAX_ANSWER_LENGTH: i32 = 2 << 20;
const RANGE_KEY_VALUES: u32 = 2;
