import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { PROJECT_FOLDER } from "../../project.ts";
import { type Suite, select } from "./selection.ts";

const CHECKS = ["lint", "config", "unit", "wasm"];
const UNIT: Suite = {
  name: "unit",
  folders: ["tests/unit"],
  files: [
    "tests/unit/config/parse.spec.ts",
    "tests/unit/session/cache.conflicts.spec.ts",
    "tests/unit/session/pages/page.spec.ts",
    "tests/unit/session/pages/pages.spec.ts",
  ],
};
const WASM: Suite = {
  name: "wasm",
  folders: ["tests/wasm"],
  files: ["tests/wasm/refusing/handles.test.ts", "tests/wasm/watching/cache.test.ts"],
};

function filesOf(...args: string[]): Record<string, string[]> {
  const selection = select(args, CHECKS, [UNIT, WASM]);
  if (typeof selection === "string") assert.fail(selection);
  return Object.fromEntries(selection.files);
}

function complaint(...args: string[]): string {
  const selection = select(args, CHECKS, [UNIT, WASM]);
  return typeof selection === "string" ? selection : assert.fail(JSON.stringify(selection));
}

test("checks without a word run whole", () => {
  assert.deepEqual(select([], CHECKS, [UNIT, WASM]), { checks: [], files: new Map() });
  assert.deepEqual(select(["unit", "lint"], CHECKS, [UNIT, WASM]), { checks: ["unit", "lint"], files: new Map() });
});

test("a word chooses the files with it in their path: in a name or in a folder's", () => {
  assert.deepEqual(filesOf("unit", "conflicts"), { unit: ["tests/unit/session/cache.conflicts.spec.ts"] });
  assert.deepEqual(filesOf("unit", "pages"), {
    unit: ["tests/unit/session/pages/page.spec.ts", "tests/unit/session/pages/pages.spec.ts"],
  });
});

test("several words choose what any of them chooses, in every check that is named", () => {
  assert.deepEqual(filesOf("unit", "wasm", "cache", "handles"), {
    unit: ["tests/unit/session/cache.conflicts.spec.ts"],
    wasm: WASM.files,
  });
});

test("a file is chosen alone by its path or its name, and a folder by its path", () => {
  const page = { unit: ["tests/unit/session/pages/page.spec.ts"] };
  for (const word of ["page.spec.ts", "pages/page.spec.ts", "tests/unit/session/pages/page.spec.ts"]) {
    assert.deepEqual(filesOf("unit", word), page, word);
    assert.deepEqual(filesOf("unit", `./${word}`), page, word);
  }
  assert.deepEqual(filesOf("unit", join(PROJECT_FOLDER, "tests/unit/session/pages/page.spec.ts")), page);
  assert.deepEqual(filesOf("unit", "tests/unit/config"), { unit: ["tests/unit/config/parse.spec.ts"] });
});

test("a word that is a check's name chooses files if it ends with a slash", () => {
  assert.deepEqual(filesOf("unit", "config/"), { unit: ["tests/unit/config/parse.spec.ts"] });
});

test("the folder and the ending that all files share are no words", () => {
  for (const word of ["unit/", "spec", "tests"]) assert.match(complaint("unit", word), /^no test file has/);
});

test("a word that fits nothing is an error that lists what there is", () => {
  const text = complaint("unit", "wasm", "cache", "nonesuch");
  assert.match(text, /^no test file has "nonesuch" in its path\n/);
  assert.match(text, /^unit has: config\/parse, session\/cache\.conflicts, session\/pages\/page, /m);
  assert.match(text, /^wasm has: refusing\/handles, watching\/cache$/m);
});

test("a check in which no word fits anything is an error, too: it would look as if it had passed", () => {
  assert.match(complaint("unit", "wasm", "handles"), /^no test file of unit has "handles" in its path$/);
});

test("a check without files runs whole beside one with files", () => {
  const selection = select(["lint", "unit", "conflicts"], CHECKS, [UNIT, WASM]);
  assert.ok(typeof selection !== "string" && selection.checks.includes("lint") && selection.files.size === 1);
});

test("words without a check, or for one without files, are errors", () => {
  assert.match(complaint("page"), /^"page" is not a check: lint, config, unit, wasm; /);
  assert.match(complaint("lint", "page"), /^lint has no files to choose from: leave out "page"$/);
});
