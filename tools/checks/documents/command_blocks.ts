/**
 * The blocks of commands in a document: each ```sh or ```bash fence. `<!-- not run: REASON -->` in front of a block says that the
 * test of the documents (tests/e2e/operating/documents.test.ts) must not run it.
 */

export interface CommandBlock {
  /** Of its first command in the document, from 1. */
  line: number;
  lines: string[];
  /** Why it is not run; null if it is. */
  reason: string | null;
}

export function commandBlocks(document: string): CommandBlock[] {
  const blocks: CommandBlock[] = [];
  let open: CommandBlock | null = null;
  let reason: string | null = null;
  for (const [index, line] of document.split("\n").entries()) {
    if (open !== null && /^```\s*$/.test(line)) {
      blocks.push(open);
      open = reason = null;
    } else if (open !== null) open.lines.push(line);
    else if (/^```(?:sh|bash)\s*$/.test(line)) open = { line: index + 2, lines: [], reason };
    else if (line.trim() !== "") reason = /^<!-- not run: (.*\S) -->$/.exec(line.trim())?.[1] ?? null;
  }
  return blocks;
}

/** A command of `npm start`, with its variables in front. */
export interface StartCommand {
  variables: Record<string, string>;
}

/** Null if a line starts something else. */
export function startCommand(line: string): StartCommand | null {
  const [, assignments] = /^((?:[A-Z_]+=\S+ )*)npm start(?=\s|$)/.exec(line) ?? [];
  if (assignments === undefined) return null;
  const pairs = [...assignments.matchAll(/([A-Z_]+)=(\S+)/g)].map(
    ([, name = "", value = ""]) => [name, value] as const,
  );
  return { variables: Object.fromEntries(pairs) };
}

/** Whether a line runs checks, among which the test of the documents is. */
export function runsChecks(line: string): boolean {
  return /^npm (?:test|run test:[a-z0-9]+)(?=\s|$)/.test(line);
}

/** The status that a comment behind a call of curl promises, as in `# again: 404, result 0`; null if it promises none. */
export function promisedStatus(line: string): number | null {
  const [, status] = /\s# .*?\b([2-5]\d\d)[:,]/.exec(line) ?? [];
  return status === undefined ? null : Number(status);
}

/** The outcome that a comment promises, as in `# add: 201, result 1, "added"`. */
export function promisedOutcome(line: string): string | null {
  return /\s# .*"([a-z_]+)"(?:,|$)/.exec(line)?.[1] ?? null;
}
