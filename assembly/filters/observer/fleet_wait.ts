/**
 * The wait of connections for the decisions of other proxies, when a proxy starts. A connection whose hello offers a session
 * that the cache does not hold keeps its bytes at the host. Nothing is asked of tcp_proxy: it may connect meanwhile.
 *
 * One connection too many is not held: as long as decisions are awaited, an acceptance of its offer is refused.
 *
 * Cost: while decisions are awaited, a look into the cache for each offered session. Ticks come fast while a connection is
 * held, so that it goes on within milliseconds. Once all is over, one test of a pointer for each hello.
 */
import { Clock } from "../../ports/clock";
import { Deadline, SLICE_NANOSECONDS } from "../../work/job";
import { FleetStart } from "../cache/fleet_start";
import { HeldConnections } from "../connection/held_connections";
import { ObservedConnection } from "../connection/observed_connection";
import { RootTicks } from "./root_ticks";

export class FleetWait {
  private readonly deadline: Deadline;
  /** How many may still go on with the current tick. */
  private left: i32 = 0;

  constructor(
    private readonly start: FleetStart,
    private readonly held: HeldConnections,
    private readonly ticks: RootTicks,
    clock: Clock,
  ) {
    this.deadline = new Deadline(clock);
  }

  free(): void {
    this.start.free();
  }

  get isPending(): bool {
    return this.start.isPending;
  }

  /** Holds a connection whose ClientHello is in; false if too many are held. */
  hold(connection: ObservedConnection): bool {
    if (!this.held.add(connection)) return false;
    this.start.countWait();
    this.ticks.speedUpFrom(connection.context);
    return true;
  }

  /** Finds out whether the wait is over, and begins a slice of `next`. */
  tick(): void {
    this.start.tick();
    this.left = this.isPending ? 0 : MAX_A_TICK;
    this.deadline.start(SLICE_NANOSECONDS);
  }

  /** Returns the next connection that may go on in this tick; null if there is none. */
  next(): ObservedConnection | null {
    if (this.left == 0 || this.deadline.passed) return null;
    this.left--;
    return this.held.shift();
  }

  /** Whether nobody waits, and nobody will. */
  get isOver(): bool {
    return !this.isPending && this.held.isEmpty;
  }
}

/** The host connects each one to its server when the tick is over, which takes longer than the tick itself. */
const MAX_A_TICK: i32 = 64;
