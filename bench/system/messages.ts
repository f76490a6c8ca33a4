/** The messages between `npm run bench:system` and its clients, over the channel that Node opens to a child. */
import type { AddressHabit, Version } from "./grid.ts";

export interface Visits {
  port: number;
  version: Version;
  /** Clients of one crowd keep their sessions from order to order. */
  crowd: string;
  addresses: AddressHabit;
  resumePercent: number;
  delayMilliseconds: number;
  connections: number;
  /** Connections at a time. */
  lanes: number;
  /** Decides which clients come, in which order, and which of them offer their session. */
  seed: number;
}

export interface VisitsReport {
  offered: number;
  resumed: number;
  /** Of each connection. */
  firstByteMilliseconds: number[];
}
