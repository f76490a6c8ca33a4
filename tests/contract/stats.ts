/** Statistics, and the API's description of itself. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { type Admin, freshId } from "./client.ts";

export function describeStats(admin: Admin): void {
  it("counts what the contract names, with at most one level of nesting", async () => {
    const { json } = await admin("GET", "/v1/stats");
    for (const name of "number cache_size accept accept_good hits misses timeouts cache_full removes replaces refused".split(
      " ",
    )) {
      assert.ok(
        Number.isInteger(json[name]) && (json[name] as number) >= 0,
        `${name} is ${JSON.stringify(json[name])}`,
      );
    }
    for (const value of Object.values(json)) {
      if (typeof value !== "object" || value === null) continue;
      for (const inner of Object.values(value)) assert.notEqual(typeof inner, "object", JSON.stringify(value));
    }
    const { mode, effective, why } = json.steering as Record<string, unknown>;
    assert.ok(mode === "off" || mode === "hash" || mode === "exact", String(mode));
    assert.ok(effective === undefined || typeof effective === "boolean", String(effective));
    assert.equal(why !== "", effective === false, "why is there if steering has no effect, and only then");
    const all = JSON.stringify(json);
    for (const word of ["resumed", "full", "lost"]) assert.match(all, new RegExp(word), word);
  });

  it("shows the build of the module that answers, and of each filter's module", async () => {
    const { module } = (await admin("GET", "/v1/stats")).json as { module: { version: string; build: string } };
    assert.match(module.version, /^\d+\.\d+\.\d+/);
    assert.match(module.build, /^[0-9a-f]{64}$/);
    const { filters } = (await admin("GET", "/v1/filters")).json as { filters: { module: unknown }[] };
    assert.ok(filters.length >= 2, `${filters.length} filters`);
    for (const filter of filters) assert.deepEqual(filter.module, { ...module, sha256: null });
  });

  it("counts removals and replacements", async () => {
    const path = `/v1/sessions/${freshId()}`;
    const before = (await admin("GET", "/v1/stats")).json as Record<string, number>;
    await admin("PUT", path, { body: { sni: "a.example" } });
    await admin("PUT", path, { body: { sni: "a.example" } });
    await admin("PUT", path, { body: { sni: "b.example" } });
    await admin("DELETE", path);
    await admin("DELETE", path);
    const after = (await admin("GET", "/v1/stats")).json as Record<string, number>;
    assert.equal((after.replaces ?? 0) - (before.replaces ?? 0), 1, "replaces");
    assert.equal((after.removes ?? 0) - (before.removes ?? 0), 1, "removes");
  });

  it("describes itself in OpenAPI 3.1", async () => {
    const { json } = await admin("GET", "/v1/openapi.json");
    assert.match(String(json.openapi), /^3\.1\.\d+$/);
    const paths = json.paths as Record<string, Record<string, unknown>>;
    for (const [path, methods] of [
      ["/healthz", ["get"]],
      ["/readyz", ["get"]],
      ["/v1/fleet", ["get"]],
      ["/v1/sessions", ["get"]],
      ["/v1/sessions/{id}", ["get", "put", "delete"]],
      ["/v1/sessions/flush", ["post"]],
      ["/v1/sessions/remove", ["post"]],
      ["/v1/upstreams", ["get"]],
      ["/v1/removed", ["get", "post"]],
      ["/v1/export", ["get"]],
      ["/v1/import", ["post"]],
      ["/v1/stats", ["get"]],
      ["/v1/mode", ["get", "put"]],
      ["/v1/cache-size", ["get", "put"]],
      ["/v1/timeout", ["get", "put"]],
      ["/v1/enforcement", ["get", "put"]],
      ["/v1/ticket-keys", ["get"]],
      ["/v1/ticket-keys/{name}", ["put", "delete"]],
      ["/v1/revocations", ["get"]],
      ["/v1/revocations/{sni}", ["put", "delete"]],
      ["/v1/openapi.json", ["get"]],
    ] as const) {
      for (const method of methods) assert.ok(paths[path]?.[method] !== undefined, `${method} ${path} is described`);
    }
    for (const reference of JSON.stringify(json).matchAll(/"\$ref":"#\/([^"]*)"/g)) {
      const target = (reference[1] ?? "")
        .split("/")
        .reduce<unknown>((node, step) => (node as Record<string, unknown> | undefined)?.[step], json);
      assert.notEqual(target, undefined, `${reference[0]} leads somewhere`);
    }
  });
}
