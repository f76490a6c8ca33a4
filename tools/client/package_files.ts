/**
 * Files of the package, in a clone and as installed: this file, or the bundle that holds it, lies two folders below package.json.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { UsageError } from "./client_error.ts";

/** Ends with a slash. */
export const PACKAGE_FOLDER = fileURLToPath(new URL("../../", import.meta.url));
export const PACKAGED_MODULE = `${PACKAGE_FOLDER}build/tls-session-cache.wasm`;

export function packageVersion(): string {
  return (JSON.parse(readFileSync(`${PACKAGE_FOLDER}package.json`, "utf8")) as { version: string }).version;
}

/** The module of this version. */
export function packagedModule(): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(PACKAGED_MODULE));
  } catch {
    throw new UsageError(`${PACKAGED_MODULE} is not there, and it judges configurations: run npm run build`);
  }
}

/** The complete envoy.yaml that the package brings along. */
export function sampleConfiguration(): string {
  return readFileSync(`${PACKAGE_FOLDER}envoy.yaml`, "utf8");
}
