import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { composeFaults } from "./compose_check.ts";
import { COMPOSE_FILE, ENVOY_CONFIG_FILE } from "../../project.ts";

const COMPOSE = readFileSync(COMPOSE_FILE, "utf8");
const ENVOY_CONFIG = readFileSync(ENVOY_CONFIG_FILE, "utf8");

const FAULTS: [string, string | RegExp, string, RegExp][] = [
  ["an image without a version", "envoy:v1.40.0", "envoy:latest", /not pinned/],
  ["an image without a tag", "alpine/openssl:3.5.5", "alpine/openssl", /not pinned/],
  ["a network of its own", "network_mode: host", "network_mode: bridge", /host networking/],
  ["another configuration", '"-c", "envoy.yaml"', '"-c", "other.yaml"', /other\.yaml is not mounted/],
  ["a mount that does not exist", "./envoy.yaml:", "./gone.yaml:", /gone\.yaml, which does not exist/],
  ["a writable mount", "envoy.yaml:ro", "envoy.yaml", /not mounted read-only/],
  ["a shipped token", /ADMIN_TOKEN: \$.*/, "ADMIN_TOKEN: letmein", /ADMIN_TOKEN is not demanded/],
  ["an upstream elsewhere", "127.0.0.1:10502", "127.0.0.1:10503", /sends to 127\.0\.0\.1:10502/],
];
for (const [what, from, to, fault] of FAULTS) {
  test(`finds ${what}`, () => {
    const changed = COMPOSE.replace(from, to);
    assert.notEqual(changed, COMPOSE);
    assert.match(composeFaults(changed, ENVOY_CONFIG).join("\n"), fault);
  });
}
