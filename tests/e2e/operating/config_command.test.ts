/**
 * tls-sessions config: an envoy.yaml of one's own, before and after. Envoy and doctor find nothing wrong with the result, and real
 * clients resume through it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { findEnvoy } from "../../../tools/proxies/envoy_binary.ts";
import { startEnvoy } from "../../../tools/proxies/envoy_process.ts";
import { freePorts } from "../../../tools/proxies/free_ports.ts";
import { DEMO_CERTIFICATE_FILE, MODULE_FILE, PROJECT_FOLDER } from "../../../tools/project.ts";
import { FULL_TOKEN, READ_TOKEN } from "../../contract/client.ts";
import type { AnswerBody } from "../../support/answer.ts";
import { HttpsConnection } from "../../support/https_client.ts";
import { adminClient, eventually } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";

const LAUNCHER = join(PROJECT_FOLDER, "tools", "client", "tls-sessions.mjs");
const TOKENS = { ADMIN_TOKEN: FULL_TOKEN, ADMIN_READ_TOKEN: READ_TOKEN };

let upstreams: DemoUpstream[] = [];
let folder: string;
let binary: string;

before(async () => {
  upstreams = await Promise.all(["alpha", "beta", "gamma"].map((name) => startDemoUpstream({ name, tickets: true })));
  folder = mkdtempSync(join(tmpdir(), "tls-sessions-config-"));
  binary = await findEnvoy(() => undefined);
});
after(async () => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
  await Promise.all(upstreams.map((upstream) => upstream.close()));
});

/** As somebody has it who runs Envoy today. */
function plain(tlsPort: number, envoyAdminPort: number): string {
  const endpoints = upstreams.map(
    ({ port }) =>
      `              - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: ${String(port)} } } }`,
  );
  return `# Our edge.
static_resources:
  listeners:
    - name: edge
      address: { socket_address: { address: 127.0.0.1, port_value: ${String(tlsPort)} } }
      per_connection_buffer_limit_bytes: 8192
      filter_chains:
        - filters:
            # Nothing in front of it yet.
            - name: envoy.filters.network.tcp_proxy
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
                stat_prefix: edge
                cluster: shop
  clusters:
    - name: shop
      type: STATIC
      connect_timeout: 1s
      load_assignment:
        cluster_name: shop
        endpoints:
          - lb_endpoints:
${endpoints.join("\n")}
admin: { address: { socket_address: { address: 127.0.0.1, port_value: ${String(envoyAdminPort)} } } }
`;
}

describe("tls-sessions config --into", () => {
  it("makes a file of one's own steer and refuse", async () => {
    const [tlsPort = 0, adminPort = 0, envoyAdminPort = 0] = await freePorts(3);
    const wishes = ["--steer", "--admin", "--admin-port", String(adminPort), "--labels"];
    const text = changed(plain(tlsPort, envoyAdminPort), ...wishes);
    assert.match(text, /# Our edge\.[^]*# Nothing in front of it yet\./, "comments stay");
    judged(text);
    assert.equal(changed(text, ...wishes), text, "it can be done again");

    const configuration = text;
    const envoy = await startEnvoy({ binary, configuration, envoyAdminPort, concurrency: 1, env: TOKENS });
    try {
      const admin = adminClient(adminPort);
      let last;
      for (let client = 0; client < 8; client++) {
        const first = await visit({ port: tlsPort, version: "TLSv1.2" });
        last = await visit({ port: tlsPort, version: "TLSv1.2", session: first.session });
        assert.ok(last.resumed, `client ${String(client)} went to ${last.upstream} instead of ${first.upstream}`);
      }
      assert.ok(last !== undefined);
      const { resumed } = (await admin("GET", "/v1/stats")).json as unknown as { resumed: { ticket: number } };
      assert.equal(resumed.ticket, 8);
      assert.equal((await admin("DELETE", `/v1/sessions/${last.id}`)).status, 200);
      const again = await visit({ port: tlsPort, version: "TLSv1.2", session: last.session });
      assert.equal(again.resumed, false, "it is diverted");
    } finally {
      await envoy.stop();
    }
  });

  it("guards a listener that terminates TLS", async () => {
    const [tlsPort = 0, adminPort = 0, envoyAdminPort = 0, httpsPort = 0] = await freePorts(4);
    const [head = "", tail = ""] = plain(tlsPort, envoyAdminPort).split("  clusters:\n");
    const before = `${head}${https(httpsPort)}  clusters:\n${tail}`;
    const text = changed(before, "--admin-port", String(adminPort), "--guard", "https", "--restrict");
    judged(text);
    const envoy = await startEnvoy({ binary, configuration: text, envoyAdminPort, concurrency: 1, env: TOKENS });
    try {
      const connection = await HttpsConnection.open({ port: httpsPort, version: "TLSv1.2" });
      assert.equal((await connection.request()).status, 200);
      connection.close();
      await eventually("the guard learns the session", async () => {
        const { json } = await adminClient(adminPort)("GET", "/v1/sessions");
        const { sessions = [] } = json as AnswerBody;
        assert.deepEqual(
          sessions.map(({ kind, origin }) => [kind, origin]),
          [["id", "observed"]],
        );
      });
    } finally {
      await envoy.stop();
    }
  });

  it("says what it does not find", () => {
    const noProxy = run(["config", "--into", "-"], "static_resources: { listeners: [] }\n");
    assert.deepEqual([noProxy.status, noProxy.stdout], [2, ""]);
    assert.match(noProxy.stderr, /^error: -: no listener has a tcp_proxy and leaves TLS alone/);
    const other = run(["config", "--into", "-", "--listener", "ege"], plain(1, 2));
    assert.match(other.stderr, /^error: -: name a listener with a tcp_proxy, one of edge: --listener NAME\n$/);
    const elsewhere = plain(1, 2).replace("cluster: shop\n", "cluster: shops\n");
    const warned = run(["config", "--into", "-", "--steer"], elsewhere);
    assert.equal(warned.status, 0);
    assert.match(warned.stderr, /^warning: cluster "shops" is not in this file: set its lb_policy to MAGLEV/);
  });
});

describe("the pieces of tls-sessions config", () => {
  for (const args of [
    [],
    ["--steer", "--admin"],
    ["--steer", "--envoy", "1.37", "--restrict"],
    ["--steer", "--admin", "--guard", "https", "--labels", "--restrict"],
  ]) {
    it(`have no findings: config ${args.join(" ")}`, () => {
      const { status, stdout, stderr } = run(["config", "--cluster", "shop", ...args]);
      assert.deepEqual([status, stderr], [0, ""]);
      const version = args.includes("1.37") ? ["--envoy", "1.37"] : [];
      assert.deepEqual(run(["doctor", "-", ...version], stdout).stdout, "nothing is half done\n");
    });
  }

  it("begin with the README's shortest form", () => {
    assert.ok(run(["config"]).stdout.split("\n").length < 16);
  });
});

function changed(text: string, ...args: string[]): string {
  const { status, stdout, stderr } = run(["config", "--into", "-", "--module", MODULE_FILE, ...args], text);
  assert.deepEqual([status, stderr], [0, ""]);
  return stdout;
}

/** By doctor and by Envoy. */
function judged(text: string): void {
  const doctor = run(["doctor", "-"], text);
  assert.deepEqual([doctor.status, doctor.stdout], [0, "nothing is half done\n"], doctor.stderr);
  const file = join(folder, "envoy.yaml");
  writeFileSync(file, text);
  const { status, stderr } = spawnSync(binary, ["--mode", "validate", "-c", file], {
    encoding: "utf8",
    cwd: PROJECT_FOLDER,
    env: { ...process.env, ...TOKENS },
    timeout: 30_000,
  });
  assert.equal(status, 0, stderr);
}

function run(args: string[], input = ""): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  return spawnSync(process.execPath, [LAUNCHER, ...args], { input, encoding: "utf8", env, timeout: 30_000 });
}

function https(port: number): string {
  const file = `{ filename: ${DEMO_CERTIFICATE_FILE} }`;
  return `    - name: https
      address: { socket_address: { address: 127.0.0.1, port_value: ${String(port)} } }
      filter_chains:
        - transport_socket:
            name: envoy.transport_sockets.tls
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
              common_tls_context:
                tls_certificates: [{ certificate_chain: ${file}, private_key: ${file} }]
          filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: https
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
                route_config:
                  virtual_hosts:
                    - { name: all, domains: ["*"], routes: [{ match: { prefix: / }, direct_response: { status: 200 } }] }
`;
}
