/**
 * What steering believes, and whom: a key that servers share is found out though only one client comes at a time; a client that lies,
 * or that is silent, costs others nothing; and what was put in by hand is led home. `npm run demo:affinity` measures the same at length.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Column, steeringColumn, THIS_FILTER, THIS_FILTER_EXACT } from "../../../tools/demo/affinity/balancers.ts";
import { ASKED_ELSEWHERE } from "../../../tools/demo/affinity/crowd.ts";
import { LEAST_RESUMED, resumedByHand } from "../../../tools/demo/affinity/by_hand.ts";
import { lieTo, type Lying, LYING } from "../../../tools/demo/affinity/lies.ts";
import { sharesOf } from "../../../tools/demo/affinity/shared_key.ts";
import { besideSilence } from "../../../tools/demo/affinity/silence.ts";

const BY_HASH_AND_EXACT: Column[] = [THIS_FILTER, THIS_FILTER_EXACT];
/** Each with an Envoy of its own; what takes long in them is waiting. */
const SIDE_BY_SIDE = { concurrency: 3 };

describe("a TLS 1.3 ticket key that four servers share", SIDE_BY_SIDE, () => {
  for (const column of BY_HASH_AND_EXACT) {
    it(`is found out with one client at a time, and its resumptions are balanced (${column.name})`, async () => {
      const run = { kind: "stateless", atOnce: 1, warmUp: 60, measured: 200, rotates: false } as const;
      assert.deepEqual((await sharesOf(column, run)).misses, []);
    });
  }
});

const WHAT_LIES_SAY: Record<Lying, string> = {
  before: "says that a key nobody knows yet is another server's",
  afterwards: "says that a key is another server's, too",
  junk: "offers junk under a server's key again and again",
};

describe("a client that lies costs those of its victim nothing", SIDE_BY_SIDE, () => {
  for (const lying of LYING) {
    for (const column of BY_HASH_AND_EXACT) {
      it(`where it ${WHAT_LIES_SAY[lying]} (${column.name})`, async () => {
        const { offers, misses, lies } = await lieTo(column, lying);
        assert.ok(lies > 0, "the lie has reached whom it was told to");
        assert.ok(offers >= 12);
        assert.ok(misses <= ASKED_ELSEWHERE, `${misses} of ${offers} were not resumed`);
      });
    }
  }
});

describe("clients that are silent after their hello", SIDE_BY_SIDE, () => {
  for (const column of BY_HASH_AND_EXACT) {
    it(`take a server that answers all others from nobody (${column.name})`, async () => {
      // A server that says nothing for three seconds could be taken for dead.
      const run = { seconds: 7, begins: [0, 0, 0.5, 2, 3], fromOneAddress: true };
      const { offers, misses, waiting } = await besideSilence(column, run);
      assert.equal(waiting, run.begins.length, "each has kept a server waiting");
      assert.ok(misses <= ASKED_ELSEWHERE, `${misses} of ${offers} were not resumed`);
    });
  }
});

describe("sessions that were put in by hand", SIDE_BY_SIDE, () => {
  for (const column of BY_HASH_AND_EXACT) {
    it(`are led to the servers named once the ways there were found (${column.name})`, async () => {
      const withAdmin = steeringColumn(column.steering ?? "hash", { hasAdmin: true });
      const { first, second } = await resumedByHand(withAdmin);
      assert.ok(second >= LEAST_RESUMED, `${first}, then ${second} of 40 were resumed`);
    });
  }
});
