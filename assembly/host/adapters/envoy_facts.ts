/** HostFacts: of Envoy. */
import { HostFacts } from "../../ports/host_facts";
import { EnvoyVersion } from "../envoy_version";

export class EnvoyFacts extends HostFacts {
  version(): string {
    const version = new EnvoyVersion();
    return version.isKnown ? version.toString() : "";
  }
}
