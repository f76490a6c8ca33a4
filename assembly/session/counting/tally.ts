/**
 * The counters of one cache. The host's metrics belong to the process, by name. They include the counts of another cache of
 * that name (under another `vm_id`), those of a cache that is gone, and those of the old process while a hot restart lasts.
 * So each virtual machine keeps its own counts beside them, and adds these to the shared store with each tick: that is the
 * sum over all machines of this cache, and of no other.
 *
 * The metrics are right at once, the sum within a tick. `read` returns the metric as long as both agree, as they do in most
 * processes, and the sum from the moment on that they do not; the machine that sweeps compares them once a second
 * (`compare`). The sum is as old as the last `refresh`, which a reader calls once for all that it reads. A machine that
 * traps loses its counts since its last tick.
 *
 * Value, little-endian: 0 u64, 1 = the metrics count for others as well; 8 u64 for each metric; gauges are zero.
 * Cost on the path of a connection: an addition in memory, no call. Of a tick: a read and a write, if anything was counted.
 * Of a refresh: a read.
 */
import { Metrics } from "../../ports/metrics";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";
import { GAUGES, METRICS } from "./statistics";

export class Tally extends Metrics {
  /** Counts of this machine since the last tick. */
  private readonly fresh: StaticArray<u64> = new StaticArray<u64>(METRICS);
  /** The metrics when they were compared last. */
  private readonly compared: StaticArray<u64> = new StaticArray<u64>(METRICS);
  private hasCompared: bool = false;
  /** The sums of all machines, as they were when they were read last; they count only if the metrics count for others, too. */
  private readonly sums: StaticArray<u64> = new StaticArray<u64>(METRICS);
  private isSum: bool = false;
  /** Comparisons in a row that have differed. */
  private differences: u32 = 0;
  private isFresh: bool = false;
  private readonly value: StoredValue;

  /**
   * `created`: the cache is new, and has counted nothing. Else a sum that the store does not have begins with the metrics.
   */
  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    private readonly metrics: Metrics,
    created: bool,
  ) {
    super();
    this.value = new StoredValue(cacheName, "tally", sharedStore);
    memory.fill(VALUE, 0, VALUE_SIZE);
    if (!created) for (let metric = GAUGES; metric < METRICS; metric++) setSum(metric, metrics.read(metric));
    this.value.create(VALUE, VALUE_SIZE);
  }

  free(): void {
    this.tick();
    this.value.free();
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

  /** Adds the counts of this machine to the sum. */
  tick(): void {
    for (let attempt = 0; attempt < MAX_TRIES && this.isFresh; attempt++) {
      if (!this.load()) return;
      for (let metric = GAUGES; metric < METRICS; metric++)
        setSum(metric, sumOf(metric) + unchecked(this.fresh[metric]));
      const result = this.value.put(VALUE, VALUE_SIZE);
      if (result == StoreResult.Conflict) continue;
      if (result != StoreResult.Ok) return;
      for (let metric = 0; metric < METRICS; metric++) unchecked((this.fresh[metric] = 0));
      this.isFresh = false;
    }
  }

  /**
   * Finds out whether the metrics count for others as well. To be called once a second, by one machine: far less often than
   * ticks.
   */
  compare(): void {
    if (this.load() && this.hasCompared) {
      let differ = false;
      for (let metric = GAUGES; metric < METRICS; metric++) {
        if (unchecked(this.compared[metric]) > sumOf(metric) + unchecked(this.fresh[metric])) differ = true;
      }
      // A single difference may be a machine that has not come to its tick.
      this.differences = differ ? this.differences + 1 : 0;
      const isOthers: u64 = this.differences >= CERTAIN_DIFFERENCES ? 1 : 0;
      if (isOthers != load<u64>(VALUE)) {
        store<u64>(VALUE, isOthers);
        this.value.put(VALUE, VALUE_SIZE);
      }
    }
    for (let metric = GAUGES; metric < METRICS; metric++)
      unchecked((this.compared[metric] = this.metrics.read(metric)));
    this.hasCompared = true;
  }

  private load(): bool {
    return this.value.readWhole(VALUE, VALUE_SIZE);
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
