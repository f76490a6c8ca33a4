/** Names of ticket keys: configured, removed and lifted. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { TicketKey } from "../support/answer.ts";
import { type Admin, freshKeyName, assertProblem, enforced } from "./client.ts";

export function describeTicketKeys(admin: Admin): void {
  const listed = async (name: string): Promise<TicketKey[]> => {
    const { json, status, text } = await admin("GET", "/v1/ticket-keys");
    assert.equal(status, 200, text.slice(0, 300));
    return (json.ticket_keys ?? []).filter((key) => key.name === name);
  };

  it("are added, identical, replaced, removed and configured again", async () => {
    const name = freshKeyName();
    const path = `/v1/ticket-keys/${name}`;
    const configured = { name, upstream: "10.0.0.7:443", state: "configured", tickets: 0, last_used: null };
    const added = await admin("PUT", path, { body: { upstream: "10.0.0.7:443" } });
    assert.deepEqual([added.status, added.json], [201, { result: 1, outcome: "added", ticket_key: configured }]);
    const again = await admin("PUT", path, { body: { upstream: "10.0.0.7:443" } });
    assert.deepEqual([again.status, again.json], [200, { result: 0, outcome: "identical", ticket_key: configured }]);
    const replaced = await admin("PUT", path, { body: { upstream: "10.0.0.8:443" } });
    const elsewhere = { ...configured, upstream: "10.0.0.8:443" };
    assert.deepEqual(
      [replaced.status, replaced.json],
      [200, { result: 1, outcome: "replaced", ticket_key: elsewhere }],
    );
    assert.deepEqual(await listed(name), [elsewhere]);
    const removed = await admin("DELETE", path);
    const { note, ...outcome } = enforced(removed);
    assert.deepEqual([removed.status, outcome], [200, { result: 1, outcome: "removed" }]);
    assert.match(note ?? "", /change the server's ticket key first, then remove its name here$/);
    assert.deepEqual(
      (await listed(name)).map(({ state }) => state),
      ["removed"],
    );
    const twice = await admin("DELETE", path);
    assert.deepEqual([twice.status, twice.json], [404, { result: 0, outcome: "not_found" }]);
    const lifted = await admin("PUT", path, { body: { upstream: "10.0.0.7:443" } });
    assert.deepEqual([lifted.status, lifted.json.outcome], [200, "replaced"]);
    assert.deepEqual(await listed(name), [configured]);
  });

  it("are lifted without an upstream: what was known of them stays, of those that nobody has seen nothing", async () => {
    const [known, unknown] = [freshKeyName(), freshKeyName()];
    await admin("PUT", `/v1/ticket-keys/${known}?upstream=10.0.0.7:443`);
    for (const name of [known, unknown]) await admin("DELETE", `/v1/ticket-keys/${name}`);
    const key = { name: known, upstream: "10.0.0.7:443", state: "learned", tickets: 0, last_used: null };
    const lifted = await admin("PUT", `/v1/ticket-keys/${known}`);
    assert.deepEqual([lifted.status, lifted.json], [200, { result: 1, outcome: "lifted", ticket_key: key }]);
    const again = await admin("PUT", `/v1/ticket-keys/${known}`, { body: {} });
    assert.deepEqual([again.status, again.json], [200, { result: 0, outcome: "identical", ticket_key: key }]);
    const forgotten = await admin("PUT", `/v1/ticket-keys/${unknown}`, { body: {} });
    assert.deepEqual([forgotten.status, forgotten.json], [200, { result: 1, outcome: "lifted", ticket_key: null }]);
    assert.deepEqual(await listed(unknown), []);
  });

  for (const body of [undefined, {}]) {
    it(`answer 404 to a lift of a name that is not there (${JSON.stringify(body) ?? "no body"}), and store nothing`, async () => {
      const name = freshKeyName();
      const { json, status } = await admin("PUT", `/v1/ticket-keys/${name}`, { body });
      assert.deepEqual([status, json], [404, { result: 0, outcome: "not_found" }]);
      assert.deepEqual(await listed(name), []);
    });
  }

  it("are removed though nobody has seen them, and shown without an upstream", async () => {
    const name = freshKeyName();
    const removed = await admin("DELETE", `/v1/ticket-keys/${name.toUpperCase()}`);
    assert.deepEqual([removed.status, enforced(removed)], [200, { result: 1, outcome: "removed" }]);
    assert.deepEqual(await listed(name), [{ name, upstream: null, state: "removed", tickets: 0, last_used: null }]);
  });

  for (const name of [
    "ab",
    "ab".repeat(15),
    "ab".repeat(17),
    "zz".repeat(16),
    `0x${"ab".repeat(15)}`,
    "a".repeat(31),
  ]) {
    it(`refuse the name ${name}`, async () => {
      assertProblem(await admin("PUT", `/v1/ticket-keys/${name}`, { body: { upstream: "10.0.0.7:443" } }), 400);
      assertProblem(await admin("DELETE", `/v1/ticket-keys/${name}`), 400);
    });
  }

  for (const [body, status] of [
    [{ upstream: "10.0.0.7:443", state: "configured" }, 400],
    [{ upstream: null }, 422],
    [{ upstream: "" }, 422],
    [{ upstream: "shop.example:443" }, 422],
    [{ upstream: 443 }, 422],
  ] as const) {
    it(`answer ${status} to ${JSON.stringify(body)}, and store nothing`, async () => {
      const name = freshKeyName();
      assertProblem(await admin("PUT", `/v1/ticket-keys/${name}`, { body }), status);
      assert.deepEqual(await listed(name), []);
    });
  }
}
