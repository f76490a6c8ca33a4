/** Lines for the host's log that all virtual machines of a filter come to, and of which one is enough. */
import { LogLevel } from "../../ports/log";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { HostLog } from "../adapters/host_log";

/** Says a line of a filter if none of its machines has said it before. Cost: one call of the store; allocates. */
export function tellOnce(store: SharedStore, filter: string, level: LogLevel, line: string): void {
  const key = String.UTF8.encode(TOLD + filter + "." + line);
  const start = changetype<usize>(key);
  if (store.create(start, key.byteLength, start, 0) == StoreResult.Conflict) return;
  new HostLog().write(level, line);
}

/** Of the key in shared data that says that a line was told. */
const TOLD: string = "tls_session_cache.told.";
