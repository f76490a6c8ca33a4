/** `openssl s_client`, `s_server` and `sess_id` as tests need them. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { eventually } from "./stack.ts";
import { freePorts } from "../../tools/proxies/free_ports.ts";
import { connect } from "node:net";

export interface ClientRun {
  output: string;
  resumed: boolean;
  protocol: string;
}

/** A folder for sessions and keys, gone after `remove`. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), "tls-session-cache-"));

  file(name: string): string {
    return join(this.path, name);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Connects, asks for a page and waits for the server to close: so a TLS 1.3 ticket has come before it ends. */
export async function sClient(port: number, ...options: string[]): Promise<ClientRun> {
  const args = ["s_client", "-connect", `127.0.0.1:${port}`, "-ign_eof", ...options];
  const output = await run(args, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const [, word, protocol] = /^(New|Reused), (\S+), Cipher is/m.exec(output) ?? [];
  if (word === undefined) throw new Error(`openssl ${args.join(" ")} made no handshake:\n${output}`);
  return { output, resumed: word === "Reused", protocol: protocol ?? "" };
}

export interface SavedSession {
  id: string;
  /** Hex of the whole ticket, null if there is none. */
  ticket: Buffer | null;
}

/** What `openssl sess_id` says of a session that s_client saved: its words, not our parser's. */
export async function savedSession(file: string): Promise<SavedSession> {
  const text = await run(["sess_id", "-in", file, "-noout", "-text"], "");
  const id = /Session-ID: ([0-9A-F]*)/.exec(text)?.[1] ?? "";
  const dump = /TLS session ticket:\n((?: +[0-9a-f]{4} - .*\n)+)/.exec(text)?.[1];
  if (dump === undefined) return { id: id.toLowerCase(), ticket: null };
  const bytes = dump
    .split("\n")
    .map((line) => (/^ +[0-9a-f]{4} - ((?:[0-9a-f]{2}[ -])+)/.exec(line)?.[1] ?? "").replace(/[ -]/g, ""));
  return { id: id.toLowerCase(), ticket: Buffer.from(bytes.join(""), "hex") };
}

export interface OpensslServer {
  readonly address: string;
  stop(): Promise<void>;
}

/** `openssl s_server -www`: a server that is not Node, with OpenSSL's own session cache. */
export async function startSServer(folder: Folder, ...options: string[]): Promise<OpensslServer> {
  const made = await generate([{ name: "commonName", value: "localhost" }], { keyType: "ec", curve: "P-256" });
  writeFileSync(folder.file("server.pem"), `${made.cert}\n${made.private}`);
  const [port] = (await freePorts(1)) as [number];
  const accept = ["-accept", `127.0.0.1:${port}`, "-cert", folder.file("server.pem"), "-www"];
  const child = spawn("openssl", ["s_server", ...accept, ...options], { stdio: "ignore" });
  return await untilReachable(child, port, "openssl s_server listens", () => reach(port));
}

/** The server that a child is, once it can be reached; a child that cannot is ended. */
export async function untilReachable(
  child: ChildProcess,
  port: number,
  what: string,
  attempt: () => Promise<unknown>,
  seconds?: number,
): Promise<OpensslServer> {
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const server = {
    address: `127.0.0.1:${port}`,
    stop: async (): Promise<void> => {
      child.kill("SIGKILL");
      await ended;
    },
  };
  try {
    await eventually(what, attempt, seconds);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

function reach(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve();
    });
    socket.on("error", reject);
  });
}

function run(args: string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn("openssl", args, { stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    const keep = (chunk: Buffer): void => void (output += chunk.toString("latin1"));
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
    const patience = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`openssl ${args.join(" ")} did not end:\n${output}`));
    }, CLIENT_SECONDS * 1000);
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(patience);
      resolve(output);
    });
  });
}

const CLIENT_SECONDS = 15;
