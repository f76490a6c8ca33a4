import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { PROJECT_FOLDER } from "../project.ts";
import { type Compilation, compile, compileIfChanged } from "./compile.ts";
import { type Identity, readIdentity } from "./identity.ts";
import { codeOf, inputsOf } from "./inputs.ts";

const ZEROS = "0".repeat(64);
const SOURCE = `/** Some number. */
import { two } from "./two";

export function number(): i32 {
  return two() + 1; // One more.
}
`;

describe("a module that is there already", () => {
  let folder: string;
  let module: string;
  let compilation: Compilation;

  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const number = async (): Promise<number> => {
    const failure = await compileIfChanged(module, compilation);
    assert.equal(failure, null);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(readFileSync(module))));
    return (exports.number as () => number)();
  };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "compile-"));
    module = join(folder, "build", "module.wasm");
    compilation = { entry: "entry/index.ts", options: ["--runtime", "stub", "--use", "abort="], folder };
    for (const name of ["assembly", "entry"]) mkdirSync(join(folder, name));
    symlinkSync(join(PROJECT_FOLDER, "node_modules"), join(folder, "node_modules"), "dir");
    write("entry/index.ts", SOURCE);
    write("entry/two.ts", "export function two(): i32 {\n  return 2;\n}\n");
  });
  after(() => rmSync(folder, { recursive: true }));

  it("is kept when only the words of a comment change, and made again with the code", async () => {
    assert.equal(await number(), 3);
    const { mtimeMs } = statSync(module);
    write("entry/index.ts", SOURCE.replace("Some number.", "Another text.").replace("One more", "Plus one"));
    assert.equal(await number(), 3);
    assert.equal(statSync(module).mtimeMs, mtimeMs, "the file is the same");
    write("entry/two.ts", "export function two(): i32 {\n  return 20;\n}\n");
    assert.equal(await number(), 21);
  });

  it("is made again when somebody has changed its bytes", async () => {
    const value = await number();
    writeFileSync(module, "no module");
    assert.equal(await number(), value);
  });

  it("does not pass for the module of sources that do not compile", async () => {
    const value = await number();
    write("entry/index.ts", `${SOURCE}export const broken: i32 = "text";\n`);
    assert.match((await compileIfChanged(module, compilation)) ?? "", /ERROR/);
    assert.match((await compileIfChanged(module, compilation)) ?? "", /ERROR/, "a second time, too");
    write("entry/index.ts", SOURCE);
    assert.equal(await number(), value);
  });

  it("depends on the options, on every source and on asconfig.json", () => {
    const seen = [inputsOf(compilation)];
    const differs = (what: string, inputs: string): void => {
      assert.ok(!seen.includes(inputs), what);
      seen.push(inputs);
    };
    assert.equal(inputsOf(compilation), seen[0]);
    differs("an option", inputsOf({ ...compilation, options: [...compilation.options, "-O3"] }));
    differs("inlining", inputsOf({ ...compilation, isInlined: true }));
    differs("the build identity", inputsOf({ ...compilation, isIdentified: true }));
    write("assembly/more.ts", "export const more = 1;\n");
    differs("a file of assembly/", inputsOf(compilation));
    write("assembly/more.ts", "\nexport const more = 1;\n");
    differs("a line in front of the code, which an abort names", inputsOf(compilation));
    write("asconfig.json", "{}");
    differs("asconfig.json", inputsOf(compilation));
    write("entry/two.ts", "export function two(): i32 {\n  return 4;\n}\n");
    differs("an imported file", inputsOf(compilation));
  });
});

describe("a module that shows its build identity", () => {
  let folder: string;
  let module: string;
  let compilation: Compilation;

  /** Writes a module that has so many places for its identity. */
  const write = (places: number): void => {
    const bytes = [...Buffer.from(`tls-session-cache build ${ZEROS}`)].join();
    const exports = Array.from({ length: places }, (_, i) => `export const place${i} = memory.data<u8>([${bytes}]);\n`);
    writeFileSync(join(folder, "index.ts"), `export function number(): i32 { return ${places}; }\n${exports.join("")}`);
  };
  const shown = (): string | null => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(readFileSync(module))));
    const { memory, place0 } = exports as { memory: WebAssembly.Memory; place0: WebAssembly.Global<"i32"> };
    return Buffer.from(memory.buffer, place0.value, 88).toString("latin1").replace("tls-session-cache build ", "");
  };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "identity-"));
    module = join(folder, "build", "module.wasm");
    compilation = { entry: "index.ts", options: ["--runtime", "stub", "--use", "abort="], folder };
    symlinkSync(join(PROJECT_FOLDER, "node_modules"), join(folder, "node_modules"), "dir");
  });
  after(() => rmSync(folder, { recursive: true }));

  it("has it in its memory when it runs; without a build identity, the zeros", async () => {
    write(1);
    assert.equal(await compile(module, compilation), null);
    assert.equal(shown(), ZEROS);
    assert.equal(await compile(module, { ...compilation, isIdentified: true }), null);
    const identity = readIdentity(readFileSync(module)) as Identity;
    assert.equal(identity.shown, identity.computed);
    assert.equal(shown(), identity.computed);
  });

  it("is not made without exactly one place for it, and one that was there stays", async () => {
    const before = readFileSync(module);
    for (const [places, fault] of [
      [0, /no place for a build identity/],
      [2, /more than one place for a build identity/],
    ] as const) {
      write(places);
      assert.match((await compile(module, { ...compilation, isIdentified: true })) ?? "", fault);
      assert.deepEqual(readFileSync(module), before);
      assert.deepEqual(readdirSync(join(folder, "build")), ["module.wasm"]);
    }
  });
});

describe("the code of a source", () => {
  it("has blanks in the place of its comments", () => {
    assert.equal(codeOf("/* a */ let b = 1; // c\n/** d\n * e */ f();\n"), "        let b = 1;\n\n        f();\n");
  });

  it("keeps texts that look like comments", () => {
    for (const code of [`url("http://a/*b*/");`, `call('//', "\\"//");`, "/// <directive />", "a = `// ${b}`; // c"]) {
      assert.equal(codeOf(code), code);
    }
  });

  it("is not changed by a backtick or a quotation mark in a comment", () => {
    assert.equal(codeOf("// a `name`, isn't it\nlet a = 1; // b\n"), "\nlet a = 1;\n");
  });
});
