/**
 * Mistakes that operators make, what they see of each, and what to do: docs/use/mistakes.md is made from this
 * (tools/generate_mistakes.ts), and tests/e2e/mistakes.test.ts makes each mistake with a real Envoy and reads it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Document } from "yaml";
import { BUILD_FOLDER, MODULE_FILE } from "../../tools/project.ts";
import { visit as visitServer } from "../e2e/tls_client.ts";
import { FULL_TOKEN, READ_TOKEN } from "../wasm/admin_contract.ts";
import { plugin, type Attempt, type Running } from "./attempt.ts";

export interface Mistake extends Attempt {
  group: string;
  what: string;
  /** Whether Envoy starts all the same. */
  starts: boolean;
  /** A part of one line that the user reads; `…` stands for what varies. */
  see: string;
  /** What to do. */
  remedy: string;
  /** Silent as yet, and why. */
  todo?: string;
}

const JSON_TEXT = "The filter's JSON";
const NAMES = "Names";
const TOKENS = "Tokens";
const MODULE = "The module";
const CAPABILITIES = "Capabilities";
const ENVOY = "Envoy's own fields";
const USE = "Calls";

export const MISTAKES: Mistake[] = [
  // --- Names
  {
    group: NAMES,
    what: "`root_id` is misspelt, such as `observr`",
    starts: false,
    edit: swap("root_id: observer", "root_id: observr"),
    see: "",
    remedy: "One of `observer`, `admin` and `guard`.",
  },
  {
    group: NAMES,
    what: "`root_id` is left out",
    starts: false,
    edit: swap("root_id: observer", ""),
    see: "",
    remedy: "One of `observer`, `admin` and `guard`.",
  },
  {
    group: NAMES,
    what: "`root_id: guard` on a network filter",
    starts: false,
    edit: swap("root_id: observer", "root_id: guard"),
    see: "",
    remedy: "`observer`; the guard is an HTTP filter.",
  },
  {
    group: NAMES,
    what: "`root_id: observer` on an HTTP filter",
    starts: false,
    edit: swap("root_id: guard", "root_id: observer"),
    see: "",
    remedy: "`guard`; the observer is a network filter.",
  },
  {
    group: NAMES,
    what: "the admin filter has another `vm_id`",
    starts: true,
    change: (document) => plugin(document, "admin").setIn(["vm_config", "vm_id"], "other"),
    use: removal,
    see: "",
    remedy: "The same `vm_id` in all filters of a cache.",
  },
  {
    group: NAMES,
    what: "the admin filter names another `cache`",
    starts: true,
    change: (document) => plugin(document, "admin").setIn(["configuration", "value"], ADMIN_OF_ANOTHER_CACHE),
    use: removal,
    see: "",
    remedy: "The same `cache` in all its filters.",
  },
  {
    group: NAMES,
    what: "`cluster` names none that there is",
    starts: true,
    edit: swap('"cluster": "tls_upstreams"', '"cluster": "upstream"'),
    use: visits,
    see: "",
    remedy: "The `cluster` of `tcp_proxy`.",
  },
  {
    group: NAMES,
    what: "`exact_cluster` names none that there is",
    starts: true,
    edit: both(
      swap('"steering": "hash"', '"steering": "exact"'),
      swap('"exact_cluster": "tls_upstreams_exact"', '"exact_cluster": "exact"'),
    ),
    use: visits,
    see: "",
    remedy: "The name of the ORIGINAL_DST cluster.",
  },
  {
    group: NAMES,
    what: "`exact` steering without `exact_cluster`",
    starts: false,
    edit: both(
      swap('"steering": "hash"', '"steering": "exact"'),
      swap(',\n                        "exact_cluster": "tls_upstreams_exact"', ""),
    ),
    see: "",
    remedy: "Name the ORIGINAL_DST cluster in `exact_cluster`.",
  },
  {
    group: NAMES,
    what: "`events.cluster` names none that there is",
    starts: true,
    edit: swap('{"cache": "default"}', '{"cache": "default", "events": {"cluster": "audit", "path": "/"}}'),
    use: removal,
    see: "",
    remedy: "The name of a cluster of Envoy's.",
  },
  // --- JSON
  {
    group: JSON_TEXT,
    what: "a comma too many",
    starts: false,
    edit: swap('{"cache": "default"}', '{"cache": "default",}'),
    see: "",
    remedy: "Take it out.",
  },
  {
    group: JSON_TEXT,
    what: "a bracket too few",
    starts: false,
    edit: swap('{"cache": "default"}', '{"cache": "default"'),
    see: "",
    remedy: "Close it.",
  },
  {
    group: JSON_TEXT,
    what: "a field that there is not",
    starts: false,
    edit: swap('{"cache": "default"}', '{"cache": "default", "cachesize": 7}'),
    see: "",
    remedy: "The name that it offers.",
  },
  {
    group: JSON_TEXT,
    what: "a field twice",
    starts: false,
    edit: swap('{"cache": "default"}', '{"cache": "default", "cache": "b"}'),
    see: "",
    remedy: "Give it once.",
  },
  {
    group: JSON_TEXT,
    what: "a number as text",
    starts: false,
    edit: swap('{"cache": "default"}', '{"cache_size": "7"}'),
    see: "",
    remedy: "Without the quotes.",
  },
  {
    group: JSON_TEXT,
    what: "a number out of range",
    starts: false,
    edit: swap('{"cache": "default"}', '{"cache_size": -1}'),
    see: "",
    remedy: "A number in the range that it names.",
  },
  {
    group: JSON_TEXT,
    what: "a value that there is not",
    starts: false,
    edit: swap('"steering": "hash"', '"steering": "sticky"'),
    see: "",
    remedy: "One of the values that it names.",
  },
  {
    group: JSON_TEXT,
    what: "`enforcement` that there is not",
    starts: false,
    edit: swap('{"cache": "default"}', '{"enforcement": "Strict"}'),
    see: "",
    remedy: "One of the values that it names.",
  },
  {
    group: JSON_TEXT,
    what: "`mode` that there is not",
    starts: false,
    edit: swap('{"cache": "default"}', '{"mode": ["CLIENT"]}'),
    see: "",
    remedy: "One of the values that it names.",
  },
  {
    group: JSON_TEXT,
    what: "an address of `upstreams` without a port",
    starts: false,
    edit: swap('"steering": "hash"', '"steering": "hash", "upstreams": ["10.0.0.7"]'),
    see: "",
    remedy: "`address:port`, or `[v6]:port`.",
  },
  {
    group: JSON_TEXT,
    what: "an address of `upstreams` that is none",
    starts: false,
    edit: swap('"steering": "hash"', '"steering": "hash", "upstreams": ["999.1.1.1:80"]'),
    see: "",
    remedy: "`address:port`, or `[v6]:port`.",
  },
  {
    group: JSON_TEXT,
    what: "two filters that contradict each other",
    starts: false,
    edit: both(
      swap('{"cache": "default"}', '{"cache_size": 700}'),
      swap('"steering": "hash"', '"steering": "hash", "cache_size": 701'),
    ),
    see: "",
    remedy: "Say it in one of them, or the same in both.",
  },
  {
    group: JSON_TEXT,
    what: "a name of a cache with a dot",
    starts: false,
    edit: swap('{"cache": "default"}', '{"cache": "a.b"}'),
    see: "",
    remedy: "Letters, digits, `_` and `-`.",
  },
  {
    group: JSON_TEXT,
    what: "`tokens` in the observer's configuration",
    starts: false,
    edit: swap('"steering": "hash"', '"steering": "hash", "admin": {"tokens": ["abcdefghijklmnop"]}'),
    see: "",
    remedy: "They belong into the admin filter's.",
  },
  {
    group: JSON_TEXT,
    what: "`events` without `path`",
    starts: false,
    edit: swap('{"cache": "default"}', '{"events": {"cluster": "audit"}}'),
    see: "",
    remedy: "Both, `cluster` and `path`.",
  },
  {
    group: JSON_TEXT,
    what: "`steering` in the guard's configuration",
    starts: false,
    edit: swap('{"cache": "default"}', '{"steering": "hash"}'),
    see: "",
    remedy: "It belongs into the observer's.",
  },
  {
    group: JSON_TEXT,
    what: "no JSON at all, such as YAML",
    starts: false,
    edit: swap('{"cache": "default"}', "cache: default"),
    see: "",
    remedy: "JSON text, or a `google.protobuf.Struct`.",
  },
  // --- Tokens
  {
    group: TOKENS,
    what: "`ADMIN_TOKEN` is not set",
    starts: false,
    env: { ADMIN_TOKEN: undefined },
    see: "",
    remedy: "Set it where Envoy starts.",
  },
  {
    group: TOKENS,
    what: "`ADMIN_TOKEN` is empty",
    starts: false,
    env: { ADMIN_TOKEN: "" },
    see: "",
    remedy: "Set it to a token.",
  },
  {
    group: TOKENS,
    what: "`ADMIN_TOKEN` is one character long",
    starts: false,
    env: { ADMIN_TOKEN: "x" },
    see: "",
    remedy: "A longer one.",
  },
  {
    group: TOKENS,
    what: "`ADMIN_TOKEN` has a blank in it",
    starts: false,
    env: { ADMIN_TOKEN: "two words of a token" },
    see: "",
    remedy: "Letters, digits and `. _ ~ + / -`.",
  },
  {
    group: TOKENS,
    what: "`host_env_keys` is left out",
    starts: false,
    edit: swap("host_env_keys: [ADMIN_TOKEN, ADMIN_READ_TOKEN]", "{}"),
    see: "",
    remedy: "List the variables in `host_env_keys`.",
  },
  {
    group: TOKENS,
    what: "`tokens_env` names another variable",
    starts: false,
    edit: swap('["ADMIN_TOKEN"]', '["TOKEN"]'),
    see: "",
    remedy: "The same name in `tokens_env` and `host_env_keys`.",
  },
  {
    group: TOKENS,
    what: "no `admin` in the admin filter's JSON",
    starts: false,
    change: (document) => plugin(document, "admin").setIn(["configuration", "value"], '{"cache": "default"}'),
    see: "",
    remedy: "`admin.tokens_env`.",
  },
  {
    group: TOKENS,
    what: "one token for reading and for all",
    starts: false,
    env: { ADMIN_READ_TOKEN: FULL_TOKEN },
    see: "",
    remedy: "Two tokens.",
  },
  // --- The module
  {
    group: MODULE,
    what: "the module is not there",
    starts: false,
    modulePath: "/nonexistent/tls-session-cache.wasm",
    see: "",
    remedy: "`npm run build`, and the absolute path.",
  },
  {
    group: MODULE,
    what: "a relative path, and Envoy starts in another folder",
    starts: false,
    modulePath: "dist/tls-session-cache.wasm",
    see: "",
    remedy: "The absolute path.",
  },
  {
    group: MODULE,
    what: "the file is no Wasm",
    starts: false,
    modulePath: join(BUILD_FOLDER, "demo-certificate.pem"),
    see: "",
    remedy: "The file that `npm run build` made.",
  },
  {
    group: MODULE,
    what: "the file was cut short",
    starts: false,
    get modulePath() {
      return shortened();
    },
    see: "",
    remedy: "Copy it again; compare its sha256.",
  },
  {
    group: MODULE,
    what: "another Wasm module",
    starts: false,
    get modulePath() {
      return emptyModule();
    },
    see: "",
    remedy: "The file that `npm run build` made.",
  },
  {
    group: MODULE,
    what: "`runtime` of another engine",
    starts: false,
    edit: swap("runtime: envoy.wasm.runtime.v8", "runtime: envoy.wasm.runtime.wasmtime"),
    see: "",
    remedy: "`envoy.wasm.runtime.v8`.",
  },
  {
    group: MODULE,
    what: "remote code with a wrong `sha256`",
    starts: true,
    change: remote,
    use: visits,
    see: "",
    remedy: "The sha256 of the file; `nack_on_code_cache_miss: true`.",
  },
  {
    group: MODULE,
    what: "a remote store that does not answer",
    starts: true,
    change: remoteAway,
    use: visits,
    see: "",
    remedy: "Start the store first; `nack_on_code_cache_miss: true`.",
  },
  // --- Envoy's own fields
  {
    group: ENVOY,
    what: "`max_early_data_bytes` is left out",
    starts: true,
    edit: swap("max_early_data_bytes: 16384", ""),
    use: visits,
    see: "",
    remedy: "Set it to 16384, or `steering` to `off`.",
  },
  {
    group: ENVOY,
    what: "`hash_policy` is left out",
    starts: true,
    edit: swap("hash_policy:\n                  - filter_state: { key: envoy.hashable_string }", ""),
    use: visits,
    see: "",
    remedy: "As in `envoy.yaml`.",
  },
  {
    group: ENVOY,
    what: "`lb_policy: ROUND_ROBIN` with steering by hash",
    starts: true,
    edit: swap("lb_policy: MAGLEV", "lb_policy: ROUND_ROBIN"),
    use: visits,
    see: "",
    remedy: "`MAGLEV` or `RING_HASH`, or steering `exact`.",
  },
  {
    group: ENVOY,
    what: "`allow_on_headers_stop_iteration` is left out",
    starts: true,
    edit: swap("allow_on_headers_stop_iteration: true", ""),
    use: withBody,
    see: "",
    remedy: "Set it in the admin filter.",
  },
  {
    group: ENVOY,
    what: "the observer stands behind `tcp_proxy`",
    starts: false,
    change: swapFilters,
    see: "",
    remedy: "Put it in front.",
  },
  {
    group: ENVOY,
    what: "two listeners on one port",
    starts: true,
    change: samePort,
    see: "",
    remedy: "A port for each.",
  },
  {
    group: ENVOY,
    what: "no `filter_state` with the session's ID in front of the guard",
    starts: true,
    edit: swap("object_key: tls_sid", "object_key: tls_session"),
    use: https,
    see: "",
    remedy: "The filter `tls_session_id` of `envoy.yaml`.",
  },
  {
    group: ENVOY,
    what: "the certificate is not there",
    starts: false,
    edit: swap("filename: build/demo-certificate.pem", "filename: build/none.pem"),
    see: "",
    remedy: "`npm run build` makes the demo's.",
  },
  {
    group: ENVOY,
    what: "the capability list beside `vm_config`, on 1.40",
    starts: true,
    change: listOutside,
    see: "",
    remedy: "In `vm_config`; `npm run -s config -- --envoy 1.40`.",
  },
  {
    group: ENVOY,
    what: "`failure_policy: FAIL_CLOSED`, and the module fails",
    starts: true,
    edit: swap("failure_policy: FAIL_RELOAD", "failure_policy: FAIL_CLOSED"),
    use: visits,
    see: "",
    remedy: "`FAIL_RELOAD`.",
  },
  {
    group: ENVOY,
    what: "TLS is terminated in front of the observer",
    starts: true,
    change: terminate,
    use: visits,
    see: "",
    remedy: "The observer is for passthrough; the guard for a listener that terminates.",
  },
  {
    group: ENVOY,
    what: "the servers are away",
    starts: true,
    edit: (text) => text.replaceAll(/(address: 127\.0\.0\.1\n\s+port_value: )\d+/g, "$11"),
    use: visits,
    see: "",
    remedy: "Start them.",
  },
  // --- Calls
  {
    group: USE,
    what: "no token",
    starts: true,
    use: call("GET", "/v1/stats", { token: null }),
    see: "",
    remedy: "`Authorization: Bearer TOKEN`.",
  },
  {
    group: USE,
    what: "another token",
    starts: true,
    use: call("GET", "/v1/stats", { token: "wrong-token-0123456789" }),
    see: "",
    remedy: "The one of `ADMIN_TOKEN`.",
  },
  {
    group: USE,
    what: "a change with the token that may only read",
    starts: true,
    use: call("DELETE", "/v1/sessions/c0ffee", { token: READ_TOKEN }),
    see: "",
    remedy: "The one of `ADMIN_TOKEN`.",
  },
  {
    group: USE,
    what: "a path that there is not",
    starts: true,
    use: call("GET", "/v1/session"),
    see: "",
    remedy: "`GET /v1/openapi.json` has them all.",
  },
  {
    group: USE,
    what: "a method that there is not",
    starts: true,
    use: call("POST", "/v1/sessions/c0ffee"),
    see: "",
    remedy: "One of those that it names.",
  },
  {
    group: USE,
    what: "an ID that is no hex",
    starts: true,
    use: call("DELETE", "/v1/sessions/shop.example"),
    see: "",
    remedy: "As the list shows it.",
  },
  {
    group: USE,
    what: "a body that is no JSON",
    starts: true,
    use: call("PUT", "/v1/timeout", { body: "timeout=5" }),
    see: "",
    remedy: 'As in `{"timeout": 300}`.',
  },
  {
    group: USE,
    what: "removal of what the cache does not hold",
    starts: true,
    use: call("DELETE", "/v1/sessions/c0ffee"),
    see: "",
    remedy: "It is refused from now on all the same.",
  },
];

function swap(from: string, to: string): (text: string) => string {
  return (text) => {
    if (!text.includes(from)) throw new Error(`envoy.yaml has no ${from}`);
    return text.replace(from, () => to);
  };
}

function both(first: (text: string) => string, second: (text: string) => string): (text: string) => string {
  return (text) => second(first(text));
}

const ADMIN_OF_ANOTHER_CACHE = '{"cache": "other", "admin": {"tokens_env": ["ADMIN_TOKEN"]}}';

async function removal({ admin }: Running): Promise<string[]> {
  const { status, text } = await admin("DELETE", "/v1/sessions/c0ffee");
  const stats = await admin("GET", "/v1/stats");
  return [`${status} ${text}`, stats.text];
}

/** Some connections, one after the other: what became of them, in words. */
async function visits({ tlsPort, admin }: Running): Promise<string[]> {
  const said: string[] = [];
  let session: Buffer | undefined;
  for (let i = 0; i < 6; i++) {
    const end = await visitServer({ port: tlsPort, version: "TLSv1.2", timeoutSeconds: 4, session }).then(
      (seen) => {
        session = seen.session;
        return `client: served${seen.resumed ? ", resumed" : ""}`;
      },
      (error: unknown) => `client: ${(error as Error).message}`,
    );
    said.push(end);
    await sleep(100);
  }
  const stats = await admin("GET", "/v1/stats").then(({ status, text }) => `${status} ${text}`, String);
  return [...said, stats];
}

async function withBody({ admin }: Running): Promise<string[]> {
  const late = sleep(3000).then(() => "no answer within 3 s");
  const answer = admin("PUT", "/v1/timeout", { body: { timeout: 300 } }).then(
    ({ status, text }) => `${status} ${text}`,
    String,
  );
  return [await Promise.race([answer, late])];
}

async function https({ httpsPort, admin }: Running): Promise<string[]> {
  void httpsPort;
  return [(await admin("GET", "/v1/stats")).text];
}

function call(method: string, path: string, request = {}): (running: Running) => Promise<string[]> {
  return async ({ admin }) => {
    const { status, text } = await admin(method, path, request);
    return [`${status} ${text}`];
  };
}

function remote(document: Document): void {
  for (const root of ["observer"] as const) {
    plugin(document, root).setIn(
      ["vm_config", "code"],
      document.createNode({
        remote: {
          http_uri: { uri: "http://127.0.0.1:1/m.wasm", cluster: "tls_upstreams", timeout: "1s" },
          sha256: "0".repeat(64),
        },
      }),
    );
  }
}

function remoteAway(document: Document): void {
  remote(document);
}

function swapFilters(document: Document): void {
  const filters = document.getIn(["static_resources", "listeners", 0, "filter_chains", 0, "filters"]) as {
    items: unknown[];
  };
  filters.items.reverse();
}

function samePort(document: Document): void {
  const at = (n: number): (string | number)[] => [
    "static_resources",
    "listeners",
    n,
    "address",
    "socket_address",
    "port_value",
  ];
  document.setIn(at(2), document.getIn(at(0)));
}

function listOutside(document: Document): void {
  const observer = plugin(document, "observer");
  const list = observer.getIn(["vm_config", "capability_restriction_config"]);
  observer.deleteIn(["vm_config", "capability_restriction_config"]);
  observer.set("capability_restriction_config", list);
}

function terminate(document: Document): void {
  const socket = document.getIn(["static_resources", "listeners", 2, "filter_chains", 0, "transport_socket"]);
  document.setIn(["static_resources", "listeners", 0, "filter_chains", 0, "transport_socket"], socket);
}

function shortened(): string {
  const file = join(BUILD_FOLDER, "shortened.wasm");
  writeFileSync(file, readFileSync(MODULE_FILE).subarray(0, 50_000));
  return file;
}

function emptyModule(): string {
  const file = join(BUILD_FOLDER, "empty.wasm");
  writeFileSync(file, Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  return file;
}
