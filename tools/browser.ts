/**
 * Finds a Chromium to drive: `$CHROMIUM_BIN`, then one on PATH, then Debian's package, which apt-get installs if this process is
 * root. Promises a path, or a SetupError with one line.
 */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve, sep } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { runCommand } from "./command.ts";
import { SetupError } from "./setup_error.ts";

export async function findChromium(progress: (line: string) => void): Promise<string> {
  const named = process.env["CHROMIUM_BIN"] ?? "";
  if (named !== "") {
    const path = named.includes(sep) ? resolve(named) : onPath(named);
    if (path !== null && isExecutable(path)) return path;
    throw new SetupError(`CHROMIUM_BIN=${named} is not an executable file: set it to a Chromium, or unset it`);
  }
  const present = firstOnPath();
  if (present !== null) return present;
  const aptGet = onPath("apt-get");
  if (aptGet === null || process.getuid?.() !== 0) throw new SetupError(`no Chromium was found: ${HINT}`);
  progress("installing Chromium with apt-get (once) ...");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"]]) {
    const { exitCode, output } = await runCommand(aptGet, ["-q", ...args], { env, timeoutSeconds: INSTALL_SECONDS });
    if (exitCode === 0) continue;
    const last = output.trim().split("\n").at(-1) ?? "";
    throw new SetupError(`apt-get ${args[0]} failed (${last.slice(0, 200)}), and no Chromium was found: ${HINT}`);
  }
  const installed = firstOnPath();
  if (installed === null) throw new SetupError(`apt-get installed no Chromium: ${HINT}`);
  return installed;
}

/** Starts it without a window, and without the calls home that it makes by itself. Closes with `close`. */
export async function startBrowser(progress: (line: string) => void): Promise<Browser> {
  return await chromium.launch({
    executablePath: await findChromium(progress),
    args: [
      // Chromium's own sandbox does not start for root.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      ...["--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });
}

function firstOnPath(): string | null {
  return NAMES.map(onPath).find((path) => path !== null) ?? null;
}

function onPath(name: string): string | null {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const HINT = "install one (Debian, Ubuntu: apt install chromium), or set CHROMIUM_BIN to its path";
const INSTALL_SECONDS = 300;
