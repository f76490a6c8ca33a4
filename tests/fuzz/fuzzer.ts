/**
 * The loop: change an input, run it, and keep it if it ran a block that no input ran before, or ran one more often.
 *
 * As in AFL, counts fall into classes that double. A new proxy begins after SESSION_INPUTS inputs. If an input fails, all
 * inputs of its proxy are the case. Deterministic for a seed and a number of inputs. Keeps at most MAX_CORPUS inputs.
 */
import { Random } from "../support/random.ts";
import { COUNTERS_FROM } from "./counters.ts";
import { type Case, type Input, type Session, type Target, Violation } from "./input.ts";
import { mutated } from "./mutation.ts";

export interface Finding {
  case: Case;
  message: string;
}

export class Fuzzer {
  inputs = 0;
  /** How many counters any input has reached. */
  reached = 0;
  readonly corpus: Input[] = [];

  private readonly random: Random;
  private readonly seen: Uint8Array;
  private readonly seeds: Input[];
  private session: Session | undefined;
  private variant = 0;
  private history: Input[] = [];

  constructor(
    private readonly target: Target,
    private readonly wasm: WebAssembly.Module,
    private readonly counters: number,
    seed: number,
    private readonly beforeInput: (input: Input) => void = () => undefined,
  ) {
    this.random = new Random(seed);
    this.seen = new Uint8Array(counters);
    this.seeds = target.seeds();
  }

  /** Runs one input, and returns its finding, if any. */
  step(): Finding | undefined {
    const input = this.next();
    try {
      this.session ??= this.open();
      this.history.push(input);
      this.beforeInput(input);
      this.run(this.session, input);
    } catch (error) {
      const finding = { case: this.case, message: messageOf(error) };
      this.session = undefined;
      this.history = [];
      return finding;
    }
    return undefined;
  }

  private get case(): Case {
    return { target: this.target.name, variant: this.variant, inputs: this.history };
  }

  private run(session: Session, input: Input): void {
    const begin = performance.now();
    session.run(input);
    const milliseconds = performance.now() - begin;
    this.inputs++;
    if (this.collect(session)) this.keep(input);
    if (this.history.length % CHECK_INPUTS === 0) session.check();
    // A busy machine may be slow once. An input that is slow by itself is slow again.
    if (milliseconds > SLOW_MILLISECONDS) assertFast(this.target, this.wasm, this.case);
    if (this.history.length >= SESSION_INPUTS) {
      this.session = undefined;
      this.history = [];
    }
  }

  private next(): Input {
    const first = this.seeds[this.inputs];
    if (first !== undefined) return first;
    // The latest inputs led furthest.
    const late = Math.max(0, this.corpus.length - RECENT);
    const choose = (): Input =>
      this.corpus[
        this.random.below(3) === 0 ? late + this.random.below(RECENT) : this.random.below(this.corpus.length)
      ] ?? this.random.pick(this.seeds);
    return mutated(this.random, this.target, choose(), choose());
  }

  private open(): Session {
    this.variant = (this.variant + 1) % this.target.variants;
    const session = this.target.open(this.wasm, this.variant);
    this.clear(session);
    return session;
  }

  private keep(input: Input): void {
    if (this.corpus.length < MAX_CORPUS) this.corpus.push(input);
    else this.corpus[this.random.below(MAX_CORPUS)] = input;
  }

  /** Takes over the counters, sets them back, and reports whether they show a new block or a new class. */
  private collect(session: Session): boolean {
    let isNew = false;
    for (const memory of session.memories) {
      const counters = new Uint8Array(memory.buffer, COUNTERS_FROM, this.counters);
      const words = new Uint32Array(memory.buffer, COUNTERS_FROM, this.counters >> 2);
      for (let i = 0; i < words.length; i++) {
        if (words[i] === 0) continue;
        for (let k = i * 4; k < i * 4 + 4; k++) {
          const level = LEVELS[counters[k] ?? 0] ?? 0;
          const before = this.seen[k] ?? 0;
          if ((before | level) === before) continue;
          if (before === 0) this.reached++;
          this.seen[k] = before | level;
          isNew = true;
        }
      }
      counters.fill(0);
    }
    return isNew;
  }

  private clear(session: Session): void {
    for (const memory of session.memories) new Uint8Array(memory.buffer, COUNTERS_FROM, this.counters).fill(0);
  }
}

/** The failure of a case on a new proxy, if it fails. */
export function failureOf(target: Target, wasm: WebAssembly.Module, { inputs, variant }: Case): string | undefined {
  try {
    const session = target.open(wasm, variant);
    for (const input of inputs) {
      const begin = performance.now();
      session.run(input);
      const milliseconds = performance.now() - begin;
      if (milliseconds > HANGING_MILLISECONDS) throw new Violation(`an input took ${Math.round(milliseconds)} ms`);
    }
    session.check();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Runs the case three times: the fastest run of its last input counts. */
function assertFast(target: Target, wasm: WebAssembly.Module, { inputs, variant }: Case): void {
  let best = Infinity;
  for (let i = 0; i < 3; i++) {
    const session = target.open(wasm, variant);
    for (const input of inputs.slice(0, -1)) session.run(input);
    const begin = performance.now();
    session.run(inputs.at(-1) ?? []);
    best = Math.min(best, performance.now() - begin);
  }
  if (best > SLOW_MILLISECONDS) throw new Violation(`an input took ${Math.round(best)} ms`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const SESSION_INPUTS = 512;
const CHECK_INPUTS = 64;
const MAX_CORPUS = 20_000;
const RECENT = 64;
const SLOW_MILLISECONDS = 2000;
const HANGING_MILLISECONDS = 2000;
/** The class of a count, as one bit: 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, more. */
const LEVELS = Uint8Array.from({ length: 256 }, (_, times) => {
  if (times === 0) return 0;
  if (times <= 3) return 1 << (times - 1);
  if (times < 8) return 8;
  if (times < 16) return 16;
  if (times < 32) return 32;
  return times < 128 ? 64 : 128;
});
