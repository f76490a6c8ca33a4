/**
 * A fleet whose etcd is absent, killed, frozen, full, compacted, restored, wiped, replaced or denying: connections and the admin
 * API go on, and every removal is on every proxy within seconds of the recovery.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { Etcd } from "../../support/etcd.ts";
import { fleetState, idOf, startProxy, statusOf, stopAll, untilStatus } from "../../support/fleet.ts";
import { type Stack, eventually } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";

const RECOVERY_SECONDS = 8;
const PREFIX = "/tls_session_cache/1/default/";

let upstream: DemoUpstream;
let etcd: Etcd;
let proxies: [Stack, Stack];
let numbers = 0;
let traffic: Traffic;

before(async () => {
  upstream = await startDemoUpstream({ name: "alpha", tickets: true });
});

after(async () => upstream?.close());

beforeEach(async () => {
  etcd = await Etcd.start();
  const options = { upstreams: [upstream.address] };
  proxies = [await startProxy(etcd, "one", options), await startProxy(etcd, "two", options)];
  traffic = new Traffic(proxies);
});

afterEach(async () => {
  try {
    await traffic.end();
  } finally {
    await stopAll(proxies);
    await etcd.remove();
  }
});

describe("a fleet whose etcd", () => {
  it("is killed goes on, and tells the rest when etcd is back", async () => {
    await etcd.kill();
    const ids = await removeSome(proxies[0], 5);
    await sleep(1500);
    const back = await removeSome(proxies[1], 5);
    await etcd.start();
    await bothRefuse([...ids, ...back]);
  });

  it("was killed has the last of two values of a setting, also of one that was set to the value that it had", async () => {
    const [one, two] = proxies;
    await setTimeoutOf(one, 1111);
    await bothHaveTimeout(1111);
    await etcd.kill();
    await setTimeoutOf(two, 2222);
    await sleep(200);
    await setTimeoutOf(one, 1111);
    await etcd.start();
    await eventually("both have told", async () => {
      for (const stack of proxies) {
        const { state, pending } = await fleetState(stack);
        assert.deepEqual([state, pending.decisions], ["following", 0], "not yet");
      }
    });
    await bothHaveTimeout(1111);
  });

  it("freezes goes on, and notices", async () => {
    etcd.freeze();
    const ids = await removeSome(proxies[0], 5);
    await eventually("the failure shows", async () => {
      assert.notEqual((await fleetState(proxies[0])).last_error, null, "no error yet");
    });
    etcd.thaw();
    await bothRefuse(ids);
  });

  it("is full tells when there is room", async () => {
    await etcd.stop();
    await etcd.start({ quotaBytes: 1_048_576 });
    const filler = "x".repeat(200_000);
    for (let i = 0; i < 20 && (await etcd.alarms()).length === 0; i++)
      await etcd.put(`/filler/${i}`, filler).catch(() => 0);
    assert.ok((await etcd.alarms()).includes("NOSPACE"), "etcd is full");
    const ids = await removeSome(proxies[0], 5);
    await eventually("the failure shows", async () => {
      const { last_error: error } = await fleetState(proxies[0]);
      assert.equal(error?.status, 8, JSON.stringify(error));
    });
    await etcd.removeKeys("/filler/");
    await etcd.disarm();
    await bothRefuse(ids);
  });

  it("was compacted beyond a proxy reads all again", async () => {
    await etcd.stop();
    const ids = await removeSome(proxies[0], 3);
    await etcd.start();
    await bothRefuse(ids);
    for (let i = 0; i < 5; i++) await etcd.put("/other", String(i));
    await etcd.compact();
    await bothRefuse(await removeSome(proxies[1], 3));
  });

  it("was restored from an older backup has all told again", async () => {
    const early = await removeSome(proxies[0], 3);
    await bothRefuse(early);
    const file = join(etcd.folder, "backup.db");
    await etcd.backup(file);
    const late = await removeSome(proxies[1], 3);
    await bothRefuse(late);
    await etcd.stop();
    await etcd.restore(file);
    await etcd.start();
    await newcomerRefuses([...early, ...late]);
  });

  it("was wiped has all told again", async () => {
    const ids = [...(await removeSome(proxies[0], 3)), ...(await removeSome(proxies[1], 3))];
    await bothRefuse(ids);
    await etcd.stop();
    etcd.wipe();
    await etcd.start();
    await newcomerRefuses(ids);
  });
});

describe("a fleet whose keys somebody deletes", () => {
  it("has all told again, named decisions as well, under another identity", async () => {
    const ids = [...(await removeSome(proxies[0], 3)), ...(await removeSome(proxies[1], 3))];
    await proxies[0].admin("PUT", "/v1/revocations/gone.example", { body: {} });
    await bothRefuse(ids);
    const before = await identity();
    assert.ok((await etcd.removeKeys(PREFIX)) > ids.length / 3, "etcd had their keys");
    await eventually("another identity is made", async () => {
      assert.notDeepEqual(await identity(), before, "the one of before");
    });
    await newcomerRefuses(ids);
    await eventually("the name is told", async () => {
      const name = Buffer.from("gone.example").toString("hex");
      assert.notEqual(await etcd.get(`${PREFIX}n/r/${name}`), null, "etcd does not have the revoked name");
    });
  });
});

describe("a fleet that starts without etcd", () => {
  it("serves, and tells when etcd comes", async () => {
    const absent = await Etcd.prepare();
    const options = { upstreams: [upstream.address], follows: false };
    const late = [await startProxy(absent, "one", options), await startProxy(absent, "two", options)] as const;
    try {
      const ids = await removeSome(late[0], 3);
      await visit({ port: late[1].tlsPort, sni: "shop.example" });
      assert.equal((await fleetState(late[0])).state, "connecting");
      await absent.start();
      for (const id of ids) await untilStatus(late[1], id, 410, RECOVERY_SECONDS);
    } finally {
      await stopAll([...late]);
      await absent.remove();
    }
  });
});

/** The identity of the fleet's records, once one is there. */
async function identity(): Promise<Buffer> {
  let found = Buffer.alloc(0);
  await eventually("the fleet has an identity", async () => {
    found = Buffer.from((await etcd.get(`${PREFIX}meta`))?.value ?? []);
    assert.equal(found.length, 16, "it has none");
  });
  return found;
}

/** Removes sessions that no proxy holds; every call is answered at once. */
async function removeSome(stack: Stack, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => idOf(++numbers));
  for (const id of ids) {
    const { status, text } = await stack.admin("DELETE", `/v1/sessions/${id}`);
    assert.equal(status, 404, text);
    assert.equal(await statusOf(stack, id), 410);
  }
  return ids;
}

async function setTimeoutOf(stack: Stack, timeout: number): Promise<void> {
  const { status, text } = await stack.admin("PUT", "/v1/timeout", { body: { timeout } });
  assert.equal(status, 200, text);
}

async function bothHaveTimeout(timeout: number): Promise<void> {
  await eventually(`the timeout is ${timeout} on both`, async () => {
    for (const stack of proxies) {
      assert.deepEqual((await stack.admin("GET", "/v1/timeout")).json, { timeout }, "another timeout");
    }
  });
}

async function bothRefuse(ids: string[]): Promise<void> {
  for (const stack of proxies) for (const id of ids) await untilStatus(stack, id, 410, RECOVERY_SECONDS);
}

async function newcomerRefuses(ids: string[]): Promise<void> {
  await eventually("both have told again", async () => {
    for (const stack of proxies) {
      const state = await fleetState(stack);
      assert.equal(state.state, "following", JSON.stringify(state));
      assert.equal(state.pending.decisions, 0, JSON.stringify(state));
    }
  });
  const newcomer = await startProxy(etcd, "three", { upstreams: [upstream.address] });
  try {
    for (const id of ids) await untilStatus(newcomer, id, 410, RECOVERY_SECONDS);
  } finally {
    await newcomer.stop();
  }
}

/** Clients that connect through both proxies, until they are ended: then every one must have been served. */
class Traffic {
  private isOver = false;
  private connections = 0;
  private readonly running: Promise<void>;

  constructor(stacks: readonly Stack[]) {
    this.running = (async () => {
      while (!this.isOver) {
        for (const { tlsPort } of stacks) {
          await visit({ port: tlsPort, sni: "shop.example" });
          this.connections++;
        }
        await sleep(40);
      }
    })();
    this.running.catch(() => undefined);
  }

  async end(): Promise<void> {
    this.isOver = true;
    await this.running;
    assert.ok(this.connections > 10, "clients have connected all the while");
  }
}
