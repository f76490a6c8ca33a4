import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answers } from "../answers.generated.ts";
import { faultsOf } from "./fleet.ts";

const WELL: Required<Answers["getFleet"]> = {
  ...{ state: "following", name: "edge-1", run: "00", since: 1, cluster_id: "1", revision: 7, heard_seconds_ago: 0 },
  ...{ synced: true, pending: { decisions: 3, sessions: 5, oldest_seconds: 9 }, told: 1, applied: 1, resyncs: 1 },
  ...{ skipped: 0, last_error: null, proxies: [] },
};

test("a proxy that follows, and tells within ten seconds, is well", () => {
  assert.deepEqual(faultsOf(WELL), []);
});

test("a proxy that does not follow is not, and its last error is named", () => {
  assert.deepEqual(faultsOf({ ...WELL, state: "replaying" }), ["this proxy does not follow the fleet (replaying)"]);
  const error = { time: 1, call: "range" as const, status: 7, text: "etcdserver: permission denied" };
  const [fault = ""] = faultsOf({ ...WELL, state: "connecting", last_error: error });
  assert.match(fault, /connecting.*range failed with status 7: etcdserver: permission denied/);
});

test("something that waits for ten seconds is a fault", () => {
  const [fault = ""] = faultsOf({ ...WELL, pending: { decisions: 1, sessions: 0, oldest_seconds: 10 } });
  assert.match(fault, /waited to be stored for 10 s/);
});

test("a proxy without a fleet shares with nobody", () => {
  assert.match(faultsOf({ state: "off" })[0] ?? "", /shares its cache with nobody/);
});
