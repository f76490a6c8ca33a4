/** What `npm run bench:system` compares: proxies, kinds of servers and habits of clients, and the figures of each combination. */

/** In the order of the tables. */
export const PROXY_TITLES = {
  plain: "plain Envoy",
  source_hash: "Envoy, source hashing",
  haproxy: "HAProxy, SSL-ID table",
  hash: "this filter, hash",
  exact: "this filter, exact",
  off: "this filter, observing",
};
export type ProxyName = keyof typeof PROXY_TITLES;
export const PROXY_NAMES = Object.keys(PROXY_TITLES) as ProxyName[];

/** The servers' certificate and the version that all clients speak. */
export const KINDS = {
  tls12_rsa: { title: "TLS 1.2, RSA 2048", version: "TLSv1.2", certificate: "rsa" },
  tls12_p256: { title: "TLS 1.2, ECDSA P-256", version: "TLSv1.2", certificate: "p256" },
  tls13_rsa: { title: "TLS 1.3, RSA 2048", version: "TLSv1.3", certificate: "rsa" },
  tls13_p256: { title: "TLS 1.3, ECDSA P-256", version: "TLSv1.3", certificate: "p256" },
} as const;
export type KindName = keyof typeof KINDS;
export const KIND_NAMES = Object.keys(KINDS) as KindName[];
export type Version = (typeof KINDS)[KindName]["version"];
export type Certificate = (typeof KINDS)[KindName]["certificate"];

/** Each client always from its own address, or each connection from another one. */
export type AddressHabit = "stable" | "changing";
export const ADDRESS_HABITS: AddressHabit[] = ["changing", "stable"];

/** One row: the same for all proxies. */
export interface Situation {
  kind: KindName;
  addresses: AddressHabit;
  /** Of a hundred connections, how many offer the client's newest session. */
  resumePercent: number;
  /** Each way, between clients and proxy. */
  delayMilliseconds: number;
}

/** One proxy's turn in a round. */
export interface Slice {
  /** CPU time per connection, of the proxy's process and of the four servers. */
  proxyMicroseconds: number;
  serversMicroseconds: number;
  /** From the client's first SYN to the first byte of the answer: the slice's median and 95th percentile. */
  firstByteMilliseconds: number;
  firstByteMilliseconds95: number;
  connections: number;
  offered: number;
  resumed: number;
}

export interface Cell {
  situation: Situation;
  proxy: ProxyName;
  /** One for each round: those of one number were measured side by side. */
  slices: Slice[];
}

/** A whole run, as `--json` stores it. */
export interface Results {
  /** Lines that describe machine and versions. */
  machine: string[];
  /** The options that the figures depend on. */
  settings: { seed: number; rounds: number; connections: number; lanes: number; isPinned: boolean };
  cells: Cell[];
}

/** Without a session to offer, addresses make no difference: one habit is measured for both. */
export function situationsOf(
  kinds: readonly KindName[],
  habits: readonly AddressHabit[],
  resumes: readonly number[],
  delays: readonly number[],
): Situation[] {
  const all: Situation[] = [];
  for (const kind of kinds) {
    for (const addresses of habits) {
      for (const resumePercent of resumes) {
        if (resumePercent === 0 && addresses !== habits[0]) continue;
        for (const delayMilliseconds of delays) all.push({ kind, addresses, resumePercent, delayMilliseconds });
      }
    }
  }
  return all;
}

export function isSame(a: Situation, b: Situation): boolean {
  return isSameButDelay(a, b) && a.delayMilliseconds === b.delayMilliseconds;
}

export function isSameButDelay(a: Situation, b: Situation): boolean {
  return a.kind === b.kind && a.addresses === b.addresses && a.resumePercent === b.resumePercent;
}
