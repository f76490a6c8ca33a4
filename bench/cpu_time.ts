/**
 * CPU time of a process from the kernel's accounting: the time that its threads have run, user and system together, in
 * nanoseconds (first field of /proc/PID/task/TID/schedstat; /proc/PID/stat counts in ticks of 10 ms, too coarse here). And its
 * resident memory. Linux only.
 */
import { readFileSync, readdirSync } from "node:fs";
import { SetupError } from "../tools/setup_error.ts";

/** Microseconds that all threads of a process have run so far. */
export function cpuMicroseconds(pid: number): number {
  let nanoseconds = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]);
    }
  } catch (error) {
    throw new SetupError(
      `the CPU time of process ${pid} cannot be read from /proc (Linux with schedstat is needed): ${String(error)}`,
    );
  }
  return nanoseconds / 1000;
}

/** Bytes of memory that a process has of its own, without pages of files (VmRSS less RssFile and RssShmem). */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const kib = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new SetupError(`/proc/${pid}/status does not tell the resident memory`);
  return Number(kib) * 1024;
}

/** Open files that a process may have: /proc/PID/limits. */
export function openFilesLimit(): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1];
  return limit === undefined ? 1024 : Number(limit);
}
