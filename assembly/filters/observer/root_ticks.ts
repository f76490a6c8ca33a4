/** The ticks of a root: every TICK_MILLISECONDS, but for one that was asked to come soon. */
import { enter, tickEvery } from "../../host/effective_context";
import { TICK_MILLISECONDS } from "../../host/roots";

export class RootTicks {
  private isSoon: bool = false;

  constructor(private readonly rootContext: u32) {}

  /** Makes the next tick come soon. In the root's context. */
  bringForward(): void {
    this.isSoon = true;
    tickEvery(SOON_MILLISECONDS);
  }

  /** Makes the next tick come soon. In the context of a connection, `context`. */
  bringForwardFrom(context: u32): void {
    enter(this.rootContext);
    this.bringForward();
    enter(context);
  }

  /** Ends a tick: back in the root's context, at the usual pace. */
  end(): void {
    enter(this.rootContext);
    if (!this.isSoon) return;
    this.isSoon = false;
    tickEvery(TICK_MILLISECONDS);
  }
}

const SOON_MILLISECONDS: u32 = 5;
