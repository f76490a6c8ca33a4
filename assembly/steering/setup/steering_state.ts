/** Whether the steering of one filter has an effect on its cluster, and if not, why. */
import { SteeringMode } from "./modes";

/** Whether steering has its effect. */
export const enum Effect {
  /** Nothing was steered yet, or not enough to say so. */
  Unknown = 0,
  Yes = 1,
  No = 2,
}

/** Why it has none. */
export const enum Fault {
  None = 0,
  /** tcp_proxy does not read before it has connected. */
  NoEarlyData = 1,
  /** Servers speak first, as no TLS server does. */
  ServerFirst = 2,
  /** Connections go to another cluster, the argument, than the configured one. */
  OtherCluster = 3,
  /** A text does not lead to one host. */
  NoHash = 4,
  /** The host has no cluster of the name in `exact_cluster`, the argument. */
  NoExactCluster = 5,
}

export class SteeringState {
  mode: SteeringMode = SteeringMode.Off;
  effect: Effect = Effect.Unknown;
  fault: Fault = Fault.None;
  /** Of some faults, else "". At most 128 bytes of visible ASCII. */
  argument: string = "";

  constructor(public cluster: string) {}
}
