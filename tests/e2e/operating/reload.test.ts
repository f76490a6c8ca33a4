/**
 * Updates of the configuration by a file of listeners that Envoy follows: settings are those of the configuration in force, whatever
 * was in force before and however long the listeners of before still drain (ten minutes, as by default).
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { envoyVersion, findEnvoy } from "../../../tools/proxies/envoy_binary.ts";
import { freePorts } from "../../../tools/proxies/free_ports.ts";
import { otherBuild, thisBuild } from "../../support/other_build.ts";
import { Random } from "../../support/random.ts";
import { eventually } from "../../support/stack.ts";
import { type FilterRow, ID, type Json, PLAIN, pluginsIn, Reloaded, type Settings } from "../../support/reloaded.ts";
import { visit } from "../../support/tls_client.ts";

let upstream: DemoUpstream;

before(async () => {
  upstream = await startDemoUpstream({ name: "alpha", tickets: true });
});

after(() => upstream?.close());

describe("an update of the listeners", () => {
  let proxy: Reloaded;

  before(async () => {
    proxy = await Reloaded.start([upstream.address], PLAIN);
  });

  after(() => proxy?.stack.stop());

  it("that is rolled back is in force with the first connection: what was removed does not resume", async () => {
    const removed = await visit({ port: proxy.stack.tlsPort, ...ID });
    await proxy.stack.admin("DELETE", `/v1/sessions/${removed.id}`);
    const refused = { code: /HANDSHAKE_FAILURE/ };
    await assert.rejects(visit({ port: proxy.stack.tlsPort, session: removed.session, ...ID }), refused);
    const observing = { ...PLAIN, observer: { enforcement: "observe", timeout: 70 } };
    assert.equal(await proxy.update(observing), "taken");
    await eventually("the observer observes", async () => {
      assert.ok(
        (await visit({ port: proxy.stack.tlsPort, session: removed.session, ...ID })).resumed,
        "it did not resume",
      );
      assert.equal(await proxy.setting("timeout", "timeout"), 70);
    });
    await eventually("both workers know that they were superseded", () => assert.equal(proxy.superseded(), 2));
    assert.equal(await proxy.update(PLAIN), "taken");
    await assert.rejects(visit({ port: proxy.stack.tlsPort, session: removed.session, ...ID }), refused);
    await eventually(
      "the other settings are in force, too",
      async () => assert.equal(await proxy.setting("timeout", "timeout"), 7200),
      1,
    );
  });

  it("by which one filter leaves a setting out keeps what another gives", async () => {
    const strict = {
      ...PLAIN,
      observer: { enforcement: "strict", timeout: 90 },
      guard: { enforcement: "strict", timeout: 90 },
    };
    await proxy.update(strict);
    await eventually("both are in force", async () =>
      assert.equal(await proxy.setting("enforcement", "enforcement"), "strict"),
    );
    await proxy.update({ ...strict, guard: {} });
    await eventually("the guard's text is in force", async () => {
      const guard = (await proxy.filters()).find(({ root_id, state }) => root_id === "guard" && state === "in_force");
      assert.deepEqual(guard?.gives, {});
      assert.equal(guard?.settings.enforcement, "strict");
    });
    assert.equal(await proxy.setting("enforcement", "enforcement"), "strict");
    assert.equal(await proxy.setting("timeout", "timeout"), 90);
    await proxy.update(PLAIN);
    await proxy.connect();
    await eventually("nobody gives it", async () => assert.equal(await proxy.setting("timeout", "timeout"), 7200));
  });

  it("that leaves filters with contradictory values is told, with both names, and the stricter value holds", async () => {
    await proxy.update({ ...PLAIN, observer: { cache_size: 701 }, guard: { cache_size: 700 } });
    await eventually("the log says so", () => {
      assert.match(
        proxy.stack.envoy.log(),
        /cache_size is 70\d in .*tls_session_(observer|guard).* and 70\d in .*: 700 holds, the stricter/,
      );
    });
    assert.equal(await proxy.setting("cache-size", "cache_size"), 700);
    await proxy.update(PLAIN);
    await proxy.connect();
    await eventually("it is gone", async () => assert.equal(await proxy.setting("cache-size", "cache_size"), 20480));
  });

  it("leaves a list of filters that says who runs, where and with what", async () => {
    const rows = await eventually("all workers are there", async () => {
      const found = (await proxy.filters()).filter(({ state }) => state === "in_force");
      assert.deepEqual(
        found.map(({ workers }) => workers),
        [2, 2, 2],
      );
      return found;
    });
    assert.deepEqual(rows.map(({ root_id, name }) => `${name} ${root_id}`).sort(), [
      "tls_session_admin admin",
      "tls_session_guard guard",
      "tls_session_observer observer",
    ]);
    const version = await envoyVersion(await findEnvoy(() => undefined));
    for (const row of rows) {
      assert.equal(row.envoy, version);
      assert.ok(Math.abs(row.since - Date.now() / 1000) < 120);
    }
    assert.equal((await proxy.stack.admin("GET", "/healthz?for=enforcement", { token: null })).status, 200);
    assert.equal((await proxy.stack.admin("GET", "/healthz?for=x", { token: null })).status, 400);
  });

  it("holds the settings to those of the texts in force over a random sequence of updates", async () => {
    const random = new Random(20261127);
    const texts: Settings[] = [{}, { timeout: 300 }, { timeout: 400 }, { timeout: 400, enforcement: "strict" }];
    for (let step = 0; step < 12; step++) {
      const observer = texts[random.below(texts.length)] ?? {};
      const guard = random.below(4) === 0 ? null : (texts[random.below(texts.length)] ?? {});
      if ((await proxy.update({ observer, guard, admin: {} })) === "refused")
        assert.fail("a same-named filter may change");
      await eventually(`step ${step}: ${JSON.stringify({ observer, guard })}`, async () => {
        // A worker learns with its next tick that it was superseded, and tells a roll-back by connections after that.
        await proxy.connect();
        const own = (await proxy.filters()).find(
          ({ root_id, state }) => root_id === "observer" && state === "in_force",
        );
        assert.deepEqual(own?.gives, observer);
        if (observer.enforcement !== undefined) assert.equal(own?.settings.enforcement, "strict");
        // The guard of a listener that was taken away gives its settings until it has drained.
        if (guard === null) return;
        const given = [observer.timeout, guard.timeout].filter((value) => value !== undefined) as number[];
        assert.equal(await proxy.setting("timeout", "timeout"), given.length === 0 ? 7200 : Math.min(...given));
      });
    }
  });
});

describe("an upgrade to another build of one version", () => {
  let proxy: Reloaded;
  const folder = mkdtempSync(join(tmpdir(), "builds-"));

  before(async () => {
    proxy = await Reloaded.start([upstream.address], PLAIN);
  });

  after(async () => {
    await proxy?.stack.stop();
    rmSync(folder, { recursive: true });
  });

  it("shows which build serves and which one drains, and keeps what was set over HTTP", async () => {
    const [first, second] = [thisBuild(), otherBuild()];
    const { version } = (await proxy.filters())[0]?.module ?? {};
    await proxy.stack.admin("PUT", "/v1/timeout", { body: { timeout: 77 } });
    const module = join(folder, "tls-session-cache-other.wasm");
    writeFileSync(module, second.bytes);
    assert.equal(await proxy.upgrade(module), "taken");
    await eventually("both builds are there", async () => {
      const observers = (await proxy.filters()).filter(({ root_id }) => root_id === "observer");
      assert.deepEqual(
        Object.fromEntries(observers.map(({ module: { build }, state }) => [build, state])),
        { [first.identity]: "draining", [second.identity]: "in_force" },
        "the text of the observer is the same in both",
      );
      assert.ok(
        observers.every(({ module }) => module.version === version),
        "one version",
      );
    });
    const { module: answering } = (await proxy.stack.stats()) as unknown as Pick<FilterRow, "module">;
    assert.ok([first.identity, second.identity].includes(answering.build), answering.build);
    assert.equal(await proxy.setting("timeout", "timeout"), 77);
    await eventually("the metrics show the new build alone", async () => {
      const text = await proxy.stack.prometheus();
      const rows = [...text.matchAll(/^tls_session_cache_module_info\{.*build="(\w+)".*\} (\d)$/gm)];
      assert.deepEqual(
        Object.fromEntries(rows.map(([, build, value]) => [build, value])),
        { [first.identity]: "0", [second.identity]: "1" },
        text,
      );
    });
  });
});

describe("two observers of one name on one cache", () => {
  let proxy: Reloaded;

  before(async () => {
    const [port] = await freePorts(1);
    proxy = await Reloaded.start([upstream.address], { ...PLAIN, observer: {} }, (listeners) => {
      const copy = structuredClone(listeners.find(({ name }) => name === "tls_passthrough")) as Json;
      copy.name = "copied";
      copy.address = { socket_address: { address: "127.0.0.1", port_value: port } };
      const [plugin] = pluginsIn(copy);
      const text = plugin?.configuration as { value: string };
      text.value = JSON.stringify({ ...JSON.parse(text.value), enforcement: "strict", cache_size: 111 });
      listeners.unshift(copy);
    });
  });

  after(() => proxy?.stack.stop());

  it("are two filters: what one gives holds for the cache, and its enforcement for itself", async () => {
    assert.equal(await proxy.setting("cache-size", "cache_size"), 111);
    const observers = (await proxy.filters()).filter(({ root_id }) => root_id === "observer");
    assert.equal(observers.length, 2);
    assert.deepEqual(
      observers.map(({ settings }) => settings.enforcement),
      ["strict", "strict"],
      "whoever leaves it out takes the other's",
    );
  });
});
