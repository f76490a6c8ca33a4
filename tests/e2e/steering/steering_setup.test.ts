/**
 * Set up by half, steering tells itself, with a real Envoy: one line in the log and a field of the statistics say what is wrong; and no
 * connection is held that cannot be steered. Who says nothing is not the fault of any set-up.
 */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Document } from "yaml";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { Random } from "../../support/random.ts";
import { type Stack, eventually, inParallel, startStack } from "../../support/stack.ts";
import { type TlsRequest, type Visit, visit } from "../../support/tls_client.ts";

const ID: Partial<TlsRequest> = { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET };
const TICKET: Partial<TlsRequest> = { version: "TLSv1.2" };
const OBSERVER = ["static_resources", "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config", "config"];
const TCP_PROXY = ["static_resources", "listeners", 0, "filter_chains", 0, "filters", 1, "typed_config"];
const CLUSTERS = ["static_resources", "clusters"];

interface Steering {
  mode: string;
  effective?: boolean;
  why: string;
}

let upstreams: DemoUpstream[] = [];

before(async () => {
  upstreams = await Promise.all(
    ["alpha", "beta", "gamma", "delta"].map((name) => startDemoUpstream({ name, tickets: true })),
  );
});

after(() => Promise.all(upstreams.map((upstream) => upstream.close())));

describe("connections on which nothing is said", () => {
  for (const idle of [12, 100]) {
    it(`switch nothing off: ${idle} at a fresh start, and every client is resumed afterwards`, async () => {
      await withStack({ steering: "hash" }, async (stack) => {
        const silent = await Promise.all(Array.from({ length: idle }, () => opened(stack.tlsPort)));
        await sleep(1600);
        await inParallel([...Array(80).keys()], 8, () => visit({ port: stack.tlsPort, ...TICKET }));
        const clients = await inParallel([...Array(60).keys()], 8, () => visit({ port: stack.tlsPort, ...TICKET }));
        assert.equal(await resumedOf(stack, clients, TICKET), 60);
        for (const socket of silent) socket.destroy();
        assert.doesNotMatch(stack.envoy.log(), /steering has no effect/);
      });
    });
  }
});

describe("a right set-up", () => {
  for (const steering of ["hash", "exact"] as const) {
    it(`is said to be effective as soon as it was: ${steering}`, async () => {
      await withStack({ steering }, async (stack) => {
        assert.deepEqual(await steeringOf(stack), { mode: steering, why: "" });
        const clients = await inParallel([...Array(60).keys()], 8, () => visit({ port: stack.tlsPort, ...ID }));
        for (let i = 0; i < 2; i++) await resumedOf(stack, clients, ID);
        await eventually("it is effective", async () => {
          assert.deepEqual(await steeringOf(stack), { mode: steering, effective: true, why: "" });
        });
        assert.doesNotMatch(stack.envoy.log(), /steering has no effect/);
        // The look for the cluster connects to nobody.
        const admin = `http://127.0.0.1:${stack.envoyAdminPort}/stats?filter=tls_upstreams_exact.upstream_cx_(total|http)`;
        const made = /upstream_cx_http1_total: (\d+)/.exec(await (await fetch(admin)).text());
        assert.equal(made?.[1], "0");
      });
    });
  }

  it("is not doubted when its servers are restarted, one after the other, under load", async () => {
    const names = ["one", "two", "three"];
    let servers = await Promise.all(names.map((name) => startDemoUpstream({ name, tickets: true })));
    const addresses = servers.map(({ address }) => address);
    try {
      await withStack({ steering: "hash", addresses }, async (stack) => {
        let clients = await inParallel([...Array(60).keys()], 8, () => visit({ port: stack.tlsPort, ...ID }));
        const load = async (rounds: number): Promise<void> => {
          for (let round = 0; round < rounds; round++) {
            clients = await inParallel(clients, 8, async (client) =>
              // Who is refused while a server goes down keeps its session.
              visit({ port: stack.tlsPort, session: client.session, ...ID }).catch(() => client),
            );
          }
        };
        await load(2);
        for (const [i, server] of servers.entries()) {
          await server.close();
          await load(3);
          servers = [...servers];
          servers[i] = await startDemoUpstream({ name: `${names[i]} again`, tickets: true, port: server.port });
          await load(3);
        }
        assert.deepEqual(await steeringOf(stack), { mode: "hash", effective: true, why: "" });
        assert.doesNotMatch(stack.envoy.log(), /steering has no effect/);
      });
    } finally {
      await Promise.all(servers.map((server) => server.close()));
    }
  });

  it("that steers nothing says so", async () => {
    await withStack({ steering: "off" }, async (stack) => {
      await visit({ port: stack.tlsPort, ...ID });
      assert.deepEqual(await steeringOf(stack), { mode: "off", why: "" });
    });
  });
});

describe("without max_early_data_bytes", () => {
  it("few connections wait, and the log and the statistics say what to do", async () => {
    const change = (configuration: Document): unknown => configuration.deleteIn([...TCP_PROXY, "max_early_data_bytes"]);
    await withStack({ steering: "hash", concurrency: 1, change }, async (stack) => {
      const durations = await inParallel([...Array(40).keys()], 1, () =>
        timed(() => visit({ port: stack.tlsPort, ...ID })),
      );
      // Three show it; of the others, the eighth, the 24th, the 56th and so on are tried.
      const waited = durations.filter((milliseconds) => milliseconds >= 900).length;
      assert.ok(waited >= 3 && waited <= 6, durations.map(Math.round).join(" "));
      await assertFound(stack, "hash", /max_early_data_bytes: 16384/);
    });
  });
});

describe("a cluster that is not tcp_proxy's", () => {
  it("is found out by the first answers, which name the right one; nothing is held", async () => {
    await withStack({ steering: "hash", observer: { cluster: "tls_upstream" } }, async (stack) => {
      await inParallel([...Array(20).keys()], 4, () => visit({ port: stack.tlsPort, ...ID }));
      await assertFound(stack, "hash", /cluster "tls_upstream": .*"tls_upstreams" instead/);
      await assertNothingIsHeld(stack);
    });
  });

  it("is found out for exact, too", async () => {
    await withStack({ steering: "exact", observer: { cluster: "tls_upstream" } }, async (stack) => {
      await inParallel([...Array(20).keys()], 4, () => visit({ port: stack.tlsPort, ...ID }));
      await assertFound(stack, "exact", /cluster "tls_upstream": .*"tls_upstreams" instead/);
    });
  });
});

describe("a hash without effect", () => {
  const changes: Record<string, (configuration: Document) => unknown> = {
    "no hash_policy": (configuration) => configuration.deleteIn([...TCP_PROXY, "hash_policy"]),
    ROUND_ROBIN: (configuration) => configuration.setIn([...CLUSTERS, 0, "lb_policy"], "ROUND_ROBIN"),
    LEAST_REQUEST: (configuration) => configuration.setIn([...CLUSTERS, 0, "lb_policy"], "LEAST_REQUEST"),
    RANDOM: (configuration) => configuration.setIn([...CLUSTERS, 0, "lb_policy"], "RANDOM"),
  };
  const random = new Random(13);
  for (const [name, change] of Object.entries(changes)) {
    for (const servers of [2, 4]) {
      it(`is found out: ${name}, ${servers} servers; few connections are held any more`, async () => {
        await withStack({ steering: "hash", servers, concurrency: 1, change }, async (stack) => {
          let clients = await inParallel([...Array(60).keys()], 8, () => visit({ port: stack.tlsPort, ...ID }));
          // Chance decides how many connections tell: with two servers, half of them agree with what was known.
          for (let round = 0; round < 3 || (round < 12 && (await steeringOf(stack)).effective !== false); round++) {
            // In another order each time: where they come in turn, ROUND_ROBIN happens to lead them all home.
            const places = clients.map((client) => ({ client, place: random.below(1_000_000) }));
            places.sort((one, other) => one.place - other.place);
            clients = await inParallel(places, 8, ({ client }) =>
              visit({ port: stack.tlsPort, session: client.session, ...ID }),
            );
          }
          await assertFound(stack, "hash", /hash_policy: .*lb_policy MAGLEV or RING_HASH/);
          await assertNothingIsHeld(stack);
        });
      });
    }
  }
});

describe("an exact_cluster that Envoy does not have", () => {
  it("closes no client's connection; the log and the statistics say so without any traffic", async () => {
    await withStack({ steering: "exact", observer: { exact_cluster: "tls_upstreams_exakt" } }, async (stack) => {
      const clients = await inParallel([...Array(20).keys()], 4, () => visit({ port: stack.tlsPort, ...ID }));
      // Each of these would fail if it were sent to a cluster that is not there.
      for (let i = 0; i < 3; i++) await resumedOf(stack, clients, ID);
      await assertFound(stack, "exact", /no cluster "tls_upstreams_exakt".*ORIGINAL_DST/);
      await resumedOf(stack, clients, ID);
      await assertNothingIsHeld(stack);
    });
  });
});

describe("servers that speak first", () => {
  it("make the first few connections wait for a second, and no more", async () => {
    const open = new Set<Socket>();
    const server = createServer((socket) => {
      open.add(socket.on("error", () => undefined).on("close", () => open.delete(socket)));
      socket.write("220 ready\r\n");
    });
    const address = await listening(server);
    try {
      await withStack({ steering: "hash", concurrency: 1, addresses: [address] }, async (stack) => {
        const durations = await inParallel([...Array(30).keys()], 1, () => timed(() => greeted(stack.tlsPort)));
        const waited = durations.filter((milliseconds) => milliseconds >= 900).length;
        assert.ok(waited >= 3 && waited <= 5, durations.map(Math.round).join(" "));
        await assertFound(stack, "hash", /speak before their clients.*"steering": "off"/);
      });
    } finally {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

interface SetUp {
  steering: "off" | "hash" | "exact";
  concurrency?: number;
  servers?: number;
  addresses?: string[];
  observer?: Record<string, unknown>;
  change?: (configuration: Document) => unknown;
}

async function withStack(setUp: SetUp, act: (stack: Stack) => Promise<void>): Promise<void> {
  const stack = await startStack({
    upstreams: setUp.addresses ?? upstreams.slice(0, setUp.servers ?? 4).map(({ address }) => address),
    steering: setUp.steering,
    concurrency: setUp.concurrency ?? 2,
    change: (configuration) => {
      const path = [...OBSERVER, "configuration", "value"];
      const settings = JSON.parse(String(configuration.getIn(path))) as Record<string, unknown>;
      configuration.setIn(path, JSON.stringify({ ...settings, ...setUp.observer }));
      setUp.change?.(configuration);
    },
  });
  try {
    await act(stack);
  } finally {
    await stack.stop();
  }
}

async function steeringOf(stack: Stack): Promise<Steering> {
  return (await stack.stats()).steering as unknown as Steering;
}

/** One line in the log says what is wrong, and so do the statistics. */
async function assertFound(stack: Stack, mode: string, why: RegExp): Promise<void> {
  await eventually("it is found out", async () => {
    const steering = await steeringOf(stack);
    assert.equal(steering.effective, false);
    assert.equal(steering.mode, mode);
    assert.match(steering.why ?? "", why);
  });
  const lines = stack.envoy
    .log()
    .split("\n")
    .filter((line) => line.includes("steering has no effect"));
  assert.equal(lines.length, 1, lines.join("\n"));
  assert.match(lines[0] ?? "", why);
}

/** Silent connections reach a server at once: that of one that is held does only after a second. */
async function assertNothingIsHeld(stack: Stack): Promise<void> {
  const active = async (): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${stack.envoyAdminPort}/stats?filter=upstream_cx_active`)).text();
    return Number(/cluster\.tls_upstreams\.upstream_cx_active: (\d+)/.exec(text)?.[1]);
  };
  await eventually("no connection is left", async () => assert.equal(await active(), 0));
  const silent = await Promise.all(Array.from({ length: 16 }, () => opened(stack.tlsPort)));
  await sleep(400);
  const reached = await active();
  for (const socket of silent) socket.destroy();
  assert.ok(reached >= 14, `${reached} of 16 were not held`);
}

async function resumedOf(stack: Stack, clients: Visit[], kind: Partial<TlsRequest>): Promise<number> {
  const seen = await inParallel(clients, 8, ({ session }) => visit({ port: stack.tlsPort, session, ...kind }));
  return seen.filter(({ resumed }) => resumed).length;
}

async function opened(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** A client that waits for the server's greeting. */
async function greeted(port: number): Promise<void> {
  const socket = await opened(port);
  try {
    await once(socket, "data");
  } finally {
    socket.destroy();
  }
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
