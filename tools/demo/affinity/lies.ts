/**
 * A client that lies about whose ticket it holds, beside honest clients of the server alpha. Its ticket is made up and begins with the
 * name of alpha's key (RFC 5077 4). It may reach its own connections only: alpha's clients must resume as without it.
 *
 * - `before` and `afterwards`, to alpha's name being known: in one TLS 1.2 hello it offers that ticket and a session ID of its own
 *   at beta, which has no tickets and so resumes by the ID. Whoever takes the echoed ID for a ticket that was accepted, learns that
 *   alpha's key is beta's. The hello comes so late that nobody waits for it any more, and goes wherever the balancer chooses.
 * - `junk`: in TLS 1.3 it offers that ticket again and again, and every server declines it; also from the clients' own addresses.
 */
import { randomBytes } from "node:crypto";
import type { Balancer, Column } from "./balancers.ts";
import { Addresses, type Seen, visit } from "./client.ts";
import { ASKED_ELSEWHERE, AT_A_TIME, atPace, inParallel, NAMES, withBalancer, withServers } from "./crowd.ts";
import type { Plan } from "./plan.ts";
import { startTicketless, startUpstream, type Upstream } from "./upstreams.ts";
import { sessionOf, withTicket } from "../ssl_session.ts";

export const LYING = ["before", "afterwards", "junk"] as const;
export type Lying = (typeof LYING)[number];

export interface LieOutcome {
  /** Offers of alpha's clients once its key could be known, and how many of them were not resumed. */
  offers: number;
  misses: number;
  /** Lies that reached who was to be lied to; without any, nothing was measured. */
  lies: number;
}

export function lieTo(column: Column, lying: Lying): Promise<LieOutcome> {
  const starts = NAMES.map(
    (name) => (): Promise<Upstream> => (name === OTHER ? startTicketless(name) : startUpstream(name, "stateless")),
  );
  return withServers(starts, (upstreams) =>
    withBalancer(column, upstreams, async (balancer) => {
      const sessions = await sessionsAt(balancer, VICTIM, CLIENTS_OF_VICTIM);
      const keyName = (sessionOf(sessions[0] as Buffer).ticket as Buffer).subarray(0, KEY_NAME_BYTES);
      if (lying === "junk") return await besideJunk(balancer, keyName, sessions);

      const addresses = new Addresses("new");
      const resume = (rounds: number): Promise<Seen[]> =>
        inParallel(rounds * sessions.length, 1, (i) =>
          visit(balancer.port, "stateless", addresses.of(i), sessions[i % sessions.length]),
        );
      const [own] = await sessionsAt(balancer, OTHER, 1, "id");
      const lie = withTicket(own as Buffer, madeUp(keyName));
      if (lying === "afterwards") await resume(LEARNING_ROUNDS);
      const lies = await untilBelieved(balancer, lie);
      if (lying === "before") await resume(LEARNING_ROUNDS);
      return { ...outcome(await resume(1)), lies };
    }),
  );
}

/** Half of the junk comes from the addresses of alpha's clients. */
async function besideJunk(balancer: Balancer, keyName: Buffer, sessions: Buffer[]): Promise<LieOutcome> {
  const tell = (i: number): Promise<Seen> => {
    const from = i % 2 === 0 ? sharedAddress(i / 2) : `127.88.0.${1 + (i % 200)}`;
    const lie = withTicket(sessions[0] as Buffer, madeUp(keyName));
    return visit(balancer.port, "stateless", from, lie);
  };
  const come = (i: number): Promise<Seen> =>
    visit(balancer.port, "stateless", sharedAddress(i), sessions[i % sessions.length]);
  const junk = atPace(JUNK_A_SECOND, LEARNING_SECONDS + JUNK_SECONDS, tell);
  await atPace(sessions.length, LEARNING_SECONDS, come);
  const seen = await atPace(sessions.length, JUNK_SECONDS, come);
  const declined = (await junk).filter(({ error, resumed }) => error === null && !resumed);
  return { ...outcome(seen), lies: declined.length };
}

/** Tells the lie until beta has resumed it several times. */
async function untilBelieved(balancer: Balancer, lie: Buffer): Promise<number> {
  const addresses = new Addresses("new");
  let lies = 0;
  for (let round = 0; round < LIE_ROUNDS && lies < LIES; round++) {
    const told = await inParallel(AT_A_TIME, AT_A_TIME, (i) =>
      visit(balancer.port, "ticket", addresses.of(i), lie, LATE_SECONDS),
    );
    lies += told.filter(({ resumed, upstream }) => resumed && upstream === OTHER).length;
  }
  return lies;
}

/** Sessions that a server has issued, to so many clients that came to it by chance. */
export async function sessionsAt(
  balancer: Balancer,
  name: string,
  count: number,
  kind: "id" | "stateless" = "stateless",
): Promise<Buffer[]> {
  const addresses = new Addresses("new");
  const sessions: Buffer[] = [];
  for (let tries = 0; tries < MOST_TRIES && sessions.length < count; tries += AT_A_TIME) {
    const visits = await inParallel(AT_A_TIME, AT_A_TIME, (i) => visit(balancer.port, kind, addresses.of(i)));
    for (const { upstream, session } of visits) if (upstream === name && session !== undefined) sessions.push(session);
  }
  if (sessions.length < count) throw new Error(`${MOST_TRIES} connections have not led to ${name} ${count} times`);
  return sessions.slice(0, count);
}

/** A ticket of a length that OpenSSL's have, which nobody has made. */
export function madeUp(keyName: Buffer): Buffer {
  return Buffer.concat([keyName, randomBytes(160)]);
}

function outcome(seen: Seen[]): { offers: number; misses: number } {
  return { offers: seen.length, misses: seen.filter(({ resumed }) => !resumed).length };
}

function sharedAddress(client: number): string {
  return `127.77.1.${1 + (client % 4)}`;
}

const VICTIM = "alpha";
const OTHER = "beta";
const CLIENTS_OF_VICTIM = 12;
export const KEY_NAME_BYTES = 16;
/** Until alpha's key is known, in any order of what servers and clients have said. */
const LEARNING_ROUNDS = 2;
const LIES = 3;
/** One of four late hellos goes to beta, by chance: of 160, at least three. */
const LIE_ROUNDS = 20;
/** Later than anybody waits for a hello. */
const LATE_SECONDS = 1.3;
/** Its clients come once a second each. */
const LEARNING_SECONDS = LEARNING_ROUNDS;
const JUNK_SECONDS = 4;
const JUNK_A_SECOND = 10;
const MOST_TRIES = 800;

export const LYING_PLANS: Plan[] = [
  {
    title: "misses of a server's clients beside one that lies: before its key is known / afterwards / with junk",
    target: "<= 2",
    measure: async (column) => {
      const texts: string[] = [];
      const misses: string[] = [];
      for (const lying of LYING) {
        const { offers, misses: missed, lies } = await lieTo(column, lying);
        texts.push(`${missed} of ${offers}`);
        if (missed > ASKED_ELSEWHERE) misses.push(`${lying}: ${missed} of ${offers} not resumed`);
        if (lies === 0) misses.push(`${lying}: no lie has reached anybody`);
      }
      return { text: texts.join(" / "), misses };
    },
    steeredBy: ["hash", "exact"],
    isLarge: true,
  },
];
