/**
 * Measures the operations of the cache inside of the host, at one number of sessions, and says the results in the log,
 * a line each:
 *
 *   measured: before                      the cache is open and empty
 *   measured: filled NANOSECONDS          it holds the sessions; time of one add on the way
 *   measured: begin OPERATION ROUNDS*OPS  the operation is measured next, so many times
 *   measured: ran                         that is done
 *   measured: end OPERATION NANOSECONDS   one operation, the median of ROUNDS rounds
 *   measured: slices WORK ...             how long the slices of work on the whole cache have held the worker (`slices.ts`)
 *   measured: removed NANOSECONDS         as many sessions as wanted are removed; time of one
 *   measured: flushed NUMBER              all others are flushed
 *   measured: done
 *
 * The lines `before`, `filled`, `removed` and `flushed` are each followed by some idle ticks, in which resident memory can be read.
 * Configuration, numbers with blanks between: sessions, max_memory_mib, cache_size (0 = unlimited); 1 to measure nothing but the
 * host's own reading of 64-byte values among as many keys; how many sessions to remove before the rest is flushed, 0 for neither;
 * and 1 to fill the cache, and no more. Clocks tick in microseconds: loops are timed.
 */
import { AdminApi } from "../../assembly/admin/api";
import { Call } from "../../assembly/admin/http/call";
import { AdminConfig, Config } from "../../assembly/config/config";
import { HostClock } from "../../assembly/host/adapters/host_clock";
import { HostEntropy } from "../../assembly/host/adapters/host_entropy";
import { HostLog } from "../../assembly/host/adapters/host_log";
import { HostMetrics } from "../../assembly/host/adapters/host_metrics";
import { Root, RootFactory } from "../../assembly/host/roots";
import { SharedData } from "../../assembly/host/adapters/shared_data";
import { LogLevel } from "../../assembly/ports/log";
import { Cache, Lookup, PutOutcome, RemoveOutcome } from "../../assembly/session/cache";
import { StoreKey } from "../../assembly/shared/store_key";
import { Deadline } from "../../assembly/work/job";
import { Cause } from "../../assembly/session/record/session";
import { GivenSettings, Settings } from "../../assembly/session/settings/settings";
import { GAUGES, metricNames } from "../../assembly/session/counting/statistics";
import { ID_LENGTH, sample, sampleId, splitMix64 } from "./samples";
import { TOKEN, WholeCache } from "./whole_cache";

export class BenchRoots extends RootFactory {
  make(rootId: string, rootContext: u32): Root | null {
    return new BenchRoot();
  }
}

namespace Operation {
  export const HOST_GET: i32 = 0;
  export const LOOK_HELD: i32 = 1;
  export const LOOK_ABSENT: i32 = 2;
  export const ADD: i32 = 3;
  export const REMOVE: i32 = 4;
  export const REPLACE: i32 = 5;
  export const RESUME: i32 = 6;
  export const LIST: i32 = 7;
  export const STATS: i32 = 8;
  export const ALL: i32 = 9;
}

/** The steps behind the operations, each in a tick of its own. */
namespace Step {
  export const WAIT: i32 = 0;
  export const SWEEP: i32 = 1;
  export const LIST: i32 = 2;
  export const REMOVE: i32 = 3;
  export const LOOK_HELD: i32 = 4;
  export const LOOK_REMOVED: i32 = 5;
  export const SWEEP_REMOVED: i32 = 6;
  export const FLUSH: i32 = 7;
  export const ALL: i32 = 8;
}

class BenchRoot extends Root {
  private readonly clock: HostClock = new HostClock();
  private readonly store: SharedData = new SharedData();
  private readonly log: HostLog = new HostLog();
  private readonly key: StoreKey = new StoreKey("bench", "get");
  private cache: Cache | null = null;
  private api: AdminApi | null = null;
  private sessions: u32 = 0;
  private hostOnly: bool = false;
  private fillsOnly: bool = false;
  private idle: i32 = 0;
  private filled: u32 = 0;
  private fillNanoseconds: u64 = 0;
  private operation: i32 = -1;
  private added: u32 = 0;
  private removed: u32 = 0;
  private next: u64 = 1;
  private failures: u32 = 0;
  private isDone: bool = false;
  private removals: u32 = 0;
  private step: i32 = 0;
  private gone: u32 = 0;
  private removeNanoseconds: u64 = 0;
  private whole: WholeCache | null = null;
  private readonly rounds: StaticArray<u64> = new StaticArray<u64>(ROUNDS);

  configure(text: usize, length: i32): bool {
    const numbers = String.UTF8.decodeUnsafe(text, length).split(" ");
    this.sessions = <u32>parseInt(numbers[0]);
    this.hostOnly = numbers[3] == "1";
    this.removals = numbers.length > 4 ? <u32>parseInt(numbers[4]) : 0;
    this.fillsOnly = numbers.length > 5 && numbers[5] == "1";
    const given = new GivenSettings();
    given.maxMemoryMib = <i64>parseInt(numbers[1]);
    given.cacheSize = <i64>parseInt(numbers[2]);
    const settings = new Settings("bench", this.store, new HostEntropy());
    const refusal = settings.configure("bench", given);
    if (refusal.length > 0) {
      this.say(refusal);
      return false;
    }
    const metrics = new HostMetrics(metricNames("bench"), GAUGES);
    const cache = new Cache(settings, this.store, this.clock, metrics);
    this.cache = cache;
    const config = new Config();
    const admin = new AdminConfig();
    admin.tokens = [TOKEN];
    config.admin = admin;
    const api = new AdminApi(cache, config);
    this.api = api;
    this.whole = new WholeCache(cache, api, this.clock);
    return true;
  }

  free(): void {}

  tick(): void {
    if (this.idle > 0) {
      this.idle--;
      return;
    }
    if (this.operation < 0) {
      this.say("before");
      this.operation = 0;
      this.idle = IDLE_TICKS;
      return;
    }
    if (this.filled < this.sessions) {
      this.fill();
      if (this.filled < this.sessions) return;
      this.say("filled " + (this.fillNanoseconds / this.sessions).toString() + this.pages());
      this.idle = IDLE_TICKS;
      return;
    }
    if (this.fillsOnly) this.operation = Operation.ALL;
    if (this.operation < Operation.ALL) {
      if (this.hostOnly == (this.operation == Operation.HOST_GET)) this.measure(this.operation);
      this.operation++;
      return;
    }
    if (this.removals > 0 && this.step < Step.ALL) {
      if (this.work(this.step)) this.step++;
      return;
    }
    if (this.isDone) return;
    this.isDone = true;
    if (this.failures > 0) this.say("failed " + this.failures.toString());
    this.say("done");
  }

  private fill(): void {
    const start = this.clock.nowNanoseconds();
    const cache = this.cache!;
    for (let i: u32 = 0; i < FILLED_A_TICK && this.filled < this.sessions; i++) {
      const number = this.filled++;
      if (this.hostOnly) {
        this.key.select(number);
        this.store.overwrite(this.key.start, this.key.length, VALUE, 64);
      } else {
        cache.readSettings();
        this.expect(cache.learn(sample(number)) == PutOutcome.Added);
      }
    }
    this.fillNanoseconds += this.clock.nowNanoseconds() - start;
  }

  private measure(operation: i32): void {
    const operations = this.operationsOf(operation);
    const name = NAMES[operation];
    const times = operations.toString() + " x " + ROUNDS.toString();
    this.say("begin " + name + " " + times);
    for (let round = 0; round < ROUNDS; round++) {
      const start = this.clock.nowNanoseconds();
      for (let i: u32 = 0; i < operations; i++) this.once(operation);
      this.rounds[round] = this.clock.nowNanoseconds() - start;
    }
    this.log.write(LogLevel.Warn, RAN);
    this.rounds.sort();
    this.say("end " + name + " " + (this.rounds[ROUNDS / 2] / <u64>operations).toString());
  }

  /** Works on the whole cache; false if the step goes on. */
  private work(step: i32): bool {
    const whole = this.whole!;
    switch (step) {
      case Step.SWEEP:
      case Step.SWEEP_REMOVED:
        this.expect(whole.sweep());
        this.say("slices sweep" + (step == Step.SWEEP ? " " : "_removed ") + whole.slices.text());
        return true;
      case Step.WAIT:
        whole.wait();
        this.say("slices wait " + whole.slices.text());
        return true;
      case Step.LIST:
        this.expect(whole.list(LISTED_PAGES));
        this.say("slices list " + whole.slices.text());
        return true;
      case Step.REMOVE:
        return this.removeMany();
      case Step.LOOK_HELD:
        this.measureRemoved("look_beside_removed", Operation.LOOK_HELD);
        return true;
      case Step.LOOK_REMOVED:
        this.measureRemoved("look_removed", Operation.ALL);
        return true;
      default:
        const flushed = whole.flush();
        this.expect(flushed >= <u64>(this.sessions - this.removals));
        this.say("slices flush " + whole.slices.text());
        this.say("flushed " + flushed.toString());
        this.idle = IDLE_TICKS;
        return true;
    }
  }

  /** Removes the first sessions, some in each tick; true if all are. */
  private removeMany(): bool {
    const start = this.clock.nowNanoseconds();
    const cache = this.cache!;
    for (let i: u32 = 0; i < FILLED_A_TICK && this.gone < this.removals; i++) {
      this.expect(cache.remove(sampleId(this.gone++), ID_LENGTH, Cause.API) == RemoveOutcome.Removed);
    }
    this.removeNanoseconds += this.clock.nowNanoseconds() - start;
    if (this.gone < this.removals) return false;
    this.say("removed " + (this.removeNanoseconds / this.removals).toString() + this.pages());
    this.idle = IDLE_TICKS;
    return true;
  }

  private measureRemoved(name: string, operation: i32): void {
    for (let round = 0; round < ROUNDS; round++) {
      const start = this.clock.nowNanoseconds();
      for (let i = 0; i < 500; i++) {
        const number = <u32>(splitMix64(this.next++) % (this.sessions - this.removals));
        if (operation == Operation.LOOK_HELD) {
          this.expect(this.cache!.peek(sampleId(this.removals + number), ID_LENGTH) == Lookup.Found);
        } else {
          this.expect(this.cache!.peek(sampleId(number % this.removals), ID_LENGTH) == Lookup.Removed);
        }
      }
      this.rounds[round] = this.clock.nowNanoseconds() - start;
    }
    this.rounds.sort();
    this.say("end " + name + " " + (this.rounds[ROUNDS / 2] / 500).toString());
  }

  private operationsOf(operation: i32): u32 {
    if (operation == Operation.LIST || operation == Operation.STATS) return 10;
    if (operation != Operation.ADD && operation != Operation.REMOVE) return 500;
    // A removed session stays as a tombstone: few beside the sessions.
    const few = this.sessions / 1_000;
    return few < 10 ? 10 : few > 200 ? 200 : few;
  }

  private once(operation: i32): void {
    const cache = this.cache!;
    switch (operation) {
      case Operation.HOST_GET:
        this.key.select(this.any());
        this.store.read(this.key.start, this.key.length, VALUE, 64);
        return;
      case Operation.LOOK_HELD:
        this.expect(cache.peek(sampleId(this.any()), ID_LENGTH) == Lookup.Found);
        return;
      case Operation.LOOK_ABSENT:
        this.expect(cache.peek(sampleId(0x8000_0000 | this.any()), ID_LENGTH) == Lookup.Absent);
        return;
      case Operation.ADD:
        cache.readSettings();
        this.expect(cache.learn(sample(this.sessions + this.added++)) == PutOutcome.Added);
        return;
      case Operation.REMOVE:
        const outcome = cache.remove(sampleId(this.sessions + this.removed++), ID_LENGTH, Cause.API);
        this.expect(outcome == RemoveOutcome.Removed);
        return;
      case Operation.REPLACE:
        cache.readSettings();
        this.expect(cache.learn(sample(this.any())) == PutOutcome.Replaced);
        return;
      case Operation.RESUME:
        cache.readSettings();
        this.expect(cache.resume(sample(this.any())) == Lookup.Found);
        return;
      case Operation.LIST:
        this.request("/v1/sessions?limit=100");
        return;
      default:
        this.request("/v1/stats");
    }
  }

  private request(path: string): void {
    const api = this.api!;
    const call = new Call();
    const request = call.request;
    request.method = "GET";
    request.path = path;
    request.authorization = "Bearer " + TOKEN;
    if (!api.begin(call)) api.handle(call);
    const response = call.response;
    const job = response.job;
    if (job) {
      const deadline = new Deadline(this.clock);
      deadline.start(LONGEST_ANSWER_NANOSECONDS);
      this.expect(job.step(deadline));
      api.finish(response);
    }
    this.expect(response.status == 200);
  }

  /** How many pages there are, and what they use and take. */
  private pages(): string {
    const pages = this.cache!.pages;
    let count: u64 = 0;
    let used: u64 = 0;
    let stored: u64 = 0;
    for (let number = pages.directory.next(0); number < pages.count; number = pages.directory.next(number + 1)) {
      const page = pages.read(number);
      if (!page) continue;
      count++;
      used += page.used;
      stored += this.store.length;
    }
    return " " + count.toString() + " pages " + used.toString() + " used " + stored.toString() + " stored";
  }

  /** The number of a session that is held. */
  private any(): u32 {
    return <u32>(splitMix64(this.next++) % this.sessions);
  }

  @inline
  private expect(asExpected: bool): void {
    if (!asExpected) this.failures++;
  }

  private say(text: string): void {
    this.log.write(LogLevel.Warn, "measured: " + text);
  }
}

const NAMES: StaticArray<string> = [
  "host_get",
  "look_held",
  "look_absent",
  "add",
  "remove",
  "replace",
  "resume",
  "list_100",
  "stats",
];
const RAN: string = "measured: ran";
/** A million sessions. */
const LISTED_PAGES: i32 = 1_000;
const FILLED_A_TICK: u32 = 100_000;
const IDLE_TICKS: i32 = 10;
/** A listing is written in one slice here, however long that takes. */
const LONGEST_ANSWER_NANOSECONDS: u64 = 1_000_000_000;
const ROUNDS: i32 = 51;
const VALUE: usize = memory.data(64, 8);
