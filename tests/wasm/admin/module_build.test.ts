/** The build of the module in the admin API, on the built module: that of its bytes, also while an upgrade is under way. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeHost } from "../../fake_host/fake_host.ts";
import { Proxy, adminSettings, observerSettings } from "../../fake_host/proxy.ts";
import { otherBuild, thisBuild, unidentified } from "../../support/other_build.ts";

interface FilterRow {
  root_id: string;
  state: string;
  module: { version: string; build: string | null; sha256: null };
}

describe("the build of the module", () => {
  it("is the one that its bytes give, in the statistics and for each filter", () => {
    const proxy = new Proxy();
    const build = thisBuild().identity;
    const { module } = proxy.request("GET", "/v1/stats").json as { module: unknown };
    const { version } = filtersOf(proxy)[0]?.module ?? {};
    assert.deepEqual(module, { version, build });
    assert.deepEqual(
      filtersOf(proxy).map((filter) => filter.module),
      [0, 1].map(() => ({ version, build, sha256: null })),
    );
  });

  it("is null if nobody has written it into the module", () => {
    const proxy = new Proxy({ host: new FakeHost({}, false, wasm(unidentified())) });
    assert.equal((proxy.request("GET", "/v1/stats").json as { module: { build: unknown } }).module.build, null);
    assert.deepEqual(
      filtersOf(proxy).map((filter) => filter.module.build),
      [null, null],
    );
  });

  it("tells two modules of one version and one configuration apart while both run, and after a roll-back", () => {
    const [first, second] = [thisBuild(), otherBuild()];
    assert.notEqual(first.identity, second.identity);
    const proxy = new Proxy({ workers: 1 });
    proxy.host.pass(2);
    proxy.request("PUT", "/v1/timeout", { body: { timeout: 77 } });
    const upgraded = proxy.host.worker(wasm(second.bytes));
    assert.ok(upgraded.configure("observer", observerSettings()));
    assert.ok(upgraded.configure("admin", adminSettings()));
    proxy.host.pass(2);
    assert.deepEqual(observersOf(proxy), { [first.identity]: "draining", [second.identity]: "in_force" });
    proxy.worker.connection();
    proxy.host.pass(2);
    assert.deepEqual(observersOf(proxy), { [first.identity]: "in_force", [second.identity]: "draining" });
    for (const rootId of ["observer", "admin"]) upgraded.remove(rootId);
    proxy.host.pass(2);
    assert.deepEqual(observersOf(proxy), { [first.identity]: "in_force" });
    assert.equal((proxy.request("GET", "/v1/timeout").json as { timeout: number }).timeout, 77, "set over HTTP before");
  });
});

function filtersOf(proxy: Proxy): FilterRow[] {
  return proxy.request("GET", "/v1/filters").json.filters as FilterRow[];
}

/** The state of each observer by its build. */
function observersOf(proxy: Proxy): Record<string, string> {
  const observers = filtersOf(proxy).filter(({ root_id }) => root_id === "observer");
  return Object.fromEntries(observers.map(({ module, state }) => [module.build ?? "null", state]));
}

function wasm(bytes: Buffer): WebAssembly.Module {
  return new WebAssembly.Module(Uint8Array.from(bytes));
}
