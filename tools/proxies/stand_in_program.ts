/** For tests: shell scripts in the place of programs, and the refusal of those that an environment variable names. */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes a program that runs a line of shell. Returns its path. */
export function standInProgram(folder: string, name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Asserts that `find` refuses each value of the variable with its message, on one line. */
export async function assertRefused(
  variable: string,
  refused: [string, RegExp][],
  find: () => Promise<unknown>,
): Promise<void> {
  for (const [value, message] of refused) {
    process.env[variable] = value;
    await assert.rejects(find(), (error: Error) => {
      assert.equal(error.name, "SetupError");
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  }
}
