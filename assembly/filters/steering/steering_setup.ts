/**
 * What a filter finds out of its own set-up: whether its steering has the effect that it is to have, and else why not. It says so as
 * soon as it shows: one line in the log, and the report that the admin API reads (`steering/setup/report.ts`).
 *
 * Each virtual machine finds out for itself; all that costs anything is done on ticks. What another one of the same filter has said stays,
 * but that a fault is insisted on; while connections come, what got lost is said again.
 */
import { Config } from "../../config/config";
import { HostLog } from "../../host/adapters/host_log";
import { PropertyPath } from "../../host/properties";
import { LogLevel } from "../../ports/log";
import { faultText } from "../../steering/setup/faults";
import { HashEffect } from "../../steering/setup/hash_effect";
import { SteeringMode } from "../../steering/setup/modes";
import { SteeringReport } from "../../steering/setup/report";
import { Effect, Fault, SteeringState } from "../../steering/setup/steering_state";
import { ExactCluster } from "./exact_cluster";
import { SharedCache } from "../cache/shared_cache";

export class SteeringSetup {
  readonly hash: HashEffect = new HashEffect();
  readonly exactCluster: ExactCluster;
  /** Connections come. */
  isUsed: bool = false;
  private readonly report: SteeringReport;
  private readonly filter: string;
  private readonly state: SteeringState;
  private readonly isExact: bool;
  private readonly exactName: string;
  /** Answers from the cluster that the configuration names, and from others before there was one of these. */
  private own: bool = false;
  private others: u32 = 0;
  private readonly otherName: usize = heap.alloc(MAX_NAME);
  private otherLength: i32 = 0;
  /** A host that was named has answered. */
  private reached: bool = false;
  private nextCheck: u64 = 0;

  constructor(shared: SharedCache, config: Config) {
    const report = new SteeringReport(shared.cache.settings.cacheName, shared.store);
    const filter = FILTER_NAME.text();
    const state = stateOf(config);
    report.begin(filter, state);
    this.report = report;
    this.filter = filter;
    this.state = state;
    this.isExact = config.steering == SteeringMode.Exact;
    this.exactName = config.exactCluster;
    this.exactCluster = new ExactCluster(config.exactCluster, filter, config.cluster, report);
  }

  free(): void {
    this.report.free();
    heap.free(this.otherName);
  }

  /** Whether connections go to another cluster than the one that they are steered for. */
  get isElsewhere(): bool {
    return !this.own && this.others >= OTHERS;
  }

  /** A connection was answered by the cluster that the configuration names. */
  answeredByOwn(): void {
    this.own = true;
  }

  /** A connection was answered by another cluster, whose name this is. */
  answeredByOther(name: usize, length: i32): void {
    if (this.own || this.others >= OTHERS) return;
    this.others++;
    this.otherLength = min(length, MAX_NAME);
    memory.copy(this.otherName, name, this.otherLength);
  }

  /** The host that was named for a connection has answered it. */
  reach(): void {
    this.reached = true;
  }

  /** From the root's context; `waiting`: why connections wait for nothing. */
  tick(nowNanoseconds: u64, waiting: Fault): void {
    if (this.isExact) this.exactCluster.tick(nowNanoseconds);
    const state = this.state;
    const fault = this.faultNow(waiting);
    const effect = fault != Fault.None ? Effect.No : this.hasEffect ? Effect.Yes : Effect.Unknown;
    if (fault != state.fault || effect != state.effect) {
      const insists = effect == Effect.No || state.effect == Effect.No;
      state.fault = fault;
      state.effect = effect;
      state.argument = this.argumentOf(fault);
      const isNew = this.report.put(this.filter, state, insists);
      if (isNew && fault != Fault.None) new HostLog().write(LogLevel.Error, LOG_PREFIX + faultText(state));
    } else if (this.isUsed && nowNanoseconds >= this.nextCheck) {
      this.isUsed = false;
      this.nextCheck = nowNanoseconds + CHECK_NANOSECONDS;
      if (effect != Effect.Unknown) this.report.put(this.filter, state, effect == Effect.No);
    }
  }

  private get hasEffect(): bool {
    return this.isExact ? this.reached : this.hash.isProven;
  }

  private faultNow(waiting: Fault): Fault {
    if (this.isExact && this.exactCluster.isMissing) return Fault.NoExactCluster;
    if (this.isElsewhere) return Fault.OtherCluster;
    if (waiting != Fault.None) return waiting;
    return this.hash.works ? Fault.None : Fault.NoHash;
  }

  private argumentOf(fault: Fault): string {
    if (fault == Fault.NoExactCluster) return this.exactName;
    return fault == Fault.OtherCluster ? String.UTF8.decodeUnsafe(this.otherName, this.otherLength) : "";
  }
}

/** A filter that steers nothing says no more what it said before. */
export function reportNoSteering(shared: SharedCache, config: Config): void {
  const report = new SteeringReport(shared.cache.settings.cacheName, shared.store);
  report.begin(FILTER_NAME.text(), stateOf(config));
  report.free();
}

function stateOf(config: Config): SteeringState {
  const state = new SteeringState(config.cluster);
  state.mode = config.steering;
  return state;
}

const FILTER_NAME = new PropertyPath("plugin_name");
const LOG_PREFIX: string = "steering has no effect, and no connection is held any more: ";
const OTHERS: u32 = 3;
const MAX_NAME: i32 = 128;
const CHECK_NANOSECONDS: u64 = 10_000_000_000;
