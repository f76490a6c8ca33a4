/** The consent of the caller to a change of many sessions. */
import { createInterface } from "node:readline/promises";
import { UsageError } from "./client_error.ts";

/** Returns whether the caller says yes. Without a terminal nobody can, so that is wrong usage. */
export async function isAgreed(questions: string[]): Promise<boolean> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) {
    throw new UsageError(
      `this would ${questions.join("; ")}; nothing is changed: without a terminal, consent by --yes`,
    );
  }
  const asked = createInterface({ input: process.stdin, output: process.stderr });
  const cancelled = new AbortController();
  asked.on("SIGINT", () => cancelled.abort()).on("close", () => cancelled.abort());
  const question = `${questions.join("\n")}\nGo on? [y/N] `;
  try {
    return /^y(es)?$/i.test((await asked.question(question, { signal: cancelled.signal })).trim());
  } catch {
    process.stderr.write("\n");
    return false;
  } finally {
    asked.close();
  }
}
