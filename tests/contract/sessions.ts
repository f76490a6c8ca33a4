/** One session: adding, replacing and removing it, its fields, and the forms of its ID. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { RemovedSession, Session } from "../support/answer.ts";
import { type Admin, freshId, freshSni, allPages, assertProblem, enforced } from "./client.ts";

export function describeChanges(admin: Admin): void {
  it("answers add, add again, replace, remove and remove again as the seed's table says", async () => {
    const path = `/v1/sessions/${freshId()}`;
    const sni = freshSni();
    const added = await admin("PUT", path, { body: { sni } });
    assert.deepEqual([added.status, added.json.result, added.json.outcome], [201, 1, "added"], added.text);
    const again = await admin("PUT", path, { body: { sni } });
    assert.deepEqual([again.status, again.json.result, again.json.outcome], [200, 0, "identical"], again.text);
    assert.deepEqual(again.json.session, added.json.session);
    const replaced = await admin("PUT", path, { body: { sni: freshSni() } });
    assert.deepEqual(
      [replaced.status, replaced.json.result, replaced.json.outcome],
      [200, 1, "replaced"],
      replaced.text,
    );
    const removed = await admin("DELETE", path);
    assert.deepEqual([removed.status, enforced(removed)], [200, { result: 1, outcome: "removed", handles: 1 }]);
    const removedAgain = await admin("DELETE", path);
    assert.equal(removedAgain.status, 404);
    assert.deepEqual(enforced(removedAgain), { result: 0, outcome: "not_found", handles: 0 });
  });

  it("answers 404 for a session never seen, 200 for one that is held and 410 for one that was removed", async () => {
    const path = `/v1/sessions/${freshId()}`;
    assertProblem(await admin("GET", path), 404);
    await admin("PUT", path);
    assert.equal((await admin("GET", path)).status, 200);
    await admin("DELETE", path);
    assertProblem(await admin("GET", path), 410);
  });

  it("makes a session non-resumable by DELETE even if it was never seen", async () => {
    const path = `/v1/sessions/${freshId()}`;
    const answer = await admin("DELETE", path);
    assert.equal(answer.status, 404);
    assert.deepEqual([answer.json.result, answer.json.outcome], [0, "not_found"]);
    assertProblem(await admin("GET", path), 410);
  });

  it("undoes the removal when a removed session is added by hand: its description is kept unless it is given", async () => {
    const id = freshId();
    const kept = {
      kind: "ticket",
      protocol: "TLSv1.2",
      cipher: "TLS_RSA_WITH_AES_128_CBC_SHA",
      upstream: "10.0.0.7:443",
    };
    await admin("PUT", `/v1/sessions/${id}`, { body: { ...kept, sni: "before.example", timeout: 99 } });
    await admin("DELETE", `/v1/sessions/${id}`);
    const added = await admin("PUT", `/v1/sessions/${id}`, { body: { sni: "after.example" } });
    assert.deepEqual([added.status, added.json.result, added.json.outcome], [201, 1, "added"]);
    const { kind, protocol, cipher, upstream, sni, timeout, origin, hits } = added.json.session as Session;
    assert.deepEqual({ kind, protocol, cipher, upstream }, kept);
    assert.deepEqual([sni, origin, hits], ["after.example", "api", 0]);
    assert.notEqual(timeout, 99, "how long it lives is decided again");
    await admin("DELETE", `/v1/sessions/${id}`);
    const cleared = await admin("PUT", `/v1/sessions/${id}`, { body: { kind: "id", upstream: null } });
    const again = cleared.json.session as Session;
    assert.deepEqual([again.kind, again.upstream, again.sni], ["id", null, "after.example"]);
    assert.equal((await admin("GET", `/v1/sessions/${id}`)).status, 200);
    const removed = await allPages<RemovedSession>(admin, "/v1/removed?limit=1000", "removed");
    assert.ok(!removed.some((entry) => entry.id === id), "the tombstone is gone");
  });

  it("shows on GET exactly what PUT answered", async () => {
    const id = freshId();
    const { json } = await admin("PUT", `/v1/sessions/${id}`, { body: { sni: "same.example", cipher: "0x1234" } });
    const { json: held } = await admin("GET", `/v1/sessions/${id}`);
    assert.deepEqual(held, json.session);
  });
}

export function describePut(admin: Admin): void {
  it("has kind id, origin api, no hits, and null for all that is unknown", async () => {
    const id = freshId();
    const before = Math.floor(Date.now() / 1000);
    const { json } = await admin("PUT", `/v1/sessions/${id}`);
    const session = json.session as Session;
    const { time, timeout, issued, ...rest } = session;
    assert.equal(issued, time, "by hand, the time of issue is that of the call");
    assert.ok(Number.isInteger(time) && time > 0);
    assert.ok(time <= before + 60 || time >= 1_790_000_000, "time is in seconds");
    assert.ok(Number.isInteger(timeout) && timeout >= 1);
    assert.deepEqual(rest, {
      id,
      kind: "id",
      protocol: null,
      cipher: null,
      sni: null,
      upstream: null,
      ticket_key: null,
      session: null,
      last_used: rest.last_used,
      hits: 0,
      origin: "api",
    });
    assert.ok(rest.last_used === null || rest.last_used === time, `last_used is ${rest.last_used}`);
  });

  it("has the fields in the order and under the names of the contract", async () => {
    const { json } = await admin("PUT", `/v1/sessions/${freshId()}`);
    const names = "id kind protocol cipher sni upstream ticket_key session time issued timeout last_used hits origin";
    assert.deepEqual(Object.keys(json.session ?? {}).sort(), names.split(" ").sort());
  });

  it("keeps every field that is given", async () => {
    const fields = {
      kind: "psk",
      protocol: "TLSv1.3",
      cipher: "TLS_AES_256_GCM_SHA384",
      sni: "shop.example",
      upstream: "10.0.0.7:443",
      timeout: 1234,
    };
    const id = freshId();
    const put = await admin("PUT", `/v1/sessions/${id}`, { body: fields });
    assert.equal(put.status, 201, put.text);
    const { json } = await admin("GET", `/v1/sessions/${id}`);
    for (const [name, value] of Object.entries(fields)) assert.equal(json[name], value, name);
  });

  for (const kind of ["id", "ticket", "psk"]) {
    it(`accepts the kind ${kind}`, async () => {
      const { json } = await admin("PUT", `/v1/sessions/${freshId()}`, { body: { kind } });
      assert.equal(json.session?.kind, kind);
    });
  }

  for (const protocol of ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]) {
    it(`accepts the protocol ${protocol}`, async () => {
      const { json, text } = await admin("PUT", `/v1/sessions/${freshId()}`, { body: { protocol } });
      assert.equal(json.session?.protocol, protocol, text);
    });
  }

  for (const cipher of [
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "0xfafa",
  ]) {
    it(`gives the cipher ${cipher} back as it came`, async () => {
      const { json, text } = await admin("PUT", `/v1/sessions/${freshId()}`, { body: { cipher } });
      assert.equal(json.session?.cipher?.toLowerCase(), cipher.toLowerCase(), text);
    });
  }

  it("takes the number and the name of a cipher suite for the same", async () => {
    const path = `/v1/sessions/${freshId()}`;
    await admin("PUT", path, { body: { cipher: "0xC02C" } });
    const again = await admin("PUT", path, { body: { cipher: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" } });
    assert.deepEqual([again.status, again.json.outcome], [200, "identical"], again.text);
  });

  for (const upstream of ["10.0.0.7:443", "[2001:db8::1]:443", "127.0.0.1:10501"]) {
    it(`accepts the upstream ${upstream}`, async () => {
      const { json, text } = await admin("PUT", `/v1/sessions/${freshId()}`, { body: { upstream } });
      assert.equal(json.session?.upstream, upstream, text);
    });
  }

  it("replaces the fields that are given and keeps the others", async () => {
    const path = `/v1/sessions/${freshId()}`;
    await admin("PUT", path, { body: { sni: "one.example", upstream: "10.0.0.7:443", timeout: 100 } });
    const { json } = await admin("PUT", path, { body: { sni: "two.example" } });
    assert.equal(json.outcome, "replaced");
    const { sni, timeout, upstream } = json.session as Session;
    assert.deepEqual([sni, upstream, timeout], ["two.example", "10.0.0.7:443", 100]);
  });

  it("is identical where no field is given, or only some and all equal", async () => {
    const path = `/v1/sessions/${freshId()}`;
    await admin("PUT", path, { body: { sni: "one.example", upstream: "10.0.0.7:443" } });
    for (const body of [undefined, {}, { sni: "one.example" }, { upstream: "10.0.0.7:443", kind: "id" }]) {
      const { json, status } = await admin("PUT", path, { body });
      assert.deepEqual([status, json.result, json.outcome], [200, 0, "identical"], JSON.stringify(body));
    }
  });

  it("keeps a server name of 255 bytes, and one that JSON has to escape", async () => {
    for (const sni of ["a".repeat(255), 'quote"and\\backslash', "<script>", "tab\tnewline\n"]) {
      const path = `/v1/sessions/${freshId()}`;
      const put = await admin("PUT", path, { body: { sni } });
      if (put.status === 422 && /[^!-~]/.test(sni)) continue; // Control characters may be refused, never mangled.
      assert.equal(put.json.session?.sni, sni, put.text);
      assert.equal((await admin("GET", path)).json.sni, sni);
    }
  });

  it("keeps the smallest and the largest timeout", async () => {
    for (const timeout of [1, 2147483647]) {
      const { json, text } = await admin("PUT", `/v1/sessions/${freshId()}`, { body: { timeout } });
      assert.equal(json.session?.timeout, timeout, text);
    }
  });
}

export function describeIds(admin: Admin): void {
  it("takes either case and answers in lower case", async () => {
    const id = freshId();
    const { json } = await admin("PUT", `/v1/sessions/${id.toUpperCase()}`);
    assert.equal(json.session?.id, id);
    assert.equal((await admin("GET", `/v1/sessions/${id}`)).status, 200);
    assert.equal((await admin("DELETE", `/v1/sessions/${id.toUpperCase()}`)).status, 200);
  });

  it("takes 1 to 32 bytes", async () => {
    for (const length of [1, 2, 16, 31, 32]) {
      const id = freshId().slice(0, 2 * length);
      await admin("DELETE", `/v1/sessions/${id}`);
      const { json, status } = await admin("PUT", `/v1/sessions/${id}`);
      assert.deepEqual([status, json.session?.id], [201, id]);
    }
  });

  it("keeps IDs apart of which one begins with the other", async () => {
    const id = freshId();
    await admin("PUT", `/v1/sessions/${id}`, { body: { sni: "long.example" } });
    assertProblem(await admin("GET", `/v1/sessions/${id.slice(0, 62)}`), 404);
    await admin("PUT", `/v1/sessions/${id.slice(0, 62)}`, { body: { sni: "short.example" } });
    assert.equal((await admin("GET", `/v1/sessions/${id}`)).json.sni, "long.example");
    await admin("DELETE", `/v1/sessions/${id.slice(0, 62)}`);
    assert.equal((await admin("GET", `/v1/sessions/${id}`)).status, 200);
  });

  for (const [what, id] of [
    ["one digit", "a"],
    ["an odd number of digits", "abc"],
    ["66 digits", "ab".repeat(33)],
    ["letters that are not hexadecimal", "zz"],
    ["a minus sign", "-1ab"],
    ["0x in front", "0xab"],
    ["an escaped space", "ab%20"],
    ["4096 digits", "ab".repeat(2048)],
  ] as const) {
    for (const method of ["GET", "PUT", "DELETE"]) {
      it(`refuses ${what} on ${method}`, async () => {
        assertProblem(await admin(method, `/v1/sessions/${id}`), 400);
      });
    }
  }
}
