/**
 * The connections that the filter has sent to one host (`exact`). If that host does not accept, Envoy would try it again and
 * again. So as soon as the first attempt is under way, the connection goes back to the balanced cluster, for further
 * attempts. A host that accepts and stays silent for too long, though it has all that it needs, is reported to the steering:
 * this client's bytes are gone, but the next one goes elsewhere.
 */
import { FilterState } from "../../host/connection/filter_state";
import { findContext } from "../../host/contexts";
import { enter } from "../../host/effective_context";
import { LastingText } from "../../host/lasting_text";
import { FINISHED } from "../../host/roots";
import { Steering } from "../../steering/steering";
import { ConnectionQueue } from "../connection/connection_queue";
import { ExactCluster } from "./exact_cluster";
import { FRESH, ObservedConnection } from "../connection/observed_connection";

export class SentConnections {
  private readonly begun: ConnectionQueue = new ConnectionQueue();
  private readonly unanswered: ConnectionQueue = new ConnectionQueue();

  constructor(
    private readonly cluster: FilterState,
    /** Name of the balanced cluster. */
    private readonly balanced: LastingText,
  ) {}

  free(): void {
    this.begun.free();
    this.unanswered.free();
  }

  add(context: u32, upstream: i32, nowNanoseconds: u64): void {
    this.begun.push(context, <u32>upstream, nowNanoseconds);
  }

  /** Leaves another context than the root's behind if there were any connections. */
  tick(steering: Steering, exactCluster: ExactCluster, nowNanoseconds: u64): void {
    while (this.begun.length > 0) {
      const context = this.begun.context;
      if (isOver(context)) exactCluster.lose(nowNanoseconds);
      else if (unansweredOf(context)) {
        enter(context);
        this.cluster.set(this.balanced.start, this.balanced.length);
        this.unanswered.push(context, this.begun.word, this.begun.since);
      }
      this.begun.shift();
    }
    while (this.unanswered.length > 0 && this.unanswered.since + SILENT_NANOSECONDS <= nowNanoseconds) {
      const context = this.unanswered.context;
      if (isOwed(context)) {
        enter(context);
        steering.learning.silent(<i32>this.unanswered.word);
      }
      this.unanswered.shift();
    }
  }
}

function isOver(contextNumber: u32): bool {
  const context = findContext(contextNumber);
  return !context || context.state == FINISHED;
}

function unansweredOf(contextNumber: u32): bool {
  const context = findContext(contextNumber);
  if (!context || context.state == FINISHED || (context.state & FRESH) != 0) return false;
  return !changetype<ObservedConnection>(context.state).answered;
}

/** Whether a connection's server is silent, though it has all that it needs to answer. */
function isOwed(contextNumber: u32): bool {
  if (!unansweredOf(contextNumber)) return false;
  const context = findContext(contextNumber);
  return context != null && changetype<ObservedConnection>(context.state).isOwedAnAnswer;
}

const SILENT_NANOSECONDS: u64 = 3_000_000_000;
