/**
 * Calls of the admin API. The token is kept in this module alone, as long as the tab shows the page. Fields go into the query,
 * never into a body, so the page also works if Envoy keeps bodies back; an import is the exception.
 */

/** Work on a whole cache of a million sessions takes its time; counters do not. */
const PATIENCE_MILLISECONDS = 120_000;
const COUNTERS_PATIENCE_MILLISECONDS = 10_000;
let token = "";
let whenRejected = () => {};

/** An answer that is not the wanted one; its message is the API's own detail. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export function useToken(text) {
  token = text;
}

/** Is called when the API rejects the token. */
export function onRejected(listener) {
  whenRejected = listener;
}

export function get(path, query) {
  return call("GET", path, query);
}

/** Returns the JSON answer; throws Refused. Fields without a value are left out. */
export async function call(method, path, query = {}, statuses = []) {
  const fields = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(fields).toString();
  return jsonOf(await answerTo(text === "" ? path : `${path}?${text}`, method), statuses);
}

/** Returns a page of an export as lines; throws Refused. */
export async function exportPage({ what, cursor = "" }) {
  const response = await answerTo(
    `/v1/export?${new URLSearchParams(cursor === "" ? { what } : { what, cursor })}`,
    "GET",
  );
  return response.ok ? response.text() : jsonOf(response, []);
}

/** Sends lines of an export, as the only body of the page: they are too long for a query. Returns the JSON answer; throws Refused. */
export async function importLines(lines) {
  return jsonOf(await answerTo("/v1/import", "POST", lines), []);
}

async function jsonOf(response, statuses) {
  const json = await response.json().catch(() => null);
  if (json !== null && (response.ok || statuses.includes(response.status))) return json;
  if (response.status === 401 && token !== "") whenRejected();
  throw new Refused(response.status, json?.detail ?? `answered with ${response.status} ${response.statusText}`);
}

/** Reports whether the token may change anything: a change without its field is an error of the caller, but only for such a token. */
export async function mayChange() {
  return (await answerTo("/v1/timeout", "PUT")).status !== 403;
}

async function answerTo(url, method, lines) {
  try {
    return await fetch(url, {
      method,
      headers: {
        ...(token !== "" && { authorization: `Bearer ${token}` }),
        ...(lines !== undefined && { "content-type": "application/x-ndjson" }),
      },
      body: lines,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(url === "/v1/stats" ? COUNTERS_PATIENCE_MILLISECONDS : PATIENCE_MILLISECONDS),
    });
  } catch (error) {
    const reason = error.name === "TimeoutError" ? "no answer in time" : "the proxy does not answer";
    throw new Refused(0, reason);
  }
}
