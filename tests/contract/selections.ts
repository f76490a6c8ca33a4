/** Removing all sessions that a selection names, in one call. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { READ_TOKEN, type Admin, freshId, freshSni, assertProblem, enforced } from "./client.ts";

export function describeSelections(admin: Admin): void {
  it("are removed with one call, and counted before with dry_run", async () => {
    const [sni, other] = [freshSni(), freshSni()];
    const ids = Array.from({ length: 5 }, () => freshId());
    const kept = freshId();
    for (const id of ids) await admin("PUT", `/v1/sessions/${id}?sni=${sni}&upstream=10.7.7.7:443`);
    await admin("PUT", `/v1/sessions/${kept}?sni=${other}&upstream=10.7.7.7:443`);
    const counted = await admin("POST", `/v1/sessions/remove?sni=${sni}&dry_run=true`);
    assert.equal(counted.status, 200, counted.text);
    assert.deepEqual(counted.json, { removed: 5, dry_run: true }, "a dry run is carried out by nobody");
    assert.equal((await admin("GET", `/v1/sessions/${ids[0]}`)).status, 200);
    const removed = await admin("POST", "/v1/sessions/remove", { body: { sni, upstream: "10.7.7.7:443" } });
    assert.equal(removed.status, 200, removed.text);
    assert.deepEqual(enforced(removed), { removed: 5, handles: 5, dry_run: false });
    for (const id of ids) assertProblem(await admin("GET", `/v1/sessions/${id}`), 410);
    assert.equal((await admin("GET", `/v1/sessions/${kept}`)).status, 200);
    assert.equal((await admin("POST", "/v1/sessions/remove", { body: { sni } })).json.removed, 0);
  });

  it("are never taken for all sessions", async () => {
    assertProblem(await admin("POST", "/v1/sessions/remove", { body: {} }), 400);
    assertProblem(await admin("POST", "/v1/sessions/remove"), 400);
    assertProblem(await admin("POST", "/v1/sessions/remove?dry_run=false"), 400);
    assertProblem(await admin("POST", "/v1/sessions/remove?sni="), 422);
    assertProblem(await admin("POST", "/v1/sessions/remove", { token: READ_TOKEN, body: { kind: "id" } }), 403);
  });

  it("of an upstream show in the list of upstreams", async () => {
    const id = freshId();
    await admin("PUT", `/v1/sessions/${id}?upstream=10.7.7.8:443`);
    const { json, status } = await admin("GET", "/v1/upstreams");
    assert.equal(status, 200);
    const upstreams = json.upstreams as { upstream: string; sessions: number }[];
    assert.equal(upstreams.find(({ upstream }) => upstream === "10.7.7.8:443")?.sessions, 1);
    await admin("DELETE", `/v1/sessions/${id}`);
  });
}
