/**
 * What is fuzzed with: an input is a few steps, each a kind (a small number that its target knows) and bytes. A case is one input after
 * another on one proxy. On disk a case is JSON with the bytes in hexadecimal.
 */

export interface Step {
  kind: number;
  bytes: Buffer;
}

export type Input = Step[];

export interface Case {
  target: string;
  /** Which of the target's configurations. */
  variant: number;
  inputs: Input[];
}

/** A promise was broken; the message says which. */
export class Violation extends Error {}

export function hold(kept: boolean, promise: () => string): asserts kept {
  if (!kept) throw new Violation(promise());
}

/** Something that inputs are given to. Runs of the same case on new sessions are the same. */
export interface Target {
  readonly name: string;
  /** Kinds of steps, from 0. */
  readonly kinds: number;
  readonly variants: number;
  readonly longestStep: number;
  /** Pieces worth putting in. */
  readonly dictionary: Buffer[];
  seeds(): Input[];
  open(wasm: WebAssembly.Module, variant: number): Session;
}

export interface Session {
  /** Memories of the VMs whose counters say what an input reached. */
  readonly memories: WebAssembly.Memory[];
  /** Throws a Violation, or a Trap of the fake host. */
  run(input: Input): void;
  /** What is too dear after each input: bystanders, sizes, and that all still works. */
  check(): void;
}

export function toText({ target, variant, inputs }: Case, found = ""): string {
  const plain = inputs.map((input) => input.map(({ kind, bytes }) => [kind, bytes.toString("hex")]));
  return `${JSON.stringify({ target, variant, found, inputs: plain }, undefined, 2)}\n`;
}

export function fromText(text: string): Case {
  const { target, variant, inputs } = JSON.parse(text) as {
    target: string;
    variant: number;
    inputs: [number, string][][];
  };
  return {
    target,
    variant,
    inputs: inputs.map((input) => input.map(([kind, hex]) => ({ kind, bytes: Buffer.from(hex, "hex") }))),
  };
}
