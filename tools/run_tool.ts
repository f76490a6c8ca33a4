/** Runs a tool with the arguments of the command line. Its result is the exit code (0 if it has none); an error is 1. */
import { SetupError } from "./setup_error.ts";

export async function runTool(run: (args: string[]) => Promise<number | void>): Promise<void> {
  try {
    process.exitCode = (await run(process.argv.slice(2))) ?? 0;
  } catch (error) {
    // A fault that the user can put right needs no stack.
    console.error(`error: ${isForTheUser(error) ? error.message : String((error as Error).stack ?? error)}`);
    process.exitCode = 1;
  }
}

/** A set-up that does not fit, or arguments that `parseArgs` of node:util does not know. */
function isForTheUser(error: unknown): error is Error {
  return error instanceof SetupError || String((error as NodeJS.ErrnoException).code).startsWith("ERR_PARSE_ARGS_");
}
