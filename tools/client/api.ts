/**
 * Calls of one proxy's admin API. A call returns the JSON answer, or throws a ClientError that says in one line which proxy
 * failed, how, and what would be right.
 *
 * Not `fetch`, which refuses some ports unasked, 10080 among them (the list of bad ports in the Fetch standard).
 */
import { type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { type Answers, CALLS } from "./answers.generated.ts";
import { RefusedError, UnreachableError } from "./client_error.ts";
import { onOneLine } from "./text.ts";

export type Query = Record<string, string | number | boolean | null>;

export interface CallOptions {
  /** Of `{id}` and the like in the path. */
  parameter?: string;
  /** A null is left out. */
  query?: Query;
  body?: unknown;
  /** Lines of JSON instead of `body`. */
  lines?: string;
  /** For the whole answer; 20 by default. */
  timeoutSeconds?: number;
}

export class Api {
  private readonly aborter = new AbortController();

  constructor(
    /** Without a slash at its end. */
    readonly proxy: string,
    private readonly token: string | null,
  ) {}

  async call<Operation extends keyof Answers>(
    operation: Operation,
    { parameter = "", query = {}, body, lines, timeoutSeconds = TIMEOUT_SECONDS }: CallOptions = {},
  ): Promise<Answers[Operation]> {
    const [method = "", template = ""] = CALLS[operation].split(" ");
    const search = Object.entries(query)
      .flatMap(([name, value]) => (value === null ? [] : [`${name}=${encodeURIComponent(value)}`]))
      .join("&");
    const path = template.replace(/\{\w+\}/, () => encodeURIComponent(parameter)) + (search === "" ? "" : `?${search}`);
    const sent =
      lines !== undefined
        ? { text: lines, type: LINES_TYPE }
        : body !== undefined
          ? { text: JSON.stringify(body), type: "application/json" }
          : null;
    const reply = await this.send(method, path, sent, timeoutSeconds);
    return this.judge(reply) as Answers[Operation];
  }

  /** Ends the calls that wait for an answer: they fail as if the proxy were not reached. */
  abort(): void {
    this.aborter.abort();
  }

  private send(method: string, path: string, body: Body | null, timeoutSeconds: number): Promise<Reply> {
    const headers: Record<string, string | number> = { accept: `application/json, ${LINES_TYPE}` };
    if (this.token !== null) headers["authorization"] = `Bearer ${this.token}`;
    if (body !== null) {
      headers["content-type"] = body.type;
      headers["content-length"] = Buffer.byteLength(body.text);
    }
    const send = this.proxy.startsWith("https:") ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException): void => {
        clearTimeout(patience);
        reject(this.unreachable(error, timeoutSeconds));
      };
      const request = send(this.proxy + path, { method, headers, signal: this.aborter.signal }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", fail);
        response.on("end", () => {
          clearTimeout(patience);
          resolve({ response, text: Buffer.concat(chunks).toString("utf8") });
        });
      });
      const patience = setTimeout(() => request.destroy(new Error(NO_ANSWER)), timeoutSeconds * 1000);
      request.on("error", fail);
      request.end(body?.text);
    });
  }

  private judge({ response, text }: Reply): unknown {
    const status = response.statusCode ?? 0;
    const type = (response.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
    if (type === LINES_TYPE && status === 200) return text;
    if (type === "application/json") return this.parsed(text, status);
    if (type !== "application/problem+json") throw this.notJson(status, type);
    const { detail, title } = this.parsed(text, status) as { detail?: unknown; title?: unknown };
    const said = onOneLine(String(detail ?? title ?? ""));
    const after = status === 503 ? response.headers["retry-after"] : undefined;
    throw new RefusedError(
      `${this.proxy}: ${String(status)}: ${this.explained(status, said)}` +
        (after === undefined ? "" : `; try again in ${onOneLine(after)} s`),
      status,
    );
  }

  private explained(status: number, said: string): string {
    if (status === 401 && this.token === null) {
      return "no token was sent; set TLS_SESSIONS_TOKEN, or --token-file FILE, to one of admin.tokens";
    }
    if (status === 401) {
      return "the proxy does not know this token; set TLS_SESSIONS_TOKEN, or --token-file FILE, to one of admin.tokens";
    }
    if (status === 403) return "this token may only read; use one of admin.tokens, not of admin.read_tokens";
    return said;
  }

  private parsed(text: string, status: number): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw this.notJson(status, "broken JSON");
    }
  }

  private notJson(status: number, found: string): UnreachableError {
    return new UnreachableError(
      `${this.proxy}: the answer, ${String(status)}, is ${onOneLine(found) || "without a type"} rather than JSON; ` +
        "name the listener of the admin API, which is neither Envoy's own admin nor a TLS listener",
    );
  }

  private unreachable(error: NodeJS.ErrnoException, timeoutSeconds: number): UnreachableError {
    const code = error.code ?? "";
    const known = REASONS.find(([codes]) => codes.some((one) => code.startsWith(one)))?.[1];
    const reason = error.message === NO_ANSWER ? `no answer within ${String(timeoutSeconds)} s` : known;
    return new UnreachableError(`${this.proxy}: ${reason ?? onOneLine(error.message || code)}`);
  }
}

interface Body {
  text: string;
  type: string;
}

interface Reply {
  response: IncomingMessage;
  text: string;
}

const LINES_TYPE = "application/x-ndjson";
const TIMEOUT_SECONDS = 20;
const NO_ANSWER = "no answer";
/** By the beginnings of Node's error codes. */
const REASONS: [string[], string][] = [
  [
    ["ECONNREFUSED"],
    "connection refused: nothing listens there; start the proxy, or name another one with --proxy URL or TLS_SESSIONS_PROXY",
  ],
  [["ENOTFOUND", "EAI_AGAIN"], "this host name does not resolve; correct --proxy URL or TLS_SESSIONS_PROXY"],
  [["EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"], "no route leads there; correct --proxy URL, or the network"],
  [
    ["ECONNRESET", "EPIPE"],
    "the connection was closed before the answer; either the proxy restarts, or this is not the listener of the admin API",
  ],
  [
    ["HPE_", "ERR_SSL", "EPROTO"],
    "the listener there does not speak HTTP as the URL has it; name the listener of the admin API, with http:// or https://",
  ],
  [
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT", "UNABLE_TO_", "CERT_", "ERR_TLS_CERT"],
    "its certificate is not trusted; name its CA in NODE_EXTRA_CA_CERTS",
  ],
];
