/**
 * The guard: an HTTP filter on a listener that terminates TLS itself. It learns the session IDs that Envoy issues there,
 * counts their resumptions, and answers a request on a session that must not resume with 421 and `connection: close`.
 *
 * The session ID comes as filter state `tls_sid` in lower-case hex. An HTTP `set_filter_state` filter ahead of this one sets
 * it from `%DOWNSTREAM_TLS_SESSION_ID%`, so clients cannot forge it. Up to TLS 1.2 without tickets the ID is the same on the
 * full handshake and when it resumes. In TLS 1.3 there is none, and the guard has nothing to do. (With TLS 1.2 tickets a
 * resumed connection shows an ID that its client made up: tickets must be off on this listener.)
 *
 * The guard does not see which handshake was a full one; the cache tells. An ID that it does not hold is a new session,
 * learned with the first request of its connection. One that it holds came again on another connection, so it was resumed.
 * The guard judges it as an observer would: by the revocation of its server name and, under `strict`, by its time.
 *
 * Promises:
 * - Every request is looked up, so that a removal also reaches open connections. Learning, counting and judging happen for
 *   the first request of a connection only (`host/connection/connection_mark.ts`); a refused one stays the first.
 * - A full handshake is refused only for a removal, unless its session was used on another connection first.
 * - An observer in front of this listener has counted and judged a session that is held with an upstream. The guard leaves
 *   its record alone, and refuses it only once it is removed.
 * - Without an ID, with one that is not hex, and if the store does not answer, the request goes on. Nothing is ever delayed.
 *
 * So every session that the cache does not hold counts as new: under NO_INTERNAL_STORE, after an eviction or a sweep, and if
 * no request was made on the connection that it was issued on.
 *
 * With `"fleet": {"start": "wait"}` the first request on such an ID is answered with 503 until decisions of other proxies are in:
 * a removed session would look the same.
 *
 * If it is configured to, the access log can print `tls_session_outcome` of each request's connection: full, resumed or
 * refused.
 *
 * Cost: for each request two small properties and one page read; for the first of a connection one write more, and of a
 * resumed one a look for the server name. As long as no ID has come at all, one property more for each of the first MAX_LOOKS requests:
 * a client before TLS 1.3 without one shows that something is missing in front of the guard, and the log says so.
 */
import { misdirected, unavailable } from "../../admin/http/problem";
import { HttpResponse } from "../../admin/http/response";
import { Config } from "../../config/config";
import { Action } from "../../host/abi";
import { HostLog } from "../../host/adapters/host_log";
import { SOURCE } from "../../host/adapters/peer_property";
import { ConnectionMark } from "../../host/connection/connection_mark";
import { LogField } from "../../host/connection/log_field";
import { answer } from "../../host/http_stream";
import { LastingText } from "../../host/lasting_text";
import { FINISHED } from "../../host/roots";
import { LogLevel } from "../../ports/log";
import { causeOf, Refusals, Verdict } from "../../resumption/refusal";
import { Cache, Lookup, PutOutcome } from "../../session/cache";
import { Known } from "../../session/record/session";
import { Enforcement } from "../../session/settings/enforcement";
import { Version } from "../../tls/wire/protocol";
import { CacheFilter } from "../cache/cache_filter";
import { FleetStart, fleetStartOf } from "../cache/fleet_start";
import { SharedCache } from "../cache/shared_cache";
import { ShownSession } from "./shown_session";

export class Guard extends CacheFilter {
  private counted: ConnectionMark | null = null;
  private refusals: Refusals | null = null;
  /** Whether the host keeps marks: without them no request is known to be the first of its connection. */
  private marks: bool = false;
  private logs: bool = false;
  private readonly shown: ShownSession = new ShownSession();
  /** How many requests without an ID are still looked at for why they have none. */
  private looks: i32 = MAX_LOOKS;
  /** Null if nothing waits for decisions of other proxies. */
  private start: FleetStart | null = null;

  constructor() {
    super("guard");
  }

  free(): void {
    super.free();
    this.counted = null;
    this.refusals = null;
    this.endStart();
  }

  tick(): void {
    super.tick();
    const start = this.start;
    if (!start) return;
    start.tick();
    if (!start.isPending) this.endStart();
  }

  requestHeaders(context: u32, endOfStream: bool): i32 {
    const shared = this.shared;
    const counted = this.counted;
    if (!shared || !counted) return Action.CONTINUE;
    if (!this.hasTicked) this.missTick(shared);
    const shown = this.shown;
    if (!shown.readId()) {
      if (this.looks > 0) this.lookForId();
      return Action.CONTINUE;
    }
    this.looks = 0;
    if (this.awaitsDecisions(shared.cache, counted)) {
      refuseForNow();
      return Action.STOP_ITERATION;
    }
    // Only a mark tells a new connection from an older one.
    if (!shared.inForce && this.marks && counted.value() == 0) shared.claim();
    const verdict = this.judge(shared.cache, counted);
    if (this.logs) log(verdict, counted);
    if (verdict == Verdict.Resume) return Action.CONTINUE;
    shared.cache.noteRefusal(shown.id, shown.idLength, causeOf(verdict), shown.describe(), SOURCE);
    refuse();
    return Action.STOP_ITERATION;
  }

  connectionOpened(context: u32): usize {
    const shared = this.shared;
    if (shared) shared.misplaced(ON_NETWORK);
    return FINISHED;
  }

  protected opened(shared: SharedCache, config: Config): void {
    const cache = shared.cache;
    this.refusals = new Refusals(cache);
    this.logs = config.accessLog;
    // Guards of several caches may stand in one chain: each counts for itself.
    const counted = new ConnectionMark(COUNTED + config.cache);
    this.marks = counted.declareProperty();
    if (!this.marks) new HostLog().write(LogLevel.Warn, NOT_MARKED);
    this.counted = counted;
    this.endStart();
    this.start = fleetStartOf(shared, config.fleet);
  }

  private endStart(): void {
    const start = this.start;
    this.start = null;
    if (start) start.free();
  }

  /**
   * Whether a request is on a session that may be removed by a decision of another proxy which is not here yet. Counts it. Those
   * on a connection that had a request before go on.
   */
  private awaitsDecisions(cache: Cache, counted: ConnectionMark): bool {
    const start = this.start;
    if (!start || !start.isPending || counted.value() != 0) return false;
    if (cache.peek(this.shown.id, this.shown.idLength) != Lookup.Absent) return false;
    start.countWait();
    return true;
  }

  /**
   * Looks why a request has no session ID. It has none in TLS 1.3 and without TLS; before TLS 1.3, something is wrong with the
   * listener, and the log says so.
   */
  private lookForId(): void {
    this.looks--;
    const protocol = this.shown.readProtocol();
    if (protocol == 0 || protocol >= Version.TLS13) return;
    this.looks = 0;
    const shared = this.shared;
    if (shared) new HostLog().write(LogLevel.Warn, shared.cache.settings.registrations.spokenName + NO_ID);
  }

  /** Decides whether a request goes on. If it does, and is the first of its connection, learns or counts its session. */
  private judge(cache: Cache, counted: ConnectionMark): Verdict {
    const shown = this.shown;
    const lookup = cache.peek(shown.id, shown.idLength);
    const removed = cache.settings.enforcement == Enforcement.OBSERVE ? Verdict.Resume : Verdict.RemovedSession;
    if (lookup == Lookup.Removed) return removed;
    if (lookup == Lookup.Unavailable || counted.value() != 0) return Verdict.Resume;
    if (lookup == Lookup.Absent) {
      counted.set(FULL);
      return cache.learn(shown.describe()) == PutOutcome.Refused ? removed : Verdict.Resume;
    }
    if (cache.found.knows(Known.UPSTREAM)) {
      counted.set(SEEN_IN_FRONT);
      return Verdict.Resume;
    }
    const resumed = shown.describe();
    const refusals = this.refusals;
    if (refusals && this.marks) {
      const verdict = refusals.judgeFound(resumed, lookup);
      if (verdict != Verdict.Resume) return verdict;
    }
    counted.set(RESUMED);
    return cache.resume(resumed) == Lookup.Removed ? removed : Verdict.Resume;
  }
}

function log(verdict: Verdict, counted: ConnectionMark): void {
  if (verdict != Verdict.Resume) return OUTCOME.writeWord(REFUSED_WORD);
  const mark = counted.value();
  if (mark == FULL) OUTCOME.writeWord(FULL_WORD);
  else if (mark == RESUMED) OUTCOME.writeWord(RESUMED_WORD);
}

function refuse(): void {
  const response = new HttpResponse();
  misdirected(response, REFUSAL);
  response.header("connection", "close");
  answer(response.status, response.headers, response.bodyPointer(), response.bodyLength());
}

/** The connection stays: the client may send the request again. */
function refuseForNow(): void {
  const response = new HttpResponse();
  unavailable(response, NOT_YET);
  answer(response.status, response.headers, response.bodyPointer(), response.bodyLength());
}

const ON_NETWORK: string =
  ": root_id guard is among network filters, where it sees no request: nothing is learned or refused; " +
  'put it among HTTP filters (envoy.filters.http.wasm), or write root_id "observer" here';
const NO_ID: string =
  ": a connection of TLS 1.2 or before came without a session ID, so the guard does nothing for it: put a set_filter_state filter in " +
  "front that sets tls_sid from %DOWNSTREAM_TLS_SESSION_ID%, and turn tickets off on this listener (disable_stateless_session_resumption)";
const COUNTED: string = "tls_session_counted_";
const NOT_MARKED: string =
  "guard: this Envoy does not keep properties with connections, so every request counts as a resumption, " +
  "and only removed sessions are refused; allow proxy_call_foreign_function, or use a newer Envoy";
const REFUSAL: string =
  "the TLS session of this connection must not be resumed: " +
  "connect again with a full handshake, without offering the session";

const NOT_YET: string =
  "this proxy has just started, and does not know yet whether the TLS session of this connection was removed; try again";

/** Each costs a property; a listener that has only TLS 1.3 needs no more. */
const MAX_LOOKS: i32 = 1000;

/** Values of the mark. */
const FULL: u8 = 0x66;
const RESUMED: u8 = 0x72;
const SEEN_IN_FRONT: u8 = 0x73;
const OUTCOME = new LogField("tls_session_outcome");
const FULL_WORD = new LastingText("full");
const RESUMED_WORD = new LastingText("resumed");
const REFUSED_WORD = new LastingText("refused");
