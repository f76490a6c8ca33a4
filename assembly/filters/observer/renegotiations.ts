/**
 * Renegotiations of TLS 1.2 and before: behind a handshake the headers of the client's records are followed, as a record of
 * the type handshake begins another one (RFC 5246 7.4.1.1). It is encrypted, so nobody here sees which session it resumes.
 *
 * Its connection is closed under `strict`, and under `revoked` unless the configuration says "renegotiation": "observe".
 * Cost: one copy of five bytes for each record.
 */
import { Config } from "../../config/config";
import { BufferType } from "../../host/abi";
import { HostLog } from "../../host/adapters/host_log";
import { copyBytes } from "../../host/connection/connection";
import { FINISHED } from "../../host/roots";
import { LogLevel } from "../../ports/log";
import { Metric } from "../../session/counting/statistics";
import { Enforcement } from "../../session/settings/enforcement";
import { RECORD_HEADER_SIZE } from "../../tls/wire/record";
import { SharedCache } from "../cache/shared_cache";
import { ObservedConnection } from "../connection/observed_connection";
import { AccessLog } from "./access_log";
import { AnswerGate } from "./answer_gate";
import { HostFailures } from "./host_failures";

export class Renegotiations {
  /** Whether `revoked` closes, too. */
  private readonly closesRevoked: bool;
  private isLogged: bool = false;

  constructor(
    private readonly shared: SharedCache,
    config: Config,
    private readonly failures: HostFailures,
    private readonly gate: AnswerGate,
    private readonly accessLog: AccessLog | null,
  ) {
    this.closesRevoked = config.closesRenegotiations;
  }

  /** Follows a client's bytes from `start` of a chunk of `length` on. Returns the next state of the connection. */
  follow(connection: ObservedConnection, start: i32, length: i32): usize {
    const follower = connection.follower;
    let offset = start;
    while (offset < length) {
      const left = min(follower.bodyLeft, length - offset);
      if (left > 0) {
        follower.passBody(left);
        offset += left;
        continue;
      }
      const count = min(length - offset, RECORD_HEADER_SIZE);
      if (!copyBytes(BufferType.DOWNSTREAM_DATA, offset, count, HEADER)) {
        this.failures.end(connection, "proxy_get_buffer_bytes");
        return changetype<usize>(connection);
      }
      for (let i = 0; i < count && follower.bodyLeft == 0; i++) {
        offset++;
        if (follower.pushHeader(load<u8>(HEADER + <usize>i))) return this.begin(connection, length);
      }
    }
    return changetype<usize>(connection);
  }

  /** A renegotiation begins in the current chunk, of `length` bytes. Returns the next state of the connection. */
  private begin(connection: ObservedConnection, length: i32): usize {
    this.shared.cache.metrics.increase(Metric.RENEGOTIATIONS, 1);
    const closes = this.closes();
    const log = this.accessLog;
    if (log) log.writeRenegotiation(closes);
    if (!closes) {
      connection.free();
      return FINISHED;
    }
    if (!this.isLogged) new HostLog().write(LogLevel.Warn, CLOSED);
    this.isLogged = true;
    connection.refused = true;
    this.gate.swallow(connection, BufferType.DOWNSTREAM_DATA, length);
    this.failures.close();
    return changetype<usize>(connection);
  }

  private closes(): bool {
    const cache = this.shared.cache;
    cache.readSettings();
    const enforcement = cache.settings.enforcement;
    return enforcement == Enforcement.STRICT || (enforcement == Enforcement.REVOKED && this.closesRevoked);
  }
}

const HEADER: usize = memory.data(8);
const CLOSED: string =
  "observer: a client began a renegotiation, in which a removed session could resume unseen, " +
  'so its connection was closed; if clients have to renegotiate, set "renegotiation": "observe"';
