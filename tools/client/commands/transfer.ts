/** The commands export and import: removed sessions, ticket keys and revocations of one cache, taken in by another. */
import { writeFileSync } from "node:fs";
import type { ImportOutcome } from "../answers.generated.ts";
import type { Api } from "../api.ts";
import { ClientError, UsageError } from "../client_error.ts";
import type { Command, Report } from "../command.ts";
import { allRemoved } from "../pages.ts";
import { readFile } from "../proxies.ts";
import { counted, grouped, safeJson } from "../text.ts";
import { enforcedBy, warningsOf } from "./enforced.ts";
import { expectWords } from "./names.ts";

const LISTS = ["removed", "ticket_keys", "revocations"] as const;

type Lists = Record<(typeof LISTS)[number], unknown[]>;

export const EXPORT: Command = {
  name: "export",
  usage: "[FILE]",
  summary: "Write removed sessions, ticket keys and revocations as JSON",
  about: ["To FILE or stdout, always as JSON. import takes it in again, on the same proxy or on others."],
  prepare: ({ words }) => {
    expectWords(words, 0, 1, "export [FILE]");
    const [file] = words;
    return {
      runOnAll: async (apis, screen) => {
        const exports = await Promise.all(apis.map(exportOf));
        const lists = merged(exports);
        if (file === undefined) screen.printJson(lists);
        else {
          write(file, `${safeJson(lists, 2)}\n`);
          const { removed, ticket_keys: keys, revocations } = lists;
          const counts = `${counted(removed.length, "removed session")}, ${counted(keys.length, "ticket key")}, `;
          const said = { file, removed: removed.length, ticket_keys: keys.length, revocations: revocations.length };
          if (screen.options.isJson) screen.printJson(said);
          else screen.print([`${file}: ${counts}${counted(revocations.length, "revocation")}`]);
        }
        return 0;
      },
    };
  },
};

export const IMPORT: Command = {
  name: "import",
  usage: "FILE",
  summary: "Take in the lists that export has written",
  about: ["FILE is - for stdin. Nothing ends earlier than before, so it can be done again."],
  prepare: ({ words }) => {
    expectWords(words, 1, 1, "import FILE");
    const [file = ""] = words;
    const lists = readLists(file === "-" ? readFile("/dev/stdin", "import") : readFile(file, "import"), file);
    const chunks = chunksOf(lists);
    return { run: (api) => importInto(api, chunks) };
  },
};

async function exportOf(api: Api): Promise<Lists> {
  const { rows } = await allRemoved(api, {});
  const { ticket_keys: keys } = await api.call("listTicketKeys");
  const { revocations } = await api.call("listRevocations");
  return { removed: rows, ticket_keys: keys, revocations };
}

/** Entries of several proxies one behind the other: the API takes the latest of equal names. */
function merged(exports: Lists[]): Lists {
  const of = (list: (typeof LISTS)[number]): unknown[] => exports.flatMap((one) => one[list]);
  return { removed: of("removed"), ticket_keys: of("ticket_keys"), revocations: of("revocations") };
}

/** The lists of an export, or of a page that GET gave. */
export function readLists(text: string, file: string): Lists {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new UsageError(`import ${file}: the file is not JSON; give it a file that tls-sessions export has written`);
  }
  const members = typeof document === "object" && document !== null ? (document as Record<string, unknown>) : {};
  const known = LISTS.filter((list) => Array.isArray(members[list]));
  if (known.length === 0) {
    throw new UsageError(
      `import ${file}: the file has none of the lists ${LISTS.join(", ")}; give it a file that tls-sessions export has written`,
    );
  }
  const of = (list: (typeof LISTS)[number]): unknown[] => (known.includes(list) ? (members[list] as unknown[]) : []);
  return { removed: of("removed"), ticket_keys: of("ticket_keys"), revocations: of("revocations") };
}

/** Bodies that the API takes, each of one list and at most MAX_BODY_LENGTH bytes. */
export function chunksOf(lists: Lists): Partial<Lists>[] {
  const chunks: Partial<Lists>[] = [];
  for (const list of LISTS) {
    let entries: unknown[] = [];
    let length = 0;
    for (const entry of lists[list]) {
      const entryLength = Buffer.byteLength(JSON.stringify(entry)) + 1;
      if (entries.length > 0 && length + entryLength > MAX_BODY_LENGTH) {
        chunks.push({ [list]: entries });
        entries = [];
        length = 0;
      }
      entries.push(entry);
      length += entryLength;
    }
    if (entries.length > 0) chunks.push({ [list]: entries });
  }
  return chunks;
}

async function importInto(api: Api, chunks: Partial<Lists>[]): Promise<Report> {
  const total = { taken: 0, identical: 0, skipped: 0 };
  let last: ImportOutcome | null = null;
  for (const [index, body] of chunks.entries()) {
    try {
      last = await api.call("importLists", { body });
    } catch (error) {
      if (!(error instanceof ClientError) || index === 0) throw error;
      const done = `${grouped(total.taken + total.identical + total.skipped)} entries before were taken in; run it again`;
      throw new ClientError(
        `${error.message} (part ${String(index + 1)} of ${String(chunks.length)}; ${done})`,
        error.exitCode,
      );
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
function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600 });
  } catch (error) {
    throw new UsageError(
      `export ${file}: the file cannot be written (${String((error as NodeJS.ErrnoException).code)})`,
    );
  }
}

/** The API's bound is 65,536 bytes, with the name of the list and the brackets. */
const MAX_BODY_LENGTH = 60_000;
