/** Environment: the variables that the host shows to this virtual machine (Envoy's `vm_config.environment_variables`). */
import { Environment } from "../../ports/environment";
import { environ_get, environ_sizes_get } from "../abi";

export class HostEnvironment extends Environment {
  private readonly names: Array<string> = [];
  private readonly values: Array<string> = [];

  constructor() {
    super();
    this.copyAll();
  }

  lookup(name: string): string | null {
    const index = this.names.indexOf(name);
    return index < 0 ? null : this.values[index];
  }

  /** Copies all variables; if the host gives none, or too many, there are none. */
  private copyAll(): void {
    if (environ_sizes_get(OUT_COUNT, OUT_SIZE) != 0) return;
    const count = load<u32>(OUT_COUNT);
    const size = load<u32>(OUT_SIZE);
    if (count == 0 || count > MAX_VARIABLES || size > MAX_BYTES) return;
    const pointers = new StaticArray<u32>(count);
    const bytes = new StaticArray<u8>(size + 1);
    if (environ_get(changetype<usize>(pointers), changetype<usize>(bytes)) != 0) return;
    for (let i: u32 = 0; i < count; i++) {
      const text = String.UTF8.decodeUnsafe(<usize>pointers[i], size, true);
      const equals = text.indexOf("=");
      if (equals < 0) continue;
      this.names.push(text.substring(0, equals));
      this.values.push(text.substring(equals + 1));
    }
  }
}

const MAX_VARIABLES: u32 = 1024;
const MAX_BYTES: u32 = 1_048_576;
const OUT_COUNT: usize = memory.data(4, 4);
const OUT_SIZE: usize = memory.data(4, 4);
