/** Holds what failed on an Envoy to what tests/compat/ says that it cannot do. */
import type { Difference } from "./differences.ts";
import type { Failure, SuiteResult } from "../../tools/checks/suites.ts";

export interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** What a file's tests came to, where `known` ones are expected to fail. */
export function judge(
  { passed, failed, skipped, failures = [] }: SuiteResult,
  known: Difference[],
): { count: Count; complaints: string[] } {
  const explains = (failure: Failure) => (difference: Difference) => difference.tests.test(failure.name);
  const explained = failures.filter((failure) => known.some(explains(failure)));
  const gone = known.filter((difference) => !failures.some((failure) => explains(failure)(difference)));
  const complaints = [
    ...failures.filter((failure) => !explained.includes(failure)).map(({ name }) => `FAILED: ${name}`),
    ...gone.map(({ tests, why }) => `differences.ts says that ${tests} fail, as ${why}: none does`),
  ];
  return {
    count: {
      passed,
      failed: failed - explained.length + gone.length,
      skipped: skipped + explained.length,
    },
    complaints,
  };
}
