/** Lists of sessions and of removed sessions: pages, cursors and filters. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { RemovedSession, Session } from "../support/answer.ts";
import { MAX_PAGES, type Admin, freshId, freshSni, allPages, assertProblem, cursorOf } from "./client.ts";

export function describeListing(admin: Admin): void {
  it("shows every session exactly once, whatever the page's size", async () => {
    const sni = freshSni();
    const ids = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const id = freshId();
      ids.add(id);
      await admin("PUT", `/v1/sessions/${id}`, { body: { sni } });
    }
    for (const limit of [1, 7, 30, 1000]) {
      const listed = await allPages<Session>(admin, `/v1/sessions?sni=${sni}&limit=${limit}`, "sessions", (length) =>
        assert.ok(length <= limit, `a page of ${length} where ${limit} was asked for`),
      );
      assert.deepEqual(listed.map(({ id }) => id).sort(), [...ids].sort(), `limit=${limit}`);
    }
  });

  it("shows in the listing what GET shows", async () => {
    const sni = freshSni();
    const { json } = await admin("PUT", `/v1/sessions/${freshId()}`, { body: { sni, upstream: "10.1.2.3:443" } });
    const listed = await allPages<Session>(admin, `/v1/sessions?sni=${sni}`, "sessions");
    assert.deepEqual(listed, [json.session]);
  });

  it("filters by kind, server name and upstream, and by all of them", async () => {
    const sni = freshSni();
    const other = freshSni();
    const id = { ticket: freshId(), psk: freshId(), elsewhere: freshId(), otherName: freshId() };
    await admin("PUT", `/v1/sessions/${id.ticket}`, { body: { sni, kind: "ticket", upstream: "10.9.0.1:443" } });
    await admin("PUT", `/v1/sessions/${id.psk}`, { body: { sni, kind: "psk", upstream: "10.9.0.1:443" } });
    await admin("PUT", `/v1/sessions/${id.elsewhere}`, {
      body: { sni, kind: "ticket", upstream: "[2001:db8::9]:443" },
    });
    await admin("PUT", `/v1/sessions/${id.otherName}`, { body: { sni: other, kind: "ticket" } });
    const list = async (query: string): Promise<string[]> => {
      const sessions = await allPages<Session>(admin, `/v1/sessions?limit=1000&${query}`, "sessions");
      const mine = Object.values(id) as string[];
      return sessions
        .map((session) => session.id)
        .filter((found) => mine.includes(found))
        .sort();
    };
    assert.deepEqual(await list(`sni=${sni}`), [id.ticket, id.psk, id.elsewhere].sort());
    assert.deepEqual(await list("kind=ticket"), [id.ticket, id.elsewhere, id.otherName].sort());
    assert.deepEqual(await list("upstream=10.9.0.1:443"), [id.ticket, id.psk].sort());
    assert.deepEqual(await list("upstream=%5B2001%3Adb8%3A%3A9%5D%3A443"), [id.elsewhere]);
    assert.deepEqual(await list(`sni=${sni}&kind=ticket&upstream=10.9.0.1:443`), [id.ticket]);
    assert.deepEqual(await list(`sni=${sni}&kind=id`), []);
  });

  it("refuses a cursor with other filters than its own", async () => {
    const sni = freshSni();
    for (let i = 0; i < 3; i++) await admin("PUT", `/v1/sessions/${freshId()}`, { body: { sni } });
    const cursor = await cursorOf(admin, `/v1/sessions?sni=${sni}&limit=1`);
    const at = `cursor=${encodeURIComponent(cursor)}`;
    assert.equal((await admin("GET", `/v1/sessions?sni=${sni}&limit=1&${at}`)).status, 200);
    assertProblem(await admin("GET", `/v1/sessions?limit=1&${at}`), 400);
    assertProblem(await admin("GET", `/v1/sessions?sni=${freshSni()}&limit=1&${at}`), 400);
    assertProblem(await admin("GET", `/v1/sessions?sni=${sni}&kind=id&limit=1&${at}`), 400);
    assertProblem(await admin("GET", `/v1/removed?limit=1&${at}`), 400);
  });

  it("refuses a cursor of which a character was changed, or goes on to list, but never fails", async () => {
    const sni = freshSni();
    for (let i = 0; i < 3; i++) await admin("PUT", `/v1/sessions/${freshId()}`, { body: { sni } });
    const cursor = await cursorOf(admin, `/v1/sessions?sni=${sni}&limit=1`);
    for (let i = 0; i < cursor.length; i++) {
      const changed = `${cursor.slice(0, i)}${cursor[i] === "0" ? "1" : "0"}${cursor.slice(i + 1)}`;
      const { status } = await admin("GET", `/v1/sessions?sni=${sni}&limit=1&cursor=${encodeURIComponent(changed)}`);
      assert.ok(status === 200 || status === 400, `status ${status} for ${changed}`);
    }
    for (const changed of [cursor.slice(1), `${cursor}0`, cursor.repeat(2), cursor.repeat(50)]) {
      assertProblem(await admin("GET", `/v1/sessions?sni=${sni}&limit=1&cursor=${encodeURIComponent(changed)}`), 400);
    }
  });
}

export function describeRemoved(admin: Admin): void {
  it("lists what was removed by hand, once each, until when and why", async () => {
    const ids = Array.from({ length: 12 }, () => freshId());
    for (const id of ids) await admin("PUT", `/v1/sessions/${id}`);
    for (const id of ids) await admin("DELETE", `/v1/sessions/${id}`);
    for (const limit of [3, 1000]) {
      const listed = await allPages<RemovedSession>(admin, `/v1/removed?limit=${limit}`, "removed", (length) =>
        assert.ok(length <= limit),
      );
      const mine = listed.filter(({ id }) => ids.includes(id));
      assert.deepEqual(mine.map(({ id }) => id).sort(), [...ids].sort());
      for (const entry of mine) {
        assert.deepEqual(Object.keys(entry).sort(), ["cause", "id", "kind", "time", "until"]);
        assert.equal(entry.cause, "api");
        assert.ok(entry.until > entry.time, "it lasts for a while");
      }
    }
  });

  it("shows nothing but ID, times and cause of a removal of an unknown ID", async () => {
    const id = freshId();
    await admin("DELETE", `/v1/sessions/${id}`);
    const listed = await allPages<RemovedSession>(admin, "/v1/removed?limit=1000", "removed");
    const entry = listed.find((row) => row.id === id);
    assert.deepEqual(Object.keys(entry ?? {}).sort(), ["cause", "id", "time", "until"]);
  });

  it("shows kind, server name and upstream of a removed session, and filters by them", async () => {
    const [sni, upstream] = [freshSni(), "10.9.0.2:443"];
    const id = { ticket: freshId(), other: freshId(), unknown: freshId() };
    await admin("PUT", `/v1/sessions/${id.ticket}`, { body: { sni, upstream, kind: "ticket" } });
    await admin("PUT", `/v1/sessions/${id.other}`, { body: { sni: freshSni(), kind: "ticket" } });
    for (const each of Object.values(id)) await admin("DELETE", `/v1/sessions/${each}`);
    const list = async (query: string): Promise<RemovedSession[]> => {
      const listed = await allPages<RemovedSession>(admin, `/v1/removed?limit=1000&${query}`, "removed");
      return listed.filter((row) => (Object.values(id) as string[]).includes(row.id));
    };
    const [found, ...more] = await list(`sni=${sni.toUpperCase()}`);
    assert.deepEqual(more, []);
    assert.deepEqual([found?.id, found?.kind, found?.sni, found?.upstream], [id.ticket, "ticket", sni, upstream]);
    assert.deepEqual((await list("kind=ticket")).map((row) => row.id).sort(), [id.ticket, id.other].sort());
    assert.deepEqual(await list("kind=psk"), []);
    assert.deepEqual((await list(`kind=ticket&sni=${sni}&upstream=${upstream}&cause=api`)).length, 1);
    assert.deepEqual(await list(`sni=${sni}&cause=flush`), []);
    assertProblem(await admin("GET", "/v1/removed?kind=cookie"), 400);
    assertProblem(await admin("GET", "/v1/removed?sni="), 400);
  });

  it("tells as an event whether it was held", async () => {
    const id = freshId();
    await admin("PUT", `/v1/sessions/${id}`);
    await admin("DELETE", `/v1/sessions/${id}`);
    await admin("DELETE", `/v1/sessions/${id}`);
    const story = (await eventsOf(admin, id, 3)).map(({ type, held }) => [type, held]);
    assert.deepEqual(story, [
      ["new", undefined],
      ["removed", true],
      ["removed", false],
    ]);
  });

  it("does not list a removed session among the sessions", async () => {
    const sni = freshSni();
    const id = freshId();
    await admin("PUT", `/v1/sessions/${id}`, { body: { sni } });
    await admin("DELETE", `/v1/sessions/${id}`);
    assert.deepEqual(await allPages<Session>(admin, `/v1/sessions?sni=${sni}`, "sessions"), []);
  });
}

/** The first so many events of an ID, oldest first. */
async function eventsOf(admin: Admin, id: string, count: number): Promise<Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = [];
  let mark: string | null | undefined;
  for (let pages = 0; pages < MAX_PAGES && all.length < count; pages++) {
    const after = mark === undefined ? "" : `&after=${mark ?? ""}`;
    const { json } = await admin("GET", `/v1/events?limit=1000${after}`);
    const events = json.events as Record<string, unknown>[];
    all.push(...events.filter((event) => event.id === id));
    mark = json.next;
    // Another worker may be collecting them just now.
    if (events.length === 0) await setTimeout(10);
  }
  return all;
}
