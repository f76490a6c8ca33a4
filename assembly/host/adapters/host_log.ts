/** Log: the host's. */
import { Log, LogLevel } from "../../ports/log";
import { proxy_get_log_level, proxy_log } from "../abi";

export class HostLog extends Log {
  enabled(level: LogLevel): bool {
    return proxy_get_log_level(OUT_LEVEL) == 0 && <i32>level >= load<i32>(OUT_LEVEL);
  }

  write(level: LogLevel, text: string): void {
    const bytes = String.UTF8.encode(text);
    proxy_log(level, changetype<usize>(bytes), bytes.byteLength);
  }
}

const OUT_LEVEL: usize = memory.data(4, 4);
