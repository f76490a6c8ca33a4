/**
 * The base of all filters: a root for each configured filter, which the host's callbacks call. Its contexts are connections
 * or HTTP streams. The factory that `index.ts` registers makes the roots.
 *
 * A filter may attach a word to each context, its state. `FINISHED` means that the filter has nothing more to do with it;
 * data callbacks then cost one look into a table.
 */
export abstract class Root {
  /** In bytes: the host's callback refuses a longer configuration without reading it. */
  maxConfigurationLength: i32 = i32.MAX_VALUE;

  /** Takes the configuration, UTF-8. False refuses it, and the host does not load the filter. */
  abstract configure(text: usize, length: i32): bool;

  /** Called about every TICK_MILLISECONDS. */
  abstract tick(): void;

  /** An HTTP call that this root has made has an answer, or was given up. */
  callAnswered(token: u32): void {}

  /** A gRPC call or stream that this root has begun has a message of `length` bytes, in a buffer of the host. */
  grpcReceived(token: u32, length: i32): void {}

  /**
   * A gRPC stream has ended with a status of gRPC, or a call has without a message. A call that could not begin has a token
   * that the root was never given.
   */
  grpcClosed(token: u32, status: i32): void {}

  /** The filter is gone: frees all memory that is not collected. */
  abstract free(): void;

  /**
   * Network filter: an Action for the host after the last `connectionOpened` or `dataSeen`. Stopped bytes come again in the
   * next `dataSeen`, with those that follow.
   */
  action: i32 = 0;

  /** Network filter: a connection has come. Returns its first state. */
  connectionOpened(context: u32): usize {
    return FINISHED;
  }

  /**
   * Network filter: `length` bytes have come and wait in a buffer of the host; with `endOfStream` they are the last.
   * Afterwards the bytes in the buffer go on. Returns the new state.
   */
  dataSeen(context: u32, state: usize, buffer: i32, length: i32, endOfStream: bool): usize {
    return FINISHED;
  }

  /** Network filter: the connection is gone. */
  connectionClosed(state: usize): void {}

  /** HTTP filter: a request's headers have come. Returns an Action. */
  requestHeaders(context: u32, endOfStream: bool): i32 {
    return 0;
  }

  /** HTTP filter: `length` bytes of a request's body have come. Returns an Action. */
  requestBody(context: u32, length: i32, endOfStream: bool): i32 {
    return 0;
  }

  /** HTTP filter: a request ends with trailers. Returns an Action. */
  requestTrailers(context: u32): i32 {
    return 0;
  }

  /** HTTP filter: the stream is gone. */
  streamClosed(context: u32): void {}
}

/** Makes the root for a plugin's root_id, or null for an unknown one. */
export abstract class RootFactory {
  abstract make(rootId: string, rootContext: u32): Root | null;
}

/** Sets the factory; once, before any callback. */
export function registerRoots(rootFactory: RootFactory): void {
  factory = rootFactory;
}

export function makeRoot(rootId: string, rootContext: u32): Root | null {
  const registered = factory;
  return registered ? registered.make(rootId, rootContext) : null;
}

/** Returns the root of a root context, or null. */
export function findRoot(rootContext: u32): Root | null {
  return liveRoots.has(rootContext) ? liveRoots.get(rootContext) : null;
}

/** Makes a root the one of its context. Contexts hold the address of their root, so a replaced one outlives them. */
export function addRoot(rootContext: u32, root: Root): void {
  const replaced = findRoot(rootContext);
  if (replaced) replacedRoots.push(replaced);
  liveRoots.set(rootContext, root);
}

export function removeRoot(rootContext: u32): void {
  liveRoots.delete(rootContext);
}

export const FINISHED: usize = 0;
export const TICK_MILLISECONDS: u32 = 100;

let factory: RootFactory | null = null;
const liveRoots = new Map<u32, Root>();
const replacedRoots: Root[] = [];
