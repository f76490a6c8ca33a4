/** The gauge of the module that runs, on the built module: through a start, an upgrade, a roll-back, and the end of a listener. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { FakeHost } from "../../fake_host/fake_host.ts";
import { Proxy, adminSettings, observerSettings } from "../../fake_host/proxy.ts";
import { otherBuild, thisBuild, unidentified } from "../../support/other_build.ts";
import { PROJECT_FOLDER } from "../../../tools/project.ts";

const { version } = JSON.parse(readFileSync(`${PROJECT_FOLDER}/package.json`, "utf8")) as { version: string };
const PREFIX = "tls_session_cache_module_info.cache.";

describe("the gauge of the module", () => {
  it("is 1 for the version and build that the API shows, and written once", () => {
    const proxy = new Proxy();
    proxy.host.pass(1);
    const { module } = proxy.request("GET", "/v1/stats").json as { module: { version: string; build: string } };
    assert.deepEqual(modulesOf(proxy), { [`default.build.${module.build}.version.${module.version}`]: 1 });
    assert.equal(module.version, version);
    const [name] = proxy.host.metrics.names().filter((one) => one.startsWith(PREFIX));
    const metric = proxy.host.metrics.define(1, name ?? "");
    metric.value = 7n;
    proxy.host.pass(5);
    proxy.worker.connection();
    assert.equal(metric.value, 7n, "nothing has changed, so nothing is written");
  });

  it("has the build none if nobody has written one into the module", () => {
    const proxy = new Proxy({ host: new FakeHost({}, false, wasm(unidentified())) });
    proxy.host.pass(1);
    assert.deepEqual(modulesOf(proxy), { [`default.build.none.version.${version}`]: 1 });
  });

  it("is 0 for a module that a later one has replaced, and follows a roll-back", () => {
    const [first, second] = [thisBuild(), otherBuild()].map(
      ({ identity }) => `default.build.${identity}.version.${version}`,
    );
    assert.ok(first !== undefined && second !== undefined);
    const proxy = new Proxy({ workers: 1 });
    proxy.host.pass(2);
    const upgraded = proxy.host.worker(wasm(otherBuild().bytes));
    assert.ok(upgraded.configure("observer", observerSettings()));
    assert.deepEqual(modulesOf(proxy), { [first]: 1 }, "a module that is only tried is not shown");
    proxy.host.pass(2);
    assert.deepEqual(modulesOf(proxy), { [first]: 1, [second]: 1 }, "the admin filter still runs on the first");
    assert.ok(upgraded.configure("admin", adminSettings()));
    proxy.host.pass(2);
    assert.deepEqual(modulesOf(proxy), { [first]: 0, [second]: 1 });
    proxy.worker.connection();
    proxy.host.pass(2);
    assert.deepEqual(modulesOf(proxy), { [first]: 1, [second]: 1 }, "the observer is rolled back");
    for (const rootId of ["observer", "admin"]) upgraded.remove(rootId);
    proxy.host.pass(2);
    assert.deepEqual(modulesOf(proxy), { [first]: 1, [second]: 0 });
  });
});

/** The gauges by what follows their prefix. */
function modulesOf(proxy: Proxy): Record<string, number> {
  const { metrics } = proxy.host;
  const names = metrics.names().filter((name) => name.startsWith(PREFIX));
  return Object.fromEntries(names.map((name) => [name.slice(PREFIX.length), metrics.value(name)]));
}

function wasm(bytes: Buffer): WebAssembly.Module {
  return new WebAssembly.Module(Uint8Array.from(bytes));
}
