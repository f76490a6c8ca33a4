/** What is done about resumptions that must not be. */
export namespace Enforcement {
  /** They are counted and let through. */
  export const OBSERVE: u32 = 0;
  /** Removed sessions, removed ticket keys and revoked server names do not resume. */
  export const REVOKED: u32 = 1;
  /** Only sessions that the cache holds resume; PSKs only if they were added by hand. */
  export const STRICT: u32 = 2;
}

export function enforcementName(enforcement: u32): string {
  if (enforcement == Enforcement.OBSERVE) return "observe";
  return enforcement == Enforcement.REVOKED ? "revoked" : "strict";
}

/** -1 where there is none of that name. */
export function enforcementOf(name: string): i32 {
  if (name == "observe") return Enforcement.OBSERVE;
  if (name == "revoked") return Enforcement.REVOKED;
  return name == "strict" ? <i32>Enforcement.STRICT : -1;
}
