/**
 * The counters of one cache. The host's metrics are those of the process, by name: they take in what another cache of that name counts
 * (under another `vm_id`), what one counted that is gone, and, while a hot restart lasts, what the old process goes on counting. So
 * each virtual machine keeps, beside them, what it has counted itself, and puts that into the shared store with each tick: there is the
 * sum over all machines of this cache, and of no other.
 *
 * The metrics are right at once, the sum within a tick. `read` answers with the metrics as long as both agree, as they do in most
 * processes, and with the sum from the moment on that they do not: the machine that sweeps looks for it once a second (`compare`).
 * The sum is as old as the last `refresh`, which whoever reads calls first, once for all that they read.
 * A machine that traps takes what it has counted since its last tick along.
 *
 * Value, little-endian: 0 u64, 1 = the metrics count for others, too; 8 u64 for each metric; gauges are zero.
 * Cost on the path of a connection: an addition in memory, no call. Of a tick: a read and a write, if anything was counted.
 * Of a refresh: a read.
 */
import { Metrics } from "../../ports/metrics";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoreKey } from "../../shared/store_key";
import { GAUGES, METRICS } from "./statistics";

export class Tally extends Metrics {
  /** Counted here since the last tick. */
  private readonly fresh: StaticArray<u64> = new StaticArray<u64>(METRICS);
  /** The metrics, as they were when they were compared last. */
  private readonly compared: StaticArray<u64> = new StaticArray<u64>(METRICS);
  private hasCompared: bool = false;
  /** The sums of all machines, as they were when they were read last; they count only if the metrics count for others, too. */
  private readonly sums: StaticArray<u64> = new StaticArray<u64>(METRICS);
  private isSum: bool = false;
  /** In a row. */
  private differences: u32 = 0;
  private isFresh: bool = false;
  private readonly key: StoreKey;

  /** `created`: the cache is new, and has counted nothing. Else, a sum that is not there yet begins with the metrics. */
  constructor(
    cacheName: string,
    private readonly sharedStore: SharedStore,
    private readonly metrics: Metrics,
    created: bool,
  ) {
    super();
    this.key = new StoreKey(cacheName, "tally", false);
    memory.fill(VALUE, 0, VALUE_SIZE);
    if (!created) for (let metric = GAUGES; metric < METRICS; metric++) setSum(metric, metrics.read(metric));
    sharedStore.create(this.key.start, this.key.length, VALUE, VALUE_SIZE);
  }

  free(): void {
    this.tick();
    this.key.free();
  }

  increase(metric: i32, by: u64): void {
    this.metrics.increase(metric, by);
    unchecked((this.fresh[metric] += by));
    this.isFresh = true;
  }

  decrease(metric: i32, by: u64): void {
    this.metrics.decrease(metric, by);
  }

  record(metric: i32, value: u64): void {
    this.metrics.record(metric, value);
  }

  refresh(): void {
    this.isSum = this.load() && load<u64>(VALUE) != 0;
    if (this.isSum) memory.copy(changetype<usize>(this.sums), VALUE + 8, METRICS << 3);
  }

  /** Of the sum: what it was at the last `refresh`, which has to be behind the last tick. */
  read(metric: i32): u64 {
    if (metric < GAUGES || !this.isSum) return this.metrics.read(metric);
    return unchecked(this.sums[metric]) + unchecked(this.fresh[metric]);
  }

  /** Puts what was counted here into the sum. */
  tick(): void {
    for (let attempt = 0; attempt < MAX_TRIES && this.isFresh; attempt++) {
      if (!this.load()) return;
      for (let metric = GAUGES; metric < METRICS; metric++)
        setSum(metric, sumOf(metric) + unchecked(this.fresh[metric]));
      const result = this.replace();
      if (result == StoreResult.Conflict) continue;
      if (result != StoreResult.Ok) return;
      for (let metric = 0; metric < METRICS; metric++) unchecked((this.fresh[metric] = 0));
      this.isFresh = false;
    }
  }

  /** Whether the metrics count for others, too. To be called about once a second, by one machine: far less often than ticks come. */
  compare(): void {
    if (this.load() && this.hasCompared) {
      let differ = false;
      for (let metric = GAUGES; metric < METRICS; metric++) {
        if (unchecked(this.compared[metric]) > sumOf(metric) + unchecked(this.fresh[metric])) differ = true;
      }
      // Once may be a machine that has not come to its tick.
      this.differences = differ ? this.differences + 1 : 0;
      const isOthers: u64 = this.differences >= CERTAIN_DIFFERENCES ? 1 : 0;
      if (isOthers != load<u64>(VALUE)) {
        store<u64>(VALUE, isOthers);
        this.replace();
      }
    }
    for (let metric = GAUGES; metric < METRICS; metric++)
      unchecked((this.compared[metric] = this.metrics.read(metric)));
    this.hasCompared = true;
  }

  private load(): bool {
    const result = this.sharedStore.read(this.key.start, this.key.length, VALUE, VALUE_SIZE);
    return result == StoreResult.Ok && this.sharedStore.length == VALUE_SIZE;
  }

  private replace(): StoreResult {
    return this.sharedStore.replace(this.key.start, this.key.length, VALUE, VALUE_SIZE, this.sharedStore.mark);
  }
}

function sumOf(metric: i32): u64 {
  return load<u64>(VALUE + 8 + ((<usize>metric) << 3));
}

function setSum(metric: i32, sum: u64): void {
  store<u64>(VALUE + 8 + ((<usize>metric) << 3), sum);
}

const CERTAIN_DIFFERENCES: u32 = 2;
const MAX_TRIES: i32 = 16;
const VALUE_SIZE: i32 = 8 + METRICS * 8;
/** Room for 255 metrics. */
const VALUE: usize = memory.data(2048, 8);
