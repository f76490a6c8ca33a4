/**
 * Makes the files that envoy.yaml needs under build/: the filter, compiled from assembly/ as asconfig.json says, and a demo
 * certificate. Each appears whole or not at all, and the filter is compiled only if its sources have changed. Run as `npm run build`,
 * it also makes the client of the npm package.
 */
import { pathToFileURL } from "node:url";
import { compileIfChanged, FILTER } from "./compiler/compile.ts";
import { makeDemoCertificate } from "./proxies/demo_certificate.ts";
import { MODULE_FILE } from "./project.ts";
import { bundleClient } from "./release/client_bundle.ts";

/** Null on success, else the compiler's complaint. */
export async function build(): Promise<string | null> {
  await makeDemoCertificate();
  return await compileIfChanged(MODULE_FILE, FILTER);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const failure = await build();
  if (failure !== null) console.error(failure);
  else await bundleClient();
  process.exitCode = failure === null ? 0 : 1;
}
