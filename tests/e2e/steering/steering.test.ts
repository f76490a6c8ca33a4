/**
 * Resumptions go home: four upstreams that share nothing, clients that come again and again, and a real Envoy that
 * would spread them evenly. The client's word decides whether it resumed.
 */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { type Stack, eventually, inParallel, startStack } from "../../support/stack.ts";
import { type TlsRequest, type Visit, visit } from "../../support/tls_client.ts";

const KINDS: Record<"id" | "ticket" | "psk", Partial<TlsRequest>> = {
  id: { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET },
  ticket: { version: "TLSv1.2" },
  psk: { version: "TLSv1.3" },
};
const CLIENTS = 40;

let upstreams: DemoUpstream[] = [];
let stack: Stack;

before(async () => {
  upstreams = await Promise.all(
    ["alpha", "beta", "gamma", "delta"].map((name) => startDemoUpstream({ name, tickets: true })),
  );
  stack = await startStack({ upstreams: upstreams.map(({ address }) => address), steering: "hash" });
});

after(async () => {
  await stack?.stop();
  await Promise.all(upstreams.map((upstream) => upstream.close()));
});

describe("steering by hash", () => {
  for (const kind of ["id", "ticket", "psk"] as const) {
    for (const newest of [true, false]) {
      it(`resumes ${kind === "id" ? "every session ID" : `every ${kind}`}, ${newest ? "the newest" : "the first"} offered each time`, async () => {
        // The first clients teach which token leads where, and which ticket key is whose.
        await inParallel([...Array(80).keys()], 8, () => visit({ port: stack.tlsPort, ...KINDS[kind] }));
        const clients = await inParallel([...Array(CLIENTS).keys()], 8, () =>
          visit({ port: stack.tlsPort, ...KINDS[kind] }),
        );
        const sessions = clients.map(({ session }) => session);
        let resumed = 0;
        const attempts = 200;
        await inParallel([...Array(attempts).keys()], 8, async (i) => {
          const client = i % CLIENTS;
          const seen = await visit({ port: stack.tlsPort, session: sessions[client], ...KINDS[kind] });
          if (seen.resumed) resumed++;
          if (newest) sessions[client] = seen.session;
        });
        assert.ok(resumed >= attempts * 0.98, `${resumed} of ${attempts} were resumed`);
      });
    }
  }

  it("spreads new connections evenly", async () => {
    const counts = new Map<string, number>();
    await inParallel([...Array(400).keys()], 16, async () => {
      const { upstream } = await visit({ port: stack.tlsPort, ...KINDS.psk });
      counts.set(upstream, (counts.get(upstream) ?? 0) + 1);
    });
    const values = [...counts.values()];
    assert.equal(values.length, 4);
    // 100 each, give or take five standard deviations.
    assert.ok(Math.min(...values) > 55 && Math.max(...values) < 145, `spread: ${values.join(" ")}`);
  });

  it("learns and refuses a client whose hello comes slowly, and lets it go on", async () => {
    const first = await visit({ port: stack.tlsPort, ...KINDS.ticket });
    const seen = await slowly(stack.tlsPort, async (port) => visit({ port, session: first.session, ...KINDS.ticket }));
    assert.ok(seen.upstreamResumed === seen.resumed);
    await stack.admin("DELETE", `/v1/sessions/${first.id}`);
    await slowly(stack.tlsPort, async (port) => {
      for (let i = 0; i < 4; i++) {
        // Without a choice it may come to another upstream, which does a full handshake: but it never resumes.
        const again = await visit({ port, session: first.session, ...KINDS.ticket }).catch((error: unknown) => {
          assert.match(String((error as NodeJS.ErrnoException).code), /ALERT_HANDSHAKE_FAILURE/);
          return null;
        });
        assert.ok(again === null || !again.resumed);
      }
    });
  });

  it("lets a client that sends nothing go on after a while, and plain text at once", async () => {
    const silent = connect(stack.tlsPort, "127.0.0.1");
    const plain = connect(stack.tlsPort, "127.0.0.1");
    plain.on("error", () => undefined);
    silent.on("error", () => undefined);
    const begun = Date.now();
    const ended = new Promise<number>((resolve) => plain.on("close", () => resolve(Date.now() - begun)));
    plain.resume();
    plain.write("GET / HTTP/1.0\r\n\r\n");
    assert.ok((await ended) < 900, "the upstream refuses it at once");
    const before = await handshakesBegun();
    await sleep(1500);
    silent.destroy();
    assert.ok((await handshakesBegun()) >= before);
    const next = await visit({ port: stack.tlsPort, ...KINDS.psk });
    assert.equal(next.resumed, false);
  });

  it("sends a client elsewhere when the issuer is down, without an error", async () => {
    const victim = upstreams[3] as DemoUpstream;
    const visits: Visit[] = [];
    for (let i = 0; i < 60 && visits.length < 5; i++) {
      const seen = await visit({ port: stack.tlsPort, ...KINDS.ticket });
      if (seen.upstream === victim.name) visits.push(seen);
    }
    assert.equal(visits.length, 5);
    await victim.close();
    for (const { session } of visits) {
      const seen = await visit({ port: stack.tlsPort, session, ...KINDS.ticket });
      assert.notEqual(seen.upstream, victim.name);
    }
    const other = await visit({ port: stack.tlsPort, ...KINDS.ticket });
    await eventually("the others still resume", async () => {
      assert.ok(
        (await visit({ port: stack.tlsPort, session: other.session, ...KINDS.ticket })).resumed,
        "it did not resume",
      );
    });
  });
});

async function handshakesBegun(): Promise<number> {
  return Number((await stack.stats()).accept);
}

/** A way to the listener that hands a client's first bytes on in two halves, more than a second apart. */
async function slowly<T>(port: number, act: (port: number) => Promise<T>): Promise<T> {
  const { createServer } = await import("node:net");
  const server = createServer((client) => {
    const listener = connect(port, "127.0.0.1");
    const end = (): void => {
      client.destroy();
      listener.destroy();
    };
    client.on("error", end).on("close", end);
    listener.on("error", end);
    listener.on("data", (chunk: Buffer) => client.write(chunk));
    listener.on("end", () => client.end());
    client.once("data", (chunk: Buffer) => {
      client.pause();
      listener.write(chunk.subarray(0, 100));
      setTimeout(() => {
        listener.write(chunk.subarray(100));
        client.on("data", (next: Buffer) => listener.write(next));
        client.resume();
      }, 1400);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await act((server.address() as { port: number }).port);
  } finally {
    server.close();
  }
}
