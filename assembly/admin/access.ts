/**
 * Decides who may call, by bearer tokens (RFC 6750 2.1).
 *
 * Tokens are kept and compared as SHA-256, all 32 bytes of every configured one. So the time of a comparison shows neither
 * where a guess goes wrong, nor the list and place of the right token.
 *
 * Cost: one SHA-256 of the token sent, and one comparison of 32 bytes for each configured token.
 */
import { SHA256_SIZE, sha256 } from "../bytes/sha256";
import { AdminConfig } from "../config/config";

export const enum Access {
  None = 0,
  Read = 1,
  All = 2,
}

export class BearerTokens {
  private readonly all: StaticArray<u8>;
  private readonly read: StaticArray<u8>;
  private readonly unauthenticated: bool;

  /** Null, for no configuration, gives access to nobody. */
  constructor(config: AdminConfig | null) {
    this.all = digests(config === null ? [] : config.tokens);
    this.read = digests(config === null ? [] : config.readTokens);
    const none = this.all.length + this.read.length == 0;
    this.unauthenticated = none && config !== null && config.allowUnauthenticated;
  }

  /** Returns the access that an Authorization header gives. */
  accessOf(authorization: string): Access {
    if (this.unauthenticated) return Access.All;
    const token = bearerToken(authorization);
    if (token.length == 0) return Access.None;
    const bytes = String.UTF8.encode(token);
    sha256(changetype<usize>(bytes), bytes.byteLength, OFFERED);
    // Both lists are compared before either decides.
    const inAll = contains(this.all, OFFERED);
    const inRead = contains(this.read, OFFERED);
    if (inAll) return Access.All;
    return inRead ? Access.Read : Access.None;
  }
}

/** Returns the token; empty for another scheme. Schemes are compared without case (RFC 9110 11.1). */
function bearerToken(authorization: string): string {
  const space = authorization.indexOf(" ");
  if (space < 0 || authorization.substring(0, space).toLowerCase() != "bearer") return "";
  return authorization.substring(space + 1).trim();
}

function digests(tokens: string[]): StaticArray<u8> {
  const digests = new StaticArray<u8>(tokens.length * SHA256_SIZE);
  for (let i = 0; i < tokens.length; i++) {
    const bytes = String.UTF8.encode(tokens[i]);
    sha256(changetype<usize>(bytes), bytes.byteLength, changetype<usize>(digests) + <usize>(i * SHA256_SIZE));
  }
  return digests;
}

/** Compares every byte of every digest, also after a match. */
function contains(digests: StaticArray<u8>, digest: usize): bool {
  const start = changetype<usize>(digests);
  let found: u64 = 0;
  for (let at = 0; at < digests.length; at += SHA256_SIZE) {
    let difference: u64 = 0;
    for (let i = 0; i < SHA256_SIZE; i += 8) {
      difference |= load<u64>(start + <usize>(at + i)) ^ load<u64>(digest + <usize>i);
    }
    // 1 if there is no difference, without a branch.
    found |= ((difference | (0 - difference)) >> 63) ^ 1;
  }
  return found != 0;
}

const OFFERED: usize = memory.data(SHA256_SIZE, 8);
