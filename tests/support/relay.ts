/**
 * A TCP relay on loopback that behaves like a bad network: it cuts, it stalls, and it loses packets as TCP shows that, by late
 * bytes and now and then by a connection that ends.
 *
 * Order and bytes of a connection never change. While it stalls it holds at most what the sockets hold: it reads no more.
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "./random.ts";

/** `cut`: connections end, and new ones do so at once. `stalled`: bytes stay where they are. */
export type RelayState = "open" | "cut" | "stalled" | "lossy";

export class Relay {
  /** What it has done to connections. */
  readonly did = { carried: 0, cut: 0, delayed: 0 };
  private state: RelayState = "open";
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: { host: string; port: number },
    private readonly random: Random,
  ) {
    server.on("connection", (socket) => this.accept(socket));
  }

  /** Before `host:port`, on a port of its own. */
  static async start(target: string, random: Random): Promise<Relay> {
    const [host = "", port = ""] = target.split(":");
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    server.unref();
    return new Relay(server, { host, port: Number(port) }, random);
  }

  get address(): string {
    const address = this.server.address();
    if (address === null || typeof address === "string") throw new Error("the relay has ended");
    return `127.0.0.1:${address.port}`;
  }

  set(state: RelayState): void {
    this.state = state;
    if (state === "cut") this.cutAll();
  }

  async stop(): Promise<void> {
    this.state = "cut";
    this.cutAll();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private cutAll(): void {
    for (const socket of this.sockets) {
      this.did.cut++;
      socket.resetAndDestroy();
    }
  }

  private accept(client: Socket): void {
    if (this.state === "cut") {
      client.resetAndDestroy();
      return;
    }
    this.did.carried++;
    const server = connect(this.target);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      this.sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    void this.carry(client, server);
    void this.carry(server, client);
  }

  /** One direction: a piece at a time, so that none passes another one. */
  private async carry(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const piece of from as AsyncIterable<Buffer>) {
        await this.hold(from);
        if (to.destroyed) return;
        if (!to.write(piece)) await once(to, "drain");
      }
      to.end();
    } catch {
      // A socket that has ended closes both.
    }
  }

  /** Returns when a piece may go on. */
  private async hold(from: Socket): Promise<void> {
    if (this.state === "lossy") {
      if (this.random.below(ONE_IN_DELAYED) === 0) {
        this.did.delayed++;
        await sleep(RETRANSMITTED_MILLISECONDS << this.random.below(RETRANSMISSIONS));
      }
      if (this.random.below(ONE_IN_CUT) === 0) {
        this.did.cut++;
        from.resetAndDestroy();
      }
    }
    if (this.state === "stalled") this.did.delayed++;
    while (this.state === "stalled" && !from.destroyed) await sleep(20);
  }
}

/** One in so many pieces is lost, once or several times in turn (RFC 6298: the time doubles), and one in so many ends all. */
const ONE_IN_DELAYED = 5;
const RETRANSMITTED_MILLISECONDS = 200;
const RETRANSMISSIONS = 3;
const ONE_IN_CUT = 200;
