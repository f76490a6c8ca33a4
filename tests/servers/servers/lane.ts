/** A server that runs, as the test needs it: where it listens, how many connections at once it serves, and what it can do. */
import type { Possible } from "../mutations/cases.ts";

export interface Lane {
  /** Such as "openssl". */
  server: string;
  /** Such as "openssl, no tickets": the same for each copy of it. */
  name: string;
  port: number;
  /** Connections at a time: 1 if the server handles one after the other. */
  width: number;
  possible: Possible;
  /** TLS 1.3: the first 16 bytes of its tickets repeat. And so of TLS 1.2. */
  hasTicketKey: boolean;
  /** Requests that came in early data, by what is in their path; for servers that show it. */
  sawEarly: ((mark: string) => boolean) | undefined;
  /** A HelloRetryRequest of this server. */
  retry: Buffer | undefined;
  /** After it has ended: on the same port, with nothing that it knew. */
  restart: () => Promise<void>;
}

/** One way to run a server. */
export interface Variant {
  name: string;
  /** How many of it, each with sessions of its own. */
  copies: number;
  width: number;
  start: (port: number) => Promise<Running>;
}

export interface Running {
  pid: number;
  stop: () => void;
  sawEarly?: (mark: string) => boolean;
}

export interface ServerKind {
  name: string;
  /** With CI=true it may not be missing. */
  isRequired: boolean;
  /** Commands without which it cannot run. */
  needs: string[];
  variants: Variant[];
}
