/** Revocations of server names. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Revocation } from "../support/answer.ts";
import { type AdminAnswer, type Admin, freshSni, assertProblem } from "./client.ts";

export function describeRevocations(admin: Admin): void {
  const listed = async (sni: string): Promise<Revocation[]> => {
    const { json, status, text } = await admin("GET", "/v1/revocations");
    assert.equal(status, 200, text.slice(0, 300));
    return (json.revocations ?? []).filter((revocation) => revocation.sni === sni);
  };

  it("are added, replaced, lifted, and then not found", async () => {
    const sni = freshSni();
    const path = `/v1/revocations/${sni}`;
    const added = await admin("PUT", path);
    assert.deepEqual([added.status, added.json.result, added.json.outcome], [201, 1, "added"], added.text);
    assert.equal(added.json.revocation?.sni, sni);
    assert.ok(Number.isInteger(added.json.revocation?.time));
    assert.deepEqual(await listed(sni), [added.json.revocation]);
    const replaced = await admin("PUT", path, { body: {} });
    assert.deepEqual([replaced.status, replaced.json.result, replaced.json.outcome], [200, 1, "replaced"]);
    assert.deepEqual(await listed(sni), [replaced.json.revocation]);
    const removed = await admin("DELETE", path);
    assert.deepEqual([removed.status, removed.json], [200, { result: 1, outcome: "removed" }]);
    assert.deepEqual(await listed(sni), []);
    const again = await admin("DELETE", path);
    assert.deepEqual([again.status, again.json], [404, { result: 0, outcome: "not_found" }]);
  });

  it("are shown after they were lifted, if that is asked for", async () => {
    const sni = freshSni();
    const added = await admin("PUT", `/v1/revocations/${sni}`);
    await admin("DELETE", `/v1/revocations/${sni}`);
    const all = await admin("GET", "/v1/revocations?lifted=true");
    const shown = all.json.revocations?.find((revocation) => revocation.sni === sni);
    assert.ok(shown, all.text.slice(0, 300));
    const { lifted = 0, until } = shown;
    assert.ok(lifted >= shown.time && lifted === until, JSON.stringify(shown));
    assert.deepEqual(Object.keys(shown), ["sni", "time", "until", "unseen", "lifted"]);
    assert.equal(shown.time, added.json.revocation?.time);
    const inForce = await admin("GET", "/v1/revocations?lifted=false");
    assert.ok(!inForce.json.revocations?.some((revocation) => revocation.sni === sni));
    await admin("PUT", `/v1/revocations/${sni}`);
    assert.equal((await listed(sni)).length, 1);
    const again = await admin("GET", "/v1/revocations?lifted=true");
    assert.equal(again.json.revocations?.find((revocation) => revocation.sni === sni)?.lifted, undefined);
    await admin("DELETE", `/v1/revocations/${sni}`);
  });

  it("are of names without regard to case", async () => {
    const sni = freshSni();
    const { json } = await admin("PUT", `/v1/revocations/${sni.toUpperCase()}`);
    assert.equal(json.revocation?.sni, sni);
    assert.equal((await admin("PUT", `/v1/revocations/${sni}`)).json.outcome, "replaced");
    assert.equal((await admin("DELETE", `/v1/revocations/${sni.toUpperCase()}`)).status, 200);
  });

  it("are of names that a path has to escape", async () => {
    for (const sni of [`b\u00fccher.${freshSni()}`, `a b+c.${freshSni()}`, `${"a".repeat(224)}.${freshSni()}`]) {
      const path = `/v1/revocations/${encodeURIComponent(sni)}`;
      const { json, status, text } = await admin("PUT", path);
      assert.deepEqual([status, json.revocation?.sni], [201, sni], text);
      assert.equal((await admin("DELETE", path)).status, 200);
    }
  });

  for (const sni of ["a".repeat(256), "%C3%BC".repeat(128), "%zz", "a%", "%ff"]) {
    it(`refuse the name ${sni.slice(0, 20)} of ${sni.length} characters`, async () => {
      assertProblem(await admin("PUT", `/v1/revocations/${sni}`), 400);
      assertProblem(await admin("DELETE", `/v1/revocations/${sni}`), 400);
    });
  }

  it("end by themselves, and later by a second one, but never earlier", async () => {
    const path = `/v1/revocations/${freshSni()}`;
    const lasts = ({ json }: AdminAnswer): number => (json.revocation?.until ?? 0) - (json.revocation?.time ?? 0);
    assert.equal(lasts(await admin("PUT", path)), 604_800);
    const shorter = await admin("PUT", path, { body: { ticket_lifetime: 60 } });
    assert.ok(lasts(shorter) > 600_000, shorter.text);
    assert.equal(lasts(await admin("PUT", path, { body: { ticket_lifetime: 2_147_483_647 } })), 2_147_483_647);
    await admin("DELETE", path);
    assert.equal(lasts(await admin("PUT", path, { body: { ticket_lifetime: 60 } })), 60);
  });

  it("say what they are for sessions that nobody has seen", async () => {
    const path = `/v1/revocations/${freshSni()}`;
    assert.equal((await admin("PUT", path)).json.revocation?.unseen, "by_name");
    assert.equal((await admin("PUT", path, { body: { unseen: "refuse" } })).json.revocation?.unseen, "refuse");
    assert.equal((await admin("PUT", path)).json.revocation?.unseen, "refuse", "what is not given stays");
    assert.equal((await admin("PUT", path, { body: { unseen: "by_name" } })).json.revocation?.unseen, "by_name");
    await admin("DELETE", path);
  });

  for (const body of [
    { ticket_lifetime: 0 },
    { ticket_lifetime: 2147483648 },
    { ticket_lifetime: "7d" },
    { unseen: "all" },
    { unseen: null },
  ]) {
    it(`answer 422 to ${JSON.stringify(body)}, and revoke nothing`, async () => {
      const sni = freshSni();
      assertProblem(await admin("PUT", `/v1/revocations/${sni}`, { body }), 422);
      assert.deepEqual(await listed(sni), []);
    });
  }

  for (const body of [{ time: 1 }, [], "no JSON", null]) {
    it(`refuse the body ${JSON.stringify(body)}, and revoke nothing`, async () => {
      const sni = freshSni();
      assertProblem(await admin("PUT", `/v1/revocations/${sni}`, { body }), 400);
      assert.deepEqual(await listed(sni), []);
    });
  }
}
