/** The leader of a proxy's fleet: if it faults, another machine leads; if its configuration is another one, another plugin. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { joinFleet } from "../../../tools/proxies/fleet_config.ts";
import { MODULE_FILE } from "../../../tools/project.ts";
import { Etcd } from "../../support/etcd.ts";
import { fleetState, idOf, startProxy, untilStatus } from "../../support/fleet.ts";
import { BatchKind, batchOf, RecordType, stampAt } from "../../support/fleet_batch.ts";
import { ID, PLAIN, Reloaded } from "../../support/reloaded.ts";
import { type Stack, adminClient, eventually } from "../../support/stack.ts";
import { openConnection, Traffic } from "../../support/traffic.ts";
import { buildTrappingModule } from "../../support/trapping_build.ts";

/** A batch under this key ends the machine of `tests/faults/trapping_module.ts` that begins to take it over. */
const TRAP_KEY = "/tls_session_cache/1/default/d/another/9999999999/trap";
/** So many take some tens of slices of work: the machine ends between two. */
const TRAP_RECORDS = 16_000;
/** A batch that has ended so many is skipped. */
const FAULTS_OF_A_BATCH = 2;
/** A lease of three seconds for each machine that ends, and time for a slow computer. */
const SKIP_SECONDS = 30;
const TAKEOVER_SECONDS = 10;

let etcd: Etcd;
let other: Stack;
let numbers = 0;

before(async () => {
  etcd = await Etcd.start();
  other = await startProxy(etcd, "other");
});

after(async () => {
  await other?.stop();
  await etcd?.remove();
});

describe("a leader that faults", () => {
  let upstream: DemoUpstream;
  let stack: Stack;

  before(async () => {
    upstream = await startDemoUpstream({ name: "alpha", tickets: true });
    stack = await startProxy(etcd, "faulting", {
      upstreams: [upstream.address],
      fleetModule: await buildTrappingModule(),
      // All requests of the admin API come by one machine of the fleet, and make it anew.
      concurrency: 1,
    });
  });

  after(async () => {
    // The same check that all tests end with: it would have seen a trap.
    if (stack !== undefined) await assert.rejects(stack.stop(), /the module never traps/);
    await upstream?.close();
  });

  it("is followed by another machine, and again; the batch is skipped, and nobody notices it but the fleet's metrics", async () => {
    const open = await openConnection(stack.tlsPort);
    const traffic = new Traffic({ port: stack.tlsPort, ...ID }, 2);
    const callers = new Callers(stack.adminPort);
    for (let batch = 1; batch <= 2; batch++) {
      const before = faults();
      await traffic.more(10);
      const early = [await remove(stack), await remove(other)] as const;
      await etcd.put(TRAP_KEY, longBatch());
      await eventually("the leader has faulted", () => assert.ok(faults() > before, "it has not"), SKIP_SECONDS);
      const late = [await remove(stack), await remove(other)] as const;
      await eventually(
        "the batch is skipped, and the fleet followed",
        async () => {
          const now = await fleetState(stack);
          assert.equal(await counted("skipped_total"), batch, JSON.stringify(now));
          assert.equal(now.state, "following", JSON.stringify(now));
        },
        SKIP_SECONDS,
      );
      assert.equal(faults(), batch * FAULTS_OF_A_BATCH, "machines that have ended");
      assert.equal(await counted("resyncs_total", 'cause="leader"'), batch * FAULTS_OF_A_BATCH, "those that led then");
      // A machine that reads everything once more would try the batch again.
      await etcd.removeKeys(TRAP_KEY);
      for (const [ofThis, ofOther] of [early, late]) {
        await untilStatus(other, ofThis, 410, TAKEOVER_SECONDS);
        await untilStatus(stack, ofOther, 410, TAKEOVER_SECONDS);
      }
      await traffic.more(10);
    }
    await traffic.stop();
    assert.deepEqual(traffic.errors, []);
    assert.deepEqual(await callers.stop(), []);
    assert.match(await open.ask(), /upstream alpha/, "a connection from before is still there");
    assert.equal((await fleetState(other)).skipped, 0, "the batch is a good one");
  });

  function faults(): number {
    return stack.envoy.log().match(/RuntimeError: unreachable/g)?.length ?? 0;
  }

  /** A metric of the fleet, of which one label is known. */
  async function counted(name: string, label = ""): Promise<number> {
    const sample = new RegExp(`^tls_session_cache_fleet_${name}\\{[^}]*${label}[^}]*\\} (\\d+)$`, "m");
    return Number(sample.exec(await stack.prometheus())?.[1]);
  }
});

describe("another configuration of the fleet filter", () => {
  let reloaded: Reloaded;

  before(async () => {
    reloaded = await Reloaded.start(
      ["127.0.0.1:1"],
      { ...PLAIN, fleet: { fleet: { cluster: "etcd", name: "reloaded" } } },
      () => undefined,
      (document) => joinFleet(document, { name: "reloaded", etcd: [etcd.address], modulePath: MODULE_FILE }),
    );
    await eventually("it follows", async () => {
      const { state } = await fleetState(reloaded.stack);
      assert.equal(state, "following", state);
    });
  });

  after(async () => reloaded?.stack.stop());

  it("leads within seconds, while the old listener drains, and there is one watch for each proxy", async () => {
    for (const interval of [20, 30]) {
      const fleet = { fleet: { cluster: "etcd", name: "reloaded", interval_ms: interval } };
      const before = await fleetState(reloaded.stack);
      // `since` has whole seconds.
      await sleep(1100);
      assert.equal(await reloaded.update({ ...PLAIN, fleet }), "taken");
      await eventually("the new configuration leads", async () => {
        const { since, state } = await fleetState(reloaded.stack);
        assert.ok(since > before.since && state === "following", "the one of before still leads");
      });
      const ids = [await remove(reloaded.stack), await remove(other)] as const;
      await untilStatus(other, ids[0], 410, TAKEOVER_SECONDS);
      await untilStatus(reloaded.stack, ids[1], 410, TAKEOVER_SECONDS);
    }
    await eventually("two watches are left", async () => {
      assert.equal(await watches(), 2, "watches of plugins that do not lead");
    });
  });
});

/** Removes a session that nobody holds. */
async function remove(stack: Stack): Promise<string> {
  const id = idOf(++numbers);
  const { status, text } = await stack.admin("DELETE", `/v1/sessions/${id}`);
  assert.equal(status, 404, text);
  return id;
}

/** A batch of removals of sessions that nobody holds, from a proxy that is not there. */
function longBatch(): Buffer {
  const now = Math.floor(Date.now() / 1000);
  const records = Array.from({ length: TRAP_RECORDS }, () => ({
    type: RecordType.TOMBSTONE,
    id: Buffer.from(idOf(0x10000 + ++numbers), "hex"),
    time: now,
    until: now + 600,
    stamp: stampAt(Date.now()),
  }));
  return batchOf({ kind: BatchKind.DECISIONS }, records);
}

/** Callers of an admin API, each on a connection of its own: readiness probes, and readers of the statistics. */
class Callers {
  private readonly failures: string[] = [];
  private isStopping = false;
  private readonly lane: Promise<void>;

  constructor(port: number) {
    this.lane = this.callOn(port);
  }

  /** Returns all answers that were not 200. */
  async stop(): Promise<string[]> {
    this.isStopping = true;
    await this.lane;
    return this.failures;
  }

  private async callOn(port: number): Promise<void> {
    const call = adminClient(port);
    while (!this.isStopping) {
      for (const path of ["/readyz", "/v1/stats"]) {
        const answer = await call("GET", path).catch((error: unknown) => ({ status: 0, text: String(error) }));
        if (answer.status !== 200) this.failures.push(`${path}: ${answer.status} ${answer.text}`);
      }
      await sleep(20);
    }
  }
}

/** The watches that etcd serves. */
async function watches(): Promise<number> {
  const text = await (await fetch(`http://${etcd.address}/metrics`)).text();
  return Number(/^etcd_debugging_mvcc_watcher_total (\d+)/m.exec(text)?.[1]);
}
