import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type DemoUpstream, startDemoUpstream } from "./upstream.ts";
import { asksToRetry, startSilentClient } from "./silent_hello.ts";

let server: DemoUpstream;

before(async () => {
  server = await startDemoUpstream({ name: "a", tickets: true });
});
after(() => server.close());

test("is asked for a key share if it sends none", async () => {
  const client = startSilentClient(server.port, "127.0.0.1", "retry", randomBytes(176));
  try {
    for (let i = 0; i < 100 && !asksToRetry(client.received()); i++) await sleep(50);
    assert.ok(asksToRetry(client.received()), client.received().toString("hex"));
  } finally {
    client.end();
  }
});

test("hears nothing where its record is not all there", async () => {
  const client = startSilentClient(server.port, "127.0.0.1", "record", randomBytes(176));
  try {
    await sleep(500);
    assert.equal(client.received().length, 0);
  } finally {
    client.end();
  }
});
