/** Clock: the host's time of day, and the machine's own clock if the host lets this module read it. */
import { Clock, NANOSECONDS_PER_SECOND } from "../../ports/clock";
import { clock_time_get, proxy_get_current_time_nanoseconds } from "../abi";

export class HostClock extends Clock {
  nowNanoseconds(): u64 {
    proxy_get_current_time_nanoseconds(OUT_TIME);
    return load<u64>(OUT_TIME);
  }

  /** 0 if the host refuses: a forbidden call returns an errno (76, "not capable"). */
  monotonicSeconds(): u64 {
    if (clock_time_get(MONOTONIC, NANOSECONDS_PER_SECOND, OUT_TIME) != 0) return 0;
    return load<u64>(OUT_TIME) / NANOSECONDS_PER_SECOND + 1;
  }
}

/** CLOCKID_MONOTONIC of WASI. */
const MONOTONIC: u32 = 1;
const OUT_TIME: usize = memory.data(sizeof<u64>(), 8);
