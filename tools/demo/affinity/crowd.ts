/**
 * The crowd of `npm run demo:affinity`: clients that come again and again with the sessions that they hold, to a balancer that is
 * started for them in front of upstreams of their own; and how what they saw is told.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Addresses, type Kind, type Offering, type Seen, type Sources, visit } from "./client.ts";
import { isPlainSession } from "../plain_ticket.ts";
import { type Balancer, type Column } from "./balancers.ts";
import { startUpstream, type Upstream } from "./upstreams.ts";

/** A measurement's cell in the table, and the targets that it has missed, in words. */
export interface Cell {
  text: string;
  misses: string[];
}

/** Clients, and the sessions that each of them holds. */
export class Crowd {
  private readonly addresses: Addresses;
  private readonly first: Seen[] = [];
  private readonly last: Seen[] = [];
  /** Upstreams that have accepted a plain session: a filter may know their ticket keys. */
  private readonly haveAccepted = new Set<string>();

  constructor(
    private readonly balancer: Balancer,
    private readonly kind: Kind,
    sources: Sources,
    private readonly offering: Offering,
  ) {
    this.addresses = new Addresses(sources);
  }

  /** Each client gets its first session; then the first `warmUp` attempts are made without being counted. */
  async arrive(warmUp = 0): Promise<void> {
    await inParallel(CLIENTS, AT_A_TIME, async (client) => {
      const seen = await visit(this.balancer.port, this.kind, this.addresses.of(client));
      if (seen.error !== null) throw new Error(`a new connection failed: ${seen.error}`);
      this.first[client] = this.last[client] = seen;
    });
    await inParallel(warmUp, AT_A_TIME, async (i) => void (await this.attempt(i % CLIENTS)));
  }

  async attempt(client: number): Promise<Attempt> {
    const { session, upstream: issuer } = (this.offering === "first" ? this.first : this.last)[client] as Seen;
    const isLearned = this.haveAccepted.has(issuer);
    const seen = await visit(this.balancer.port, this.kind, this.addresses.of(client), session);
    if (seen.resumed && session !== undefined && isPlainSession(session)) this.haveAccepted.add(seen.upstream);
    if (seen.error === null) this.last[client] = seen;
    return { ...seen, client, issuer, missedThoughLearned: isLearned && !seen.resumed };
  }
}

export interface Attempt extends Seen {
  client: number;
  issuer: string;
  missedThoughLearned: boolean;
}

/** Upstreams that share nothing, of one kind, until `act` ends. */
export function withUpstreams<T>(kind: Kind, names: string[], act: (upstreams: Upstream[]) => Promise<T>): Promise<T> {
  return withServers(
    names.map((name) => () => startUpstream(name, kind)),
    act,
  );
}

/** Starts servers one after the other, and closes all that were started, whatever happens. */
export async function withServers<Server extends Upstream, T>(
  starts: (() => Promise<Server>)[],
  act: (servers: Server[]) => Promise<T>,
): Promise<T> {
  const servers: Server[] = [];
  try {
    for (const start of starts) servers.push(await start());
    return await act(servers);
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
}

/** A balancer that starts cold; fails where its module has trapped. */
export async function withBalancer<T>(
  column: Column,
  upstreams: readonly { readonly address: string }[],
  act: (balancer: Balancer) => Promise<T>,
): Promise<T> {
  const balancer = await column.start(upstreams.map(({ address }) => address));
  let result: T;
  try {
    result = await act(balancer);
  } catch (error) {
    await balancer.stop().catch(() => undefined);
    throw error;
  }
  await balancer.stop();
  return result;
}

export function busiestPercent(attempts: readonly { upstream: string }[]): number {
  const counts = NAMES.map((name) => attempts.filter(({ upstream }) => upstream === name).length);
  return Math.round((100 * Math.max(...counts)) / attempts.length);
}

/** Runs `act` for 0, 1, 2, and so on, `width` at a time. */
export async function inParallel<T>(count: number, width: number, act: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = new Array<T>(count);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) results[i] = await act(i);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
  return results;
}

/** Begins `act` for 0, 1, 2, and so on, so many a second, whether or not those before have ended; answers when all have. */
export async function atPace<T>(aSecond: number, seconds: number, act: (i: number) => Promise<T>): Promise<T[]> {
  const begun = Date.now();
  const running: Promise<T>[] = [];
  for (let i = 0; i < aSecond * seconds; i++) {
    await sleep(Math.max(0, begun + (1000 * i) / aSecond - Date.now()));
    running.push(act(i));
  }
  return Promise.all(running);
}

/** Rounded down: only all of them are 100. */
export function percentText(part: number, whole: number): string {
  const percent = Math.floor((1000 * part) / whole) / 10;
  return Number.isInteger(percent) ? `${percent} %` : `${percent.toFixed(1)} %`;
}

/** The four upstreams, by the names that they give themselves. */
export const NAMES = ["alpha", "beta", "gamma", "delta"];
export const CLIENTS = 40;
/** Fewer than clients, so that no client has two connections at a time. */
export const AT_A_TIME = 8;

/** A key's tickets are sent elsewhere so often, until it is believed that nobody shares the key, if the others have shown no keys. */
export const ASKED_ELSEWHERE = 2;
