import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { PROJECT_FOLDER } from "../../project.ts";

test("the module and its API tell the version of the package as their own", () => {
  const { version } = JSON.parse(read("package.json")) as { version: string };
  assert.match(version, /^\d+\.\d+\.\d+/);
  const told = /^export const VERSION: string = "(.*)";$/m.exec(read("assembly/filters/cache/module_version.ts"));
  assert.equal(told?.[1], version);
  const { info } = parse(read("docs/openapi.yaml")) as { info: { version: string } };
  assert.equal(info.version, version);
  assert.ok(version.length <= 31, "a registration has room for 31 bytes");
});

function read(file: string): string {
  return readFileSync(join(PROJECT_FOLDER, file), "utf8");
}
