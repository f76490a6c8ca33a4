/**
 * Ends another process when this one is gone, whatever ended it: a shell holds the other end of a pipe that the kernel closes,
 * and then `read` sees the end of its input. It does not keep Node's event loop alive.
 */
import { type ChildProcess, spawn } from "node:child_process";

/** Returns the watching shell; to be killed once the process has ended. */
export function watch(pid: number): ChildProcess {
  const script = 'read -r _; kill -TERM "$1" 2>/dev/null && sleep 3 && kill -KILL "$1" 2>/dev/null';
  const watchdog = spawn("/bin/sh", ["-c", script, "watchdog", String(pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  watchdog.on("error", () => undefined);
  watchdog.unref();
  const { stdin } = watchdog;
  stdin?.on("error", () => undefined);
  if (stdin !== null && "unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  return watchdog;
}
