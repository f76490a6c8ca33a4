/** The state of the fleet as JSON: as its leader wrote it last. And the mark of answers to changes that it makes. */
import { JsonWriter } from "../../json/writer";
import { NANOSECONDS_PER_SECOND } from "../../ports/clock";
import { JournalState } from "../../ports/journal";
import { callName } from "../../fleet/state/metrics";
import { Proxy } from "../../fleet/state/proxies";
import { FleetStatus } from "../../fleet/state/status";
import { Cache } from "../../session/cache";
import { Role } from "../../session/settings/registration";

/** `status`: null if no fleet filter was ever there. */
export function writeFleet(json: JsonWriter, status: FleetStatus | null, nowNanoseconds: u64): void {
  json.beginObject();
  json.name("state");
  json.string(stateText(status, nowNanoseconds));
  if (status) writeState(json, status, nowNanoseconds);
  json.endObject();
}

/** Whether a fleet filter serves this cache. One read of the store. */
export function isInFleet(cache: Cache): bool {
  const registrations = cache.settings.registrations;
  return registrations.read() && registrations.serving(Role.FLEET) > 0;
}

/** Adds `"fleet": "pending"` to the answer to a change: other proxies are to make it as well. */
export function writePending(json: JsonWriter): void {
  json.reopenObject();
  json.name("fleet");
  json.string("pending");
  json.endObject();
}

function writeState(json: JsonWriter, status: FleetStatus, now: u64): void {
  json.name("name");
  json.bytes(status.name, status.nameLength);
  json.name("run");
  writeRun(json, status.run);
  json.name("since");
  json.number(status.since / NANOSECONDS_PER_SECOND);
  json.name("cluster_id");
  if (status.clusterId == 0) json.nothing();
  else writeRun(json, status.clusterId);
  json.name("revision");
  json.number(status.revision);
  json.name("heard_seconds_ago");
  if (status.heardAt == 0) json.nothing();
  else json.number(secondsBetween(status.heardAt, now));
  json.name("synced");
  json.boolean(status.isSynced != 0);
  json.name("pending");
  json.beginObject();
  json.name("decisions");
  json.number(status.pendingDecisions);
  json.name("sessions");
  json.number(status.pendingSessions);
  json.name("oldest_seconds");
  json.number(status.oldest == 0 ? 0 : secondsBetween(status.oldest, now));
  json.endObject();
  json.name("told");
  json.number(status.told);
  json.name("applied");
  json.number(status.applied);
  json.name("resyncs");
  json.number(status.resyncs);
  json.name("skipped");
  json.number(status.skipped);
  json.name("last_error");
  writeError(json, status);
  json.name("proxies");
  json.beginArray();
  for (let i = 0; i < <i32>status.proxies; i++) writeProxy(json, status.proxy(i));
  json.endArray();
}

function writeError(json: JsonWriter, status: FleetStatus): void {
  if (status.failedAt == 0) return json.nothing();
  json.beginObject();
  json.name("time");
  json.number(status.failedAt / NANOSECONDS_PER_SECOND);
  json.name("call");
  json.string(callName(status.failedCall));
  json.name("status");
  json.number(status.failedStatus);
  json.name("text");
  json.bytes(status.failedText, status.failedLength);
  json.endObject();
}

function writeProxy(json: JsonWriter, proxy: Proxy): void {
  json.beginObject();
  json.name("name");
  json.bytes(proxy.name, proxy.nameLength);
  json.name("run");
  writeRun(json, proxy.run);
  json.name("seen");
  json.number(proxy.seen);
  json.name("clock_skew_ms");
  json.signed(proxy.skew);
  json.name("applied");
  json.number(proxy.applied);
  json.name("version");
  json.bytes(proxy.version, proxy.versionLength);
  json.endObject();
}

function writeRun(json: JsonWriter, run: u64): void {
  store<u64>(NUMBER, bswap(run));
  json.hex(NUMBER, 8);
}

function stateText(status: FleetStatus | null, now: u64): string {
  if (!status) return "off";
  // A leader that has ended says nothing; the next one takes over within seconds.
  const isStale = now - status.writtenAt > STALE_NANOSECONDS && now > status.writtenAt;
  if (isStale || status.state == <u8>JournalState.Connecting) return "connecting";
  return status.state == <u8>JournalState.Replaying ? "replaying" : "following";
}

function secondsBetween(from: u64, to: u64): u64 {
  return to > from ? (to - from) / NANOSECONDS_PER_SECOND : 0;
}

const STALE_NANOSECONDS: u64 = 10 * NANOSECONDS_PER_SECOND;
const NUMBER: usize = memory.data(8, 8);
