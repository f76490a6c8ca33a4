/**
 * Whether Envoy has the cluster through which hosts are named (`exact`). Envoy closes a connection at once that is sent to a
 * missing cluster. So no host is named before the cluster was seen, on the first tick after the configuration. One virtual
 * machine looks for all of a filter (`report.ts`). A missing cluster is looked for again, as it may come from CDS.
 *
 * The cluster may go again, or the host may be forbidden to show it. So it is looked for again after LOST connections in a
 * row were sent to it and ended before the next tick without an answer, if none was ever answered. The pause before that
 * doubles each time.
 */
import { lacksCluster } from "../../host/clusters/named_cluster";
import { SteeringReport } from "../../steering/setup/report";

export class ExactCluster {
  /** Whether hosts may be named. */
  isThere: bool = false;
  /** It has been missing for PATIENCE_NANOSECONDS. */
  isMissing: bool = false;
  private answered: bool = false;
  private lost: u32 = 0;
  private since: u64 = 0;
  private nextLook: u64 = 0;
  private pause: u64 = FIRST_PAUSE_NANOSECONDS;

  constructor(
    private readonly name: string,
    private readonly filter: string,
    private readonly balanced: string,
    private readonly report: SteeringReport,
  ) {}

  /** In the root's context. */
  tick(nowNanoseconds: u64): void {
    if (this.isThere || nowNanoseconds < this.nextLook) return;
    if (this.since == 0) this.since = nowNanoseconds;
    if (this.lost == 0 && this.report.hasSeenCluster(this.filter, this.balanced)) {
      this.found();
      return;
    }
    if (!lacksCluster(this.name)) {
      this.found();
      this.report.noteClusterSeen(this.filter, this.balanced);
      return;
    }
    this.isMissing = nowNanoseconds - this.since >= PATIENCE_NANOSECONDS;
    if (this.isMissing) this.nextLook = nowNanoseconds + RARE_NANOSECONDS;
  }

  /** A connection that was sent to the cluster has an answer. */
  answer(): void {
    this.answered = true;
    this.lost = 0;
  }

  /** A connection that was sent to the cluster has ended at once, without an answer. */
  lose(nowNanoseconds: u64): void {
    if (this.answered || !this.isThere) return;
    this.lost++;
    if (this.lost < LOST) return;
    this.isThere = false;
    this.since = nowNanoseconds;
    this.nextLook = nowNanoseconds + this.pause;
    this.pause = min(this.pause * 2, MAX_PAUSE_NANOSECONDS);
    this.report.noteClusterMissing(this.filter, this.balanced);
  }

  private found(): void {
    this.isThere = true;
    this.isMissing = false;
    this.lost = 0;
  }
}

const LOST: u32 = 2;
const PATIENCE_NANOSECONDS: u64 = 3_000_000_000;
const RARE_NANOSECONDS: u64 = 5_000_000_000;
const FIRST_PAUSE_NANOSECONDS: u64 = 100_000_000;
const MAX_PAUSE_NANOSECONDS: u64 = 300_000_000_000;
