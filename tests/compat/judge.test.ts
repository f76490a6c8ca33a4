import assert from "node:assert/strict";
import { test } from "node:test";
import { differencesOf } from "./differences.ts";
import { RELEASES } from "../../tools/proxies/envoy_versions.ts";
import { judge } from "./judge.ts";

const KNOWN = [{ file: "a.test.ts", tests: /^steers/, why: "it cannot steer" }];
const ran = (names: string[]): Parameters<typeof judge>[0] => ({
  passed: 5,
  failed: names.length,
  skipped: 0,
  output: "",
  failures: names.map((name) => ({ file: "a.test.ts", name })),
});

test("a failure that is known counts as one that cannot pass there", () => {
  const { count, complaints } = judge(ran(["steers by hash", "steers home"]), KNOWN);
  assert.deepEqual(count, { passed: 5, failed: 0, skipped: 2 });
  assert.deepEqual(complaints, []);
});

test("a failure that is not known is one, and is named", () => {
  const { count, complaints } = judge(ran(["steers by hash", "learns"]), KNOWN);
  assert.deepEqual(count, { passed: 5, failed: 1, skipped: 1 });
  assert.deepEqual(complaints, ["FAILED: learns"]);
});

test("a difference that has gone is a failure", () => {
  const { count, complaints } = judge(ran([]), KNOWN);
  assert.deepEqual(count, { passed: 5, failed: 1, skipped: 0 });
  assert.match(complaints.join(), /says that .*steers.* fail, as it cannot steer: none does/);
});

test("from 1.38 on nothing of the filter is missing, and on the shipped version nothing at all", () => {
  const [newest, ...older] = RELEASES.slice(-3).reverse();
  assert.deepEqual(differencesOf(newest?.version ?? ""), []);
  assert.deepEqual(
    older.flatMap(({ version }) => differencesOf(version)).map(({ file }) => file),
    ["mistakes.test.ts", "mistakes.test.ts"],
  );
});
