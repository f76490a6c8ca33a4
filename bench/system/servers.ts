/**
 * The servers of `npm run bench:system`: nginx, one process each, with a ticket key of its own. Each answers every request with one line
 * and closes. A server ends with the process that started it, whatever ends that.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { generate } from "selfsigned";
import { BUILD_FOLDER } from "../../tools/project.ts";
import { answers, freePorts } from "../../tools/proxies/free_ports.ts";
import { watch } from "../../tools/proxies/watchdog.ts";
import { SetupError } from "../../tools/setup_error.ts";
import type { Certificate } from "./grid.ts";

export interface Servers {
  readonly pids: readonly number[];
  /** `127.0.0.1:port` each. */
  readonly addresses: string[];
  stop(): Promise<void>;
}

/** As nginx prints it, with its TLS library; null if nginx is not installed. */
export function nginxVersion(): string | null {
  const { status, stderr } = spawnSync("nginx", ["-V"], { encoding: "utf8" });
  if (status !== 0) return null;
  const [, nginx] = /nginx\/(\S+)/.exec(stderr) ?? [];
  const [, library] = /(?:running|built) with (OpenSSL \S+)/.exec(stderr) ?? [];
  return `nginx ${nginx ?? "of an unknown version"}, ${library ?? "an unknown TLS library"}`;
}

export async function startServers(count: number, certificate: Certificate): Promise<Servers> {
  const folder = join(BUILD_FOLDER, "bench", "servers");
  mkdirSync(folder, { recursive: true });
  const identityFile = join(folder, `${certificate}.pem`);
  writeFileSync(identityFile, await identity(certificate), { mode: 0o600 });
  const ports = await freePorts(count);
  const running: Running[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((server) => server.stop()));
  };
  try {
    for (const port of ports) running.push(start(folder, port, identityFile));
    for (const [index, port] of ports.entries()) await untilListening(running[index]?.child, port);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pids: running.map(({ child }) => child.pid ?? 0),
    addresses: ports.map((port) => `127.0.0.1:${port}`),
    stop,
  };
}

interface Running {
  child: ChildProcess;
  stop(): Promise<void>;
}

function start(folder: string, port: number, identityFile: string): Running {
  const own = join(folder, String(port));
  mkdirSync(own, { recursive: true });
  const file = join(own, "nginx.conf");
  writeFileSync(file, configuration(own, port, identityFile));
  const child = spawn("nginx", ["-c", file, "-e", join(own, "error.log")], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const watchdog = child.pid === undefined ? undefined : watch(child.pid);
  return {
    child,
    stop: async () => {
      child.kill("SIGKILL");
      await ended;
      watchdog?.kill("SIGKILL");
    },
  };
}

async function untilListening(child: ChildProcess | undefined, port: number): Promise<void> {
  for (const deadline = Date.now() + START_SECONDS * 1000; !(await answers(port)); await sleep(50)) {
    if (Date.now() < deadline && child?.exitCode === null) continue;
    throw new SetupError(`nginx does not listen on 127.0.0.1:${port}: see build/bench/servers/${port}/error.log`);
  }
}

/** Tickets are on, as they are by default. One process is enough: its worker's work is what counts. */
function configuration(own: string, port: number, identityFile: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${own}/${kind};`,
  );
  return `daemon off; master_process off; pid ${own}/pid;
events { worker_connections 1024; }
http {
  access_log off; keepalive_timeout 0; ${temporary.join(" ")}
  ssl_certificate ${identityFile}; ssl_certificate_key ${identityFile};
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_timeout 1h;
  server {
    listen 127.0.0.1:${port} ssl backlog=1024;
    location / { return 200 "ok\\n"; }
  }
}
`;
}

async function identity(certificate: Certificate): Promise<string> {
  const key =
    certificate === "rsa" ? ({ keyType: "rsa", keySize: 2048 } as const) : ({ keyType: "ec", curve: "P-256" } as const);
  const made = await generate([{ name: "commonName", value: "shop.example" }], key);
  return `${made.cert}\n${made.private}`;
}

const START_SECONDS = 10;
