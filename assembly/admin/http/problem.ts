/**
 * Error responses: application/problem+json (RFC 9457) with title, status and detail. The detail is one line: the fault, its
 * place, and what would be right. It may quote the request, but never a token.
 */
import { HttpResponse } from "./response";

/** The ID, the JSON, a field's name or the query is malformed. */
export function badRequest(response: HttpResponse, detail: string): void {
  problem(response, 400, "Bad Request", detail);
}

export function unauthorized(response: HttpResponse): void {
  problem(response, 401, "Unauthorized", "no valid token; send a configured one as Authorization: Bearer TOKEN");
  // RFC 9110 11.6.1
  response.header("www-authenticate", "Bearer");
}

export function forbidden(response: HttpResponse): void {
  problem(response, 403, "Forbidden", "this token may only read (GET and HEAD); use one of admin.tokens for changes");
}

export function notFound(response: HttpResponse, detail: string): void {
  problem(response, 404, "Not Found", detail);
}

/** `allow` lists the methods of the path, as in the Allow header. */
export function methodNotAllowed(response: HttpResponse, allow: string): void {
  problem(response, 405, "Method Not Allowed", "this path has no such method; it allows " + allow);
  response.header("allow", allow);
}

/** The caller accepts none of the forms that the answer has. */
export function notAcceptable(response: HttpResponse, detail: string): void {
  problem(response, 406, "Not Acceptable", detail);
}

/** The end of the request did not come in time. */
export function requestTimeout(response: HttpResponse, detail: string): void {
  problem(response, 408, "Request Timeout", detail);
}

/** The request is right, but something else that is in force stands against it. */
export function conflict(response: HttpResponse, detail: string): void {
  problem(response, 409, "Conflict", detail);
}

export function gone(response: HttpResponse, detail: string): void {
  problem(response, 410, "Gone", detail);
}

export function contentTooLarge(response: HttpResponse, maxBytes: i32): void {
  problem(
    response,
    413,
    "Content Too Large",
    "the body is too long; at most " + maxBytes.toString() + " bytes are allowed",
  );
}

/** The client may try again on another connection (RFC 9110 15.5.20). */
export function misdirected(response: HttpResponse, detail: string): void {
  problem(response, 421, "Misdirected Request", detail);
}

/** The request is well-formed, but a field's value is out of range. */
export function unprocessable(response: HttpResponse, detail: string): void {
  problem(response, 422, "Unprocessable Content", detail);
}

/** The request is right and may succeed later. */
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
