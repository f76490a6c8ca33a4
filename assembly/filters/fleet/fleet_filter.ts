/**
 * The fleet as an HTTP filter in front of the admin API: it lets every request pass, and works on ticks in virtual machines
 * of its own. One of them leads (`shared/lease.ts`); when it ends, another one does within three seconds. A filter whose
 * configuration is superseded gives the lease back.
 */
import { Config, FleetConfig, validateFleet } from "../../config/config";
import { Fleet } from "../../fleet/fleet";
import { Progress } from "../../fleet/state/progress";
import { HostEntropy } from "../../host/adapters/host_entropy";
import { EtcdJournal } from "../../host/etcd/etcd_journal";
import { enter, tickEvery } from "../../host/effective_context";
import { HostGrpc } from "../../host/grpc/host_grpc";
import { FINISHED, TICK_MILLISECONDS } from "../../host/roots";
import { Lease } from "../../shared/lease";
import { CacheFilter } from "../cache/cache_filter";
import { VERSION } from "../cache/module_version";
import { RolledBack } from "../cache/rolled_back";
import { SharedCache } from "../cache/shared_cache";
import { LazyMetrics } from "./lazy_metrics";

export class FleetFilter extends CacheFilter {
  private options: FleetConfig | null = null;
  private lease: Lease | null = null;
  private progress: Progress | null = null;
  private journal: EtcdJournal | null = null;
  /** Null unless this machine leads. */
  private fleet: Fleet | null = null;
  private metrics: LazyMetrics | null = null;
  private readonly rolledBack: RolledBack = new RolledBack();
  private isFast: bool = false;
  /** When the background last had a tick, in nanoseconds since 1970. */
  private lastBackground: u64 = 0;

  constructor(private readonly rootContext: u32) {
    super("fleet");
  }

  free(): void {
    this.stop();
    const lease = this.lease;
    if (lease) lease.free();
    this.lease = null;
    const progress = this.progress;
    if (progress) progress.free();
    this.progress = null;
    super.free();
  }

  tick(): void {
    this.hasTicked = true;
    const shared = this.shared;
    if (!shared) return;
    const now = shared.cache.clock.nowNanoseconds();
    if (now - this.lastBackground >= TICK_NANOSECONDS) {
      this.lastBackground = now;
      super.tick();
      this.elect();
    }
    this.work();
  }

  grpcReceived(token: u32, length: i32): void {
    const journal = this.journal;
    if (!journal) return;
    journal.received(token, length);
    this.work();
  }

  grpcClosed(token: u32, status: i32): void {
    const journal = this.journal;
    if (journal) journal.closed(token, status);
  }

  requestHeaders(context: u32, endOfStream: bool): i32 {
    const shared = this.shared;
    if (shared) this.rolledBack.noteRequest(shared);
    return 0;
  }

  connectionOpened(context: u32): usize {
    const shared = this.shared;
    if (shared) shared.misplaced(ON_NETWORK);
    return FINISHED;
  }

  protected refusalOf(config: Config): string {
    return validateFleet(config);
  }

  protected opened(shared: SharedCache, config: Config): void {
    this.stop();
    const cacheName = shared.cache.settings.cacheName;
    this.options = config.fleet;
    this.lease = new Lease(cacheName, "fleet/leader", shared.store);
    this.progress = new Progress(cacheName, shared.store, new HostEntropy());
    this.metrics = new LazyMetrics(cacheName);
    const options = config.fleet;
    if (options) tickEvery(min(options.intervalMilliseconds, TICK_MILLISECONDS));
  }

  /** Becomes the leader, or ceases to be. */
  private elect(): void {
    const shared = this.shared;
    const lease = this.lease;
    if (!shared || !lease) return;
    if (!shared.inForce) {
      if (this.fleet) {
        this.stop();
        lease.release();
      }
      return;
    }
    const leads = lease.acquireOrRenew(shared.cache.clock.nowNanoseconds());
    if (leads && !this.fleet) this.start(shared);
    else if (!leads && this.fleet) this.stop();
  }

  private start(shared: SharedCache): void {
    const config = this.options;
    const progress = this.progress;
    const metrics = this.metrics;
    if (!config || !progress || !metrics || !progress.load()) return;
    const cache = shared.cache;
    const prefix = config.prefix.length > 0 ? config.prefix : PREFIX + cache.settings.cacheName;
    const journal = new EtcdJournal(new HostGrpc(config.cluster), prefix, "p/" + config.name, SESSION_KEYS);
    this.journal = journal;
    this.fleet = new Fleet(cache, shared.store, journal, metrics, progress, config, new HostEntropy(), VERSION);
  }

  private stop(): void {
    const fleet = this.fleet;
    const journal = this.journal;
    this.fleet = null;
    this.journal = null;
    if (fleet) fleet.free();
    if (journal) journal.free();
  }

  private work(): void {
    const fleet = this.fleet;
    const config = this.options;
    if (!fleet || !config) return;
    const isMore = fleet.work();
    if (isMore == this.isFast) return;
    this.isFast = isMore;
    enter(this.rootContext);
    tickEvery(isMore ? FAST_TICK_MILLISECONDS : min(config.intervalMilliseconds, TICK_MILLISECONDS));
  }
}

const ON_NETWORK: string =
  ": root_id fleet is among network filters: put it among the HTTP filters of the admin listener (envoy.filters.http.wasm)";
const PREFIX: string = "/tls_session_cache/1/";
const SESSION_KEYS: string = "s/";
const FAST_TICK_MILLISECONDS: u32 = 1;
const TICK_NANOSECONDS: u64 = <u64>TICK_MILLISECONDS * 1_000_000;
