/** Clients that come again and again while a test changes the proxy, and report their failures. */
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type TLSSocket } from "node:tls";
import { type TlsRequest, visit } from "./tls_client.ts";

export class Traffic {
  visits = 0;
  resumed = 0;
  readonly errors: string[] = [];
  private isStopping = false;
  private readonly lanes: Promise<void>[] = [];

  /** `width` clients at a time, each with the session of its last visit. */
  constructor(
    private readonly request: TlsRequest,
    width = 4,
  ) {
    for (let lane = 0; lane < width; lane++) this.lanes.push(this.lane());
  }

  /** Resolves after so many more visits, or failures. */
  async more(visits: number): Promise<void> {
    const goal = this.visits + this.errors.length + visits;
    while (this.visits + this.errors.length < goal) await sleep(10);
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.lanes);
  }

  private async lane(): Promise<void> {
    let session: Buffer | undefined;
    while (!this.isStopping) {
      try {
        const seen = await visit({ ...this.request, session });
        this.visits++;
        if (seen.resumed) this.resumed++;
        session = seen.session;
      } catch (error) {
        this.errors.push(String(error));
        await sleep(20);
      }
    }
  }
}

/** A TLS connection whose handshake is complete, and which has not asked for anything yet. */
export async function openConnection(port: number): Promise<OpenConnection> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, servername: "open.example" });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("secureConnect", resolve);
  });
  return new OpenConnection(socket);
}

export class OpenConnection {
  constructor(private readonly socket: TLSSocket) {
    socket.on("error", () => undefined);
  }

  /** The server's answer, "" if the connection is gone. */
  async ask(): Promise<string> {
    let text = "";
    this.socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    if (!this.socket.destroyed) this.socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await new Promise<void>((resolve) => {
      if (this.socket.destroyed) resolve();
      this.socket.once("close", () => resolve());
      this.socket.once("end", () => resolve());
    });
    this.socket.destroy();
    return text;
  }
}
