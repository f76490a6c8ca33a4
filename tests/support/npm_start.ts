/** `npm start` on ports of its own, as tests run it. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { PROJECT_FOLDER } from "../../tools/project.ts";
import { freePorts } from "../../tools/proxies/free_ports.ts";
import { eventually } from "./stack.ts";

export type Environment = Record<string, string | undefined>;

/** One run of `npm start`. */
export class Start {
  out = "";
  err = "";
  exitCode: number | null | undefined;
  private readonly child: ChildProcess;

  constructor(environment: Environment) {
    // A process group of its own, so that nothing of it can outlive a test.
    this.child = spawn("npm", ["start"], {
      cwd: PROJECT_FOLDER,
      env: { ...process.env, ...UNSET, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.child.stdout?.on("data", (chunk: Buffer) => (this.out += chunk.toString()));
    this.child.stderr?.on("data", (chunk: Buffer) => (this.err += chunk.toString()));
    this.child.on("close", (code) => (this.exitCode = code));
  }

  get lines(): string[] {
    return this.out.trimEnd().split("\n");
  }

  async ready(): Promise<void> {
    await eventually(
      "npm start prints a line that begins with `ready`",
      () => {
        if (this.exitCode !== undefined) return;
        assert.match(this.out, /^ready/m, `${this.out}\n${this.err}`);
      },
      90,
    );
    assert.equal(this.exitCode, undefined, `it ended by itself:\n${this.out}\n${this.err}`);
  }

  /** Waits for its end, and returns the exit code. */
  async end(seconds = 30): Promise<number | null> {
    await eventually(
      "npm start ends",
      () => assert.notEqual(this.exitCode, undefined, `${this.out}\n${this.err}`),
      seconds,
    );
    return this.exitCode ?? null;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** For the end of a test, whatever happened. */
  kill(): void {
    if (this.exitCode !== undefined || this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, "SIGTERM");
      setTimeout(() => {
        try {
          if (this.exitCode === undefined && this.child.pid !== undefined) process.kill(-this.child.pid, "SIGKILL");
        } catch {
          // It is gone.
        }
      }, 8000).unref();
    } catch {
      // It is gone.
    }
  }
}

export interface Ports {
  tls: number;
  https: number;
  admin: number;
  envoy: number;
  environment: Environment;
}

export async function movedPorts(): Promise<Ports> {
  const [tls, https, admin, envoy] = (await freePorts(4)) as [number, number, number, number];
  const environment = {
    TLS_PORT: String(tls),
    HTTPS_PORT: String(https),
    ADMIN_PORT: String(admin),
    ENVOY_ADMIN_PORT: String(envoy),
  };
  return { tls, https, admin, envoy, environment };
}

/** One line of complaint, whatever npm itself adds around it. */
export function complaints(start: Start): string[] {
  return start.err.split("\n").filter((line) => line !== "" && !/^npm (error|ERR!|warn|WARN|notice)/.test(line));
}

/** Variables that a caller of the tests may have set, and that must not reach a test. */
const UNSET: Environment = {
  TLS_PORT: undefined,
  HTTPS_PORT: undefined,
  ADMIN_PORT: undefined,
  ENVOY_ADMIN_PORT: undefined,
  UPSTREAMS: undefined,
  ADMIN_TOKEN: undefined,
  ADMIN_READ_TOKEN: undefined,
  CONCURRENCY: undefined,
  NODE_OPTIONS: undefined,
  NODE_TEST_CONTEXT: undefined,
};
