/** What became of an attempt. */
import type { Session } from "./session.ts";

export interface Outcome {
  kind: "resumed" | "full" | "refused" | "closed" | "timeout" | "broken";
  detail: string;
  /** Which session was resumed. */
  session?: Session;
  /** What the server gave, to be resumed later. */
  fresh: Session[];
  /** The server says that it took the early data. */
  earlyData: boolean;
  /** The server shows that it got the early data, whatever became of the handshake. */
  earlyReached?: boolean;
  /** A close_notify, where the connection stands. */
  goodbye?: Buffer;
  /** As it came, where there was one. */
  retry?: Buffer;
}
