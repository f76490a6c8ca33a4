/**
 * The state of the fleet as its leader writes it to the shared store once a second, for `GET /v1/fleet` and whoever waits
 * for the fleet's decisions: this record, then the rows of the proxies (`proxies.ts`).
 */
import { SharedStore } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";
import { MAX_PROXIES, Proxies, Proxy, PROXY_SIZE } from "./proxies";

/** STATUS_SIZE bytes, little-endian. */
@unmanaged
export class FleetStatus {
  run: u64;
  /** When the leader wrote this, and since when it has the present state: nanoseconds since 1970. */
  writtenAt: u64;
  since: u64;
  heardAt: u64;
  clusterId: u64;
  revision: u64;
  pendingDecisions: u64;
  pendingSessions: u64;
  /** When the oldest record came that is not stored yet, 0 if there is none. */
  oldest: u64;
  told: u64;
  applied: u64;
  resyncs: u64;
  skipped: u64;
  failedAt: u64;
  /** When the leader began to lead. */
  begunAt: u64;
  /** A `JournalState`. */
  state: u8;
  /** Whether all decisions were taken over once. */
  isSynced: u8;
  failedCall: u8;
  failedStatus: u8;
  nameLength: u8;
  failedLength: u8;
  proxies: u16;

  get name(): usize {
    return changetype<usize>(this) + NAME_OFFSET;
  }

  get failedText(): usize {
    return changetype<usize>(this) + FAILED_OFFSET;
  }

  /** A row of a proxy. */
  proxy(index: i32): Proxy {
    return changetype<Proxy>(changetype<usize>(this) + STATUS_SIZE + <usize>index * PROXY_SIZE);
  }

  /** Whether mode, timeout and enforcement that are set on this proxy stay its own. */
  get keepsSettings(): bool {
    return load<u8>(changetype<usize>(this) + KEEPS_SETTINGS_OFFSET) != 0;
  }

  set keepsSettings(keeps: bool) {
    store<u8>(changetype<usize>(this) + KEEPS_SETTINGS_OFFSET, keeps ? 1 : 0);
  }

  setTexts(name: string, failed: string): void {
    this.nameLength = <u8>setText(this.name, name, 64);
    this.failedLength = <u8>setText(this.failedText, failed, MAX_FAILED_LENGTH);
  }
}

/** Writes a text of visible ASCII, cut to a length. Returns its length. */
function setText(to: usize, text: string, most: i32): i32 {
  const length = min(text.length, most);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    store<u8>(to + <usize>i, code < 0x20 || code > 0x7e ? 0x3f : <u8>code);
  }
  return length;
}

/** The value in the store. */
export class StatusValue {
  private readonly value: StoredValue;
  /** The status that was read or is written; allocated at the first use. */
  private buffer: usize = 0;

  constructor(cacheName: string, sharedStore: SharedStore) {
    this.value = new StoredValue(cacheName, "fleet/status", sharedStore);
  }

  free(): void {
    this.value.free();
    if (this.buffer != 0) heap.free(this.buffer);
    this.buffer = 0;
  }

  /** Reads the status; null if no fleet filter was ever there. */
  read(): FleetStatus | null {
    const status = this.status;
    this.value.read(changetype<usize>(status), STATUS_CAPACITY);
    const isWhole = this.value.exists && this.value.length >= <i32>STATUS_SIZE;
    if (!isWhole || this.value.length != <i32>STATUS_SIZE + <i32>(<usize>status.proxies * PROXY_SIZE)) return null;
    return status;
  }

  /** The status to fill and to write. */
  get status(): FleetStatus {
    if (this.buffer == 0) {
      this.buffer = heap.alloc(STATUS_CAPACITY);
      memory.fill(this.buffer, 0, STATUS_SIZE);
    }
    return changetype<FleetStatus>(this.buffer);
  }

  /** Writes the status with the rows of the proxies. */
  write(proxies: Proxies): void {
    const status = this.status;
    const count = proxies.count;
    status.proxies = <u16>count;
    if (count > 0) {
      memory.copy(changetype<usize>(status.proxy(0)), changetype<usize>(proxies.at(0)), <usize>count * PROXY_SIZE);
    }
    this.value.overwrite(changetype<usize>(status), <i32>(STATUS_SIZE + <usize>count * PROXY_SIZE));
  }
}

const NAME_OFFSET: usize = 128;
const FAILED_OFFSET: usize = 192;
const MAX_FAILED_LENGTH: i32 = 192;
const KEEPS_SETTINGS_OFFSET: usize = 384;
const STATUS_SIZE: usize = 392;
const STATUS_CAPACITY: i32 = <i32>STATUS_SIZE + MAX_PROXIES * <i32>PROXY_SIZE;
