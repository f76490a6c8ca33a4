/**
 * A file to import, in bodies that the API takes: lines of JSON as export writes them, or one JSON document with lists, as the API's
 * listings give them. The file stays bytes, so it may be longer than the longest string.
 */
import { UsageError } from "../client_error.ts";

/** One body: `lines`, or `body` if that is null. */
export interface Chunk {
  lines: string | null;
  body?: Record<string, unknown[]>;
  /** Its first entry, in words. */
  from: string;
}

/** Checks the form of the file, and returns its parts as often as they are needed: once for each proxy. */
export function chunksOf(file: Buffer, name: string): () => Iterable<Chunk> {
  const [first] = linesOf(file);
  if (first === undefined) throw new UsageError(`import ${name}: the file is empty; ${EXPECTED}`);
  if (isLine(first.text)) return () => lineChunks(file);
  const lists = listsOf(file, name);
  return () => listChunks(lists);
}

interface Line {
  text: string;
  /** From 1. */
  number: number;
}

function* linesOf(file: Buffer): Iterable<Line> {
  let number = 0;
  for (let start = 0; start < file.length;) {
    const feed = file.indexOf(0x0a, start);
    const end = feed < 0 ? file.length : feed;
    const text = file.toString("utf8", start, end).trim();
    number++;
    if (text !== "") yield { text, number };
    start = end + 1;
  }
}

function isLine(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    const names = typeof value === "object" && value !== null ? Object.keys(value) : [];
    return names.length === 1 && MEMBERS.includes(names[0] ?? "");
  } catch {
    return false;
  }
}

function* lineChunks(file: Buffer): Iterable<Chunk> {
  let chunk: Line[] = [];
  let length = 0;
  const made = (): Chunk => ({
    lines: chunk.map(({ text }) => `${text}\n`).join(""),
    from: `line ${String(chunk[0]?.number ?? 1)}`,
  });
  for (const line of linesOf(file)) {
    const lineLength = Buffer.byteLength(line.text) + 1;
    if (chunk.length > 0 && (length + lineLength > MAX_BODY_LENGTH || chunk.length >= MAX_LINES)) {
      yield made();
      chunk = [];
      length = 0;
    }
    chunk.push(line);
    length += lineLength;
  }
  if (chunk.length > 0) yield made();
}

function listsOf(file: Buffer, name: string): [string, unknown[]][] {
  let document: unknown;
  try {
    document = JSON.parse(file.toString("utf8"));
  } catch {
    throw new UsageError(`import ${name}: the file is not JSON; ${EXPECTED}`);
  }
  const members = typeof document === "object" && document !== null ? (document as Record<string, unknown>) : {};
  const known = LISTS.flatMap((list) =>
    Array.isArray(members[list]) ? [[list, members[list]] as [string, unknown[]]] : [],
  );
  if (known.length > 0) return known;
  throw new UsageError(
    `import ${name}: the file has neither lines of an export nor the lists ${LISTS.join(", ")}; ${EXPECTED}`,
  );
}

/** Bodies of one list each. */
function* listChunks(lists: [string, unknown[]][]): Iterable<Chunk> {
  for (const [list, items] of lists) {
    let entries: unknown[] = [];
    let length = 0;
    let first = 0;
    for (const [index, entry] of items.entries()) {
      const entryLength = Buffer.byteLength(JSON.stringify(entry)) + 1;
      if (entries.length > 0 && length + entryLength > MAX_BODY_LENGTH) {
        yield { lines: null, body: { [list]: entries }, from: `${list}[${String(first)}]` };
        [entries, length, first] = [[], 0, index];
      }
      entries.push(entry);
      length += entryLength;
    }
    if (entries.length > 0) yield { lines: null, body: { [list]: entries }, from: `${list}[${String(first)}]` };
  }
}

const MEMBERS = ["settings", "revocation", "ticket_key", "removed", "session", "next"];
const LISTS = ["removed", "ticket_keys", "revocations"];
const EXPECTED = "give it a file that tls-sessions export has written";
/** Below the API's 64 KiB, with room for what is around the entries. */
const MAX_BODY_LENGTH = 60_000;
/** Below the API's bound of 2,048. */
const MAX_LINES = 1_500;
