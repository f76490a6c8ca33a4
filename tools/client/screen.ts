/** The streams of the process and the wishes of the caller for the output. */
import type { View } from "./command.ts";
import { onOneLine, safeJson } from "./text.ts";

interface ScreenOptions {
  isJson: boolean;
  isWide: boolean;
  /** --yes */
  isAgreed: boolean;
}

export class Screen {
  readonly isTerminal = process.stdout.isTTY === true;

  constructor(readonly options: ScreenOptions) {
    // A reader such as `head` may close the pipe: that is an end, not a fault.
    for (const stream of [process.stdout, process.stderr]) {
      stream.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "EPIPE") process.exit(0);
        throw error;
      });
    }
  }

  /** Only a terminal has an edge to fit. */
  get view(): View {
    const { isWide } = this.options;
    return { isWide, width: this.isTerminal && !isWide ? process.stdout.columns || 80 : null };
  }

  /** Lines that are printable already. */
  print(lines: string[]): void {
    if (lines.length > 0) process.stdout.write(`${lines.join("\n")}\n`);
  }

  /** A document over several lines. */
  printJson(value: unknown): void {
    process.stdout.write(`${safeJson(value, 2)}\n`);
  }

  /** A document on one line, for streams. */
  printJsonLine(value: unknown): void {
    process.stdout.write(`${safeJson(value)}\n`);
  }

  warn(text: string): void {
    process.stderr.write(`warning: ${onOneLine(text)}\n`);
  }

  error(text: string): void {
    process.stderr.write(`error: ${onOneLine(text)}\n`);
  }
}
