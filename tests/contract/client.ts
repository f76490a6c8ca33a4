/** A client of the admin API as the contract's tests use it, with IDs and names that nobody used before. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import type { AnswerBody } from "../support/answer.ts";

export const FULL_TOKEN = "full-token-0123456789";
export const READ_TOKEN = "read-token-0123456789";

export interface AdminRequest {
  /** The token that may do everything by default; null sends none. */
  token?: string | null;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface AdminAnswer {
  status: number;
  headers: Record<string, string>;
  text: string;
  json: AnswerBody;
}

/** Whatever answers the admin API. */
export type Admin = (method: string, path: string, request?: AdminRequest) => Promise<AdminAnswer>;

/** An ID that nobody used before. */
export function freshId(): string {
  return createHash("sha256").update(`${process.pid} ${RUN} ${freshIds++}`).digest("hex");
}

/** A server name that nobody used before. */
export function freshSni(): string {
  return `${freshId().slice(0, 20)}.example`;
}

/** A name of a ticket key that nobody used before. */
export function freshKeyName(): string {
  return freshId().slice(0, 32);
}

/** Follows `next` through all pages; `seen` is called for each page's length. */
export async function allPages<T>(
  admin: Admin,
  path: string,
  field: "sessions" | "removed",
  seen: (length: number) => void = () => undefined,
): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | null | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const separator = path.includes("?") ? "&" : "?";
    const at = cursor === undefined ? path : `${path}${separator}cursor=${encodeURIComponent(cursor ?? "")}`;
    const { json, status, text } = await admin("GET", at);
    assert.equal(status, 200, text);
    const page = json[field] as T[];
    seen(page.length);
    all.push(...page);
    cursor = json.next;
    if (cursor === null) return all;
    assert.equal(typeof cursor, "string", "next is a string or null");
  }
  throw new Error(`${path} did not end after ${MAX_PAGES} pages`);
}

export function assertProblem(answer: AdminAnswer, ...statuses: number[]): void {
  assert.ok(
    statuses.includes(answer.status),
    `expected ${statuses.join(" or ")}, was ${answer.status}: ${answer.text.slice(0, 300)}`,
  );
  assert.equal(mediaType(answer), "application/problem+json");
  assert.equal(answer.json.status, answer.status);
  assert.ok(typeof answer.json.title === "string" && answer.json.title !== "", "a problem has a title");
  assert.ok(typeof answer.json.detail === "string" && answer.json.detail !== "", "a problem has a detail");
}

/** The members of an answer to a change, but for who carries it out: here somebody does. */
export function enforced({ json }: { json: AnswerBody }): AnswerBody {
  const { enforced_by: by, ...others } = json as AnswerBody & { enforced_by: { observer: number; guard: number } };
  assert.ok(by.observer >= 1 && by.guard >= 0, JSON.stringify(json));
  assert.ok(!("warning" in others), JSON.stringify(json));
  return others;
}

export function mediaType(answer: AdminAnswer): string {
  return (answer.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
}

export async function cursorOf(admin: Admin, path: string): Promise<string> {
  const { json } = await admin("GET", path);
  assert.equal(typeof json.next, "string", "there is a next page");
  return json.next as string;
}

export function sorted(names: string[] | undefined): string[] {
  return [...(names ?? [])].sort();
}

const RUN = randomBytes(8).toString("hex");
/** More than any list has. */
export const MAX_PAGES = 5_000;
let freshIds = 0;
