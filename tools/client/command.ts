/**
 * The shape of a command. `prepare` checks the arguments before anything is sent; its plan then runs on every proxy, and the
 * runner (runner.ts) prints the reports.
 */
import type { Api } from "./api.ts";
import type { ExitCode } from "./client_error.ts";
import type { Screen } from "./screen.ts";

export interface Option {
  /** The name of the value in the usage; without it the option is a switch. */
  value?: string;
  /** The values that complete; others are the proxy's to judge. */
  choices?: string[];
  isRepeated?: boolean;
  /** One letter, as h of -h. */
  short?: string;
  about: string;
}

export interface Command {
  name: string;
  /** What follows the name in the usage. */
  usage: string;
  summary: string;
  /** The longer help, one line each. */
  about?: string[];
  options?: Record<string, Option>;
  /** Words that complete behind the name. */
  words?: string[];
  prepare: (args: Arguments) => Plan;
}

/** The arguments of a command, without its name. */
export class Arguments {
  constructor(
    readonly words: string[],
    private readonly values: Record<string, string | boolean | (string | boolean)[] | undefined>,
  ) {}

  /** The value of an option; null if it is not given. */
  text(option: string): string | null {
    const value = this.values[option];
    return typeof value === "string" ? value : null;
  }

  /** The values of a repeated option. */
  texts(option: string): string[] {
    const value = this.values[option];
    return Array.isArray(value) ? value.map(String) : [];
  }

  has(option: string): boolean {
    return this.values[option] !== undefined && this.values[option] !== false;
  }
}

/** The result of a command on one proxy. */
export interface Report {
  json: unknown;
  lines: (view: View) => string[];
  /** `refused` if the call has found nothing; `done` without it. */
  exitCode?: ExitCode;
  /** Shown on stderr, also with --json. */
  warnings?: string[];
}

/** The room for lines of people. */
export interface View {
  /** Null is unlimited. */
  width: number | null;
  isWide: boolean;
}

export type Plan =
  | {
      /** On each proxy; the reports are printed one after the other. */
      run: (api: Api) => Promise<Report>;
      /** What it would do to each proxy. Then it needs the caller's consent or --yes. */
      question?: (api: Api) => Promise<string>;
    }
  | {
      /** On all proxies at once, as a stream does, or on none. */
      runOnAll: (apis: Api[], screen: Screen) => Promise<ExitCode>;
    };
