import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { fittedTo, renderEnvoyConfig } from "./envoy_config.ts";
import { ENVOY_CONFIG_FILE } from "../project.ts";

const SHIPPED = readFileSync(ENVOY_CONFIG_FILE, "utf8");

test("without options it says the same as the shipped file", () => {
  assert.deepEqual(parse(renderEnvoyConfig()), parse(SHIPPED));
});

test("ports, upstreams and the module's path are changed, and nothing else", () => {
  const rendered = renderEnvoyConfig({
    tlsPort: 20443,
    httpsPort: 20444,
    adminPort: 20080,
    envoyAdminPort: 20901,
    modulePath: "/opt/filter.wasm",
    certificatePath: "/opt/certificate.pem",
    upstreams: ["127.0.0.1:20501", "[::1]:20502"],
  });
  const expected = SHIPPED.replaceAll("port_value: 10443", "port_value: 20443")
    .replaceAll("port_value: 10444", "port_value: 20444")
    .replaceAll("port_value: 10080", "port_value: 20080")
    .replaceAll("port_value: 10901", "port_value: 20901")
    .replaceAll("filename: build/tls-session-cache.wasm", "filename: /opt/filter.wasm")
    .replaceAll("filename: build/demo-certificate.pem", "filename: /opt/certificate.pem")
    .replaceAll("address: 127.0.0.1, port_value: 10501", "address: 127.0.0.1, port_value: 20501")
    .replaceAll("address: 127.0.0.1, port_value: 10502", 'address: "::1", port_value: 20502');
  assert.notEqual(expected, SHIPPED);
  assert.deepEqual(parse(rendered), parse(expected));
});

test("an upstream named by a host name makes the cluster resolve by DNS", () => {
  const named = renderEnvoyConfig({ upstreams: ["shop.example:443"] });
  assert.match(named, /type: STRICT_DNS/);
  assert.match(named, /dns_lookup_family: ALL/);
  assert.doesNotMatch(renderEnvoyConfig({ upstreams: ["10.0.0.7:443"] }), /type: STRICT_DNS/);
});

test("settings are merged into the plugin configurations that they are for", () => {
  const rendered = renderEnvoyConfig({
    cache: { cache_size: 7 },
    observer: { mode: ["SERVER"] },
    guard: { timeout: 60 },
    admin: { admin: { tokens: ["secret"], tokens_env: undefined } },
  });
  const [observer, admin, guard] = pluginConfigurations(rendered);
  assert.deepEqual(observer, {
    cache: "default",
    steering: "hash",
    cluster: "tls_upstreams",
    exact_cluster: "tls_upstreams_exact",
    cache_size: 7,
    mode: ["SERVER"],
  });
  assert.deepEqual(guard, { cache: "default", cache_size: 7, timeout: 60 });
  assert.deepEqual(admin, {
    cache: "default",
    cache_size: 7,
    admin: { tokens: ["secret"], read_tokens_env: ["ADMIN_READ_TOKEN"] },
  });
});

test("for each version the capability list stands where that version reads it, and nothing of it is lost", () => {
  const lists = (text: string): unknown[] => findAll(parse(text), (key) => key === "capability_restriction_config");
  const shipped = lists(SHIPPED);
  assert.equal(shipped.length, 3);
  for (const version of ["1.36.4", "1.37.0", "1.38.2", "1.39.3"]) {
    const rendered = renderEnvoyConfig({ envoyVersion: version });
    assert.deepEqual(lists(rendered), shipped, version);
    assert.deepEqual(lists(JSON.stringify(findAll(parse(rendered), (key) => key === "vm_config"))), [], version);
    assert.match(rendered, /# What the module may call here/, "the comment is still there");
  }
});

test("a version is not asked for abilities that it does not have", () => {
  const steering = (version: string): unknown =>
    (pluginConfigurations(renderEnvoyConfig({ envoyVersion: version }))[0] as { steering: unknown }).steering;
  assert.deepEqual(["1.36.4", "1.37.0", "1.38.2", "1.40.0"].map(steering), ["off", "exact", "hash", "hash"]);
  for (const [version, has] of [
    ["1.36.4", false],
    ["1.37.0", true],
  ] as const) {
    const keys = JSON.stringify(parse(renderEnvoyConfig({ envoyVersion: version })));
    assert.equal(keys.includes('"max_early_data_bytes"'), has, version);
    assert.equal(keys.includes('"close_when_refused"'), has, version);
  }
});

test("a text for the shipped version is fitted by its fields alone, and stays as it is where they are right", () => {
  assert.equal(fittedTo("1.40.0", SHIPPED), SHIPPED);
  assert.equal(fittedTo("1.41.0", SHIPPED), SHIPPED);
  const older = fittedTo("1.37.0", SHIPPED);
  assert.deepEqual(pluginConfigurations(older), pluginConfigurations(SHIPPED));
  assert.equal(fittedTo("1.37.0", older), older);
});

test("a file without the expected place is refused by the name of that place", () => {
  const folder = mkdtempSync(join(tmpdir(), "envoy-config-"));
  try {
    const source = join(folder, "envoy.yaml");
    writeFileSync(source, SHIPPED.replace("name: session_admin\n", "name: other\n"));
    assert.throws(
      () => renderEnvoyConfig({ source, adminPort: 1 }),
      /has no .*session_admin > address > socket_address/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("upstreams that are no addresses are refused", () => {
  for (const upstream of ["", "host", "host:0", "host:65536", "::1:443", "[10.0.0.1]:443", "a b:1"]) {
    assert.throws(() => renderEnvoyConfig({ upstreams: [upstream] }), /is not host:port/, upstream);
  }
  assert.throws(() => renderEnvoyConfig({ upstreams: [] }), /at least one upstream/);
});

/** Of the observer, the admin API and the guard. */
function pluginConfigurations(rendered: string): unknown[] {
  const found: unknown[] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    if ("root_id" in node && "configuration" in node) {
      found.push(JSON.parse((node.configuration as { value: string }).value));
    }
    Object.values(node).forEach(walk);
  };
  walk(parse(rendered));
  return found;
}

/** The values of all fields that `isWanted` by their names. */
function findAll(node: unknown, isWanted: (key: string) => boolean): unknown[] {
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) => (isWanted(key) ? [value] : findAll(value, isWanted)));
}
