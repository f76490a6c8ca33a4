import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { edgeFaults } from "./edge_check.ts";
import { fittedTo } from "../../proxies/envoy_config.ts";
import { ENVOY_CONFIG_FILE } from "../../project.ts";

const SHIPPED = readFileSync(ENVOY_CONFIG_FILE, "utf8");

test("the shipped file has no fault", () => {
  assert.deepEqual(edgeFaults(SHIPPED), []);
});

test("the file for an older Envoy has none either: its capability lists stand elsewhere", () => {
  assert.deepEqual(edgeFaults(fittedTo("1.39.3", SHIPPED)), []);
});

const FAULTS: [string, string | RegExp, string, RegExp][] = [
  [
    "a listener for everybody",
    "address: 127.0.0.1, port_value: 10443",
    "address: 0.0.0.0, port_value: 10443",
    /loopback/,
  ],
  [
    "an admin API for everybody",
    "address: 127.0.0.1, port_value: 10080",
    'address: "::", port_value: 10080',
    /loopback/,
  ],
  ["Envoy's admin for everybody", "127.0.0.1, port_value: 10901", "10.0.0.1, port_value: 10901", /own admin is on/],
  ["no buffer limit", "per_connection_buffer_limit_bytes: 32768", "drain_type: DEFAULT", /no buffer limit/],
  ["a buffer that early data fills", "max_early_data_bytes: 16384", "max_early_data_bytes: 20000", /less than twice/],
  [
    "headers from outside that are trusted",
    "use_remote_address: true",
    "use_remote_address: false",
    /use_remote_address/,
  ],
  ["paths of which nothing is said", "normalize_path: false", "server_name: envoy", /normalize_path is not said/],
  ["a caller who may take for ever", "request_timeout: 30s", "server_name: envoy", /request_timeout is not said/],
  ["underscores in headers", "_action: REJECT_REQUEST", "_action: ALLOW", /underscores_action is "ALLOW"/],
  ["streams without number", "max_concurrent_streams: 100", "max_concurrent_streams: 9999", /max_concurrent_streams/],
  ["memory without bound", /resource_monitors\.fixed_heap/g, "resource_monitors.other", /no envoy\.resource_monitors/],
  ["an action that is none", "overload_actions.stop_accepting", "overload_actions.stop", /no envoy\.overload_actions/],
  ["a module that may do anything", "capability_restriction_config:", "other:", /observer may call everything/],
  ["a filter that fails open", "failure_policy: FAIL_RELOAD", "failure_policy: FAIL_OPEN", /does not reload/],
  ["a shipped token", '"tokens_env": ["ADMIN_TOKEN"]', '"tokens": ["letmein"]', /ships a token/],
  ["no token at all", '"tokens_env": ["ADMIN_TOKEN"]', '"allow_unauthenticated": true', /asks for no token/],
];
for (const [what, from, to, fault] of FAULTS) {
  test(`finds ${what}`, () => {
    const changed = SHIPPED.replace(from, to);
    assert.notEqual(changed, SHIPPED);
    assert.match(edgeFaults(changed).join("\n"), fault);
  });
}
