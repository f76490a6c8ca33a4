/**
 * One Envoy, from its configuration to its end.
 *
 * Promises: when `startEnvoy` returns, Envoy is live; when it throws, no process of its is left. `stop` takes at most about
 * STOP_SECONDS. Envoy ends with the process that started it, even if that one is killed: a watchdog shell holds the other
 * end of a pipe which the kernel closes. None of this keeps Node's event loop alive by itself.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { envoyVersion } from "./envoy_binary.ts";
import { fittedTo } from "./envoy_config.ts";
import { SHIPPED_FOR } from "./envoy_versions.ts";
import { httpStatus } from "../http_status.ts";
import { BUILD_FOLDER, PROJECT_FOLDER } from "../project.ts";
import { SetupError } from "../setup_error.ts";
import { watch } from "./watchdog.ts";

export interface EnvoyOptions {
  /** As `findEnvoy` returns it. */
  binary: string;
  /** As `renderEnvoyConfig` returns it. Its fields are fitted to the binary's version. */
  configuration: string;
  /** Where the configuration puts Envoy's own admin. */
  envoyAdminPort: number;
  concurrency?: number;
  /** Added to the environment of this process; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  /** More of Envoy's flags. */
  flags?: string[];
  /** One process of several that take over from each other; without it Envoy stands alone. */
  hotRestart?: HotRestart;
  /** For envoy.yaml and envoy.log; a new one under build/test if none is named. */
  folder?: string;
  /** Sees Envoy's warnings and errors, a line each, until it is stopped. */
  onWarning?: (line: string) => void;
}

export interface HotRestart {
  /** The same number for all of them, and for nobody else on the machine. */
  baseId: number;
  /** 0, then 1, and so on. */
  epoch: number;
  /** After so many seconds the process before must end. */
  parentSeconds: number;
}

export interface EnvoyProcess {
  readonly pid: number;
  readonly folder: string;
  readonly logFile: string;
  /** How it ended, in words, such as "exit code 1". */
  readonly ended: Promise<string>;
  log(): string;
  stop(): Promise<void>;
}

export async function startEnvoy(options: EnvoyOptions): Promise<EnvoyProcess> {
  const folder = options.folder ?? makeTestFolder();
  mkdirSync(folder, { recursive: true });
  const configFile = join(folder, "envoy.yaml");
  const logFile = join(folder, "envoy.log");
  const version = (await envoyVersion(options.binary)) ?? SHIPPED_FOR;
  writeFileSync(configFile, fittedTo(version, options.configuration));

  // Envoy writes to the file itself: a pipe would fill up and stall it whenever this process is busy.
  const logDescriptor = openSync(logFile, "w");
  const child = spawn(
    options.binary,
    [
      "-c",
      configFile,
      "--concurrency",
      String(options.concurrency ?? 2),
      ...hotRestartFlags(options.hotRestart),
      ...(options.flags ?? []),
      "--log-level",
      "info",
    ],
    {
      cwd: PROJECT_FOLDER,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", logDescriptor, logDescriptor],
      // A process group of its own: Ctrl-C in a terminal reaches only us, and we stop it in order.
      detached: true,
    },
  );
  closeSync(logDescriptor);
  const ended = endOf(child);
  if (child.pid === undefined) throw new SetupError(`Envoy cannot be started (${await ended}): ${options.binary}`);

  const watchdog = watch(child.pid);
  const follower = followWarnings(logFile, options.onWarning);
  void ended.then(() => watchdog.kill("SIGKILL"));
  child.unref();

  const envoy: EnvoyProcess = {
    pid: child.pid,
    folder,
    logFile,
    ended,
    log: () => readFileSync(logFile, "utf8"),
    stop: async () => {
      follower.stop();
      await stopChild(child, ended);
    },
  };
  try {
    await untilLive(envoy, options.envoyAdminPort);
  } catch (error) {
    await envoy.stop();
    throw error;
  }
  return envoy;
}

function hotRestartFlags(hotRestart?: HotRestart): string[] {
  if (hotRestart === undefined) return ["--disable-hot-restart"];
  const { baseId, epoch, parentSeconds } = hotRestart;
  const takeOver = ["--drain-time-s", String(parentSeconds - 1), "--parent-shutdown-time-s", String(parentSeconds)];
  return ["--base-id", String(baseId), "--restart-epoch", String(epoch), ...takeOver];
}

async function untilLive(envoy: EnvoyProcess, adminPort: number): Promise<void> {
  let end: string | null = null;
  void envoy.ended.then((how) => (end = how));
  const deadline = Date.now() + START_SECONDS * 1000;
  while (Date.now() < deadline) {
    if (end !== null)
      throw new SetupError(`Envoy stopped while starting (${end}): ${reason(envoy.log())}; see ${envoy.logFile}`);
    if ((await httpStatus(adminPort, "/ready")) === 200) return;
    await sleep(50);
  }
  throw new SetupError(`Envoy was not ready after ${START_SECONDS} s: ${reason(envoy.log())}; see ${envoy.logFile}`);
}

/** The first complaint in the log: those after it are what followed from it. */
function reason(log: string): string {
  const lines = log.split("\n").filter((line) => line !== "");
  if (lines.some((line) => NO_V8.test(line)))
    return "this Envoy was built without V8, so it runs no Wasm: take another one";
  const complaint = lines.find((line) => SEVERE.test(line)) ?? lines.at(-1) ?? "its log is empty";
  return complaint.replace(LINE_HEAD, "").slice(0, 400);
}

async function stopChild(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  child.kill("SIGTERM");
  const patience = setTimeout(() => child.kill("SIGKILL"), STOP_SECONDS * 1000);
  await ended;
  clearTimeout(patience);
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
}

function followWarnings(logFile: string, onWarning?: (line: string) => void): { stop: () => void } {
  if (onWarning === undefined) return { stop: () => undefined };
  const descriptor = openSync(logFile, "r");
  const buffer = Buffer.alloc(64 * 1024);
  const decoder = new TextDecoder();
  let rest = "";
  let stopped = false;
  const look = (): void => {
    for (;;) {
      const length = readSync(descriptor, buffer, 0, buffer.length, null);
      if (length === 0) return;
      const lines = (rest + decoder.decode(buffer.subarray(0, length), { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (WARNING.test(line)) onWarning(line);
    }
  };
  const timer = setInterval(look, 200).unref();
  return {
    stop: () => {
      if (stopped) return;
      stopped = true;
      clearInterval(timer);
      look();
      closeSync(descriptor);
    },
  };
}

function makeTestFolder(): string {
  const parent = join(BUILD_FOLDER, "test");
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, "envoy-"));
}

const START_SECONDS = 30;
const STOP_SECONDS = 5;
/** `[2026-11-23 13:10:22.458][5008][warning][main] [source/server/server.cc:1028] text` */
const LINE_HEAD = /^\[[^\]]*\]\[\d+\]\[[a-z]+\]\[[^\]]*\] (?:\[[^\]]*\] )?/;
const WARNING = /^\[[^\]]*\]\[\d+\]\[(?:warning|error|critical)\]/;
const NO_V8 = /envoy\.wasm\.runtime\.v8 runtime.*without support/;
const SEVERE = /^\[[^\]]*\]\[\d+\]\[(?:error|critical)\]/;
