/**
 * The answers of the admin API.
 * Generated from docs/openapi.yaml by tools/generate/answer_types.ts.
 */

export type SessionId = string;

export type Kind = "id" | "ticket" | "psk";

export type Protocol = string;

export type Cipher = string;

export type Address = string;

export type Timeout = number;

export type CacheSize = number;

export type Flag = "SERVER" | "NO_AUTO_CLEAR" | "NO_INTERNAL_LOOKUP" | "NO_INTERNAL_STORE" | "UPDATE_TIME";

export type Mode = Flag[] | ["OFF"];

export type ModeToSet = (
  "OFF" | "SERVER" | "NO_AUTO_CLEAR" | "NO_INTERNAL_LOOKUP" | "NO_INTERNAL_STORE" | "NO_INTERNAL" | "UPDATE_TIME"
)[];

export type Next = string | null;

export type Session = {
  id: SessionId;
  kind: Kind;
  protocol: Protocol | null;
  cipher: Cipher | null;
  sni: string | null;
  upstream: Address | null;
  ticket_key: string | null;
  session: string | null;
  time: number;
  issued: number | null;
  timeout: Timeout;
  last_used: number | null;
  hits: number;
  origin: "observed" | "api";
};

export type SessionChange = {
  kind?: Kind;
  protocol?: "SSLv3" | "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3" | null;
  cipher?: Cipher | null;
  sni?: string | null;
  upstream?: Address | null;
  timeout?: Timeout;
};

export type Filter = {
  root_id: "observer" | "guard" | "admin" | "fleet";
  name: string;
  state: "in_force" | "draining" | "starting" | "misplaced";
  workers: number;
  since: number;
  settings: Record<string, unknown>;
  gives: Record<string, unknown>;
  envoy: string | null;
  module: { version: string; build: Build; sha256: string | null };
};

export type Build = string | null;

export type FleetPending = "pending";

export type Fleet = {
  state: "off" | "connecting" | "replaying" | "following";
  name?: string;
  run?: FleetNumber;
  since?: number;
  cluster_id?: FleetNumber | null;
  revision?: Count;
  heard_seconds_ago?: number | null;
  synced?: boolean;
  pending?: { decisions: Count; sessions: Count; oldest_seconds: number };
  told?: Count;
  applied?: Count;
  resyncs?: Count;
  skipped?: Count;
  last_error?: {
    time: number;
    call: "range" | "watch" | "put" | "txn" | "lease" | "delete" | "none";
    status: number;
    text: string;
  } | null;
  proxies?: FleetProxy[];
};

export type FleetProxy = {
  name: string;
  run: FleetNumber;
  seen: number;
  clock_skew_ms: number;
  applied: Count;
  version: string;
};

export type FleetNumber = string;

export type EnforcedBy = { observer: number; guard: number };

export type PutOutcome = {
  result: 0 | 1;
  outcome: "added" | "replaced" | "identical";
  session: Session;
  fleet?: FleetPending;
};

export type DeleteOutcome = {
  result: 0 | 1;
  outcome: "removed" | "not_found";
  enforced_by?: EnforcedBy;
  fleet?: FleetPending;
  warning?: string;
};

export type RemovalOutcome = {
  result: 0 | 1;
  outcome: "removed" | "not_found";
  handles: Count;
  enforced_by?: EnforcedBy;
  fleet?: FleetPending;
  warning?: string;
};

export type Removed = {
  id: SessionId;
  time: number;
  until: number;
  cause: "api" | "flush" | "config";
  kind?: Kind;
  sni?: string;
  upstream?: Address;
  ticket_key?: string;
};

export type RemovedEntry = {
  id: SessionId;
  time?: number;
  until?: number;
  kind?: string | null;
  sni?: string | null;
  upstream?: string | null;
  ticket_key?: string | null;
};

export type TicketKeyEntry = {
  name: TicketKeyName;
  state: "learned" | "configured" | "shared" | "removed";
  upstream?: string | null;
};

export type RevocationEntry = { sni: string; time?: number; until?: number | null; unseen?: Unseen };

export type ExportLines = string;

export type ImportOutcome = {
  taken: Count;
  identical: Count;
  skipped: Count;
  enforced_by: EnforcedBy;
  fleet?: FleetPending;
  warning?: string;
};

export type Enforcement = "observe" | "revoked" | "strict";

export type TicketKeyName = string;

export type TicketKey = {
  name: TicketKeyName;
  upstream: Address | null;
  state: "learned" | "configured" | "shared" | "removed";
  cause?: "config";
  tickets: Count;
  last_used: number | null;
};

export type TicketKeyOutcome = {
  result: 0 | 1;
  outcome: "added" | "replaced" | "identical" | "lifted";
  fleet?: FleetPending;
  ticket_key: TicketKey | null;
};

export type Unseen = "by_name" | "refuse";

export type Revocation = {
  sni: string;
  time: number;
  until: number | null;
  unseen: Unseen;
  cause?: "config";
  lifted?: number;
};

export type RevocationOutcome = {
  result: 1;
  outcome: "added" | "replaced";
  revocation: Revocation;
  enforced_by?: EnforcedBy;
  fleet?: FleetPending;
  warning?: string;
};

export type Count = number;

export type Statistics = {
  number: Count;
  cache_size: CacheSize;
  accept: Count;
  accept_good: Count;
  hits: Count;
  misses: Count;
  timeouts: Count;
  cache_full: Count;
  adds: Count;
  replaces: Count;
  removes: Count;
  refused: Count;
  diverted: Count;
  declined: Count;
  lost: Count;
  expired: Count;
  flushed: Count;
  tombstones: Count;
  configured_removals: { sessions: Count; ticket_keys: Count; server_names: Count };
  saturated_pages: Count;
  corrupted_pages: Count;
  cas_conflicts: Count;
  failed: Count;
  not_tls: Count;
  unwatched: Count;
  events_lost: Count;
  event_posts_failed: Count;
  early_data_dropped: Count;
  unfollowed: Count;
  renegotiations: Count;
  host_calls_failed: Count;
  never_resume: string[];
  refused_for: { session: Count; ticket_key: Count; sni: Count; strict: Count; unfollowed: Count };
  diverted_for: { session: Count; ticket_key: Count; sni: Count; strict: Count; unfollowed: Count };
  resumed: CountByKind;
  resumed_by_protocol: CountByProtocol;
  full: CountByProtocol;
  full_by_kind: { id: Count; ticket: Count; none: Count };
  resumptions_offered: CountByKind;
  resumptions_accepted: CountByKind;
  resumptions_lost: CountByKind;
  resumptions_declined: CountByKind;
  resumptions_refused: CountByKind;
  resumptions_failed: CountByKind;
  resumptions_diverted: CountByKind;
  not_stored: { contended: Count; no_room: Count; removed: Count };
  parse_errors: Record<string, Count>;
  steering: { mode: "off" | "hash" | "exact"; effective?: boolean; why: string };
  module: { version: string; build: Build };
};

export type CountByKind = { id: Count; ticket: Count; psk: Count };

export type CountByProtocol = { SSLv3: Count; TLSv1: Count; "TLSv1.1": Count; "TLSv1.2": Count; "TLSv1.3": Count };

export type EventType = "new" | "replaced" | "removed" | "evicted" | "expired" | "flushed" | "refused" | "diverted";

export type Event = {
  seq: string;
  type: EventType;
  id: SessionId | null;
  time: number;
  cause:
    | "api"
    | "handshake"
    | "size"
    | "room"
    | "timeout"
    | "flush"
    | "session"
    | "ticket_key"
    | "sni"
    | "strict"
    | "unfollowed";
  sni: string | null;
  upstream: Address | null;
  client: Address | null;
  held?: boolean;
};

export type Problem = { title: string; status: number; detail: string };

/** The answers, by operationId: JSON, or the text of lines of JSON. */
export interface Answers {
  health: { status: "ok" };
  ready: { status: "ok"; fleet: "off" | "synced" | "not_reached" };
  listSessions: { sessions: Session[]; next: Next };
  flushSessions: { removed: number; enforced_by?: EnforcedBy; fleet?: FleetPending; warning?: string };
  removeSessions: {
    removed: number;
    handles?: number;
    dry_run: boolean;
    enforced_by?: EnforcedBy;
    fleet?: FleetPending;
    warning?: string;
  };
  getSession: Session;
  putSession: PutOutcome;
  deleteSession: RemovalOutcome;
  listRemoved: { removed: Removed[]; next: Next };
  importRemoved: ImportOutcome;
  getStatistics: Statistics;
  listEvents: {
    events: Event[];
    next: string;
    missed: Count;
    missed_for?: { overrun?: Count; unconfirmed?: Count; no_place?: Count; log?: Count; unreadable?: Count };
  };
  getMode: { mode: Mode };
  putMode: { mode: Mode; previous: Mode; fleet?: FleetPending };
  getCacheSize: { cache_size: CacheSize };
  putCacheSize: { cache_size: CacheSize; previous: CacheSize };
  getTimeout: { timeout: Timeout };
  putTimeout: { timeout: Timeout; previous: Timeout; fleet?: FleetPending };
  getEnforcement: { enforcement: Enforcement };
  putEnforcement: {
    enforcement: Enforcement;
    previous: Enforcement;
    enforced_by?: EnforcedBy;
    fleet?: FleetPending;
    warning?: string;
  };
  listFilters: { filters: Filter[] };
  getFleet: Fleet;
  listTicketKeys: { ticket_keys: TicketKey[] };
  putTicketKey: TicketKeyOutcome | DeleteOutcome;
  deleteTicketKey:
    | { result: 1; outcome: "removed"; note?: string; enforced_by?: EnforcedBy; fleet?: FleetPending; warning?: string }
    | DeleteOutcome;
  exportCache: ExportLines;
  importLists: ImportOutcome;
  listRevocations: { revocations: Revocation[] };
  putRevocation: RevocationOutcome;
  deleteRevocation: DeleteOutcome;
  listUpstreams: {
    upstreams: {
      upstream: Address;
      sessions: Count;
      hits: Count;
      last_used: number | null;
      ticket_keys: Count;
      lost: Count;
      refused: Count;
    }[];
    unknown: Count;
    others: Count;
    rest?: { lost: Count; refused: Count };
  };
  getOpenApi: Record<string, unknown>;
}

/** Method and path of each operation. */
export const CALLS = {
  health: "GET /healthz",
  ready: "GET /readyz",
  listSessions: "GET /v1/sessions",
  flushSessions: "POST /v1/sessions/flush",
  removeSessions: "POST /v1/sessions/remove",
  getSession: "GET /v1/sessions/{id}",
  putSession: "PUT /v1/sessions/{id}",
  deleteSession: "DELETE /v1/sessions/{id}",
  listRemoved: "GET /v1/removed",
  importRemoved: "POST /v1/removed",
  getStatistics: "GET /v1/stats",
  listEvents: "GET /v1/events",
  getMode: "GET /v1/mode",
  putMode: "PUT /v1/mode",
  getCacheSize: "GET /v1/cache-size",
  putCacheSize: "PUT /v1/cache-size",
  getTimeout: "GET /v1/timeout",
  putTimeout: "PUT /v1/timeout",
  getEnforcement: "GET /v1/enforcement",
  putEnforcement: "PUT /v1/enforcement",
  listFilters: "GET /v1/filters",
  getFleet: "GET /v1/fleet",
  listTicketKeys: "GET /v1/ticket-keys",
  putTicketKey: "PUT /v1/ticket-keys/{name}",
  deleteTicketKey: "DELETE /v1/ticket-keys/{name}",
  exportCache: "GET /v1/export",
  importLists: "POST /v1/import",
  listRevocations: "GET /v1/revocations",
  putRevocation: "PUT /v1/revocations/{sni}",
  deleteRevocation: "DELETE /v1/revocations/{sni}",
  listUpstreams: "GET /v1/upstreams",
  getOpenApi: "GET /v1/openapi.json",
} as const;
