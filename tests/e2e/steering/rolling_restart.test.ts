/**
 * Servers that forget everything, one after the other, under load: real nginx that restart, that reload with new keys, or that come
 * back after they were dead. Forty clients resume their newest session all the time. No client sees an error; soon
 * afterwards the load is level again, and no client has done many more full handshakes than its server's end demands.
 *
 * The three cases run side by side, each with three nginx of its own, and each of them with both ways of steering.
 */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cell, type Cells, startCells } from "./cells.ts";
import { Nginx, isNginxInstalled } from "../../support/nginx.ts";
import { Folder } from "../../support/openssl.ts";
import { eventually } from "../../support/stack.ts";
import { type TlsRequest, visit } from "../../support/tls_client.ts";

const CLIENTS = 40;
const KINDS: Partial<TlsRequest>[] = [
  { version: "TLSv1.3" },
  { version: "TLSv1.2" },
  { version: "TLSv1.3" },
  { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET },
];
const CONNECTIONS_A_SECOND = 20;
const SERVERS = ["alpha", "beta", "gamma"];
/** Connections that it may take until the load is level, and those by which that is measured. */
const SETTLING = 100;
const MEASURED = 100;
const FAIR_SHARE = MEASURED / SERVERS.length;
/**
 * Forty clients who are spread by chance leave a server less than half of its fair share in one of thirty cases, and less than
 * a third in one of four hundred. So half is asked of both ways of steering together, and a third of each.
 */
const LEAST_OF_ONE = 1 / 3;
const GONE_MILLISECONDS = 1500;
const BETWEEN_MILLISECONDS = 2500;
const DEAD_MILLISECONDS = 8000;

type Steering = "hash" | "exact";

interface Case {
  name: string;
  what: string;
  /** What happens to the servers. `quietly` does something while no connection is under way. */
  happen: (servers: Nginx[], quietly: Quietly) => Promise<void>;
}

type Quietly = (act: () => Promise<void>) => Promise<void>;

const CASES: Case[] = [
  {
    name: "restart",
    what: "a restart of one server after the other",
    happen: async (servers, quietly) => {
      for (const server of servers) {
        if (server !== servers[0]) await sleep(BETWEEN_MILLISECONDS);
        await quietly(() => server.stop());
        await sleep(GONE_MILLISECONDS);
        await server.start();
      }
    },
  },
  {
    name: "reload",
    what: "a reload of one server after the other, with new keys",
    happen: async (servers) => {
      for (const server of servers) {
        if (server !== servers[0]) await sleep(BETWEEN_MILLISECONDS);
        await server.reload();
      }
    },
  },
  {
    name: "back",
    what: "the return of a server that was dead",
    happen: async (servers, quietly) => {
      const server = servers[0] as Nginx;
      await quietly(() => server.stop());
      await sleep(DEAD_MILLISECONDS);
      await server.start();
    },
  },
];
const STEERINGS: readonly Steering[] = ["hash", "exact"];

/** The clients of one cell, who come one after the other. */
class Crowd {
  readonly seen: Seen[] = [];
  readonly errors: string[] = [];
  private readonly sessions: (Buffer | undefined)[] = new Array<undefined>(CLIENTS).fill(undefined);
  /** Whose they are. */
  private readonly servers: (string | undefined)[] = new Array<undefined>(CLIENTS).fill(undefined);
  private readonly underWay = new Set<Promise<void>>();
  private isHeld = false;

  constructor(
    readonly cell: Cell,
    private readonly port: number,
    private readonly number: number,
  ) {}

  /** New ones, as many at each server, who have resumed once so that it is known whose their tickets are. */
  async arrive(servers: number): Promise<void> {
    for (let i = 0; i < 2 * CLIENTS; i++) await this.come(i % CLIENTS);
    const full = Math.ceil(CLIENTS / servers);
    for (let client = 0; client < CLIENTS; client++) {
      for (let attempt = 0; attempt < 20 && this.clientsAt(this.servers[client]) > full; attempt++) {
        this.sessions[client] = undefined;
        await this.come(client);
      }
    }
  }

  /** Comes at a steady pace until it is stopped. */
  async keepComing(isOver: () => boolean): Promise<void> {
    for (let i = 0; !isOver(); i++) {
      if (!this.isHeld) {
        const visits = this.come(i % CLIENTS).finally(() => this.underWay.delete(visits));
        this.underWay.add(visits);
      }
      await sleep((1000 / CONNECTIONS_A_SECOND) * (0.5 + Math.random()));
    }
    await Promise.all(this.underWay);
  }

  async hold(): Promise<void> {
    this.isHeld = true;
    await Promise.all(this.underWay);
  }

  release(): void {
    this.isHeld = false;
  }

  private clientsAt(server: string | undefined): number {
    return this.servers.filter((name) => name === server).length;
  }

  private async come(client: number): Promise<void> {
    const session = this.sessions[client];
    const source = `127.61.${this.number}.${client + 1}`;
    try {
      const one = await visit({ port: this.port, source, session, ...KINDS[client % KINDS.length] });
      this.sessions[client] = one.session;
      this.servers[client] = one.upstream;
      this.seen.push({ client, server: one.upstream, missed: session !== undefined && !one.resumed });
    } catch (error) {
      this.errors.push(String(error));
    }
  }
}

interface Seen {
  client: number;
  server: string;
  missed: boolean;
}

/** What became of a crowd, as numbers of connections. */
interface Outcome {
  crowd: Crowd;
  /** Before the case began. */
  begun: number;
  /** When all servers were up again. */
  over: number;
  /** When Envoy, too, had all of them. */
  takenBack: number;
  servers: string[];
}

const outcomes = new Map<string, Outcome>();

describe("servers that forget everything under load", { skip: !isNginxInstalled() && "there is no nginx" }, () => {
  const folder = new Folder();
  const servers = new Map<string, Nginx[]>();
  let envoy: Cells | undefined;

  before(async () => {
    const cells: Cell[] = [];
    for (const { name } of CASES) {
      const three = await Nginx.startAll(
        folder,
        SERVERS.map((server) => `${name}-${server}`),
      );
      servers.set(name, three);
      for (const steering of STEERINGS) {
        cells.push({ name: `${name}-${steering}`, steering, upstreams: three.map(({ address }) => address) });
      }
    }
    const { stack, portOf } = (envoy = await startCells(cells));
    const crowds = cells.map((cell, number) => new Crowd(cell, portOf(cell.name), number));
    await Promise.all(crowds.map((crowd) => crowd.arrive(crowd.cell.upstreams.length)));
    await Promise.all(
      CASES.map(({ name, happen }) => {
        const both = crowds.filter(({ cell }) => STEERINGS.some((steering) => cell.name === `${name}-${steering}`));
        return goThrough(both, servers.get(name) ?? [], happen, stack.envoyAdminPort);
      }),
    );
  });

  after(async () => {
    await envoy?.stack.stop();
    await Promise.all([...servers.values()].flat().map((server) => server.stop()));
    folder.remove();
  });

  for (const { name, what } of CASES) {
    it(`${what} leaves no server less than half of its fair share, ${SETTLING} connections later`, () => {
      const [first = [], ...others] = STEERINGS.map((steering) =>
        settledShares(outcomes.get(`${name}-${steering}`) as Outcome),
      );
      const both = first.map((share, i) => others.reduce((sum, shares) => sum + (shares[i] ?? 0), share));
      const least = (FAIR_SHARE * STEERINGS.length) / 2;
      assert.ok(Math.min(...both) >= least, `shares of ${MEASURED * STEERINGS.length}: ${both.join("/")}`);
    });

    for (const steering of STEERINGS) {
      describe(`${what}, ${steering}`, () => {
        const outcome = (): Outcome => outcomes.get(`${name}-${steering}`) as Outcome;

        it("costs no client an error", () => {
          const { crowd } = outcome();
          assert.deepEqual(crowd.errors, []);
        });

        it(`leaves each server its share of the load, ${SETTLING} connections later`, (t) => {
          const { crowd, begun, over, takenBack, servers: names } = outcome();
          const parts: [string, number, number][] = [
            ["before", Math.max(0, begun - MEASURED), begun],
            ["meanwhile", begun, over],
            ["settling", takenBack, takenBack + SETTLING],
          ];
          const shares = parts.map(
            ([part, from, to]) => `${part} ${sharesOf(crowd.seen.slice(from, to), names).join("/")}`,
          );
          const last = settledShares(outcome());
          t.diagnostic(`${shares.join(", ")}, then ${last.join("/")}`);
          t.diagnostic(`${takenBack - over} connections until Envoy had all servers`);
          assert.ok(Math.min(...last) >= FAIR_SHARE * LEAST_OF_ONE, `shares of ${MEASURED}: ${last.join("/")}`);
        });

        it("costs each client two more full handshakes at most, once all servers are up", (t) => {
          const { crowd, begun, over } = outcome();
          const meanwhile = missesOf(crowd.seen.slice(begun, over));
          const misses = missesOf(crowd.seen.slice(over));
          t.diagnostic(`misses by client: meanwhile ${meanwhile.join(" ")}; then ${misses.join(" ")}`);
          const said = `misses by client: ${misses.join(" ")}`;
          assert.ok(Math.max(...misses) <= 2, said);
          assert.ok(misses.reduce((sum, count) => sum + count, 0) <= misses.length * 1.1, said);
        });
      });
    }
  }
});

async function goThrough(
  crowds: Crowd[],
  servers: Nginx[],
  happen: Case["happen"],
  envoyAdminPort: number,
): Promise<void> {
  let isOver = false;
  const coming = crowds.map((crowd) => crowd.keepComing(() => isOver));
  try {
    const lengths = (): number[] => crowds.map(({ seen }) => seen.length);
    await sleep(1000);
    const begun = lengths();
    await happen(servers, (act) => quietly(crowds, act));
    const over = lengths();
    const takenBack = await Promise.all(
      crowds.map(async (crowd) => {
        await untilTakenBack(envoyAdminPort, crowd.cell.name);
        return crowd.seen.length;
      }),
    );
    const enough = (): boolean =>
      crowds.every(({ seen }, i) => seen.length >= (takenBack[i] as number) + SETTLING + MEASURED);
    await eventually("enough connections", () => assert.ok(enough(), "more must come"), 30);
    for (const [i, crowd] of crowds.entries()) {
      const [at, up, all] = [begun[i], over[i], takenBack[i]] as [number, number, number];
      outcomes.set(crowd.cell.name, {
        crowd,
        begun: at,
        over: up,
        takenBack: all,
        servers: servers.map(({ name }) => name),
      });
    }
  } finally {
    isOver = true;
    await Promise.all(coming);
  }
}

/** A connection that is under way at a server when that one ends is lost, whatever a proxy does. */
async function quietly(crowds: Crowd[], act: () => Promise<void>): Promise<void> {
  await Promise.all(crowds.map((crowd) => crowd.hold()));
  try {
    await act();
  } finally {
    for (const crowd of crowds) crowd.release();
  }
}

/** Until then the outlier detection leaves a server out, for MAX_EJECTION_SECONDS at most. */
async function untilTakenBack(envoyAdminPort: number, cluster: string): Promise<void> {
  await eventually(`Envoy has all servers of ${cluster}`, async () => {
    const text = await (await fetch(`http://127.0.0.1:${envoyAdminPort}/clusters`)).text();
    const flags = [...text.matchAll(/^([^:]+)::[^:]+:\d+::health_flags::(.*)$/gm)].filter(
      ([, name]) => name === cluster,
    );
    assert.deepEqual(
      flags.map(([, , flag]) => flag),
      ["healthy", "healthy", "healthy"],
    );
  });
}

/** Connections of each server, of those that are measured. */
function settledShares({ crowd, takenBack, servers }: Outcome): number[] {
  const from = takenBack + SETTLING;
  const seen = crowd.seen.slice(from, from + MEASURED);
  assert.equal(seen.length, MEASURED);
  return sharesOf(seen, servers);
}

function sharesOf(seen: Seen[], servers: string[]): number[] {
  return servers.map((name) => seen.filter(({ server }) => server === name).length);
}

function missesOf(seen: Seen[]): number[] {
  return Array.from(
    { length: CLIENTS },
    (_, client) => seen.filter((one) => one.client === client && one.missed).length,
  );
}
