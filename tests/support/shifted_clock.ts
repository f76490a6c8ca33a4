/**
 * A clock of the day that is off, for one program: the environment with which it starts. clock_shift.c is compiled for that, as
 * libfaketime, which also changes how threads wait, keeps Envoy from starting.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "../../tools/command.ts";
import { BUILD_FOLDER } from "../../tools/project.ts";
import { SetupError } from "../../tools/setup_error.ts";

/** Needs a C compiler (`CC`, default cc) and Linux; a SetupError says so. */
export async function shiftedClock(seconds: number): Promise<Record<string, string>> {
  const folder = join(BUILD_FOLDER, "test");
  const library = join(folder, `clock_shift-${process.pid}.so`);
  const source = fileURLToPath(new URL("clock_shift.c", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const compiler = process.env.CC ?? "cc";
  const args = ["-shared", "-fPIC", "-O2", "-o", library, source];
  const { exitCode, output } = await runCommand(compiler, args, { timeoutSeconds: 60 });
  if (exitCode !== 0) throw new SetupError(`another clock needs a C compiler (CC=${compiler}) on Linux: ${output}`);
  return { LD_PRELOAD: library, CLOCK_SHIFT_SECONDS: String(seconds) };
}
