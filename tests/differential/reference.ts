/**
 * The expected behaviour of the cache, from a real libssl. Carries operations out on libssl, with the deliberate differences
 * in terms of libssl's own functions: puts back sessions that it drops, adds again those that keep their turn, subtracts its
 * surplus counts. Only two facts are its own: the fields of a session that libssl does not have, and the tombstones.
 */
import { type Difference, Occurrences } from "./differences.ts";
import { AddFlag, Code, HandshakeFlag, type HeldSession, type Libssl, type Outcome, outcomeOf } from "./libssl.ts";
import { type Fields, type How, MODE_FLAGS, type ModeFlag, type Operation, SLOTS } from "./operations.ts";

/** The state to compare after every step. */
export interface State {
  number: number;
  hits: number;
  misses: number;
  timeouts: number;
  cacheFull: number;
  /** `slot: expires at` of all held sessions, expired or not, in the order of slots. */
  held: string;
  /** `slot: refused until` of all refused IDs, in the order of slots. */
  refused: string;
}

/** A handshake as a proxy in between sees it. */
export interface Exchange {
  offered: number | undefined;
  /** The server resumes the offered session; else the handshake is full. */
  resumed: boolean;
  issued: number | undefined;
  brokenOff: boolean;
  /** The server resumes a removed session: the client must get an alert. */
  cutOff: boolean;
}

export interface Expected {
  returned: string;
  state: State;
  exchange?: Exchange;
}

/** The fields of a held session that libssl does not have. */
interface Known {
  protocol: "TLSv1.2" | "TLSv1.1" | undefined;
  sni: string | undefined;
  /** A handshake has filled in the other fields. */
  filled: boolean;
}

export class Reference {
  private now: number;
  private size = DEFAULT_SIZE;
  private mode: number = MODE_FLAGS.SERVER;
  private timeout = DEFAULT_TIMEOUT_SECONDS;
  private readonly known = new Map<number, Known>();
  private readonly tombstones = new Map<number, number>();
  /** The facts of removed sessions, by which an add undoes the removal. */
  private readonly buried = new Map<number, Known>();
  /** Counts of libssl that the cache must not have. */
  private readonly surplus = { hits: 0, misses: 0, timeouts: 0, cacheFull: 0 };

  constructor(
    private readonly libssl: Libssl,
    private readonly occurrences: Occurrences,
    private readonly settings: {
      startSeconds: number;
      removedSeconds: number;
      sweepSeconds: number;
      staySeconds: number;
    },
  ) {
    this.now = settings.startSeconds;
    libssl.put(Code.NEW).put(Code.TIME, 0, this.now).put(Code.SIZE, 0, librarySize(DEFAULT_SIZE));
    libssl.put(Code.TIMEOUT, 0, DEFAULT_TIMEOUT_SECONDS).put(Code.MODE, 0, this.libraryMode()).run();
  }

  apply(operation: Operation): Expected {
    if (operation.kind !== "handshake") return { returned: this.change(operation), state: this.state() };
    const exchange = this.handshake(operation);
    return { returned: outcomeText(exchange), state: this.state(), exchange };
  }

  /** The status of its GET: 200 if it is held and live, 410 if it is refused, else 404. */
  statusOf(slot: number): number {
    const session = this.held(slot);
    if (session !== undefined) return this.expired(session) ? 404 : 200;
    return this.isRefused(slot) ? 410 : 404;
  }

  /** Makes libssl evict one session in the place of another that it has evicted. */
  evictInstead(evicted: number, spared: number): void {
    this.libssl.put(Code.REMOVE, evicted, 0).put(Code.PUT_BACK, spared, 0).run();
  }

  private change(operation: Exclude<Operation, { kind: "handshake" }>): string {
    switch (operation.kind) {
      case "size":
        return this.changeSize(operation.size);
      case "timeout":
        return this.changeTimeout(operation.seconds);
      case "mode":
        return this.changeMode(operation.flags);
      case "add":
        return this.add(operation.slot, operation.fields);
      case "remove":
        return this.remove(operation.slot);
      case "flush":
        return this.flush(operation.offset);
      case "pass":
        return this.pass(operation.seconds);
      case "sweep":
        return this.sweep();
    }
  }

  private changeSize(size: number): string {
    if (size < 0) {
      this.met("out-of-range-refused");
      this.libssl.call(Code.SIZE, 0, size);
      return "refused";
    }
    const before = this.libssl.state.number;
    const previous = this.libssl.call(Code.SIZE, 0, librarySize(size));
    this.size = size;
    if (size > 0 && before > size) {
      this.met("lower-size-evicts-at-once");
      this.provokeEviction(size);
    }
    return `previous ${previous === 0 ? 0 : previous - 1}`;
  }

  /** libssl evicts only in an add, so this adds one more session, with room for it, and removes it. */
  private provokeEviction(size: number): void {
    this.libssl.put(Code.SIZE, 0, librarySize(size) + 1).put(Code.ADD, DUMMY_SLOT, 0, 1_000_000);
    this.libssl.put(Code.REMOVE, DUMMY_SLOT, 0).put(Code.SIZE, 0, librarySize(size)).run();
  }

  private changeTimeout(seconds: number): string {
    const previous = this.libssl.call(Code.TIMEOUT, 0, seconds);
    if (seconds < 1) {
      this.met("out-of-range-refused");
      this.libssl.call(Code.TIMEOUT, 0, previous);
      return "refused";
    }
    this.timeout = seconds;
    return `previous ${previous}`;
  }

  private changeMode(flags: readonly ModeFlag[]): string {
    const before = this.mode;
    this.mode = flags.reduce((mode, flag) => mode | MODE_FLAGS[flag], 0);
    const previous = this.libssl.call(Code.MODE, 0, this.libraryMode());
    // libssl must never clear by itself, so it always has NO_AUTO_CLEAR. That flag of the answer comes from here.
    return `previous ${modeText((previous & ~MODE_FLAGS.NO_AUTO_CLEAR) | (before & MODE_FLAGS.NO_AUTO_CLEAR))}`;
  }

  private add(slot: number, fields: Fields): string {
    const session = this.held(slot);
    const live = session !== undefined && !this.expired(session);
    const known = this.known.get(slot);
    if (live && known !== undefined && changesNothing(fields, known, session.timeout))
      return this.addIdentical(session);
    if (session !== undefined && !live) this.met("expired-is-absent");
    const removed = session === undefined && this.isRefused(slot) ? this.buried.get(slot) : undefined;
    if (removed !== undefined) this.met("undoing-keeps");
    const kept = live ? known : removed;
    const next: Known = {
      protocol: fields.protocol ?? kept?.protocol,
      sni: fields.sni ?? kept?.sni,
      filled: kept?.filled === true,
    };
    if (live && (fields.timeout === undefined || fields.protocol === undefined || fields.sni === undefined)) {
      this.met("unsaid-stays");
    }
    const timeout = fields.timeout ?? (live ? session.timeout : this.timeout);
    const result = this.addFresh(slot, next.protocol === "TLSv1.1" ? 1 : 0, timeout, session);
    this.known.set(slot, next);
    this.tombstones.delete(slot);
    return `${result} ${live ? "replaced" : "added"}`;
  }

  private addIdentical(session: HeldSession): string {
    this.met("equal-by-fields");
    if (this.hasEqual(session)) this.met("turns-by-change");
    const flags = AddFlag.SAME_OBJECT | AddFlag.KEEP_TURN;
    return `${this.libssl.call(Code.ADD, session.slot, session.protocol, 0, 0, flags)} identical`;
  }

  /** Adds a new object in the place of the session that its ID has, if there is one. */
  private addFresh(slot: number, protocol: number, timeout: number, replaced: HeldSession | undefined): number {
    if (replaced !== undefined && replaced.protocol !== protocol) {
      this.met("key-without-protocol");
      this.libssl.put(Code.REMOVE, slot, replaced.protocol);
    } else if (replaced !== undefined && this.size > 1 && this.libssl.state.number === this.size) {
      return this.replaceInFull(slot, protocol, timeout);
    }
    if (replaced === undefined && this.size > 0 && this.libssl.state.number >= this.size - 1) this.met("size-holds-n");
    return this.libssl.call(Code.ADD, slot, protocol, timeout);
  }

  /** With exactly the given size, libssl evicts another session. */
  private replaceInFull(slot: number, protocol: number, timeout: number): number {
    const before = this.libssl.state.held;
    const result = this.libssl.put(Code.SIZE, 0, this.size).call(Code.ADD, slot, protocol, timeout);
    const after = this.libssl.state.held;
    for (const { protocol: lostProtocol, slot: lost } of before.values()) {
      if (after.has(lost)) continue;
      this.met("replacing-evicts-nobody");
      this.surplus.cacheFull++;
      this.libssl.put(Code.SIZE, 0, librarySize(this.size)).put(Code.PUT_BACK, lost, lostProtocol);
    }
    this.libssl.put(Code.SIZE, 0, librarySize(this.size)).run();
    return result;
  }

  private remove(slot: number): string {
    const session = this.held(slot);
    const result = this.libssl.call(Code.REMOVE, slot, session?.protocol ?? 0);
    this.bury(slot, session);
    return `${result} ${result === 1 ? "removed" : "not_found"}`;
  }

  private flush(offset: number | undefined): string {
    const before = this.libssl.state.held;
    const removed = this.libssl.call(Code.FLUSH, 0, offset === undefined ? 0 : this.now + offset);
    for (const session of before.values()) {
      if (this.held(session.slot) !== undefined || this.expired(session)) continue;
      this.bury(session.slot, session);
      this.met("flushed-stays-refused");
    }
    return `removed ${removed}`;
  }

  private pass(seconds: number): string {
    this.now += seconds;
    // Time alone changes nothing, so this waits in the batch for the next operation.
    this.libssl.put(Code.TIME, 0, this.now);
    return "";
  }

  private sweep(): string {
    this.pass(this.settings.sweepSeconds);
    if (this.mode & MODE_FLAGS.NO_AUTO_CLEAR) return "";
    const cleared = this.libssl.call(Code.FLUSH, 0, this.now - this.settings.staySeconds);
    if (cleared > 0) this.met("cleared-in-background");
    return "";
  }

  private handshake(operation: { offered: number | undefined; issue: number; how: How }): Exchange {
    const how = this.possible(operation);
    const { offered } = operation;
    const session = this.held(offered);
    const expired = session !== undefined && this.expired(session);
    const issue = how === "again" ? operation.issue : this.nextFree(operation.issue, offered);
    const before = { ...this.libssl.state };
    const { BROKEN_OFF, DO_NOT_STORE, ELSEWHERE, EXTERNAL, KEEP, UNCLEAN } = HandshakeFlag;
    const refused = this.isRefused(how === "external" ? offered : issue);
    const flags =
      KEEP |
      (how === "broken-off" ? BROKEN_OFF : 0) |
      (how === "unclean" ? UNCLEAN : 0) |
      (how === "elsewhere" ? ELSEWHERE : 0) |
      (how === "external" ? EXTERNAL : 0) |
      (refused ? DO_NOT_STORE : 0);
    const outcome = outcomeOf(this.libssl.call(Code.HANDSHAKE, 0, offered ?? -1, issue, 0, flags));
    this.correctCounters(before, how, session, expired, outcome);
    const cutOff = refused && how === "external" && outcome.resumed;
    if (cutOff) {
      this.met("removed-is-cut-off");
      this.surplus.misses++;
    }
    if (outcome.keptExpired) this.met("expired-stays-until-swept");
    if (outcome.keptUnclean) this.met("unclean-end-keeps");
    return { ...this.learn({ how, offered, issue, outcome, refused }), cutOff };
  }

  /** `how` if it is possible in the current state, else "usual". */
  private possible({ how, issue, offered }: { offered: number | undefined; issue: number; how: How }): How {
    // A server that does not resume never issues the offered ID (RFC 5246 7.4.1.3).
    if (how === "again") return issue !== offered && this.held(issue)?.protocol === 0 && this.learns ? how : "usual";
    if (how === "external")
      return offered !== undefined && this.held(offered) === undefined && this.looksUp ? how : "usual";
    return how;
  }

  private correctCounters(
    before: { hits: number; misses: number; timeouts: number },
    how: How,
    offered: HeldSession | undefined,
    expired: boolean,
    outcome: Outcome,
  ): void {
    const { hits, misses, timeouts } = this.libssl.state;
    if ((this.mode & MODE_FLAGS.SERVER) === 0) {
      const counted = hits - before.hits + misses - before.misses + timeouts - before.timeouts;
      if (counted > 0) this.met("off-counts-nothing");
      this.surplus.hits += hits - before.hits;
      this.surplus.misses += misses - before.misses;
      this.surplus.timeouts += timeouts - before.timeouts;
      return;
    }
    if (!this.looksUp) return;
    if (offered?.protocol === 1) {
      this.met("key-without-protocol");
      this.surplus.misses++;
      if (expired) this.surplus.timeouts--;
    } else if (how === "elsewhere" && expired) {
      this.met("expired-counts-if-declined");
      this.surplus.timeouts--;
    }
    if (outcome.resumed && how === "external") {
      this.met("hit-only-if-held");
      this.surplus.hits++;
    } else if (outcome.resumed && how === "broken-off") {
      this.met("hit-at-completion");
      this.surplus.hits++;
    }
  }

  private learn(done: {
    how: How;
    offered: number | undefined;
    issue: number;
    outcome: Outcome;
    refused: boolean;
  }): Exchange {
    const { how, issue, offered, outcome, refused } = done;
    const brokenOff = how === "broken-off";
    const exchange: Exchange = { offered, resumed: outcome.resumed, issued: outcome.issued, brokenOff, cutOff: false };
    if (brokenOff) return { ...exchange, issued: outcome.resumed ? undefined : issue };
    if (outcome.resumed) {
      exchange.issued = undefined;
      if (how !== "external") this.fillIn(offered);
      else if (!refused) this.known.set(offered ?? 0, { ...LEARNED });
    } else if (!outcome.completed) {
      if (this.held(issue) === undefined) throw new Error("libssl failed a handshake for no known reason");
      if (this.learns) this.issueAgain(exchange, issue);
    } else if (outcome.issued !== undefined && this.held(outcome.issued) !== undefined) {
      this.known.set(outcome.issued, { ...LEARNED });
    }
    if (refused && this.learns && (how === "external" || outcome.issued !== undefined))
      this.met("removed-stays-refused");
    return exchange;
  }

  private issueAgain(exchange: Exchange, issue: number): void {
    this.met("issued-again-replaces");
    exchange.issued = issue;
    this.addFresh(issue, 0, this.timeout, this.held(issue));
    this.known.set(issue, { ...LEARNED });
  }

  /** A hit fills in unknown fields, which changes the record. */
  private fillIn(slot: number | undefined): void {
    if (slot === undefined || !this.looksUp) return;
    const session = this.held(slot);
    const known = this.known.get(slot);
    if (session === undefined || known === undefined || known.filled) return;
    known.filled = true;
    known.protocol ??= "TLSv1.2";
    if (this.hasEqual(session)) this.met("turns-by-change");
    this.libssl.call(Code.TURN, slot, session.protocol);
  }

  private bury(slot: number, session: HeldSession | undefined): void {
    const known = this.known.get(slot);
    if (session !== undefined && known !== undefined) this.buried.set(slot, { ...known });
    else if (!this.isRefused(slot)) this.buried.delete(slot);
    const already = session === undefined ? (this.tombstones.get(slot) ?? 0) : session.time + session.timeout;
    this.tombstones.set(slot, Math.max(already, this.now + this.settings.removedSeconds));
  }

  private state(): State {
    const { cacheFull, held, hits, misses, number, timeouts } = this.libssl.state;
    const refused = [...this.tombstones].filter(([slot]) => this.isRefused(slot));
    return {
      number,
      hits: hits - this.surplus.hits,
      misses: misses - this.surplus.misses,
      timeouts: timeouts - this.surplus.timeouts,
      cacheFull: cacheFull - this.surplus.cacheFull,
      held: listOf([...held.values()].map(({ slot, time, timeout }) => [slot, time + timeout])),
      refused: listOf(refused),
    };
  }

  private nextFree(from: number, offered: number | undefined): number {
    for (let i = 0; i < SLOTS; i++) {
      const slot = (from + i) % SLOTS;
      if (slot !== offered && this.held(slot) === undefined) return slot;
    }
    return SPARE_SLOT;
  }

  private held(slot: number | undefined): HeldSession | undefined {
    return slot === undefined ? undefined : this.libssl.state.held.get(slot);
  }

  private expired({ time, timeout }: HeldSession): boolean {
    return this.now > time + timeout;
  }

  private isRefused(slot: number | undefined): boolean {
    return slot !== undefined && this.now <= (this.tombstones.get(slot) ?? -1);
  }

  private hasEqual(session: HeldSession): boolean {
    const all = [...this.libssl.state.held.values()];
    return all.some((other) => other !== session && other.time + other.timeout === session.time + session.timeout);
  }

  private get learns(): boolean {
    return (this.mode & (MODE_FLAGS.SERVER | MODE_FLAGS.NO_INTERNAL_STORE)) === MODE_FLAGS.SERVER;
  }

  private get looksUp(): boolean {
    return (this.mode & (MODE_FLAGS.SERVER | MODE_FLAGS.NO_INTERNAL_LOOKUP)) === MODE_FLAGS.SERVER;
  }

  private libraryMode(): number {
    return this.mode | MODE_FLAGS.NO_AUTO_CLEAR;
  }

  private met(difference: Difference): void {
    this.occurrences.met(difference);
  }
}

/** Holds as many sessions in libssl. 0 is unbounded in both. */
function librarySize(size: number): number {
  return size === 0 ? 0 : size + 1;
}

function changesNothing(fields: Fields, known: Known, timeout: number): boolean {
  if (fields.timeout !== undefined && fields.timeout !== timeout) return false;
  if (fields.protocol !== undefined && fields.protocol !== known.protocol) return false;
  return fields.sni === undefined || fields.sni === known.sni;
}

function outcomeText({ cutOff, issued, resumed }: Exchange): string {
  if (cutOff) return "cut off";
  return `${resumed ? "resumed" : "full"}, issued ${issued ?? "none"}`;
}

export function modeText(mode: number): string {
  const names = Object.entries(MODE_FLAGS).filter(([, flag]) => mode & flag);
  return names.length === 0 ? "OFF" : names.map(([name]) => name).join(",");
}

/** Sorts by slot. */
export function listOf(entries: readonly (readonly [number, number])[]): string {
  return [...entries]
    .sort(([a], [b]) => a - b)
    .map(([slot, time]) => `${slot}:${time}`)
    .join(" ");
}

const LEARNED: Known = { protocol: "TLSv1.2", sni: undefined, filled: true };
/** Slots that no client offers: the spare one to issue if all others are held, the dummy to provoke evictions. */
const SPARE_SLOT = SLOTS;
const DUMMY_SLOT = SLOTS + 1;
export const ALL_SLOTS = SLOTS + 2;
/** OpenSSL's SSL_SESSION_CACHE_MAX_SIZE_DEFAULT. */
export const DEFAULT_SIZE = 20480;
export const DEFAULT_TIMEOUT_SECONDS = 7200;
