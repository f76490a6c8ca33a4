/**
 * The clients of `demo_affinity`: TLS clients of Node's (which is OpenSSL) that come again and again, each from an address
 * of its own choice, and say whether they were resumed and by whom. `visit` never throws: an error is part of what it saw.
 */
import { constants } from "node:crypto";
import { type ConnectionOptions, connect } from "node:tls";

/** How a session is known, and where it is kept. */
export type Kind = "id" | "ticket" | "stateless" | "stateful";
/** Where connections come from: each client from its own address, from a new one each time, or all from one. */
export type Sources = "stable" | "new" | "one";
/** Which session is offered: the newest that the client got, or always its first one. */
export type Offering = "newest" | "first";

export interface Seen {
  resumed: boolean;
  /** As the upstream has named itself; "" where nobody answered. */
  upstream: string;
  /** For the next visit: of TLS 1.3, the newest. */
  session: Buffer | undefined;
  error: string | null;
}

export function visit(port: number, kind: Kind, localAddress: string, session?: Buffer): Promise<Seen> {
  const version = kind === "stateless" || kind === "stateful" ? "TLSv1.3" : "TLSv1.2";
  return new Promise((resolve) => {
    const options: ConnectionOptions & { localAddress: string } = {
      host: "127.0.0.1",
      port,
      localAddress,
      servername: "shop.example",
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
      ...(kind === "id" ? { secureOptions: constants.SSL_OP_NO_TICKET } : {}),
      ...(session === undefined ? {} : { session }),
    };
    const socket = connect(options);
    let text = "";
    let newest: Buffer | undefined;
    const fail = (error: Error): void => {
      socket.destroy();
      resolve({ resumed: false, upstream: "", session, error: error.message });
    };
    socket.setTimeout(CLIENT_SECONDS * 1000, () => fail(new Error(`no answer within ${CLIENT_SECONDS} s`)));
    socket.on("error", fail);
    socket.on("session", (made: Buffer) => (newest = made));
    socket.on("secureConnect", () => socket.write("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"));
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.on("end", () => {
      const upstream = /upstream (\S+)/.exec(text)?.[1];
      if (upstream === undefined) return fail(new Error("the connection ended without an answer"));
      const made = newest ?? socket.getSession() ?? session;
      resolve({ resumed: socket.isSessionReused(), upstream, session: made, error: null });
      socket.destroy();
    });
  });
}

/** Addresses of the loopback network, by turns: on Linux all of 127.0.0.0/8 is there without being set up. */
export class Addresses {
  private used = 0;

  constructor(private readonly sources: Sources) {}

  of(client: number): string {
    if (this.sources === "one") return "127.0.0.1";
    if (this.sources === "stable") return `127.77.0.${client + 1}`;
    const number = this.used++;
    return `127.${100 + ((number >> 14) & 63)}.${(number >> 7) & 127}.${(number & 127) + 1}`;
  }
}

const CLIENT_SECONDS = 10;
