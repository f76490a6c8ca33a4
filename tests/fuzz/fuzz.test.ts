/**
 * Replays all earlier findings, then fuzzes for a minute, or for FUZZ_SECONDS.
 *
 * The seed is the number of the day: each day tries other inputs, and a failure repeats on the same day.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { failureOf, type Finding, Fuzzer } from "./fuzzer.ts";
import { type Case, fromText, hold, type Input } from "./input.ts";
import { minimised } from "./minimise.ts";
import { builtModule } from "./modules.ts";
import { fuzz, NAMES } from "./run.ts";
import { TARGETS } from "./targets/all.ts";

const FOUND = fileURLToPath(new URL("found/", import.meta.url));
const SECONDS = Number(process.env.FUZZ_SECONDS ?? "60");

describe("earlier findings of fuzzing", () => {
  for (const name of readdirSync(FOUND)) {
    it(`do not come back: ${name}`, () => {
      const found = fromText(readFileSync(FOUND + name, "utf8"));
      const target = TARGETS.find((one) => one.name === found.target);
      assert.ok(target !== undefined, `no target ${found.target}`);
      assert.equal(failureOf(target, new WebAssembly.Module(builtModule()), found), undefined);
    });
  }
});

describe("fuzzing", () => {
  it(`for ${SECONDS} seconds finds nothing`, async () => {
    const seed = Math.floor(Date.now() / 86_400_000);
    const { counts, found } = await fuzz({ seed, seconds: SECONDS });
    for (const { message, text } of found) assert.fail(`seed ${seed}: ${message}\n${text}`);
    // Each target has run, and counters have guided all of them but the parser.
    for (const name of NAMES) {
      const one = counts.find((count) => count.name === name);
      assert.ok(one !== undefined && one.inputs > 0, `${name} did not run`);
      assert.ok(name === "parser" || (one.kept > 0 && one.reached > 1000), `${name} was not guided`);
    }
  });
});

describe("the fuzzer", () => {
  it("finds a broken promise, makes its case small, and repeats it", () => {
    const [target] = TARGETS;
    assert.ok(target !== undefined);
    // There is no broken module to test with, so the target gets a promise that the filter never made.
    const strict = {
      ...target,
      open: (wasm: WebAssembly.Module, variant: number) => {
        const session = target.open(wasm, variant);
        return {
          ...session,
          memories: session.memories,
          check: (): void => session.check(),
          run: (input: Input): void => {
            session.run(input);
            hold(!input.some(({ bytes }) => bytes.includes(NEEDLE)), () => "the needle");
          },
        };
      },
    };
    const wasm = new WebAssembly.Module(builtModule());
    const fuzzer = new Fuzzer({ ...strict, dictionary: [NEEDLE] }, wasm, 0, 1);
    let finding: Finding | undefined;
    for (let i = 0; i < 500 && finding === undefined; i++) finding = fuzzer.step();
    assert.equal(finding?.message, "the needle");
    const fails = (candidate: Case): boolean => failureOf(strict, wasm, candidate) !== undefined;
    const { inputs } = minimised(finding.case, fails);
    assert.deepEqual(inputs, [[{ kind: inputs[0]?.[0]?.kind, bytes: NEEDLE }]]);
  });
});

const NEEDLE = Buffer.from("needle");
