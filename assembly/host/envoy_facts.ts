/**
 * HostFacts of Envoy: the attribute `xds.node` is what Envoy tells a control plane (core.v3.Node). Its `user_agent_build_version.version` is a
 * type.v3.SemanticVersion and comes as protobuf: varints major_number (field 1), minor_number (2), patch (3); 0 is left out.
 */
import { HostFacts } from "../ports/host_facts";
import { PropertyPath } from "./properties";

export class EnvoyFacts extends HostFacts {
  version(): string {
    const length = VERSION.read(BYTES, CAPACITY);
    if (length <= 0) return "";
    memory.fill(NUMBERS, 0, 16);
    let at = 0;
    while (at + 1 < length) {
      const field = load<u8>(BYTES + <usize>at) >> 3;
      let number: u32 = 0;
      let shift: u32 = 0;
      let byte: u32 = 0x80;
      at++;
      while (byte >= 0x80 && at < length && shift < 32) {
        byte = load<u8>(BYTES + <usize>at);
        number |= (byte & 0x7f) << shift;
        shift += 7;
        at++;
      }
      if (field >= 1 && field <= 3) store<u32>(NUMBERS + ((<usize>field) << 2), number);
    }
    return numberAt(1) + "." + numberAt(2) + "." + numberAt(3);
  }
}

function numberAt(field: usize): string {
  return load<u32>(NUMBERS + (field << 2)).toString();
}

const VERSION = new PropertyPath("xds.node.user_agent_build_version.version");
const CAPACITY: i32 = 64;
const BYTES: usize = memory.data(64);
const NUMBERS: usize = memory.data(16, 4);
