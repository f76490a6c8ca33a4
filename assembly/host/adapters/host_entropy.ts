/** Entropy: WASI's random_get, which Envoy serves by BoringSSL's RAND_bytes. */
import { Entropy } from "../../ports/entropy";
import { random_get } from "../abi";

export class HostEntropy extends Entropy {
  fill(start: usize, length: i32): bool {
    return random_get(start, length) == 0;
  }
}
