/**
 * A registry of images on this machine: Debian's docker-registry (CNCF Distribution) if it is installed, and a small one of our own, which
 * takes only bytes that have the digest that they are sent under (OCI distribution specification 1.1).
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "../../tools/proxies/free_ports.ts";

export interface Registry {
  /** `127.0.0.1:5000` */
  host: string;
  stop(): Promise<void>;
}

/** The program of the real registry; null if it is not installed. */
export function registryProgram(): string | null {
  const found = ["docker-registry", "registry"].find(
    (name) => spawnSync(name, ["--version"], { encoding: "utf8" }).status === 0,
  );
  return found ?? null;
}

export async function startRegistry(program: string): Promise<Registry> {
  const [port = 0] = await freePorts(1);
  const host = `127.0.0.1:${String(port)}`;
  const folder = mkdtempSync(join(tmpdir(), "registry-"));
  const file = join(folder, "config.yml");
  writeFileSync(
    file,
    `version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: ${folder} } }\nhttp: { addr: "${host}" }\n`,
  );
  const child = spawn(program, ["serve", file], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 100; tries++) {
    const status = await fetch(`http://${host}/v2/`).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return { host, stop };
    await sleep(100);
  }
  await stop();
  throw new Error(`${program} does not answer on ${host}`);
}

export async function startSmallRegistry(): Promise<Registry> {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, { type: string; bytes: Buffer }>();
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => answer(request, response, body, blobs, manifests));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  blobs: Map<string, Buffer>,
  manifests: Map<string, { type: string; bytes: Buffer }>,
): void {
  const url = new URL(request.url ?? "", "http://registry");
  const [, name, kind, reference = ""] = /^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/.exec(url.pathname) ?? [];
  const end = (status: number, headers: Record<string, string> = {}, bytes?: Buffer): void =>
    void response.writeHead(status, headers).end(request.method === "HEAD" ? undefined : bytes);
  if (name === undefined) return end(404);
  if (kind === "blobs" && request.method === "POST")
    return end(202, { location: `/v2/${name}/blobs/uploads/1?state=x` });
  if (kind === "blobs" && request.method === "PUT") {
    const digest = url.searchParams.get("digest") ?? "";
    if (digest !== digestOf(body)) return end(400);
    blobs.set(digest, body);
    return end(201);
  }
  if (kind === "manifests" && request.method === "PUT") {
    const digest = digestOf(body);
    if (reference.startsWith("sha256:") && reference !== digest) return end(400);
    if (!referencesOf(body).every((one) => blobs.has(one) || manifests.has(one))) return end(404);
    const manifest = { type: request.headers["content-type"] ?? "", bytes: body };
    manifests.set(digest, manifest).set(reference, manifest);
    return end(201);
  }
  if (kind === "manifests") {
    const manifest = manifests.get(reference);
    return manifest === undefined ? end(404) : end(200, { "content-type": manifest.type }, manifest.bytes);
  }
  const blob = blobs.get(reference);
  return blob === undefined ? end(404) : end(200, {}, blob);
}

/** A manifest may name only what was pushed before. */
function referencesOf(manifest: Buffer): string[] {
  return [...manifest.toString("utf8").matchAll(/"digest":"(sha256:[0-9a-f]{64})"/g)].map(([, digest = ""]) => digest);
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
