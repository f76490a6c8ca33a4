import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { podFaults, runbookFaults, unitFaults, unnamedFiles } from "./deploy_check.ts";
import { applyJsonPatch } from "./parts/patches.ts";
import { configurationOf, PARTS } from "./parts/parts.ts";
import { DEPLOY_FOLDER, type Node } from "./parts/yaml_tree.ts";
import { resourceFaults } from "./resource_schemas.ts";
import { readDashboard, readRules, selectorsIn } from "./watching_files.ts";

const DAEMONSET = "kubernetes/daemonset.yaml";

function changed(file: string, from: string | RegExp, to: string): Node[] {
  const text = readFileSync(join(DEPLOY_FOLDER, file), "utf8");
  const result = text.replace(from, to);
  assert.notEqual(result, text, `${file} has no ${String(from)}`);
  return parseAllDocuments(result).map((document) => document.toJS() as Node);
}

const UNFIT: [string, string, string | RegExp, string, RegExp][] = [
  ["an unknown field of a pod", DAEMONSET, "hostPort: 443", "hostport: 443", /DaemonSet.*has no field hostport/],
  ["a wrong type", DAEMONSET, "failureThreshold: 60", "failureThreshold: often", /failureThreshold.*integer/],
  ["an unknown field of metadata", DAEMONSET, "metadata: { name", "metadata: { nam: x, name", /has no field nam/],
  ["an unknown kind", DAEMONSET, "kind: DaemonSet", "kind: DemonSet", /there is no schema of apps\/v1 DemonSet/],
  [
    "a fail strategy that Istio has not",
    "istio/observer.yaml",
    "FAIL_RELOAD",
    "FAIL_CLOSED",
    /failStrategy.*allowed values/,
  ],
  ["an unknown field of TrafficExtension", "istio/observer.yaml", "pluginName:", "rootId:", /has no field rootId/],
  [
    "a context that Istio has not",
    "istio/steering.yaml",
    "context: GATEWAY",
    "context: EDGE",
    /context.*allowed values/,
  ],
  ["an unknown field of EnvoyProxy", "envoy-gateway/gateway.yaml", "volumeMounts:", "mounts:", /has no field mounts/],
  [
    "an operation that JSON Patch has not",
    "envoy-gateway/session-cache.yaml",
    "op: add",
    "op: insert",
    /op.*allowed values/,
  ],
  ["a TLSRoute without backends", "envoy-gateway/gateway.yaml", /- backendRefs: .*/, "- {}", /backendRefs/],
];
for (const [what, file, from, to, fault] of UNFIT) {
  test(`the schemas find ${what}`, () => {
    assert.match(resourceFaults(file, changed(file, from, to)).join("\n"), fault);
  });
}

const PODS: [string, string | RegExp, string, RegExp][] = [
  [
    "a grace period that ends before preStop",
    "terminationGracePeriodSeconds: 60",
    "terminationGracePeriodSeconds: 40",
    /follow each other/,
  ],
  ["a preStop that ends before the drain", "sleep 40", "sleep 30", /follow each other/],
  [
    "a probe of a port that is not there",
    "port: metrics }\n            periodSeconds: 5",
    "port: http }\n            periodSeconds: 5",
    /readinessProbe asks no port/,
  ],
  ["tokens from elsewhere", "secretRef:", "configMapRef:", /not come from a Secret/],
  ["a Secret in the file", "kind: ConfigMap", "kind: Secret", /ships a Secret/],
];
for (const [what, from, to, fault] of PODS) {
  test(`a pod's check finds ${what}`, () => {
    assert.match(podFaults(DAEMONSET, "DaemonSet", changed(DAEMONSET, from, to)).join("\n"), fault);
  });
}

test("a file that deploy/README.md does not link is found", () => {
  const readme = readFileSync(join(DEPLOY_FOLDER, "README.md"), "utf8");
  assert.deepEqual(unnamedFiles(readme), []);
  assert.deepEqual(unnamedFiles(readme.replaceAll("](istio/admin.yaml)", "]")), [
    "deploy/README.md does not link istio/admin.yaml",
  ]);
});

test("an alert without a heading, with another page, and a heading without an alert are found", () => {
  const alert = { alert: "TlsA", expr: "up", annotations: { runbook: "docs/use/watching.md#tlsa" } };
  assert.deepEqual(runbookFaults([alert, { record: "a:b", expr: "up" }], "### TlsA\n"), []);
  assert.deepEqual(runbookFaults([alert], "### TlsB\n"), ["TlsA has no heading", "TlsB is not an alert"]);
  const elsewhere = { ...alert, annotations: { runbook: "docs/use/watching.md#tlsb" } };
  assert.deepEqual(runbookFaults([elsewhere], "### TlsA\n"), ["TlsA leads to another page"]);
});

test("too few files, and a setting under which V8 cannot run, are found in the unit", async () => {
  const unit = readFileSync(join(DEPLOY_FOLDER, "systemd", "tls-session-cache.service"), "utf8");
  const folder = mkdtempSync(join(tmpdir(), "tls-session-cache-"));
  try {
    const few = await unitFaults(process.execPath, folder, unit.replace("LimitNOFILE=131072", "LimitNOFILE=65536"));
    assert.match(String(few), /LimitNOFILE=65536 does not suffice for 50000 connections/);
    const denied = await unitFaults(
      process.execPath,
      folder,
      unit.replace("NoNewPrivileges=yes", "MemoryDenyWriteExecute=yes"),
    );
    assert.match(String(denied), /V8 cannot run/);
    const unknown = await unitFaults(process.execPath, folder, unit.replace("DynamicUser=yes", "DynamicUsr=yes"));
    assert.match(String(unknown), /DynamicUsr|there is no systemd-analyze/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a JSON Patch whose path leads nowhere is an error, as it is to Envoy Gateway", () => {
  const target: Node = { filters: [{ name: "a" }] };
  applyJsonPatch(target, "add", "/filters/0", { name: "b" });
  applyJsonPatch(target, "replace", "/filters/1/name", "c");
  assert.deepEqual(target, { filters: [{ name: "b" }, { name: "c" }] });
  assert.throws(() => applyJsonPatch(target, "add", "/chains/0/name", "d"), /leads nowhere/);
  assert.throws(() => applyJsonPatch(target, "replace", "/filters/0/other", "d"), /leads nowhere/);
});

test("each part of Envoy has the places that it is given, and none of its own", () => {
  const places = {
    modulePath: "/module.wasm",
    upstreams: ["127.0.0.1:7"],
    tlsPort: 1,
    adminPort: 2,
    envoyAdminPort: 3,
    metricsPort: 4,
  };
  for (const part of PARTS) {
    const text = JSON.stringify(configurationOf(part, places));
    const ports = [...text.matchAll(/"address":"([^"]+)","port_value":(\d+)/g)].map(
      ([, host, port]) => `${host}:${port}`,
    );
    const expected = [
      "127.0.0.1:1",
      "127.0.0.1:2",
      "127.0.0.1:3",
      "127.0.0.1:7",
      ...(part.servesMetrics ? ["127.0.0.1:4"] : []),
    ];
    assert.deepEqual([...new Set(ports)].sort(), expected.sort(), part.name);
    assert.deepEqual(
      [...new Set([...text.matchAll(/"filename":"([^"]+)"/g)].map(([, file]) => file))],
      ["/module.wasm"],
      part.name,
    );
  }
});

test("the expressions of dashboard and alerts are read", () => {
  const [selector] = selectorsIn('sum(rate(tls_session_cache_x_total{job=~"$job", cause="sni", kind!="id"}[5m]))');
  assert.deepEqual(selector, {
    metric: "tls_session_cache_x_total",
    labels: [
      { name: "job", value: null },
      { name: "cause", value: "sni" },
      { name: "kind", value: "id" },
    ],
  });
  assert.deepEqual(selectorsIn("tls_session_cache:resumed:ratio_rate10m < up"), []);
  assert.ok(readDashboard().length >= 15 && readRules().length >= 15);
});
