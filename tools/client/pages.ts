/** Listings that come in pages, read to their end. */
import type { Removed, Session } from "./answers.generated.ts";
import type { Api, Query } from "./api.ts";
import { UnreachableError, UsageError } from "./client_error.ts";

interface Listing<Row> {
  rows: Row[];
  /** Whether `limit` has cut the listing. */
  hasMore: boolean;
}

export function allSessions(api: Api, query: Query, limit: number): Promise<Listing<Session>> {
  return allRows(api, limit, async (page) => {
    const { sessions, next } = await api.call("listSessions", { query: { ...query, ...page } });
    return { rows: sessions, next };
  });
}

export function allRemoved(api: Api, query: Query, limit = Infinity): Promise<Listing<Removed>> {
  return allRows(api, limit, async (page) => {
    const { removed, next } = await api.call("listRemoved", { query: { ...query, ...page } });
    return { rows: removed, next };
  });
}

/** A limit as the caller writes it; without one, everything. */
export function readLimit(text: string | null): number {
  if (text === null) return Infinity;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`--limit "${text}" is not a count; write a whole number from 1`);
}

interface Page<Row> {
  rows: Row[];
  next: string | null;
}

async function allRows<Row>(api: Api, limit: number, read: (page: Query) => Promise<Page<Row>>): Promise<Listing<Row>> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<Row> = await read({ limit: Math.min(MAX_PAGE_ROWS, limit - rows.length), cursor });
    rows.push(...page.rows);
    // A page may be empty, but a cursor that stands still would never end.
    if (page.next !== null && page.next === cursor) throw new UnreachableError(`${api.proxy}: a page leads to itself`);
    cursor = page.next;
  } while (cursor !== null && rows.length < limit);
  return { rows, hasMore: cursor !== null };
}

/** The bound of the API's `limit`. */
export const MAX_PAGE_ROWS = 1000;
