/** One run of the module for measuring: its orders, and the reader of its answers (see `bench_root.ts`). */
export interface Run {
  sessions: number;
  maxMemoryMib: number;
  /** 0 = unlimited. */
  cacheSize: number;
  /** Nothing but the host's own reading of 64-byte values. */
  hostOnly: boolean;
  /** Sessions to remove before all are flushed, with work on the whole cache measured; 0 for neither. */
  removals: number;
  /** Fills the cache, and no more. */
  fillsOnly?: boolean;
}

/** How long slices of work on the whole cache have held the worker, in nanoseconds. */
export interface Slices {
  count: number;
  sum: number;
  median: number;
  p99: number;
  p999: number;
  longest: number;
  aboveMillisecond: number;
}

/** After each of these the module idles for a second: memory can be read. */
export const IDLE_PHASES = ["before", "filled", "removed", "flushed"] as const;
export type IdlePhase = (typeof IDLE_PHASES)[number];

export interface Measurements {
  fillNanoseconds: number;
  /** Nanoseconds of each operation. */
  operations: Map<string, number>;
  /** Bytes that each operation allocates in the module, if the host can see it. */
  allocated?: Map<string, number>;
  /** Of a listing of 100 sessions, from the request to the end of the answer, over HTTP. */
  httpListingNanoseconds?: number;
  /** Resident memory of the host, if it has a process of its own. */
  bytesPerSession?: number;
  residentBytes?: Map<string, number>;
  /** By work on the whole cache. */
  slices: Map<string, Slices>;
  /** Of one of many removals. */
  removalNanoseconds: number;
  /** As the module has said it: numbers of pages, bytes in use, bytes stored. */
  pages: string;
}

export function textOf(run: Run): string {
  return `${run.sessions} ${run.maxMemoryMib} ${run.cacheSize} ${run.hostOnly ? 1 : 0} ${run.removals} ${run.fillsOnly === true ? 1 : 0}`;
}

export class Reader {
  /** The first word of the last line. */
  phase = "";
  done = false;
  private fillNanoseconds = 0;
  private removalNanoseconds = 0;
  private pages = "";
  private readonly slices = new Map<string, Slices>();
  private readonly operations = new Map<string, number>();

  /** The whole log up to now. */
  read(log: string): void {
    for (const [, text = ""] of log.matchAll(/measured: (.*)/g)) this.line(text);
  }

  line(text: string): void {
    const [phase = "", first = "", second = "", ...further] = text.trim().split(" ");
    this.phase = phase;
    if (phase === "filled") [this.fillNanoseconds, this.pages] = [Number(first), [second, ...further].join(" ")];
    else if (phase === "removed") this.removalNanoseconds = Number(first);
    else if (phase === "slices") this.slices.set(first, slicesOf([second, ...further].map(Number)));
    else if (phase === "end") this.operations.set(first, Number(second));
    else if (phase === "done") this.done = true;
    else if (!SILENT_PHASES.includes(phase)) throw new Error(`the module says: ${text}`);
  }

  measurements(): Measurements {
    const { fillNanoseconds, operations, slices, removalNanoseconds, pages } = this;
    return { fillNanoseconds, operations, slices, removalNanoseconds, pages };
  }
}

function slicesOf(figures: number[]): Slices {
  const [count = 0, sum = 0, median = 0, p99 = 0, p999 = 0, longest = 0, aboveMillisecond = 0] = figures;
  return { count, sum, median, p99, p999, longest, aboveMillisecond };
}

const SILENT_PHASES = ["before", "begin", "ran", "flushed"];
