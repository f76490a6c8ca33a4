/** The state of a fleet as its leader leaves it in shared data (`assembly/fleet/state/status.ts`), written by hand. */
import type { FakeHost } from "./fake_host.ts";

export interface FleetStatus {
  /** All decisions were taken over once. */
  synced: boolean;
  /** Seconds ago: the store has said something; the leader began to lead. */
  heardSecondsAgo?: number;
  begunSecondsAgo?: number;
}

export function writeFleetStatus(host: FakeHost, status: FleetStatus, cache = "default"): void {
  const value = Buffer.alloc(STATUS_SIZE);
  const ago = (seconds: number): bigint => BigInt(Math.round((host.clock.exactSeconds - seconds) * 1e6)) * 1000n;
  value.writeBigUInt64LE(1n, RUN_OFFSET);
  value.writeBigUInt64LE(ago(0), WRITTEN_OFFSET);
  if (status.heardSecondsAgo !== undefined) value.writeBigUInt64LE(ago(status.heardSecondsAgo), HEARD_OFFSET);
  value.writeBigUInt64LE(ago(status.begunSecondsAgo ?? 0), BEGUN_OFFSET);
  value.writeUInt8(status.synced ? 1 : 0, SYNCED_OFFSET);
  value.writeUInt8(1, NAME_LENGTH_OFFSET);
  value.write("a", NAME_OFFSET);
  host.sharedData.set(`tls_session_cache/2/${cache}/fleet/status`, value, 0);
}

const RUN_OFFSET = 0;
const WRITTEN_OFFSET = 8;
const HEARD_OFFSET = 24;
const BEGUN_OFFSET = 112;
const SYNCED_OFFSET = 121;
const NAME_LENGTH_OFFSET = 124;
const NAME_OFFSET = 128;
const STATUS_SIZE = 392;
