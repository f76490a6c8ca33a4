/**
 * The mode flags of the cache, with the numbers of OpenSSL's SSL_CTX_set_session_cache_mode(3).
 * No flag at all is SSL_SESS_CACHE_OFF.
 */
export namespace Mode {
  export const OFF: u32 = 0;
  /** Sessions are learned from the handshakes that are observed. */
  export const SERVER: u32 = 0x0002;
  /** Expired sessions are not cleared in the background. */
  export const NO_AUTO_CLEAR: u32 = 0x0080;
  /** Offered sessions are not looked up: no hit, miss or timeout is counted. */
  export const NO_INTERNAL_LOOKUP: u32 = 0x0100;
  /** Nothing is learned; adding by hand works. */
  export const NO_INTERNAL_STORE: u32 = 0x0200;
  /** Adding the identical session sets its time to now all the same. */
  export const UPDATE_TIME: u32 = 0x0400;
}

/** Whether observed sessions are stored. */
export function learns(mode: u32): bool {
  return (mode & (Mode.SERVER | Mode.NO_INTERNAL_STORE)) == Mode.SERVER;
}

/** Whether offered sessions are looked up and counted. */
export function looksUp(mode: u32): bool {
  return (mode & (Mode.SERVER | Mode.NO_INTERNAL_LOOKUP)) == Mode.SERVER;
}

/** Whether expired sessions are cleared in the background. */
export function clearsExpired(mode: u32): bool {
  return (mode & Mode.NO_AUTO_CLEAR) == 0;
}
