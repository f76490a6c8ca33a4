/**
 * A TLS client of Node's (which is OpenSSL) that makes one request and reports: the protocol, whether its session
 * was resumed, which upstream answered, and under which ID or ticket it may resume.
 */
import { createHash } from "node:crypto";
import { type ConnectionOptions, connect } from "node:tls";
import { isPlainTicket } from "../../tools/demo/plain_ticket.ts";
import { sessionOf } from "../../tools/demo/ssl_session.ts";
import { untilPlain } from "./plain_ticket.ts";

export interface TlsRequest {
  port: number;
  /** The address that the client comes from: all of 127.0.0.0/8 is there on Linux. */
  source?: string;
  sni?: string;
  /** `SSL_OP_NO_TICKET` and the like. */
  secureOptions?: number;
  version?: "TLSv1.2" | "TLSv1.3";
  /** As an earlier visit returned it. */
  session?: Buffer | undefined;
  timeoutSeconds?: number;
  /** Protocols that no server knows: they make the ClientHello as long as one likes. */
  alpn?: string[];
}

export interface Visit {
  resumed: boolean;
  protocol: string;
  /** The suite's IANA name. */
  cipher: string;
  /** The name that the upstream has given itself. */
  upstream: string;
  /** The server's report of resumption, which must always be the client's. */
  upstreamResumed: boolean;
  /** To be given to the next request. Of TLS 1.3, the newest. */
  session: Buffer;
  /** Lower-case hex: the API's name of this session. */
  id: string;
  kind: "id" | "ticket" | "psk";
  /** First 16 bytes of the ticket. */
  ticketKey: string | null;
  ticketLifetimeSeconds: number | null;
  /** False for a ticket that the filter may take for another one (`tools/demo/plain_ticket.ts`). */
  isPlain: boolean;
}

/** Visits until the session that it gets is plain: the acceptance of that one is always attributed to it. */
export function plainVisit(request: TlsRequest): Promise<Visit> {
  return untilPlain(
    () => visit(request),
    ({ isPlain }) => isPlain,
  );
}

export function visit(request: TlsRequest): Promise<Visit> {
  return new Promise((resolve, reject) => {
    const options: ConnectionOptions & { localAddress?: string } = {
      host: "127.0.0.1",
      port: request.port,
      ...(request.source === undefined ? {} : { localAddress: request.source }),
      rejectUnauthorized: false,
      servername: request.sni ?? "localhost.example",
      ...(request.version === undefined ? {} : { minVersion: request.version, maxVersion: request.version }),
      ...(request.alpn === undefined ? {} : { ALPNProtocols: request.alpn }),
      ...(request.session === undefined ? {} : { session: request.session }),
      ...(request.secureOptions === undefined ? {} : { secureOptions: request.secureOptions }),
    };
    const socket = connect(options);
    let text = "";
    let newest: Buffer | undefined;
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout((request.timeoutSeconds ?? 15) * 1000, () => fail(new Error("the TLS client's time is over")));
    socket.on("error", fail);
    socket.on("session", (session: Buffer) => (newest = session));
    socket.on("secureConnect", () => socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.on("end", () => {
      const answer = /upstream (\S+) resumed=(true|false) protocol=(\S+)/.exec(text);
      const session = newest ?? socket.getSession() ?? request.session;
      if (answer === null || session === undefined) return fail(new Error(`no answer from an upstream: "${text}"`));
      const protocol = socket.getProtocol() ?? "";
      resolve({
        resumed: socket.isSessionReused(),
        protocol,
        cipher: socket.getCipher().standardName,
        upstream: answer[1] ?? "",
        upstreamResumed: answer[2] === "true",
        session,
        ...identityOf(session, protocol),
      });
      socket.end();
    });
  });
}

/** The API's name of a session that a client holds. */
export function identityOf(
  session: Buffer,
  protocol: string,
): Pick<Visit, "id" | "kind" | "ticketKey" | "ticketLifetimeSeconds" | "isPlain"> {
  const { sessionId, ticket, ticketLifetimeSeconds } = sessionOf(session);
  if (ticket === null) {
    return { id: sessionId.toString("hex"), kind: "id", ticketKey: null, ticketLifetimeSeconds: null, isPlain: true };
  }
  return {
    id: createHash("sha256").update(ticket).digest("hex"),
    kind: protocol === "TLSv1.3" ? "psk" : "ticket",
    ticketKey: ticket.length < 16 ? null : ticket.subarray(0, 16).toString("hex"),
    ticketLifetimeSeconds,
    isPlain: isPlainTicket(ticket),
  };
}
