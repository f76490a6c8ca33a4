import assert from "node:assert/strict";
import { test } from "node:test";
import { compareModules } from "./reproducible_check.ts";

test("modules that differ in one bit have different hashes", () => {
  assert.deepEqual(compareModules(Buffer.from([1, 2]), Buffer.from([1, 2])), []);
  assert.match(
    compareModules(Buffer.from([1, 2]), Buffer.from([1, 3])).join(),
    /SHA-256 a1[0-9a-f]+ here, [0-9a-f]{64} in/,
  );
});
