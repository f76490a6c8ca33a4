/**
 * Finds out that an HTTP filter's configuration was rolled back: Envoy keeps a plugin by its text while a listener drains, so
 * a superseded filter gets new connections again without being configured. A request on an older connection shows nothing.
 * Envoy numbers its connections in order.
 */
import { PropertyPath } from "../../host/properties";
import { SharedCache } from "./shared_cache";

export class RolledBack {
  /** Number of the newest connection that came while the configuration was in force. */
  private newest: u64 = 0;

  /** A request has come: puts a superseded configuration in force again, if it came on a new connection. */
  noteRequest(shared: SharedCache): void {
    const connection = CONNECTION_ID.read(NUMBER, 8) == 8 ? load<u64>(NUMBER) : 0;
    if (!shared.inForce && connection > this.newest) shared.claim();
    if (shared.inForce && connection > this.newest) this.newest = connection;
  }
}

const CONNECTION_ID = new PropertyPath("connection.id");
const NUMBER: usize = memory.data(8, 8);
