/**
 * The fuzzers of one thread, in turns of a second each. The current input lies in memory that the starting thread shares, so
 * that thread can see an input that does not end.
 */
import { parentPort, workerData } from "node:worker_threads";
import { type Finding, Fuzzer, failureOf } from "./fuzzer.ts";
import { type Case, type Target, toText } from "./input.ts";
import { minimised } from "./minimise.ts";
import { parserFuzz } from "./parser.ts";
import { TARGETS } from "./targets/all.ts";

export interface Orders {
  seed: number;
  seconds: number;
  /** Ends before `seconds` after so many inputs. */
  inputs: number;
  /** Names of targets, and "parser". */
  names: string[];
  counted: Uint8Array<ArrayBuffer>;
  counters: number;
  built: Uint8Array<ArrayBuffer>;
  parser: Uint8Array<ArrayBuffer>;
  /** The current input, laid out as CURRENT_HEADER describes. */
  current: SharedArrayBuffer;
}

export interface Progress {
  kind: "progress" | "end";
  counts: { name: string; inputs: number; kept: number; reached: number }[];
}

export interface Found {
  kind: "found";
  target: string;
  message: string;
  /** The case in the format of tests/fuzz/found. */
  text: string;
  /** Whether it fails on the built module too. */
  onBuilt: boolean;
}

/** i32: inputs begun, bytes of the name, bytes of the input. Then the name of the target, then the input. */
export const CURRENT_HEADER = 12;
export const CURRENT_SIZE = 200_000;

function run(orders: Orders): void {
  const counted = new WebAssembly.Module(orders.counted);
  const built = new WebAssembly.Module(orders.built);
  const runners = TARGETS.filter(({ name }) => orders.names.includes(name)).map(
    (target) => new TargetRunner(target, counted, built, orders),
  );
  const all: Runner[] = orders.names.includes("parser") ? [...runners, new ParserRunner(orders)] : runners;
  const end = Date.now() + orders.seconds * 1000;
  let inputs = 0;
  while (Date.now() < end && inputs < orders.inputs) {
    for (const runner of all) {
      const turnEnds = Math.min(end, Date.now() + TURN_MILLISECONDS);
      while (Date.now() < turnEnds) {
        const found = runner.some();
        if (found === undefined) continue;
        send({ kind: "progress", counts: all.map((one) => one.counts) });
        send(found);
        return;
      }
    }
    const counts = all.map((runner) => runner.counts);
    inputs = counts.reduce((sum, one) => sum + one.inputs, 0);
    send({ kind: "progress", counts });
  }
  send({ kind: "end", counts: all.map((runner) => runner.counts) });
}

function send(message: Progress | Found): void {
  parentPort?.postMessage(message);
}

interface Runner {
  readonly counts: Progress["counts"][number];
  /** Runs a few inputs. */
  some(): Found | undefined;
}

class TargetRunner implements Runner {
  private readonly fuzzer: Fuzzer;

  constructor(
    private readonly target: Target,
    private readonly counted: WebAssembly.Module,
    private readonly built: WebAssembly.Module,
    orders: Orders,
  ) {
    const current = new Current(orders.current, target.name);
    this.fuzzer = new Fuzzer(target, counted, orders.counters, orders.seed, (input) => current.show(input));
  }

  get counts(): Progress["counts"][number] {
    const { corpus, inputs, reached } = this.fuzzer;
    return { name: this.target.name, inputs, kept: corpus.length, reached };
  }

  some(): Found | undefined {
    for (let i = 0; i < 16; i++) {
      const finding = this.fuzzer.step();
      if (finding !== undefined) return this.report(finding);
    }
    return undefined;
  }

  private report(finding: Finding): Found {
    const { counted, built, target } = this;
    const fails = (candidate: Case): boolean => failureOf(target, counted, candidate) !== undefined;
    const small = fails(finding.case) ? minimised(finding.case, fails) : finding.case;
    const message = failureOf(target, counted, small) ?? `${finding.message} (only once: it did not fail again)`;
    const onBuilt = failureOf(target, built, small) !== undefined;
    return { kind: "found", target: target.name, message, text: toText(small, message), onBuilt };
  }
}

class ParserRunner implements Runner {
  readonly counts = { name: "parser", inputs: 0, kept: 0, reached: 0 };
  private readonly fuzz: ReturnType<typeof parserFuzz>;
  private readonly current: Current;

  constructor(private readonly orders: Orders) {
    this.fuzz = parserFuzz(new WebAssembly.Module(orders.parser));
    this.current = new Current(orders.current, "parser");
  }

  some(): Found | undefined {
    const seed = (this.orders.seed * 1_000_003 + this.counts.inputs / PARSER_INPUTS) >>> 0;
    const text = `fuzz(${seed}, ${PARSER_INPUTS}) of tests/fuzz/handshake_fuzz.ts`;
    this.current.show([{ kind: 0, bytes: Buffer.from(text) }]);
    try {
      const answer = this.fuzz(seed, PARSER_INPUTS);
      this.counts.inputs += PARSER_INPUTS;
      if (answer === 0) return undefined;
      return { kind: "found", target: "parser", message: `${text} returns ${answer}`, text, onBuilt: true };
    } catch (trap) {
      return { kind: "found", target: "parser", message: `${text} traps: ${String(trap)}`, text, onBuilt: true };
    }
  }
}

class Current {
  private readonly header: Int32Array;
  private readonly bytes: Buffer;
  private readonly name: Buffer;

  constructor(memory: SharedArrayBuffer, name: string) {
    this.header = new Int32Array(memory, 0, 3);
    this.bytes = Buffer.from(memory);
    this.name = Buffer.from(name);
  }

  /** In front of the bytes of each step: its kind (1 byte) and their length (4 bytes). */
  show(input: { kind: number; bytes: Buffer }[]): void {
    let at = CURRENT_HEADER + this.name.copy(this.bytes, CURRENT_HEADER);
    const from = at;
    for (const { kind, bytes } of input) {
      if (at + 5 + bytes.length > this.bytes.length) break;
      at = this.bytes.writeUInt32LE(bytes.length, this.bytes.writeUInt8(kind, at));
      at += bytes.copy(this.bytes, at);
    }
    this.header[1] = this.name.length;
    this.header[2] = at - from;
    Atomics.add(this.header, 0, 1);
  }
}

const TURN_MILLISECONDS = 1000;
const PARSER_INPUTS = 1000;

if (parentPort !== null) run(workerData as Orders);
