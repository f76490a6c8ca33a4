/**
 * The gRPC of the fake host: calls and streams of one cluster, which a test's server answers. As in Envoy, answers come after
 * the callback that has begun the call, and the host keeps a stream that the server has ended until it is cancelled.
 */
import { Status } from "./abi.ts";

export interface GrpcServer {
  /** Answers a call with a message, or ends it with a status. */
  call(method: string, message: Buffer): Buffer | GrpcEnd;
  /** Answers a message on a stream with one message. */
  streamed(method: string, message: Buffer): Buffer;
}

export interface GrpcEnd {
  status: number;
  text: string;
}

/** What the host does for a root: hands over a message, or tells the end. */
export interface GrpcCallbacks {
  received(token: number, message: Buffer): void;
  closed(token: number, end: GrpcEnd): void;
}

export class Grpc {
  /** The streams that are open, or that the server has ended and nobody has cancelled. */
  readonly streams = new Map<number, { method: string; callbacks: GrpcCallbacks }>();
  private tokens = 0;

  constructor(private readonly server: GrpcServer) {}

  /** Returns a token, and what is to be done after the callback. */
  call(method: string, message: Buffer, callbacks: GrpcCallbacks): { token: number; later: () => void } {
    const token = ++this.tokens;
    const answer = this.server.call(method, message);
    return {
      token,
      later: () => (Buffer.isBuffer(answer) ? callbacks.received(token, answer) : callbacks.closed(token, answer)),
    };
  }

  open(method: string, callbacks: GrpcCallbacks): number {
    this.streams.set(++this.tokens, { method, callbacks });
    return this.tokens;
  }

  /** Returns what is to be done after the callback; undefined for an unknown token. */
  send(token: number, message: Buffer): (() => void) | undefined {
    const stream = this.streams.get(token);
    if (stream === undefined) return undefined;
    const answer = this.server.streamed(stream.method, message);
    return () => stream.callbacks.received(token, answer);
  }

  cancel(token: number): number {
    return this.streams.delete(token) ? Status.Ok : Status.NotFound;
  }

  /** The server ends all streams. */
  breakStreams(end: GrpcEnd): void {
    for (const [token, { callbacks }] of [...this.streams]) callbacks.closed(token, end);
  }
}

/** An etcd that is empty, and forgets whatever it is told: just its answers. */
export class EmptyEtcd implements GrpcServer {
  private revision = 1;

  call(method: string): Buffer {
    if (method === "etcdserverpb.KV/Range") return this.header();
    if (method === "etcdserverpb.Lease/LeaseGrant") return Buffer.concat([this.header(), Buffer.from([0x10, 7])]);
    this.revision++;
    return this.header();
  }

  streamed(): Buffer {
    const created = [0x18, 1];
    return Buffer.concat([this.header(), Buffer.from(created)]);
  }

  /** ResponseHeader { cluster_id: 5, revision }, field 1 of each answer. */
  private header(): Buffer {
    return Buffer.from([0x0a, 4, 0x08, 5, 0x18, this.revision]);
  }
}
