/** A running server: its port, how many connections it serves at once, and what it can do. */
import type { Possible } from "../mutations/cases.ts";

export interface Lane {
  /** Such as "openssl". */
  server: string;
  /** Such as "openssl, no tickets"; all copies have one name. */
  name: string;
  port: number;
  /** Connections at a time: 1 if the server handles one after the other. */
  width: number;
  possible: Possible;
  /** The first 16 bytes of its tickets repeat, those of TLS 1.3 and of TLS 1.2. */
  hasTicketKey: boolean;
  /** Whether a request whose path holds the mark came as early data; undefined if the server cannot show it. */
  sawEarly: ((mark: string) => boolean) | undefined;
  /** A HelloRetryRequest of this server. */
  retry: Buffer | undefined;
  /** Starts a server that has ended again, on the same port and without its sessions. */
  restart: () => Promise<void>;
}

/** One way to run a server. */
export interface Variant {
  name: string;
  /** How many run, each with its own sessions. */
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
  /** With CI=true its absence is a failure. */
  isRequired: boolean;
  /** Commands without which it cannot run. */
  needs: string[];
  variants: Variant[];
}
