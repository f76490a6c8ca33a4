/**
 * Shares out the full handshakes that steering itself causes: a try of an upstream that is away, a move to one that is back,
 * a question whether another upstream holds a key. Each falls on a client that has not been declined since an upstream was
 * last found to be away, as long as there is one. So no client pays twice while others pay nothing.
 *
 * A client is its network, as in `clients/client.ts`: a client that spares itself makes others pay, but only MAX_PASSED_OVER
 * times in a row. One for each virtual machine; fixed memory; O(1).
 */
import { Client } from "../clients/client";
import { Moved } from "./moved";

/** For what a client is wanted; each is counted by itself. */
export const enum Cause {
  Try,
  Move,
  Question,
}

export class Sparing {
  private readonly missed: Moved = new Moved();
  /** How many in a row were passed over, for each `Cause`. */
  private readonly passed: StaticArray<u32> = new StaticArray<u32>(CAUSES);

  constructor(private readonly client: Client) {}

  /** A server has declined the offer of the current client. */
  noteMiss(): void {
    this.missed.add(this.client.network);
  }

  /** An upstream is away: misses from before count no longer. */
  begin(): void {
    this.missed.clear();
  }

  /** Passes over the current client, if it is to be spared; returns whether it does. */
  passOver(cause: Cause): bool {
    const passed = unchecked(this.passed[cause]);
    const isSpared = passed < MAX_PASSED_OVER && this.missed.has(this.client.network);
    unchecked((this.passed[cause] = isSpared ? passed + 1 : 0));
    return isSpared;
  }
}

const CAUSES: i32 = 3;
const MAX_PASSED_OVER: u32 = 16;
