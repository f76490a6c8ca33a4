/**
 * Called by checks that the compiler inserts, such as for running out of memory: logs the reason, then traps. Nothing in
 * this project throws.
 */
import { LogLevel } from "../ports/log";
import { proxy_log } from "./abi";

export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const text =
    "aborted: " +
    (message ? message : "no reason given") +
    " at " +
    (file ? file : "an unknown place") +
    ":" +
    line.toString() +
    ":" +
    column.toString();
  const bytes = String.UTF8.encode(text);
  proxy_log(LogLevel.Error, changetype<usize>(bytes), bytes.byteLength);
  unreachable();
}
