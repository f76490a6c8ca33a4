/**
 * Runs one of the project's programs, named by its path: `node tools/bootstrap.mjs tools/start`.
 *
 * This is the only tool that runs before anything is installed, so it is plain JavaScript without dependencies. It promises
 * that the packages of package-lock.json are there (`npm ci` if they are missing or older than the lock file), then loads
 * the TypeScript tool into this same process: a signal needs no forwarding, and the exit code is the tool's own.
 */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** As `engines` of package.json has it: what ESLint needs. */
const OLDEST_NODE = [20, 19];

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const tool = process.argv[2] ?? "";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  fail(`Node ${OLDEST_NODE.join(".")} or newer is needed, this is ${process.versions.node}`);
}
if (!/^(tools|bench|tests)(\/[a-z_]+)+$/.test(tool)) {
  fail("say which program to run, as in: node tools/bootstrap.mjs tools/start");
}
if (!installed()) install();

const { register } = await import("tsx/esm/api");
register();
process.argv.splice(1, 2, join(project, `${tool}.ts`));
await import(`../${tool}.ts`);

/** npm writes the hidden lock file last, so an install that was cut short does not have it. */
function installed() {
  const wanted = statSync(join(project, "package-lock.json")).mtimeMs;
  const found = statSync(join(project, "node_modules", ".package-lock.json"), { throwIfNoEntry: false });
  return found !== undefined && found.mtimeMs >= wanted;
}

function install() {
  console.log("installing the packages of package-lock.json (npm ci) ...");
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  // npm names its own program when it is the one that runs this script.
  const npm = process.env.npm_execpath;
  const [command, commandArgs] = npm?.endsWith(".js") ? [process.execPath, [npm, ...args]] : ["npm", args];
  const { status, error } = spawnSync(command, commandArgs, { cwd: project, stdio: ["ignore", "ignore", "inherit"] });
  if (error !== undefined) fail(`npm cannot be run (${error.message}): install npm, or run npm ci yourself`);
  if (status !== 0) fail("npm ci failed, see above: it needs the package registry or a filled npm cache");
}

function fail(line) {
  console.error(`error: ${line}`);
  process.exit(1);
}
