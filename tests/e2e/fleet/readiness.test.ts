/** A proxy that starts behind many sessions is ready with the fleet's decisions, and hears of further ones, before it has all sessions. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Etcd } from "../../support/etcd.ts";
import { batchOf, BatchKind, observedRecord } from "../../support/fleet_batch.ts";
import { fleetState, idOf, startProxy, statusOf, stopAll, untilStatus } from "../../support/fleet.ts";
import { type Stack, eventually } from "../../support/stack.ts";

const SESSIONS = 150_000;
const SESSIONS_A_BATCH = 900;
const REMOVED = 5;
const PREFIX = "/tls_session_cache/1/default";

let etcd: Etcd;
let first: Stack | undefined;
let newcomer: Stack | undefined;

before(async () => {
  etcd = await Etcd.start();
  first = await startProxy(etcd, "first", { fleet: { sessions: false } });
});

after(async () => {
  await stopAll([first, newcomer]);
  await etcd?.remove();
});

it(`is ready, and follows decisions, before it has ${SESSIONS} sessions`, async () => {
  const one = first as Stack;
  for (let number = 0; number < REMOVED; number++) await one.admin("DELETE", `/v1/sessions/${idOf(number)}`);
  await tellSessions();
  await eventually("removals are told", async () => {
    assert.equal((await fleetState(one)).pending.decisions, 0, "decisions are pending");
  });
  const cache = { cache_size: 0, max_memory_mib: 512 };
  const late = await startProxy(etcd, "newcomer", { cache, follows: false });
  newcomer = late;
  await untilReady(late);
  const atReady = await sessionsIn(late);
  for (let number = 0; number < REMOVED; number++) assert.equal(await statusOf(late, idOf(number)), 410);

  await one.admin("DELETE", `/v1/sessions/${idOf(REMOVED)}`);
  await untilStatus(late, idOf(REMOVED), 410, 5);
  const atRemoval = await sessionsIn(late);
  assert.ok(atReady < SESSIONS / 2, `ready with ${atReady} sessions`);
  assert.ok(atRemoval < SESSIONS, `the removal came with ${atRemoval} sessions`);
  await eventually(
    "it has all sessions",
    async () => {
      const { state } = await fleetState(late);
      assert.deepEqual([state, await sessionsIn(late)], ["following", SESSIONS], "some are missing");
    },
    60,
  );
});

/** Writes batches of sessions as another proxy does. */
async function tellSessions(): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  for (let from = 0; from < SESSIONS; from += SESSIONS_A_BATCH) {
    const records = Array.from({ length: Math.min(SESSIONS_A_BATCH, SESSIONS - from) }, (_, index) =>
      observedRecord(
        createHash("sha256")
          .update(String(from + index))
          .digest(),
        now,
      ),
    );
    const sequence = String(from / SESSIONS_A_BATCH).padStart(8, "0");
    await etcd.put(
      `${PREFIX}/s/other/${now}/0000000000000001.${sequence}`,
      batchOf({ kind: BatchKind.SESSIONS }, records),
    );
  }
}

async function untilReady(stack: Stack): Promise<void> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const { status, json } = await stack.admin("GET", "/readyz", { token: null });
    if (status === 200) {
      assert.equal(json.fleet, "synced");
      return;
    }
    await sleep(5);
  }
  assert.fail("it is never ready");
}

async function sessionsIn(stack: Stack): Promise<number> {
  return Number((await stack.stats()).number);
}

const MAX_ATTEMPTS = 2000;
