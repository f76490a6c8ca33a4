/** The outcome of an attempt. */
import type { Session } from "./session.ts";

export interface Outcome {
  kind: "resumed" | "full" | "refused" | "closed" | "timeout" | "broken";
  detail: string;
  /** The resumed session. */
  session?: Session;
  /** Sessions that the server issued. */
  fresh: Session[];
  /** The server accepted the early data, by its EncryptedExtensions. */
  earlyData: boolean;
  /** The server's log shows the early data, whatever the outcome of the handshake. */
  earlyReached?: boolean;
  /** A close_notify to send, if the connection is still open. */
  goodbye?: Buffer;
  /** The HelloRetryRequest as it came, if there was one. */
  retry?: Buffer;
}
