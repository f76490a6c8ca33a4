/**
 * What the observer knows of one connection, outside of collected memory: its handshake, what it holds back, and, behind a handshake
 * of TLS 1.2 or before, where its client's records begin.
 *
 * Bytes are held back in one case only: a client has offered what must not resume, and the server's answer has not told yet whether
 * it resumes. They are given back, or replaced by an alert, as soon as it has. A connection holds MAX_HELD bytes at most, and
 * all of them together no more than the reserve has (`tls/memory.ts`).
 */
import { AcceptedHandle } from "../../resumption/accepted_handle";
import { Direction, Handshake } from "../../tls/handshake";
import { allocateReserve, releaseReserve } from "../../tls/memory";
import { RECORD_FOLLOWER_SIZE, RecordFollower } from "../../tls/wire/record_follower";


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
  /** It is counted as one that could not be followed. */
  unfollowed: bool;
  /** What the server's acceptance is put down to. */
  handle: AcceptedHandle;
  /** The client's early data is dropped: it stands behind a PSK that would be refused. */
  dropsEarlyData: bool;
  /** Some of it was dropped. */
  droppedEarlyData: bool;
  /** The handshake is over, and the client's records are followed to notice another one. */
  follows: bool;
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
  /** An `EventCause` if it was steered away from the upstream numbered `avoided`, the issuer of what its client offers first; else 0. */
  diversion: u8;
  avoided: i32;
  /** Number of the upstream that has answered it, -1 if that was not asked for. */
  answeredBy: i32;
  held: usize;
  heldLength: i32;
  private heldCapacity: i32;

  /** Null where memory for one more handshake is not granted. */
  static create(context: u32): ObservedConnection | null {
    const handshake = Handshake.create();
    if (!handshake) return null;
    const connection = changetype<ObservedConnection>(heap.alloc(CONNECTION_SIZE));
    memory.fill(changetype<usize>(connection), 0, CONNECTION_SIZE);
    connection.handshakeAddress = changetype<usize>(handshake);
    connection.context = context;
    connection.token = -1;
    connection.wanted = -1;
    connection.answeredBy = -1;
    return connection;
  }

  get handshake(): Handshake | null {
    return changetype<Handshake | null>(this.handshakeAddress);
  }

  /**
   * Whether its server has all that it needs to answer, and has said nothing: no hello is half sent, in a record or in a message, and no
   * second one is waited for (RFC 8446 4.1.4).
   */
  get isOwedAnAnswer(): bool {
    const handshake = this.handshake;
    if (!handshake || this.answered || this.refused || handshake.retried) return false;
    return !handshake.partial(Direction.Downstream) && !handshake.partial(Direction.Upstream);
  }

  /** Gives the handshake's memory back; what is refused stays refused. */
  forgetHandshake(): void {
    const handshake = this.handshake;
    this.handshakeAddress = 0;
    if (handshake) handshake.free();
  }

  get follower(): RecordFollower {
    return changetype<RecordFollower>(changetype<usize>(this) + FOLLOWER_AT);
  }

  /** Room for `length` more bytes that are held back, or 0 where that would be too many. */
  hold(length: i32): usize {
    const all = this.heldLength + length;
    if (all > MAX_HELD) return 0;
    if (all > this.heldCapacity && !this.growHeld(all)) return 0;
    const room = this.held + <usize>this.heldLength;
    this.heldLength = all;
    return room;
  }

  releaseHeld(): void {
    if (this.held != 0) releaseReserve(this.held, this.heldCapacity);
    this.held = 0;
    this.heldLength = 0;
    this.heldCapacity = 0;
  }

  private growHeld(needed: i32): bool {
    const capacity = max(needed, min(this.heldCapacity * 2, MAX_HELD));
    const larger = allocateReserve(capacity);
    if (larger == 0) return false;
    memory.copy(larger, this.held, this.heldLength);
    if (this.held != 0) releaseReserve(this.held, this.heldCapacity);
    this.held = larger;
    this.heldCapacity = capacity;
    return true;
  }

  free(): void {
    this.forgetHandshake();
    this.releaseHeld();
    heap.free(changetype<usize>(this));
  }
}

/**
 * Bits of a connection's state that is no address: nothing has come yet; the host holds the connection; it has held it in vain; and
 * that is so short a time ago that bytes which come now had been waiting.
 */
export const FRESH: usize = 1;
export const WAITS: usize = 2;
export const LET_GO: usize = 4;
export const PROMPT: usize = 8;
/** A ServerHello of 16 KiB, far beyond any that there is, and the headers of the records it may come in. */
const MAX_HELD: i32 = 20480;
const FOLLOWER_AT: usize = (offsetof<ObservedConnection>() + 7) & ~7;
const CONNECTION_SIZE: usize = FOLLOWER_AT + <usize>RECORD_FOLLOWER_SIZE;
