/** An answer of the admin API, as the contract names it; which of the fields are there depends on the call. */
export interface Session {
  id: string;
  kind: "id" | "ticket" | "psk";
  protocol: string | null;
  cipher: string | null;
  sni: string | null;
  upstream: string | null;
  ticket_key: string | null;
  session: string | null;
  time: number;
  issued: number | null;
  timeout: number;
  last_used: number | null;
  hits: number;
  origin: "observed" | "api";
}

export interface RemovedSession {
  id: string;
  time: number;
  until: number;
  cause: string;
  /** These four are missing if they are not known. */
  kind?: string;
  sni?: string;
  upstream?: string;
  ticket_key?: string;
}

export interface TicketKey {
  name: string;
  upstream: string | null;
  state: "learned" | "configured" | "shared" | "removed";
  tickets: number;
  last_used: number | null;
  /** Only if a configuration removes it. */
  cause?: "config";
}

export interface Revocation {
  sni: string;
  time: number;
  until: number | null;
  unseen: "by_name" | "refuse";
  /** Only if a configuration revokes it. */
  cause?: "config";
  /** Only with `lifted=true`: when it was lifted. */
  lifted?: number;
}

export interface AnswerBody {
  result?: number;
  taken?: number;
  identical?: number;
  skipped?: number;
  handles?: number;
  note?: string;
  outcome?: string;
  session?: Session;
  sessions?: Session[];
  /** A list on GET /v1/removed, a number on flush. */
  removed?: RemovedSession[] | number;
  next?: string | null;
  mode?: string[];
  cache_size?: number;
  timeout?: number;
  enforcement?: string;
  ticket_key?: TicketKey | null;
  ticket_keys?: TicketKey[];
  revocation?: Revocation;
  revocations?: Revocation[];
  previous?: unknown;
  title?: string;
  status?: number | string;
  detail?: string;
  [field: string]: unknown;
}
