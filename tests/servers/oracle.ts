/**
 * Judges one case at one server. A removed session must not resume through the filter, although it resumes directly. If
 * nothing was removed, the filter must change nothing, unless it reports that it could not follow.
 *
 * Sessions are always fresh: a session that a server has forgotten, or that was removed before, would prove nothing.
 */
import { runPlan } from "./client/connection.ts";
import { EXT } from "./client/hello.ts";
import type { Outcome } from "./client/outcome.ts";
import { type HelloOptions, plainPlan } from "./client/plan.ts";
import { type Session, ticketHash, ticketKey } from "./client/session.ts";
import { TLS12, TLS13 } from "./client/suites.ts";
import type { Front, Setting } from "./envoy.ts";
import { planOf } from "./mutations/cases.ts";
import { type Case, is13 } from "./mutations/step.ts";
import { Quiet } from "./quiet.ts";
import type { Lane } from "./servers/lane.ts";

export interface Finding {
  what: "resumed although removed" | "early data although removed" | "disturbed" | "not removed";
  detail: string;
}

export class Oracle {
  private readonly quiet = new Quiet();
  private serial = 0;
  /** Tickets that servers take more than once, for direct attempts. */
  private readonly reusable = new Map<string, { session: Session; uses: number }>();

  constructor(
    readonly front: Front,
    readonly setting: Setting,
  ) {}

  /** Tries the case at the server itself. */
  async direct(lane: Lane, one: Case): Promise<Outcome> {
    const key = `${lane.port} ${one.base}`;
    const held = this.reusable.get(key);
    const trial =
      held !== undefined && held.uses++ < MAX_USES ? held.session : await this.trialSession(lane, one, lane.port);
    if (trial === "none") return NOTHING;
    const patience = lane.width > 1 ? DIRECT_MILLISECONDS : SERIAL_MILLISECONDS;
    const mark = `early-${this.mark()}`;
    const outcome = await this.attempt(lane, one, lane.port, trial, patience, mark);
    if (one.base === "early" && outcome.kind !== "resumed" && isEarlyUnderTrial(one)) {
      outcome.earlyReached = await sawSoon(lane, mark);
    }
    // A server may forget a stored session after a failure.
    const isStateless = trial !== undefined && one.base !== "id" && one.base !== "early" && trial.ticket.length > 33;
    if (isStateless && outcome.kind === "resumed") this.reusable.set(key, { session: trial, uses: held?.uses ?? 1 });
    else this.reusable.delete(key);
    return outcome;
  }

  /** Tries the case through the filter, after the session was removed. Undefined: nothing is wrong. */
  removed(lane: Lane, one: Case): Promise<Finding | undefined> {
    return this.quiet.shared(() => this.runRemoved(lane, one));
  }

  /**
   * Tries the case through the filter with nothing removed: the outcome must be as it was directly. Undefined: nothing is
   * wrong. Half-closing clients of Envoy as a server are left out: it answers only about every second one, directly as well.
   */
  async bystander(lane: Lane, one: Case, direct: Outcome): Promise<Finding | "unfollowed" | undefined> {
    if (this.setting.enforcement === "strict" && isStrange(one)) return undefined;
    if (lane.server === "boringssl" && one.steps.some(({ op }) => op === "wire.half_close")) return undefined;
    const seen = await this.quiet.shared(() => this.runBystander(lane, one));
    if (sameKind(seen, direct)) return undefined;
    // Again, alone, so that the counts are this case's own; and directly again, as chance may have decided the first time:
    // Node forgets one session in 1,500, without a proxy as well.
    return await this.quiet.alone(async () => {
      let finding: Finding | "unfollowed" | undefined;
      for (let turn = 0; turn < ALONE_TURNS; turn++) {
        finding = await this.bystanderAlone(lane, one);
        if (finding === undefined) break;
      }
      return finding;
    });
  }

  private async bystanderAlone(lane: Lane, one: Case): Promise<Finding | "unfollowed" | undefined> {
    const again = await this.direct(lane, one);
    const before = await this.unfollowed();
    const through = await this.runBystander(lane, one);
    if (sameKind(through, again)) return undefined;
    if ((await this.unfollowed()) > before) return "unfollowed";
    const detail = `${again.kind} directly, ${through.kind} ${through.detail} through the filter`;
    return { what: "disturbed", detail };
  }

  private async runRemoved(lane: Lane, one: Case): Promise<Finding | undefined> {
    const port = this.front.ports.get(lane) ?? 0;
    const sessions = await this.sessionsToRemove(lane, one, port);
    if (sessions === undefined) return undefined;
    const { removed, offered } = sessions;
    const status = await this.remove(one, removed, offered.serverName);
    // 404: the cache does not hold the session, and refuses it all the same.
    if (![200, 201, 404].includes(status)) return { what: "not removed", detail: `the answer was ${status}` };
    try {
      const mark = `early-${this.mark()}`;
      const last = one.mutatesRenewal === true ? { ...one, steps: [] } : one;
      const outcome = await this.attempt(lane, last, port, offered, FRONT_MILLISECONDS, mark);
      if (outcome.kind === "resumed" && outcome.session === offered) {
        return { what: "resumed although removed", detail: "" };
      }
      if (one.base === "early" && isEarlyUnderTrial(one) && (await sawSoon(lane, mark))) {
        return { what: "early data although removed", detail: outcome.kind };
      }
      return undefined;
    } finally {
      if (one.way === "name") await this.admin("DELETE", `/v1/revocations/${offered.serverName}`);
    }
  }

  private async runBystander(lane: Lane, one: Case): Promise<Outcome> {
    const port = this.front.ports.get(lane) ?? 0;
    const trial = await this.trialSession(lane, one, port);
    if (trial === "none") return NOTHING;
    // Strict accepts only PSKs that the API has added.
    const mayAdd = this.setting.enforcement === "strict" && trial !== undefined && is13(one.base);
    if (mayAdd) await this.admin("PUT", `/v1/sessions/${ticketHash(trial)}`, { kind: "psk" });
    return await this.attempt(lane, one, port, trial, FRONT_MILLISECONDS);
  }

  private async attempt(
    lane: Lane,
    one: Case,
    port: number,
    trial: Session | undefined,
    milliseconds: number,
    mark = `early-${this.mark()}`,
  ): Promise<Outcome> {
    const others = one.steps.some(({ op }) => op.endsWith(".other")) ? await this.otherSessions(one, port) : [];
    const serverName = trial?.serverName ?? "shop.example";
    const early = Buffer.from(`GET /${mark} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const plan = planOf(one, { serverName, trial, others, early });
    const pauses = plan.first.pauses.reduce((sum, pause) => sum + pause.milliseconds, 0);
    const patience = milliseconds + pauses + (one.base === "retry" ? SECOND_PAUSES : 0);
    return await runPlan(plan, { port, milliseconds: patience, knownRetry: lane.retry });
  }

  /** The session to remove and the session to offer: the same one, unless the case has a chain of renewals. */
  private async sessionsToRemove(
    lane: Lane,
    one: Case,
    port: number,
  ): Promise<{ removed: Session; offered: Session } | undefined> {
    const trial = await this.trialSession(lane, one, port);
    if (trial === undefined || trial === "none") return undefined;
    if (one.accepted === true) await this.plainly(port, one, trial);
    if (one.chain === undefined) return { removed: trial, offered: trial };
    const renewal =
      one.mutatesRenewal === true
        ? await this.attempt(lane, one, port, trial, FRONT_MILLISECONDS)
        : await this.plainly(port, one, trial);
    const successor = renewal.fresh[0];
    // A full handshake, or the resumption of another session, issues a ticket that is not the trial's.
    if (successor === undefined || renewal.session !== trial) return undefined;
    return one.chain === "successor" ? { removed: trial, offered: successor } : { removed: successor, offered: trial };
  }

  private plainly(port: number, one: Case, session: Session): Promise<Outcome> {
    const { serverName } = session;
    const handle: HelloOptions["handle"] = one.base === "both" ? "both" : "ticket";
    const plan = plainPlan({ version: session.version, serverName, session, handle });
    return runPlan(plan, { port, milliseconds: FRONT_MILLISECONDS });
  }

  /** A session of the kind that the case needs; undefined if it needs none, "none" if the server issued none. */
  private async trialSession(lane: Lane, one: Case, port: number): Promise<Session | "none" | undefined> {
    if (one.base === "full12" || one.base === "full13") return undefined;
    // The filter never sees a PSK being issued, so the PSK may come from the server directly.
    const isFromServer = is13(one.base) ? one.accepted !== true && one.way !== "name" : one.unseen === true;
    const from = isFromServer ? lane.port : port;
    for (let turn = 0; turn < 3; turn++) {
      const [session] = await this.freshSessions(from, one);
      if (session !== undefined) return session;
    }
    return "none";
  }

  private async otherSessions(one: Case, port: number): Promise<Session[]> {
    const withTicket = await this.freshSessions(port, {
      ...one,
      base: is13(one.base) ? "psk" : "ticket",
      asksTicket: true,
    });
    const byId = is13(one.base) ? [] : await this.freshSessions(port, { ...one, base: "id", asksTicket: false });
    const all = [...withTicket.slice(0, 1), ...byId.slice(0, 1)];
    if (this.setting.enforcement === "strict" && is13(one.base)) {
      for (const other of all) await this.admin("PUT", `/v1/sessions/${ticketHash(other)}`, { kind: "psk" });
    }
    return all;
  }

  private async freshSessions(port: number, one: Case): Promise<Session[]> {
    const version = is13(one.base) ? TLS13 : TLS12;
    const serverName = one.way === "name" ? `name-${this.mark()}.example` : "shop.example";
    const wantsTicket = one.asksTicket ?? true;
    const plan = plainPlan({ version, serverName, wantsTicket });
    const { fresh } = await runPlan(plan, { port, milliseconds: FRONT_MILLISECONDS, wantsTicket: version === TLS13 });
    const byId = one.base === "id" || one.base === "both";
    return fresh.filter(({ id, ticket }) => (byId ? id.length > 0 : ticket.length > 0));
  }

  private async remove(one: Case, session: Session, serverName: string): Promise<number> {
    if (one.way === "name") return await this.admin("PUT", `/v1/revocations/${serverName}`);
    if (one.way === "key") return await this.admin("DELETE", `/v1/ticket-keys/${ticketKey(session) ?? "none"}`);
    const byId = session.ticket.length === 0 || (one.removes === "id" && session.id.length > 0);
    return await this.admin("DELETE", `/v1/sessions/${byId ? session.id.toString("hex") : ticketHash(session)}`);
  }

  private async admin(method: string, path: string, body?: unknown): Promise<number> {
    return (await this.front.stack.admin(method, path, body === undefined ? {} : { body })).status;
  }

  /** How many connections the filter has reported that it could not follow. */
  private async unfollowed(): Promise<number> {
    const text = await this.front.stack.prometheus();
    const lines = text
      .split("\n")
      .filter((line) => /^\w*(unfollowed|parse_errors|not_tls|unwatched)\w*[{ ]/.test(line));
    return lines.reduce((sum, line) => sum + Number(/ (\d+)$/.exec(line)?.[1] ?? 0), 0);
  }

  private mark(): string {
    return `${this.front.stack.tlsPort}-${this.serial++}`;
  }
}

/** Early data is under the first PSK: if that is another session's, it may reach the server. */
function isEarlyUnderTrial({ steps }: Case): boolean {
  return !steps.some(({ front, op }) => op === "psk.other" && front === true);
}

/** Waits a moment first: a server writes its log after it has answered. */
async function sawSoon(lane: Lane, mark: string): Promise<boolean> {
  if (lane.sawEarly === undefined) return false;
  await new Promise((resolve) => setTimeout(resolve, LOG_MILLISECONDS));
  return lane.sawEarly(mark);
}

/**
 * Whether strict refuses the case from anybody: it offers a handle that the cache does not hold, or a second handle, so that
 * nobody can see which of the two the server has accepted.
 */
export function isStrange({ steps, unseen }: Case): boolean {
  if (unseen === true) return true;
  return steps.some(
    ({ op, type }) =>
      /^(ticket|id)\./.test(op) ||
      /^(psk\.append|psk\.other|hello\.session_id)/.test(op) ||
      (op.startsWith("extension.") && (type === EXT.ticket || type === EXT.psk)),
  );
}

/**
 * Whether `one` went as well as the direct attempt `other`. A server that had forgotten a session may remember another one,
 * so a resumption is never worse.
 */
export function sameKind(one: Outcome, other: Outcome): boolean {
  const isGood = ({ kind }: Outcome): boolean => kind === "resumed" || kind === "full";
  return one.kind === other.kind || !isGood(other) || one.kind === "resumed";
}

const NOTHING: Outcome = { kind: "broken", detail: "no session", fresh: [], earlyData: false };
const MAX_USES = 20;
const ALONE_TURNS = 2;
const DIRECT_MILLISECONDS = 700;
/** For a server that serves one connection at a time. */
const SERIAL_MILLISECONDS = 450;
const LOG_MILLISECONDS = 20;
const FRONT_MILLISECONDS = 3000;
/** How long a second hello may pause. */
const SECOND_PAUSES = 1500;
