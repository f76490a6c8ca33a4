/** Clock on the host's time of day, and on the machine's own where the host lets this module read it. */
import { Clock, NANOSECONDS_PER_SECOND } from "../../ports/clock";
import { clock_time_get, proxy_get_current_time_nanoseconds } from "../abi";

export class HostClock extends Clock {
  nowNanoseconds(): u64 {
    proxy_get_current_time_nanoseconds(OUT_TIME);
    return load<u64>(OUT_TIME);
  }

  /** 0 where the host refuses it: a module that is not allowed to call gets an errno (76, "not capable"). */
  monotonicSeconds(): u64 {
    if (clock_time_get(MONOTONIC, NANOSECONDS_PER_SECOND, OUT_TIME) != 0) return 0;
    return load<u64>(OUT_TIME) / NANOSECONDS_PER_SECOND + 1;
  }
}

/** CLOCKID_MONOTONIC of WASI. */
const MONOTONIC: u32 = 1;
const OUT_TIME: usize = memory.data(8, 8);
