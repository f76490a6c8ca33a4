/**
 * Callbacks that the host does not make although they are due: `capability_restriction_config` leaves them out. The host says nothing of
 * it, and a filter that is called less sees nothing of it but by what comes all the same.
 */
import { LogLevel } from "../../ports/log";
import { HostLog } from "../adapters/host_log";

/** Says so in the log, once in each virtual machine: one that is left out brings others to light that are not. */
export function tellMissingCallback(name: string, effect: string): void {
  if (told) return;
  told = true;
  new HostLog().write(LogLevel.Error, effect + ": the host does not call " + name + ALLOW);
}

let told: bool = false;
const ALLOW: string =
  " of this filter; allow it in allowed_capabilities of capability_restriction_config, or leave that out";
