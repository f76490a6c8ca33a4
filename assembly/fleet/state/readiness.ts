/** Whether the fleet's decisions are here, as a proxy that starts must know. */
import { Clock } from "../../ports/clock";
import { Role } from "../../session/settings/registration";
import { Settings } from "../../session/settings/settings";
import { StatusValue } from "./status";

export const enum Readiness {
  /** There is no fleet filter. */
  Off = 0,
  /** They are here, or were once. */
  Synced = 1,
  /** They may still come. */
  Waiting = 2,
  /** The store of the fleet was not reached in time. */
  NotReached = 3,
}

/** Costs two reads of the shared store. */
export function readiness(settings: Settings, value: StatusValue, clock: Clock, waitMilliseconds: u32): Readiness {
  const now = clock.nowNanoseconds();
  const wait = <u64>waitMilliseconds * 1_000_000;
  const status = value.read();
  if (status) {
    if (status.isSynced != 0) return Readiness.Synced;
    // Whatever is being read comes to an end; a store that says nothing may never.
    const silentSince = max(status.heardAt, status.begunAt);
    return now > silentSince && now - silentSince > wait ? Readiness.NotReached : Readiness.Waiting;
  }
  const registrations = settings.registrations;
  if (!registrations.read()) return Readiness.Waiting;
  let since: u64 = 0;
  for (let place: u32 = 0; place < registrations.places; place++) {
    const filter = registrations.registered(place);
    if (filter.identity != 0 && filter.is(Role.FLEET)) since = max(since, filter.since);
  }
  if (since == 0) return Readiness.Off;
  // No machine leads yet: one does with its first tick.
  const nowSeconds = clock.nowSeconds();
  return nowSeconds > since && nowSeconds - since > waitMilliseconds / 1000 + LEADER_SECONDS
    ? Readiness.NotReached
    : Readiness.Waiting;
}

/** So long a lease of a leader that has ended lasts, and some. */
const LEADER_SECONDS: u64 = 4;
