/**
 * What the host's callbacks call: one root for each configured filter, and its contexts, one for each connection or
 * HTTP stream. A root is made by the factory that `index.ts` registers.
 *
 * To each context a filter may attach a word of its own, its state; `FINISHED` means that the filter has nothing more
 * to do with it, and data callbacks then cost one look into a table.
 */
export abstract class Root {
  /** In bytes: the host's callback refuses a longer configuration without reading it. */
  maxConfigurationLength: i32 = i32.MAX_VALUE;

  /** Takes the configuration, UTF-8. False refuses it: the host then does not load the filter. */
  abstract configure(text: usize, length: i32): bool;

  /** Called about every TICK_MILLISECONDS. */
  abstract tick(): void;

  /** An HTTP call that this root has made has an answer, or was given up. */
  callAnswered(token: u32): void {}

  /** The filter is gone; what is not collected is to be freed. */
  abstract free(): void;

  /**
   * Network filter: what the host is to do after the last `connectionOpened` or `dataSeen`, an Action. Bytes that are
   * stopped come again, with those that follow, in the next `dataSeen`.
   */
  action: i32 = 0;

  /** Network filter: a connection has come. Answers with the first state. */
  connectionOpened(context: u32): usize {
    return FINISHED;
  }

  /**
   * Network filter: `length` bytes have come and wait in a buffer of the host, the last ones where `endOfStream`.
   * What is in the buffer afterwards goes on. Answers with the new state.
   */
  dataSeen(context: u32, state: usize, buffer: i32, length: i32, endOfStream: bool): usize {
    return FINISHED;
  }

  /** Network filter: the connection is gone. */
  connectionClosed(state: usize): void {}

  /** HTTP filter: a request's headers are there. Answers with an Action. */
  requestHeaders(context: u32, endOfStream: bool): i32 {
    return 0;
  }

  /** HTTP filter: `length` bytes of a request's body are there. Answers with an Action. */
  requestBody(context: u32, length: i32, endOfStream: bool): i32 {
    return 0;
  }

  /** HTTP filter: a request ends with trailers. Answers with an Action. */
  requestTrailers(context: u32): i32 {
    return 0;
  }

  /** HTTP filter: the stream is gone. */
  streamClosed(context: u32): void {}
}

/** Makes the root for a plugin's root_id, or null where there is none of that name. */
export abstract class RootFactory {
  abstract make(rootId: string, rootContext: u32): Root | null;
}

/** To be called once, before any callback. */
export function registerRoots(rootFactory: RootFactory): void {
  factory = rootFactory;
}

export function makeRoot(rootId: string, rootContext: u32): Root | null {
  const registered = factory;
  return registered ? registered.make(rootId, rootContext) : null;
}

export const FINISHED: usize = 0;
export const TICK_MILLISECONDS: u32 = 100;

let factory: RootFactory | null = null;
