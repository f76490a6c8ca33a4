/** The environment of the process or virtual machine. */
export abstract class Environment {
  /** Returns the value of a variable; null if it is not set. */
  abstract lookup(name: string): string | null;
}
