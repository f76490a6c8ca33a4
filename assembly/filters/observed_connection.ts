/**
 * What the observer knows of one connection, outside of collected memory: its handshake, and what it holds back.
 *
 * Bytes are held back in one case only: a client has offered a session that must not resume, and the server's answer
 * is not whole yet. They are given back, or replaced by an alert, as soon as the ServerHello is
 * whole; it is bounded by the longest ServerHello that is read.
 */
import { Handshake } from "../tls/handshake";


@unmanaged
export class ObservedConnection {
  /** 0 where nothing is watched any more. */
  private handshakeAddress: usize;
  context: u32;
  /** A resumption was refused: nothing more goes either way. */
  refused: bool;
  /** The server's answer was seen whole. */
  answered: bool;
  /** The server's answer has begun to go through: it is too late to refuse it. */
  passes: bool;
  /** The client's early data is dropped: it stands behind a PSK that would be refused. */
  dropsEarlyData: bool;
  /** Held at the host until its ClientHello is in, so that its upstream can be chosen. */
  waits: bool;
  /** While it waits: bytes of the client that the handshake has had; the host gives them again with those that follow. */
  fed: i32;
  /** It is asked who has answered it, whatever is expected (`sampling.ts`). */
  sampled: bool;
  /** The token by which its upstream was chosen, -1 for none. */
  token: i32;
  /** Number of the upstream that it was sent to, -1 where Envoy's balancer has chosen. */
  wanted: i32;
  held: usize;
  heldLength: i32;

  /** Null where memory for one more handshake is not granted. */
  static create(context: u32): ObservedConnection | null {
    const handshake = Handshake.create();
    if (!handshake) return null;
    const connection = changetype<ObservedConnection>(heap.alloc(offsetof<ObservedConnection>()));
    memory.fill(changetype<usize>(connection), 0, offsetof<ObservedConnection>());
    connection.handshakeAddress = changetype<usize>(handshake);
    connection.context = context;
    connection.token = -1;
    connection.wanted = -1;
    return connection;
  }

  get handshake(): Handshake | null {
    return changetype<Handshake | null>(this.handshakeAddress);
  }

  /** Gives the handshake's memory back; what is refused stays refused. */
  forgetHandshake(): void {
    const handshake = this.handshake;
    this.handshakeAddress = 0;
    if (handshake) handshake.free();
  }

  /** Room for `length` more bytes that are held back, or 0 where that would be too many. */
  hold(length: i32): usize {
    const all = this.heldLength + length;
    if (all > MAX_HELD) return 0;
    this.held = this.held == 0 ? heap.alloc(all) : heap.realloc(this.held, all);
    const room = this.held + <usize>this.heldLength;
    this.heldLength = all;
    return room;
  }

  releaseHeld(): void {
    if (this.held != 0) heap.free(this.held);
    this.held = 0;
    this.heldLength = 0;
  }

  free(): void {
    this.forgetHandshake();
    this.releaseHeld();
    heap.free(changetype<usize>(this));
  }
}

/** Bits of a connection's state that is no address: nothing has come yet; the host holds the connection. */
export const FRESH: usize = 1;
export const WAITS: usize = 2;
/** The longest ServerHello that is read, 16 KiB, and the headers of the records it may come in. */
const MAX_HELD: i32 = 20480;
