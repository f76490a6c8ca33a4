/**
 * The Envoy parts of deploy/, each lifted out of its file and run: real clients shake hands through it, resume, are refused, and the admin API
 * answers, calls with a body included. Places alone are changed (tools/checks/deployment/parts/parts.ts). xDS and Istio's ECDS run
 * from files, and the drain of a pod by the command of its preStop.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect as connectTcp, type AddressInfo } from "node:net";
import { connect as connectTls } from "node:tls";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import {
  configurationOf,
  containerOf,
  fitPlaces,
  type Part,
  PARTS,
  type Places,
} from "../../../tools/checks/deployment/parts/parts.ts";
import { istioResources } from "../../../tools/checks/deployment/parts/istio.ts";
import { at, type Node, readDocuments, walk } from "../../../tools/checks/deployment/parts/yaml_tree.ts";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { findEnvoy } from "../../../tools/proxies/envoy_binary.ts";
import { type EnvoyProcess, startEnvoy } from "../../../tools/proxies/envoy_process.ts";
import { freePorts } from "../../../tools/proxies/free_ports.ts";
import { MODULE_FILE } from "../../../tools/project.ts";
import { type Admin, FULL_TOKEN } from "../../contract/client.ts";
import { Folder } from "../../support/openssl.ts";
import { adminClient, assertNoTrap, eventually } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";

const SNI = "shop.example";
const CLIENTS = 8;

let servers: DemoUpstream[] = [];

before(async () => {
  servers = await Promise.all(["alpha", "beta", "gamma"].map((name) => startDemoUpstream({ name, tickets: true })));
});

after(async () => {
  await Promise.all(servers.map((server) => server.close()));
});

for (const part of PARTS) {
  describe(`deploy/: ${part.name}`, () => {
    it("passes handshakes through, resumes, refuses, and answers calls of the admin API", async () => {
      const places = await somePlaces(part);
      const running = await start(configurationOf(part, places), places);
      try {
        await assertWorks(running, places, part.steers);
        if (part.servesMetrics) await assertServesMetrics(places.metricsPort);
      } finally {
        await running.stop();
      }
    });
  });
}

describe("deploy/xds", () => {
  it("fetches the module, refuses another one than its sha256 says, and keeps the cache over an update", async () => {
    const folder = new Folder();
    const store = await startModuleStore();
    const places = await somePlaces();
    const [bootstrap = {}] = readDocuments("xds/bootstrap.yaml");
    fitPlaces(bootstrap, { ...places, upstreams: [store.address] });
    for (const kind of ["lds_config", "cds_config"]) {
      const source = at(bootstrap, "dynamic_resources", kind, "path_config_source") as Node;
      source.path = folder.file(String(source.path).split("/").at(-1) ?? "");
    }
    const place = (file: string, change: (resource: Node) => void): void => {
      const [response = {}] = readDocuments(`xds/${file}`);
      const code = JSON.stringify(remoteCodesIn(response));
      fitPlaces(response, places);
      // The module's place is what this is about: it is not changed to a file.
      const codes = JSON.parse(code) as Node[];
      walk(response, (node) => {
        if ("code" in node) node.code = codes.shift() ?? {};
      });
      change(response);
      writeFileSync(folder.file(`${file}.new`), JSON.stringify(response));
      renameSync(folder.file(`${file}.new`), folder.file(file));
    };
    const placeListeners = (sha256: string, uri: string): void =>
      place("listeners.yaml", (response) => {
        for (const code of remoteCodesIn(response)) {
          const remote = code.remote as Node;
          remote.sha256 = sha256;
          (remote.http_uri as Node).uri = uri;
        }
      });
    place("clusters.yaml", () => undefined);
    placeListeners(store.sha256, "http://modules.internal/1.wasm");
    const envoy = await startEnvoy({
      binary: await findEnvoy(() => undefined),
      configuration: JSON.stringify(bootstrap),
      envoyAdminPort: places.envoyAdminPort,
      env: { ADMIN_TOKEN: FULL_TOKEN },
    });
    const running = runningOf(envoy, places);
    try {
      await eventually("Envoy has fetched the module", async () => {
        assert.ok((await counter(places, "cluster.modules.internal.upstream_rq_2xx")) >= 1, envoy.log().slice(-2000));
      });
      await eventually("moved into place again, the listeners are taken", async () => {
        placeListeners(store.sha256, "http://modules.internal/1.wasm");
        await new Promise((resolve) => setTimeout(resolve, 300));
        const { status } = await running.admin("GET", "/healthz", { token: null });
        assert.equal(status, 200, "the admin API does not answer");
      });
      await assertWorks(running, places, true);
      const held = (await running.admin("GET", "/v1/stats")).json;
      const rejected = await counter(places, "listener_manager.lds.update_rejected");
      placeListeners("0".repeat(64), "http://modules.internal/2.wasm");
      await eventually("an update with a wrong sha256 is refused", async () => {
        assert.ok((await counter(places, "listener_manager.lds.update_rejected")) > rejected, "it was taken");
      });
      const now = (await running.admin("GET", "/v1/stats")).json;
      assert.equal(now.tombstones, held.tombstones);
      const { session } = await visit({ port: places.tlsPort, version: "TLSv1.2", sni: SNI });
      assert.ok(
        (await visit({ port: places.tlsPort, version: "TLSv1.2", sni: SNI, session })).resumed,
        "traffic goes on",
      );
    } finally {
      await running.stop();
      await store.close();
      folder.remove();
    }
  });
});

describe("deploy/istio", () => {
  it("works as well with the extensions by ECDS, as Istio's agent gives them to Envoy", async () => {
    const folder = new Folder();
    const places = await somePlaces();
    const { listeners, clusters, extensions } = istioResources();
    const configuration: Node = {
      node: { id: "ingress", cluster: "istio-ingress" },
      admin: { address: { socket_address: { address: "127.0.0.1", port_value: 10901 } } },
      static_resources: { listeners, clusters },
    };
    fitPlaces(configuration, places);
    walk(configuration, (node) => {
      const discovery = node.config_discovery as Node | undefined;
      if (discovery === undefined) return;
      const extension = extensions.get(String(node.name)) as Node;
      fitPlaces(extension, places);
      const type = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";
      const file = folder.file(`${String(node.name)}.yaml`);
      writeFileSync(file, JSON.stringify({ resources: [{ "@type": type, name: node.name, typed_config: extension }] }));
      discovery.config_source = { path_config_source: { path: file }, resource_api_version: "V3" };
    });
    const running = await start(configuration, places);
    try {
      await assertWorks(running, places, true);
    } finally {
      await running.stop();
      folder.remove();
    }
  });
});

describe("the preStop of deploy/kubernetes", () => {
  it("takes no new connections after the drain, and lets those under way go on", async () => {
    const file = "kubernetes/daemonset.yaml";
    const part = PARTS.find(({ files }) => files.includes(file)) as Part;
    const places = await somePlaces(part);
    const running = await start(configurationOf(part, places), places, ["--drain-time-s", "1"]);
    const open = connectTls({ host: "127.0.0.1", port: places.tlsPort, servername: SNI, rejectUnauthorized: false });
    try {
      await once(open, "secureConnect");
      const command = at(
        containerOf(file, "DaemonSet", "envoy"),
        "lifecycle",
        "preStop",
        "exec",
        "command",
      ) as string[];
      const [shell = "", ...args] = command.map((text) =>
        text.replace("10901", String(places.envoyAdminPort)).replace(/sleep \d+/, "sleep 2"),
      );
      const { stdout } = await promisify(execFile)(shell, args);
      assert.match(stdout, /^HTTP\/1\.1 200 OK/);
      await eventually("the listener is closed", () =>
        assert.rejects(once(connectTcp(places.tlsPort, "127.0.0.1"), "connect"), /ECONNREFUSED/),
      );
      assert.equal((await fetch(`http://127.0.0.1:${places.metricsPort}/ready`)).status, 200, "the metrics stay");
      open.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      const [answer] = (await once(open, "data")) as [Buffer];
      assert.match(answer.toString(), /upstream \w+/);
    } finally {
      open.destroy();
      await running.stop();
    }
  });
});

interface Running {
  admin: Admin;
  stop(): Promise<void>;
}

async function somePlaces(part?: Part): Promise<Places> {
  const [tlsPort, adminPort, envoyAdminPort, metricsPort] = (await freePorts(4)) as [number, number, number, number];
  const addresses = servers.map(({ address }) => address);
  const upstreams = part === undefined || part.steers ? addresses : addresses.slice(0, 1);
  return { modulePath: MODULE_FILE, upstreams, tlsPort, adminPort, envoyAdminPort, metricsPort };
}

async function start(configuration: Node, places: Places, flags: string[] = []): Promise<Running> {
  const envoy = await startEnvoy({
    binary: await findEnvoy(() => undefined),
    configuration: JSON.stringify(configuration),
    envoyAdminPort: places.envoyAdminPort,
    env: { ADMIN_TOKEN: FULL_TOKEN },
    flags,
  });
  const running = runningOf(envoy, places);
  try {
    await eventually("the admin API answers", async () => {
      assert.equal((await running.admin("GET", "/healthz", { token: null })).status, 200, envoy.log().slice(-2000));
    });
  } catch (error) {
    await envoy.stop();
    throw error;
  }
  return running;
}

function runningOf(envoy: EnvoyProcess, places: Places): Running {
  return {
    admin: adminClient(places.adminPort),
    stop: async () => {
      await envoy.stop();
      assertNoTrap(envoy.log());
    },
  };
}

/** Each client comes back from another address: only steering leads it to its server again. */
async function assertWorks({ admin }: Running, { tlsPort }: Places, steers: boolean): Promise<void> {
  let resumed = 0;
  let removed: { id: string; session: Buffer } | undefined;
  for (let client = 0; client < CLIENTS; client++) {
    const first = await visit({ port: tlsPort, sni: SNI, version: "TLSv1.2", source: `127.0.1.${client + 1}` });
    const again = await visit({
      port: tlsPort,
      sni: SNI,
      version: "TLSv1.2",
      session: first.session,
      source: `127.0.2.${client + 1}`,
    });
    if (again.resumed) resumed++;
    removed = first;
  }
  assert.equal(resumed, CLIENTS, steers ? "every session is led to its server" : "the one server resumes them");
  assert.ok(removed);
  await eventually("the hits are counted", async () =>
    assert.equal((await admin("GET", "/v1/stats")).json.hits, CLIENTS),
  );
  assert.equal((await admin("GET", "/v1/stats", { token: "wrong-token" })).status, 401);
  assert.equal((await admin("DELETE", `/v1/sessions/${removed.id}`)).status, 200);
  const outcome = await visit({ port: tlsPort, sni: SNI, version: "TLSv1.2", session: removed.session }).then(
    (seen) => seen.resumed,
    () => false,
  );
  assert.equal(outcome, false, "a removed session never resumes");
  // A call with a body.
  const { status, text } = await admin("PUT", "/v1/timeout", { body: { timeout: 3600 } });
  assert.equal(status, 200, text);
}

async function assertServesMetrics(port: number): Promise<void> {
  const get = (path: string, method = "GET"): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`, { method });
  assert.equal((await get("/ready")).status, 200);
  assert.match(
    await (await get("/stats/prometheus")).text(),
    /^tls_session_cache_hits_total\{cache="default"\} [1-9]/m,
  );
  for (const path of ["/", "/config_dump", "/stats", "/ready/", "/quitquitquit"]) {
    assert.equal((await get(path)).status, 404, path);
    assert.equal((await get(path, "POST")).status, 404, path);
  }
  assert.equal((await get("/ready", "POST")).status, 404);
}

async function counter({ envoyAdminPort }: Places, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${envoyAdminPort}/stats?filter=^${name}$`)).text();
  return Number(/: (\d+)/.exec(text)?.[1] ?? 0);
}

function remoteCodesIn(tree: Node): Node[] {
  const codes: Node[] = [];
  walk(tree, (node) => {
    if ("code" in node) codes.push(node.code as Node);
  });
  return codes;
}

async function startModuleStore(): Promise<{ address: string; sha256: string; close(): Promise<void> }> {
  const module = readFileSync(MODULE_FILE);
  const server: Server = createServer((_request, response) => response.end(module));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    sha256: createHash("sha256").update(module).digest("hex"),
    close: () => new Promise((resolve) => (server.close(() => resolve()), server.closeAllConnections())),
  };
}
