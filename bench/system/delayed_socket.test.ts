import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { after, before, test } from "node:test";
import { connectDelayed } from "./delayed_socket.ts";

const MILLISECONDS = 20;
const server = createServer((socket) => {
  socket.on("error", () => undefined);
  socket.once("data", (bytes) => socket.end(`answer to ${bytes.toString()}`));
});

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
after(() => void server.close());

test("a connection takes a round trip, and an answer another one", async () => {
  const begin = performance.now();
  const socket = await connectDelayed({ host: "127.0.0.1", port: portOf() }, MILLISECONDS);
  const connected = performance.now() - begin;
  assert.ok(connected >= 2 * MILLISECONDS - 1, `connected after ${connected} ms`);
  socket.write("a");
  socket.write("b");
  let text = "";
  socket.on("data", (bytes: Buffer) => (text += bytes.toString()));
  await once(socket, "data");
  const answered = performance.now() - begin;
  assert.ok(answered >= 4 * MILLISECONDS - 2, `answered after ${answered} ms`);
  await once(socket, "close");
  assert.match(text, /^answer to ab?$/);
});

test("a refused connection is an error", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  await new Promise((resolve) => other.close(resolve));
  await assert.rejects(connectDelayed({ host: "127.0.0.1", port }, 1), /ECONNREFUSED/);
});

function portOf(): number {
  return (server.address() as AddressInfo).port;
}
