/**
 * `removed` in a configuration: it refuses from the first handshake of a proxy that knows nothing, at each filter of the cache,
 * and as long as it stands in the text.
 */
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Document } from "yaml";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { plugin } from "../../mistakes/attempt.ts";
import type { AnswerBody, RemovedSession } from "../../support/answer.ts";
import { type FilterRow, PLAIN, Reloaded } from "../../support/reloaded.ts";
import { type Stack, eventually, startStack } from "../../support/stack.ts";
import { type TlsRequest, type Visit, plainVisit, visit } from "../../support/tls_client.ts";

const KINDS: Record<"id" | "ticket" | "psk", Partial<TlsRequest>> = {
  id: { version: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET },
  ticket: { version: "TLSv1.2" },
  psk: { version: "TLSv1.3" },
};
const kinds = ["id", "ticket", "psk"] as const;
const REFUSED = { code: /HANDSHAKE_FAILURE/ };

type Removed = Partial<Record<"sessions" | "ticket_keys" | "server_names", string[]>>;

let upstream: DemoUpstream;
/** Sessions that were issued through a proxy that has ended since, with their ticket keys. */
const issued = new Map<string, Visit & { ticketKey: string | null }>();

before(async () => {
  upstream = await startDemoUpstream({ name: "alpha", tickets: true });
  const earlier = await startStack({ upstreams: [upstream.address] });
  for (const kind of kinds) {
    const first = await plainVisit({ port: earlier.tlsPort, sni: "shop.example", ...KINDS[kind] });
    const again = await resume(earlier, first, kind);
    assert.ok(again.resumed, "it would resume");
    const { json } = await earlier.admin("GET", `/v1/sessions/${first.id}`);
    issued.set(kind, { ...first, ticketKey: (json as unknown as { ticket_key: string | null }).ticket_key });
  }
  await earlier.stop();
});

after(() => upstream?.close());

describe("a proxy whose configuration removes sessions", () => {
  for (const kind of kinds) {
    it(`refuses one of the kind ${kind} from its first handshake, and no other`, async () => {
      const session = sessionOf(kind);
      const stack = await start({ sessions: [session.id.toUpperCase()] });
      try {
        await assert.rejects(resume(stack, session, kind), REFUSED);
        const other = await visit({ port: stack.tlsPort, sni: "shop.example", ...KINDS[kind] });
        assert.ok((await resume(stack, other, kind)).resumed);
      } finally {
        await stack.stop();
      }
    });
  }

  it("shows them as removed by the configuration, and does not let a call lift them", async () => {
    const { id } = sessionOf("psk");
    const stack = await start({ sessions: [id] });
    try {
      const got = await stack.admin("GET", `/v1/sessions/${id}`);
      assert.equal(got.status, 410);
      assert.match(got.text, /the configuration of a filter removes this session/);
      const { json } = await stack.admin("GET", "/v1/removed");
      assert.deepEqual(
        removedOf(json).map((row) => [row.id, row.cause]),
        [[id, "config"]],
      );
      assert.deepEqual((await stack.admin("GET", "/v1/removed?cause=api")).json.removed, []);
      assert.equal((await stack.admin("PUT", `/v1/sessions/${id}`)).status, 409);
      await assert.rejects(resume(stack, sessionOf("psk"), "psk"), REFUSED);
      const stats = (await stack.stats()) as unknown as { configured_removals: unknown };
      assert.deepEqual(stats.configured_removals, { sessions: 1, ticket_keys: 0, server_names: 0 });
    } finally {
      await stack.stop();
    }
  });

  it("refuses all sessions under a ticket key, and shows the key as removed", async () => {
    const { ticketKey } = sessionOf("psk");
    assert.ok(ticketKey);
    const stack = await start({ ticket_keys: [ticketKey] });
    try {
      for (const kind of ["ticket", "psk"] as const) {
        if (sessionOf(kind).ticketKey === ticketKey)
          await assert.rejects(resume(stack, sessionOf(kind), kind), REFUSED);
      }
      const { json } = await stack.admin("GET", "/v1/ticket-keys");
      const key = json.ticket_keys?.find(({ name }) => name === ticketKey);
      assert.deepEqual([key?.state, key?.cause], ["removed", "config"]);
      assert.equal((await stack.admin("PUT", `/v1/ticket-keys/${ticketKey}`)).status, 409);
      assert.ok((await resume(stack, sessionOf("id"), "id")).resumed, "a session without a ticket");
    } finally {
      await stack.stop();
    }
  });

  it("refuses the sessions of a server name that were issued before it began", async () => {
    const stack = await start({ server_names: ["SHOP.example"] });
    try {
      for (const kind of kinds) await assert.rejects(resume(stack, sessionOf(kind), kind), REFUSED);
      const { json } = await stack.admin("GET", "/v1/revocations");
      assert.deepEqual(
        json.revocations?.map(({ sni, until }) => [sni, until]),
        [["shop.example", null]],
      );
      assert.equal((await stack.admin("DELETE", "/v1/revocations/shop.example")).status, 409);
    } finally {
      await stack.stop();
    }
  });

  it("refuses at the observer what the admin filter alone has in its text", async () => {
    const stack = await start({ sessions: [sessionOf("id").id] }, "admin");
    try {
      await assert.rejects(resume(stack, sessionOf("id"), "id"), REFUSED);
      const { filters } = (await stack.admin("GET", "/v1/filters")).json as unknown as { filters: FilterRow[] };
      assert.deepEqual(
        filters.filter(({ gives }) => gives["removed"] === true).map(({ root_id }) => root_id),
        ["admin"],
      );
    } finally {
      await stack.stop();
    }
  });

  it("lets them resume again when an update takes them out, and refuses them when it is rolled back", async () => {
    const { id } = sessionOf("id");
    const removing = { ...PLAIN, observer: { removed: { sessions: [id] } } };
    const proxy = await Reloaded.start([upstream.address], removing);
    try {
      await assert.rejects(resume(proxy.stack, sessionOf("id"), "id"), REFUSED);
      assert.equal(await proxy.update(PLAIN), "taken");
      await eventually("it resumes", async () => {
        assert.ok((await resume(proxy.stack, sessionOf("id"), "id")).resumed, "it did not resume");
      });
      assert.deepEqual((await proxy.stack.admin("GET", "/v1/removed")).json.removed, []);
      await eventually("both workers know that they were superseded", () => assert.equal(proxy.superseded(), 2));
      assert.equal(await proxy.update(removing), "taken");
      await assert.rejects(resume(proxy.stack, sessionOf("id"), "id"), REFUSED);
    } finally {
      await proxy.stack.stop();
    }
  });

  it("takes some 15,000 of them", async () => {
    const many = Array.from({ length: 15_000 }, (_, number) => number.toString(16).padStart(64, "0"));
    const stack = await start({ sessions: [...many, sessionOf("id").id] });
    try {
      await assert.rejects(resume(stack, sessionOf("id"), "id"), REFUSED);
      assert.equal((await stack.admin("GET", `/v1/sessions/${many[14_999]}`)).status, 410);
      const listed: string[] = [];
      let cursor: string | null = null;
      do {
        const path: string = `/v1/removed?limit=1000${cursor === null ? "" : `&cursor=${cursor}`}`;
        const { json } = await stack.admin("GET", path);
        listed.push(...removedOf(json).map((row) => row.id));
        cursor = json.next ?? null;
      } while (cursor !== null && listed.length < 20_000);
      assert.equal(listed.length, 15_001);
      assert.equal(new Set(listed).size, 15_001);
    } finally {
      await stack.stop();
    }
  });
});

function removedOf({ removed }: AnswerBody): RemovedSession[] {
  assert.ok(Array.isArray(removed));
  return removed;
}

function sessionOf(kind: (typeof kinds)[number]): Visit & { ticketKey: string | null } {
  const session = issued.get(kind);
  assert.ok(session, kind);
  return session;
}

/** A proxy that knows nothing but its configuration. */
function start(removed: Removed, root: "observer" | "admin" = "observer"): Promise<Stack> {
  return startStack({
    upstreams: [upstream.address],
    change: (document: Document) => {
      const text = plugin(document, root).getIn(["configuration", "value"]) as string;
      const own = { ...(JSON.parse(text) as Record<string, unknown>), removed };
      plugin(document, root).setIn(["configuration", "value"], JSON.stringify(own));
    },
  });
}

function resume(stack: Stack, { session }: Visit, kind: (typeof kinds)[number]): Promise<Visit> {
  return visit({ port: stack.tlsPort, sni: "shop.example", session, ...KINDS[kind] });
}
