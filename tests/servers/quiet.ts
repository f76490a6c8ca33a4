/** A lock that many share, or that one caller holds alone. */
export class Quiet {
  private inside = 0;
  private alones: Promise<unknown> = Promise.resolve();
  private isHeld = false;
  private waiting: (() => void)[] = [];

  async shared<T>(act: () => Promise<T>): Promise<T> {
    while (this.isHeld) await this.change();
    this.inside++;
    try {
      return await act();
    } finally {
      this.inside--;
      this.changed();
    }
  }

  alone<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.alones.then(async () => {
      this.isHeld = true;
      try {
        while (this.inside > 0) await this.change();
        return await act();
      } finally {
        this.isHeld = false;
        this.changed();
      }
    });
    this.alones = turn.catch(() => undefined);
    return turn;
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private changed(): void {
    const woken = this.waiting;
    this.waiting = [];
    for (const wake of woken) wake();
  }
}
