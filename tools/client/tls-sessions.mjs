#!/usr/bin/env node
/** Starts the client: in a clone from its sources, without a compile step; in the npm package from the bundle of `npm run build`. */
import { existsSync } from "node:fs";

const isClone = existsSync(new URL("./main.ts", import.meta.url));
if (isClone) await readTypeScript();
const { main } = await import(isClone ? "./main.ts" : "../../build/client/main.mjs");
await main(process.argv.slice(2));

/** `npm ci` must have installed the packages. */
async function readTypeScript() {
  try {
    const { register } = await import("tsx/esm/api");
    register();
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    console.error("error: the packages of tls-sessions are not installed: run npm ci in its folder");
    process.exit(2);
  }
}
