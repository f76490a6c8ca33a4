/**
 * The proxies of the fleet, as their presence in the journal shows them. A fixed number of places; a proxy beyond that is
 * counted and not shown.
 *
 * A presence, little-endian: 0 u8 FORMAT    8 u64 run    16 u64 its clock (nanoseconds since 1970)    24 u64 the last
 * revision that it has taken over    32 u8 length of its version, then the version
 */
import { NANOSECONDS_PER_SECOND } from "../../ports/clock";

export class Proxies {
  /** Proxies that are present. */
  count: i32 = 0;
  private readonly rows: usize = heap.alloc(<usize>MAX_PROXIES * PROXY_SIZE);

  constructor() {
    memory.fill(this.rows, 0, <usize>MAX_PROXIES * PROXY_SIZE);
  }

  free(): void {
    heap.free(this.rows);
  }

  at(index: i32): Proxy {
    return changetype<Proxy>(this.rows + <usize>index * PROXY_SIZE);
  }

  /** Takes in a presence; `isFresh`: it was written just now, so its clock can be compared with the own one. */
  note(name: usize, nameLength: i32, value: usize, length: i32, nowNanoseconds: u64, isFresh: bool): void {
    if (nameLength < 1 || nameLength > MAX_NAME_LENGTH || length < <i32>PRESENCE_SIZE || load<u8>(value) != FORMAT)
      return;
    let row = this.find(name, nameLength);
    if (!row) {
      if (this.count == MAX_PROXIES) return;
      row = this.at(this.count++);
      memory.fill(changetype<usize>(row), 0, PROXY_SIZE);
      row.nameLength = <u8>nameLength;
      memory.copy(row.name, name, nameLength);
    }
    const presence = changetype<Presence>(value);
    row.run = presence.run;
    row.applied = presence.applied;
    row.seen = presence.clock / NANOSECONDS_PER_SECOND;
    if (isFresh) row.skew = <i64>(presence.clock - nowNanoseconds) / 1_000_000;
    const versionLength = min(<i32>presence.versionLength, min(length - <i32>PRESENCE_SIZE, MAX_VERSION_LENGTH));
    row.versionLength = <u8>versionLength;
    memory.copy(row.version, value + PRESENCE_SIZE, versionLength);
  }

  /** A proxy is present no longer. */
  remove(name: usize, nameLength: i32): void {
    const row = this.find(name, nameLength);
    if (!row) return;
    const last = this.at(--this.count);
    memory.copy(changetype<usize>(row), changetype<usize>(last), PROXY_SIZE);
  }

  clear(): void {
    this.count = 0;
  }

  /** The greatest difference of clocks, in milliseconds. */
  get skew(): u64 {
    let greatest: i64 = 0;
    for (let i = 0; i < this.count; i++) greatest = max(greatest, abs(this.at(i).skew));
    return <u64>greatest;
  }

  private find(name: usize, nameLength: i32): Proxy | null {
    for (let i = 0; i < this.count; i++) {
      const row = this.at(i);
      if (row.nameLength == <u8>nameLength && memory.compare(row.name, name, nameLength) == 0) return row;
    }
    return null;
  }
}

/** Writes the presence of this proxy. Returns its length, at most MAX_PRESENCE_LENGTH. */
export function writePresence(to: usize, run: u64, clock: u64, applied: u64, version: string): i32 {
  memory.fill(to, 0, PRESENCE_SIZE);
  const presence = changetype<Presence>(to);
  presence.format = FORMAT;
  presence.run = run;
  presence.clock = clock;
  presence.applied = applied;
  const length = min(version.length, MAX_VERSION_LENGTH);
  presence.versionLength = <u8>length;
  String.UTF8.encodeUnsafe(changetype<usize>(version), length, to + PRESENCE_SIZE);
  return <i32>PRESENCE_SIZE + length;
}

/** The fixed part of a presence, PRESENCE_SIZE bytes. */
@unmanaged
class Presence {
  format: u8;
  run: u64;
  clock: u64;
  applied: u64;
  versionLength: u8;
}

/** A row of PROXY_SIZE bytes: these fields, then name and version. */
@unmanaged
export class Proxy {
  run: u64;
  /** The last revision that it has taken over, as of `seen`. */
  applied: u64;
  /** Unix seconds, by its own clock. */
  seen: u64;
  /** How far its clock is ahead of the own one, in milliseconds. */
  skew: i64;
  nameLength: u8;
  versionLength: u8;

  /** The address of its name. */
  get name(): usize {
    return changetype<usize>(this) + NAME_OFFSET;
  }

  /** The address of its version. */
  get version(): usize {
    return changetype<usize>(this) + VERSION_OFFSET;
  }
}

export const MAX_PROXIES: i32 = 128;
export const MAX_NAME_LENGTH: i32 = 64;
export const MAX_VERSION_LENGTH: i32 = 24;
export const PROXY_SIZE: usize = 128;
const NAME_OFFSET: usize = 40;
const VERSION_OFFSET: usize = NAME_OFFSET + <usize>MAX_NAME_LENGTH;
export const MAX_PRESENCE_LENGTH: i32 = 64;
const PRESENCE_SIZE: usize = 33;
const FORMAT: u8 = 1;
