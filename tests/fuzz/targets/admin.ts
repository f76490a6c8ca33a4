/**
 * Requests to the admin API: method, path, query, headers and body, with the full token, the read token, or none.
 *
 * A step is a request as text: `METHOD PATH`, header lines, an empty line, the body, all bytes as they are. Promises:
 * nothing traps. Answers are JSON in UTF-8, errors problem+json, with statuses of the contract only. JSON.parse reads the
 * body of each accepted change. A request without the right token writes nothing to shared data.
 */
import type { Proxy } from "../../fake_host/proxy.ts";
import { FULL_TOKEN, READ_TOKEN } from "../../contract/client.ts";
import { fullWithId, sessionId, sha256 } from "../../support/tls_bytes.ts";
import { hold, type Input, type Session, type Target } from "../input.ts";
import { assertAnswer, bounded, openProxy } from "./bystanders.ts";

const NOBODY = 2;
const READER = 3;
const IN_PIECES = 1;

export const admin: Target = {
  name: "admin",
  kinds: 4,
  variants: 1,
  maxStepLength: 70_000,
  dictionary: [
    "GET ",
    "PUT ",
    "POST ",
    "DELETE ",
    "HEAD ",
    "OPTIONS ",
    "/v1/",
    "sessions",
    "?limit=",
    "&cursor=",
    "kind=id",
    "sni=",
    "&upstream=10.0.0.7%3A443",
    "%",
    "%00",
    "%c3%28",
    "\n",
    "\n\n",
    "{}",
    "null",
    "true",
    "1e309",
    "-0",
    "0x13AF",
    "\\ud83d\\ude00",
    "\\ud800",
    "\\u0000",
    '"',
    "[[[[",
    "}",
    ",",
    ":",
    "\x00",
    "\xff",
    "\xed\xa0\x80",
    "\xf0\x9f\x98\x80",
    "\xef\xbb\xbf",
    "[2001:db8::1]:443",
    "2147483648",
    "9007199254740993",
    "content-length: 99999\n",
    "authorization: Bearer x\n",
    '"timeout":',
    '"sni":',
    '"mode":',
    "after=",
  ].map((text) => Buffer.from(text, "latin1")),

  seeds(): Input[] {
    const requests = PATHS.flatMap((path) => [
      `GET ${path}\n\n`,
      `PUT ${path}\n\n{}`,
      `DELETE ${path}\n\n`,
      `HEAD ${path}\n\n`,
    ]);
    const lines = LINES.map(
      (line) => `POST /v1/import\ncontent-type: application/x-ndjson\n\n${line}\n{"next":null}\n`,
    );
    const changes = CHANGES.map(([line, body]) => `${line}\ncontent-type: application/json\n\n${body}`);
    const large = `PUT /v1/sessions/aa01\n\n{"sni":"${"a".repeat(65_530)}"}`;
    const page = ["gzip", "gzip;q=0, *", "br"].map(
      (coding) => `GET /\naccept: text/html,*/*;q=0.8\naccept-encoding: ${coding}\nif-none-match: "0"\n\n`,
    );
    const texts = [...requests, ...changes, ...page, ...lines, large, "POST /v1/sessions/flush\n\n{}"];
    return texts.flatMap((text, index) => [
      [{ kind: index % 2, bytes: Buffer.from(text) }],
      ...(index % 3 === 0 ? [[{ kind: READER - (index % 2), bytes: Buffer.from(text) }]] : []),
    ]);
  },

  open(wasm): Session {
    return new AdminSession(openProxy(wasm, { max_memory_mib: 2 }));
  },
};

class AdminSession implements Session {
  readonly memories: WebAssembly.Memory[];

  private checks = 0;

  constructor(private readonly proxy: Proxy) {
    for (let i = 0; i < 20; i++) proxy.put(sessionId(i), { sni: `${i}.example`, upstream: "10.0.0.7:443" });
    for (let i = 0; i < 5; i++) proxy.delete(sessionId(i));
    this.memories = [proxy.worker.memory("admin")];
  }

  run(input: Input): void {
    for (const { kind, bytes } of input) this.request(kind, bytes);
  }

  private request(kind: number, bytes: Buffer): void {
    const { method, path, headers, body } = parsed(bytes);
    const { host, worker } = this.proxy;
    const sets = host.sharedData.sets;
    const exchange = worker.begin(method, path, {
      headers,
      ...(kind === NOBODY ? {} : { token: kind === READER ? READ_TOKEN : FULL_TOKEN }),
      ...(body.length === 0 ? {} : { body }),
      pieceBytes: kind === IN_PIECES ? 1 + (bytes.length % 97) : Number.MAX_SAFE_INTEGER,
    });
    const hasWritten = host.sharedData.sets !== sets;
    const isDecided = exchange.answer !== undefined;
    const answer = worker.answerTo(exchange, `${method} ${path}`);
    assertAnswer(answer, method === "HEAD");
    if (kind >= NOBODY && !hasFullToken(headers)) {
      // A reader of events collects them, which writes. Ticks write whatever is due, and only a listing waits for them.
      hold(
        !hasWritten || path.startsWith("/v1/events"),
        () => "a request without the right to change anything wrote to shared data",
      );
      hold(
        isDecided || method === "GET" || method === "HEAD",
        () => `a ${method} without the right to it was let wait`,
      );
      const isOpen = path.startsWith("/healthz") || path === "/";
      hold(kind === READER || answer.status >= 400 || isOpen, () => "answered without a token");
    }
    if (method === "PUT" && answer.status < 300 && body.length > 0) {
      hold(isJson(body), () => "a body that is not JSON was accepted");
    }
  }

  check(): void {
    const { proxy } = this;
    proxy.request("PUT", "/v1/mode", { body: { mode: ["SERVER"] } });
    proxy.request("PUT", "/v1/cache-size", { body: { cache_size: 1000 } });
    proxy.request("PUT", "/v1/enforcement", { body: { enforcement: "revoked" } });
    proxy.request("PUT", "/v1/timeout", { body: { timeout: 7200 } });
    proxy.host.pass(1);
    proxy.put(KNOWN);
    const { status } = proxy.get(KNOWN);
    hold(status === 200, () => `a session that was just added answers ${status}`);
    proxy.delete(KNOWN);
    hold(proxy.get(KNOWN).status === 410, () => "a session that was just removed is not refused");
    const fresh = sha256(Buffer.from(`fresh ${this.checks++}`));
    proxy.handshake(fullWithId(fresh));
    hold(proxy.get(fresh).status === 200, () => "a full handshake afterwards was not learned");
    bounded(proxy);
  }
}

interface Parsed {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
}

function parsed(bytes: Buffer): Parsed {
  const end = bytes.indexOf("\n\n");
  const head = bytes.toString("latin1", 0, end < 0 ? bytes.length : end);
  const body = end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 2);
  const [first = "", ...lines] = head.split("\n");
  const space = first.indexOf(" ");
  const headers: Record<string, string> = {};
  for (const line of lines.slice(0, 20)) {
    const colon = line.indexOf(":");
    // Leaves out pseudo-headers, which begin with a colon.
    if (colon > 0) headers[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
  }
  return { method: first.slice(0, Math.max(space, 0)), path: first.slice(space + 1), headers, body };
}

function hasFullToken(headers: Record<string, string>): boolean {
  return Object.entries(headers).some(
    ([name, text]) => name.toLowerCase() === "authorization" && text.includes(FULL_TOKEN),
  );
}

export function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(UTF8.decode(bytes));
    return true;
  } catch {
    return false;
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const KNOWN = sessionId(77_777);
const NAME = "000102030405060708090a0b0c0d0e0f";
const PATHS = [
  "/healthz",
  "/readyz",
  "/v1/fleet",
  "/v1/sessions",
  "/v1/sessions?limit=5&kind=id",
  "/v1/sessions?sni=kept.example&upstream=10.0.0.7%3A443&cursor=0001",
  "/v1/sessions/aa01",
  `/v1/sessions/${sessionId(3).toString("hex")}`,
  `/v1/sessions/${sessionId(9).toString("hex")}`,
  "/v1/removed?limit=3",
  "/v1/export",
  "/v1/export?what=settings,sessions&limit=3",
  "/v1/stats",
  "/v1/mode",
  "/v1/cache-size",
  "/v1/timeout",
  "/v1/enforcement",
  "/v1/ticket-keys",
  `/v1/ticket-keys/${NAME}`,
  "/v1/revocations",
  "/v1/revocations?lifted=true",
  "/v1/revocations/shop.example",
  "/v1/events?limit=10",
  "/v1/events?after=0&limit=2",
  "/v1/openapi.json",
  "",
];
const LINES = [
  '{"session":{"id":"aa04","kind":"id","time":1790000000,"issued":null,"timeout":7200,"last_used":null,"hits":1,"origin":"api"}}',
  '{"removed":{"id":"aa05","time":1,"until":1893456000}}\n{"revocation":{"sni":"b.example","until":1893456000}}',
  '{"settings":{"mode":["SERVER"],"cache_size":90,"timeout":60,"enforcement":"revoked"}}',
];
const CHANGES = [
  [
    "PUT /v1/sessions/aa01",
    '{"kind":"ticket","protocol":"TLSv1.2","cipher":"TLS_AES_128_GCM_SHA256",' +
      '"sni":"a.example","upstream":"10.0.0.7:443","timeout":60}',
  ],
  ["PUT /v1/sessions/aa02", '{"sni":"\\u00e4\\ud83d\\ude00\\n","upstream":"[2001:db8::1]:443","cipher":"0x1301"}'],
  ["PUT /v1/mode", '{"mode":["SERVER","NO_INTERNAL_STORE"]}'],
  ["PUT /v1/cache-size", '{"cache_size":100}'],
  ["PUT /v1/timeout", '{"timeout":7200}'],
  ["PUT /v1/enforcement", '{"enforcement":"strict"}'],
  [`PUT /v1/ticket-keys/${NAME}`, '{"upstream":"10.0.0.7:443"}'],
  ["PUT /v1/revocations/shop.example", ""],
  ["PUT /v1/revocations/shop.example", '{"ticket_lifetime":60,"unseen":"refuse"}'],
  ["POST /v1/sessions/flush", '{"before":1790000000}'],
  ["POST /v1/removed", '{"removed":[{"id":"aa03","time":1,"until":1893456000,"upstream":"10.0.0.7:443"}],"next":null}'],
  [
    "POST /v1/import",
    `{"revocations":[{"sni":"a.example","until":1893456000}],"ticket_keys":[{"name":"${NAME}","state":"removed"}]}`,
  ],
];
