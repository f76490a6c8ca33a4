import assert from "node:assert/strict";
import { test } from "node:test";
import { countNodeTests, countUnits, judgeCoverage } from "./suites.ts";

const UNIT_SUMMARY = "  [Summary]\n    [Tests]: \u001b[32m17\u001b[39m / 19\n   [Groups]: 9 / 9\n";

test("as-pect's summary is read through its colours", () => {
  const { passed, failed, output } = countUnits({ exitCode: 1, output: UNIT_SUMMARY });
  assert.deepEqual({ passed, failed }, { passed: 17, failed: 2 });
  assert.doesNotMatch(output, /\u001b/);
});

test("as-pect that crashes, or runs nothing, has failed", () => {
  assert.equal(countUnits({ exitCode: 1, output: "Error: unreachable" }).failed, 1);
  assert.equal(countUnits({ exitCode: null, output: "" }).failed, 1);
  assert.equal(countUnits({ exitCode: 0, output: "[Tests]: 0 / 0" }).failed, 1);
  assert.equal(countUnits({ exitCode: 1, output: "[Tests]: 3 / 3" }).failed, 1);
  assert.equal(countUnits({ exitCode: 0, output: "[Tests]: 3 / 3" }).failed, 0);
});

test("what as-pect ran before a crash still counts", () => {
  const output = "✔ a.spec.ts Pass: 5 / 5 Todo: 0 Time: 4ms\n❌ b.spec.ts Pass: 1 / 3 Todo: 0 Time: 4ms\nERROR TS2564";
  const { passed, failed } = countUnits({ exitCode: 1, output });
  assert.deepEqual({ passed, failed }, { passed: 6, failed: 3 });
});

test("node:test's counts are taken over", () => {
  const counts = { passed: 4, failed: 1, skipped: 2, empty: [] };
  const { passed, failed, skipped } = countNodeTests({ exitCode: 1, output: "" }, JSON.stringify(counts));
  assert.deepEqual({ passed, failed, skipped }, { passed: 4, failed: 1, skipped: 2 });
});

test("Node tests that crash, run nothing or hold no test have failed", () => {
  const counted = (counts: object, exitCode = 0): number =>
    countNodeTests({ exitCode, output: "" }, JSON.stringify({ passed: 0, failed: 0, skipped: 0, empty: [], ...counts }))
      .failed;
  assert.equal(countNodeTests({ exitCode: 1, output: "" }, "").failed, 1);
  assert.equal(counted({}), 1);
  assert.equal(counted({ skipped: 3 }), 1);
  assert.equal(counted({ passed: 3, empty: ["a.test.ts"] }), 1);
  assert.equal(counted({ passed: 3 }, 7), 1);
  assert.equal(counted({ passed: 3 }), 0);
});

const COVERAGE_TABLE = `
│ File            │ Total │ Block │ Func │ Expr │ Uncovered │
│ assembly/a/x.ts │ 90%   │ 90%   │ 90%  │ N/A  │ 3:1       │
│ total           │ 90%   │ 90%   │ 90%  │ N/A  │           │
`;

test("the coverage figure names the files that it leaves out", () => {
  const result = judgeCoverage(COVERAGE_TABLE, ["assembly/a/x.ts", "assembly/a/y.ts"]);
  assert.equal(result.failed, 0);
  assert.match(result.output, /^90 % .* in the 1 files/);
  assert.match(result.output, /not reached .*: assembly\/a\/y\.ts$/);
});

test("coverage that is too low, or not measured, has failed", () => {
  assert.equal(judgeCoverage(COVERAGE_TABLE.replaceAll("90%", "12%"), []).failed, 1);
  assert.equal(judgeCoverage("[Tests]: 3 / 3", []).failed, 1);
});
