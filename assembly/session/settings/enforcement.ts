/** Decides which accepted resumptions to refuse. */
export namespace Enforcement {
  /** None: they are only counted. */
  export const OBSERVE: u32 = 0;
  /** Those of removed sessions, of removed ticket keys and of revoked server names. */
  export const REVOKED: u32 = 1;
  /** All except those of sessions that the cache holds; of PSKs, all that were not added over HTTP. */
  export const STRICT: u32 = 2;
}

export function enforcementName(enforcement: u32): string {
  if (enforcement == Enforcement.OBSERVE) return "observe";
  return enforcement == Enforcement.REVOKED ? "revoked" : "strict";
}

/** Returns the enforcement of a name, -1 if there is none. */
export function enforcementOf(name: string): i32 {
  if (name == "observe") return Enforcement.OBSERVE;
  if (name == "revoked") return Enforcement.REVOKED;
  return name == "strict" ? <i32>Enforcement.STRICT : -1;
}
