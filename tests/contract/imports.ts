/** Lists that are taken in again: POST of what GET gave. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { RemovedSession, Revocation } from "../support/answer.ts";
import { type Admin, type AdminAnswer, allPages, assertProblem, freshId, freshKeyName, freshSni } from "./client.ts";

export function describeImports(admin: Admin): void {
  /** Unix seconds of the proxy's clock. */
  const clock = async (): Promise<number> => (await admin("PUT", `/v1/sessions/${freshId()}`)).json.session?.time ?? 0;
  const taken = ({ status, json, text }: AdminAnswer): (number | undefined)[] => {
    assert.equal(status, 200, text);
    assert.ok(json.enforced_by);
    return [json.taken, json.identical, json.skipped];
  };
  const rowOf = async (id: string): Promise<RemovedSession | undefined> =>
    (await allPages<RemovedSession>(admin, "/v1/removed?limit=1000", "removed")).find((row) => row.id === id);

  it("refuse removed sessions until the very second that was given, and can be taken in twice", async () => {
    const now = await clock();
    const entries = [
      { id: freshId(), time: now - 500, until: now + 5000, cause: "flush", upstream: "10.0.0.7:443" },
      { id: freshId(), time: now - 600, until: now + 6000, cause: "api" },
    ];
    const body = { removed: entries, next: null };
    assert.deepEqual(taken(await admin("POST", "/v1/removed", { body })), [2, 0, 0]);
    assert.deepEqual(await rowOf(entries[0]?.id ?? ""), { ...entries[0], cause: "api" });
    assert.deepEqual(await rowOf(entries[1]?.id ?? ""), entries[1]);
    assert.equal((await admin("GET", `/v1/sessions/${entries[0]?.id}`)).status, 410);
    assert.deepEqual(taken(await admin("POST", "/v1/removed", { body })), [0, 2, 0]);
    const earlier = { removed: [{ ...entries[0], until: now + 100 }] };
    assert.deepEqual(taken(await admin("POST", "/v1/removed", { body: earlier })), [0, 1, 0]);
    assert.equal((await rowOf(entries[0]?.id ?? ""))?.until, entries[0]?.until, "nothing ends earlier");
  });

  it("keep kind, server name, upstream and ticket key, and the known ones where a list has none", async () => {
    const until = (await clock()) + 5000;
    const [id, other] = [freshId(), freshId()];
    const known = { kind: "ticket", sni: freshSni(), upstream: "10.0.0.7:443", ticket_key: freshKeyName() };
    const removed = [
      { id, until, ...known },
      { id: other, until, kind: null, sni: null, upstream: null, ticket_key: null },
    ];
    assert.deepEqual(taken(await admin("POST", "/v1/removed", { body: { removed } })), [2, 0, 0]);
    const { time, ...row } = (await rowOf(id)) as RemovedSession;
    assert.deepEqual(row, { id, until, cause: "api", ...known }, `removed at ${time}`);
    assert.deepEqual(Object.keys((await rowOf(other)) ?? {}).sort(), ["cause", "id", "time", "until"]);
    const longer = [{ id, until: until + 100, kind: "psk" }];
    assert.deepEqual(taken(await admin("POST", "/v1/import", { body: { removed: longer } })), [1, 0, 0]);
    const { time: _, ...again } = (await rowOf(id)) as RemovedSession;
    assert.deepEqual(again, { id, until: until + 100, cause: "api", ...known, kind: "psk" });
    const { json } = await admin("PUT", `/v1/sessions/${id}`);
    assert.deepEqual(
      [json.session?.kind, json.session?.ticket_key],
      ["psk", known.ticket_key],
      "and PUT gives them back",
    );
  });

  it("remove a session that is held, and skip removals that have ended", async () => {
    const now = await clock();
    const [held, over] = [freshId(), freshId()];
    await admin("PUT", `/v1/sessions/${held}`);
    const removed = [
      { id: held, until: now + 60 },
      { id: over, until: now - 60 },
    ];
    assert.deepEqual(taken(await admin("POST", "/v1/removed", { body: { removed } })), [1, 0, 1]);
    assert.equal((await admin("GET", `/v1/sessions/${held}`)).status, 410);
    assert.equal((await admin("GET", `/v1/sessions/${over}`)).status, 404);
    assert.ok(((await rowOf(held))?.until ?? 0) > now + 7000, "it lasts at least as long as the session would have");
  });

  it("keep no removal for ever", async () => {
    const now = await clock();
    const id = freshId();
    await admin("POST", "/v1/removed", { body: { removed: [{ id, until: 4_294_967_295 }] } });
    const until = (await rowOf(id))?.until ?? 0;
    assert.ok(until > now + 29 * 86_400 && until < now + 31 * 86_400, `${until}`);
  });

  it("keep the times of revocations, the later of two", async () => {
    const now = await clock();
    const sni = freshSni();
    const revocation = { sni, time: now - 1000, until: now + 9000, unseen: "refuse" };
    const body = { revocations: [revocation] };
    const listed = async (): Promise<Revocation | undefined> =>
      (await admin("GET", "/v1/revocations")).json.revocations?.find((row) => row.sni === sni);
    assert.deepEqual(taken(await admin("POST", "/v1/import", { body })), [1, 0, 0]);
    assert.deepEqual(await listed(), revocation);
    assert.deepEqual(taken(await admin("POST", "/v1/import", { body })), [0, 1, 0]);
    const weaker = { sni: sni.toUpperCase(), time: now - 2000, until: now + 100 };
    assert.deepEqual(taken(await admin("POST", "/v1/import", { body: { revocations: [weaker] } })), [0, 1, 0]);
    assert.deepEqual(await listed(), revocation);
    const over = { sni: freshSni(), time: now - 20, until: now - 10 };
    assert.deepEqual(taken(await admin("POST", "/v1/import", { body: { revocations: [over] } })), [0, 0, 1]);
  });

  it("take in ticket keys that were removed or configured, and skip those that were seen", async () => {
    const [removed, configured, seen] = [freshKeyName(), freshKeyName(), freshKeyName()];
    const key = { upstream: null, tickets: 0, last_used: null };
    const body = {
      ticket_keys: [
        { ...key, name: removed, state: "removed" },
        { ...key, name: configured, state: "configured", upstream: "10.0.0.9:443" },
        { ...key, name: seen, state: "learned", upstream: "10.0.0.9:443", tickets: 7 },
      ],
    };
    assert.deepEqual(taken(await admin("POST", "/v1/import", { body })), [2, 0, 1]);
    assert.deepEqual(taken(await admin("POST", "/v1/import", { body })), [0, 2, 1]);
    const { json } = await admin("GET", "/v1/ticket-keys");
    const states = [removed, configured, seen].map((name) => json.ticket_keys?.find((row) => row.name === name)?.state);
    assert.deepEqual(states, ["removed", "configured", undefined]);
    const lifting = { ticket_keys: [{ name: removed, state: "configured", upstream: "10.0.0.9:443" }] };
    assert.deepEqual(taken(await admin("POST", "/v1/import", { body: lifting })), [0, 0, 1]);
  });

  for (const [path, name, entry, fault] of [
    ["/v1/removed", "removed", { id: "xyz" }, /^removed\[1\]: id: expected a session ID/],
    ["/v1/removed", "removed", { id: "00", until: "soon" }, /^removed\[1\]: until: expected Unix seconds/],
    ["/v1/removed", "removed", { id: "00", upstream: "here" }, /^removed\[1\]: upstream: expected/],
    ["/v1/removed", "removed", { id: "00", kind: "cookie" }, /^removed\[1\]: kind: expected/],
    ["/v1/removed", "removed", { id: "00", sni: "" }, /^removed\[1\]: sni: expected a server name/],
    ["/v1/removed", "removed", { id: "00", sni: "a".repeat(256) }, /^removed\[1\]: sni: expected a server name/],
    ["/v1/removed", "removed", { id: "00", ticket_key: 7 }, /^removed\[1\]: ticket_key: expected the name/],
    ["/v1/removed", "removed", "00", /^removed\[1\]: expected an object/],
    ["/v1/import", "revocations", { sni: "" }, /^revocations\[1\]: sni: expected a server name/],
    ["/v1/import", "revocations", { sni: "a", unseen: "no" }, /^revocations\[1\]: unseen: expected one of/],
    ["/v1/import", "ticket_keys", { name: "00", state: "removed" }, /^ticket_keys\[1\]: name: expected/],
    ["/v1/import", "ticket_keys", { name: "0".repeat(32) }, /^ticket_keys\[1\]: state: expected/],
  ] as const) {
    it(`name the place of a fault: ${path} ${JSON.stringify(entry)}`, async () => {
      const right = { id: freshId(), sni: freshSni(), name: freshKeyName(), state: "learned" };
      const answer = await admin("POST", path, { body: { [name]: [right, entry] } });
      assertProblem(answer, 422);
      assert.match(answer.json.detail ?? "", fault);
      assert.match(answer.json.detail ?? "", /; the entries before it are taken in$/);
    });
  }

  it("need a body with the list", async () => {
    for (const path of ["/v1/removed", "/v1/import"]) {
      assertProblem(await admin("POST", path), 400);
      assertProblem(await admin("POST", path, { body: { sessions: [] } }), 400);
      assertProblem(await admin("POST", path, { body: {} }), 422);
      assertProblem(await admin("POST", path, { body: { removed: {} } }), 422);
    }
    assertProblem(await admin("POST", "/v1/removed", { body: { removed: [], revocations: [] } }), 400);
  });

  it("may come together in one body, each as GET gave it", async () => {
    const now = await clock();
    const [id, sni, name] = [freshId(), freshSni(), freshKeyName()];
    const body = {
      removed: [{ id, until: now + 60 }],
      revocations: [{ sni, time: now, until: now + 60 }],
      ticket_keys: [{ name, state: "removed" }],
    };
    assert.deepEqual(taken(await admin("POST", "/v1/import", { body })), [3, 0, 0]);
    for (const path of ["/v1/removed", "/v1/revocations", "/v1/ticket-keys"]) {
      const given = (await admin("GET", path)).json;
      const again = await admin("POST", "/v1/import", { body: given });
      assert.equal(taken(again)[0], 0, "what is here already changes nothing");
    }
  });
}
