/** What the host says of itself. */
export class HostFacts {
  /** Its version, such as "1.40.0"; empty where it does not say. */
  version(): string {
    return "";
  }
}
