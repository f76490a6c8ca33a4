/** A log. Check `enabled` before building a text: most levels are off most of the time. */
export const enum LogLevel {
  Debug = 1,
  Info = 2,
  Warn = 3,
  Error = 4,
}

export abstract class Log {
  abstract enabled(level: LogLevel): bool;

  abstract write(level: LogLevel, text: string): void;
}
