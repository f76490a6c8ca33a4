/** The rooms of assembly/: rooms.mjs is what the code does, and nothing more; tests/unit has the same rooms. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, it } from "node:test";
import { PROJECT_FOLDER } from "../../project.ts";
import { ROOMS } from "./rooms.mjs";

const ASSEMBLY = join(PROJECT_FOLDER, "assembly");
const UNITS = join(PROJECT_FOLDER, "tests", "unit");
const MAX_FILES = 12;
/** One file for each path of the API. */
const LARGE_ROOMS = ["admin/routes"];

describe("rooms.mjs", () => {
  it("names every folder of assembly/ that holds files, and no other", () => {
    const there = new Set(sources().map((file) => dirname(file)));
    there.delete(".");
    assert.deepEqual(ROOMS.map(({ room }) => room).sort(), [...there].sort());
  });

  it("goes from the bottom up: a room imports only rooms above it in the list, so that there is no circle of rooms", () => {
    const before = new Set<string>();
    for (const { room, imports } of ROOMS) {
      for (const imported of imports)
        assert.ok(before.has(imported), `${room} imports ${imported}, which stands below it`);
      before.add(room);
    }
  });

  it("allows nothing that nobody uses", () => {
    for (const { room, imports } of ROOMS) {
      const used = new Set(
        sources()
          .filter((file) => dirname(file) === room)
          .flatMap(importsOf)
          .map((file) => dirname(file)),
      );
      assert.deepEqual(
        imports.filter((imported) => !used.has(imported)),
        [],
        `${room} imports none of these`,
      );
    }
  });
});

describe("the files of assembly/", () => {
  it(`are few in each room: at most ${MAX_FILES} files`, () => {
    for (const { room } of ROOMS) {
      if (LARGE_ROOMS.includes(room)) continue;
      const files = readdirSync(join(ASSEMBLY, room)).filter((name) => name.endsWith(".ts"));
      assert.ok(files.length <= MAX_FILES, `${room} has ${files.length} files`);
    }
  });

  it("import each other in no circle", () => {
    const path: string[] = [];
    const finished = new Set<string>();
    const visit = (file: string): void => {
      if (finished.has(file)) return;
      assert.ok(!path.includes(file), `${path.slice(path.indexOf(file)).join(" -> ")} -> ${file}`);
      path.push(file);
      for (const imported of importsOf(file)) visit(imported);
      path.pop();
      finished.add(file);
    };
    for (const file of sources()) visit(file);
  });
});

describe("a unit spec", () => {
  it("stands where its subject does: NAME.spec.ts or NAME.TOPIC.spec.ts beside assembly's NAME.ts", () => {
    const specs = readdirSync(UNITS, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".spec.ts"));
    assert.ok(specs.length > 0);
    const astray = specs.filter((spec) => !existsSync(join(ASSEMBLY, `${spec.replace(/(\.\w+)?\.spec\.ts$/, "")}.ts`)));
    assert.deepEqual(astray, []);
  });
});

/** Relative to assembly/. */
function sources(): string[] {
  return readdirSync(ASSEMBLY, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(ASSEMBLY, file), "utf8");
  const targets = [...text.matchAll(/^(?:import|export)[^"]*from "(\.[^"]+)";/gm)].map(([, target]) => target ?? "");
  return targets.map((target) => `${normalize(join(dirname(file), target))}.ts`);
}
