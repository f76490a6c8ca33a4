/** Clock on the host's time of day. */
import { Clock } from "../ports/clock";
import { proxy_get_current_time_nanoseconds } from "./abi";

export class HostClock extends Clock {
  nowNanoseconds(): u64 {
    proxy_get_current_time_nanoseconds(OUT_TIME);
    return load<u64>(OUT_TIME);
  }
}

const OUT_TIME: usize = memory.data(8, 8);
