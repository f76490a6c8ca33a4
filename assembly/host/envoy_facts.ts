/**
 * HostFacts of Envoy: the attribute `xds.node` shows what Envoy tells a control plane (core.v3.Node, `user_agent_build_version`, whose
 * `version` is a type.v3.SemanticVersion: u32 major_number, minor_number, patch). An attribute that is a number comes as 8 bytes.
 */
import { HostFacts } from "../ports/host_facts";
import { PropertyPath } from "./properties";

export class EnvoyFacts extends HostFacts {
  version(): string {
    const major = MAJOR.read(NUMBER, 8);
    const minor = MINOR.read(NUMBER + 8, 8);
    if (major != 8 || minor != 8) return "";
    // A patch of 0 is a field that is not set.
    const patch = PATCH.read(NUMBER + 16, 8) == 8 ? load<u64>(NUMBER, 16) : 0;
    return load<u64>(NUMBER).toString() + "." + load<u64>(NUMBER, 8).toString() + "." + patch.toString();
  }
}

const NUMBER: usize = memory.data(24, 8);
const MAJOR = new PropertyPath("node.user_agent_build_version.version.major_number");
const MINOR = new PropertyPath("node.user_agent_build_version.version.minor_number");
const PATCH = new PropertyPath("node.user_agent_build_version.version.patch");
