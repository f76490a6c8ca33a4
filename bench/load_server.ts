/**
 * The upstream, a process of its own: a TLS server that answers a line with a number by that many bytes and an end, and any
 * other line by one byte. Says its port in its first message. Sessions of every kind are resumed for as long as it lives.
 */
import { constants, randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { type TLSSocket, createServer } from "node:tls";
import { generate } from "selfsigned";

process.on("disconnect", () => process.exit(0));

const identity = await generate([{ name: "commonName", value: "localhost" }], { keyType: "ec", curve: "P-256" });
const TICKET_KEYS_BYTES = 48;
const LONGEST_LINE = 64;
const CHUNK = Buffer.alloc(256 * 1024);
const MAX_SESSIONS = 100_000;

const server = createServer({
  cert: identity.cert,
  key: identity.private,
  ticketKeys: randomBytes(TICKET_KEYS_BYTES),
  sessionTimeout: 86400,
  // Without middlebox extras, and with one ticket for each TLS 1.3 connection instead of two.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
});
const sessions = new Map<string, Buffer>();
server.on("newSession", (id: Buffer, session: Buffer, done: () => void) => {
  if (sessions.size < MAX_SESSIONS) sessions.set(id.toString("hex"), session);
  done();
});
server.on("resumeSession", (id: Buffer, done: (error: Error | null, session: Buffer | null) => void) => {
  done(null, sessions.get(id.toString("hex")) ?? null);
});
server.on("tlsClientError", (_error, socket) => socket.destroy());
server.on("connection", (socket) => socket.on("error", () => undefined));
server.on("secureConnection", (socket) => {
  let line = "";
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes: Buffer) => {
    line += bytes.toString("latin1");
    if (line.length > LONGEST_LINE) return void socket.destroy();
    if (!line.endsWith("\n")) return;
    const wanted = Number(line);
    line = "";
    if (Number.isInteger(wanted) && wanted > 0) void send(socket, wanted);
    else socket.write("!");
  });
});
server.listen(0, "127.0.0.1", 4096, () => process.send?.((server.address() as AddressInfo).port));

async function send(socket: TLSSocket, bytes: number): Promise<void> {
  for (let left = bytes; left > 0 && !socket.destroyed; left -= CHUNK.length) {
    if (socket.write(CHUNK.subarray(0, Math.min(left, CHUNK.length)))) continue;
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        socket.off("drain", goOn).off("close", goOn);
        resolve();
      };
      socket.on("drain", goOn).on("close", goOn);
    });
  }
  socket.end();
}
