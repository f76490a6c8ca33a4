/** A journal on a fake host, and the steps that its tests have in common. The etcd that answers has the revision 10. */
import { EtcdJournal } from "../../../assembly/host/etcd/etcd_journal";
import { LastingText } from "../../../assembly/host/lasting_text";
import { EtcdAnswers, FakeCall, FakeGrpc, FakeRecord } from "./fake_grpc";

export const PREFIX = "/fleet/1/default";
export const KEY = new LastingText("d/me/17/a.1");
export const PRESENCE = new LastingText("p/me");
export const VALUE = new LastingText("some bytes");
export const START_NANOSECONDS: u64 = 1_800_000_000_000_000_000;
export const MILLISECOND: u64 = 1_000_000;

export class EtcdSession {
  readonly grpc: FakeGrpc;
  readonly etcd: EtcdAnswers = new EtcdAnswers();
  readonly journal: EtcdJournal;
  now: u64 = START_NANOSECONDS;

  constructor() {
    const grpc = new FakeGrpc();
    this.grpc = grpc;
    this.journal = new EtcdJournal(grpc, PREFIX, "p/me", "s/");
    this.etcd.revision = 10;
  }

  get last(): FakeCall {
    return this.grpc.last;
  }

  tick(milliseconds: u64 = 50): void {
    this.now += milliseconds * MILLISECOND;
    this.journal.tick(this.now);
  }

  /** Answers the call that began last. */
  answer(message: Uint8Array): void {
    this.answerTo(this.grpc.last, message);
  }

  answerTo(call: FakeCall, message: Uint8Array): void {
    this.grpc.message = message;
    if (!call.isStream) call.isOver = true;
    this.journal.received(call.token, message.length);
  }

  fail(status: i32, words: string = ""): void {
    this.failTo(this.grpc.last, status, words);
  }

  failTo(call: FakeCall, status: i32, words: string = ""): void {
    this.grpc.words = words;
    call.isOver = true;
    this.journal.closed(call.token, status);
  }

  /** Has the journal follow an empty store, and returns its watch. */
  follow(): FakeCall {
    this.tick();
    this.answer(this.etcd.range([]));
    this.answer(this.etcd.range([]));
    const watch = this.grpc.last;
    this.answer(this.etcd.created());
    this.journal.takeResync();
    return watch;
  }

  /** After a failure: lets the time of the retry pass, and answers the look at the own key. */
  comeBack(mark: u64 = 0): void {
    this.tick(4000);
    this.answer(this.etcd.range(mark == 0 ? [] : [new FakeRecord(PREFIX + "/p/me", mark)]));
  }

  /** The records that have come, as "key@mark", "!" in front of a deleted and "~" of a replayed one. */
  records(): string {
    const found: string[] = [];
    const journal = this.journal;
    while (journal.next()) {
      const key = String.UTF8.decodeUnsafe(journal.key, journal.keyLength);
      const kind = (journal.isReplayed ? "~" : "") + (journal.isDeleted ? "!" : "");
      found.push(kind + key + "@" + journal.mark.toString());
    }
    return found.join(" ");
  }

  /** The failures that nobody took, as "call:status". */
  failures(): string {
    const found: string[] = [];
    while (this.journal.takeFailure()) {
      found.push(this.journal.failedCall.toString() + ":" + this.journal.failedStatus.toString());
    }
    return found.join(" ");
  }
}

/** A record of the fleet. */
export function record(key: string, mark: u64, valueLength: i32 = 1): FakeRecord {
  return new FakeRecord(PREFIX + "/" + key, mark, valueLength);
}

export function deleted(key: string, mark: u64): FakeRecord {
  const made = record(key, mark);
  made.isDeleted = true;
  return made;
}
