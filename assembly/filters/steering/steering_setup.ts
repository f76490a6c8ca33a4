/**
 * Finds out whether the steering of a filter has its effect, and if not, why. Reports it as soon as it shows: one line in
 * the log, and the report that the admin API reads (`steering/setup/report.ts`).
 *
 * Each virtual machine finds out for itself; all host calls are made on ticks. It does not replace the report of another one
 * of the same filter, unless it reports a fault or its end. While connections come, a report that got lost is stored again.
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
  /** A connection has come since the last check. */
  isUsed: bool = false;
  private readonly report: SteeringReport;
  private readonly filter: string;
  private readonly state: SteeringState;
  private readonly isExact: bool;
  private readonly exactName: string;
  /** Whether the configured cluster has answered, and how often others have before it did. */
  private own: bool = false;
  private others: u32 = 0;
  private readonly otherName: usize = heap.alloc(MAX_NAME_LENGTH);
  private otherLength: i32 = 0;
  /** A named host has answered. */
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

  /** The configured cluster has answered a connection. */
  answeredByOwn(): void {
    this.own = true;
  }

  /** Another cluster, of this name, has answered a connection. */
  answeredByOther(name: usize, length: i32): void {
    if (this.own || this.others >= OTHERS) return;
    this.others++;
    this.otherLength = min(length, MAX_NAME_LENGTH);
    memory.copy(this.otherName, name, this.otherLength);
  }

  /** The host that was named for a connection has answered it. */
  reach(): void {
    this.reached = true;
  }

  /** In the root's context; `waiting`: why connections wait in vain. */
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

/** Removes the reports of a filter that does not steer. */
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
const LOG_PREFIX: string = "steering has no effect, so connections are no longer held: ";
const OTHERS: u32 = 3;
const MAX_NAME_LENGTH: i32 = 128;
const CHECK_NANOSECONDS: u64 = 10_000_000_000;
