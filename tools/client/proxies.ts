/** The proxies that a command runs on: --proxy URL, once or more, --proxies FILE, TLS_SESSIONS_PROXY, or the local one. */
import { readFileSync } from "node:fs";
import { UsageError } from "./client_error.ts";

export const DEFAULT_PROXY = "http://127.0.0.1:10080";

interface ProxyChoice {
  /** Of --proxy. */
  urls: string[];
  /** Of --proxies. */
  file: string | null;
  /** Of TLS_SESSIONS_PROXY. */
  fromEnvironment: string | undefined;
}

/** In the order given, each once, without a slash at the end. */
export function chosenProxies({ urls, file, fromEnvironment }: ProxyChoice): string[] {
  const named = [
    ...urls.map((url) => proxyUrl(url, "--proxy")),
    ...(file === null ? [] : linesOf(file).map((line) => proxyUrl(line, `--proxies ${file}:`))),
  ];
  if (named.length > 0) return [...new Set(named)];
  if ((fromEnvironment ?? "") === "") return [DEFAULT_PROXY];
  return [proxyUrl(fromEnvironment ?? "", "TLS_SESSIONS_PROXY")];
}

/** One proxy a line; a # starts a comment. */
function linesOf(file: string): string[] {
  const lines = readFile(file, "--proxies")
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "");
  if (lines.length === 0) throw new UsageError(`--proxies ${file}: the file names no proxy; write one URL a line`);
  return lines;
}

export function proxyUrl(text: string, source: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new UsageError(`${source} "${text}" is not a URL; write it as ${DEFAULT_PROXY}`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new UsageError(`${source}: the URL has more than scheme, host, port and path; write it as ${DEFAULT_PROXY}`);
  }
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/** The text of a file that an argument names; `-` is stdin. */
export function readFile(file: string, source: string): string {
  return readBytes(file, source).toString("utf8");
}

export function readBytes(file: string, source: string): Buffer {
  try {
    return readFileSync(file === "-" ? 0 : file);
  } catch (error) {
    throw new UsageError(
      `${source} ${file}: the file cannot be read (${String((error as NodeJS.ErrnoException).code)})`,
    );
  }
}
