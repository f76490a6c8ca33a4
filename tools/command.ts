/**
 * Runs a program to its end and keeps its output. A program that cannot be started is a result, too (`startError`), not an
 * exception. Each runs in a process group of its own, so that a time limit or `stopCommands` (for a tool that is asked to stop
 * in the middle) ends everything that it started in turn.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { PROJECT_FOLDER } from "./project.ts";

export interface CommandResult {
  /** null if a signal ended it, or if it never started. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  startError: Error | null;
  /** Its stdout and stderr, in the order of arrival. */
  output: string;
}

export interface CommandOptions {
  env?: NodeJS.ProcessEnv;
  timeoutSeconds?: number;
  /** To run in; the project's if none is named. */
  folder?: string;
  /** Sees the output as it comes. */
  onOutput?: (text: string) => void;
}

const running = new Set<ChildProcess>();

export function runCommand(program: string, args: string[], options: CommandOptions = {}): Promise<CommandResult> {
  const child = spawn(program, args, {
    cwd: options.folder ?? PROJECT_FOLDER,
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  running.add(child);
  const limit = options.timeoutSeconds ?? LONGEST_SECONDS;
  const patience = setTimeout(() => {
    keep(`\nstopped after ${limit} s\n`);
    signalGroup(child, "SIGKILL");
  }, limit * 1000);

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
      clearTimeout(patience);
      running.delete(child);
      resolve({ exitCode: startError === null ? exitCode : null, signal, startError, output });
    });
  });
}

export function stopCommands(): void {
  for (const child of running) signalGroup(child, "SIGTERM");
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has just ended.
  }
}

/** Nothing here takes this long on any machine; a program that hangs must not hang its caller. */
const LONGEST_SECONDS = 1800;
