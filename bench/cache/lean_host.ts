/**
 * Runs the module for measuring in Node, on a host that does as little as it can: shared data and metrics in maps, one VM,
 * one thread. What an operation costs here is the module's own work and a host that is some way slower than Envoy.
 *
 * A module that was built with ASC_RTRACE=1 tells of each block that it allocates, managed or not: that is how bytes for each
 * operation are counted, in a run of its own, as telling takes its time.
 */
import { randomFillSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Measurements, Reader, type Run, textOf } from "./run.ts";

export function measureInNode(run: Run, modulePath: string): Measurements {
  const host = new LeanHost(run);
  host.start(new WebAssembly.Module(readFileSync(modulePath)));
  for (let ticks = 0; !host.reader.done; ticks++) {
    if (ticks === MOST_TICKS) throw new Error("the module does not come to an end");
    host.tick();
  }
  return { ...host.reader.measurements(), allocated: host.allocated };
}

class LeanHost {
  readonly reader = new Reader();
  readonly allocated = new Map<string, number>();
  private readonly values = new Map<string, { bytes: Uint8Array; mark: number }>();
  private readonly metrics: bigint[] = [];
  private exports: Exports | undefined;
  private bytes = new Uint8Array();
  private view = new DataView(new ArrayBuffer(0));
  private marks = 0;
  private allocatedBytes = 0;
  private allocatedOperations = 1;
  private operation = "";

  constructor(private readonly run: Run) {}

  start(module: WebAssembly.Module): void {
    const imports: WebAssembly.Imports = {};
    for (const { module: family, name } of WebAssembly.Module.imports(module)) {
      (imports[family] ??= {})[name] = this.functions[name] ?? ((): number => OK);
    }
    this.exports = new WebAssembly.Instance(module, imports).exports as unknown as Exports;
    this.exports._initialize();
    this.exports.proxy_on_context_create(1, 0);
    if (this.exports.proxy_on_configure(1, textOf(this.run).length) === 0)
      throw new Error("the module refuses to start");
  }

  tick(): void {
    this.exports?.proxy_on_tick(1);
  }

  private readonly functions: Record<string, (...numbers: never[]) => number | void> = {
    proxy_log: (_level: number, text: number, length: number): number => {
      this.said(Buffer.from(this.slice(text, length)).toString());
      return OK;
    },
    proxy_get_log_level: (at: number): number => this.writeU32(at, 0),
    proxy_get_current_time_nanoseconds: (at: number): number => {
      this.memory().setBigUint64(at, START_NANOSECONDS + process.hrtime.bigint(), true);
      return OK;
    },
    proxy_get_property: (_path: number, _length: number, pointerAt: number, lengthAt: number): number =>
      this.handOver(Buffer.from("bench"), pointerAt, lengthAt),
    proxy_get_buffer_bytes: (_kind: number, _at: number, _size: number, pointerAt: number, lengthAt: number): number =>
      this.handOver(Buffer.from(textOf(this.run)), pointerAt, lengthAt),
    proxy_get_shared_data: (
      key: number,
      keyLength: number,
      pointerAt: number,
      lengthAt: number,
      markAt: number,
    ): number => {
      const value = this.values.get(this.key(key, keyLength));
      if (value === undefined) return NOT_FOUND;
      this.writeU32(markAt, value.mark);
      return this.handOver(value.bytes, pointerAt, lengthAt);
    },
    proxy_set_shared_data: (key: number, keyLength: number, start: number, length: number, mark: number): number => {
      const name = this.key(key, keyLength);
      const value = this.values.get(name);
      if (value === undefined) {
        this.values.set(name, { bytes: this.slice(start, length).slice(), mark: ++this.marks });
        return OK;
      }
      if (mark !== 0 && mark >>> 0 !== value.mark) return CAS_MISMATCH;
      if (value.bytes.length === length) value.bytes.set(this.slice(start, length));
      else value.bytes = this.slice(start, length).slice();
      value.mark = ++this.marks;
      return OK;
    },
    proxy_define_metric: (_kind: number, _name: number, _length: number, idAt: number): number => {
      this.metrics.push(0n);
      return this.writeU32(idAt, this.metrics.length - 1);
    },
    proxy_increment_metric: (id: number, by: bigint): number => {
      this.metrics[id] = (this.metrics[id] ?? 0n) + by;
      return OK;
    },
    proxy_record_metric: (id: number, value: bigint): number => {
      this.metrics[id] = value;
      return OK;
    },
    proxy_get_metric: (id: number, at: number): number => {
      this.memory().setBigInt64(at, this.metrics[id] ?? 0n, true);
      return OK;
    },
    random_get: (at: number, length: number): number => {
      randomFillSync(this.slice(at, length));
      return OK;
    },
    clock_time_get: (_clock: number, _precision: bigint, at: number): number => {
      this.memory().setBigUint64(at, process.hrtime.bigint(), true);
      return OK;
    },
    // What ASC_RTRACE=1 imports: the address of a block, whose header begins with its size and two bits of state.
    onalloc: (block: number): void => {
      this.allocatedBytes += this.memory().getUint32(block, true) & ~3;
    },
    // Whether the collector is to follow an object; and the target of a load or store, each of which is reported.
    onvisit: (): number => 1,
    onload: (address: number): number => address,
    onstore: (address: number): number => address,
  };

  private said(text: string): void {
    const [, phase, operation = "", times, rounds] = /measured: (\w+) ?(\w*) ?(\d*)(?: x (\d+))?/.exec(text) ?? [];
    if (phase === "ran") this.allocated.set(this.operation, this.allocatedBytes / this.allocatedOperations);
    this.reader.read(text);
    this.allocatedBytes = 0;
    if (phase !== "begin") return;
    this.operation = operation;
    this.allocatedOperations = Number(times) * Number(rounds);
  }

  private key(start: number, length: number): string {
    return Buffer.from(this.memory().buffer, start, length).toString("latin1");
  }

  private handOver(value: Uint8Array, pointerAt: number, lengthAt: number): number {
    if (value.length === 0) {
      this.writeU32(pointerAt, 0);
      return this.writeU32(lengthAt, 0);
    }
    const pointer = this.exports?.proxy_on_memory_allocate(value.length) ?? 0;
    if (pointer === 0) return INVALID_MEMORY_ACCESS;
    this.slice(pointer, value.length).set(value);
    this.writeU32(pointerAt, pointer);
    return this.writeU32(lengthAt, value.length);
  }

  private writeU32(at: number, value: number): number {
    this.memory().setUint32(at, value, true);
    return OK;
  }

  private slice(start: number, length: number): Uint8Array {
    this.memory();
    return this.bytes.subarray(start, start + length);
  }

  private memory(): DataView {
    const buffer = this.exports?.memory.buffer;
    if (buffer !== undefined && this.view.buffer !== buffer) {
      this.view = new DataView(buffer);
      this.bytes = new Uint8Array(buffer);
    }
    return this.view;
  }
}

interface Exports {
  memory: WebAssembly.Memory;
  _initialize: () => void;
  proxy_on_context_create: (context: number, parent: number) => void;
  proxy_on_configure: (context: number, length: number) => number;
  proxy_on_tick: (context: number) => void;
  proxy_on_memory_allocate: (size: number) => number;
}

const OK = 0;
const NOT_FOUND = 1;
const INVALID_MEMORY_ACCESS = 6;
const CAS_MISMATCH = 8;
const START_NANOSECONDS = 1_790_000_000_000_000_000n;
const MOST_TICKS = 10_000;
