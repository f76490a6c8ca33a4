/**
 * Inputs and cases. An input is a few steps, each with a kind (a small number that its target defines) and bytes. A case is
 * a sequence of inputs on one proxy. On disk a case is JSON with the bytes in hexadecimal.
 */

export interface Step {
  kind: number;
  bytes: Buffer;
}

export type Input = Step[];

export interface Case {
  target: string;
  /** The number of the target's configuration. */
  variant: number;
  inputs: Input[];
}

/** A broken promise, which the message names. */
export class Violation extends Error {}

export function hold(kept: boolean, promise: () => string): asserts kept {
  if (!kept) throw new Violation(promise());
}

/** The part of the filter that takes the inputs. Runs of one case on new sessions are equal. */
export interface Target {
  readonly name: string;
  /** Kinds of steps, from 0. */
  readonly kinds: number;
  readonly variants: number;
  readonly maxStepLength: number;
  /** Meaningful pieces for mutations to insert. */
  readonly dictionary: Buffer[];
  seeds(): Input[];
  open(wasm: WebAssembly.Module, variant: number): Session;
}

export interface Session {
  /** Memories of the VMs whose counters show the blocks that an input reached. */
  readonly memories: WebAssembly.Memory[];
  /** Throws a Violation, or a Trap of the fake host. */
  run(input: Input): void;
  /** Checks that are too expensive after each input: bystanders, sizes, and that everything still works. */
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
