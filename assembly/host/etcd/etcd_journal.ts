/**
 * Journal: etcd 3.4 or later, over gRPC. One unary call for reading, one watch, and one unary call for the operation are under way
 * at most. Each call has a deadline, and is retried; no message of the store, however damaged, ends the virtual machine.
 *
 * Its root must hand it `received` and `closed`. Memory: 76 KiB of buffers from the constructor on, at most 8 MiB of messages
 * that wait, and 2 MiB for one answer.
 */
import { Journal, JournalState, Outcome } from "../../ports/journal";
import { GrpcCalls } from "../grpc/grpc_calls";
import { LastingText } from "../lasting_text";
import { EtcdOperation } from "./etcd_operation";
import { EtcdReading } from "./etcd_reading";
import { EtcdStore, REFUSED_TEXT } from "./etcd_store";

export class EtcdJournal extends Journal {
  private readonly store: EtcdStore;
  private readonly reading: EtcdReading;
  private readonly operation: EtcdOperation;

  /**
   * `prefix` without a slash behind it; `presenceKey` is the relative key that only this proxy writes. Changes come once all
   * keys before `lateKey` were read.
   */
  constructor(calls: GrpcCalls, prefix: string, presenceKey: string, lateKey: string) {
    super();
    const store = new EtcdStore(calls, prefix, presenceKey);
    this.store = store;
    this.reading = new EtcdReading(store, new LastingText(lateKey));
    this.operation = new EtcdOperation(store);
  }

  tick(nowNanoseconds: u64): void {
    this.store.now = nowNanoseconds;
    this.operation.tick();
    this.reading.tick();
    this.show();
  }

  next(): bool {
    const inbox = this.reading.inbox;
    const request = this.store.request;
    let found = inbox.next();
    while (found && !request.owns(inbox.record.key, inbox.record.keyLength)) found = inbox.next();
    this.reading.goOn();
    this.show();
    if (!found) return false;
    const record = inbox.record;
    const prefixLength = request.prefixLength;
    this.key = record.key + <usize>prefixLength;
    this.keyLength = record.keyLength - prefixLength;
    this.value = record.value;
    this.valueLength = record.valueLength;
    this.mark = record.modRevision;
    this.isDeleted = inbox.isDeleted;
    this.isReplayed = inbox.isReplayed;
    return true;
  }

  takeResync(): u8 {
    return this.reading.takeResync();
  }

  takeFailure(): bool {
    const failures = this.store.failures;
    if (!failures.take()) return false;
    this.failedCall = failures.takenCall;
    this.failedStatus = failures.takenStatus;
    return true;
  }

  takeOutcome(): Outcome {
    return this.operation.takeOutcome();
  }

  put(key: usize, keyLength: i32, value: usize, valueLength: i32, until: u64): bool {
    return this.operation.put(key, keyLength, value, valueLength, until);
  }

  get(key: usize, keyLength: i32): bool {
    return this.operation.get(key, keyLength);
  }

  swap(key: usize, keyLength: i32, value: usize, valueLength: i32, mark: u64): bool {
    return this.operation.swap(key, keyLength, value, valueLength, mark);
  }

  remove(key: usize, keyLength: i32, mark: u64): bool {
    return this.operation.remove(key, keyLength, mark);
  }

  removeOlder(key: usize, keyLength: i32, mark: u64): bool {
    return this.operation.removeOlder(key, keyLength, mark);
  }

  stop(): void {
    this.reading.stop();
    this.operation.stop();
    this.show();
  }

  /** Ends all calls, and gives all memory back that is not collected; nothing may be called any more. */
  free(): void {
    this.operation.stop();
    this.reading.free();
    this.store.request.free();
    this.store.calls.free();
  }

  /** Of the root: a message has come. */
  received(token: u32, length: i32): void {
    if (!this.operation.received(token, length)) this.reading.received(token, length);
    this.show();
  }

  /** Of the root: a call or a stream has ended. */
  closed(token: u32, status: i32): void {
    const text = this.store.calls.closedText();
    if (!this.operation.closed(token, status, text) && !this.reading.closed(token, status, text)) {
      // A call that the host has not begun ends with a token of its own, and with the reason.
      if (this.store.failures.text == REFUSED_TEXT) this.store.failures.explain(text);
    }
    this.show();
  }

  /** Brings the fields of the port up to date. */
  private show(): void {
    const store = this.store;
    const reading = this.reading;
    this.state = JournalState.Connecting;
    if (store.isReached) {
      if (reading.isFollowing) this.state = JournalState.Following;
      else if (reading.isReplay) this.state = JournalState.Replaying;
    }
    this.clusterId = store.clusterId;
    this.revision = reading.revision;
    this.heardAt = store.heardAt;
    this.failedAt = store.failures.at;
    this.failedCall = store.failures.call;
    this.failedStatus = store.failures.status;
    this.failedText = store.failures.text;
    this.gotValue = this.operation.value;
    this.gotLength = this.operation.valueLength;
    this.gotMark = this.operation.mark;
  }
}
