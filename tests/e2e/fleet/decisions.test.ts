/** Decisions that are made on one proxy hold on the other one, in both directions, within a second. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Etcd, type StoredKey } from "../../support/etcd.ts";
import { fleetState, idOf, startProxy, statusOf, stopAll, untilStatus } from "../../support/fleet.ts";
import { type Stack, eventually } from "../../support/stack.ts";

let etcd: Etcd;
let proxies: Stack[] = [];

before(async () => {
  etcd = await Etcd.start();
  proxies = [await startProxy(etcd, "one"), await startProxy(etcd, "two")];
});

after(async () => {
  await stopAll(proxies);
  await etcd?.remove();
});

const directions: [from: number, to: number, name: string][] = [
  [0, 1, "the second proxy takes over from the first one"],
  [1, 0, "the first proxy takes over from the second one"],
];

for (const [from, to, name] of directions) {
  describe(name, () => {
    const here = (): Stack => proxies[from] as Stack;
    const there = (): Stack => proxies[to] as Stack;
    const id = (number: number): string => idOf(1000 * (from + 1) + number);

    it("a removal, and its undoing", async () => {
      await call(here(), "DELETE", `/v1/sessions/${id(1)}`, undefined, 404);
      await untilStatus(there(), id(1), 410, 2);
      await call(here(), "PUT", `/v1/sessions/${id(1)}`, { upstream: "10.0.0.1:443" }, 201);
      await untilStatus(there(), id(1), 200, 2);
      assert.equal(await statusOf(here(), id(1)), 200);
    });

    it("a session that is put in by hand, with its fields, and its change", async () => {
      const fields = {
        kind: "ticket",
        protocol: "TLSv1.2",
        cipher: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        sni: "a.example",
      };
      await call(here(), "PUT", `/v1/sessions/${id(2)}`, { ...fields, upstream: "10.0.0.2:443", timeout: 900 }, 201);
      await untilStatus(there(), id(2), 200, 2);
      const { json } = await there().admin("GET", `/v1/sessions/${id(2)}`);
      const told = json as unknown as Record<string, unknown>;
      for (const [field, value] of Object.entries(fields)) assert.equal(told[field], value, field);
      assert.equal(told.upstream, "10.0.0.2:443");
      assert.equal(told.timeout, 900);
      await call(here(), "PUT", `/v1/sessions/${id(2)}`, { upstream: "10.0.0.3:443" }, 200);
      await eventually("the change is there", async () => {
        const changed = (await there().admin("GET", `/v1/sessions/${id(2)}`)).json as unknown as { upstream: string };
        assert.equal(changed.upstream, "10.0.0.3:443", "the upstream of before");
      });
    });

    it("a flush of all sessions", async () => {
      await call(there(), "PUT", `/v1/sessions/${id(3)}`, {}, 201);
      await untilStatus(here(), id(3), 200, 2);
      await call(here(), "POST", "/v1/sessions/flush", {}, 200);
      await untilStatus(there(), id(3), 410, 2);
      await untilStatus(here(), id(3), 410, 2);
    });

    it("a flush of sessions that expire before a time", async () => {
      await call(there(), "PUT", `/v1/sessions/${id(4)}`, { timeout: 60 }, 201);
      await call(there(), "PUT", `/v1/sessions/${id(5)}`, { timeout: 6000 }, 201);
      await untilStatus(here(), id(5), 200, 2);
      const before = Math.floor(Date.now() / 1000) + 600;
      await call(here(), "POST", "/v1/sessions/flush", { before }, 200);
      await untilStatus(there(), id(4), 410, 2);
      assert.equal(await statusOf(there(), id(5)), 200);
    });

    it("a revoked server name, and its lifting", async () => {
      const sni = `shop${from}.example`;
      await call(here(), "PUT", `/v1/revocations/${sni}`, {}, 201, 200);
      await eventually("it is revoked there", async () => {
        assert.ok((await names(there(), "revocations", "sni")).includes(sni), "it is not revoked there");
      });
      await call(here(), "DELETE", `/v1/revocations/${sni}`, undefined, 200);
      await eventually("it is lifted there", async () => {
        assert.ok(!(await names(there(), "revocations", "sni")).includes(sni), "it is still revoked there");
      });
    });

    it("a ticket key that is configured, removed, and lifted", async () => {
      const key = `${from + 1}0`.repeat(16);
      await call(here(), "PUT", `/v1/ticket-keys/${key}`, { upstream: "10.0.0.4:443" }, 201, 200);
      await eventually("it is configured there", async () => {
        assert.deepEqual(await keyOf(there(), key), { state: "configured", upstream: "10.0.0.4:443" }, "no such key");
      });
      await call(here(), "DELETE", `/v1/ticket-keys/${key}`, undefined, 200);
      await eventually("it is removed there", async () => {
        assert.equal((await keyOf(there(), key))?.state, "removed", "it is not removed");
      });
      await call(here(), "PUT", `/v1/ticket-keys/${key}`, { upstream: "10.0.0.5:443" }, 200);
      await eventually("it is lifted there", async () => {
        assert.deepEqual(await keyOf(there(), key), { state: "configured", upstream: "10.0.0.5:443" }, "not lifted");
      });
    });

    it("the upstream of a removed ticket key that it has never seen", async () => {
      const key = `${from + 1}1`.repeat(16);
      const upstream = `10.0.0.${6 + from}:443`;
      // Both before the proxy tells its decisions the next time, mostly: the other one hears of the removal only.
      await call(here(), "PUT", `/v1/ticket-keys/${key}`, { upstream }, 201);
      await call(here(), "DELETE", `/v1/ticket-keys/${key}`, undefined, 200);
      await eventually("it is among the keys of its upstream there", async () => {
        const { json } = await there().admin("GET", `/v1/ticket-keys?upstream=${upstream}`);
        const { ticket_keys: found } = json as unknown as { ticket_keys: { name: string; state: string }[] };
        assert.deepEqual(
          found.map(({ name, state }) => [name, state]),
          [[key, "removed"]],
          "it is not",
        );
      });
    });

    it("mode, timeout and enforcement; cache size stays its own", async () => {
      await call(here(), "PUT", "/v1/mode", { mode: ["SERVER", "NO_AUTO_CLEAR"] }, 200);
      await call(here(), "PUT", "/v1/timeout", { timeout: 1234 + from }, 200);
      await call(here(), "PUT", "/v1/enforcement", { enforcement: from === 0 ? "strict" : "revoked" }, 200);
      await call(here(), "PUT", "/v1/cache-size", { cache_size: 3000 + from }, 200);
      await eventually("they are there", async () => {
        const [mode, timeout, enforcement, size] = await Promise.all(
          ["mode", "timeout", "enforcement", "cache-size"].map(
            async (path) => (await there().admin("GET", `/v1/${path}`)).json,
          ),
        );
        assert.deepEqual(
          [mode, timeout, enforcement].map((answer) => Object.values(answer as object)[0] as unknown),
          [["SERVER", "NO_AUTO_CLEAR"], 1234 + from, from === 0 ? "strict" : "revoked"],
          "the settings of before",
        );
        assert.notEqual(Object.values(size as object)[0], 3000 + from, "the cache size was told");
      });
      await call(here(), "PUT", "/v1/mode", { mode: ["SERVER"] }, 200);
      await eventually("the mode is there", async () => {
        assert.deepEqual((await there().admin("GET", "/v1/mode")).json, { mode: ["SERVER"] }, "the mode of before");
      });
    });
  });
}

describe("GET /v1/fleet", () => {
  it("tells within seconds that a removal has come to all", async () => {
    const [one] = proxies as [Stack, Stack];
    await call(one, "DELETE", `/v1/sessions/${idOf(9000)}`, undefined, 404);
    await eventually("it is stored", async () => {
      const { pending } = await fleetState(one);
      assert.equal(pending.decisions, 0, JSON.stringify(pending));
    });
    const [{ modRevision }] = (await etcd.list("/tls_session_cache/1/default/d/one/")).slice(-1) as [StoredKey];
    await eventually("all have applied it", async () => {
      const state = await fleetState(one);
      for (const { name, applied } of state.proxies) {
        assert.ok(applied >= modRevision, `${name} has come to ${applied}, not to ${modRevision}`);
      }
    });
  });

  it("shows both proxies, and that nothing waits to be told", async () => {
    await eventually("both are present", async () => {
      for (const [index, stack] of proxies.entries()) {
        const state = await fleetState(stack);
        assert.equal(state.state, "following", JSON.stringify(state));
        assert.equal(state.name, index === 0 ? "one" : "two");
        assert.deepEqual(state.proxies.map((proxy) => proxy.name).sort(), ["one", "two"], JSON.stringify(state));
        assert.deepEqual(state.pending, { decisions: 0, sessions: 0, oldest_seconds: 0 }, JSON.stringify(state));
        assert.equal(state.skipped, 0);
        for (const proxy of state.proxies) assert.ok(Math.abs(proxy.clock_skew_ms) < 1000, "clocks of one machine");
      }
    });
  });
});

async function call(stack: Stack, method: string, path: string, body: unknown, ...expected: number[]): Promise<void> {
  const { status, text } = await stack.admin(method, path, body === undefined ? {} : { body });
  assert.ok(expected.includes(status), `${method} ${path}: ${status} ${text}`);
}

async function names(stack: Stack, list: string, member: string): Promise<string[]> {
  const { json } = await stack.admin("GET", `/v1/${list}`);
  const rows = (json as unknown as Record<string, Record<string, string>[]>)[list] ?? [];
  return rows.map((row) => row[member] as string);
}

async function keyOf(stack: Stack, name: string): Promise<{ state: string; upstream: string } | undefined> {
  const { json } = await stack.admin("GET", "/v1/ticket-keys");
  const rows = (json as unknown as { ticket_keys: { name: string; state: string; upstream: string }[] }).ticket_keys;
  const row = rows.find((key) => key.name === name);
  return row === undefined ? undefined : { state: row.state, upstream: row.upstream };
}
