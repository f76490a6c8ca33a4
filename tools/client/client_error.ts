/** Errors that end a command: one line for people, and the exit code of the program. */
import { SetupError } from "../setup_error.ts";

/** The exit codes, from best to worst. docs/use/client.md lists them. */
export const EXIT = { done: 0, refused: 1, usage: 2, unreachable: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export class ClientError extends SetupError {
  override name = "ClientError";

  constructor(
    message: string,
    readonly exitCode: ExitCode,
  ) {
    super(message);
  }
}

/** Wrong arguments, variables or files of the caller: nothing was sent. */
export class UsageError extends ClientError {
  constructor(message: string) {
    super(message, EXIT.usage);
  }
}

/** The proxy does not answer as an admin API does, or not at all. */
export class UnreachableError extends ClientError {
  constructor(message: string) {
    super(message, EXIT.unreachable);
  }
}

/** The API has refused the call, or holds nothing of that name. */
export class RefusedError extends ClientError {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message, EXIT.refused);
  }

  /** Whether the same call may succeed later, as with a cache that is busy. */
  get mayPass(): boolean {
    return this.status >= 500;
  }
}
