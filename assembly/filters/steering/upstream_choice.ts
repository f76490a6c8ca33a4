/**
 * Steering on the host: a connection waits until its ClientHello is in. Then filter state directs tcp_proxy: a text to hash,
 * or a cluster of the type ORIGINAL_DST and the address to connect to. When the ServerHello is in, the steering learns who
 * has answered.
 */
import { encodeHex } from "../../bytes/hex";
import { Config } from "../../config/config";
import { FilterState } from "../../host/connection/filter_state";
import { LastingText } from "../../host/lasting_text";
import { SOURCE, UPSTREAM } from "../../host/adapters/peer_property";
import { PropertyPath } from "../../host/properties";
import { Clock } from "../../ports/clock";
import { hashId } from "../../shared/store_key";
import { MAX_UPSTREAM_LENGTH, Session } from "../../session/record/session";
import { SteeringMode } from "../../steering/setup/modes";
import { Steering } from "../../steering/steering";
import { Handshake } from "../../tls/handshake";
import { LET_GO, ObservedConnection, WAITS } from "../connection/observed_connection";
import { Probing } from "./probing";
import { SentConnections } from "./sent_connections";
import { SharedCache } from "../cache/shared_cache";
import { SteeringSetup } from "./steering_setup";
import { WaitingConnections } from "./waiting_connections";

export class UpstreamChoice {
  private readonly steering: Steering;
  private readonly clock: Clock;
  private readonly waiting: WaitingConnections = new WaitingConnections();
  private readonly sent: SentConnections;
  /** Name of the cluster that tcp_proxy balances over, empty if it is not configured. */
  private readonly cluster: LastingText;
  /** Name of the cluster that connects to named hosts. */
  private readonly exactCluster: LastingText;
  private readonly exact: bool;
  private readonly setup: SteeringSetup;
  private readonly probing: Probing = new Probing();

  constructor(shared: SharedCache, config: Config) {
    const exact = config.steering == SteeringMode.Exact;
    this.exact = exact;
    this.setup = new SteeringSetup(shared, config);
    const steering = new Steering(shared.cache, shared.store, config.cluster, config.steeringBySource, exact, SOURCE);
    for (let i = 0; i < config.upstreams.length; i++) {
      const address = String.UTF8.encode(config.upstreams[i]);
      steering.configure(changetype<usize>(address), address.byteLength);
    }
    const cluster = new LastingText(config.cluster);
    steering.balanceFactor = config.balanceFactor;
    this.steering = steering;
    this.clock = shared.cache.clock;
    this.cluster = cluster;
    this.exactCluster = new LastingText(config.exactCluster);
    this.sent = new SentConnections(CLUSTER, cluster);
  }

  free(): void {
    this.steering.free();
    this.sent.free();
    this.waiting.free();
    this.setup.free();
  }

  /** In the root's context. Leaves another one behind. */
  tick(): void {
    const now = this.clock.nowNanoseconds();
    this.setup.tick(now, this.waiting.fault);
    this.waiting.tick(now);
    this.sent.tick(this.steering, this.setup.exactCluster, now);
  }

  /**
   * Makes a new connection wait at the host; false if it need not, as it would wait in vain. Then only a few wait, to try
   * again.
   */
  beginWaiting(context: u32): bool {
    const setup = this.setup;
    setup.isUsed = true;
    if (this.exact && !setup.exactCluster.isThere && !this.steering.hashes) return false;
    // If they go to the configured cluster again, that shows without holding any.
    if (setup.isElsewhere) return false;
    if (!setup.hash.works && !this.probing.takeTurn()) return false;
    if (!this.waiting.admitNext()) return false;
    this.waiting.add(context, this.clock.nowNanoseconds());
    return true;
  }

  /** The first bytes of a connection have come; `state` is its state before them. */
  hear(state: usize, byServer: bool): void {
    if ((state & WAITS) != 0) this.waiting.hear();
    else if ((state & LET_GO) != 0) this.waiting.begin(state, byServer);
  }

  /**
   * Chooses for a connection whose ClientHello is in. Returns whether it was sent to a named host: then a tick should come
   * soon.
   */
  choose(connection: ObservedConnection, handshake: Handshake, offered: Session): bool {
    const steering = this.steering;
    const setup = this.setup;
    this.waiting.hearHello();
    if (!setup.hash.works) {
      connection.token = setup.hash.takeNextTried();
      hash(<u64>connection.token);
      return false;
    }
    steering.choose(handshake, offered);
    connection.token = steering.token;
    if (steering.hashes) hash(steering.text);
    const isSent = steering.namesHost && setup.exactCluster.isThere && this.send(connection, steering.upstream);
    if (isSent || !this.exact) {
      connection.diversion = steering.diversion;
      connection.avoided = steering.avoided;
    }
    return isSent;
  }

  /**
   * Returns why a connection was steered away from the issuer of its first offer, an `EventCause`, if another server has
   * answered it. Else 0, also if the host does not show who has answered.
   */
  diversionOf(connection: ObservedConnection): u8 {
    if (connection.diversion == 0) return 0;
    const length = UPSTREAM.read(ADDRESS, MAX_UPSTREAM_LENGTH);
    if (length <= 0 || this.steering.tokens.numberOf(ADDRESS, length) == connection.avoided) return 0;
    return connection.diversion;
  }

  /** Learns who has answered a connection, if it is of the steering's cluster. */
  answered(connection: ObservedConnection, handshake: Handshake): void {
    const steering = this.steering;
    const handle = connection.handle;
    const token = connection.token;
    const setup = this.setup;
    const effect = setup.hash;
    if (connection.wanted >= 0) setup.exactCluster.answer();
    const isTry = !effect.works && token >= 0;
    if (!isTry && !connection.sampled && steering.learning.expectsNoNews(handshake, handle, token)) {
      // Only its own server can have accepted it, so the token led there.
      effect.agreed(token, steering.tokens.upstreams);
      return;
    }
    const length = UPSTREAM.read(ADDRESS, MAX_UPSTREAM_LENGTH);
    if (isTry) {
      if (length > 0 && this.isOfCluster()) effect.tried(token, hashId(ADDRESS, length));
      return;
    }
    const number = steering.tokens.numberOf(ADDRESS, length);
    const known = token >= 0 ? steering.tokens.leads(token) : -1;
    const agrees = known >= 0 && number == known;
    if (agrees) effect.agreed(token, steering.tokens.upstreams);
    if (!setup.isElsewhere && !steering.learning.hasNews(handshake, handle, token, number)) {
      connection.answeredBy = number;
      return;
    }
    if (!this.isOfCluster()) return;
    if (known >= 0 && !agrees) effect.contradicted(token, <u32>this.clock.nowSeconds());
    // A token without effect shows nothing of where it leads.
    if (token >= 0 && !effect.works) return;
    if (connection.wanted >= 0 && number == connection.wanted) setup.reach();
    connection.answeredBy = steering.learning.answered(handshake, handle, token, connection.wanted, ADDRESS, length);
  }

  /** Learns from a completed handshake the key of its server's new ticket. */
  completed(connection: ObservedConnection, handshake: Handshake): void {
    if (handshake.issuedTicket && connection.answeredBy >= 0) {
      this.steering.learning.issued(handshake.issuedTicketKey, connection.answeredBy);
    }
  }

  private send(connection: ObservedConnection, upstream: i32): bool {
    const tokens = this.steering.tokens;
    if (!HOST.set(tokens.addressOf(upstream), tokens.addressLengthOf(upstream))) return false;
    if (!CLUSTER.set(this.exactCluster.start, this.exactCluster.length)) return false;
    connection.wanted = upstream;
    this.sent.add(connection.context, upstream, this.clock.nowNanoseconds());
    return true;
  }

  private isOfCluster(): bool {
    if (this.cluster.length == 0) return true;
    const length = CLUSTER_NAME.read(NAME, NAME_CAPACITY);
    if (length < 0) return true;
    const isOwn = this.cluster.is(NAME, length) || this.exactCluster.is(NAME, length);
    if (isOwn) this.setup.answeredByOwn();
    else this.setup.answeredByOther(NAME, length);
    return isOwn;
  }
}

/** Sets the text by which Envoy's hash chooses. */
function hash(text: u64): void {
  store<u64>(CHOICE, text);
  encodeHex(CHOICE, 8, CHOICE_TEXT);
  HASHABLE.set(CHOICE_TEXT, 16);
}

const HASHABLE = new FilterState("envoy.hashable_string");
const CLUSTER = new FilterState("envoy.tcp_proxy.cluster");
const HOST = new FilterState("envoy.network.transport_socket.original_dst_address");
const CHOICE: usize = memory.data(8, 8);
const CHOICE_TEXT: usize = memory.data(16);
const ADDRESS: usize = memory.data(MAX_UPSTREAM_LENGTH);
/** The cluster of the current connection; there is one once its bytes have come. */
const CLUSTER_NAME = new PropertyPath("xds.cluster_name");
const NAME_CAPACITY: i32 = 128;
const NAME: usize = memory.data(NAME_CAPACITY);
