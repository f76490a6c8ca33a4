import assert from "node:assert/strict";
import { test } from "node:test";
import { durations } from "./durations.ts";

test("the slowest check comes first", () => {
  const took: [string, number][] = [
    ["lint", 12.34],
    ["e2e", 301],
    ["types", 0.04],
  ];
  assert.equal(durations(took), "took: e2e 301.0 s, lint 12.3 s, types 0.0 s");
});

test("many checks take several lines", () => {
  const took = Array.from({ length: 20 }, (_, i): [string, number] => [`check-${i}`, 100 + i]);
  const lines = durations(took).split("\n");
  assert.ok(lines.length > 1 && lines.every((line) => line.length <= 120), lines.join("\n"));
  assert.equal(lines.join(" ").match(/check-\d+ \d+\.0 s/g)?.length, 20);
});
