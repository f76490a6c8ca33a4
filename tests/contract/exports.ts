/** A cache as lines of JSON, and back. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { type Admin, type AdminAnswer, assertProblem, freshId, freshKeyName, freshSni, mediaType } from "./client.ts";

const LINES = { "content-type": "application/x-ndjson" };
const MAX_PAGES = 500;

type Line = Record<string, Record<string, unknown> | string | null>;

export function describeExports(admin: Admin): void {
  const pageOf = async (path: string): Promise<{ text: string; lines: Line[]; next: string | null }> => {
    const answer = await admin("GET", path);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(mediaType(answer), "application/x-ndjson");
    assert.ok(Buffer.byteLength(answer.text) <= 65_536, "a page can be posted as it is");
    assert.ok(answer.text.endsWith("\n"));
    const lines = answer.text
      .slice(0, -1)
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    for (const line of lines) assert.equal(Object.keys(line).length, 1, "each line has one member");
    const last = lines.pop();
    assert.deepEqual(Object.keys(last ?? {}), ["next"], "the last line has the cursor");
    return { text: answer.text, lines, next: last?.["next"] as string | null };
  };
  const exported = async (query = ""): Promise<{ texts: string[]; lines: Line[] }> => {
    const texts: string[] = [];
    const lines: Line[] = [];
    let cursor: string | null = null;
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const separator = query === "" ? "?" : "&";
      const path: string = `/v1/export${query}${cursor === null ? "" : `${separator}cursor=${cursor}`}`;
      const page = await pageOf(path);
      texts.push(page.text);
      lines.push(...page.lines);
      cursor = page.next;
      if (cursor === null) return { texts, lines };
    }
    throw new Error("the export does not end");
  };
  const post = (lines: unknown[]): Promise<AdminAnswer> =>
    admin("POST", "/v1/import", {
      body: lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"),
      headers: LINES,
    });
  const counts = ({ status, json, text }: AdminAnswer): (number | undefined)[] => {
    assert.equal(status, 200, text);
    assert.ok(json.enforced_by);
    return [json.taken, json.identical, json.skipped];
  };

  it("have each session, removal, ticket key and revocation once, refusals first", async () => {
    const [held, removed, key, sni] = [freshId(), freshId(), freshKeyName(), freshSni()];
    await admin("PUT", `/v1/sessions/${held}`, { body: { kind: "ticket", sni: freshSni(), timeout: 4000 } });
    await admin("DELETE", `/v1/sessions/${removed}`);
    await admin("DELETE", `/v1/ticket-keys/${key}`);
    await admin("PUT", `/v1/revocations/${sni}`);
    const { lines } = await exported();
    const found = (name: string, member: string, value: string): number[] =>
      lines.flatMap((line, index) => ((line[name] as Record<string, unknown>)?.[member] === value ? [index] : []));
    const places = [
      found("revocation", "sni", sni),
      found("ticket_key", "name", key),
      found("removed", "id", removed),
      found("session", "id", held),
    ];
    assert.deepEqual(
      places.map((found) => found.length),
      [1, 1, 1, 1],
    );
    assert.deepEqual(
      places.flat(),
      places.flat().sort((one, other) => one - other),
    );
    assert.deepEqual(lines[places[3]?.[0] ?? 0]?.["session"], (await admin("GET", `/v1/sessions/${held}`)).json);
    await admin("DELETE", `/v1/revocations/${sni}`);
  });

  it("have only the parts that are asked for; settings must be", async () => {
    const settings = await exported("?what=settings");
    const [line] = settings.lines;
    assert.equal(settings.lines.length, 1);
    assert.deepEqual(Object.keys(line?.["settings"] ?? {}), ["mode", "cache_size", "timeout", "enforcement"]);
    assert.ok((await exported()).lines.every((line) => !("settings" in line)));
    const parts = await exported("?what=removed,revocations");
    assert.ok(parts.lines.every((line) => "removed" in line || "revocation" in line));
    assertProblem(await admin("GET", "/v1/export?what=everything"), 400);
    assertProblem(await admin("GET", "/v1/export?limit=0"), 400);
  });

  it("come in pages that a limit makes smaller, and cursors hold for one export only", async () => {
    for (let i = 0; i < 5; i++) await admin("PUT", `/v1/sessions/${freshId()}`);
    const all = await exported("?what=sessions");
    const small = await exported("?what=sessions&limit=2");
    assert.ok(small.texts.length > 2);
    assert.deepEqual(
      new Set(small.lines.map((line) => JSON.stringify(line))),
      new Set(all.lines.map((line) => JSON.stringify(line))),
    );
    // Names that JSON has to escape make long lines.
    const long = Array.from({ length: 60 }, freshId);
    for (const id of long) await admin("PUT", `/v1/sessions/${id}`, { body: { sni: "\u0001".repeat(250) } });
    const pages = await exported("?what=sessions");
    assert.ok(pages.texts.length > 1, "64 KiB hold at most some 40 of them");
    const ids = pages.lines.map((line) => (line["session"] as { id: string }).id);
    assert.equal(new Set(ids).size, ids.length, "each is there once");
    assert.deepEqual(
      long.filter((id) => !ids.includes(id)),
      [],
    );
    for (const id of long) await admin("DELETE", `/v1/sessions/${id}`);
    const { next } = await pageOf("/v1/export?what=sessions&limit=2");
    assertProblem(await admin("GET", `/v1/export?what=removed&cursor=${next}`), 400);
    for (const cursor of ["", "9", `5${next?.slice(1)}`, next?.slice(1), `${next}0`]) {
      assertProblem(await admin("GET", `/v1/export?what=sessions&cursor=${cursor}`), 400);
    }
  });

  it("are taken in again without a change", async () => {
    await admin("PUT", `/v1/sessions/${freshId()}`);
    await admin("DELETE", `/v1/sessions/${freshId()}`);
    const { texts } = await exported("?what=settings,revocations,removed,sessions");
    for (const body of texts) {
      const [taken, identical, skipped] = counts(await admin("POST", "/v1/import", { body, headers: LINES }));
      // A session that has expired is left alone.
      assert.deepEqual(
        [taken, (identical ?? 0) + (skipped ?? 0) > 0 || !body.includes("id")],
        [0, true],
        body.slice(0, 500),
      );
    }
  });

  it("give a session back with its times, hits and origin", async () => {
    const [id, other] = [freshId(), freshId()];
    await admin("PUT", `/v1/sessions/${other}`);
    const now = (await admin("GET", `/v1/sessions/${other}`)).json as unknown as { time: number };
    const session = {
      ...{ id, kind: "ticket", protocol: "TLSv1.2", cipher: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" },
      ...{ sni: freshSni(), upstream: "10.0.0.7:443", ticket_key: freshKeyName(), session: null },
      ...{
        time: now.time - 500,
        issued: now.time - 500,
        timeout: 4000,
        last_used: now.time - 20,
        hits: 7,
        origin: "observed",
      },
    };
    assert.deepEqual(counts(await post([{ session }])), [1, 0, 0]);
    assert.deepEqual((await admin("GET", `/v1/sessions/${id}`)).json, session);
    assert.deepEqual(counts(await post([{ session: { ...session, hits: 9 } }])), [0, 1, 0], "a held one stays");
    assert.equal(((await admin("GET", `/v1/sessions/${id}`)).json as unknown as { hits: number }).hits, 7);
    await admin("DELETE", `/v1/sessions/${id}`);
    assert.deepEqual(counts(await post([{ session }])), [0, 0, 1], "no import lifts a removal");
    assert.equal((await admin("GET", `/v1/sessions/${id}`)).status, 410);
    const over = { ...session, id: freshId(), time: now.time - 5000 };
    assert.deepEqual(counts(await post([{ session: over }])), [0, 0, 1], "an expired one is over");
    const unissued = {
      ...session,
      id: freshId(),
      issued: null,
      session: "00000000c0ffee01",
      origin: "api",
      last_used: null,
    };
    assert.deepEqual(counts(await post([{ session: unissued }])), [1, 0, 0]);
    assert.deepEqual((await admin("GET", `/v1/sessions/${unissued.id}`)).json, unissued);
  });

  it("take settings back, and check all before the first is set", async () => {
    const { lines } = await exported("?what=settings");
    const [before] = lines;
    const changed = { settings: { timeout: 123, enforcement: "strict" } };
    assert.deepEqual(counts(await post([changed])), [1, 0, 0]);
    assert.deepEqual(counts(await post([changed])), [0, 1, 0]);
    assert.equal((await admin("GET", "/v1/timeout")).json.timeout, 123);
    assertProblem(await post([{ settings: { timeout: 124, mode: ["CLIENT"] } }]), 422);
    assertProblem(await post([{ settings: { colour: "red" } }]), 422);
    assert.equal((await admin("GET", "/v1/timeout")).json.timeout, 123);
    assert.deepEqual(counts(await post([before])), [1, 0, 0]);
  });

  it("are refused with the number of the line", async () => {
    const good = JSON.stringify({ removed: { id: freshId() } });
    const faults: [string, number, RegExp][] = [
      ["", 400, /^body: expected lines of JSON/],
      ["\n \n", 400, /^body: expected lines of JSON/],
      [`${good}\n{"removed":`, 400, /^body: line 2: column \d+: expected a value/],
      [`${good}\n\n[]`, 400, /^body: line 3: expected an object with one of settings, /],
      [`${good}\n{"removed":{},"session":{}}`, 400, /^body: line 2: expected an object with one of/],
      ['{"sessions":[]}', 400, /^body: line 1: "sessions" is not known/],
      [`${good}\n{"removed":{"id":"x"}}`, 422, /^line 2: removed: id: /],
      ['{"session":{"id":"c0ffee"}}', 422, /^line 1: session: timeout: /],
      ['{"session":{"id":"c0ffee","timeout":60,"kind":"x"}}', 422, /^line 1: session: kind: /],
      ['{"session":7}', 422, /^line 1: session: expected an object/],
      ['{"next":null}\n'.repeat(2100), 400, /more than 2048 lines/],
    ];
    for (const [body, status, detail] of faults) {
      const answer = await admin("POST", "/v1/import", { body, headers: LINES });
      assertProblem(answer, status);
      assert.match(String((answer.json as { detail?: string }).detail), detail, body.slice(0, 80));
    }
    const charset = { "content-type": "Application/X-NDJSON; charset=utf-8" };
    assert.equal((await admin("POST", "/v1/import", { body: good, headers: charset })).status, 200);
  });
}
