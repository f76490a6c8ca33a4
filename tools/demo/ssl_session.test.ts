import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { visit } from "./affinity/client.ts";
import { startDemoUpstream } from "./upstream.ts";
import { sessionOf, withTicket } from "./ssl_session.ts";

for (const tickets of [true, false]) {
  test(`a session ${tickets ? "with" : "without"} a ticket gets another one, and keeps all else`, async () => {
    const server = await startDemoUpstream({ name: "a", tickets });
    try {
      const { session } = await visit(server.port, tickets ? "ticket" : "id", "127.0.0.1");
      assert.ok(session !== undefined);
      for (const length of [1, 100, 200, 3000]) {
        const ticket = randomBytes(length);
        const changed = withTicket(session, ticket);
        assert.deepEqual(sessionOf(changed), { ...sessionOf(session), ticket });
        const seen = await visit(server.port, "ticket", "127.0.0.1", changed);
        assert.equal(seen.error, null, "the client takes the session, and the server declines its ticket");
        assert.equal(seen.resumed, false);
      }
      const own = sessionOf(session).ticket;
      if (own !== null) assert.deepEqual(withTicket(session, own), session);
    } finally {
      await server.close();
    }
  });
}
