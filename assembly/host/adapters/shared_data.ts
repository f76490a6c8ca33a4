/** SharedStore: the host's shared data (`proxy_get_shared_data`, `proxy_set_shared_data`). */
import { LogLevel } from "../../ports/log";
import { SharedStore, StoreResult, WRITES_DENIED } from "../../ports/shared_store";
import { HostResult, proxy_get_shared_data, proxy_set_shared_data } from "../abi";
import { HostLog } from "./host_log";
import { OUT_LENGTH, OUT_POINTER, receivedLength, receiveInto, receiveOverflowed } from "../memory";

export class SharedData extends SharedStore {
  read(key: usize, keyLength: i32, into: usize, capacity: i32): StoreResult {
    receiveInto(into, capacity);
    const result = proxy_get_shared_data(key, keyLength, OUT_POINTER, OUT_LENGTH, OUT_MARK);
    if (result == HostResult.OK) {
      this.length = receivedLength();
      this.mark = load<u32>(OUT_MARK);
      return StoreResult.Ok;
    }
    if (receiveOverflowed()) return StoreResult.TooLarge;
    return result == HostResult.NOT_FOUND ? StoreResult.Absent : StoreResult.Failed;
  }

  markOf(key: usize, keyLength: i32): u32 {
    // The host asks for no room for an empty value.
    receiveInto(0, 0);
    const result = proxy_get_shared_data(key, keyLength, OUT_POINTER, OUT_LENGTH, OUT_MARK);
    return result == HostResult.OK ? load<u32>(OUT_MARK) : 0;
  }

  replace(key: usize, keyLength: i32, value: usize, valueLength: i32, mark: u32): StoreResult {
    if (mark == WHATEVER_IS_THERE) return StoreResult.Failed;
    return this.write(key, keyLength, value, valueLength, mark);
  }

  overwrite(key: usize, keyLength: i32, value: usize, valueLength: i32): StoreResult {
    return this.write(key, keyLength, value, valueLength, WHATEVER_IS_THERE);
  }

  create(key: usize, keyLength: i32, value: usize, valueLength: i32): StoreResult {
    return this.write(key, keyLength, value, valueLength, NEVER_A_MARK);
  }

  private write(key: usize, keyLength: i32, value: usize, valueLength: i32, mark: u32): StoreResult {
    const result = proxy_set_shared_data(key, keyLength, value, valueLength, mark);
    this.deniesWrites = result == HostResult.INTERNAL_FAILURE;
    if (result == HostResult.OK) return StoreResult.Ok;
    if (this.deniesWrites) logOnce();
    return result == HostResult.CAS_MISMATCH ? StoreResult.Conflict : StoreResult.Failed;
  }
}

/** Logs once for each virtual machine, as a write fails with each connection. */
function logOnce(): void {
  if (isLogged) return;
  isLogged = true;
  new HostLog().write(LogLevel.Error, "nothing can be stored: " + WRITES_DENIED);
}

let isLogged: bool = false;
/**
 * The host accepts any mark for an absent key, and only the right one for a present key. So a mark that it never gives out
 * makes "create if absent". (With mark 0 two first writers would both succeed, and one would be lost.)
 */
const NEVER_A_MARK: u32 = 0xffffffff;
/** To the host, this mark means no compare-and-set at all. */
const WHATEVER_IS_THERE: u32 = 0;
const OUT_MARK: usize = memory.data(4, 4);
