/**
 * Fuzzes the TLS observer for as long as one likes.
 *
 *     npx tsx tests/fuzz/run.ts [--seconds 60] [--seed N]
 *
 * Compiles handshake_fuzz.ts as the release build is compiled and runs it with one seed after the other. The first failure, a trap
 * included, ends it with exit code 1 and the seed and round that repeat it.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROUNDS = 2000;
const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

const { values } = parseArgs({ options: { seconds: { type: "string" }, seed: { type: "string" } } });
const seconds = Number(values.seconds ?? "60");
const firstSeed = Number(values.seed ?? "1");
if (!(seconds > 0) || !Number.isInteger(firstSeed) || firstSeed < 0) {
  console.error("usage: npx tsx tests/fuzz/run.ts [--seconds 60] [--seed N]");
  process.exit(2);
}

const { fuzz } = await build();
const end = Date.now() + seconds * 1000;
let seed = firstSeed;
for (; Date.now() < end; seed++) {
  const answer = run(seed);
  if (answer === 0) continue;
  console.error(`failed: seed ${seed}, ${answer < 0 ? "a trap" : `round ${answer - 1}`}`);
  process.exit(1);
}
console.log(`passed: ${(seed - firstSeed) * ROUNDS} rounds, seeds ${firstSeed} to ${seed - 1}`);

function run(seed: number): number {
  try {
    return fuzz(seed, ROUNDS);
  } catch (trap) {
    console.error(trap);
    return -1;
  }
}

/** Compiled outside the project's own options, whose entry is the filter. */
async function build(): Promise<{ fuzz: (seed: number, rounds: number) => number }> {
  const folder = mkdtempSync(join(tmpdir(), "fuzz-"));
  try {
    const config = join(folder, "asconfig.json");
    const module = join(folder, "fuzz.wasm");
    writeFileSync(config, "{}");
    const compiler = join(PROJECT, "node_modules", "assemblyscript", "bin", "asc.js");
    const out = relative(PROJECT, module);
    const options = ["--config", relative(PROJECT, config), "--runtime", "incremental", "-O3", "--outFile", out];
    execFileSync(process.execPath, [compiler, "tests/fuzz/handshake_fuzz.ts", ...options], {
      cwd: PROJECT,
      stdio: "inherit",
    });
    const abort = (): never => {
      throw new Error("abort");
    };
    const { instance } = await WebAssembly.instantiate(readFileSync(module), { env: { abort } });
    return instance.exports as unknown as { fuzz: (seed: number, rounds: number) => number };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
