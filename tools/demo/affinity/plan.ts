/** A row of `npm run demo:affinity`: its title, its target, and the measurement of its cells. */
import type { Column, Steering, Variant } from "./balancers.ts";
import type { Cell } from "./crowd.ts";

export interface AffinityOptions {
  /** Resumptions offered for each number. */
  attempts: number;
  newConnections: number;
  /** Leaves out the rows that are `isLarge`, and offers newest and first sessions to one balancer, one after the other; what waits, waits less. */
  isSmall: boolean;
  /** Only rows with this in their titles; "" or none for all. */
  titled?: string;
  columns: Column[];
  progress: (line: string) => void;
}

export interface Plan {
  title: string;
  /** In words, "" if there is none. */
  target: string;
  /** null if the column has nothing to measure. */
  measure: (column: Column, options: AffinityOptions) => Promise<Cell | null>;
  /** The differences of this filter's columns from the shipped configuration. */
  variant?: Variant;
  /** Not in the small run. */
  isLarge?: boolean;
  /** Not for HAProxy, whose servers would need another way of changing. */
  changes?: boolean;
  /** Only for columns of this filter that steer so. */
  steeredBy?: Steering[];
}
