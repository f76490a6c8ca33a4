/**
 * The mode flags of the cache, with the numbers of OpenSSL's SSL_CTX_set_session_cache_mode(3), and its names without
 * SSL_SESS_CACHE_. No flags are SSL_SESS_CACHE_OFF.
 */
export namespace Mode {
  export const OFF: u32 = 0;
  /** The cache learns sessions from observed handshakes. */
  export const SERVER: u32 = 0x0002;
  /** No task in the background clears expired sessions. */
  export const NO_AUTO_CLEAR: u32 = 0x0080;
  /** The cache does not look offered sessions up, and counts no hits, misses or timeouts. */
  export const NO_INTERNAL_LOOKUP: u32 = 0x0100;
  /** The cache learns nothing; sessions can be added over HTTP. */
  export const NO_INTERNAL_STORE: u32 = 0x0200;
  /** Adding an identical session sets its time to now all the same. */
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

/** Returns the names of the flags that are set, in the order of their numbers; ["OFF"] for none. */
export function modeNames(mode: u32): string[] {
  const names: string[] = [];
  for (let i = 0; i < MODE_FLAGS.length; i++) {
    if (mode & MODE_FLAGS[i]) names.push(MODE_FLAG_NAMES[i]);
  }
  if (names.length == 0) names.push("OFF");
  return names;
}

export const MODE_FLAGS: StaticArray<u32> = [
  Mode.SERVER,
  Mode.NO_AUTO_CLEAR,
  Mode.NO_INTERNAL_LOOKUP,
  Mode.NO_INTERNAL_STORE,
  Mode.UPDATE_TIME,
];
export const MODE_FLAG_NAMES: StaticArray<string> = [
  "SERVER",
  "NO_AUTO_CLEAR",
  "NO_INTERNAL_LOOKUP",
  "NO_INTERNAL_STORE",
  "UPDATE_TIME",
];
