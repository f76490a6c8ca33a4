/**
 * The module as it is shipped, with three ways to make it trap, which the shipped one does not have: a request with the header
 * `x-trap` for the admin API, a chunk of exactly TRAP_BYTES from a client for the observer, and the batch of TRAP_KEY for the
 * leader of a fleet. Compiled by `trapping_build.ts`.
 */
import { FNV_BASIS, fnvBytes } from "../../assembly/bytes/fnv";
import { AdminFilter } from "../../assembly/filters/admin/admin_filter";
import { FleetFilter } from "../../assembly/filters/fleet/fleet_filter";
import { Observer } from "../../assembly/filters/observer/observer";
import { Roots } from "../../assembly/filters/roots";
import "../../assembly/host/abort";
import { requestHeader } from "../../assembly/host/http_stream";
import { registerRoots, Root } from "../../assembly/host/roots";
import { StoredValue } from "../../assembly/shared/stored_value";

export * from "../../assembly/host/callbacks/grpc";
export * from "../../assembly/host/callbacks/http";
export * from "../../assembly/host/callbacks/l4";
export * from "../../assembly/host/callbacks/lifecycle";
export { proxy_on_memory_allocate } from "../../assembly/host/memory";

class TrappingAdmin extends AdminFilter {
  requestHeaders(context: u32, endOfStream: bool): i32 {
    if (requestHeader("x-trap") != "") unreachable();
    return super.requestHeaders(context, endOfStream);
  }
}

class TrappingObserver extends Observer {
  dataSeen(context: u32, state: usize, buffer: i32, length: i32, endOfStream: bool): usize {
    if (length == TRAP_BYTES) unreachable();
    return super.dataSeen(context, state, buffer, length, endOfStream);
  }
}

/**
 * Traps in the middle of the batch of TRAP_KEY, which must take longer than a slice of work: after the callback in which this
 * machine has begun it. The tries that the leaders have noted in the store (`fleet/state/progress.ts`) show that.
 */
class TrappingFleet extends FleetFilter {
  private noted: StoredValue | null = null;
  /** Whether the batch may have come to this machine: it leads, and its messages are so long. */
  private isFed: bool = false;

  tick(): void {
    const before = this.tries;
    super.tick();
    this.trapIfBegun(before);
  }

  grpcReceived(token: u32, length: i32): void {
    if (length >= MIN_TRAP_MESSAGE_BYTES) this.isFed = true;
    const before = this.tries;
    super.grpcReceived(token, length);
    this.trapIfBegun(before);
  }

  private trapIfBegun(before: u32): void {
    if (this.isFed && this.tries > before) unreachable();
  }

  /** How often the batch was begun, 0 after its end. */
  private get tries(): u32 {
    const shared = this.shared;
    if (!shared || !this.isFed) return 0;
    let progress = this.noted;
    if (!progress) {
      progress = new StoredValue(shared.cache.settings.cacheName, "fleet/progress", shared.store);
      this.noted = progress;
    }
    if (!progress.readWhole(PROGRESS, PROGRESS_SIZE)) return 0;
    return load<u64>(PROGRESS, TRIED_OFFSET) == TRAP_KEY_HASH ? load<u32>(PROGRESS, TRIES_OFFSET) : 0;
  }
}

class TrappingRoots extends Roots {
  make(rootId: string, rootContext: u32): Root | null {
    if (rootId == "observer") return new TrappingObserver(rootContext);
    if (rootId == "admin") return new TrappingAdmin(rootContext);
    if (rootId == "fleet") return new TrappingFleet(rootContext);
    return super.make(rootId, rootContext);
  }
}

const TRAP_BYTES: i32 = 7;

const MIN_TRAP_MESSAGE_BYTES: i32 = 900_000;
const TRAP_KEY: string = "d/another/9999999999/trap";
const TRAP_KEY_BYTES: ArrayBuffer = String.UTF8.encode(TRAP_KEY);
const TRAP_KEY_HASH: u64 = fnvBytes(FNV_BASIS, changetype<usize>(TRAP_KEY_BYTES), TRAP_KEY_BYTES.byteLength);
/** `ProgressRecord` of `fleet/state/progress.ts`. */
const PROGRESS_SIZE: i32 = 48;
const TRIED_OFFSET: usize = 24;
const TRIES_OFFSET: usize = 32;
const PROGRESS: usize = memory.data(PROGRESS_SIZE, 8);

registerRoots(new TrappingRoots());
