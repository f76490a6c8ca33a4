/**
 * Runs a program to its end and keeps what it said. A program that cannot be started is an answer too (`startError`), not an
 * exception. `stopCommands` ends whatever is still running, for a tool that was told to stop in the middle.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { PROJECT_FOLDER } from "./project.ts";

export interface CommandResult {
  /** null where a signal ended it, or where it never started. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  startError: Error | null;
  /** What it wrote to stdout and stderr, in the order of arrival. */
  output: string;
}

export interface CommandOptions {
  env?: NodeJS.ProcessEnv;
  timeoutSeconds?: number;
  /** Sees the output as it comes. */
  onOutput?: (text: string) => void;
}

const running = new Set<ChildProcess>();

export function runCommand(program: string, args: string[], options: CommandOptions = {}): Promise<CommandResult> {
  const child = spawn(program, args, {
    cwd: PROJECT_FOLDER,
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.timeoutSeconds === undefined ? undefined : options.timeoutSeconds * 1000,
    killSignal: "SIGKILL",
  });
  running.add(child);

  let output = "";
  let startError: Error | null = null;
  const keep = (text: string): void => {
    output += text;
    options.onOutput?.(text);
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  child.on("error", (error) => {
    startError = error;
  });
  return new Promise((resolve) => {
    child.on("close", (exitCode, signal) => {
      running.delete(child);
      resolve({ exitCode: startError === null ? exitCode : null, signal, startError, output });
    });
  });
}

export function stopCommands(): void {
  for (const child of running) child.kill("SIGTERM");
}
