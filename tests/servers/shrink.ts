/** Makes a failing case smaller: drops each step, and each detail, without which the case still fails. */
import type { Case } from "./mutations/step.ts";

export async function shrunk(failing: Case, fails: (smaller: Case) => Promise<boolean>): Promise<Case> {
  let smallest = failing;
  for (let at = smallest.steps.length - 1; at >= 0; at--) {
    const smaller = { ...smallest, steps: smallest.steps.filter((_, index) => index !== at) };
    if (await fails(smaller)) smallest = smaller;
  }
  for (const detail of ["accepted", "mutatesRenewal", "chain", "removes"] as const) {
    if (smallest[detail] === undefined || smallest[detail] === false) continue;
    const { [detail]: _, ...smaller } = smallest;
    if (await fails(smaller)) smallest = smaller;
  }
  return smallest;
}
