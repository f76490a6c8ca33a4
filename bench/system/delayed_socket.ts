/**
 * A TCP connection with a delay each way, as a distant client has it: the SYN, each write and each answer take `milliseconds` (and
 * up to one more, by Node's timers). It stands in for netem, which not every kernel has. Bandwidth and loss are not simulated.
 *
 * Throws if the connection is refused; a later error comes as an event.
 */
import { once } from "node:events";
import { type Socket, type TcpNetConnectOpts, connect } from "node:net";
import { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

export async function connectDelayed(options: TcpNetConnectOpts, milliseconds: number): Promise<Duplex> {
  await sleep(milliseconds);
  const socket = connect({ ...options, noDelay: true });
  await once(socket, "connect");
  const delayed = new DelayedSocket(socket, milliseconds);
  await sleep(milliseconds);
  return delayed;
}

class DelayedSocket extends Duplex {
  constructor(
    private readonly socket: Socket,
    private readonly milliseconds: number,
  ) {
    super({ allowHalfOpen: false });
    // Timers of one length fire in the order in which they were set, so bytes keep theirs.
    socket.on("data", (bytes: Buffer) => this.later(() => this.push(bytes)));
    socket.on("end", () => this.later(() => this.push(null)));
    socket.on("error", (error) => this.later(() => this.destroy(error)));
    socket.on("close", () => this.later(() => this.destroy()));
  }

  override _read(): void {
    // Everything comes by itself: an answer is small.
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.later(() => this.socket.write(bytes));
    done();
  }

  override _final(done: () => void): void {
    this.later(() => this.socket.end());
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.later(() => this.socket.destroy());
    done(error);
  }

  private later(act: () => void): void {
    setTimeout(act, this.milliseconds);
  }
}
