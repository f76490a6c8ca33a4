/**
 * The commands export and import: removed sessions, ticket keys, revocations, and sessions and settings if asked for, of one cache, taken
 * in by another. The file has one JSON document a line, as the API gives and takes it.
 */
import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import type { ImportOutcome } from "../answers.generated.ts";
import type { Api } from "../api.ts";
import { ClientError, EXIT, UnreachableError, UsageError } from "../client_error.ts";
import type { Command, Report } from "../command.ts";
import { readBytes } from "../proxies.ts";
import { counted, grouped } from "../text.ts";
import { enforcedBy, warningsOf } from "./enforced.ts";
import { type Chunk, chunksOf } from "./import_file.ts";
import { expectWords } from "./names.ts";

const PARTS = ["revocations", "ticket_keys", "removed", "sessions", "settings"];
/** Sessions may be a million, and settings belong to a place. */
const DEFAULT_PARTS = ["revocations", "ticket_keys", "removed"];

export const EXPORT: Command = {
  name: "export",
  usage: "[FILE]",
  summary: "Write removed sessions, ticket keys and revocations as lines of JSON",
  about: [
    "To FILE or stdout. import takes it in again, on the same proxy or on others.",
    `--what takes some of ${PARTS.join(", ")}, with commas between them, or all.`,
  ],
  options: { what: { value: "PARTS", about: `the parts to export; ${DEFAULT_PARTS.join(",")} by default` } },
  prepare: (args) => {
    expectWords(args.words, 0, 1, "export [FILE]");
    const [file] = args.words;
    const what = partsOf(args.text("what"));
    return {
      runOnAll: async (apis, screen) => {
        const output = new Output(file ?? null);
        try {
          for (const api of apis) await exportFrom(api, what, output);
        } catch (error) {
          output.giveUp();
          throw error;
        }
        // The mark of a whole export, which may be empty otherwise.
        output.write('{"next":null}');
        output.end();
        const { revocation = 0, ticket_key: keys = 0, removed = 0, session = 0, settings = 0 } = output.counts;
        if (file === undefined) return EXIT.done;
        if (screen.options.isJson) {
          screen.printJson({ file, removed, ticket_keys: keys, revocations: revocation, sessions: session, settings });
        } else {
          const parts = [
            counted(removed, "removed session"),
            counted(keys, "ticket key"),
            counted(revocation, "revocation"),
            ...(session > 0 ? [counted(session, "session")] : []),
            ...(settings > 0 ? ["settings"] : []),
          ];
          screen.print([`${file}: ${parts.join(", ")}`]);
        }
        return EXIT.done;
      },
    };
  },
};

export const IMPORT: Command = {
  name: "import",
  usage: "FILE",
  summary: "Take in the lines that export has written",
  about: ["FILE is - for stdin. Nothing ends earlier than before, so it can be done again."],
  prepare: ({ words }) => {
    expectWords(words, 1, 1, "import FILE");
    const [file = ""] = words;
    const chunks = chunksOf(readBytes(file, "import"), file);
    return { run: (api) => importInto(api, chunks) };
  },
};

function partsOf(text: string | null): string {
  const parts = text === null ? DEFAULT_PARTS : text === "all" ? PARTS : text.split(",");
  const wrong = parts.find((part) => !PARTS.includes(part));
  if (wrong !== undefined) throw new UsageError(`--what "${wrong}" is not one of ${PARTS.join(", ")}, all`);
  return parts.join(",");
}

/** A file appears whole or not at all. */
class Output {
  /** Lines by the name of their member. */
  readonly counts: Record<string, number> = {};
  private readonly partial: string;
  private readonly descriptor: number;

  /** Null is stdout. */
  constructor(private readonly file: string | null) {
    this.partial = `${file ?? ""}.partial-${String(process.pid)}`;
    try {
      this.descriptor = file === null ? 1 : openSync(this.partial, "w", FILE_MODE);
    } catch (error) {
      throw new UsageError(
        `export ${file ?? ""}: the file cannot be written (${String((error as NodeJS.ErrnoException).code)})`,
      );
    }
  }

  write(line: string): void {
    const name = /^\{"(\w+)"/.exec(line)?.[1] ?? "";
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    if (this.file === null) process.stdout.write(`${line}\n`);
    else writeSync(this.descriptor, `${line}\n`);
  }

  end(): void {
    if (this.file === null) return;
    closeSync(this.descriptor);
    renameSync(this.partial, this.file);
  }

  giveUp(): void {
    if (this.file === null) return;
    closeSync(this.descriptor);
    rmSync(this.partial, { force: true });
  }
}

async function exportFrom(api: Api, what: string, output: Output): Promise<void> {
  let cursor: string | null = null;
  do {
    const text: string = await api.call("exportCache", { query: { what, cursor } });
    const lines = text.trimEnd().split("\n");
    const last = /^\{"next":(null|"(\w+)")\}$/.exec(lines.pop() ?? "");
    if (last === null) throw new UnreachableError(`${api.proxy}: a page of the export has no end`);
    for (const line of lines) output.write(line);
    const next = last[2] ?? null;
    // A page may be empty, but a cursor that stands still would never end.
    if (next !== null && next === cursor) throw new UnreachableError(`${api.proxy}: a page leads to itself`);
    cursor = next;
  } while (cursor !== null);
}

async function importInto(api: Api, chunks: () => Iterable<Chunk>): Promise<Report> {
  const total = { taken: 0, identical: 0, skipped: 0 };
  let last: ImportOutcome | null = null;
  for (const { body, lines, from } of chunks()) {
    try {
      last = await api.call("importLists", lines === null ? { body } : { lines });
    } catch (error) {
      if (!(error instanceof ClientError) || last === null) throw error;
      const done = `${grouped(total.taken + total.identical + total.skipped)} entries before were taken in; run it again`;
      throw new ClientError(`${error.message} (in the part that begins with ${from}; ${done})`, error.exitCode);
    }
    total.taken += last.taken;
    total.identical += last.identical;
    total.skipped += last.skipped;
  }
  const { taken, identical, skipped } = total;
  const line = `${grouped(taken)} taken in, ${grouped(identical)} in force already, ${grouped(skipped)} skipped`;
  return {
    json: { ...total, ...(last === null ? {} : { enforced_by: last.enforced_by }) },
    lines: () => [line + (last === null ? "" : enforcedBy(last))],
    warnings: last === null ? [] : warningsOf(last),
  };
}

/** Nobody else may read it: it names sessions. */
const FILE_MODE = 0o600;
