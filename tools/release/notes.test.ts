import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { PROJECT_FOLDER } from "../project.ts";
import { notesOf } from "./notes.ts";

const CHANGELOG = `# Changelog

The form.

## [Unreleased]

- Not yet.

## [1.10.0] - 2026-11-30

### Added

- Ten.

## 1.1.0

- One.

[Unreleased]: https://example.com/compare
`;

describe("the notes of a release", () => {
  it("are the section of its version alone, without the heading", () => {
    assert.equal(notesOf(CHANGELOG, "1.10.0"), "### Added\n\n- Ten.\n");
    assert.equal(notesOf(CHANGELOG, "Unreleased"), "- Not yet.\n");
  });

  it("end before the definitions of links", () => {
    assert.equal(notesOf(CHANGELOG, "1.1.0"), "- One.\n");
  });

  it("do not come from a version whose number only looks alike", () => {
    for (const version of ["1.1", "1.10", "1.1.0.1", "1x1.0", "2.0.0"]) assert.equal(notesOf(CHANGELOG, version), null);
  });

  it("can be cut from the real changelog", () => {
    const changelog = readFileSync(join(PROJECT_FOLDER, "CHANGELOG.md"), "utf8");
    assert.match(notesOf(changelog, "Unreleased") ?? "", /^### Added$/m);
  });

  it("say of each version first whether the cache survives the update", () => {
    const changelog = readFileSync(join(PROJECT_FOLDER, "CHANGELOG.md"), "utf8");
    const versions = [...changelog.matchAll(/^## \[?([^\]\s]+)/gm)].map(([, version = ""]) => version);
    assert.ok(versions.length > 0);
    for (const version of versions) assert.match(notesOf(changelog, version) ?? "", /^Cache: ./, version);
  });
});
