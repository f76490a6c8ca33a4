/**
 * Metrics as Envoy keeps them: one value for each name, whatever VM defines it; ids are each VM's own.
 * A counter refuses increments that are not above zero; a gauge that goes below zero wraps to 2^64-1.
 */
import { MetricKind, Status } from "./abi.ts";

export interface Metric {
  name: string;
  kind: number;
  value: bigint;
}

export class Metrics {
  private readonly byName = new Map<string, Metric>();

  define(kind: number, name: string): Metric {
    const known = this.byName.get(name);
    if (known !== undefined) return known;
    const metric = { name, kind, value: 0n };
    this.byName.set(name, metric);
    return metric;
  }

  increment(metric: Metric, offset: bigint): number {
    if (metric.kind === MetricKind.Histogram) return Status.Ok;
    if (metric.kind === MetricKind.Counter && offset <= 0n) return Status.BadArgument;
    metric.value = BigInt.asUintN(64, metric.value + offset);
    return Status.Ok;
  }

  record(metric: Metric, value: bigint): number {
    if (metric.kind === MetricKind.Counter) metric.value = BigInt.asUintN(64, metric.value + value);
    if (metric.kind === MetricKind.Gauge) metric.value = BigInt.asUintN(64, value);
    return Status.Ok;
  }

  /** 0 if nobody defined it. */
  value(name: string): number {
    return Number(this.byName.get(name)?.value ?? 0n);
  }

  names(): string[] {
    return [...this.byName.keys()];
  }

  /** All values whose name contains every one of the given parts, added up. */
  sum(...parts: string[]): number {
    let total = 0n;
    for (const metric of this.byName.values()) {
      if (parts.every((part) => metric.name.includes(part))) total += metric.value;
    }
    return Number(total);
  }
}
