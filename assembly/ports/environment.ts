/** What the domain needs of the environment of the process or virtual machine. */
export abstract class Environment {
  /** The value of a variable, null where it is not set. */
  abstract lookup(name: string): string | null;
}
