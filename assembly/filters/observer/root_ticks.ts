/** The ticks of a root: every TICK_MILLISECONDS, but for one that was asked to come soon, and those of a time of fast ones. */
import { enter, tickEvery } from "../../host/effective_context";
import { TICK_MILLISECONDS } from "../../host/roots";

export class RootTicks {
  private isSoon: bool = false;
  /** Whether ticks come fast, one by one. */
  isFast: bool = false;

  constructor(private readonly rootContext: u32) {}

  /** Makes the next tick come soon. In the root's context. */
  bringForward(): void {
    this.isSoon = true;
    if (!this.isFast) tickEvery(SOON_MILLISECONDS);
  }

  /** Makes the next tick come soon. In the context of a connection, `context`. */
  bringForwardFrom(context: u32): void {
    enter(this.rootContext);
    this.bringForward();
    enter(context);
  }

  /** Makes ticks come fast until `slowDown`. In the context of a connection, `context`. */
  speedUpFrom(context: u32): void {
    if (this.isFast) return;
    this.isFast = true;
    enter(this.rootContext);
    tickEvery(FAST_MILLISECONDS);
    enter(context);
  }

  /** Ends the time of fast ticks, with the current tick. */
  slowDown(): void {
    if (!this.isFast) return;
    this.isFast = false;
    this.isSoon = true;
  }

  /** Ends a tick: back in the root's context, at the usual pace. */
  end(): void {
    enter(this.rootContext);
    if (!this.isSoon || this.isFast) return;
    this.isSoon = false;
    tickEvery(TICK_MILLISECONDS);
  }
}

const SOON_MILLISECONDS: u32 = 5;
const FAST_MILLISECONDS: u32 = 2;
