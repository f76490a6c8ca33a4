/**
 * nginx as a server behind the proxy: it says who it is and whether it has resumed, can be stopped and started again on its port, and
 * takes new keys upon a reload. It keeps sessions and ticket keys in its memory alone, so each of these makes it forget all.
 *
 * Ends with this process, whatever ends that: a shell that waits on a pipe ends it then.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { generate } from "selfsigned";
import { answers, freePorts } from "../../tools/proxies/free_ports.ts";
import type { Folder } from "./openssl.ts";
import { eventually } from "./stack.ts";

export function isNginxInstalled(): boolean {
  return spawnSync("nginx", ["-v"], { stdio: "ignore" }).status === 0;
}

export class Nginx {
  private shell: ChildProcess | undefined;

  private constructor(
    readonly name: string,
    private readonly port: number,
    private readonly args: string[],
  ) {}

  /** Starts one for each name. */
  static async startAll(folder: Folder, names: readonly string[]): Promise<Nginx[]> {
    const made = await generate([{ name: "commonName", value: "localhost" }], { keyType: "ec", curve: "P-256" });
    writeFileSync(folder.file("nginx.pem"), `${made.cert}\n${made.private}`);
    const ports = await freePorts(names.length);
    const all = names.map(
      (name, i) => new Nginx(name, ports[i] as number, configure(folder, name, ports[i] as number)),
    );
    const started = await Promise.allSettled(all.map((nginx) => nginx.start()));
    const failure = started.find((result) => result.status === "rejected");
    if (failure !== undefined) {
      for (const nginx of all) nginx.kill();
      throw new Error(String(failure.reason));
    }
    return all;
  }

  /** As Envoy writes it. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Returns when it takes connections. */
  async start(): Promise<void> {
    this.shell = spawn("/bin/sh", ["-c", SCRIPT, "nginx", ...this.args], { stdio: ["pipe", "inherit", "inherit"] });
    this.shell.stdin?.on("error", () => undefined);
    await this.until(true);
  }

  /** Returns when its port refuses connections. Connections under way there come to their end. */
  async stop(): Promise<void> {
    const { shell } = this;
    if (shell === undefined || shell.exitCode !== null) return;
    const ended = once(shell, "exit");
    await promisify(execFile)("nginx", [...this.args, "-s", "quit"]);
    await this.until(false);
    shell.stdin?.end();
    await ended;
  }

  /** With other keys from then on. The port is open all the time. */
  async reload(): Promise<void> {
    await promisify(execFile)("nginx", [...this.args, "-s", "reload"]);
  }

  kill(): void {
    this.shell?.stdin?.end();
  }

  private async until(isListening: boolean): Promise<void> {
    await eventually(`nginx ${isListening ? "listens" : "is gone"}`, async () => {
      if ((await answers(this.port)) !== isListening) throw new Error(`port ${this.port}`);
    });
  }
}

/** The arguments by which each call of nginx means this one. */
function configure(folder: Folder, name: string, port: number): string[] {
  const own = folder.file(name);
  mkdirSync(own);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${own}/${kind};`,
  );
  const answer = `upstream ${name} resumed=$resumed protocol=$ssl_protocol\\n`;
  writeFileSync(
    `${own}/nginx.conf`,
    `daemon off; worker_processes 1; pid ${own}/pid;
events { worker_connections 512; }
http {
  access_log off; keepalive_timeout 0; ${temporary.join(" ")}
  map $ssl_session_reused $resumed { r true; default false; }
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${folder.file("nginx.pem")}; ssl_certificate_key ${folder.file("nginx.pem")};
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache builtin:10000;
    location / { return 200 "${answer}"; }
  }
}
`,
  );
  return ["-c", `${own}/nginx.conf`, "-e", `${own}/error.log`];
}

/** `read` sees the end of its input when this process is gone, or wants nginx to be. */
const SCRIPT = 'nginx "$@" <&- & read -r _; kill -TERM $! 2>/dev/null; wait $!';
