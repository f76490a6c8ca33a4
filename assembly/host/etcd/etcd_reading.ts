/**
 * What comes from the store. After a start and after each failure, a look at the key that only this proxy writes shows whether the
 * store is the one that was read before. Then follow all keys, if they were not read yet, and one watch.
 *
 *   Waiting -> Checking -> Ranging, Paused, ... -> Read
 *   Closed ------------------------> Opening -> Open
 *
 * All keys are read at one revision, one answer at a time, the next one when the domain reads the one before. The watch opens
 * from the next revision on, as soon as only late keys are missing: so changes come while those are read. A failure of
 * either begins again with Checking, and goes on behind the last key and the last change that came. Whatever makes that
 * impossible is a `Resync`, and all keys are read from the first one.
 */
import { JournalCall, Resync } from "../../ports/journal";
import { GrpcStatus } from "../grpc/grpc_calls";
import { LastingText } from "../lasting_text";
import { Answer, WatchMessage } from "./etcd_message";
import { CALL_NANOSECONDS, EtcdStore, REFUSED_TEXT } from "./etcd_store";
import { Inbox } from "./inbox";
import { hasPassed, Retry } from "./retry";

const enum Step {
  Waiting = 0,
  Checking = 1,
  Ranging = 2,
  /** All keys are not read yet; the next call waits for the domain. */
  Paused = 3,
  Read = 4,
}

const enum Watch {
  Closed = 0,
  Opening = 1,
  Open = 2,
}

export class EtcdReading {
  readonly inbox: Inbox = new Inbox();
  /** All changes up to this one have come, but for late keys that are missing; 0 until only those are. */
  revision: u64 = 0;

  private step: Step = Step.Waiting;
  private token: u32 = 0;
  private since: u64 = 0;
  private watch: Watch = Watch.Closed;
  private watchToken: u32 = 0;
  private watchSince: u64 = 0;
  private floor: u64 = 0;
  private readonly retry: Retry = new Retry();
  /** The reason of the replay that began last, until it is taken. */
  private resync: u8 = Resync.NONE;
  /** Keys are missing. */
  private isReplaying: bool = true;
  /** A watch has begun since the replay. */
  private isSettled: bool = false;
  /** The keys to be read begin with this one, at this revision; 0 for the present one. */
  private readonly rangeKey: usize = heap.alloc(KEY_CAPACITY);
  private rangeKeyLength: i32 = 0;
  private rangeRevision: u64 = 0;
  private limit: i32 = FIRST_LIMIT;
  private readonly answer: Answer = new Answer();
  private readonly message: WatchMessage = new WatchMessage();

  /** `lateKey`, relative: keys from this one on are late. */
  constructor(
    private readonly store: EtcdStore,
    private readonly lateKey: LastingText,
  ) {}

  get isFollowing(): bool {
    return this.step == Step.Read && this.watch == Watch.Open && !this.inbox.hasReplay;
  }

  get isReplay(): bool {
    return !this.isSettled || this.inbox.hasReplay;
  }

  takeResync(): u8 {
    const taken = this.resync;
    this.resync = Resync.NONE;
    return taken;
  }

  tick(): void {
    if (this.store.isLost) this.begin(Resync.LOST);
    const now = this.store.now;
    if (this.token != 0 && hasPassed(this.since, CALL_NANOSECONDS, now)) {
      this.fail(JournalCall.RANGE, GrpcStatus.DEADLINE_EXCEEDED, "no answer in time");
    }
    // The host ends a call in time; a watch has no time but this.
    if (this.watch == Watch.Opening && hasPassed(this.watchSince, CREATED_NANOSECONDS, now)) {
      this.fail(JournalCall.WATCH, GrpcStatus.DEADLINE_EXCEEDED, "the watch was not created in time");
    }
    if (this.step == Step.Waiting && this.retry.isDue(now)) this.check();
    this.goOn();
  }

  /** The domain has read on: there may be room for more. */
  goOn(): void {
    if (this.step == Step.Paused && this.inbox.isIdle) this.askKeys();
  }

  /** Takes a message; false if it is of another call. */
  received(token: u32, length: i32): bool {
    if (token == 0 || (token != this.token && token != this.watchToken)) return false;
    this.store.hear();
    if (token == this.watchToken) {
      this.takeChanges(length);
      return true;
    }
    this.token = 0;
    if (this.step == Step.Checking) this.takeCheck(length);
    else this.takeKeys(length);
    return true;
  }

  /** Takes the end of a call or of the watch; false if it is of another one. */
  closed(token: u32, status: i32, text: string): bool {
    if (token == 0 || (token != this.token && token != this.watchToken)) return false;
    if (token == this.watchToken) {
      this.fail(JournalCall.WATCH, status, text);
      return true;
    }
    const isCompacted = this.step == Step.Ranging && status == GrpcStatus.OUT_OF_RANGE && this.rangeRevision != 0;
    // An answer that takes too long may be too long.
    if (this.step == Step.Ranging) this.limit = max(this.limit >> 2, 1);
    // A call is over. A stream stays with the host until it is cancelled.
    this.token = 0;
    this.fail(JournalCall.RANGE, status, text);
    if (isCompacted) this.begin(Resync.COMPACTED);
    return true;
  }

  /** Ends whatever is under way, and forgets what waits. */
  stop(): void {
    this.cancel();
    this.step = Step.Waiting;
    this.store.isReached = false;
    this.inbox.free();
  }

  /** Gives all memory back; nothing may be called any more. */
  free(): void {
    this.stop();
    heap.free(this.rangeKey);
  }

  /** Reads all keys again. */
  private begin(reason: u8): void {
    this.cancel();
    this.inbox.clear();
    this.store.isLost = false;
    // Whoever has told something to the store must learn that it may be forgotten, whatever follows.
    if (this.resync != Resync.LOST) this.resync = reason;
    this.isReplaying = true;
    this.isSettled = false;
    // Revisions of a store that has forgotten some mean nothing now, and whatever waited was not read.
    this.revision = 0;
    this.rangeKeyLength = 0;
    this.rangeRevision = 0;
    this.step = Step.Waiting;
  }

  private check(): void {
    const key = this.store.presence.key;
    this.store.request.getMark(key.start, key.length);
    this.ask(Step.Checking);
  }

  private takeCheck(length: i32): void {
    const bytes = this.receive(length);
    if (bytes == 0) return;
    const isRead = this.answer.readRange(bytes, length);
    const mark = this.answer.keys > 0 ? this.answer.last.modRevision : 0;
    this.inbox.drop(bytes);
    if (!isRead) return this.misread(JournalCall.RANGE);
    const store = this.store;
    const header = this.answer.header;
    if (store.clusterId == 0) this.begin(Resync.START);
    store.take(header, this.floor);
    if (!store.isLost && !store.presence.allows(mark)) store.lose(header);
    if (store.isLost) this.begin(Resync.LOST);
    store.isReached = true;
    if (!this.isReplaying) this.step = Step.Read;
    else if (!this.askKeys()) return;
    if (!this.isReplaying || this.revision != 0) this.openWatch();
  }

  private askKeys(): bool {
    this.store.request.getBehind(this.rangeKey, this.rangeKeyLength, this.limit, this.rangeRevision);
    return this.ask(Step.Ranging);
  }

  private takeKeys(length: i32): void {
    const bytes = this.receive(length);
    if (bytes == 0) return;
    const answer = this.answer;
    if (!answer.readRange(bytes, length)) {
      this.inbox.drop(bytes);
      return this.misread(JournalCall.RANGE);
    }
    const store = this.store;
    store.take(answer.header, this.floor);
    if (store.isLost) {
      this.inbox.drop(bytes);
      this.begin(Resync.LOST);
      this.askKeys();
      return;
    }
    if (this.rangeRevision == 0) this.rangeRevision = answer.header.revision;
    const hasMore = answer.keys > 0 && this.rangeBehind(answer.last.key, answer.last.keyLength) && answer.more;
    if (answer.keys > 0) {
      this.adapt(length / answer.keys);
      this.inbox.keep(bytes, length, true);
    } else {
      this.inbox.drop(bytes);
    }
    this.retry.succeeded();
    this.step = hasMore ? Step.Paused : Step.Read;
    this.isReplaying = hasMore;
    if (this.watch == Watch.Closed && (!hasMore || this.isLate)) {
      this.revision = this.rangeRevision;
      this.openWatch();
    }
    this.noteSettled();
    this.goOn();
  }

  /** Whether the next key is a late one. */
  private get isLate(): bool {
    const late = this.lateKey;
    const difference = memory.compare(this.rangeKey, late.start, min(this.rangeKeyLength, late.length));
    return difference > 0 || (difference == 0 && this.rangeKeyLength >= late.length);
  }

  private noteSettled(): void {
    if (this.step == Step.Read && this.watch == Watch.Open) this.isSettled = true;
  }

  /**
   * The next keys are those behind this one; false if there can be none. Behind a very long key, all that begin like it are
   * passed over.
   */
  private rangeBehind(key: usize, length: i32): bool {
    const own = length - this.store.request.prefixLength;
    if (own < 0) return false;
    const kept = min(own, KEY_CAPACITY - 1);
    const start = this.rangeKey;
    memory.copy(start, key + <usize>(length - own), <usize>kept);
    if (kept == own) {
      store<u8>(start + <usize>kept, 0);
      this.rangeKeyLength = kept + 1;
      return true;
    }
    for (let last = kept - 1; last >= 0; last--) {
      const byte = load<u8>(start + <usize>last);
      if (byte == 0xff) continue;
      store<u8>(start + <usize>last, byte + 1);
      this.rangeKeyLength = last + 1;
      return true;
    }
    return false;
  }

  /** Asks for about ANSWER_SIZE bytes next time. */
  private adapt(keySize: i32): void {
    const wanted = ANSWER_SIZE / max(keySize, 1);
    this.limit = max(1, min(wanted, min(this.limit * 4, MAX_LIMIT)));
  }

  private openWatch(): void {
    this.store.request.watch(this.revision + 1);
    this.watchSince = this.store.now;
    this.watch = Watch.Opening;
    this.watchToken = this.store.beginWatch();
    if (this.watchToken == 0) this.fail(JournalCall.WATCH, GrpcStatus.UNAVAILABLE, REFUSED_TEXT);
  }

  private takeChanges(length: i32): void {
    const store = this.store;
    const bytes = this.inbox.allocate(length);
    if (bytes == 0) {
      this.begin(Resync.INBOX);
      return;
    }
    const message = this.message;
    if (!store.calls.receive(bytes, length) || !message.read(bytes, length)) {
      this.inbox.drop(bytes);
      return this.misread(JournalCall.WATCH);
    }
    if (store.isOther(message.header)) {
      this.inbox.drop(bytes);
      store.lose(message.header);
      return this.begin(Resync.LOST);
    }
    if (message.isCancelled) {
      this.end(message);
      return this.inbox.drop(bytes);
    }
    if (message.isCreated) {
      this.watch = Watch.Open;
      this.noteSettled();
      this.retry.succeeded();
    }
    if (message.events > 0) {
      this.inbox.keep(bytes, length, false);
      // A change that came in part comes again as a whole. The header's revision may be ahead of the events.
      const whole = message.isFragment ? message.lastRevision - 1 : message.lastRevision;
      this.revision = max(this.revision, whole);
      return;
    }
    this.inbox.drop(bytes);
    // A sign of life of a watch that has delivered all changes up to there.
    if (!message.isCreated && !message.isFragment) this.revision = max(this.revision, message.header.revision);
  }

  /** The store has cancelled the watch. */
  private end(message: WatchMessage): void {
    if (message.compactRevision != 0) return this.begin(Resync.COMPACTED);
    const reason = String.UTF8.decodeUnsafe(message.reason, min(message.reasonLength, MAX_REASON_LENGTH));
    const status = reason.includes("permission denied") ? GrpcStatus.PERMISSION_DENIED : GrpcStatus.UNKNOWN;
    this.fail(JournalCall.WATCH, status, reason);
  }

  /** Begins the call that the request holds; false if it has failed at once. */
  private ask(step: Step): bool {
    this.step = step;
    this.floor = this.store.revision;
    this.since = this.store.now;
    this.token = this.store.request.isWhole ? this.store.begin(JournalCall.RANGE) : 0;
    if (this.token == 0) this.fail(JournalCall.RANGE, GrpcStatus.UNAVAILABLE, REFUSED_TEXT);
    return this.token != 0;
  }

  /** Returns a message in memory of the inbox, or 0 after a failure. */
  private receive(length: i32): usize {
    const bytes = this.inbox.allocate(length);
    if (bytes != 0 && this.store.calls.receive(bytes, length)) return bytes;
    if (bytes != 0) this.inbox.drop(bytes);
    this.limit = max(this.limit >> 2, 1);
    this.fail(JournalCall.RANGE, GrpcStatus.RESOURCE_EXHAUSTED, "an answer of " + length.toString() + " bytes");
    return 0;
  }

  private misread(call: u8): void {
    this.fail(call, GrpcStatus.INTERNAL, "an answer that is not one of etcd");
  }

  private fail(call: u8, status: i32, text: string): void {
    this.cancel();
    this.step = Step.Waiting;
    this.store.isReached = false;
    this.store.failures.add(this.store.now, call, status, text);
    this.retry.failed(this.store.now, status);
  }

  /** Also ends the host's entry of a stream that the store has ended (`GrpcCalls`). */
  private cancel(): void {
    if (this.token != 0) this.store.calls.cancel(this.token);
    if (this.watchToken != 0) this.store.calls.cancel(this.watchToken);
    this.token = 0;
    this.watchToken = 0;
    this.watch = Watch.Closed;
  }
}

const CREATED_NANOSECONDS: u64 = 2_000_000_000;
/** Of a key's relative part, with the byte behind it. */
const KEY_CAPACITY: i32 = 1024;
/** Of an answer. */
const ANSWER_SIZE: i32 = 1 << 20;
const FIRST_LIMIT: i32 = 16;
const MAX_LIMIT: i32 = 4096;
const MAX_REASON_LENGTH: i32 = 400;
