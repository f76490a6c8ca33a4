#!/usr/bin/env node
/** Starts the client, main.ts, without a compile step. `npm ci` must have installed the packages. */
try {
  const { register } = await import("tsx/esm/api");
  register();
} catch (error) {
  if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
  console.error("error: the packages of tls-sessions are not installed: run npm ci in its folder");
  process.exit(2);
}
const { main } = await import("./main.ts");
await main(process.argv.slice(2));
