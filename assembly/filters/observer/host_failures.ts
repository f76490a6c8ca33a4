/**
 * Host calls that failed: each is counted, and the first is logged. Without such a call nobody can say what goes over the
 * connection, so it is closed, unless nothing is refused (`observe`).
 */
import { Action } from "../../host/abi";
import { HostLog } from "../../host/adapters/host_log";
import { closeConnection } from "../../host/connection/connection";
import { Root } from "../../host/roots";
import { LogLevel } from "../../ports/log";
import { Metric } from "../../session/counting/statistics";
import { Enforcement } from "../../session/settings/enforcement";
import { SharedCache } from "../cache/shared_cache";
import { ObservedConnection } from "../connection/observed_connection";

export class HostFailures {
  private isLogged: bool = false;

  constructor(
    private readonly shared: SharedCache,
    private readonly root: Root,
  ) {}

  /** Closes the current connection. */
  close(): void {
    if (!closeConnection()) this.note("proxy_close_stream");
  }

  /** Closes the current connection, which cannot be watched, unless nothing is refused. */
  closeUnwatched(): void {
    if (this.enforces()) this.close();
  }

  /**
   * Ends a connection after `call` failed. The current bytes stay with the host, which may have others on their way to the
   * client. Under `observe` they go on, and the connection is unwatched. Always false: there is nothing left to learn.
   */
  end(connection: ObservedConnection, call: string): bool {
    this.note(call);
    if (!connection.refused && !this.enforces()) {
      this.shared.cache.metrics.increase(Metric.UNWATCHED, 1);
      return false;
    }
    connection.refused = true;
    this.root.action = Action.STOP_ITERATION;
    this.close();
    return false;
  }

  /** Counts a failed call, and logs the first. */
  note(call: string): void {
    this.shared.cache.metrics.increase(Metric.HOST_CALLS_FAILED, 1);
    if (this.isLogged) return;
    this.isLogged = true;
    new HostLog().write(LogLevel.Error, FAILED + call + ALLOW);
  }

  private enforces(): bool {
    const cache = this.shared.cache;
    cache.readSettings();
    return cache.settings.enforcement != Enforcement.OBSERVE;
  }
}

const FAILED: string = "enforcement: the host refused ";
const ALLOW: string =
  ", so a resumption could not be judged and its connection was closed; allow the call in capability_restriction_config";
