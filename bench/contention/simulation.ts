/**
 * Workers that share one store behind one mutex, simulated in virtual time: the real module, real contents of the store and real
 * compare-and-set, in the order in which cores of their own would come to the mutex. It is not a measurement of many cores.
 *
 * The worker whose access comes next by virtual time goes on, alone, until its own next access. An access waits until the mutex is
 * free, and holds it for a time that follows from the value's length (`HoldTimes`). Who comes first goes first.
 */
import { Worker } from "node:worker_threads";
import {
  BUFFER_SIZE,
  ELAPSED_OFFSET,
  END_OFFSET,
  Field,
  KEY_OFFSET,
  Kind,
  NOW_OFFSET,
  Turn,
  VALUE_OFFSET,
  type WorkerOrder,
  type Workload,
} from "./messages.ts";

export interface SimulationOptions {
  module: WebAssembly.Module;
  workers: number;
  workload: Workload;
  /** Nanoseconds of a worker for a connection, without the shared store. */
  ownNanoseconds: number;
  sessions: number;
  /** Virtual seconds that are measured. */
  seconds: number;
  holds: HoldTimes;
}

/** Nanoseconds for which an access holds the mutex, for any value and for each KiB of it. */
export interface HoldTimes {
  get: number;
  getKibibyte: number;
  set: number;
  setKibibyte: number;
}

export interface SimulationResult {
  handshakesPerSecond: number;
  /** Of all workers' time. */
  waitingShare: number;
  /** Of the time of the mutex. */
  heldShare: number;
  accessesPerHandshake: number;
  /** Of the writes that name a mark. */
  conflictShare: number;
  /** Accesses and conflicts by the kind of value. */
  accesses: Map<string, number>;
  conflicts: Map<string, number>;
  /** The longest wait of one access, in microseconds. */
  longestWait: number;
}

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const simulated: SimulatedWorker[] = [];
  try {
    return run(options, simulated);
  } finally {
    for (const { thread } of simulated) await thread.terminate();
  }
}

function run(options: SimulationOptions, simulated: SimulatedWorker[]): SimulationResult {
  const store = new Store();
  for (let worker = 0; worker < options.workers; worker++) simulated.push(new SimulatedWorker(options, worker));
  for (const worker of simulated) worker.goOn(worker.number * START_GAP_NANOSECONDS);
  const begin = proceed(simulated, store, options.holds, new Sums(), 0);
  for (const worker of simulated) {
    worker.endAt(begin + options.seconds * 1e9);
    worker.goOn(begin + worker.number * START_GAP_NANOSECONDS);
  }
  const sums = new Sums();
  proceed(simulated, store, options.holds, sums, begin);
  const handshakes = simulated.reduce((sum, worker) => sum + worker.handshakes, 0);
  const nanoseconds = options.seconds * 1e9;
  return {
    handshakesPerSecond: handshakes / options.seconds,
    waitingShare: sums.waiting / (nanoseconds * options.workers),
    heldShare: sums.held / nanoseconds,
    accessesPerHandshake: sums.accesses / handshakes,
    conflictShare: sums.conflicts / sums.marked,
    accesses: sums.accessesByKind,
    conflicts: sums.conflictsByKind,
    longestWait: sums.longestWait / 1000,
  };
}

/** Serves accesses in the order of virtual time until all workers stand still; returns when the mutex is free for good. */
function proceed(simulated: SimulatedWorker[], store: Store, holds: HoldTimes, sums: Sums, begin: number): number {
  let freeAt = begin;
  for (let next = earliest(simulated); next !== undefined; next = earliest(simulated)) {
    const at = Math.max(next.arrival, freeAt);
    const hold = store.serve(next, holds, sums);
    sums.wait(at - next.arrival);
    sums.held += hold;
    freeAt = at + hold;
    next.goOn(freeAt);
  }
  return freeAt;
}

/** The worker that comes to the mutex next; undefined if all stand still. */
function earliest(workers: readonly SimulatedWorker[]): SimulatedWorker | undefined {
  let found: SimulatedWorker | undefined;
  for (const worker of workers) {
    if (worker.standsStill) continue;
    if (found === undefined || worker.arrival < found.arrival) found = worker;
  }
  return found;
}

class SimulatedWorker {
  readonly thread: Worker;
  readonly numbers: Int32Array;
  readonly bytes: Buffer;
  /** Virtual time of its access. */
  arrival = 0;
  private readonly elapsedAt: Float64Array;
  private readonly nowAt: Float64Array;
  private readonly endNanoseconds: Float64Array;

  constructor(
    { module, workers, workload, ownNanoseconds, sessions }: SimulationOptions,
    readonly number: number,
  ) {
    const buffer = new SharedArrayBuffer(BUFFER_SIZE);
    this.numbers = new Int32Array(buffer, 0, 8);
    this.bytes = Buffer.from(buffer);
    this.elapsedAt = new Float64Array(buffer, ELAPSED_OFFSET, 1);
    this.nowAt = new Float64Array(buffer, NOW_OFFSET, 1);
    this.endNanoseconds = new Float64Array(buffer, END_OFFSET, 1);
    const order: WorkerOrder = { module, buffer, worker: number, workers, workload, ownNanoseconds, sessions };
    this.thread = new Worker(new URL("./worker_start.mjs", import.meta.url), { workerData: order });
    this.thread.on("error", (error) => {
      throw error;
    });
  }

  get standsStill(): boolean {
    const kind = this.numbers[Field.KIND];
    return kind === Kind.Filled || kind === Kind.End;
  }

  endAt(nanoseconds: number): void {
    this.endNanoseconds[0] = nanoseconds;
  }

  get handshakes(): number {
    return this.numbers[Field.HANDSHAKES] ?? 0;
  }

  /** Lets the worker go on at a virtual time, and waits for its next access. */
  goOn(now: number): void {
    this.nowAt[0] = now;
    Atomics.store(this.numbers, Field.TURN, Turn.Worker);
    Atomics.notify(this.numbers, Field.TURN);
    const outcome = Atomics.wait(this.numbers, Field.TURN, Turn.Worker, PATIENCE_MILLISECONDS);
    if (outcome === "timed-out") throw new Error(`worker ${this.number} does not go on`);
    this.arrival = now + (this.elapsedAt[0] ?? 0);
  }
}

/** As `tests/fake_host/shared_data.ts` keeps it. */
class Store {
  private readonly entries = new Map<string, { value: Buffer; cas: number }>();
  private lastCas = 0;

  /** Answers an access; returns for how long it holds the mutex. */
  serve({ numbers, bytes }: SimulatedWorker, holds: HoldTimes, sums: Sums): number {
    const key = bytes.toString("latin1", KEY_OFFSET, KEY_OFFSET + (numbers[Field.KEY_LENGTH] ?? 0));
    const entry = this.entries.get(key);
    sums.access(key);
    if (numbers[Field.KIND] === Kind.Get) {
      numbers[Field.STATUS] = entry === undefined ? NOT_FOUND : OK;
      if (entry === undefined) return holds.get;
      entry.value.copy(bytes, VALUE_OFFSET);
      numbers[Field.VALUE_LENGTH] = entry.value.length;
      numbers[Field.CAS] = entry.cas;
      return holds.get + (holds.getKibibyte * entry.value.length) / 1024;
    }
    const length = numbers[Field.VALUE_LENGTH] ?? 0;
    const cas = (numbers[Field.CAS] ?? 0) >>> 0;
    if (cas !== 0) sums.marked++;
    if (entry !== undefined && cas !== 0 && cas !== entry.cas) {
      sums.conflict(key);
      numbers[Field.STATUS] = CAS_MISMATCH;
      return holds.set;
    }
    const value = Buffer.from(bytes.subarray(VALUE_OFFSET, VALUE_OFFSET + length));
    this.entries.set(key, { value, cas: ++this.lastCas });
    numbers[Field.STATUS] = OK;
    return holds.set + (holds.setKibibyte * length) / 1024;
  }
}

class Sums {
  accesses = 0;
  marked = 0;
  conflicts = 0;
  waiting = 0;
  held = 0;
  longestWait = 0;
  readonly accessesByKind = new Map<string, number>();
  readonly conflictsByKind = new Map<string, number>();

  wait(nanoseconds: number): void {
    this.waiting += nanoseconds;
    if (nanoseconds > this.longestWait) this.longestWait = nanoseconds;
  }

  access(key: string): void {
    this.accesses++;
    countKind(this.accessesByKind, key);
  }

  conflict(key: string): void {
    this.conflicts++;
    countKind(this.conflictsByKind, key);
  }
}

function countKind(counts: Map<string, number>, key: string): void {
  const kind = FAMILIES.find((family) => key.includes(`/${family}`)) ?? "other";
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}

/** Kinds of values that are written with a mark (`assembly/shared/store_key.ts`). */
const FAMILIES = [
  "page",
  "counts",
  "directory",
  "events",
  "names",
  "ticket_keys",
  "issuers",
  "steering",
  "sweeper",
  "tally",
  "settings",
];
const OK = 0;
const NOT_FOUND = 1;
const CAS_MISMATCH = 8;
const START_GAP_NANOSECONDS = 1_000;
const PATIENCE_MILLISECONDS = 60_000;
