/**
 * The counters of one cache. The host's metrics belong to the process, by name. They include the counts of another cache of
 * that name (under another `vm_id`), those of a cache that has ended, and those of the old process during a hot restart. So
 * each virtual machine also keeps its own counts, and adds them to a sum in the shared store with each tick. The sum covers
 * all machines of this cache, and no other cache.
 *
 * Counts reach the metrics at once. In a rush they reach them with the next tick, as a call of the host costs a resumption
 * more than most of its other work. The sum follows with each tick. `read` returns the metric while both agree, as they do
 * in most processes, and the sum as soon as they do not; the machine that sweeps compares them once a second (`compare`). A
 * reader calls `refresh` once for all its reads: the sum is as old as that, and all counts of its own machine are handed
 * over first. A machine that traps loses its counts since its last tick.
 *
 * Layout of the value, little-endian: the fields of `StoredSums`; then u64 for each metric, its sum; gauges are zero.
 * Cost on the path of a connection: two additions in memory, and in calm a call. Of a tick: a read and a write, if anything
 * was counted, and a call for each metric that a rush has changed. Of a refresh: a read, and those calls.
 */
import { Metrics } from "../../ports/metrics";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";
import { Rush } from "../../work/rush";
import { GAUGES, METRICS } from "./statistics";

export class Tally extends Metrics {
  /** Counts of this machine since the last tick. */
  private readonly fresh: StaticArray<u64> = new StaticArray<u64>(METRICS);
  /** Those of them that the metrics lack. */
  private readonly due: StaticArray<u64> = new StaticArray<u64>(METRICS);
  private isDue: bool = false;
  /** The rush of the cache, once there is one. */
  rush: Rush | null = null;
  /** The metrics at the last comparison. */
  private readonly compared: StaticArray<u64> = new StaticArray<u64>(METRICS);
  private hasCompared: bool = false;
  /** The sums of all machines at the last read. They count only if the metrics count for other caches, too. */
  private readonly sums: StaticArray<u64> = new StaticArray<u64>(METRICS);
  private isSum: bool = false;
  /** Comparisons in a row that have differed. */
  private differences: u32 = 0;
  private isFresh: bool = false;
  private readonly value: StoredValue;

  /** `created`: the cache is new, and has counted nothing. Otherwise a sum that the store lacks begins with the metrics. */
  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    private readonly metrics: Metrics,
    created: bool,
  ) {
    super();
    this.value = new StoredValue(cacheName, "tally", sharedStore);
    memory.fill(VALUE, 0, VALUE_SIZE);
    if (!created) for (let metric = GAUGES; metric < METRICS; metric++) SUMS.put(metric, metrics.read(metric));
    this.value.create(VALUE, VALUE_SIZE);
    ALL.push(this);
  }

  free(): void {
    this.tick();
    this.value.free();
    ALL.splice(ALL.indexOf(this), 1);
  }

  increase(metric: i32, by: u64): void {
    const rush = this.rush;
    if (rush && rush.isOn) {
      unchecked((this.due[metric] += by));
      this.isDue = true;
    } else {
      this.metrics.increase(metric, by);
    }
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
    for (let i = 0; i < ALL.length; i++) ALL[i].handOver();
    this.isSum = this.load() && SUMS.metricsCountOthers != 0;
    if (this.isSum) SUMS.copyTo(this.sums);
  }

  /** Returns a sum as it was at the last `refresh`, which must be later than the last tick. */
  read(metric: i32): u64 {
    if (metric < GAUGES || !this.isSum) return this.metrics.read(metric);
    return unchecked(this.sums[metric]) + unchecked(this.fresh[metric]);
  }

  /** Adds the counts of this machine to the metrics and to the sum. */
  tick(): void {
    this.handOver();
    for (let attempt = 0; attempt < MAX_TRIES && this.isFresh; attempt++) {
      if (!this.load()) return;
      for (let metric = GAUGES; metric < METRICS; metric++)
        SUMS.put(metric, SUMS.of(metric) + unchecked(this.fresh[metric]));
      const result = this.value.put(VALUE, VALUE_SIZE);
      if (result == StoreResult.Conflict) continue;
      if (result != StoreResult.Ok) return;
      for (let metric = 0; metric < METRICS; metric++) unchecked((this.fresh[metric] = 0));
      this.isFresh = false;
    }
  }

  /** Finds out whether the metrics count for other caches as well. One machine calls it once a second: less often than ticks. */
  compare(): void {
    if (this.load() && this.hasCompared) {
      let differ = false;
      for (let metric = GAUGES; metric < METRICS; metric++) {
        if (unchecked(this.compared[metric]) > SUMS.of(metric) + unchecked(this.fresh[metric])) differ = true;
      }
      // A single difference may come from a machine whose tick is late.
      this.differences = differ ? this.differences + 1 : 0;
      const countOthers: u64 = this.differences >= CERTAIN_DIFFERENCES ? 1 : 0;
      if (countOthers != SUMS.metricsCountOthers) {
        SUMS.metricsCountOthers = countOthers;
        this.value.put(VALUE, VALUE_SIZE);
      }
    }
    for (let metric = GAUGES; metric < METRICS; metric++)
      unchecked((this.compared[metric] = this.metrics.read(metric)));
    this.hasCompared = true;
  }

  /** Adds to the metrics what they lack. */
  private handOver(): void {
    if (!this.isDue) return;
    for (let metric = GAUGES; metric < METRICS; metric++) {
      const by = unchecked(this.due[metric]);
      if (by == 0) continue;
      this.metrics.increase(metric, by);
      unchecked((this.due[metric] = 0));
    }
    this.isDue = false;
  }

  private load(): bool {
    return this.value.readWhole(VALUE, VALUE_SIZE);
  }
}

/** See the head of this file. */
@unmanaged
class StoredSums {
  /** 1 if the metrics count for other caches as well, else 0. */
  metricsCountOthers: u64;


  @inline
  of(metric: i32): u64 {
    return load<u64>(this.placeOf(metric));
  }


  @inline
  put(metric: i32, sum: u64): void {
    store<u64>(this.placeOf(metric), sum);
  }

  copyTo(sums: StaticArray<u64>): void {
    for (let metric = 0; metric < METRICS; metric++) unchecked((sums[metric] = this.of(metric)));
  }


  @inline
  private placeOf(metric: i32): usize {
    return changetype<usize>(this) + SUMS_OFFSET + <usize>metric * sizeof<u64>();
  }
}

/** The tallies of this virtual machine: one for each cache of each filter. */
const ALL: Tally[] = [];
const CERTAIN_DIFFERENCES: u32 = 2;
const MAX_TRIES: i32 = 16;
const SUMS_OFFSET: usize = offsetof<StoredSums>();
const VALUE_SIZE: i32 = <i32>(SUMS_OFFSET + <usize>METRICS * sizeof<u64>());
/** Room for 255 metrics. */
const VALUE: usize = memory.data(2048, 8);
const SUMS: StoredSums = changetype<StoredSums>(VALUE);
