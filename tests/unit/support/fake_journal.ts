/**
 * A store that several journals share, in memory: keys in the order of their bytes, one revision for each change. Each
 * journal replays it, then follows; tests can hold its answers back, lose its state, or let operations fail.
 */
import { Journal, JournalState, Outcome, Resync } from "../../../assembly/ports/journal";

class KeptKey {
  constructor(
    public key: string,
    public value: ArrayBuffer,
    public mark: u64,
    public isDeleted: bool = false,
  ) {}
}

export class FakeEtcd {
  readonly keys: Map<string, KeptKey> = new Map<string, KeptKey>();
  readonly log: KeptKey[] = [];
  revision: u64 = 1;

  put(key: string, value: ArrayBuffer): u64 {
    const kept = new KeptKey(key, value, ++this.revision);
    this.keys.set(key, kept);
    this.log.push(kept);
    return kept.mark;
  }

  remove(key: string): void {
    this.keys.delete(key);
    this.log.push(new KeptKey(key, new ArrayBuffer(0), ++this.revision, true));
  }

  markOf(key: string): u64 {
    return this.keys.has(key) ? this.keys.get(key).mark : 0;
  }

  /** The keys that begin with a text, sorted. */
  beginningWith(text: string): string[] {
    const found: string[] = [];
    const names = this.keys.keys();
    for (let i = 0; i < names.length; i++) if (names[i].startsWith(text)) found.push(names[i]);
    return found.sort();
  }
}

export class FakeJournal extends Journal {
  /** Operations are begun and answered only while this is set. */
  isReachable: bool = true;
  /** Changes of the store do not come. */
  isHeldBack: bool = false;
  /** Operations in a row that fail. */
  failures: i32 = 0;
  puts: i32 = 0;
  /** A key that may not be swapped, and how often that was tried. */
  denied: string = "";
  denials: i32 = 0;
  private replay: KeptKey[] = [];
  private at: i32 = 0;
  private position: i32 = 0;
  private resync: u8 = Resync.NONE;
  private outcome: Outcome = Outcome.None;
  private failed: bool = false;
  private current: KeptKey | null = null;

  constructor(readonly etcd: FakeEtcd) {
    super();
  }

  /** Everything is read again. */
  begin(cause: u8): void {
    this.resync = cause;
    this.replay = [];
    const names = this.etcd.beginningWith("");
    for (let i = 0; i < names.length; i++) this.replay.push(this.etcd.keys.get(names[i]));
    this.at = 0;
    this.position = this.etcd.log.length;
    this.state = JournalState.Replaying;
  }

  tick(nowNanoseconds: u64): void {
    if (!this.isReachable) {
      this.state = JournalState.Connecting;
      if (this.outcome == Outcome.UnderWay) this.outcome = Outcome.Failed;
      return;
    }
    this.heardAt = nowNanoseconds;
    if (this.state == JournalState.Connecting) this.begin(this.resync == Resync.NONE ? Resync.START : this.resync);
  }

  next(): bool {
    if (!this.isReachable) return false;
    const hasReplay = this.at < this.replay.length;
    const hasChange = !this.isHeldBack && this.position < this.etcd.log.length;
    // Changes come while sessions are replayed.
    if (hasReplay && !(hasChange && this.replay[this.at].key.startsWith("s/"))) {
      this.isReplayed = true;
      return this.show(this.replay[this.at++]);
    }
    if (!hasReplay) this.state = JournalState.Following;
    if (!hasChange) {
      if (!this.isHeldBack) this.revision = this.etcd.revision;
      return false;
    }
    this.isReplayed = false;
    return this.show(this.etcd.log[this.position++]);
  }

  takeResync(): u8 {
    const cause = this.resync;
    this.resync = Resync.NONE;
    return cause;
  }

  takeFailure(): bool {
    const failed = this.failed;
    this.failed = false;
    return failed;
  }

  takeOutcome(): Outcome {
    const outcome = this.outcome;
    this.outcome = Outcome.None;
    return outcome;
  }

  put(key: usize, keyLength: i32, value: usize, valueLength: i32, until: u64): bool {
    if (!this.begins()) return false;
    if (this.outcome == Outcome.Failed) return true;
    this.puts++;
    this.etcd.put(textOf(key, keyLength), bytesOf(value, valueLength));
    return true;
  }

  get(key: usize, keyLength: i32): bool {
    if (!this.begins()) return false;
    if (this.outcome == Outcome.Failed) return true;
    const name = textOf(key, keyLength);
    this.gotMark = this.etcd.markOf(name);
    if (this.gotMark == 0) return true;
    const kept = this.etcd.keys.get(name);
    this.gotValue = changetype<usize>(kept.value);
    this.gotLength = kept.value.byteLength;
    return true;
  }

  swap(key: usize, keyLength: i32, value: usize, valueLength: i32, mark: u64): bool {
    if (!this.begins()) return false;
    if (this.outcome == Outcome.Failed) return true;
    const name = textOf(key, keyLength);
    if (name == this.denied) {
      this.denials++;
      this.outcome = Outcome.Failed;
      return true;
    }
    if (this.etcd.markOf(name) != mark) this.outcome = Outcome.Conflict;
    else this.gotMark = this.etcd.put(name, bytesOf(value, valueLength));
    return true;
  }

  remove(key: usize, keyLength: i32, mark: u64): bool {
    if (!this.begins()) return false;
    if (this.outcome == Outcome.Failed) return true;
    const name = textOf(key, keyLength);
    if (this.etcd.markOf(name) == mark) this.etcd.remove(name);
    else this.outcome = Outcome.Conflict;
    return true;
  }

  removeOlder(key: usize, keyLength: i32, mark: u64): bool {
    if (!this.begins()) return false;
    const names = this.etcd.beginningWith(textOf(key, keyLength));
    for (let i = 0; i < names.length; i++) if (this.etcd.markOf(names[i]) <= mark) this.etcd.remove(names[i]);
    return true;
  }

  stop(): void {
    this.state = JournalState.Connecting;
  }

  private begins(): bool {
    if (!this.isReachable || this.outcome == Outcome.UnderWay) return false;
    this.outcome = Outcome.Done;
    if (this.failures > 0) {
      this.failures--;
      this.failed = true;
      this.outcome = Outcome.Failed;
    }
    return true;
  }

  private show(kept: KeptKey): bool {
    this.current = kept;
    const key = String.UTF8.encode(kept.key);
    memory.copy(KEY, changetype<usize>(key), key.byteLength);
    this.key = KEY;
    this.keyLength = key.byteLength;
    this.value = changetype<usize>(kept.value);
    this.valueLength = kept.value.byteLength;
    this.mark = kept.mark;
    this.isDeleted = kept.isDeleted;
    return true;
  }
}

function textOf(start: usize, length: i32): string {
  return String.UTF8.decodeUnsafe(start, length);
}

function bytesOf(start: usize, length: i32): ArrayBuffer {
  const bytes = new ArrayBuffer(length);
  memory.copy(changetype<usize>(bytes), start, length);
  return bytes;
}

const KEY: usize = memory.data(1024);
