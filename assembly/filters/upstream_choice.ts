/**
 * Steering on the host: connections wait until their ClientHello is in, then Envoy is told where they are to go, by what
 * tcp_proxy reads: a text to hash, or a cluster of the type ORIGINAL_DST and the address that it is to connect to. When the
 * ServerHello is in, the steering learns who has answered.
 */
import { encodeHex } from "../bytes/hex";
import { Config } from "../config/config";
import { FilterState } from "../host/connection";
import { HostLog } from "../host/host_log";
import { lastingBytes } from "../host/memory";
import { SOURCE, UPSTREAM } from "../host/peer_property";
import { PropertyPath } from "../host/properties";
import { Clock } from "../ports/clock";
import { LogLevel } from "../ports/log";
import { MAX_UPSTREAM_LENGTH, Session } from "../session/session";
import { SteeringMode } from "../steering/modes";
import { Steering } from "../steering/steering";
import { Handshake } from "../tls/handshake";
import { ObservedConnection } from "./observed_connection";
import { SentConnections } from "./sent_connections";
import { SharedCache } from "./shared_cache";
import { WaitingConnections } from "./waiting_connections";

export class UpstreamChoice {
  private readonly steering: Steering;
  private readonly clock: Clock;
  private readonly waiting: WaitingConnections = new WaitingConnections();
  private readonly sent: SentConnections;
  /** Name of the cluster that tcp_proxy balances over, empty where it is not told. */
  private readonly cluster: usize;
  private readonly clusterLength: i32;
  /** Name of the cluster that connects to the host which the filter names. */
  private readonly exactCluster: usize;
  private readonly exactClusterLength: i32;
  private saidDeaf: bool = false;

  constructor(shared: SharedCache, config: Config) {
    const exact = config.steering == SteeringMode.Exact;
    const steering = new Steering(shared.cache, shared.store, config.cluster, config.steeringBySource, exact, SOURCE);
    for (let i = 0; i < config.upstreams.length; i++) {
      const address = String.UTF8.encode(config.upstreams[i]);
      steering.configure(changetype<usize>(address), address.byteLength);
    }
    const cluster = lastingBytes(config.cluster);
    steering.balanceFactor = config.balanceFactor;
    this.steering = steering;
    this.clock = shared.cache.clock;
    this.cluster = cluster;
    this.clusterLength = config.cluster.length;
    this.exactCluster = lastingBytes(config.exactCluster);
    this.exactClusterLength = config.exactCluster.length;
    this.sent = new SentConnections(CLUSTER, cluster, config.cluster.length);
  }

  free(): void {
    this.steering.free();
    this.sent.free();
    this.waiting.free();
  }

  /** Leaves another context than the root's behind. */
  tick(): void {
    const now = this.clock.nowNanoseconds();
    this.waiting.end(now);
    this.sent.tick(this.steering, now);
    if (!this.waiting.isDeaf || this.saidDeaf) return;
    this.saidDeaf = true;
    new HostLog().write(LogLevel.Error, NO_EARLY_DATA);
  }

  /** Whether a new connection is to wait at the host. */
  holds(context: u32): bool {
    if (!this.waiting.holdsNext()) return false;
    this.waiting.add(context, this.clock.nowNanoseconds());
    return true;
  }

  /** The first bytes of a waiting connection have come. */
  hear(): void {
    this.waiting.hear();
  }

  /** Chooses for a connection whose ClientHello is in, and what it offers first. Answers whether a tick is wanted soon. */
  choose(connection: ObservedConnection, handshake: Handshake, offered: Session): bool {
    const steering = this.steering;
    steering.choose(handshake, offered);
    connection.token = steering.token;
    if (steering.hashes) {
      store<u64>(CHOICE, steering.text);
      encodeHex(CHOICE, 8, CHOICE_TEXT);
      HASHABLE.set(CHOICE_TEXT, 16);
    }
    return steering.namesHost && this.send(connection, steering.upstream);
  }

  /** Learns who has answered a connection; not from other clusters than the steering's. */
  answered(connection: ObservedConnection, handshake: Handshake): void {
    const steering = this.steering;
    const handle = connection.handle;
    const token = connection.token;
    if (!connection.sampled && steering.expectsNoNews(handshake, handle, token)) return;
    const length = UPSTREAM.read(ADDRESS, MAX_UPSTREAM_LENGTH);
    if (!steering.hasNews(handshake, handle, token, ADDRESS, length)) {
      connection.answeredBy = steering.tokens.numberOf(ADDRESS, length);
    } else if (this.isOfCluster()) {
      connection.answeredBy = steering.answered(handshake, handle, token, connection.wanted, ADDRESS, length);
    }
  }

  /** Learns from a completed handshake which key its server's new ticket is under. */
  completed(connection: ObservedConnection, handshake: Handshake): void {
    if (handshake.issuedTicket && connection.answeredBy >= 0) {
      this.steering.issued(handshake.issuedTicketKey, connection.answeredBy);
    }
  }

  private send(connection: ObservedConnection, upstream: i32): bool {
    const tokens = this.steering.tokens;
    if (!HOST.set(tokens.addressOf(upstream), tokens.addressLengthOf(upstream))) return false;
    if (!CLUSTER.set(this.exactCluster, this.exactClusterLength)) return false;
    connection.wanted = upstream;
    this.sent.add(connection.context, upstream, this.clock.nowNanoseconds());
    return true;
  }

  private isOfCluster(): bool {
    if (this.clusterLength == 0) return true;
    const length = CLUSTER_NAME.read(NAME, NAME_CAPACITY);
    if (length < 0) return true;
    if (length == this.clusterLength && memory.compare(NAME, this.cluster, length) == 0) return true;
    return length == this.exactClusterLength && memory.compare(NAME, this.exactCluster, length) == 0;
  }
}

const HASHABLE = new FilterState("envoy.hashable_string");
const CLUSTER = new FilterState("envoy.tcp_proxy.cluster");
const HOST = new FilterState("envoy.network.transport_socket.original_dst_address");
const CHOICE: usize = memory.data(8, 8);
const CHOICE_TEXT: usize = memory.data(16);
const ADDRESS: usize = memory.data(64);
/** The cluster that the connection at hand went to; there is one once its bytes have come. */
const CLUSTER_NAME = new PropertyPath("xds.cluster_name");
const NAME_CAPACITY: i32 = 128;
const NAME: usize = memory.data(128);
const NO_EARLY_DATA: string =
  "steering: connections had to wait for nothing, so they are no longer held, and nothing is steered: tcp_proxy does not " +
  "read before it has connected; set max_early_data_bytes: 16384 on it";
