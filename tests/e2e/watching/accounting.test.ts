/**
 * What an operator sees of resumptions from outside: two servers that share nothing, behind Envoy's plain round robin.
 * The clients' own reports are counted here, and compared with the statistics and metrics.
 */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import type { Document } from "yaml";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import type { AnswerBody } from "../../support/answer.ts";
import { type Stack, eventually, startStack } from "../../support/stack.ts";
import { type TlsRequest, type Visit, visit } from "../../support/tls_client.ts";

const KINDS: Record<"id" | "ticket" | "psk", Partial<TlsRequest>> = {
  id: { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET },
  ticket: { version: "TLSv1.2" },
  psk: { version: "TLSv1.3" },
};
const kinds = ["id", "ticket", "psk"] as const;

let upstreams: DemoUpstream[] = [];
let stack: Stack;

before(async () => {
  upstreams = await Promise.all(["alpha", "beta"].map((name) => startDemoUpstream({ name, tickets: true })));
  stack = await startStack({
    upstreams: upstreams.map(({ address }) => address),
    concurrency: 1,
    change: (document: Document) => document.setIn(["static_resources", "clusters", 0, "lb_policy"], "ROUND_ROBIN"),
  });
});

after(async () => {
  await stack?.stop();
  await Promise.all(upstreams.map((upstream) => upstream.close()));
});

describe("resumptions behind plain round robin", () => {
  it("are offered, accepted, lost and refused as often as the clients saw it, by kind", async () => {
    for (const kind of kinds) {
      const before = await stack.stats();
      const seen = { offered: 0, accepted: 0, elsewhere: 0, refused: 0 };
      const first = await visit({ port: stack.tlsPort, ...KINDS[kind] });
      const note = (again: Visit): void => {
        seen.offered++;
        if (again.resumed) seen.accepted++;
        if (again.upstream !== first.upstream) seen.elsewhere++;
      };
      for (let i = 0; i < 10; i++) note(await visit({ port: stack.tlsPort, session: first.session, ...KINDS[kind] }));
      await stack.admin("DELETE", `/v1/sessions/${first.id}`);
      for (let i = 0; i < 6; i++) {
        await visit({ port: stack.tlsPort, session: first.session, ...KINDS[kind] }).then(note, (error: Error) => {
          assert.match(String((error as NodeJS.ErrnoException).code), /ALERT_HANDSHAKE_FAILURE/);
          seen.offered++;
          seen.refused++;
        });
      }
      assert.ok(seen.accepted > 0 && seen.elsewhere > 0 && seen.refused > 0, JSON.stringify(seen));
      const count = await counted(before, kind);
      assert.deepEqual(
        [count.offered, count.accepted, count.refused],
        [seen.offered, seen.accepted, seen.refused],
        kind,
      );
      // A TLS 1.3 ticket is unknown, and its key too, until a server has accepted one. A removed session is not lost.
      assert.equal(count.lost + count.declined, seen.elsewhere, kind);
      assert.ok(count.lost > 0, `${kind}: ${JSON.stringify(count)}`);
      const { accepted, declined, failed, lost, offered, refused } = count;
      assert.equal(offered, accepted + lost + declined + refused + failed, kind);
    }
  });

  it("are lost and refused of the upstream whose session it was", async () => {
    const first = await visit({ port: stack.tlsPort, ...KINDS.id });
    const issuer = upstreams.find(({ name }) => name === first.upstream)?.address ?? "";
    // They are written with ticks: those of the handshakes before have to be there.
    const before = await eventually("the counts of before are written", async () => {
      const [fates, stats] = [await fatesByUpstream(), await stack.stats()];
      assertAddUp(fates, stats);
      return fates;
    });
    const again = (): Promise<Visit> => visit({ port: stack.tlsPort, session: first.session, ...KINDS.id });
    let lost = 0;
    for (let i = 0; i < 6; i++) if ((await again()).upstream !== first.upstream) lost++;
    assert.ok(lost > 0, "round robin leads elsewhere");
    await stack.admin("DELETE", `/v1/sessions/${first.id}`);
    await eventually("its issuer takes it up, and the filter refuses it", () => assert.rejects(again(), /ALERT|alert/));
    const expected = new Map(before);
    const [lostBefore, refusedBefore] = before.get(issuer) ?? [0, 0];
    expected.set(issuer, [lostBefore + lost, refusedBefore + 1]);
    await eventually("the counts are written", async () => assert.deepEqual(await fatesByUpstream(), expected));
    assertAddUp(expected, await stack.stats());
  });

  it("leave no handshake unaccounted for", async () => {
    const before = await stack.stats();
    const silent = connect(stack.tlsPort, "127.0.0.1");
    silent.on("error", () => undefined);
    await visit({ port: stack.tlsPort, ...KINDS.psk });
    silent.destroy();
    await eventually("all have ended", async () => {
      const now = await stack.stats();
      assert.equal(underWay(now), 0, JSON.stringify(now));
      assert.equal(now.accept, Number(before.accept) + 1, "a connection that sends nothing is not a handshake");
    });
  });

  it("are in /stats/prometheus with the labels of the other metrics", async () => {
    const text = await stack.prometheus();
    const stats = await stack.stats();
    for (const kind of kinds) {
      const offered = Number((stats.resumptions_offered as AnswerBody)[kind]);
      assert.ok(
        text.includes(`\ntls_session_cache_resumptions_offered_total{cache="default",kind="${kind}"} ${offered}\n`),
      );
      for (const outcome of ["accepted", "lost", "declined", "refused", "failed", "diverted"]) {
        const value = Number((stats[`resumptions_${outcome}`] as AnswerBody)[kind]);
        const labels = text
          .split("\n")
          .find(
            (line) =>
              line.includes("resumptions_total{") && line.includes(`"${kind}"`) && line.includes(`"${outcome}"`),
          );
        assert.match(labels ?? "", /cache="default"/);
        assert.ok(labels?.includes(`outcome="${outcome}"`) && labels.includes(`kind="${kind}"`), labels);
        assert.equal(Number(labels?.split(" ").at(-1)), value);
      }
    }
  });
});

type Count = Record<"offered" | "accepted" | "lost" | "declined" | "refused" | "failed", number>;

/** How far the statistics of a kind have gone on, once all of it is counted. */
async function counted(before: AnswerBody, kind: string): Promise<Count> {
  const now = await eventually("all have ended", async () => {
    const stats = await stack.stats();
    assert.equal(underWay(stats), 0);
    return stats;
  });
  const grown = (name: string): number =>
    Number((now[name] as AnswerBody)[kind]) - Number((before[name] as AnswerBody)[kind]);
  const names = ["offered", "accepted", "lost", "declined", "refused", "failed"] as const;
  return Object.fromEntries(names.map((name) => [name, grown(`resumptions_${name}`)])) as Count;
}

/** Lost and refused of each upstream. */
async function fatesByUpstream(): Promise<Map<string, [number, number]>> {
  const { json } = await stack.admin("GET", "/v1/upstreams");
  const rows = json.upstreams as { upstream: string; lost: number; refused: number }[];
  return new Map(rows.map(({ upstream, lost, refused }) => [upstream, [lost, refused]]));
}

/** The lost and the refused of all upstreams are those of the statistics. */
function assertAddUp(fates: Map<string, [number, number]>, stats: AnswerBody): void {
  for (const [index, name] of ["lost", "refused"].entries()) {
    assert.equal(sum([...fates.values()].map((counts) => counts[index] ?? 0)), stats[name], name);
  }
}

function underWay({ accept, failed, full, resumed, resumptions_refused: refused }: AnswerBody): number {
  return Number(accept) - sum(full) - sum(resumed) - sum(refused) - Number(failed);
}

function sum(counts: unknown): number {
  return Object.values(counts as Record<string, number>).reduce((total, count) => total + count, 0);
}
