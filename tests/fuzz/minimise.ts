/** Makes a failing case smaller while it still fails: fewer inputs, fewer steps, fewer bytes. Takes a minute at most. */
import type { Case, Input } from "./input.ts";

export function minimised(found: Case, fails: (candidate: Case) => boolean): Case {
  const end = Date.now() + MINUTE_MILLISECONDS;
  const still = (inputs: Input[]): boolean => Date.now() < end && fails({ ...found, inputs });
  let { inputs } = found;
  const last = inputs.slice(-1);
  if (still(last)) inputs = last;
  inputs = shorter(inputs, still);
  for (let i = 0; i < inputs.length; i++) {
    const input = shorter(inputs[i] ?? [], (steps) => still(inputs.with(i, steps)));
    inputs = inputs.with(i, input);
    for (let k = 0; k < input.length; k++) {
      const withBytes = (bytes: number[]): Input[] => {
        const steps = inputs[i] ?? [];
        const step = steps[k];
        return step === undefined
          ? inputs
          : inputs.with(i, steps.with(k, { kind: step.kind, bytes: Buffer.from(bytes) }));
      };
      inputs = withBytes(shorter([...(input[k]?.bytes ?? [])], (bytes) => still(withBytes(bytes))));
    }
  }
  return { ...found, inputs };
}

/** Leaves out runs of items, longest runs first. */
function shorter<T>(items: T[], still: (fewer: T[]) => boolean): T[] {
  let kept = items;
  for (let run = kept.length >> 1; run > 0; run >>= 1) {
    for (let at = 0; at < kept.length;) {
      const fewer = kept.toSpliced(at, run);
      if (still(fewer)) kept = fewer;
      else at += run;
    }
  }
  return kept;
}

const MINUTE_MILLISECONDS = 60_000;
