/**
 * Mistakes that operators make, what they see of each, and what to do: docs/use/mistakes.md is made from this
 * (tests/mistakes/generate_page.ts), and tests/e2e/operating/mistakes.test.ts makes each mistake with a real Envoy and reads it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { Document } from "yaml";
import { BUILD_FOLDER, MODULE_FILE } from "../../tools/project.ts";
import { buildTrappingModule } from "../support/trapping_build.ts";
import { HttpsConnection } from "../support/https_client.ts";
import { visit as visitServer } from "../support/tls_client.ts";
import { FULL_TOKEN, READ_TOKEN } from "../contract/client.ts";
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
  /** A part of the finding of `tls-sessions doctor`, if it is not that line. */
  doctor?: string;
  /** Why `tls-sessions doctor` cannot see it in a configuration. */
  unseen?: string;
  /** When that line comes, if not at the start, with the first connections or in an answer. */
  when?: string;
}

const JSON_TEXT = "The filter's JSON";
const NAMES = "Names";
const TOKENS = "Tokens";
const MODULE = "The module";
const CAPABILITIES = "Capabilities";
const ENVOY = "Envoy's own fields";
const USE = "Calls of the admin API";

const A_CALL = "a call is not a set-up";

/** Calls that each filter makes at its start or for its first client. Envoy tells of others when they are first made. */
const COMMON = [
  ...["proxy_get_property", "proxy_get_buffer_bytes", "proxy_get_shared_data", "proxy_set_shared_data"],
  ...[
    "proxy_set_tick_period_milliseconds",
    "proxy_get_current_time_nanoseconds",
    "proxy_define_metric",
    "clock_time_get",
  ],
];
const USED_AT_ONCE = {
  observer: [
    ...[...COMMON, "proxy_record_metric", "proxy_increment_metric", "environ_sizes_get", "random_get"],
    ...["proxy_set_effective_context", "proxy_set_buffer_bytes", "proxy_close_stream", "proxy_call_foreign_function"],
  ],
  admin: [
    ...[...COMMON, "proxy_record_metric", "proxy_get_header_map_value", "environ_sizes_get", "environ_get"],
    "proxy_send_local_response",
  ],
  guard: [...COMMON, "proxy_record_metric", "environ_sizes_get"],
};
/** Without these the filter refuses its configuration, and Envoy does not start. */
const NEEDED: Record<"observer" | "admin" | "guard", string[]> = {
  observer: [
    ...["proxy_get_property", "proxy_get_buffer_bytes", "proxy_get_shared_data", "proxy_set_shared_data", "random_get"],
    ...["proxy_set_effective_context", "proxy_set_buffer_bytes", "proxy_close_stream"],
  ],
  admin: [
    ...["proxy_get_property", "proxy_get_buffer_bytes", "proxy_get_shared_data", "proxy_set_shared_data"],
    ...["environ_get", "environ_sizes_get"],
  ],
  guard: ["proxy_get_property", "proxy_get_buffer_bytes", "proxy_get_shared_data", "proxy_set_shared_data"],
};

export const MISTAKES: Mistake[] = [
  // --- Names
  {
    group: NAMES,
    what: "`root_id` is misspelt, such as `observr`",
    starts: false,
    edit: swap("root_id: observer", "root_id: observr"),
    see: 'root_id "observr" is unknown: write "observer", "guard", "admin" or "fleet"',
    remedy: "One of `observer`, `guard`, `admin` and `fleet`.",
  },
  {
    group: NAMES,
    what: "`root_id` is left out",
    starts: false,
    edit: swap("root_id: observer", ""),
    see: 'root_id "" is unknown: write "observer", "guard", "admin" or "fleet"',
    remedy: "One of `observer`, `guard`, `admin` and `fleet`.",
  },
  {
    group: NAMES,
    what: "`root_id: guard` on a network filter",
    starts: true,
    edit: swap("root_id: observer", "root_id: guard"),
    use: visits,
    see: 'root_id guard is among network filters, where it sees no request: nothing is learned or refused; put it among HTTP filters (envoy.filters.http.wasm), or write root_id "observer" here',
    when: "with the first connection, as a filter does not see its chain before",
    doctor: "root_id guard is among network filters",
    remedy: "`observer`; the guard is an HTTP filter.",
  },
  {
    group: NAMES,
    what: "`root_id: observer` on an HTTP filter",
    starts: false,
    edit: swap("root_id: guard", "root_id: observer"),
    see: "Plugin tls_session_guard failed to load",
    doctor: "root_id observer is among HTTP filters",
    remedy: "`guard`; the observer is a network filter.",
  },
  {
    group: NAMES,
    what: "the admin filter has another `vm_id`",
    starts: true,
    change: (document) => plugin(document, "admin").setIn(["vm_config", "vm_id"], "other"),
    use: removal,
    see: '"warning"',
    doctor: 'no observer or guard has the vm_id "other" of this admin filter',
    remedy: "The same `vm_id` in all filters of a cache.",
  },
  {
    group: NAMES,
    what: "the admin filter names another `cache`",
    starts: true,
    change: (document) => plugin(document, "admin").setIn(["configuration", "value"], ADMIN_OF_ANOTHER_CACHE),
    use: removal,
    see: '"warning"',
    doctor: 'no observer or guard has the cache "other" of this admin filter',
    remedy: "The same `cache` in all its filters.",
  },
  {
    group: NAMES,
    what: "`cluster` names none that there is",
    starts: true,
    edit: swap('"cluster": "tls_upstreams"', '"cluster": "upstream"'),
    use: visits,
    see: 'steering has no effect, so connections are no longer held: cluster "upstream": connections go to the cluster "tls_upstreams" instead; set the observer\'s cluster to the one that tcp_proxy of its listener names',
    doctor: 'cluster "upstream" is not the one of tcp_proxy, "tls_upstreams"',
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
    use: manyVisits,
    see: 'steering has no effect, so connections are no longer held: cluster "tls_upstreams": Envoy has no cluster "exact", which exact_cluster names; add a cluster of that name, of the type ORIGINAL_DST with lb_policy CLUSTER_PROVIDED',
    doctor: 'Envoy has no cluster "exact", which exact_cluster names',
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
    see: 'configuration of the observer filter: steering: "exact" needs two clusters: cluster, that of tcp_proxy, and exact_cluster, of type ORIGINAL_DST; set both, as in {"steering": "exact", "cluster": "tls_upstreams", "exact_cluster": "tls_upstreams_exact"}',
    remedy: "Name the ORIGINAL_DST cluster in `exact_cluster`.",
  },
  {
    group: NAMES,
    what: "`events.cluster` names none that there is",
    starts: true,
    edit: swap('{"cache": "default"}', '{"cache": "default", "events": {"cluster": "audit", "path": "/"}}'),
    use: addition,
    see: 'events: nothing is delivered: Envoy has no cluster "audit", which events.cluster names; they are kept in the log, as many as it holds, and sent again',
    when: "with the first event",
    doctor: 'Envoy has no cluster "audit", which events.cluster names',
    remedy: "The name of a cluster of Envoy's.",
  },
  // --- JSON
  {
    group: JSON_TEXT,
    what: "a comma too many",
    starts: false,
    edit: swap('{"cache": "default"}', '{"cache": "default",}'),
    see: "configuration of the guard filter: the configuration is not JSON: line 1, column 21: expected a name in double quotes",
    remedy: "Take it out.",
  },
  {
    group: JSON_TEXT,
    what: "a bracket too few",
    starts: false,
    edit: swap('{"cache": "default"}', '{"cache": "default"'),
    see: "configuration of the guard filter: the configuration is not JSON: line 2, column 1: expected ',' or '}'",
    remedy: "Close it.",
  },
  {
    group: JSON_TEXT,
    what: "a field that there is not",
    starts: false,
    edit: swap('{"cache": "default"}', '{"cache": "default", "cachesize": 7}'),
    see: 'configuration of the guard filter: "cachesize": no such field; did you mean cache_size?',
    remedy: "The name that it offers.",
  },
  {
    group: JSON_TEXT,
    what: "a field twice",
    starts: false,
    edit: swap('{"cache": "default"}', '{"cache": "default", "cache": "b"}'),
    see: "configuration of the guard filter: the configuration is not JSON: line 1, column 22: this object has the name already; write each name once",
    remedy: "Give it once.",
  },
  {
    group: JSON_TEXT,
    what: "a number as text",
    starts: false,
    edit: swap('{"cache": "default"}', '{"cache_size": "7"}'),
    see: "configuration of the guard filter: cache_size: expected a whole number from 0 (unlimited) to 2147483647",
    remedy: "Without the quotes.",
  },
  {
    group: JSON_TEXT,
    what: "a number out of range",
    starts: false,
    edit: swap('{"cache": "default"}', '{"cache_size": -1}'),
    see: "configuration of the guard filter: cache_size: expected a whole number from 0 (unlimited) to 2147483647",
    remedy: "A number in the range that it names.",
  },
  {
    group: JSON_TEXT,
    what: "a value that there is not",
    starts: false,
    edit: swap('"steering": "hash"', '"steering": "sticky"'),
    see: 'configuration of the observer filter: steering: expected "off", "hash" or "exact"',
    remedy: "One of the values that it names.",
  },
  {
    group: JSON_TEXT,
    what: "a session ID in `removed` that is not hexadecimal",
    starts: false,
    edit: swap('{"cache": "default"}', '{"removed": {"sessions": ["c0ffee", "shop"]}}'),
    see: "configuration of the guard filter: removed.sessions[1]: expected a session ID, 2 to 64 hexadecimal digits",
    remedy: "IDs as `GET /v1/sessions` shows them.",
  },
  {
    group: JSON_TEXT,
    what: "a list in `removed` that there is not",
    starts: false,
    edit: swap('{"cache": "default"}', '{"removed": {"names": ["shop.example"]}}'),
    see: 'configuration of the guard filter: removed."names": no such field; expected an object with sessions, ticket_keys or server_names, such as {"server_names": ["shop.example"]}',
    remedy: "One of the three that it names.",
  },
  {
    group: JSON_TEXT,
    what: "`enforcement` that there is not",
    starts: false,
    edit: swap('{"cache": "default"}', '{"enforcement": "Strict"}'),
    see: 'configuration of the guard filter: enforcement: expected "observe", "revoked" or "strict"',
    remedy: "One of the values that it names.",
  },
  {
    group: JSON_TEXT,
    what: "`mode` that there is not",
    starts: false,
    edit: swap('{"cache": "default"}', '{"mode": ["CLIENT"]}'),
    see: "configuration of the guard filter: mode: CLIENT is not possible, because a proxy observes the servers' side only; use SERVER",
    remedy: "One of the values that it names.",
  },
  {
    group: JSON_TEXT,
    what: "an address of `upstreams` without a port",
    starts: false,
    edit: swap('"steering": "hash"', '"steering": "hash", "upstreams": ["10.0.0.7"]'),
    see: 'configuration of the observer filter: upstreams[0]: expected an IP address and a port, as in "10.0.0.7:443" or "[2001:db8::7]:443"',
    remedy: "`address:port`, or `[v6]:port`.",
  },
  {
    group: JSON_TEXT,
    what: "an entry of `upstreams` that is not an address",
    starts: false,
    edit: swap('"steering": "hash"', '"steering": "hash", "upstreams": ["999.1.1.1:80"]'),
    see: 'configuration of the observer filter: upstreams[0]: expected an IP address and a port, as in "10.0.0.7:443" or "[2001:db8::7]:443"',
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
    see: 'cache "default": cache_size is 700 here and 701 in another filter of the same cache: give the same value in all, or in one only',
    remedy: "Say it in one of them, or the same in both.",
  },
  {
    group: JSON_TEXT,
    what: "a name of a cache with a dot",
    starts: false,
    edit: swap('{"cache": "default"}', '{"cache": "a.b"}'),
    see: "configuration of the guard filter: cache: expected a name of 1 to 64 characters out of A-Z a-z 0-9 _ -",
    remedy: "Letters, digits, `_` and `-`.",
  },
  {
    group: JSON_TEXT,
    what: "`tokens` in the observer's configuration",
    starts: true,
    edit: swap('"steering": "hash"', '"steering": "hash", "admin": {"tokens": ["abcdefghijklmnop"]}'),
    see: "configuration of the observer filter: without effect here: admin (of the admin filter); if this text is not meant for several filters, move them to the one that uses them",
    remedy: "They belong into the admin filter's.",
  },
  {
    group: JSON_TEXT,
    what: "`events` without `path`",
    starts: false,
    edit: swap('{"cache": "default"}', '{"events": {"cluster": "audit"}}'),
    see: 'configuration of the guard filter: events: expected an object with both fields, such as {"cluster": "audit", "path": "/events"}',
    remedy: "Both, `cluster` and `path`.",
  },
  {
    group: JSON_TEXT,
    what: "`steering` in the guard's configuration",
    starts: true,
    edit: swap('{"cache": "default"}', '{"steering": "hash"}'),
    see: "configuration of the guard filter: without effect here: steering (of the observer); if this text is not meant for several filters, move them to the one that uses them",
    remedy: "It belongs into the observer's.",
  },
  {
    group: JSON_TEXT,
    what: "`steering` in the admin filter's configuration",
    starts: true,
    edit: swap('"admin": { "tokens_env"', '"steering": "hash", "access_log": true, "admin": { "tokens_env"'),
    see: "configuration of the admin filter: without effect here: steering (of the observer), access_log (of observer and guard); if this text is not meant for several filters, move them to the one that uses them",
    remedy: "It belongs into the observer's.",
  },
  {
    group: JSON_TEXT,
    what: "no JSON at all, such as YAML",
    starts: false,
    edit: swap('{"cache": "default"}', "cache: default"),
    see: "configuration of the guard filter: the configuration is not JSON: line 1, column 1: expected a value",
    remedy: "JSON text, or a `google.protobuf.Struct`.",
  },
  // --- Tokens
  {
    group: TOKENS,
    what: "`ADMIN_TOKEN` is not set",
    starts: false,
    env: { ADMIN_TOKEN: undefined, ADMIN_READ_TOKEN: undefined },
    see: "configuration of the admin filter: admin: no token configured: ADMIN_TOKEN, ADMIN_READ_TOKEN are not set, or empty, in the environment of this filter; set it for Envoy's process, and name it in vm_config.environment_variables.host_env_keys of the admin filter; make a token with: openssl rand -hex 32",
    unseen: "the environment of Envoy is not in its configuration",
    remedy: "Set it where Envoy starts.",
  },
  {
    group: TOKENS,
    what: "`ADMIN_TOKEN` is empty",
    starts: false,
    env: { ADMIN_TOKEN: "", ADMIN_READ_TOKEN: undefined },
    see: "configuration of the admin filter: admin: no token configured: ADMIN_TOKEN, ADMIN_READ_TOKEN are not set, or empty, in the environment of this filter; set it for Envoy's process, and name it in vm_config.environment_variables.host_env_keys of the admin filter; make a token with: openssl rand -hex 32",
    unseen: "the environment of Envoy is not in its configuration",
    remedy: "Set it to a token.",
  },
  {
    group: TOKENS,
    what: "`ADMIN_TOKEN` is one character long",
    starts: false,
    env: { ADMIN_TOKEN: "x", ADMIN_READ_TOKEN: undefined },
    see: 'configuration of the admin filter: admin.tokens_env[0]: the value of "ADMIN_TOKEN" is shorter than 8 characters, so it can be guessed; make one with: openssl rand -hex 32',
    unseen: "the environment of Envoy is not in its configuration",
    remedy: "A longer one.",
  },
  {
    group: TOKENS,
    what: "`ADMIN_TOKEN` has a blank in it",
    starts: false,
    env: { ADMIN_TOKEN: "two words of a token" },
    see: 'configuration of the admin filter: admin.tokens_env[0]: the value of "ADMIN_TOKEN" is not a token; expected 8 to 4096 visible ASCII characters without spaces',
    unseen: "the environment of Envoy is not in its configuration",
    remedy: "Letters, digits and `. _ ~ + / -`.",
  },
  {
    group: TOKENS,
    what: "`host_env_keys` is left out",
    starts: false,
    change: (document) => plugin(document, "admin").deleteIn(["vm_config", "environment_variables"]),
    see: "configuration of the admin filter: admin: no token configured: ADMIN_TOKEN, ADMIN_READ_TOKEN are not set, or empty, in the environment of this filter; set it for Envoy's process, and name it in vm_config.environment_variables.host_env_keys of the admin filter; make a token with: openssl rand -hex 32",
    remedy: "List the variables in `host_env_keys`.",
  },
  {
    group: TOKENS,
    what: "`tokens_env` names another variable",
    starts: false,
    edit: swap('["ADMIN_TOKEN"], "read_tokens_env": ["ADMIN_READ_TOKEN"]', '["TOKEN"]'),
    see: "configuration of the admin filter: admin: no token configured: TOKEN is not set, or empty, in the environment of this filter; set it for Envoy's process, and name it in vm_config.environment_variables.host_env_keys of the admin filter; make a token with: openssl rand -hex 32",
    remedy: "The same name in `tokens_env` and `host_env_keys`.",
  },
  {
    group: TOKENS,
    what: "no `admin` in the admin filter's JSON",
    starts: false,
    change: (document) => plugin(document, "admin").setIn(["configuration", "value"], '{"cache": "default"}'),
    see: "configuration of the admin filter: admin: no token configured, so anybody could change the cache; set admin.tokens",
    remedy: "`admin.tokens_env`.",
  },
  {
    group: TOKENS,
    what: "one token for reading and for all",
    starts: false,
    env: { ADMIN_READ_TOKEN: FULL_TOKEN },
    see: "configuration of the admin filter: admin: one token is in tokens and in read_tokens, so a caller that should only read may change everything; give the two lists tokens of their own; make one with: openssl rand -hex 32",
    unseen: "the environment of Envoy is not in its configuration",
    remedy: "Two tokens.",
  },
  {
    group: TOKENS,
    what: "`ADMIN_TOKEN` is not set, and `ADMIN_READ_TOKEN` is",
    starts: true,
    env: { ADMIN_TOKEN: undefined },
    see: "admin: nobody may change anything, because only read tokens are configured: ADMIN_TOKEN is not set, or empty, in the environment of this filter; set it for Envoy's process, and name it in vm_config.environment_variables.host_env_keys of the admin filter; make a token with: openssl rand -hex 32",
    unseen: "the environment of Envoy is not in its configuration",
    remedy: "Set it where Envoy starts.",
  },
  // --- The module
  {
    group: MODULE,
    what: "the module is not there",
    starts: false,
    modulePath: "/nonexistent/tls-session-cache.wasm",
    see: "Invalid path: /nonexistent/tls-session-cache.wasm",
    doctor: "/nonexistent/tls-session-cache.wasm: the module is not there",
    remedy: "`npm run build`, and the absolute path.",
  },
  {
    group: MODULE,
    what: "a relative path, and Envoy starts in another folder",
    starts: false,
    modulePath: "dist/tls-session-cache.wasm",
    see: "Invalid path: dist/tls-session-cache.wasm",
    doctor: "dist/tls-session-cache.wasm: the module is not there, seen from this folder",
    remedy: "The absolute path.",
  },
  {
    group: MODULE,
    what: "the file is not Wasm",
    starts: false,
    modulePath: join(BUILD_FOLDER, "demo-certificate.pem"),
    see: "Wasm VM failed Failed to parse corrupted Wasm module",
    doctor: "demo-certificate.pem: the file is not Wasm",
    remedy: "The file that `npm run build` made.",
  },
  {
    group: MODULE,
    what: "the file was cut short",
    starts: false,
    modulePath: shortened,
    see: "Wasm VM failed Failed to parse corrupted Wasm module",
    doctor: "shortened.wasm: the module was cut short",
    remedy: "Copy it again; compare its sha256.",
  },
  {
    group: MODULE,
    what: "another Wasm module",
    starts: false,
    modulePath: emptyModule,
    see: "Wasm VM failed Missing or unknown Proxy-Wasm ABI version",
    doctor: "empty.wasm: this is another module",
    remedy: "The file that `npm run build` made.",
  },
  {
    group: MODULE,
    what: "`runtime` of another engine",
    starts: false,
    edit: swap("runtime: envoy.wasm.runtime.v8", "runtime: envoy.wasm.runtime.wasmtime"),
    see: "Failed to create Wasm VM using envoy.wasm.runtime.wasmtime runtime. Envoy was compiled without support for it",
    doctor: "runtime is envoy.wasm.runtime.wasmtime",
    remedy: "`envoy.wasm.runtime.v8`.",
  },
  {
    group: MODULE,
    what: "remote code with a wrong `sha256`",
    starts: true,
    change: remote("serves"),
    use: visits,
    see: "Retry limit exceeded for fetching data from remote data source.",
    doctor: "nack_on_code_cache_miss is not set",
    remedy: "The sha256 of the file; `nack_on_code_cache_miss: true`.",
  },
  {
    group: MODULE,
    what: "a remote store that does not answer",
    starts: true,
    change: remote("away"),
    use: visits,
    see: "Retry limit exceeded for fetching data from remote data source.",
    doctor: "nack_on_code_cache_miss is not set",
    remedy: "Start the store first; `nack_on_code_cache_miss: true`.",
  },
  // --- Envoy's own fields
  {
    group: ENVOY,
    what: "`max_early_data_bytes` is left out",
    starts: true,
    edit: swap("max_early_data_bytes: 16384", ""),
    use: visits,
    see: 'steering has no effect, so connections are no longer held: cluster "tls_upstreams": tcp_proxy does not read before it connects, so no ClientHello arrived while connections were held; set max_early_data_bytes: 16384 on tcp_proxy',
    doctor: "max_early_data_bytes is not set",
    remedy: "Set it to 16384, or `steering` to `off`.",
  },
  {
    group: ENVOY,
    what: "`hash_policy` is left out",
    starts: true,
    edit: swap("hash_policy:\n                  - filter_state: { key: envoy.hashable_string }", ""),
    use: manyVisits,
    see: 'steering has no effect, so connections are no longer held: cluster "tls_upstreams": the text that the filter sets does not decide where a connection goes; set hash_policy: [{filter_state: {key: envoy.hashable_string}}] on tcp_proxy and lb_policy MAGLEV or RING_HASH on its cluster',
    doctor: "hash_policy does not hash the text that the filter sets",
    remedy: "As in `envoy.yaml`.",
  },
  {
    group: ENVOY,
    what: "`lb_policy: ROUND_ROBIN` with steering by hash",
    starts: true,
    edit: swap("lb_policy: MAGLEV", "lb_policy: ROUND_ROBIN"),
    use: manyVisits,
    see: 'steering has no effect, so connections are no longer held: cluster "tls_upstreams": the text that the filter sets does not decide where a connection goes; set hash_policy: [{filter_state: {key: envoy.hashable_string}}] on tcp_proxy and lb_policy MAGLEV or RING_HASH on its cluster',
    doctor: 'lb_policy ROUND_ROBIN of cluster "tls_upstreams" does not hash',
    remedy: "`MAGLEV` or `RING_HASH`, or steering `exact`.",
  },
  {
    group: ENVOY,
    what: "`allow_on_headers_stop_iteration` is left out",
    starts: true,
    edit: swap("allow_on_headers_stop_iteration: true", ""),
    use: withBody,
    see: '408 {…"detail":"the announced body does not come: Envoy keeps it back; set allow_on_headers_stop_iteration: true beside vm_config, or leave the body out and send the fields in the query, as in PUT /v1/timeout?timeout=7200"}',
    doctor: "allow_on_headers_stop_iteration is not set",
    remedy: "Set it in the admin filter.",
  },
  {
    group: ENVOY,
    what: "the observer stands behind `tcp_proxy`",
    starts: false,
    change: swapFilters,
    see: "Error: terminal filter named envoy.filters.network.tcp_proxy of type envoy.filters.network.tcp_proxy must be the last filter in a network filter chain.",
    doctor: "the observer stands behind tcp_proxy",
    remedy: "Put it in front.",
  },
  {
    group: ENVOY,
    what: "two listeners on one port",
    starts: false,
    change: samePort,
    see: "error adding listener: 'https' has duplicate address '127.0.0.1:…' as existing listener",
    doctor: 'listener "https" has the address of "tls_passthrough"',
    remedy: "A port for each.",
  },
  {
    group: ENVOY,
    what: "no `filter_state` with the session's ID in front of the guard",
    starts: true,
    edit: swap("object_key: tls_sid", "object_key: tls_session"),
    use: https,
    see: "a connection of TLS 1.2 or before came without a session ID, so the guard does nothing for it: put a set_filter_state filter in front that sets tls_sid from %DOWNSTREAM_TLS_SESSION_ID%, and turn tickets off on this listener (disable_stateless_session_resumption)",
    when: "with the first client of TLS 1.2, as there is no such ID in TLS 1.3",
    doctor: "no filter in front of the guard sets tls_sid",
    remedy: "The filter `tls_session_id` of `envoy.yaml`.",
  },
  {
    group: ENVOY,
    what: "the certificate is not there",
    starts: false,
    edit: swap("filename: build/demo-certificate.pem", "filename: build/none.pem"),
    see: "Failed to load incomplete certificate from build/none.pem: certificate chain not set",
    doctor: "build/none.pem: the file of certificate_chain is not there",
    remedy: "`npm run build` makes the demo's.",
  },
  {
    group: ENVOY,
    what: "the capability list beside `vm_config`, on 1.40",
    starts: true,
    change: listOutside,
    see: "Using deprecated option 'envoy.extensions.wasm.v3.PluginConfig.capability_restriction_config'",
    doctor: "capability_restriction_config stands beside vm_config",
    remedy: "In `vm_config`; `npm run -s config -- --envoy 1.40`.",
  },
  {
    group: ENVOY,
    what: "`failure_policy: FAIL_CLOSED`, and the module fails",
    starts: true,
    edit: swap("failure_policy: FAIL_RELOAD", "failure_policy: FAIL_CLOSED"),
    modulePath: buildTrappingModule,
    use: trapped,
    see: "Function: proxy_on_downstream_data failed: Uncaught RuntimeError: unreachable",
    doctor: "failure_policy is FAIL_CLOSED",
    remedy: "`FAIL_RELOAD`.",
  },
  {
    group: ENVOY,
    what: "TLS is terminated in front of the observer",
    starts: true,
    change: terminate,
    use: visits,
    see: '"not_tls":6',
    doctor: "TLS is terminated in front of the observer",
    remedy: "The observer is for passthrough; the guard for a listener that terminates.",
  },
  {
    group: ENVOY,
    what: "the servers are away",
    starts: true,
    edit: (text) => text.replaceAll(/(address: 127\.0\.0\.1\n\s+port_value: )\d+/g, "$11"),
    use: visits,
    see: '"failed":6',
    unseen: "whether servers run is not in a configuration; `doctor --envoy-admin URL` sees it",
    remedy: "Start them.",
  },
  // --- Capabilities
  ...(["observer", "admin", "guard"] as const).flatMap((root) =>
    USED_AT_ONCE[root].map((name): Mistake => ({
      group: CAPABILITIES,
      what: `\`${name}\` is left out of the ${root}'s list`,
      starts: !NEEDED[root].includes(name),
      change: without(root, name),
      use: traffic,
      doctor: `allowed_capabilities of the ${root} misses ${name}`,
      see: `Attempted call to restricted ${name.startsWith("proxy_") ? "proxy-wasm" : "WASI"} capability: ${name}`,
      remedy: "The whole list of `envoy.yaml`.",
    })),
  ),
  ...(["observer", "admin"] as const).flatMap((root) =>
    ["proxy_on_context_create", "proxy_on_configure", "proxy_on_tick"].map((name) => callback(root, name)),
  ),
  callback("observer", "proxy_on_new_connection"),
  callback("observer", "proxy_on_downstream_data"),
  {
    group: CAPABILITIES,
    what: "`proxy_on_upstream_data` is left out of the observer's list",
    starts: true,
    change: without("observer", "proxy_on_upstream_data"),
    use: visits,
    see: '"failed":6',
    when: "in `GET /v1/stats`, where each handshake counts as one that was not finished: nobody sees the servers' answers",
    doctor: "allowed_capabilities of the observer misses proxy_on_upstream_data",
    remedy: "The whole list of `envoy.yaml`.",
  },
  ...(["proxy_on_request_headers", "proxy_on_request_body"] as const).map((name): Mistake => ({
    group: CAPABILITIES,
    what: `\`${name}\` is left out of the admin filter's list`,
    starts: true,
    change: without("admin", name),
    use: call("PUT", "/v1/sessions/c0ffee", { body: {} }),
    doctor: `allowed_capabilities of the admin misses ${name}`,
    see: "404 (an empty body)",
    remedy: "The whole list of `envoy.yaml`.",
  })),
  // --- Calls
  {
    group: USE,
    unseen: A_CALL,
    what: "no token",
    starts: true,
    use: call("GET", "/v1/stats", { token: null }),
    see: '401 {"title":"Unauthorized","status":401,"detail":"no valid token; send a configured one as Authorization: Bearer TOKEN"}',
    remedy: "`Authorization: Bearer TOKEN`.",
  },
  {
    group: USE,
    unseen: A_CALL,
    what: "another token",
    starts: true,
    use: call("GET", "/v1/stats", { token: "wrong-token-0123456789" }),
    see: '401 {"title":"Unauthorized","status":401,"detail":"no valid token; send a configured one as Authorization: Bearer TOKEN"}',
    remedy: "The one of `ADMIN_TOKEN`.",
  },
  {
    group: USE,
    unseen: A_CALL,
    what: "a change with the token that may only read",
    starts: true,
    use: call("DELETE", "/v1/sessions/c0ffee", { token: READ_TOKEN }),
    see: '403 {"title":"Forbidden","status":403,"detail":"this token may only read (GET and HEAD); use one of admin.tokens for changes"}',
    remedy: "The one of `ADMIN_TOKEN`.",
  },
  {
    group: USE,
    unseen: A_CALL,
    what: "a path that there is not",
    starts: true,
    use: call("GET", "/v1/session"),
    see: '404 {"title":"Not Found","status":404,"detail":"\\"/v1/session\\" is not a path of this API; GET /v1/openapi.json lists them"}',
    remedy: "`GET /v1/openapi.json` has them all.",
  },
  {
    group: USE,
    unseen: A_CALL,
    what: "a method that there is not",
    starts: true,
    use: call("POST", "/v1/sessions/c0ffee"),
    see: '405 {"title":"Method Not Allowed","status":405,"detail":"this path has no such method; it allows GET, HEAD, PUT, DELETE"}',
    remedy: "One of those that it names.",
  },
  {
    group: USE,
    unseen: A_CALL,
    what: "an ID that is not hexadecimal",
    starts: true,
    use: call("DELETE", "/v1/sessions/shop.example"),
    see: '400 {"title":"Bad Request","status":400,"detail":"expected a session ID, 2 to 64 hexadecimal digits, two for each byte"}',
    remedy: "As the list shows it.",
  },
  {
    group: USE,
    unseen: A_CALL,
    what: "a body that is not JSON",
    starts: true,
    use: call("PUT", "/v1/timeout", { body: "timeout=5" }),
    see: '400 {"title":"Bad Request","status":400,"detail":"body: expected a JSON object; line 1, column 2: expected a value"}',
    remedy: 'As in `{"timeout": 300}`.',
  },
];

/** As tests/faults/trapping_module.ts has it. */
const TRAP_BYTES = 7;

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

async function https({ httpsPort }: Running): Promise<string[]> {
  const connection = await HttpsConnection.open({ port: httpsPort, version: "TLSv1.2" });
  const { status } = await connection.request();
  connection.close();
  return [`${status}`];
}

/** So many clients that the filter can judge what its steering comes to. Where connections lead by chance, that takes a while. */
async function manyVisits({ tlsPort, isTold }: Running): Promise<string[]> {
  const sessions: (Buffer | undefined)[] = Array.from({ length: 11 }, () => undefined);
  for (let round = 0; round < MAX_ROUNDS && !isTold(); round++) {
    for (const [i, session] of sessions.entries()) {
      const seen = await visitServer({ port: tlsPort, version: "TLSv1.2", timeoutSeconds: 4, session });
      sessions[i] = seen.session;
    }
  }
  return [];
}

/** A client whose bytes make the trapping module trap, and one behind it. */
async function trapped(running: Running): Promise<string[]> {
  await new Promise<void>((resolve) => {
    const socket = connect(running.tlsPort, "127.0.0.1", () => socket.write("x".repeat(TRAP_BYTES)));
    socket.on("error", () => resolve());
    socket.on("close", () => resolve());
    socket.setTimeout(3000, () => socket.destroy());
  });
  return visits(running);
}

async function addition({ admin }: Running): Promise<string[]> {
  const { status } = await admin("PUT", "/v1/sessions/c0ffee");
  await sleep(2500);
  return [`${status}`];
}

function call(method: string, path: string, request = {}): (running: Running) => Promise<string[]> {
  return async ({ admin }) => {
    const { status, text } = await admin(method, path, request);
    return [`${status} ${text === "" ? "(an empty body)" : text}`];
  };
}

/** One client and one call, as every installation has them soon. */
async function traffic({ tlsPort, admin }: Running): Promise<string[]> {
  const end = (error: unknown): string => (error as Error).message;
  const client = await visitServer({ port: tlsPort, version: "TLSv1.2", timeoutSeconds: 3 }).then(() => "served", end);
  const late = sleep(3000).then(() => "no answer within 3 s");
  const answer = admin("PUT", "/v1/sessions/c0ffee").then(({ text }) => text, end);
  return [client, await Promise.race([answer, late])];
}

/** A callback that Envoy leaves out without a word. The filter tells what it misses, on the evidence of what comes all the same. */
function callback(root: "observer" | "admin", name: string): Mistake {
  return {
    group: CAPABILITIES,
    what: `\`${name}\` is left out of the ${root}'s list`,
    starts: true,
    change: without(root, name),
    use: name === "proxy_on_tick" ? lastingTraffic : traffic,
    doctor: `allowed_capabilities of the ${root} misses ${name}`,
    see: `the host does not call ${name} of this filter; allow it in allowed_capabilities of capability_restriction_config, or leave that out`,
    when:
      name === "proxy_on_tick"
        ? "if something comes later than a few seconds after the start"
        : "with the first connection",
    remedy: "The whole list of `envoy.yaml`.",
  };
}

/** Clients and calls over some seconds. */
async function lastingTraffic(running: Running): Promise<string[]> {
  const said: string[] = [];
  for (let second = 0; second < 5; second++) {
    said.push(...(await traffic(running)));
    await sleep(1000);
  }
  return said;
}

function without(root: "observer" | "admin" | "guard", name: string): (document: Document) => void {
  return (document) => {
    const path = ["vm_config", "capability_restriction_config", "allowed_capabilities", name];
    if (!plugin(document, root).deleteIn(path)) throw new Error(`envoy.yaml does not allow ${root} ${name}`);
  };
}

/** The observer's code from a store: one that serves the module, or one that is away. */
function remote(store: "serves" | "away"): (document: Document, sparePort: number) => Promise<void> {
  return async (document, port) => {
    if (store === "serves") await serveModule(port);
    const address = { socket_address: { address: "127.0.0.1", port_value: port } };
    const endpoints = [{ lb_endpoints: [{ endpoint: { address } }] }];
    const cluster = { name: "store", type: "STATIC", load_assignment: { cluster_name: "store", endpoints } };
    document.addIn(["static_resources", "clusters"], document.createNode(cluster));
    const http_uri = { uri: "http://store/module.wasm", cluster: "store", timeout: "1s" };
    const code = { remote: { http_uri, sha256: "0".repeat(64), retry_policy: { num_retries: 0 } } };
    plugin(document, "observer").setIn(["vm_config", "code"], document.createNode(code));
  };
}

/** The server does not keep the process alive. */
async function serveModule(port: number): Promise<void> {
  const server = createServer((_, response) => response.end(readFileSync(MODULE_FILE)));
  server.listen(port, "127.0.0.1").unref();
  await once(server, "listening");
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

function shortened(): Promise<string> {
  const file = join(BUILD_FOLDER, "shortened.wasm");
  writeFileSync(file, readFileSync(MODULE_FILE).subarray(0, 50_000));
  return Promise.resolve(file);
}

function emptyModule(): Promise<string> {
  const file = join(BUILD_FOLDER, "empty.wasm");
  writeFileSync(file, Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  return Promise.resolve(file);
}

const MAX_ROUNDS = 40;
