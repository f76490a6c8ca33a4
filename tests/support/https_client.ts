/** An HTTP/1.1 client on one TLS connection, which reports on both: for a listener that terminates TLS. */
import { type TLSSocket, connect } from "node:tls";
import { identityOf, type Visit } from "./tls_client.ts";

export interface HttpsRequest {
  port: number;
  sni?: string;
  version?: "TLSv1.2" | "TLSv1.3";
  /** As an earlier connection had it. */
  session?: Buffer | undefined;
}

export interface HttpsAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export class HttpsConnection {
  /** Of TLS 1.3, the newest. */
  session: Buffer;
  private text = "";
  private ended = false;
  private isLate = false;
  private wake: () => void = () => undefined;

  private constructor(private readonly socket: TLSSocket) {
    this.session = socket.getSession() ?? Buffer.alloc(0);
    socket.on("session", (session: Buffer) => (this.session = session));
    socket.on("data", (chunk: Buffer) => {
      this.text += chunk.toString("latin1");
      this.wake();
    });
    socket.on("error", () => undefined);
    socket.on("timeout", () => (this.isLate = true));
    socket.on("close", () => {
      this.ended = true;
      this.wake();
    });
  }

  /** Rejects if the handshake fails. */
  static open({ port, session, sni, version }: HttpsRequest): Promise<HttpsConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({
        host: "127.0.0.1",
        port,
        rejectUnauthorized: false,
        servername: sni ?? "localhost.example",
        ...(version === undefined ? {} : { minVersion: version, maxVersion: version }),
        ...(session === undefined ? {} : { session }),
      });
      socket.setTimeout(PATIENCE_MILLISECONDS, () => socket.destroy(new Error("the HTTPS client's time is over")));
      socket.once("error", reject);
      socket.once("secureConnect", () => resolve(new HttpsConnection(socket)));
    });
  }

  get resumed(): boolean {
    return this.socket.isSessionReused();
  }

  /** The API's name of the connection's session. */
  get identity(): Pick<Visit, "id" | "kind" | "isPlain"> {
    return identityOf(this.session, this.socket.getProtocol() ?? "");
  }

  async request(headers: Record<string, string> = {}): Promise<HttpsAnswer> {
    const lines = Object.entries({ Host: "localhost.example", ...headers }).map(
      ([name, text]) => `${name}: ${text}\r\n`,
    );
    this.socket.write(`GET / HTTP/1.1\r\n${lines.join("")}\r\n`);
    const head = await this.take(() => {
      const end = this.text.indexOf("\r\n\r\n");
      return end < 0 ? 0 : end + 4;
    });
    const [statusLine = "", ...fields] = head.trimEnd().split("\r\n");
    const received = Object.fromEntries(fields.map((field) => field.split(": ", 2) as [string, string]));
    const length = Number(received["content-length"]);
    const body = length === 0 ? "" : await this.take(() => (this.text.length >= length ? length : 0));
    return { status: Number(statusLine.split(" ")[1]), headers: received, body };
  }

  /** Waits until the server has closed the connection; rejects where it keeps it. */
  async closed(): Promise<void> {
    while (!this.ended) await new Promise<void>((resolve) => (this.wake = resolve));
    if (this.isLate) throw new Error("the server has not closed the connection");
  }

  close(): void {
    this.socket.destroy();
  }

  /** Takes the text up to where `end` says, once that is more than nothing. */
  private async take(end: () => number): Promise<string> {
    for (;;) {
      const length = end();
      if (length > 0) {
        const taken = this.text.slice(0, length);
        this.text = this.text.slice(length);
        return taken;
      }
      if (this.ended) throw new Error(`the connection ended within an answer: "${this.text}"`);
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

const PATIENCE_MILLISECONDS = 15_000;
