/** The settings that may be read and changed while the filter runs. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { type Admin, freshId, assertProblem, enforced, sorted } from "./client.ts";

export function describeSettings(admin: Admin): void {
  it("changes the mode and tells the one before", async () => {
    const before = (await admin("GET", "/v1/mode")).json.mode;
    const answer = await admin("PUT", "/v1/mode", { body: { mode: ["SERVER", "NO_INTERNAL_STORE"] } });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(sorted(answer.json.mode), ["NO_INTERNAL_STORE", "SERVER"]);
    assert.deepEqual(answer.json.previous, before);
    assert.deepEqual((await admin("GET", "/v1/mode")).json.mode, answer.json.mode);
    await admin("PUT", "/v1/mode", { body: { mode: before } });
  });

  it("gives NO_INTERNAL back as the two flags that it stands for", async () => {
    const before = (await admin("GET", "/v1/mode")).json.mode;
    const { json } = await admin("PUT", "/v1/mode", { body: { mode: ["SERVER", "NO_INTERNAL"] } });
    assert.deepEqual(sorted(json.mode), ["NO_INTERNAL_LOOKUP", "NO_INTERNAL_STORE", "SERVER"]);
    await admin("PUT", "/v1/mode", { body: { mode: before } });
  });

  it("takes [] for OFF", async () => {
    const before = (await admin("GET", "/v1/mode")).json.mode;
    const empty = (await admin("PUT", "/v1/mode", { body: { mode: [] } })).json.mode;
    const off = (await admin("PUT", "/v1/mode", { body: { mode: ["OFF"] } })).json.mode;
    assert.deepEqual(empty, off);
    await admin("PUT", "/v1/mode", { body: { mode: before } });
  });

  it("answers 422 to OFF together with anything", async () => {
    const before = (await admin("GET", "/v1/mode")).json.mode;
    assertProblem(await admin("PUT", "/v1/mode", { body: { mode: ["OFF", "SERVER"] } }), 422);
    assertProblem(await admin("PUT", "/v1/mode", { body: { mode: ["NO_AUTO_CLEAR", "OFF"] } }), 422);
    assert.deepEqual((await admin("GET", "/v1/mode")).json.mode, before);
  });

  for (const body of [
    {},
    { mode: "SERVER" },
    { mode: null },
    { mode: ["SERVE"] },
    { mode: ["SSL_SESS_CACHE_SERVER"] },
    { mode: ["server"] },
    { mode: [1] },
    { mode: ["SERVER"], more: 1 },
  ]) {
    it(`refuses the mode ${JSON.stringify(body)}`, async () => {
      assertProblem(await admin("PUT", "/v1/mode", { body }), 400, 422);
    });
  }

  it("changes the cache size and tells the one before", async () => {
    const before = (await admin("GET", "/v1/cache-size")).json.cache_size as number;
    const answer = await admin("PUT", "/v1/cache-size", { body: { cache_size: 15000 } });
    assert.deepEqual([answer.status, answer.json.cache_size, answer.json.previous], [200, 15000, before]);
    assert.equal((await admin("GET", "/v1/cache-size")).json.cache_size, 15000);
    assert.equal((await admin("GET", "/v1/stats")).json.cache_size, 15000);
    await admin("PUT", "/v1/cache-size", { body: { cache_size: before } });
  });

  for (const body of [
    {},
    { cache_size: -1 },
    { cache_size: 1.5 },
    { cache_size: "9" },
    { cache_size: null },
    { size: 1 },
  ]) {
    it(`refuses the cache size ${JSON.stringify(body)}`, async () => {
      assertProblem(await admin("PUT", "/v1/cache-size", { body }), 400, 422);
    });
  }

  it("changes the timeout of later sessions only, and tells the one before", async () => {
    const early = `/v1/sessions/${freshId()}`;
    const late = `/v1/sessions/${freshId()}`;
    const before = (await admin("GET", "/v1/timeout")).json.timeout as number;
    await admin("PUT", early);
    const answer = await admin("PUT", "/v1/timeout", { body: { timeout: 4321 } });
    assert.deepEqual([answer.status, answer.json.timeout, answer.json.previous], [200, 4321, before]);
    assert.equal((await admin("GET", "/v1/timeout")).json.timeout, 4321);
    await admin("PUT", late);
    assert.equal((await admin("GET", early)).json.timeout, before);
    assert.equal((await admin("GET", late)).json.timeout, 4321);
    await admin("PUT", "/v1/timeout", { body: { timeout: before } });
  });

  it("changes the enforcement and tells the one before", async () => {
    const before = (await admin("GET", "/v1/enforcement")).json.enforcement;
    for (const enforcement of ["observe", "strict", "revoked"]) {
      const previous = (await admin("GET", "/v1/enforcement")).json.enforcement;
      const answer = await admin("PUT", "/v1/enforcement", { body: { enforcement } });
      assert.deepEqual([answer.status, enforced(answer)], [200, { enforcement, previous }]);
      assert.deepEqual((await admin("GET", "/v1/enforcement")).json, { enforcement });
    }
    await admin("PUT", "/v1/enforcement", { body: { enforcement: before } });
  });

  for (const enforcement of ["", "Strict", "off", null, 2, ["strict"]]) {
    it(`answers 422 to the enforcement ${JSON.stringify(enforcement)}, and keeps the one before`, async () => {
      const before = (await admin("GET", "/v1/enforcement")).json;
      assertProblem(await admin("PUT", "/v1/enforcement", { body: { enforcement } }), 422);
      assert.deepEqual((await admin("GET", "/v1/enforcement")).json, before);
    });
  }

  it("answers 400 to an enforcement without its field, or with another", async () => {
    for (const body of [undefined, {}, { mode: "strict" }, { enforcement: "revoked", more: 1 }]) {
      assertProblem(await admin("PUT", "/v1/enforcement", { body }), 400);
    }
  });

  for (const body of [{}, { timeout: 0 }, { timeout: -5 }, { timeout: 2147483648 }, { timeout: "9" }, { time: 9 }]) {
    it(`refuses the timeout ${JSON.stringify(body)}`, async () => {
      assertProblem(await admin("PUT", "/v1/timeout", { body }), 400, 422);
    });
  }
}
