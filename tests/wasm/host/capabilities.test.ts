/**
 * envoy.yaml and deploy/fleet/ allow the module the calls and callbacks that each of the filters uses, and nothing else. Envoy's own
 * refusals would show in the logs of the end-to-end tests, which fail on them (`assertNoTrap`).
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { ENVOY_CONFIG_FILE, MODULE_FILE, PROJECT_FOLDER } from "../../../tools/project.ts";
import { FULL_TOKEN } from "../../contract/client.ts";
import { FakeHost, type Worker } from "../../fake_host/fake_host.ts";
import { EmptyEtcd, Grpc } from "../../fake_host/grpc.ts";
import { adminSettings, hex, observerSettings } from "../../fake_host/proxy.ts";
import { clientHello, cut, fullWithId, resumedById, sessionId } from "../../support/tls_bytes.ts";

const CACHE = { events: { cluster: "audit", path: "/" } };
/** Events POSTed to a cluster, whose answers the fake host never gives, and trailers; the end-to-end tests have both. */
const NOT_FAKED = [
  "proxy_get_header_map_value",
  "proxy_http_call",
  "proxy_on_http_call_response",
  "proxy_on_request_trailers",
];
const FLEET_FILTER_FILE = join(PROJECT_FOLDER, "deploy/fleet/filter.yaml");
const OWN_SETTINGS: Record<string, Record<string, unknown>> = {
  observer: { steering: "hash", access_log: true },
  fleet: { fleet: { cluster: "etcd", name: "one" } },
};
/** Allowed before the module needs it: the only source of what nobody can guess. */
const RESERVED = ["random_get"];

describe("the capabilities that envoy.yaml allows", () => {
  it("are in the observer what watching, refusing, steering and logging take", () => {
    assertExact(
      "observer",
      called("observer", (observer, admin) => {
        observer
          .connection({ upstream: "10.0.0.7:443" })
          .exchange(fullWithId(sessionId(1)))
          .close();
        remove(admin, sessionId(1));
        observer.connection({ upstream: "10.0.0.7:443" }).exchange(resumedById(sessionId(1)));
        observer.connection();
        observer.connection().exchange(cut([{ from: "client", bytes: clientHello() }], 100));
      }),
    );
  });

  it("are in the admin filter what answering takes", () => {
    assertExact(
      "admin",
      called("admin", (worker) => {
        worker.request("PUT", "/v1/sessions/c0ffee", { token: FULL_TOKEN, body: { sni: "shop.example" } });
        worker.request("POST", "/v1/sessions/flush", { token: FULL_TOKEN, body: {} });
        // More pages than one slice of the flush takes.
        for (let i = 0; i < 20_000; i++) remember(worker, sessionId(i));
        worker.request("POST", "/v1/sessions/flush", { token: FULL_TOKEN, body: {} });
      }),
    );
  });

  it("are in the guard what counting and refusing take", () => {
    assertExact(
      "guard",
      called("guard", (guard, admin) => {
        guard.https({ sessionId: hex(sessionId(1)) }).request();
        remove(admin, sessionId(1));
        assert.ok(guard.https({ sessionId: hex(sessionId(1)) }).request().answer);
      }),
    );
  });

  it("are in the fleet filter what telling and taking over take", () => {
    assertExact(
      "fleet",
      called("fleet", (fleet, admin, host) => {
        assert.throws(() => fleet.begin("GET", "/v1/stats", {}, "fleet"), /let GET \/v1\/stats pass/);
        for (let i = 0; i < 1_000; i++) remember(admin, sessionId(i));
        // More than one slice of telling takes.
        host.clock.microsecondsPerReading = 200;
        host.pass(3);
        assert.equal(host.grpc?.streams.size, 1, "it watches");
        host.grpc?.breakStreams({ status: 14, text: "upstream connect error" });
        assert.equal(host.grpc?.streams.size, 0, "nothing of the stream is left in the host");
      }),
    );
  });

  it("name nothing that the module does not have, and leave out nothing that it calls", () => {
    const module = new WebAssembly.Module(readFileSync(MODULE_FILE));
    const imports = WebAssembly.Module.imports(module).map(({ name }) => name);
    const exports = WebAssembly.Module.exports(module).map(({ name }) => name);
    const allowed = new Set(["observer", "admin", "guard", "fleet"].flatMap(allowedIn));
    const known = [...imports, ...exports, ...RESERVED];
    assert.deepEqual(
      [...allowed].filter((name) => !known.includes(name)),
      [],
      "allowed for nothing",
    );
    const wanted = [...imports, ...exports.filter((name) => name.startsWith("proxy_on_") && name !== ALLOCATOR)];
    assert.deepEqual(
      wanted.filter((name) => !allowed.has(name)),
      [],
      "called, and allowed nowhere",
    );
  });
});

/** What one filter calls and is called for, from its configuration to some ticks after what `act` makes it do. */
function called(root: string, act: (worker: Worker, admin: Worker, host: FakeHost) => void): Set<string> {
  const host = new FakeHost({ ANY: "variable" });
  host.grpc = new Grpc(new EmptyEtcd());
  const admin = host.worker();
  assert.ok(admin.configure("admin", adminSettings(CACHE)));
  host.called = new Set();
  const worker = host.worker();
  assert.equal(worker.configure(root, { cache: 7 }), false, "a refusal is logged");
  const cache = root === "fleet" ? {} : CACHE;
  const settings = root === "admin" ? adminSettings(cache) : observerSettings(cache);
  assert.ok(worker.configure(root, { ...settings, ...OWN_SETTINGS[root] }));
  act(worker, admin, host);
  host.pass(3);
  worker.remove(root);
  return host.called;
}

function remember(worker: Worker, id: Buffer): void {
  worker.request("PUT", `/v1/sessions/${hex(id)}`, { token: FULL_TOKEN });
}

function remove(admin: Worker, id: Buffer): void {
  admin.request("DELETE", `/v1/sessions/${hex(id)}`, { token: FULL_TOKEN });
}

function assertExact(root: string, used: Set<string>): void {
  const allowed = allowedIn(root);
  assert.deepEqual(
    [...used].filter((name) => !allowed.includes(name)),
    [],
    "used, but not allowed",
  );
  assert.deepEqual(
    allowed.filter((name) => !used.has(name) && ![...NOT_FAKED, ...RESERVED].includes(name)),
    [],
    "allowed, but not used",
  );
}

/** The list of the filter with that root_id. */
function allowedIn(root: string): string[] {
  let found: string[] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    if ("root_id" in node && node.root_id === root)
      found = Object.keys((node as unknown as Plugin).vm_config[LIST].allowed_capabilities);
    Object.values(node).forEach(walk);
  };
  const file = root === "fleet" ? FLEET_FILTER_FILE : ENVOY_CONFIG_FILE;
  walk(parse(readFileSync(file, "utf8")));
  assert.notDeepEqual(found, [], `${file} restricts ${root}`);
  return found;
}

const LIST = "capability_restriction_config";
interface Plugin {
  vm_config: { [LIST]: { allowed_capabilities: Record<string, object> } };
}
/** Envoy takes it from the module whatever is allowed. */
const ALLOCATOR = "proxy_on_memory_allocate";
