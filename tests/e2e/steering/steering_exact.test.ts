/**
 * Resumptions go to the host that the filter names: where it may, with every kind of session, and without an error where that
 * host is down. And what has to be steered away from its issuer is, in both ways of steering.
 */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { type AddressInfo, createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import type { AnswerBody } from "../../support/answer.ts";
import { type Stack, eventually, inParallel, startStack } from "../../support/stack.ts";
import { type TlsRequest, type Visit, visit } from "../../support/tls_client.ts";

const KINDS: Record<"id" | "ticket" | "psk", Partial<TlsRequest>> = {
  id: { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET },
  ticket: { version: "TLSv1.2" },
  psk: { version: "TLSv1.3" },
};
const OBSERVER = ["static_resources", "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config", "config"];
const TCP_PROXY = ["static_resources", "listeners", 0, "filter_chains", 0, "filters", 1, "typed_config"];

let upstreams: DemoUpstream[] = [];

before(async () => {
  upstreams = await Promise.all(
    ["alpha", "beta", "gamma", "delta"].map((name) => startDemoUpstream({ name, tickets: true })),
  );
});

after(() => Promise.all(upstreams.map((upstream) => upstream.close())));

for (const steering of ["hash", "exact"] as const) {
  describe(`steering by ${steering}`, () => {
    let stack: Stack;

    before(async () => {
      stack = await startStack({ upstreams: upstreams.map(({ address }) => address), steering });
      // The first clients show which upstreams there are.
      await inParallel([...Array(80).keys()], 8, () => visit({ port: stack.tlsPort, ...KINDS.ticket }));
    });

    after(() => stack?.stop());

    for (const kind of ["id", "ticket", "psk"] as const) {
      it(`resumes every ${kind === "id" ? "session ID" : kind} again and again`, async () => {
        const clients = await inParallel([...Array(40).keys()], 8, () =>
          visit({ port: stack.tlsPort, ...KINDS[kind] }),
        );
        // For TLS 1.3, nothing is known of a ticket key before one of its tickets was accepted.
        const first = await inParallel(clients, 1, ({ session }) =>
          visit({ port: stack.tlsPort, session, ...KINDS[kind] }),
        );
        const missed = first.filter(({ resumed }) => !resumed).length;
        assert.ok(missed <= (kind === "psk" ? 20 : 0), `${missed} of 40 were not resumed at first`);
        const again = await inParallel(first, 8, ({ session }) =>
          visit({ port: stack.tlsPort, session, ...KINDS[kind] }),
        );
        assert.equal(again.filter(({ resumed }) => !resumed).length, 0);
      });

      it(`sends a removed ${kind === "id" ? "session ID" : kind} to another server, which does a full handshake`, async () => {
        const clients = await inParallel([...Array(12).keys()], 4, () =>
          visit({ port: stack.tlsPort, ...KINDS[kind] }),
        );
        const held = await learned(stack, clients, kind);
        const before = await stack.stats();
        let visits = 0;
        for (const { session, upstream, ids } of held) {
          for (const id of ids) assert.equal((await stack.admin("DELETE", `/v1/sessions/${id}`)).status, 200);
          for (let i = 0; i < 3; i++) {
            const seen = await visit({ port: stack.tlsPort, session, ...KINDS[kind] });
            assert.equal(seen.resumed, false);
            assert.notEqual(seen.upstream, upstream);
            visits++;
          }
        }
        assert.equal(Number((await stack.stats()).refused), 0, "no client has seen an alert");
        await eventually("each has counted as diverted, and as nothing else", async () => {
          const now = await stack.stats();
          assert.equal(byKind(now, "diverted", kind) - byKind(before, "diverted", kind), visits);
          assert.equal(Number(now.diverted) - Number(before.diverted), visits);
          const others = ["lost", "declined", "refused", "failed"].map((fate) => byKind(now, fate, kind));
          assert.deepEqual(
            others,
            ["lost", "declined", "refused", "failed"].map((fate) => byKind(before, fate, kind)),
          );
        });
      });
    }
  });
}

describe("steering to a named host", () => {
  it("never connects to an address that is no upstream, whatever the API is told, but to one that the configuration lists", async () => {
    const seen: string[] = [];
    const stranger = createServer((socket) => {
      seen.push("connection");
      socket.destroy();
    });
    await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
    const address = `127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    try {
      for (const isListed of [false, true]) {
        const stack = await startStack({
          upstreams: upstreams.slice(0, 2).map((upstream) => upstream.address),
          steering: "exact",
          change: (configuration) => {
            if (!isListed) return;
            const path = [...OBSERVER, "configuration", "value"];
            const settings = JSON.parse(String(configuration.getIn(path))) as Record<string, unknown>;
            configuration.setIn(path, JSON.stringify({ ...settings, upstreams: [address] }));
          },
        });
        try {
          const first = await visit({ port: stack.tlsPort, ...KINDS.id });
          const told = await stack.admin("PUT", `/v1/sessions/${first.id}`, { body: { upstream: address } });
          assert.equal(told.status, 200);
          const second = await visit({ port: stack.tlsPort, session: first.session, ...KINDS.id });
          assert.equal(second.resumed && isListed, false);
          // It closes each connection without an answer: Envoy tries again, and the balancer chooses then.
          assert.equal(seen.length > 0, isListed, `${seen.length} connections`);
        } catch (error) {
          if (!isListed) throw error;
          assert.ok(seen.length > 0, String(error));
        } finally {
          await stack.stop();
        }
      }
    } finally {
      await new Promise((resolve) => stranger.close(resolve));
    }
  });

  it("costs nobody an error when the host is down, and is found out at once", async () => {
    const victims = await Promise.all(["one", "two"].map((name) => startDemoUpstream({ name, tickets: true })));
    const stack = await startStack({
      upstreams: victims.map(({ address }) => address),
      steering: "exact",
      concurrency: 1,
    });
    try {
      const clients = await inParallel([...Array(30).keys()], 4, () => visit({ port: stack.tlsPort, ...KINDS.ticket }));
      const [victim, survivor] = victims as [DemoUpstream, DemoUpstream];
      await victim.close();
      const pinned = clients.filter(({ upstream }) => upstream === victim.name);
      assert.ok(pinned.length > 3, `${pinned.length} of 30 were at it`);
      for (const { session } of pinned) {
        const seen = await visit({ port: stack.tlsPort, session, ...KINDS.ticket });
        assert.equal(seen.upstream, survivor.name);
      }
      const failures = /tls_upstreams_exact\.upstream_cx_connect_fail: (\d+)/;
      const stats = await (await fetch(`http://127.0.0.1:${stack.envoyAdminPort}/stats?filter=connect_fail`)).text();
      const failed = Number(failures.exec(stats)?.[1]);
      assert.ok(failed >= 1 && failed < pinned.length, `${failed} attempts at the host that is down`);
    } finally {
      await stack.stop();
      await Promise.all(victims.map((upstream) => upstream.close()));
    }
  });

  it("is refused without the clusters that it needs", async () => {
    await assert.rejects(
      startStack({
        upstreams: upstreams.map(({ address }) => address),
        steering: "exact",
        change: (configuration) => {
          configuration.setIn([...OBSERVER, "configuration", "value"], '{"steering": "exact"}');
        },
      }),
      /exact_cluster/,
    );
  });
});

describe("a listener that does not read before it has connected", () => {
  it("delays its first connections by a second, and no more: it is found out, and the log says what to do", async () => {
    const stack = await startStack({
      upstreams: upstreams.map(({ address }) => address),
      steering: "hash",
      concurrency: 1,
      change: (configuration) => configuration.deleteIn([...TCP_PROXY, "max_early_data_bytes"]),
    });
    try {
      await inParallel([...Array(12).keys()], 12, () => visit({ port: stack.tlsPort, ...KINDS.psk }));
      const held = /max_early_data_bytes: 16384/;
      for (let i = 0; i < 40 && !held.test(stack.envoy.log()); i++) {
        await visit({ port: stack.tlsPort, ...KINDS.psk });
      }
      assert.match(stack.envoy.log(), held);
      // The 8th, 24th and 56th from then on are held, and then one in 64, to find out whether that has changed.
      await inParallel([...Array(56).keys()], 8, () => visit({ port: stack.tlsPort, ...KINDS.psk }));
      const durations = await inParallel([...Array(20).keys()], 1, async () => {
        const begun = performance.now();
        await visit({ port: stack.tlsPort, ...KINDS.psk });
        return performance.now() - begun;
      });
      assert.ok(durations.filter((milliseconds) => milliseconds >= 1000).length <= 1, durations.join(" "));
    } finally {
      await stack.stop();
    }
  });
});

/** How many offered sessions of a kind have a fate. */
function byKind(stats: AnswerBody, fate: string, kind: string): number {
  return Number((stats[`resumptions_${fate}`] as AnswerBody)[kind]);
}

/** Each client's session, where it is from, and the IDs by which the cache has it. */
async function learned(
  stack: Stack,
  clients: Visit[],
  kind: keyof typeof KINDS,
): Promise<{ session: Buffer | undefined; upstream: string; ids: string[] }[]> {
  if (kind !== "psk") return clients.map(({ session, upstream, id }) => ({ session, upstream, ids: [id] }));
  // A PSK is known once it was accepted: the ones that are new afterwards are this client's.
  const result = [];
  for (const { session, upstream } of clients) {
    const before = new Set((await stack.sessions("&kind=psk")).map(({ id }) => id));
    const seen = await visit({ port: stack.tlsPort, session, ...KINDS.psk });
    const ids = (await stack.sessions("&kind=psk")).map(({ id }) => id).filter((id) => !before.has(id));
    if (seen.resumed && ids.length > 0) result.push({ session, upstream, ids });
  }
  assert.ok(result.length >= 6, `${result.length} of ${clients.length} PSKs were accepted`);
  return result;
}
