/**
 * One TCP connection, in records. Every wait ends at the deadline, with a `Stopped`. Nothing stays open after `close`.
 */
import { connect, type Socket } from "node:net";
import type { Chunk } from "./flight.ts";
import { RecordReader, type TlsRecord } from "./records.ts";

/** Why the connection, or the handshake, has ended. */
export class Stopped extends Error {
  constructor(
    readonly kind: "refused" | "closed" | "timeout" | "broken",
    readonly detail: string,
    readonly alert?: number,
  ) {
    super(`${kind} ${detail}`);
  }
}

export class Wire {
  private readonly reader = new RecordReader();
  private readonly socket: Socket;
  private over: Stopped | undefined;
  private wake: (() => void) | undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(port: number, milliseconds: number) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    this.timer = setTimeout(() => this.stop(new Stopped("timeout", "")), milliseconds);
    this.socket.on("data", (bytes: Buffer) => {
      this.reader.push(bytes);
      this.wake?.();
    });
    this.socket.on("end", () => this.stop(new Stopped("closed", "end")));
    this.socket.on("error", (error: NodeJS.ErrnoException) => this.stop(new Stopped("closed", error.code ?? "error")));
    this.socket.on("close", () => this.stop(new Stopped("closed", "close")));
  }

  write(bytes: Buffer): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** Stops without an error once the connection has ended: the server's answer is still to be read. */
  async writeChunks(chunks: Chunk[]): Promise<void> {
    for (const { bytes, milliseconds } of chunks) {
      if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds));
      else if (chunks.length > 1) await new Promise((resolve) => setImmediate(resolve));
      if (this.over !== undefined) return;
      this.write(bytes);
    }
  }

  endWriting(): void {
    this.socket.end();
  }

  async next(): Promise<TlsRecord> {
    for (;;) {
      const found = this.reader.next();
      if (found !== undefined) return found;
      if (this.over !== undefined) throw this.over;
      await new Promise<void>((resolve) => (this.wake = resolve));
      this.wake = undefined;
    }
  }

  close(): void {
    clearTimeout(this.timer);
    this.socket.destroy();
  }

  /** Ends the connection as a satisfied client does, without waiting for the server. */
  leave(last: Buffer): void {
    clearTimeout(this.timer);
    if (this.socket.writable) this.socket.end(last);
    this.socket.resume();
    const patience = setTimeout(() => this.socket.destroy(), LEAVE_MILLISECONDS);
    this.socket.once("end", () => this.socket.destroy());
    this.socket.once("close", () => clearTimeout(patience));
  }

  private stop(why: Stopped): void {
    this.over ??= why;
    this.wake?.();
  }
}

const LEAVE_MILLISECONDS = 300;
