import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { docsFaults, MAX_ROW_WIDTH } from "./docs_check.ts";

describe("the documents", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "docs-"));
    mkdirSync(join(folder, "docs", "use"), { recursive: true });
    mkdirSync(join(folder, "tools"));
    write("package.json", JSON.stringify({ scripts: { start: "", "test:e2e": "" } }));
    write("tools/start.ts", "");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, ...lines: string[]): void => writeFileSync(join(folder, name), lines.join("\n"));
  const faults = (): string[] => docsFaults(folder);

  it("may link to files, folders, headings and other sites", () => {
    write("README.md", "# A title: `code`, and [more](docs/)", "## Twice", "## Twice", "[a](#a-title-code-and-more)");
    write(
      "docs/use/api.md",
      "[a](../../README.md#twice) [b](../../README.md#twice-1) [c](https://example.com/#x) [d][ref]",
      "[ref]: ../../tools/start.ts",
      "<!-- a comment -->",
    );
    assert.deepEqual(faults(), []);
  });

  it("may not link to a file or a heading that is not there", () => {
    write("README.md", "# One", "[a](docs/nowhere.md) [b](#two)", "[c][ref]", "[ref]: docs/use/api.md#three");
    write("docs/use/api.md", "# Four", "```sh", "# three", "```", "[d](../README.md)");
    assert.deepEqual(faults(), [
      "README.md:2: docs/nowhere.md: there is no docs/nowhere.md",
      "README.md:2: #two: README.md has no heading of that name",
      "README.md:4: docs/use/api.md#three: docs/use/api.md has no heading of that name",
      "docs/use/api.md:5: ../README.md: there is no docs/README.md",
    ]);
  });

  it("may show brackets in code that are no links", () => {
    write("README.md", "`[a](nowhere)`", "```text", "[b](nowhere)", "```");
    assert.deepEqual(faults(), []);
  });

  it("name scripts of package.json only, in their text and in blocks of commands", () => {
    write("README.md", "`npm run test:e2e -- x`", "```sh", "npm run -s start", "npm run stop # ends it", "```");
    assert.deepEqual(faults(), ['README.md:4: package.json has no script for "npm run stop"']);
  });

  it("name files of the project that are there, but the changelog may name older ones", () => {
    write("README.md", "`tools/start.ts`, `tools/`, `tools/stop.ts`, `bench/`, `tools/*.ts`, `assembly/imports`");
    write("CHANGELOG.md", "`tools/stop.ts`");
    assert.deepEqual(faults(), ["README.md:1: there is no tools/stop.ts", "README.md:1: there is no bench/"]);
  });

  it("have tables for users that fit, without the blanks and marks that nobody sees", () => {
    const half = "x".repeat((MAX_ROW_WIDTH - 4) / 2);
    const fitting = `| [\`${half}\`](https://example.com/very/long) ${" ".repeat(40)} | **${half}**s |`;
    write("README.md", "| a | b |", "| --- | --- |", fitting, `| ${half} | ${half}ss |`, `${half}${half}${half}`);
    write("docs/use/api.md", `| ${half} | ${half}ss |`, "```", `| ${half} | ${half}ss |`, "```");
    write("docs/other.md", `| ${half} | ${half}ss |`);
    const [first, second, ...others] = faults();
    assert.match(first ?? "", /^README\.md:4: a row of 121 characters, more than 120: xxx/);
    assert.match(second ?? "", /^docs\/use\/api\.md:1: /);
    assert.deepEqual(others, []);
  });
});
