/** Real TLS clients and servers through a real Envoy: the API's answers are compared with the clients' reports. */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import type { Session } from "../../support/answer.ts";
import { freshSni } from "../../contract/client.ts";
import { Random } from "../../support/random.ts";
import { type Stack, inParallel, startStack } from "../../support/stack.ts";
import { plainVisit, type TlsRequest, type Visit, visit } from "../../support/tls_client.ts";

const NO_TICKETS = constants.SSL_OP_NO_TICKET;
const KINDS: Record<"id" | "ticket" | "psk", Partial<TlsRequest>> = {
  id: { version: "TLSv1.2", secureOptions: NO_TICKETS },
  ticket: { version: "TLSv1.2" },
  psk: { version: "TLSv1.3" },
};

const upstreams: DemoUpstream[] = [];
let stack: Stack;

before(async () => {
  upstreams.push(await startDemoUpstream({ name: "alpha", tickets: true }));
  upstreams.push(await startDemoUpstream({ name: "beta", tickets: true }));
  upstreams.push(await startDemoUpstream({ name: "gamma", tickets: false }));
  stack = await startStack({ upstreams: upstreams.map(({ address }) => address) });
});

after(async () => {
  await Promise.all(upstreams.map((upstream) => upstream.close()));
  await stack?.stop();
});

describe("a TLS 1.2 session", () => {
  for (const kind of ["id", "ticket"] as const) {
    it(`known by its ${kind} is what the client says it is`, async () => {
      const sni = freshSni();
      const seen = await visit({ port: stack.tlsPort, sni, ...KINDS[kind] });
      const held = await session(seen.id);
      assert.equal(seen.resumed, false);
      assert.deepEqual(pick(held, "kind", "protocol", "cipher", "sni", "upstream", "ticket_key", "hits", "origin"), {
        kind: seen.kind,
        protocol: seen.protocol,
        cipher: seen.cipher,
        sni,
        upstream: addressOf(seen.upstream),
        ticket_key: seen.ticketKey,
        hits: 0,
        origin: "observed",
      });
      assert.ok(Math.abs(held.time - Date.now() / 1000) < 5, "its time is now");
      assert.equal(held.timeout, seen.kind === "id" ? 7200 : seen.ticketLifetimeSeconds || 7200);
    });

    it(`known by its ${kind} counts a hit at its issuer, and declined and lost elsewhere`, async () => {
      const first = await visit({ port: stack.tlsPort, ...KINDS[kind] });
      const before = await stack.stats();
      let declined = 0;
      let again: Visit;
      for (;;) {
        again = await visit({ port: stack.tlsPort, session: first.session, ...KINDS[kind] });
        assert.equal(again.resumed, again.upstream === first.upstream, "an upstream resumes its own sessions only");
        if (again.resumed) break;
        declined++;
        assert.ok(declined < 60, "the issuer comes by");
      }
      const held = await session(first.id);
      assert.equal(held.hits, 1);
      assert.equal(held.upstream, addressOf(first.upstream));
      const now = await stack.stats();
      assert.equal(now.hits as number, (before.hits as number) + 1);
      assert.equal(statistic(now, "declined") - statistic(before, "declined"), declined);
      assert.equal(statistic(now, "lost") - statistic(before, "lost"), declined);
      assert.equal(now.misses, before.misses);
    });
  }

  it("is learned without a server name where the client sends none", async () => {
    const seen = await visit({ port: stack.tlsPort, sni: "", ...KINDS.id });
    assert.equal((await session(seen.id)).sni, null);
  });

  it("that a server issues without tickets is known by its ID also where the client can do tickets", async () => {
    for (let tries = 0; tries < 60; tries++) {
      const seen = await visit({ port: stack.tlsPort, ...KINDS.ticket });
      if (seen.upstream !== "gamma") continue;
      assert.equal(seen.kind, "id");
      assert.equal((await session(seen.id)).kind, "id");
      return;
    }
    assert.fail("gamma never came by");
  });
});

describe("a TLS 1.3 session", () => {
  it("is known from its first resumption on: before, its ticket was encrypted", async () => {
    const sni = freshSni();
    const first = await visitTicketServer(sni);
    assert.equal(first.kind, "psk");
    assert.equal((await stack.admin("GET", `/v1/sessions/${first.id}`)).status, 404);
    const again = await resume(first, sni);
    const held = await session(first.id);
    assert.deepEqual(pick(held, "kind", "protocol", "cipher", "sni", "upstream", "ticket_key", "origin"), {
      kind: "psk",
      protocol: "TLSv1.3",
      cipher: again.cipher,
      sni,
      upstream: addressOf(first.upstream),
      ticket_key: first.ticketKey,
      origin: "observed",
    });
  });

  it("stores no session ID of TLS 1.3's compatibility mode", async () => {
    const sni = freshSni();
    for (let i = 0; i < 5; i++) await visit({ port: stack.tlsPort, sni, ...KINDS.psk });
    assert.deepEqual(await stack.sessions(`&sni=${sni}`), []);
  });

  it("is what a client gets that is free to choose, beside a TLS 1.2 session that it offers in vain", async () => {
    const old = await visit({ port: stack.tlsPort, ...KINDS.id });
    const before = await stack.stats();
    const seen = await visit({ port: stack.tlsPort });
    assert.equal(seen.protocol, "TLSv1.3");
    const now = await stack.stats();
    assert.deepEqual([now.hits, now.misses, now.number], [before.hits, before.misses, before.number]);
    assert.equal((await session(old.id)).hits, 0);
  });
});

describe("many visits in random order", () => {
  it("leave exactly the sessions and counters that the clients know of", async () => {
    const random = new Random(20261123);
    const sni = freshSni();
    const before = await stack.stats();
    const model = new Map<string, { kind: string; upstream: string; hits: number }>();
    const sessions: { visit: Visit; kind: "id" | "ticket" }[] = [];
    let hits = 0;
    let declined = 0;
    for (let i = 0; i < 60; i++) {
      const old = random.below(3) > 0 && sessions.length > 0 ? random.pick(sessions) : undefined;
      const kind = old?.kind ?? random.pick(["id", "ticket"] as const);
      const seen = await visit({ port: stack.tlsPort, sni, ...KINDS[kind], session: old?.visit.session });
      assert.equal(seen.resumed, seen.upstreamResumed);
      const held = old === undefined ? undefined : model.get(old.visit.id);
      if (seen.resumed && held !== undefined) {
        hits++;
        held.hits++;
      } else if (held !== undefined) declined++;
      if (!model.has(seen.id)) model.set(seen.id, { kind: seen.kind, upstream: addressOf(seen.upstream), hits: 0 });
      sessions.push({ visit: seen, kind });
    }
    const listed = await stack.sessions(`&sni=${sni}`);
    const found = new Map(listed.map(({ id, kind, upstream, hits: count }) => [id, { kind, upstream, hits: count }]));
    assert.deepEqual(found, model);
    const now = await stack.stats();
    assert.equal((now.hits as number) - (before.hits as number), hits, "hits");
    assert.equal(statistic(now, "declined") - statistic(before, "declined"), declined, "declined");
    assert.equal(now.misses, before.misses, "misses");
  });
});

describe("200 clients at the same time", () => {
  it("lose no record: number and listing are the sessions that they were given", async () => {
    await stack.admin("POST", "/v1/sessions/flush", { body: {} });
    const kinds = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? KINDS.id : KINDS.ticket));
    const seen = await inParallel(kinds, 200, (kind) =>
      visit({ port: stack.tlsPort, sni: "crowd.example", timeoutSeconds: 60, ...kind }),
    );
    const ids = [...new Set(seen.map(({ id }) => id))];
    assert.equal(ids.length, 200, "all sessions are different");
    const listed = await stack.sessions();
    assert.deepEqual(listed.map(({ id }) => id).sort(), ids.sort());
    assert.equal((await stack.stats()).number, 200);
    for (const { id, upstream } of seen) {
      assert.equal(listed.find((entry) => entry.id === id)?.upstream, addressOf(upstream));
    }
  });

  it("lose no hit when all resume at once", async () => {
    const sni = freshSni();
    const firsts = await inParallel(Array.from({ length: 40 }), 40, () =>
      visit({ port: stack.tlsPort, sni, ...KINDS.ticket, timeoutSeconds: 60 }),
    );
    const before = await stack.stats();
    const visits = firsts.flatMap((first) => Array.from({ length: 5 }, () => first));
    const seen = await inParallel(visits, 200, async (first) => ({
      first,
      again: await visit({ port: stack.tlsPort, sni, ...KINDS.ticket, session: first.session, timeoutSeconds: 60 }),
    }));
    const expected = new Map(firsts.map(({ id }) => [id, 0]));
    for (const { first, again } of seen) {
      if (again.resumed) expected.set(first.id, (expected.get(first.id) ?? 0) + 1);
    }
    const found = new Map(firsts.map(({ id }) => [id, 0]));
    for (const { hits, id } of await stack.sessions(`&sni=${sni}`)) if (found.has(id)) found.set(id, hits);
    assert.deepEqual(found, expected);
    const hits = [...expected.values()].reduce((sum, count) => sum + count, 0);
    assert.ok(hits > 20, `${hits} resumptions`);
    assert.equal(((await stack.stats()).hits as number) - (before.hits as number), hits);
  });
});

describe("a session that was removed over HTTP", () => {
  it("is not learned again when its upstream goes on to resume it", async () => {
    const first = await visit({ port: stack.tlsPort, ...KINDS.id });
    assert.equal((await stack.admin("DELETE", `/v1/sessions/${first.id}`)).json.outcome, "removed");
    for (let i = 0; i < 6; i++)
      await visit({ port: stack.tlsPort, session: first.session, ...KINDS.id }).catch(() => 0);
    assert.equal((await stack.admin("GET", `/v1/sessions/${first.id}`)).status, 410);
  });

  it("counts hits again after it was added by hand", async () => {
    const first = await visit({ port: stack.tlsPort, ...KINDS.id });
    await stack.admin("DELETE", `/v1/sessions/${first.id}`);
    await stack.admin("PUT", `/v1/sessions/${first.id}`, { body: { upstream: addressOf(first.upstream) } });
    await resume(first, "localhost.example");
    const held = await session(first.id);
    assert.deepEqual([held.hits, held.origin, held.protocol], [1, "api", "TLSv1.2"]);
  });
});

describe("the mode, changed at run time", () => {
  it("is in force on every worker within a second", async () => {
    const before = (await stack.admin("GET", "/v1/mode")).json.mode;
    const learned = async (): Promise<number> => {
      const sni = freshSni();
      // Enough connections that both workers have some.
      await inParallel(Array.from({ length: 24 }), 8, () => visit({ port: stack.tlsPort, sni, ...KINDS.id }));
      return (await stack.sessions(`&sni=${sni}`)).length;
    };
    for (const [mode, expected] of [
      [["OFF"], 0],
      [["SERVER"], 24],
      [["SERVER", "NO_INTERNAL_STORE"], 0],
      [before, 24],
    ] as const) {
      assert.equal((await stack.admin("PUT", "/v1/mode", { body: { mode } })).status, 200);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      assert.equal(await learned(), expected, `mode ${String(mode)}`);
    }
  });
});

describe("the metrics in /stats/prometheus", () => {
  it("are in the exposition format, under one prefix, with labels", async () => {
    const text = await stack.prometheus();
    const types = new Map<string, string>();
    const ours: string[] = [];
    for (const line of text.split("\n")) {
      const type = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(line);
      if (type !== null) types.set(type[1] ?? "", type[2] ?? "");
      if (!line.startsWith("tls_session_cache_")) continue;
      const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*)\} (\d+)$/.exec(line);
      assert.ok(sample !== null, `not a sample: ${line}`);
      const name = sample[1] ?? "";
      ours.push(line);
      assert.match(sample[2] ?? "", /(^|,)cache="default"/, line);
      assert.ok(types.has(name), `${name} has a type`);
      assert.equal(types.get(name), name.endsWith("_total") ? "counter" : "gauge", line);
    }
    assert.ok(ours.length >= 15, `${ours.length} samples`);
    assert.equal(new Set(ours).size, ours.length, "no sample twice");
    assert.ok(!text.includes("wasmcustom"), "Envoy's own prefix is gone");
  });

  it("count what the clients did", async () => {
    const before = await stack.prometheus();
    const outcomes: Record<string, number> = {};
    const count = (seen: Visit): void => {
      const outcome = seen.resumed ? `resumed_${seen.protocol === "TLSv1.3" ? "psk" : seen.kind}` : "full";
      const label = `protocol="${seen.protocol}",outcome="${outcome}"`;
      outcomes[label] = (outcomes[label] ?? 0) + 1;
    };
    for (const kind of ["id", "ticket", "psk"] as const) {
      const first = await visit({ port: stack.tlsPort, ...KINDS[kind] });
      count(first);
      for (let i = 0; i < 6; i++) {
        const again = await visit({ port: stack.tlsPort, ...KINDS[kind], session: first.session });
        // The offered session was resumed, whatever kind the next one is.
        count(again.resumed ? { ...again, kind: first.kind } : again);
      }
    }
    const now = await stack.prometheus();
    for (const [label, expected] of Object.entries(outcomes)) {
      const name = `tls_session_cache_handshakes_total`;
      assert.equal(sample(now, name, label) - sample(before, name, label), expected, label);
    }
    assert.equal(sample(now, "tls_session_cache_sessions", 'cache="default"'), (await stack.stats()).number);
  });
});

describe("a flush under load", () => {
  it("of a large cache reaches every session that was held, while clients come and go", async () => {
    const ids = Array.from({ length: 6000 }, (_, i) => (0x10000000 + i).toString(16).repeat(4));
    await inParallel(ids, 32, (id) => stack.admin("PUT", `/v1/sessions/${id}`));
    let done = false;
    const load = inParallel(Array.from({ length: 4 }), 4, async () => {
      let visits = 0;
      for (; !done; visits++) assert.equal((await visit({ port: stack.tlsPort, ...KINDS.id })).resumed, false);
      return visits;
    });
    const held = (await stack.stats()).number as number;
    const { json, status } = await stack.admin("POST", "/v1/sessions/flush", { body: {} });
    const statuses = await inParallel(ids, 32, async (id) => (await stack.admin("GET", `/v1/sessions/${id}`)).status);
    done = true;
    const visits = await load;
    assert.equal(status, 200);
    assert.ok((json.removed as number) >= Math.min(held, ids.length), `${String(json.removed)} of ${held} removed`);
    assert.deepEqual([...new Set(statuses)], [410]);
    assert.ok(
      visits.every((count) => count > 0),
      "clients were served meanwhile",
    );
    assert.equal((await stack.sessions()).length, (await stack.stats()).number);
  });
});

function addressOf(upstream: string): string {
  return upstreams.find(({ name }) => name === upstream)?.address ?? `no upstream is called ${upstream}`;
}

async function session(id: string): Promise<Session> {
  const answer = await stack.admin("GET", `/v1/sessions/${id}`);
  assert.equal(answer.status, 200, `GET of ${id}: ${answer.text}`);
  return answer.json as unknown as Session;
}

/** A TLS 1.3 session of a server that will resume it: Node's server without tickets issues such sessions in vain. */
async function visitTicketServer(sni: string): Promise<Visit> {
  for (let tries = 0; tries < 60; tries++) {
    const seen = await plainVisit({ port: stack.tlsPort, sni, ...KINDS.psk });
    if (seen.upstream !== "gamma") return seen;
  }
  throw new Error("no server with tickets answered in 60 visits");
}

/** Visits until the issuer comes by. */
async function resume(first: Visit, sni: string): Promise<Visit> {
  const kind = first.protocol === "TLSv1.3" ? KINDS.psk : KINDS[first.kind];
  for (let tries = 0; tries < 60; tries++) {
    const again = await visit({ port: stack.tlsPort, sni, session: first.session, ...kind });
    if (again.resumed) return again;
  }
  throw new Error(`the session of ${first.upstream} was never resumed in 60 visits`);
}

function statistic(stats: Record<string, unknown>, name: string): number {
  for (const value of [stats, ...Object.values(stats)]) {
    if (typeof value === "object" && value !== null && name in value)
      return (value as Record<string, number>)[name] ?? NaN;
  }
  throw new Error(`no statistic "${name}" in ${JSON.stringify(stats)}`);
}

/** The sum of the samples of a name whose labels contain a text. */
function sample(text: string, name: string, label: string): number {
  let sum = 0;
  for (const line of text.split("\n")) {
    if (line.startsWith(`${name}{`) && label.split(",").every((part) => line.includes(part))) {
      sum += Number(line.slice(line.lastIndexOf(" ")));
    }
  }
  return sum;
}

function pick<T extends object, K extends keyof T>(object: T, ...names: K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, object[name]])) as Pick<T, K>;
}
