/**
 * A proxy of the fleet that is taken over writes whatever it likes into etcd, as its role allows it to. SECURITY.md has what it can do
 * and what it cannot: the other proxies do not fault, forget no removal, connect to no address that they do not know, and stay within
 * their memory.
 */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { type AddressInfo, createServer, type Server } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { Etcd } from "../../support/etcd.ts";
import { fleetState, idOf, startProxy, statusOf, stopAll, untilStatus } from "../../support/fleet.ts";
import {
  BatchKind,
  batchOf,
  type FleetRecord,
  MAX_STAMP,
  NamedState,
  RecordType,
  sealed,
  SessionKind,
  stampAt,
} from "../../support/fleet_batch.ts";
import { readProcessMemory } from "../../support/process_memory.ts";
import { Random } from "../../support/random.ts";
import { type Stack, eventually } from "../../support/stack.ts";
import { plainVisit, visit, type Visit } from "../../support/tls_client.ts";

const PREFIX = "/tls_session_cache/1/default";
const CACHE_SIZE = 5000;
const HOME = { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET } as const;

let upstreams: DemoUpstream[] = [];
let etcd: Etcd;
let proxies: [Stack, Stack];
let written = 0;

before(async () => {
  upstreams = await Promise.all(["alpha", "beta"].map((name) => startDemoUpstream({ name, tickets: true })));
  etcd = await Etcd.start();
  const options = {
    upstreams: upstreams.map(({ address }) => address),
    steering: "exact" as const,
    cache: { cache_size: CACHE_SIZE },
  };
  proxies = [await startProxy(etcd, "one", options), await startProxy(etcd, "two", options)];
  // The first clients show which upstreams there are.
  for (let i = 0; i < 20; i++) for (const { tlsPort } of proxies) await visit({ port: tlsPort, ...HOME });
});

after(async () => {
  await stopAll(proxies ?? []);
  await etcd?.remove();
  await Promise.all(upstreams.map((upstream) => upstream.close()));
});

describe("bytes that are not a batch", () => {
  it("are skipped and counted, whatever they are", async () => {
    const random = new Random(1);
    const removed = await removeSome(10);
    const before = await skipped();
    const keys = ["d/evil/0000000000/a", "s/evil/0000000000/a", "n/t/00", "n/r/00", "n/s/00"];
    const values = 40;
    for (const key of keys) {
      for (let i = 0; i < values; i++) await etcd.put(`${PREFIX}/${key}${i}`, random.bytes(random.below(2000)));
    }
    for (const key of ["", "x", "d", "d/", "d//", "d/evil", "p/", "q/evil/1", "meta", `n/${"f".repeat(600)}`]) {
      await etcd.put(`${PREFIX}/${key}`, random.bytes(40));
    }
    await eventually("all are counted", async () => {
      for (const [i, now] of (await skipped()).entries()) {
        assert.ok(now >= (before[i] ?? 0) + keys.length * values, `${now} batches were skipped`);
      }
    });
    await follow(removed);
  });

  it("are skipped if a batch is cut at any byte, with the check of the whole and with its own", async () => {
    const whole = batchOf({ kind: BatchKind.DECISIONS }, [
      tombstone(idOf(1), { upstream: "10.0.0.1:443", sni: "a.example", ticketKey: Buffer.alloc(16, 7) }),
      { type: RecordType.FLUSH, id: Buffer.alloc(8), time: 1 },
      byHand(idOf(2), { upstream: "10.0.0.1:443" }),
      { type: 99, id: Buffer.alloc(255), stamp: 1n },
    ]);
    // The leader writes its counts once a second: those of the test before must be in.
    await sleep(1500);
    const before = await skipped();
    for (let length = 0; length < whole.length; length++) {
      const cut = whole.subarray(0, length);
      await etcd.put(`${PREFIX}/d/evil/0000000000/cut${length}`, cut);
      await etcd.put(`${PREFIX}/d/evil/0000000000/sealed${length}`, sealed(cut));
    }
    await eventually("all are counted", async () => {
      for (const [i, now] of (await skipped()).entries()) {
        assert.equal(now - (before[i] ?? 0), 2 * whole.length, "not each was skipped");
      }
    });
    await follow([]);
  });

  it("are skipped if the counts are wrong, and wholes of unknown formats and types pass", async () => {
    const before = await skipped();
    const one = [tombstone(idOf(3))];
    await tell("d", batchOf({ kind: BatchKind.DECISIONS, records: 0xffff_ffff }, one));
    await tell("d", batchOf({ kind: BatchKind.DECISIONS, names: 0xffff }, one));
    await tell("d", batchOf({ kind: BatchKind.DECISIONS, names: 20 }, one));
    await tell("d", batchOf({ kind: BatchKind.DECISIONS, format: 2 }, one));
    await tell("d", batchOf({ kind: BatchKind.DECISIONS }, [{ type: 200, id: Buffer.alloc(255, 1) }, ...one]));
    await eventually("they are counted", async () => {
      for (const [i, now] of (await skipped()).entries()) assert.equal(now - (before[i] ?? 0), 4, "not four");
    });
    await untilStatus(proxies[0], idOf(3), 410);
  });
});

describe("records of impossible values", () => {
  it("change no removal, and every list stays well-formed and within its bounds", async () => {
    const removed = await removeSome(10);
    const odd = Buffer.from('"},{"\\\u0000\u001b[31m<script>\n\xff', "latin1");
    const long = Buffer.alloc(255, 0xfe);
    const far = 0xffff_ffff;
    const random = new Random(2);
    const records: FleetRecord[] = [];
    for (const type of [...Object.values(RecordType), 0, 9, 255]) {
      for (const length of [0, 1, 8, 16, 32, 33, 255]) {
        const id = random.bytes(length);
        const rest = { kind: random.below(4), detail: random.below(256), cipher: 0xffff, time: far, until: far };
        const names = { upstream: random.pick([odd, long]), sni: random.pick([odd, long]) };
        records.push({ type, id, ...rest, ...names, protocol: 0xffff, stamp: 0xffff_ffff_ffff_ffffn });
        records.push({ type, id, ...rest, ...names, stamp: MAX_STAMP, ticketKey: random.bytes(16), flags: 0xf8 });
        records.push({ type, id, ...rest, time: 0, until: 0 });
        records.push({ type, id, stamp: stampAt(Date.now() + 3_600_000), upstream: long, sni: odd });
      }
    }
    // Beyond the bound: nobody is to be kept from setting mode, timeout and enforcement again.
    const isSetting = ({ type, stamp }: FleetRecord): boolean => type === RecordType.SETTING && stamp === MAX_STAMP;
    for (const record of records.filter((one) => !isSetting(one) && one.type !== RecordType.FLUSH)) {
      for (const [family, kind] of FAMILIES) await tell(family, batchOf({ kind }, [record]));
    }
    await follow(removed);
    const now = Math.floor(Date.now() / 1000);
    for (const stack of proxies) {
      const listed = await removedRows(stack);
      for (const { until } of listed) assert.ok(until <= now + MONTH_SECONDS + 60, `a removal until ${until}`);
      for (const path of [
        "sessions?limit=1000",
        "ticket-keys",
        "revocations",
        "stats",
        "upstreams",
        "events",
        "fleet",
      ]) {
        const { status, text } = await stack.admin("GET", `/v1/${path}`);
        assert.ok(status === 200 || status === 404, text);
        assert.doesNotThrow(() => void JSON.parse(text), path);
        assert.ok(isVisible(text), `${path} has bytes that steer a terminal`);
      }
    }
  });

  it("of presences make no more than 128 proxies", async () => {
    const random = new Random(3);
    const presence = Buffer.concat([Buffer.of(1), Buffer.alloc(31, 0xff), Buffer.of(255), random.bytes(300)]);
    for (let i = 0; i < 200; i++) await etcd.put(`${PREFIX}/p/false-${i}`, presence);
    await etcd.put(`${PREFIX}/p/"\u001b${"x".repeat(300)}`, presence);
    await eventually("they are shown", async () => {
      const { proxies: shown } = await fleetState(proxies[0]);
      assert.equal(shown.length, 128, "another number of proxies");
    });
    await etcd.removeKeys(`${PREFIX}/p/`);
    await follow([]);
  });
});

describe("a stamp in the future", () => {
  it("does not keep a session from being removed here, whoever tells it again", async () => {
    const id = idOf(50);
    const false_ = batchOf({ kind: BatchKind.DECISIONS }, [byHand(id, { stamp: MAX_STAMP })]);
    await tell("d", false_);
    for (const stack of proxies) await untilStatus(stack, id, 200);
    await remove(proxies[0], id, 200);
    await untilStatus(proxies[1], id, 410);
    await tell("d", false_);
    await tell("s", batchOf({ kind: BatchKind.SESSIONS }, [{ ...byHand(id), type: RecordType.OBSERVED }]));
    await heardOfAll();
    for (const stack of proxies) assert.equal(await statusOf(stack, id), 410);
  });

  it("of a removal does not make a removal after it be forgotten", async () => {
    const id = idOf(51);
    const until = Math.floor(Date.now() / 1000) + 2;
    await tell("d", batchOf({ kind: BatchKind.DECISIONS }, [tombstone(id, { stamp: MAX_STAMP, until })]));
    for (const stack of proxies) await untilStatus(stack, id, 410);
    // Whoever repairs that adds the session again; then it is removed in earnest.
    await proxies[0].admin("PUT", `/v1/sessions/${id}`, { body: { upstream: "10.0.0.1:443" } });
    await sleep(3000);
    await remove(proxies[0], id, 200, 404, 410);
    await untilStatus(proxies[1], id, 410);
  });

  it("of a lift does not keep a server name from being revoked, nor one of a setting from being set", async () => {
    const name = "future.example";
    const lift = { type: RecordType.REVOCATION, id: Buffer.from(name), detail: NamedState.LIFTED, stamp: MAX_STAMP };
    const time = Math.floor(Date.now() / 1000);
    await etcd.put(namedKey("r", name), batchOf({ kind: BatchKind.NAMED }, [{ ...lift, time }]));
    await heardOfAll();
    assert.equal((await proxies[0].admin("PUT", `/v1/revocations/${name}`, { body: {} })).status, 201);
    await eventually("it is revoked there", async () => {
      const { text } = await proxies[1].admin("GET", "/v1/revocations");
      assert.ok(text.includes(name), text);
    });
    // A stamp beyond the bound is malformed.
    const setting = { type: RecordType.SETTING, id: Buffer.of(1), until: 77, stamp: MAX_STAMP + 1n };
    await etcd.put(`${PREFIX}/n/s/1`, batchOf({ kind: BatchKind.NAMED }, [setting]));
    await heardOfAll();
    for (const stack of proxies) assert.notDeepEqual((await stack.admin("GET", "/v1/timeout")).json, { timeout: 77 });
  });
});

describe("false sessions", () => {
  let trap: Server;
  let connections = 0;
  let evil: string;

  before(async () => {
    trap = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => trap.listen(0, "127.0.0.1", resolve));
    evil = `127.0.0.1:${(trap.address() as AddressInfo).port}`;
  });

  after(() => trap?.close());

  const kinds = { id: HOME, ticket: { version: "TLSv1.2" }, psk: { version: "TLSv1.3" } } as const;
  for (const [kind, request] of Object.entries(kinds)) {
    it(`with an upstream that nobody knows lead nobody there: a session of kind ${kind}`, async () => {
      for (const type of [RecordType.OBSERVED, RecordType.SESSION]) {
        // Issued past the proxies, so that they know it from the false proxy only.
        const held = await plainVisit({ port: upstreams[0]?.port ?? 0, ...request });
        await claim(held, type, evil);
        for (const stack of proxies) {
          await untilStatus(stack, held.id, 200);
          const { json } = await stack.admin("GET", `/v1/sessions/${held.id}`);
          assert.equal((json as unknown as { upstream: string }).upstream, evil, "it is not believed");
        }
        for (const { tlsPort } of proxies) {
          for (let i = 0; i < 4; i++) {
            const seen = await visit({ port: tlsPort, session: held.session, ...request });
            assert.ok(["alpha", "beta"].includes(seen.upstream), seen.upstream);
          }
        }
      }
      assert.equal(connections, 0, "somebody connected to an address that no proxy knows");
    });
  }

  it("do not lead a client past a removal", async () => {
    const held = await visit({ port: proxies[0].tlsPort, ...HOME });
    await remove(proxies[0], held.id, 200);
    await untilStatus(proxies[1], held.id, 410);
    await claim(held, RecordType.OBSERVED, upstreams[0]?.address ?? "");
    await heardOfAll();
    for (const { tlsPort } of proxies) {
      const seen = await visit({ port: tlsPort, session: held.session, ...HOME }).catch(() => null);
      assert.notEqual(seen?.resumed, true, "a removed session resumed");
    }
  });
});

describe("more records than a proxy has room for", () => {
  it("grow no memory beyond its bounds, and clients are served meanwhile", async () => {
    const removed = await removeSome(10);
    const pids = proxies.map(({ envoy }) => envoy.pid);
    await flood(1);
    const before = pids.map((pid) => readProcessMemory(pid));
    let visits = 0;
    let isOver = false;
    const clients = (async () => {
      while (!isOver) {
        for (const { tlsPort } of proxies) await visit({ port: tlsPort, ...HOME });
        visits++;
      }
    })();
    try {
      for (let round = 2; round < 6; round++) await flood(round);
    } finally {
      isOver = true;
      await clients;
    }
    assert.ok(visits > 5, "clients were served");
    for (const [i, pid] of pids.entries()) {
      const grown = readProcessMemory(pid).resident - (before[i]?.resident ?? 0);
      assert.ok(grown < 64 * 2 ** 20, `it grew by ${Math.round(grown / 2 ** 20)} MiB`);
    }
    for (const stack of proxies) {
      const { number } = await stack.stats();
      assert.ok(Number(number) > 1000 && Number(number) <= CACHE_SIZE, `${number} sessions`);
    }
    await follow(removed);
  });
});

describe("flushes of any time", () => {
  it("lift no removal, and each proxy goes on to learn, to resume and to add", async () => {
    const removed = await removeSome(5);
    const now = Math.floor(Date.now() / 1000);
    for (const time of [0, now - 1_000_000, now, now + 3600, 0xffff_ffff]) {
      for (const before of [0n, 1n, 0xffff_ffff_ffff_ffffn]) {
        const id = Buffer.alloc(8);
        id.writeBigUInt64LE(before);
        await tell(
          "d",
          batchOf({ kind: BatchKind.DECISIONS }, [{ type: RecordType.FLUSH, id, time, stamp: MAX_STAMP }]),
        );
      }
    }
    await follow(removed);
    for (const stack of proxies) {
      // While a flush that is ahead of time is carried out, it reaches sessions of now, too.
      await eventually("it learns", async () => {
        const held = await visit({ port: stack.tlsPort, ...HOME });
        assert.equal(await statusOf(stack, held.id), 200, "it does not learn");
        const again = await visit({ port: stack.tlsPort, session: held.session, ...HOME });
        assert.ok(again.resumed, "it does not resume");
      });
      const added = idOf(90_000 + ++written);
      assert.equal((await stack.admin("PUT", `/v1/sessions/${added}`, { body: {} })).status, 201);
      for (const other of proxies) await untilStatus(other, added, 200);
    }
  });
});

/** 20 values of 60,000 bytes: sessions with long names. */
async function flood(round: number): Promise<void> {
  const random = new Random(1000 + round);
  for (let i = 0; i < 20; i++) {
    const records = Array.from({ length: 190 }, () => ({
      ...byHand(random.bytes(32).toString("hex")),
      type: i % 2 === 0 ? RecordType.OBSERVED : RecordType.SESSION,
      sni: Buffer.alloc(250, 0x61 + random.below(26)),
      upstream: `10.${random.below(256)}.${random.below(256)}.${random.below(256)}:443`,
    }));
    const names = Array.from({ length: 100 }, (_, n) => ({
      type: 99,
      id: Buffer.alloc(1),
      sni: `${n}`.padEnd(255, "y"),
    }));
    await tell("s", batchOf({ kind: BatchKind.SESSIONS }, [...records, ...names]));
  }
  await heardOfAll();
}

function tombstone(id: string, more: Partial<FleetRecord> = {}): FleetRecord {
  const now = Math.floor(Date.now() / 1000);
  const id_ = Buffer.from(id, "hex");
  return { type: RecordType.TOMBSTONE, id: id_, time: now, until: now + 600, stamp: stampAt(Date.now()), ...more };
}

function byHand(id: string, more: Partial<FleetRecord> = {}): FleetRecord {
  const time = Math.floor(Date.now() / 1000);
  const fixed = { type: RecordType.SESSION, id: Buffer.from(id, "hex"), kind: SessionKind.ID };
  return { ...fixed, detail: 4, time, until: 600, stamp: stampAt(Date.now()), ...more };
}

/** Tells that a session is one of an upstream, and its ticket key, too, in all ways that there are. */
async function claim(held: Visit, type: number, upstream: string): Promise<void> {
  const kind = { id: SessionKind.ID, ticket: SessionKind.TICKET, psk: SessionKind.PSK }[held.kind];
  const key = held.ticketKey === null ? undefined : Buffer.from(held.ticketKey, "hex");
  const record = byHand(held.id, { type, kind, upstream, ...(key === undefined ? {} : { ticketKey: key }) });
  if (key !== undefined) {
    const learned = { type: RecordType.KEY_LEARNED, id: key, upstream, time: record.time ?? 0 };
    await tell("s", batchOf({ kind: BatchKind.SESSIONS }, [learned]));
    if (type === RecordType.SESSION) {
      const configured = { ...learned, type: RecordType.TICKET_KEY, detail: NamedState.CONFIGURED, stamp: MAX_STAMP };
      await etcd.put(`${PREFIX}/n/t/${held.ticketKey}`, batchOf({ kind: BatchKind.NAMED }, [configured]));
    }
  }
  const isByHand = type === RecordType.SESSION;
  await tell(isByHand ? "d" : "s", batchOf({ kind: isByHand ? BatchKind.DECISIONS : BatchKind.SESSIONS }, [record]));
}

/** Writes a value as the false proxy. */
async function tell(family: string, batch: Buffer): Promise<void> {
  const place = family.startsWith("n/") ? family : `${family}/evil/0000000000`;
  await etcd.put(`${PREFIX}/${place}/${String(++written).padStart(16, "0")}`, batch);
}

function namedKey(family: string, name: string): string {
  return `${PREFIX}/n/${family}/${Buffer.from(name).toString("hex")}`;
}

/** Returns when both proxies have taken over all that was told before: one record more is there. */
async function heardOfAll(): Promise<void> {
  const id = idOf(100_000 + ++written);
  await tell("d", batchOf({ kind: BatchKind.DECISIONS }, [tombstone(id)]));
  for (const stack of proxies) await untilStatus(stack, id, 410, 30);
}

/** Both proxies follow, refuse what was removed, and serve. */
async function follow(removed: string[]): Promise<void> {
  await heardOfAll();
  for (const stack of proxies) {
    const state = await fleetState(stack);
    assert.equal(state.state, "following", JSON.stringify(state));
    for (const id of removed) assert.equal(await statusOf(stack, id), 410);
    await visit({ port: stack.tlsPort, ...HOME });
  }
}

async function removeSome(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => idOf(10_000 + ++written));
  for (const id of ids) await remove(proxies[0], id, 404);
  for (const id of ids) await untilStatus(proxies[1], id, 410);
  return ids;
}

async function remove(stack: Stack, id: string, ...expected: number[]): Promise<void> {
  const { status, text } = await stack.admin("DELETE", `/v1/sessions/${id}`);
  assert.ok(expected.includes(status), `${status} ${text}`);
}

async function skipped(): Promise<number[]> {
  return await Promise.all(proxies.map(async (stack) => (await fleetState(stack)).skipped));
}

async function removedRows(stack: Stack): Promise<{ until: number }[]> {
  const { json } = await stack.admin("GET", "/v1/removed?limit=1000");
  return (json as unknown as { removed: { until: number }[] }).removed;
}

function isVisible(text: string): boolean {
  return !/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(text);
}

const FAMILIES = [
  ["d", BatchKind.DECISIONS],
  ["s", BatchKind.SESSIONS],
  ["n/t", BatchKind.NAMED],
  ["n/r", BatchKind.NAMED],
  ["n/s", BatchKind.NAMED],
] as const;
const MONTH_SECONDS = 2_592_000;
