/**
 * HAProxy in TCP mode in front of TLS servers, with or without its recipe for TLS session IDs.
 *
 * Promises: when `startHaproxy` returns, HAProxy accepts connections; when it throws, no process of its is left. HAProxy ends
 * with the process that started it, unless that one is killed.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SetupError } from "../setup_error.ts";
import { answers, freePorts } from "./free_ports.ts";

export interface HaproxyOptions {
  /** For haproxy.cfg; made if it is not there. */
  folder: string;
  workers: number;
  /** `host:port` each. */
  servers: string[];
  /** Whether a stick table leads each session ID to the server that issued it. */
  hasStickTable: boolean;
  /** Until a connection on which nothing passes is closed. */
  idleSeconds: number;
  /** HAProxy's own limit if it is not given. */
  maxConnections?: number;
}

export interface HaproxyProcess {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** As `haproxy -v` prints it; null if HAProxy is not installed. */
export function haproxyVersion(): string | null {
  const { status, stdout } = spawnSync("haproxy", ["-v"], { encoding: "utf8" });
  return status === 0 ? (/version (\S+)/.exec(stdout)?.[1] ?? "of an unknown version") : null;
}

export async function startHaproxy(options: HaproxyOptions): Promise<HaproxyProcess> {
  const [port] = (await freePorts(1)) as [number];
  mkdirSync(options.folder, { recursive: true });
  const file = join(options.folder, "haproxy.cfg");
  writeFileSync(file, configuration(options, port));

  const haproxy = spawn("haproxy", ["-f", file, "-db"], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => {
    haproxy.once("exit", () => resolve());
    haproxy.once("error", () => resolve());
  });
  const kill = (): void => void haproxy.kill("SIGKILL");
  process.once("exit", kill);
  const stop = async (): Promise<void> => {
    kill();
    await ended;
    process.removeListener("exit", kill);
  };
  const { pid } = haproxy;
  if (pid === undefined) {
    await stop();
    throw new SetupError("HAProxy cannot be started");
  }
  for (const deadline = Date.now() + START_SECONDS * 1000; !(await answers(port)); await sleep(50)) {
    if (Date.now() < deadline && haproxy.exitCode === null) continue;
    await stop();
    throw new SetupError(`HAProxy does not start: haproxy -f ${file} -db`);
  }
  return { pid, port, stop };
}

function configuration(options: HaproxyOptions, port: number): string {
  const { workers, servers, hasStickTable, idleSeconds, maxConnections } = options;
  return `global
  nbthread ${workers}
${maxConnections === undefined ? "" : `  maxconn ${maxConnections}\n`}defaults
  mode tcp
  timeout connect 1s
  timeout client ${idleSeconds}s
  timeout server ${idleSeconds}s
  retries 3
  option redispatch
frontend tls
  bind 127.0.0.1:${port}
  default_backend servers
backend servers
  balance roundrobin
${hasStickTable ? STICK_TABLE : ""}${servers.map((address, index) => `  server s${index} ${address}\n`).join("")}`;
}

const START_SECONDS = 5;
/** The documented recipe for SSL session IDs, with `res.payload_lv` and the delay without which it stores nothing. */
export const STICK_TABLE = `  stick-table type binary len 32 size 100k expire 30m
  acl clienthello req.ssl_hello_type 1
  acl serverhello res.ssl_hello_type 2
  tcp-request inspect-delay 5s
  tcp-request content accept if clienthello
  tcp-response inspect-delay 2s
  tcp-response content accept if serverhello
  stick on req.payload_lv(43,1) if clienthello
  stick store-response res.payload_lv(43,1) if serverhello
`;
