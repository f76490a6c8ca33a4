/**
 * The wish to end a stream: Ctrl-C, SIGTERM, or q on a terminal. It ends the calls that wait for an answer. A second Ctrl-C ends the
 * process at once.
 */
import type { Api } from "./api.ts";

export class Stop {
  isAsked = false;
  private wake: () => void = () => undefined;
  private readonly readsKeys: boolean;

  constructor(
    isTerminal: boolean,
    private readonly apis: Api[],
  ) {
    this.readsKeys = isTerminal && process.stdin.isTTY === true;
    for (const signal of SIGNALS) process.on(signal, this.ask);
    if (!this.readsKeys) return;
    process.stdin.setRawMode(true).resume().on("data", this.onKey);
  }

  /** Returns after the time, or as soon as the end is asked for. */
  async orAfter(milliseconds: number): Promise<void> {
    if (this.isAsked) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Gives the terminal and the signals back. */
  end(): void {
    for (const signal of SIGNALS) process.off(signal, this.ask);
    if (!this.readsKeys) return;
    process.stdin.off("data", this.onKey).setRawMode(false).pause();
  }

  private readonly ask = (): void => {
    this.isAsked = true;
    for (const signal of SIGNALS) process.off(signal, this.ask);
    this.wake();
    for (const api of this.apis) api.abort();
  };

  /** In raw mode Ctrl-C is a key. */
  private readonly onKey = (key: Buffer): void => {
    if (["q", "Q", "\u0003", "\u0004"].includes(key.toString())) this.ask();
  };
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
