/** The cipher suites of this client: AES-GCM, with ECDHE in TLS 1.2 (RFC 5289), and in TLS 1.3 (RFC 8446 B.4). */

export interface Suite {
  readonly code: number;
  readonly version: 0x0303 | 0x0304;
  readonly hash: "sha256" | "sha384";
  readonly cipher: "aes-128-gcm" | "aes-256-gcm";
  readonly keyBytes: 16 | 32;
}

export const TLS12 = 0x0303;
export const TLS13 = 0x0304;

export const SUITES: ReadonlyMap<number, Suite> = new Map(
  [
    suite(0x1301, TLS13, 16),
    suite(0x1302, TLS13, 32),
    suite(0xc02b, TLS12, 16),
    suite(0xc02c, TLS12, 32),
    suite(0xc02f, TLS12, 16),
    suite(0xc030, TLS12, 32),
  ].map((one) => [one.code, one]),
);

function suite(code: number, version: 0x0303 | 0x0304, keyBytes: 16 | 32): Suite {
  return keyBytes === 16
    ? { code, version, hash: "sha256", cipher: "aes-128-gcm", keyBytes }
    : { code, version, hash: "sha384", cipher: "aes-256-gcm", keyBytes };
}
