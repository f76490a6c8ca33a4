/** Times as people read and write them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UsageError } from "./client_error.ts";
import { distance, duration, readTime, whenOf } from "./times.ts";

const NOW = 1_790_000_000;

describe("a time on the screen", () => {
  it("has the local time and the distance", () => {
    assert.match(whenOf(NOW + 60, NOW), /^\d\d:\d\d:\d\d \(in 1 min\)$/);
    assert.match(whenOf(NOW - 3 * 86_400, NOW), /^2026-09-1\d \d\d:\d\d:\d\d \(3 d ago\)$/);
    assert.equal(whenOf(null, NOW), "-");
    assert.equal(whenOf(1e18, NOW).split(" ")[0], String(1e18), "no Date holds it");
  });

  it("has the largest unit that says enough", () => {
    const texts = [0, 59, 60, 119, 120, 3_600, 5_400, 7_190, 7_200, 604_800].map(duration);
    assert.deepEqual(texts, ["0 s", "59 s", "1 min", "2 min", "2 min", "1 h", "90 min", "2 h", "2 h", "7 d"]);
    assert.deepEqual([-7_200, 0, 7_200].map(distance), ["2 h ago", "now", "in 2 h"]);
  });
});

describe("a time in an argument", () => {
  it("is Unix seconds, a date, now, or an age", () => {
    assert.equal(readTime("1790000000", "--before", NOW), NOW);
    assert.equal(readTime("now", "--before", NOW + 0.5), NOW);
    assert.equal(readTime("10m", "--before", NOW), NOW - 600);
    assert.equal(readTime("2h", "--before", NOW), NOW - 7_200);
    assert.equal(readTime("2026-01-31T03:00:00Z", "--before", NOW), Date.UTC(2026, 0, 31, 3) / 1000);
  });

  for (const text of ["", "soon", "-5", "5y", "2026-99-99", "1e9"]) {
    it(`is not "${text}"`, () => assert.throws(() => readTime(text, "--before", NOW), UsageError));
  }
});
