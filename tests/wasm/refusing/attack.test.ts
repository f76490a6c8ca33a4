/**
 * Clients that mean to fill the cache: connections that offer session IDs, tickets and PSKs at random and leave halfway, and
 * connections that complete one full handshake after the other. The tests name the sessions that they can displace, and those
 * that they cannot.
 *
 * A few thousand connections by default, ATTACK_CONNECTIONS=1000000 for more; what a million did is in docs/evidence/soak.md.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RemovedSession } from "../../support/answer.ts";
import { allPages } from "../../contract/client.ts";
import { Proxy, hex, observerSettings } from "../../fake_host/proxy.ts";
import { Random } from "../../support/random.ts";
import { clientHello, declinedTicket, fullWithId, fullWithTicket, sessionId, tls13 } from "../../support/tls_bytes.ts";

const CONNECTIONS = Number(process.env.ATTACK_CONNECTIONS ?? "6000");
const SIZE = 1024;
const OTHERS = 400;
const BY_HAND = 50;
const REMOVED = 500;

describe(`${CONNECTIONS} hostile connections`, () => {
  it("that offer what they made up and leave halfway displace nothing", async () => {
    const { proxy, others } = await prepared();
    const random = new Random(11);
    let heap = 0;
    for (let i = 0; i < CONNECTIONS; i++) {
      const connection = proxy.worker.connection({ source: `10.${i & 255}.${(i >> 8) & 255}.9:${1024 + (i % 60000)}` });
      const [hello, answer] = madeUp(random);
      connection.fromClient(hello);
      if (i % 2 === 0) connection.fromServer(answer.subarray(0, 1 + random.below(answer.length)));
      connection.close();
      // Some thousands a second: what waits for a tick does not pile up.
      if (i % 200 === 0) proxy.host.nextTick();
      if (i === Math.floor((CONNECTIONS * 3) / 4)) heap = proxy.worker.memoryBytes;
    }
    assert.equal(proxy.worker.memoryBytes, heap, "the last quarter needs no more memory than the others");
    assert.equal(await proxy.number(), others.length + BY_HAND);
    assert.equal(survivors(proxy, others), others.length);
    await assertRefusalsStand(proxy);
  });

  it("that complete displace one session each beyond the room there is, those that expire first", async (t) => {
    const { proxy, others, byHand } = await prepared();
    const random = new Random(12);
    const free = SIZE - others.length - BY_HAND;
    let greatest = 0;
    for (let i = 1; i <= CONNECTIONS; i++) {
      if (i % 2 === 0) proxy.handshake(fullWithId(random.bytes(32)), "10.0.0.9:443");
      else proxy.handshake(fullWithTicket(random.bytes(180), { lifetimeHintSeconds: 7200 }), "10.0.0.9:443");
      if (i === free) assert.equal(survivors(proxy, others), others.length, "as long as there is room, all survive");
      if (i === free + OTHERS / 4) {
        const left = survivors(proxy, others);
        t.diagnostic(`${OTHERS / 4} connections beyond the room: ${left} of ${OTHERS} others' sessions are left`);
        assert.ok(left >= (OTHERS * 3) / 4, `no more than one each: ${left}`);
      }
      if (i % 997 === 0) greatest = Math.max(greatest, proxy.stat("number"));
    }
    assert.ok(greatest <= SIZE, `${greatest} sessions`);
    assert.equal(await proxy.number(), SIZE);
    t.diagnostic(`in the end, ${survivors(proxy, others)} of ${OTHERS} others' sessions are left`);
    t.diagnostic(`and ${survivors(proxy, byHand)} of ${BY_HAND} that were added by hand and live longer`);
    assert.equal(proxy.stat("saturated_pages"), 0);
    await assertRefusalsStand(proxy);
  });

  it("cost a bounded number of accesses to the shared store each, in a full cache too", async (t) => {
    const { proxy } = await prepared();
    const random = new Random(13);
    const accesses = (act: () => void): number => {
      const { sharedData } = proxy.host;
      const before = sharedData.gets + sharedData.sets;
      for (let i = 0; i < 400; i++) act();
      return (sharedData.gets + sharedData.sets - before) / 400;
    };
    const learning = accesses(() => proxy.handshake(fullWithId(random.bytes(32))));
    for (let i = 0; i < SIZE; i++) proxy.handshake(fullWithId(random.bytes(32)));
    const evicting = accesses(() => proxy.handshake(fullWithId(random.bytes(32))));
    const leaving = accesses(() => {
      const connection = proxy.worker.connection();
      const [hello, answer] = madeUp(random);
      connection.fromClient(hello).fromServer(answer).close();
    });
    t.diagnostic(`accesses of a connection: learning ${learning}, with an eviction ${evicting}, leaving ${leaving}`);
    assert.ok(leaving <= learning, `leaving takes ${leaving}, learning ${learning}`);
    assert.ok(evicting <= learning + MOST_OF_AN_EVICTION, `an eviction takes ${evicting - learning} more`);
  });
});

/** A cache with others' sessions, with some by hand that live long, and with removed sessions, a key and a name. */
async function prepared(): Promise<{ proxy: Proxy; others: Buffer[]; byHand: Buffer[] }> {
  const cache = { cache_size: SIZE, timeout: 7200 };
  const proxy = new Proxy({ workers: 1, cache });
  assert.ok(proxy.worker.configure("observer", { ...observerSettings(cache), steering: "hash" }));
  const others = Array.from({ length: OTHERS }, (_, i) => sessionId(i));
  for (const id of others) proxy.handshake(fullWithId(id, { sni: "shop.example" }));
  const byHand = Array.from({ length: BY_HAND }, (_, i) => sessionId(10_000 + i));
  for (const id of byHand) proxy.put(id, { timeout: 100_000 });
  for (let i = 0; i < REMOVED; i++) proxy.delete(sessionId(20_000 + i));
  assert.equal(proxy.request("DELETE", `/v1/ticket-keys/${KEY}`).status, 200);
  assert.equal(proxy.request("PUT", "/v1/revocations/bank.example").status, 201);
  return { proxy, others, byHand };
}

async function assertRefusalsStand(proxy: Proxy): Promise<void> {
  const removed = await allPages<RemovedSession>(proxy.admin(), "/v1/removed?limit=1000", "removed");
  const listed = new Set(removed.map(({ id }) => id));
  for (let i = 0; i < REMOVED; i++) assert.ok(listed.has(hex(sessionId(20_000 + i))), `removed session ${i}`);
  const { ticket_keys: keys = [] } = proxy.request("GET", "/v1/ticket-keys").json;
  assert.equal(keys.find(({ name }) => name === KEY)?.state, "removed");
  const { revocations = [] } = proxy.request("GET", "/v1/revocations").json;
  assert.ok(revocations.some(({ sni }) => sni === "bank.example"));
}

function survivors(proxy: Proxy, ids: Buffer[]): number {
  return ids.filter((id) => proxy.get(id).status === 200).length;
}

/** A hello that offers what nobody has issued, and the beginning of a full handshake in answer. */
function madeUp(random: Random): [hello: Uint8Array, answer: Uint8Array] {
  const kind = random.below(3);
  if (kind === 0) {
    const answer = fullWithId(random.bytes(32))[1]?.bytes ?? Buffer.alloc(0);
    return [clientHello({ sessionId: random.bytes(32), sni: `${random.below(100_000)}.example` }), answer];
  }
  const flights = kind === 1 ? declinedTicket(random.bytes(180)) : tls13([random.bytes(180), random.bytes(200)]);
  return [flights[0]?.bytes ?? Buffer.alloc(0), flights[1]?.bytes ?? Buffer.alloc(0)];
}

const KEY = "000102030405060708090a0b0c0d0e0f";
/** A sample of pages is read for one, and the page of the session that goes is read and written, its event told. */
const MOST_OF_AN_EVICTION = 40;
