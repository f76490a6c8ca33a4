/** One run of the module for measuring: its orders, and the reader of its answers (see `bench_root.ts`). */
export interface Run {
  sessions: number;
  maxMemoryMib: number;
  /** 0 = unlimited. */
  cacheSize: number;
  /** Nothing but the host's own reading of 64-byte values. */
  hostOnly: boolean;
}

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
}

export function textOf(run: Run): string {
  return `${run.sessions} ${run.maxMemoryMib} ${run.cacheSize} ${run.hostOnly ? 1 : 0}`;
}

export class Reader {
  /** The first word of the last line. */
  phase = "";
  done = false;
  private fillNanoseconds = 0;
  private readonly operations = new Map<string, number>();

  /** The whole log up to now. */
  read(log: string): void {
    for (const [, text = ""] of log.matchAll(/measured: (.*)/g)) this.line(text);
  }

  line(text: string): void {
    const [phase = "", first = "", second = ""] = text.trim().split(" ");
    this.phase = phase;
    if (phase === "filled") this.fillNanoseconds = Number(first);
    else if (phase === "end") this.operations.set(first, Number(second));
    else if (phase === "done") this.done = true;
    else if (phase !== "before" && phase !== "begin" && phase !== "ran") throw new Error(`the module says: ${text}`);
  }

  measurements(): Measurements {
    return { fillNanoseconds: this.fillNanoseconds, operations: this.operations };
  }
}
