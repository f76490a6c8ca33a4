/**
 * A TLS server to stand behind the proxy: Node's tls, which is OpenSSL, with a ticket key and session IDs of its own. It
 * answers each request with one line that says who answered and whether the session was resumed, then closes.
 *
 * Promises to survive garbage, plain text and clients that leave halfway. Holds at most MAX_SESSIONS session IDs.
 */
import { constants, randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { createServer, type SecureVersion, type TLSSocket, type TlsOptions } from "node:tls";
import { generate } from "selfsigned";

export interface DemoUpstreamOptions {
  name: string;
  /** The system's choice if none is named. */
  port?: number;
  maxVersion?: SecureVersion;
  minVersion?: SecureVersion;
  /** false: session IDs only, as with SSL_OP_NO_TICKET. */
  tickets: boolean;
  /** TICKET_KEYS_BYTES that its tickets are made with, as when several servers share them; its own if none are named. */
  ticketKeys?: Buffer;
}

export interface DemoUpstream {
  readonly name: string;
  readonly port: number;
  /** As Envoy writes it: `127.0.0.1:10501`. */
  readonly address: string;
  /** Finished handshakes so far. */
  readonly handshakes: { readonly full: number; readonly resumed: number };
  /** From now on tickets are made with these keys, and those made before are declined. */
  setTicketKeys(keys: Buffer): void;
  close(): Promise<void>;
}

export async function startDemoUpstream(options: DemoUpstreamOptions): Promise<DemoUpstream> {
  const { certificate, key } = await identity();
  const server = createServer({
    cert: certificate,
    key,
    ...(options.minVersion === undefined ? {} : { minVersion: options.minVersion }),
    ...(options.maxVersion === undefined ? {} : { maxVersion: options.maxVersion }),
    ...ticketOptions(options),
    handshakeTimeout: HANDSHAKE_SECONDS * 1000,
  });

  const sessions = new Map<string, Buffer>();
  server.on("newSession", (id: Buffer, session: Buffer, done: () => void) => {
    sessions.set(id.toString("hex"), session);
    const oldest = sessions.size > MAX_SESSIONS ? sessions.keys().next().value : undefined;
    if (oldest !== undefined) sessions.delete(oldest);
    done();
  });
  server.on("resumeSession", (id: Buffer, done: (error: Error | null, session: Buffer | null) => void) => {
    done(null, sessions.get(id.toString("hex")) ?? null);
  });

  const handshakes = { full: 0, resumed: 0 };
  const open = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => undefined);
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.on("secureConnection", (socket) => {
    handshakes[socket.isSessionReused() ? "resumed" : "full"] += 1;
    answer(socket, options.name);
  });

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    name: options.name,
    port,
    address: `127.0.0.1:${port}`,
    handshakes,
    setTicketKeys: (keys) => void server.setTicketKeys(keys),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** Ticket keys for `ticketKeys`, by chance. */
export function newTicketKeys(): Buffer {
  return randomBytes(TICKET_KEYS_BYTES);
}

function ticketOptions({ tickets, ticketKeys }: DemoUpstreamOptions): TlsOptions {
  if (!tickets) return { secureOptions: constants.SSL_OP_NO_TICKET };
  return { ticketKeys: ticketKeys ?? newTicketKeys() };
}

function answer(socket: TLSSocket, name: string): void {
  let request = "";
  socket.setEncoding("latin1");
  socket.setTimeout(IDLE_SECONDS * 1000, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (text: string) => {
    request += text;
    if (request.length > MAX_REQUEST_BYTES) return void socket.destroy();
    if (!request.includes("\r\n\r\n") || socket.writableEnded) return;
    const body = `upstream ${name} resumed=${socket.isSessionReused()} protocol=${socket.getProtocol()}\n`;
    const head = ["HTTP/1.1 200 OK", "Content-Type: text/plain", `Content-Length: ${body.length}`, "Connection: close"];
    socket.end([...head, "", body].join("\r\n"));
  });
}

/** One certificate for all upstreams of this process: making one costs more than everything else here. */
function identity(): Promise<{ certificate: string; key: string }> {
  madeIdentity ??= generate([{ name: "commonName", value: "localhost" }], { keyType: "ec", curve: "P-256" }).then(
    (made) => ({ certificate: made.cert, key: made.private }),
  );
  return madeIdentity;
}

let madeIdentity: Promise<{ certificate: string; key: string }> | undefined;

const MAX_SESSIONS = 20480;
const MAX_REQUEST_BYTES = 64 * 1024;
const HANDSHAKE_SECONDS = 10;
const IDLE_SECONDS = 30;
/** Name, HMAC key and AES key of 16 bytes each. */
const TICKET_KEYS_BYTES = 48;
