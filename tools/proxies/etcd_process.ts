/**
 * One etcd of one node on ports of 127.0.0.1, from its start to its end.
 *
 * Promises: when `startEtcd` returns, etcd serves; when it throws, no process of its is left. `stop` takes at most about
 * STOP_SECONDS. etcd ends with the process that started it, even if that one is killed (watchdog.ts).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SetupError } from "../setup_error.ts";
import { watch } from "./watchdog.ts";

export interface EtcdOptions {
  /** As `findEtcd` returns it. */
  binary: string;
  /** For its data and its log. A start on the data of an earlier one goes on with it, with a new log. */
  folder: string;
  clientPort: number;
  peerPort: number;
  /** It refuses to write more; 2 GiB if it is not given. */
  quotaBytes?: number;
  /** More flags, such as those for TLS. */
  flags?: string[];
}

export interface EtcdProcess {
  readonly pid: number;
  /** `host:port` for clients. */
  readonly address: string;
  log(): string;
  /** Sends a signal, such as SIGSTOP. */
  signal(name: NodeJS.Signals): void;
  /** Ends it without a farewell. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export async function startEtcd(options: EtcdOptions): Promise<EtcdProcess> {
  const { binary, folder, clientPort, peerPort, quotaBytes = DEFAULT_QUOTA_BYTES, flags = [] } = options;
  const isSecure = flags.some((flag) => flag.startsWith("--cert-file"));
  const client = `${isSecure ? "https" : "http"}://127.0.0.1:${clientPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  mkdirSync(folder, { recursive: true });
  const logFile = join(folder, "etcd.log");
  const log = openSync(logFile, "w");
  const child = spawn(
    binary,
    [
      ...["--name", "one", "--data-dir", join(folder, DATA_NAME)],
      ...["--listen-client-urls", client, "--advertise-client-urls", client],
      ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", `one=${peer}`],
      ...["--auto-compaction-mode=periodic", "--auto-compaction-retention=5m", `--quota-backend-bytes=${quotaBytes}`],
      ...flags,
    ],
    { stdio: ["ignore", log, log], detached: true },
  );
  closeSync(log);
  const ended = endOf(child);
  const { pid } = child;
  if (pid === undefined) throw new SetupError(`etcd cannot be started (${await ended}): ${binary}`);
  const watchdog = watch(pid);
  void ended.then(() => watchdog.kill("SIGKILL"));
  child.unref();

  const etcd: EtcdProcess = {
    pid,
    address: `127.0.0.1:${clientPort}`,
    log: () => readFileSync(logFile, "utf8"),
    signal: (name) => void child.kill(name),
    kill: async () => {
      child.ref();
      child.kill("SIGKILL");
      await ended;
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.ref();
      child.kill("SIGTERM");
      // A frozen process takes no other signal.
      child.kill("SIGCONT");
      const patience = setTimeout(() => child.kill("SIGKILL"), STOP_SECONDS * 1000);
      await ended;
      clearTimeout(patience);
    },
  };
  try {
    await untilServing(child, logFile);
  } catch (error) {
    await etcd.stop();
    throw error;
  }
  return etcd;
}

async function untilServing(child: ChildProcess, logFile: string): Promise<void> {
  for (const deadline = Date.now() + START_SECONDS * 1000; Date.now() < deadline; await sleep(20)) {
    if (readFileSync(logFile, "utf8").includes(SERVING)) return;
    if (child.exitCode !== null || child.signalCode !== null) break;
  }
  throw new SetupError(`etcd does not start: see ${logFile}`);
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
}

/** Of the data, below the folder of an etcd. */
export const DATA_NAME = "data";

/** Logged by etcd 3.4 and 3.5 when they take calls. */
const SERVING = "ready to serve client requests";
const START_SECONDS = 20;
const STOP_SECONDS = 5;
const DEFAULT_QUOTA_BYTES = 2 * 1024 ** 3;
