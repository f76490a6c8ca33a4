/**
 * Answers that say what went wrong: application/problem+json (RFC 9457) with title, status and detail. The detail says
 * what was wrong and what is right; it may quote the request, but never a token.
 */
import { HttpResponse } from "./response";

/** Malformed: ID, JSON, field or query. */
export function badRequest(response: HttpResponse, detail: string): void {
  problem(response, 400, "Bad Request", detail);
}

export function unauthorized(response: HttpResponse): void {
  problem(response, 401, "Unauthorized", "a valid token is needed: Authorization: Bearer TOKEN");
  // RFC 9110 11.6.1
  response.header("www-authenticate", "Bearer");
}

export function forbidden(response: HttpResponse): void {
  problem(response, 403, "Forbidden", "this token may only read (GET and HEAD); changes need one of admin.tokens");
}

export function notFound(response: HttpResponse, detail: string): void {
  problem(response, 404, "Not Found", detail);
}

/** `allow`: the methods that exist here, as in the Allow header. */
export function methodNotAllowed(response: HttpResponse, allow: string): void {
  problem(response, 405, "Method Not Allowed", "this path allows " + allow);
  response.header("allow", allow);
}

/** The request was not sent to its end in time. */
export function requestTimeout(response: HttpResponse, detail: string): void {
  problem(response, 408, "Request Timeout", detail);
}

export function gone(response: HttpResponse, detail: string): void {
  problem(response, 410, "Gone", detail);
}

export function contentTooLarge(response: HttpResponse, mostBytes: i32): void {
  problem(response, 413, "Content Too Large", "a body is at most " + mostBytes.toString() + " bytes long");
}

/** This connection is not the one to ask on: RFC 9110 15.5.20 lets a client try again on another. */
export function misdirected(response: HttpResponse, detail: string): void {
  problem(response, 421, "Misdirected Request", detail);
}

/** Well-formed, but a value that cannot be. */
export function unprocessable(response: HttpResponse, detail: string): void {
  problem(response, 422, "Unprocessable Content", detail);
}

/** Nothing is wrong with the request: it may succeed later. */
export function unavailable(response: HttpResponse, detail: string): void {
  problem(response, 503, "Service Unavailable", detail);
  response.header("retry-after", RETRY_AFTER_SECONDS);
}

function problem(response: HttpResponse, status: i32, title: string, detail: string): void {
  const body = response.start(status, "application/problem+json");
  body.beginObject();
  body.name("title");
  body.string(title);
  body.name("status");
  body.number(status);
  body.name("detail");
  body.string(detail);
  body.endObject();
}

const RETRY_AFTER_SECONDS: string = "1";
