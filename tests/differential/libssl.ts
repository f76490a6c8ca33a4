/**
 * A real libssl to compare with. Compiles libssl_cache.c and drives it over two named pipes, synchronously: a round trip
 * takes about 20 us. Needs a C compiler (`CC`, default cc; flags in `CFLAGS`, `LDFLAGS`) and headers of OpenSSL 3.0 or later.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BUILD_FOLDER } from "../../tools/project.ts";

export interface Compiled {
  program: string;
  /** OpenSSL's own version text. */
  version: string;
}

/** The program, or one line with the reason why there is none. */
export function compileLibssl(): Compiled | string {
  const folder = join(BUILD_FOLDER, "differential");
  const program = join(folder, "libssl_cache");
  mkdirSync(folder, { recursive: true });
  const flags = [...words(process.env.CFLAGS), ...words(process.env.LDFLAGS)];
  const compiler = process.env.CC ?? "cc";
  const args = ["-O2", "-o", program, SOURCE, ...flags, "-lssl", "-lcrypto"];
  const compiled = spawnSync(compiler, args, { encoding: "utf8" });
  if (compiled.error !== undefined) return `there is no C compiler (${compiler})`;
  if (compiled.status !== 0) return `libssl's headers or library are missing: ${firstError(compiled.stderr)}`;
  const tried = spawnSync(program, [], { encoding: "utf8" });
  if (tried.status !== 0) return `this libssl cannot be driven: ${tried.stderr.trim()}`;
  return { program, version: tried.stdout.trim() };
}

/** Codes of operations, as in libssl_cache.c. */
export const Code = {
  NEW: 0,
  TIME: 1,
  ADD: 2,
  REMOVE: 3,
  FLUSH: 4,
  SIZE: 5,
  TIMEOUT: 6,
  MODE: 7,
  HANDSHAKE: 8,
  PUT_BACK: 9,
  TURN: 10,
  HELD: 11,
} as const;

export const AddFlag = { SAME_OBJECT: 1, KEEP_TURN: 2 } as const;

export const HandshakeFlag = {
  BROKEN_OFF: 1,
  UNCLEAN: 2,
  ELSEWHERE: 4,
  EXTERNAL: 8,
  DO_NOT_STORE: 16,
  KEEP: 32,
} as const;

/** The decoded result of HANDSHAKE. */
export interface Outcome {
  completed: boolean;
  resumed: boolean;
  /** libssl dropped an expired session when it found it, and the session was put back. */
  keptExpired: boolean;
  keptUnclean: boolean;
  /** The slot of the client's session ID at the end, if it got one. */
  issued: number | undefined;
}

export function outcomeOf(returned: number): Outcome {
  const issued = (returned >> 8) - 1;
  return {
    completed: (returned & 1) !== 0,
    resumed: (returned & 2) !== 0,
    keptExpired: (returned & 4) !== 0,
    keptUnclean: (returned & 8) !== 0,
    issued: issued < 0 ? undefined : issued,
  };
}

export interface HeldSession {
  slot: number;
  /** 0 is TLS 1.2, 1 is TLS 1.1. */
  protocol: number;
  time: number;
  timeout: number;
}

export interface LibsslState {
  number: number;
  hits: number;
  misses: number;
  timeouts: number;
  cacheFull: number;
  /** By slot. If libssl holds sessions of several protocols in a slot, this has the last one, and `number` is greater. */
  held: Map<number, HeldSession>;
}

export class Libssl {
  state: LibsslState = { number: 0, hits: 0, misses: 0, timeouts: 0, cacheFull: 0, held: new Map() };

  private readonly folder = mkdtempSync(join(tmpdir(), "libssl-cache-"));
  private readonly child: ChildProcess;
  private readonly requests: number;
  private readonly answers: number;
  private readonly request = Buffer.alloc(4 + MAX_BATCH * OPERATION_BYTES);
  private readonly answer = Buffer.alloc(128 * 1024);
  private operations = 0;

  /** `ids`: the session IDs of the slots, in hex. */
  constructor(program: string, ids: readonly string[]) {
    const [requests, answers] = [join(this.folder, "requests"), join(this.folder, "answers")];
    const made = spawnSync("mkfifo", [requests, answers], { encoding: "utf8" });
    if (made.status !== 0) throw new Error(`mkfifo: ${made.error?.message ?? made.stderr}`);
    this.child = spawn(program, [requests, answers, ...ids], { stdio: ["ignore", "ignore", "inherit"] });
    this.child.unref();
    // Each open waits until the program has opened the other end.
    this.requests = openSync(requests, "w");
    this.answers = openSync(answers, "r");
  }

  /** Adds an operation to the batch. `run` returns the results in order. */
  put(code: number, slot = 0, a = 0, b = 0, c = 0, flags = 0): this {
    if (this.operations === MAX_BATCH) throw new Error("the batch is full");
    let at = 4 + this.operations++ * OPERATION_BYTES;
    for (const field of [code, slot, a, b, c, flags]) at = this.request.writeInt32LE(field, at);
    return this;
  }

  run(): number[] {
    const { operations } = this;
    this.operations = 0;
    this.request.writeInt32LE(operations, 0);
    writeAll(this.requests, this.request.subarray(0, 4 + operations * OPERATION_BYTES));
    const fixed = (operations + STATE_FIELDS) * 4;
    this.readTo(0, fixed);
    const count = this.answer.readInt32LE(fixed - 4);
    this.readTo(fixed, fixed + count * HELD_BYTES);
    const returned: number[] = [];
    for (let i = 0; i < operations; i++) returned.push(this.answer.readInt32LE(i * 4));
    this.state = this.readState(operations * 4, count);
    return returned;
  }

  /** Runs the batch and one more operation, and returns the result of the latter. */
  call(code: number, slot = 0, a = 0, b = 0, c = 0, flags = 0): number {
    return this.put(code, slot, a, b, c, flags).run().at(-1) ?? 0;
  }

  /** Ends the program, which stops at the end of its input. */
  close(): void {
    closeSync(this.requests);
    closeSync(this.answers);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private readState(at: number, count: number): LibsslState {
    const field = (index: number): number => this.answer.readInt32LE(at + index * 4);
    const held = new Map<number, HeldSession>();
    for (let i = 0; i < count; i++) {
      const from = STATE_FIELDS + i * HELD_FIELDS;
      const slot = field(from);
      held.set(slot, { slot, protocol: field(from + 1), time: field(from + 2), timeout: field(from + 3) });
    }
    return { number: field(0), hits: field(1), misses: field(2), timeouts: field(3), cacheFull: field(4), held };
  }

  private readTo(from: number, to: number): void {
    let at = from;
    while (at < to) {
      const length = readSync(this.answers, this.answer, at, to - at, null);
      if (length === 0) throw new Error("the libssl program has ended early");
      at += length;
    }
  }
}

function writeAll(file: number, bytes: Buffer): void {
  let at = 0;
  while (at < bytes.length) at += writeSync(file, bytes, at);
}

function words(text: string | undefined): string[] {
  return (text ?? "").split(/\s+/).filter((word) => word !== "");
}

function firstError(text: string): string {
  return (/^.*(?:error|cannot find).*$/m.exec(text)?.[0] ?? text.trim()).slice(0, 200);
}

const SOURCE = fileURLToPath(new URL("libssl_cache.c", import.meta.url));
const MAX_BATCH = 2048;
const OPERATION_BYTES = 24;
/** The number, four counters and the count of held sessions. */
const STATE_FIELDS = 6;
const HELD_FIELDS = 5;
const HELD_BYTES = HELD_FIELDS * 4;
