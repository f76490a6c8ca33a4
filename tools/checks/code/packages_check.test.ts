import assert from "node:assert/strict";
import { test } from "node:test";
import { type LockFile, checkPackages, packageFaults } from "./packages_check.ts";

const DOCUMENTATION = "| `good` | 1.2.3 | needed |";
const HASH = "sha512-abc";

function faults(version: string, lock: LockFile["packages"], installed: string | null = null): string {
  return packageFaults({ devDependencies: { good: version } }, { packages: lock }, DOCUMENTATION, () => installed).join(
    "\n",
  );
}

test("the project has no fault", () => {
  assert.deepEqual(checkPackages(), []);
});

test("what is pinned, hashed, allowed and named is good", () => {
  assert.equal(faults("1.2.3", { "": {}, "node_modules/good": { integrity: HASH, license: " MIT" } }, "MIT"), "");
});

test("a range, a tag and a version that is not documented are found", () => {
  for (const range of ["^1.2.3", "~1.2.3", "1.x", "latest", "*", "git+https://a.example/b"]) {
    assert.match(faults(range, {}), /not pinned/);
  }
  assert.match(faults("1.2.4", {}), /docs\/build\/dependencies\.md: good 1\.2\.4 is not named/);
});

test("a package without the hash of its bytes is found", () => {
  assert.match(faults("1.2.3", { "node_modules/good": { license: "MIT" } }), /no SHA-512/);
  assert.match(faults("1.2.3", { "node_modules/good": { license: "MIT", integrity: "sha1-abc" } }), /no SHA-512/);
});

test("another license is found, in the lock file and in what is installed", () => {
  assert.match(faults("1.2.3", { "node_modules/good": { integrity: HASH, license: "GPL-3.0-only" } }), /GPL-3\.0-only/);
  assert.match(faults("1.2.3", { "node_modules/good": { integrity: HASH } }), /"none" is not allowed/);
  assert.match(faults("1.2.3", { "node_modules/good": { integrity: HASH, license: "MIT" } }, "AGPL-3.0"), /AGPL-3\.0/);
});
