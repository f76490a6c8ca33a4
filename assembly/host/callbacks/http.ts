/** The ABI's callbacks for HTTP filters. */
import { Action } from "../abi";
import { findContext } from "../contexts";
import { tellMissingCallback } from "../notices/missing_callback";

export function proxy_on_request_headers(context: u32, headers: i32, endOfStream: i32): i32 {
  const stream = findContext(context);
  if (stream) return stream.root.requestHeaders(context, endOfStream != 0);
  tellMissingCallback("proxy_on_context_create", "no request is looked at");
  return Action.CONTINUE;
}

export function proxy_on_request_body(context: u32, length: i32, endOfStream: i32): i32 {
  const stream = findContext(context);
  return stream ? stream.root.requestBody(context, length, endOfStream != 0) : Action.CONTINUE;
}

export function proxy_on_request_trailers(context: u32, trailers: i32): i32 {
  const stream = findContext(context);
  return stream ? stream.root.requestTrailers(context) : Action.CONTINUE;
}
