import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fleetComposeFaults } from "./fleet_compose_check.ts";
import { FLEET_COMPOSE_FILE } from "../../project.ts";

const COMPOSE = readFileSync(FLEET_COMPOSE_FILE, "utf8");

test("finds nothing wrong with the shipped file", () => {
  assert.deepEqual(fleetComposeFaults(COMPOSE), []);
});

const FAULTS: [string, string | RegExp, string, RegExp][] = [
  ["an image without a version", "etcd:v3.5.17", "etcd:latest", /not pinned/],
  ["a network of its own", "network_mode: host", "network_mode: bridge", /host networking/],
  ["an etcd that asks for no certificate", "      - --client-cert-auth\n", "", /--client-cert-auth/],
  ["an etcd with its JSON gateway", "      - --enable-grpc-gateway=false\n", "", /--enable-grpc-gateway/],
  ["an etcd beyond loopback", "urls=https://127.0.0.1:2379", "urls=https://0.0.0.0:2379", /leaves loopback/],
  ["a configuration that nothing makes", "> build/fleet/edge-2.yaml", "> build/fleet/edge-3.yaml", /nothing makes/],
  ["a proxy without a certificate", "build/fleet edge-1 edge-2", "build/fleet edge-1", /edge-2 gets no certificate/],
  ["a proxy without a role", "etcd_roles.sh edge-1 edge-2", "etcd_roles.sh edge-2", /edge-1 gets no role/],
  ["two proxies on the same ports", " --shift-ports 1000", "", /the same ports/],
  ["two Envoys of one base id", '"--base-id", "2"', '"--base-id", "1"', /base id/],
  ["a writable mount", "/etc/tls-session-cache/build:ro\n    depends_on", "/build\n    depends_on", /may write/],
  ["a shipped token", /ADMIN_TOKEN: \$.*/, "ADMIN_TOKEN: letmein", /ADMIN_TOKEN is not demanded/],
];
for (const [what, from, to, fault] of FAULTS) {
  test(`finds ${what}`, () => {
    const changed = COMPOSE.replace(from, to);
    assert.notEqual(changed, COMPOSE);
    assert.match(fleetComposeFaults(changed).join("\n"), fault);
  });
}
