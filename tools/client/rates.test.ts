/** Rates and shares of counters. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fillOf, percentage, perSecond, sum } from "./rates.ts";

describe("a rate", () => {
  it("is a count per second, and 0 if the counters have begun again", () => {
    assert.equal(perSecond(10, 25, 2), "7.5");
    assert.equal(perSecond(1000, 3, 1), "0.0");
    assert.equal(perSecond(0, 0, 0), "0.0");
  });

  it("is a share of something, or -", () => {
    assert.equal(percentage(1, 3), "33.3 %");
    assert.equal(percentage(0, 0), "-");
    assert.equal(sum({ id: 1, ticket: 2, psk: 3 }), 6);
  });
});

describe("a cache", () => {
  it("is shown against its size, if it has one", () => {
    const of = (number: number, size: number): string =>
      fillOf({ number, cache_size: size } as Parameters<typeof fillOf>[0]);
    assert.equal(of(10_240, 20_480), "10,240 of 20,480 (50.0 %)");
    assert.equal(of(7, 0), "7, unlimited");
  });
});
