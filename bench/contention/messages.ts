/**
 * What a simulated worker and the simulation say to each other, in one shared buffer for each worker: a call of the shared store and
 * its answer. Only one of the two works at any time; the other waits for `TURN`.
 */

/** Indices of 32-bit numbers in the buffer; the key and the value follow. */
export const Field = { TURN: 0, KIND: 1, KEY_LENGTH: 2, VALUE_LENGTH: 3, CAS: 4, STATUS: 5, HANDSHAKES: 6 } as const;
export const Turn = { Simulation: 0, Worker: 1 } as const;
/** `Filled`: the worker has made its part of the sessions, and waits for the others; `End`: it stands still. */
export const Kind = { Get: 0, Set: 1, Filled: 2, End: 3 } as const;

/** Doubles: virtual nanoseconds of the worker since its last answer; the virtual time of that answer, and that of its end. */
export const ELAPSED_OFFSET = 32;
export const NOW_OFFSET = 40;
export const END_OFFSET = 48;
export const KEY_OFFSET = 64;
export const VALUE_OFFSET = 320;
export const BUFFER_SIZE = VALUE_OFFSET + 65_536;

export interface WorkerOrder {
  module: WebAssembly.Module;
  buffer: SharedArrayBuffer;
  /** 0, 1, 2 ... */
  worker: number;
  workers: number;
  workload: Workload;
  /** Nanoseconds of a worker for a connection, without the shared store; 0: nothing but the filter. */
  ownNanoseconds: number;
  /** Sessions that the cache holds before the measuring. */
  sessions: number;
}

export type Workload = "mixed" | "new" | "same";
