/**
 * gRPC calls and streams of one cluster, as their caller needs them. Answers come to the root (`grpcReceived`, `grpcClosed`),
 * never within the call that begins them. Tokens are numbers above 0.
 *
 * A call ends with its message, or with `grpcClosed`. A stream ends with `grpcClosed`, and must then be cancelled at once: the
 * host forgets it only then.
 */
import { LastingText } from "../lasting_text";

export abstract class GrpcCalls {
  /** Begins a call with one message. Returns its token, or 0 if the host does not begin it. */
  abstract call(service: LastingText, method: LastingText, message: usize, length: i32, timeoutMilliseconds: u32): u32;

  /** Begins a stream. Returns its token, or 0 if the host does not begin it. */
  abstract open(service: LastingText, method: LastingText): u32;

  /** Sends a message on a stream. False if it is gone. */
  abstract send(token: u32, message: usize, length: i32): bool;

  /** Ends a call or a stream; no callback follows. A token that is over is ignored. */
  abstract cancel(token: u32): void;

  /** Within `grpcReceived`: copies its message, which has `length` bytes. */
  abstract receive(buffer: usize, length: i32): bool;

  /** Within `grpcClosed`: the words for its status, from the server or the host; empty if they are too long. */
  abstract closedText(): string;

  /** Gives all memory back that is not collected; nothing may be called any more. */
  abstract free(): void;
}

/** Codes of gRPC (grpc/grpc, doc/statuscodes.md). */
export namespace GrpcStatus {
  export const UNKNOWN: i32 = 2;
  export const INVALID_ARGUMENT: i32 = 3;
  export const DEADLINE_EXCEEDED: i32 = 4;
  export const NOT_FOUND: i32 = 5;
  export const PERMISSION_DENIED: i32 = 7;
  export const RESOURCE_EXHAUSTED: i32 = 8;
  export const OUT_OF_RANGE: i32 = 11;
  export const INTERNAL: i32 = 13;
  export const UNAVAILABLE: i32 = 14;
  export const UNAUTHENTICATED: i32 = 16;
}
