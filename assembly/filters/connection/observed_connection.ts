/**
 * One connection as the observer sees it, outside of collected memory: its handshake, the bytes that are held back, and,
 * behind a handshake of TLS 1.2 or before, the place where the client's next record begins.
 *
 * A server's bytes are held back in one case only: its client has offered a session that must not resume, and the answer
 * does not show yet whether it resumes. As soon as it does, they are given back or replaced by an alert. A connection holds
 * at most MAX_HELD_LENGTH bytes, and all connections together no more than the reserve has (`tls/memory.ts`).
 */
import { AcceptedHandle } from "../../resumption/accepted_handle";
import { Direction, Handshake } from "../../tls/handshake";
import { allocateReserve, releaseReserve } from "../../tls/memory";
import { RECORD_FOLLOWER_SIZE, RecordFollower } from "../../tls/wire/record_follower";

/** See the head of this file; a RecordFollower stands behind the fields. */
@unmanaged
export class ObservedConnection {
  /** 0 when nothing is watched any more. */
  private handshakeAddress: usize;
  context: u32;
  /** A resumption was refused, or a host call failed: nothing more goes either way. */
  refused: bool;
  /** The server's whole answer was seen. */
  answered: bool;
  /** The server's answer has begun to go through, so it is too late to refuse it. */
  passes: bool;
  /** It is counted as a connection that could not be followed. */
  unfollowed: bool;
  /** The offer that explains the server's acceptance. */
  handle: AcceptedHandle;
  /** The client's early data is dropped, as its PSK would be refused. */
  dropsEarlyData: bool;
  /** Some of it was dropped. */
  droppedEarlyData: bool;
  /** The handshake is over, and the client's records are followed to notice a renegotiation. */
  follows: bool;
  /** The host holds it until its ClientHello is in, so that its upstream can be chosen. */
  waits: bool;
  /** While it waits or is held: number of bytes that the handshake has had; the host shows them again with the next. */
  fed: i32;
  /** Its host is asked who has answered, whatever is expected (`sampling.ts`). */
  sampled: bool;
  /** The host holds it with its ClientHello, which offers a session, until decisions of other proxies are in. */
  isHeld: bool;
  /** Bytes behind that ClientHello are held with it. */
  isHeldWithMore: bool;
  /** The token that it was hashed by, -1 for none. */
  token: i32;
  /** Number of the upstream that it was sent to, -1 if Envoy's balancer has chosen. */
  wanted: i32;
  /** An `EventCause` if it was steered away from `avoided`, the issuer of its first offer; else 0. */
  diversion: u8;
  avoided: i32;
  /** Number of the upstream that has answered it, -1 if nobody asked. */
  answeredBy: i32;
  held: usize;
  heldLength: i32;
  private heldCapacity: i32;

  /** Null if there is no memory for one more handshake. */
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
   * Whether its server has all that it needs to answer, and is silent: no hello is sent in part, and no second one is
   * awaited (RFC 8446 4.1.4).
   */
  get isOwedAnAnswer(): bool {
    const handshake = this.handshake;
    if (!handshake || this.answered || this.refused || handshake.retried) return false;
    return !handshake.partial(Direction.Downstream) && !handshake.partial(Direction.Upstream);
  }

  /** Gives the handshake's memory back. */
  forgetHandshake(): void {
    const handshake = this.handshake;
    this.handshakeAddress = 0;
    if (handshake) handshake.free();
  }

  get follower(): RecordFollower {
    return changetype<RecordFollower>(changetype<usize>(this) + FOLLOWER_OFFSET);
  }

  /** Returns room for `length` more held bytes, or 0 if that is too many. */
  hold(length: i32): usize {
    const all = this.heldLength + length;
    if (all > MAX_HELD_LENGTH) return 0;
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
    const capacity = max(needed, min(this.heldCapacity * 2, MAX_HELD_LENGTH));
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

/** Bit of a state that is not an address: nothing has come yet. */
export const FRESH: usize = 1;
/** With FRESH: the host holds the connection. */
export const WAITS: usize = 2;
/** With FRESH: the host has held it in vain. */
export const LET_GO: usize = 4;
/** With LET_GO: it was let go so short a time ago that bytes which come now had been waiting. */
export const PROMPT: usize = 8;
/** A ServerHello of 16 KiB, far beyond any real one, and the headers of the records that it may come in. */
const MAX_HELD_LENGTH: i32 = 20480;
const FOLLOWER_OFFSET: usize = (offsetof<ObservedConnection>() + 7) & ~7;
const CONNECTION_SIZE: usize = FOLLOWER_OFFSET + <usize>RECORD_FOLLOWER_SIZE;
