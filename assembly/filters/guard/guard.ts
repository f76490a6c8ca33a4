/**
 * The guard: an HTTP filter on a listener that terminates TLS itself. It learns the session IDs that Envoy has issued
 * there, counts their resumptions, and answers requests on a session that must not resume with 421 and `connection: close`.
 *
 * The session ID comes as filter state `tls_sid` in lower-case hex, which an HTTP `set_filter_state` filter ahead of
 * this one sets from `%DOWNSTREAM_TLS_SESSION_ID%`: clients cannot forge it. Up to TLS 1.2 without tickets the ID is the
 * same on the full handshake and when it is resumed. In TLS 1.3 there is none, and then there is nothing to do here.
 * (With TLS 1.2 tickets a resumed connection shows an ID that its client made up: tickets must be off on this listener.)
 *
 * Which handshake was a full one is not visible here; the cache tells: an ID that is not held is a new session, and is learned
 * with the first request of its connection; one that is held comes again, on another connection, and is resumed. That is
 * judged as an observer would: by the revocation of its server name and, under `strict`, by its time.
 *
 * Promises:
 * - Every request is looked up, so that a removal also reaches the connections that are open. Learning, counting and judging
 *   happen for the first request of a connection only (`host/connection/connection_mark.ts`); a refused one stays the first.
 * - A full handshake is refused for nothing but a removal, unless its session was used on another connection first.
 * - A session that is held with an upstream was seen by an observer in front of this listener, which has counted and judged its
 *   handshakes already: the guard leaves the record alone, and refuses it only once it is removed.
 * - What is unknown goes on: no ID, no hex, no answer of the store. Nothing is ever delayed.
 *
 * So what the cache does not hold is taken for new, whatever it is: under NO_INTERNAL_STORE, after an eviction or a sweep,
 * and where no request was made on the connection that it was issued on.
 *
 * Where it is asked for, the access log can print `tls_session_outcome` of each request's connection: full, resumed or refused.
 *
 * Cost: for each request two small properties and one page read; for the first of a connection one write more, and of a
 * resumed one a look for the server name.
 */
import { misdirected } from "../../admin/http/problem";
import { AdminResponse } from "../../admin/http/response";
import { decodeHex } from "../../bytes/hex";
import { Config } from "../../config/config";
import { Action } from "../../host/abi";
import { ConnectionMark } from "../../host/connection/connection_mark";
import { HostLog } from "../../host/adapters/host_log";
import { answer } from "../../host/http_stream";
import { FINISHED } from "../../host/roots";
import { LogField, Word } from "../../host/log_field";
import { SOURCE } from "../../host/adapters/peer_property";
import { PropertyPath } from "../../host/properties";
import { LogLevel } from "../../ports/log";
import { Cache, Lookup, PutOutcome } from "../../session/cache";
import { Enforcement } from "../../session/settings/enforcement";
import { causeOf, Refusals, Verdict } from "../../resumption/refusal";
import { Kind, Known, MAX_ID_LENGTH, MAX_SNI_LENGTH, Session } from "../../session/record/session";
import { CacheFilter } from "../cache/cache_filter";
import { SharedCache } from "../cache/shared_cache";

export class Guard extends CacheFilter {
  private counted: ConnectionMark | null = null;
  private refusals: Refusals | null = null;
  /** Whether the host keeps marks: without them no request is known to be a connection's first one. */
  private marks: bool = false;
  private logs: bool = false;
  private readonly session: Session = new Session();

  constructor() {
    super("guard");
  }

  free(): void {
    super.free();
    this.counted = null;
    this.refusals = null;
  }

  requestHeaders(context: u32, endOfStream: bool): i32 {
    const shared = this.shared;
    const counted = this.counted;
    if (!shared || !counted) return Action.CONTINUE;
    const idLength = readSessionId();
    if (idLength <= 0) return Action.CONTINUE;
    // Only a mark tells a new connection from one of before.
    if (!shared.inForce && this.marks && counted.value() == 0) shared.claim();
    const verdict = this.judge(shared.cache, counted, idLength);
    if (this.logs) log(verdict, counted);
    if (verdict == Verdict.Resume) return Action.CONTINUE;
    shared.cache.noteRefusal(SESSION_ID, idLength, causeOf(verdict), this.describe(idLength), SOURCE);
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
    this.marks = counted.announce();
    if (!this.marks) new HostLog().write(LogLevel.Warn, NOT_MARKED);
    this.counted = counted;
  }

  /** Whether a request on the session in SESSION_ID goes on; if so, and it is its connection's first one, counts it. */
  private judge(cache: Cache, counted: ConnectionMark, idLength: i32): Verdict {
    const lookup = cache.peek(SESSION_ID, idLength);
    const removed = cache.settings.enforcement == Enforcement.OBSERVE ? Verdict.Resume : Verdict.RemovedSession;
    if (lookup == Lookup.Removed) return removed;
    if (lookup == Lookup.Unavailable || counted.value() != 0) return Verdict.Resume;
    if (lookup == Lookup.Absent) {
      counted.set(FULL);
      return cache.learn(this.describe(idLength)) == PutOutcome.Refused ? removed : Verdict.Resume;
    }
    if (cache.found.knows(Known.UPSTREAM)) {
      counted.set(SEEN_IN_FRONT);
      return Verdict.Resume;
    }
    const resumed = this.describe(idLength);
    const refusals = this.refusals;
    if (refusals && this.marks) {
      const verdict = refusals.judgeFound(resumed, lookup);
      if (verdict != Verdict.Resume) return verdict;
    }
    counted.set(RESUMED);
    return cache.resume(resumed) == Lookup.Removed ? removed : Verdict.Resume;
  }

  /** What this connection shows of its session. */
  private describe(idLength: i32): Session {
    const session = this.session;
    session.clear();
    session.id = SESSION_ID;
    session.idLength = idLength;
    session.kind = Kind.ID;
    session.known = Known.KIND;
    const protocol = protocolOf(TLS_VERSION.read(PROTOCOL, PROTOCOL_CAPACITY));
    if (protocol != 0) {
      session.protocol = protocol;
      session.known |= Known.PROTOCOL;
    }
    const sniLength = SERVER_NAME.read(SNI, MAX_SNI_LENGTH);
    if (sniLength > 0) {
      session.sni = SNI;
      session.sniLength = sniLength;
      session.known |= Known.SNI;
    }
    return session;
  }
}

/** Reads the ID of the connection's session to SESSION_ID; 0 or less where there is none. */
function readSessionId(): i32 {
  const length = FILTER_STATE.read(SESSION_ID_TEXT, MAX_ID_LENGTH * 2);
  return length <= 0 ? length : decodeHex(SESSION_ID_TEXT, length, SESSION_ID);
}

/** The number on the wire of the text in PROTOCOL, "TLSv1" or "TLSv1.1" and so on; 0 for any other. */
function protocolOf(length: i32): u16 {
  if (length != 5 && length != 7) return 0;
  if (memory.compare(PROTOCOL, TLS_VERSION_1, 5) != 0) return 0;
  if (length == 5) return 0x0301;
  const minor = load<u8>(PROTOCOL, 6);
  if (load<u8>(PROTOCOL, 5) != 0x2e || minor < 0x31 || minor > 0x33) return 0;
  return 0x0301 + <u16>(minor - 0x30);
}

function log(verdict: Verdict, counted: ConnectionMark): void {
  if (verdict != Verdict.Resume) return OUTCOME.say(REFUSED_WORD);
  const mark = counted.value();
  if (mark == FULL) OUTCOME.say(FULL_WORD);
  else if (mark == RESUMED) OUTCOME.say(RESUMED_WORD);
}

function refuse(): void {
  const response = new AdminResponse();
  misdirected(response, REFUSAL);
  response.header("connection", "close");
  answer(response.status, response.headers, response.bodyPointer(), response.bodyLength());
}

const ON_NETWORK: string =
  ": root_id guard stands among network filters, where it sees no request: nothing is learned or refused; " +
  'put it among HTTP filters (envoy.filters.http.wasm), or write root_id "observer" here';
const COUNTED: string = "tls_session_counted_";
const NOT_MARKED: string =
  "guard: this Envoy does not keep properties with connections: every request counts, not one for each connection, " +
  "and only removed sessions are refused";
const REFUSAL: string =
  "the TLS session of this connection must not be resumed: connect again with a full handshake, without offering the session";

/** Values of the mark. */
const FULL: u8 = 0x66;
const RESUMED: u8 = 0x72;
const SEEN_IN_FRONT: u8 = 0x73;
const OUTCOME = new LogField("tls_session_outcome");
const FULL_WORD = new Word("full");
const RESUMED_WORD = new Word("resumed");
const REFUSED_WORD = new Word("refused");
const FILTER_STATE = new PropertyPath("filter_state.tls_sid");
const SESSION_ID_TEXT: usize = memory.data(64);
const SESSION_ID: usize = memory.data(32);
const SERVER_NAME = new PropertyPath("connection.requested_server_name");
const SNI: usize = memory.data(255);
const TLS_VERSION = new PropertyPath("connection.tls_version");
const PROTOCOL: usize = memory.data(8);
const PROTOCOL_CAPACITY: i32 = 8;
/** "TLSv1" */
const TLS_VERSION_1: usize = memory.data<u8>([0x54, 0x4c, 0x53, 0x76, 0x31]);
