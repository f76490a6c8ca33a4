import assert from "node:assert/strict";
import { test } from "node:test";
import { differencesOf } from "./differences.ts";
import { RELEASES } from "../../tools/proxies/envoy_versions.ts";
import { judge } from "./judge.ts";

const KNOWN = [{ file: "a.test.ts", tests: /^steers/, why: "it cannot steer" }];
const ran = (names: string[], passes = ["learns", "counts"]): Parameters<typeof judge>[0] => ({
  passed: passes.length,
  failed: names.length,
  skipped: 0,
  output: "",
  failures: names.map((name) => ({ file: "a.test.ts", name })),
  passes,
});

test("a failure that is known counts as one that cannot pass there", () => {
  const { count, complaints } = judge(ran(["steers by hash", "steers home"]), KNOWN);
  assert.deepEqual(count, { passed: 2, failed: 0, skipped: 2 });
  assert.deepEqual(complaints, []);
});

test("a failure that is not known is one, and is named", () => {
  const { count, complaints } = judge(ran(["steers by hash", "learns"]), KNOWN);
  assert.deepEqual(count, { passed: 2, failed: 1, skipped: 1 });
  assert.deepEqual(complaints, ["FAILED: learns"]);
});

test("a difference that has gone is a failure", () => {
  const { count, complaints } = judge(ran([]), KNOWN);
  assert.deepEqual(count, { passed: 2, failed: 1, skipped: 0 });
  assert.match(complaints.join(), /says that .*steers.* fail, as it cannot steer: none does/);
});

test("a difference that names too much is a failure for each test that passes all the same", () => {
  const { count, complaints } = judge(ran(["steers by hash"], ["learns", "steers home", "steers away"]), KNOWN);
  assert.deepEqual(count, { passed: 3, failed: 2, skipped: 1 });
  assert.match(complaints.join("\n"), /"steers home" passes\n.*"steers away" passes$/);
});

test("where chance decides, both are right", () => {
  const byChance = KNOWN.map((difference) => ({ ...difference, byChance: true }));
  for (const [failed, passed] of [
    [["steers home"], ["learns"]],
    [["steers by hash"], ["learns", "steers home"]],
    [[], ["learns", "steers home"]],
  ] as [string[], string[]][]) {
    const { count, complaints } = judge(ran(failed, passed), byChance);
    assert.deepEqual(count, { passed: passed.length, failed: 0, skipped: failed.length });
    assert.deepEqual(complaints, []);
  }
});

test("from 1.38 on nothing of the filter is missing, and on the shipped version nothing at all", () => {
  const [newest, ...older] = RELEASES.slice(-3).reverse();
  assert.deepEqual(differencesOf(newest?.version ?? ""), []);
  assert.deepEqual(
    older.flatMap(({ version }) => differencesOf(version)).map(({ file }) => file),
    ["mistakes.test.ts", "mistakes.test.ts"],
  );
});
