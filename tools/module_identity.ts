/**
 * `npm run -s module:identity -- FILE`: the build identity that a module shows, the one that its bytes give, and the SHA-256 of the
 * file, one a line. The first is the `build` of `/v1/filters` and `/v1/stats`, so it leads from a running module to its file.
 *
 * Exit code 0 if the first two agree; else 1, with one line on stderr.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { hashOf, readIdentity } from "./compiler/identity.ts";
import { runTool } from "./run_tool.ts";
import { SetupError } from "./setup_error.ts";

await runTool(async (args) => {
  const [file] = args;
  if (file === undefined || args.length > 1) {
    throw new SetupError("name one file, as in: npm run -s module:identity -- build/tls-session-cache.wasm");
  }
  const bytes = contentOf(file);
  const identity = readIdentity(bytes);
  if (typeof identity === "string") throw new SetupError(`${file}: ${identity}`);
  const { shown, computed } = identity;
  console.log(`shown     ${shown ?? "none"}\ncomputed  ${computed}\nsha256    ${hashOf(bytes)}`);
  if (shown === null) throw new SetupError(`${file}: it shows no build identity; "npm run build" gives it one`);
  if (shown !== computed)
    throw new SetupError(`${file}: its bytes have changed since it was built; use the released file`);
});

/** npm runs scripts in the project's folder, and leaves the caller's in INIT_CWD. */
function contentOf(file: string): Buffer {
  try {
    return readFileSync(resolve(process.env.INIT_CWD ?? "", file));
  } catch (error) {
    throw new SetupError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}
