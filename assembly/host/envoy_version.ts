/**
 * The version of the Envoy that hosts this virtual machine (`user_agent_build_version` of Envoy's Node, in the attribute
 * `xds.node`). Each number is eight bytes, little-endian. Costs three host calls.
 */
import { PropertyPath } from "./properties";

export class EnvoyVersion {
  /** All three are 0 if the host does not show its version. */
  readonly major: i32;
  readonly minor: i32;
  readonly patch: i32;

  constructor() {
    this.major = numberAt(MAJOR);
    this.minor = numberAt(MINOR);
    this.patch = numberAt(PATCH);
  }

  get isKnown(): bool {
    return (this.major | this.minor | this.patch) != 0;
  }

  /** Whether this is surely older than 1.`minor`. */
  isOlderThan(minor: i32): bool {
    return this.major == 1 && this.minor < minor;
  }

  toString(): string {
    return this.major.toString() + "." + this.minor.toString() + "." + this.patch.toString();
  }
}

function numberAt(path: PropertyPath): i32 {
  store<u64>(NUMBER, 0);
  return path.read(NUMBER, 8) == 8 ? load<i32>(NUMBER) : 0;
}

const MAJOR: PropertyPath = new PropertyPath("xds.node.user_agent_build_version.version.major_number");
const MINOR: PropertyPath = new PropertyPath("xds.node.user_agent_build_version.version.minor_number");
const PATCH: PropertyPath = new PropertyPath("xds.node.user_agent_build_version.version.patch");
const NUMBER: usize = memory.data(sizeof<u64>(), 8);
