/**
 * Runs fuzzers, each in its own thread, checks that each input ends, and returns the findings. Used by `npm run fuzz` and by
 * the minute of fuzzing in `npm test`.
 */
import { Worker } from "node:worker_threads";
import { countedModule, builtModule } from "./modules.ts";
import { type Input, toText } from "./input.ts";
import { parserModule } from "./parser.ts";
import { TARGETS } from "./targets/all.ts";
import { CURRENT_HEADER, CURRENT_SIZE, type Found, type Orders, type Progress } from "./thread.ts";

export const NAMES: readonly string[] = [...TARGETS.map(({ name }) => name), "parser"];

export interface RunOptions {
  seed: number;
  seconds: number;
  /** Ends before `seconds` after so many inputs. */
  inputs?: number;
  names?: readonly string[];
  threads?: number;
  /** Called about once a second for each thread. */
  progress?: (counts: Progress["counts"]) => void;
}

export interface RunResult {
  counts: Progress["counts"];
  /** How many counters the module has. */
  counters: number;
  found: Found[];
}

/** The threads' seeds are consecutive. The first finding ends all threads. */
export async function fuzz(options: RunOptions): Promise<RunResult> {
  const { inputs = Infinity, names = NAMES, threads = 1 } = options;
  const counted = await countedModule();
  const orders = {
    seconds: options.seconds,
    inputs: inputs / threads,
    names: [...names],
    counted: counted.wasm,
    counters: counted.counters,
    built: builtModule(),
    parser: await parserModule(),
  };
  const counts: Progress["counts"][] = [];
  const runs = Array.from({ length: threads }, (_, index) => {
    const current = new SharedArrayBuffer(CURRENT_SIZE);
    return new ThreadRun({ ...orders, seed: options.seed + index, current }, (latest) => {
      counts[index] = latest;
      options.progress?.(sum(counts));
    });
  });
  const found: Found[] = [];
  await Promise.all(
    runs.map(async (run) => {
      const one = await run.ended;
      if (one === undefined) return;
      found.push(one);
      for (const other of runs) other.stop();
    }),
  );
  return { counts: sum(counts), counters: counted.counters, found };
}

class ThreadRun {
  readonly ended: Promise<Found | undefined>;
  private readonly worker: Worker;

  constructor(
    private readonly orders: Orders,
    progress: (counts: Progress["counts"]) => void,
  ) {
    this.worker = new Worker(new URL("thread.mjs", import.meta.url), { workerData: orders });
    this.ended = new Promise((resolve, reject) => {
      const watch = this.watch(resolve);
      this.worker.on("message", (message: Progress | Found) => {
        if (message.kind === "found") return resolve(message);
        progress(message.counts);
        if (message.kind === "end") resolve(undefined);
      });
      this.worker.on("error", reject);
      this.worker.on("exit", () => resolve(undefined));
      void this.closed().then(() => clearInterval(watch));
    });
  }

  stop(): void {
    void this.worker.terminate();
  }

  private closed(): Promise<void> {
    return new Promise((resolve) => this.worker.once("exit", () => resolve()));
  }

  /** Reports a hanging input if no new one begins for HANG_MILLISECONDS, which leaves time to minimise a finding. */
  private watch(hangs: (found: Found) => void): NodeJS.Timeout {
    const header = new Int32Array(this.orders.current, 0, 3);
    let before = -1;
    let since = Date.now();
    const interval = setInterval(() => {
      const inputs = Atomics.load(header, 0);
      if (inputs !== before) {
        before = inputs;
        since = Date.now();
      } else if (Date.now() - since > HANG_MILLISECONDS) {
        clearInterval(interval);
        hangs(this.hanging());
        this.stop();
      }
    }, 1000);
    return interval;
  }

  private hanging(): Found {
    const { current, seed } = this.orders;
    const [inputs = 0, nameLength = 0, length = 0] = new Int32Array(current, 0, 3);
    const all = Buffer.from(current);
    const target = all.toString("utf8", CURRENT_HEADER, CURRENT_HEADER + nameLength);
    const from = CURRENT_HEADER + nameLength;
    const input: Input = [];
    for (let at = from; at + 5 <= from + length;) {
      const bytes = Buffer.from(all.subarray(at + 5, at + 5 + all.readUInt32LE(at + 1)));
      input.push({ kind: all.readUInt8(at), bytes });
      at += 5 + bytes.length;
    }
    const which = `input ${inputs} of seed ${seed} (the case is its last input only)`;
    const message = `no new input for ${HANG_MILLISECONDS / 1000} s: ${which}`;
    const text = toText({ target, variant: 0, inputs: [input] }, message);
    return { kind: "found", target, message, text, onBuilt: false };
  }
}

function sum(threads: (Progress["counts"] | undefined)[]): Progress["counts"] {
  const total = new Map<string, Progress["counts"][number]>();
  for (const counts of threads) {
    for (const { name, inputs, kept, reached } of counts ?? []) {
      const before = total.get(name);
      total.set(name, {
        name,
        inputs: inputs + (before?.inputs ?? 0),
        kept: kept + (before?.kept ?? 0),
        reached: Math.max(reached, before?.reached ?? 0),
      });
    }
  }
  return [...total.values()];
}

/** Longer than a thread takes to minimise a case. */
const HANG_MILLISECONDS = 120_000;
