/**
 * The clients of `npm run demo:affinity`: TLS clients of Node's (which is OpenSSL) that come again and again, each from an address
 * of its own choice, and say whether they were resumed and by whom. `visit` never throws: an error is part of its result.
 */
import { constants } from "node:crypto";
import { connect as connectTcp } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectionOptions, connect } from "node:tls";

/** How a session is known, and where it is kept. */
export type Kind = "id" | "ticket" | "stateless" | "stateful";
/**
 * Where connections come from: each client from its own address, from a new one each time, all from one, or every other client
 * from one and the rest each from its own.
 */
export type Sources = "stable" | "new" | "one" | "half";
/** Which session is offered: the newest that the client got, or always its first one. */
export type Offering = "newest" | "first";

export interface Seen {
  resumed: boolean;
  /** As the upstream has named itself; "" if nobody answered. */
  upstream: string;
  /** For the next visit: of TLS 1.3, the newest. */
  session: Buffer | undefined;
  error: string | null;
}

/** `waitSeconds` pass between the connection and the ClientHello. */
export async function visit(
  port: number,
  kind: Kind,
  localAddress: string,
  session?: Buffer,
  waitSeconds = 0,
  servername = "shop.example",
): Promise<Seen> {
  if (waitSeconds === 0) return handshake(kind, session, { host: "127.0.0.1", port, localAddress, servername });
  const tcp = connectTcp({ host: "127.0.0.1", port, localAddress });
  // What comes before the hello shows when the hello is sent.
  tcp.on("error", () => undefined);
  await sleep(waitSeconds * 1000);
  return handshake(kind, session, { socket: tcp, servername });
}

interface Way extends ConnectionOptions {
  localAddress?: string;
}

function handshake(kind: Kind, session: Buffer | undefined, way: Way): Promise<Seen> {
  const version = kind === "stateless" || kind === "stateful" ? "TLSv1.3" : "TLSv1.2";
  return new Promise((resolve) => {
    const options: Way = {
      ...way,
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
    if (this.sources === "one" || (this.sources === "half" && client % 2 === 0)) return "127.0.0.1";
    if (this.sources !== "new") return `127.77.0.${client + 1}`;
    const number = this.used++;
    return `127.${100 + ((number >> 14) & 63)}.${(number >> 7) & 127}.${(number & 127) + 1}`;
  }
}

const CLIENT_SECONDS = 10;
