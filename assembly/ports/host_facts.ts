/** Facts about the host. */
export class HostFacts {
  /** Returns its version, such as "1.40.0"; empty if unknown. */
  version(): string {
    return "";
  }
}
