/** The state of a ticket key's name, as its row has it. */
export namespace KeyState {
  /** Seen from one upstream. */
  export const LEARNED: u8 = 1;
  /** Configured by the operator. */
  export const CONFIGURED: u8 = 2;
  /** Seen from several upstreams lately: they share the key. */
  export const SHARED: u8 = 3;
  /** No ticket under it resumes. */
  export const REMOVED: u8 = 4;
}
