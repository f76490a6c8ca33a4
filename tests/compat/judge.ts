/**
 * Holds what failed on an Envoy to what tests/compat/ says that it cannot do: all of that must fail, and nothing else may. Chance
 * decides about some of it, and is named there.
 */
import type { Difference } from "./differences.ts";
import type { SuiteResult } from "../../tools/checks/suites/suites.ts";

export interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** What a file's tests came to, where `known` ones are expected to fail. */
export function judge(
  { passed, failed, skipped, failures = [], passes = [] }: SuiteResult,
  known: Difference[],
): { count: Count; complaints: string[] } {
  const isKnown = (name: string): boolean => known.some(({ tests }) => tests.test(name));
  const unexplained = failures.filter(({ name }) => !isKnown(name));
  const outdated = known.flatMap(({ tests, byChance, why }) => {
    const of = `differences.ts says that ${tests} fail, as ${why}`;
    if (byChance === true) return [];
    if (!failures.some(({ name }) => tests.test(name))) return [`${of}: none does`];
    return passes.filter((name) => tests.test(name)).map((name) => `${of}: "${name}" passes`);
  });
  const explained = failures.length - unexplained.length;
  return {
    count: {
      passed,
      failed: failed - explained + outdated.length,
      skipped: skipped + explained,
    },
    complaints: [...unexplained.map(({ name }) => `FAILED: ${name}`), ...outdated],
  };
}
