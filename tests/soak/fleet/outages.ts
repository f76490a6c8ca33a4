/** When something of the fleet was down: until then and some seconds after, proxies may not know each other's removals. */
export class Outages {
  private readonly windows: { from: number; until: number }[] = [];

  /** Notes the beginning of one; call the result at its end. */
  begin(): () => void {
    const window = { from: Date.now(), until: Infinity };
    this.windows.push(window);
    return () => {
      window.until = Date.now() + RECOVERY_MILLISECONDS;
    };
  }

  get isOn(): boolean {
    const now = Date.now();
    return this.windows.some(({ from, until }) => from <= now && now < until);
  }

  /** From when on all proxies must refuse what was removed at a time, as far as is known now; Infinity during an outage. */
  dueAfter(removedAt: number): number {
    let due = removedAt + PROMISED_MILLISECONDS;
    for (const { from, until } of this.windows) if (from < due && until > removedAt) due = Math.max(due, until);
    return due;
  }

  /** Whether there was one between two times. */
  overlaps(from: number, until: number): boolean {
    return this.windows.some((window) => window.from < until && window.until > from);
  }
}

/** From a removal to a refusal everywhere. */
const PROMISED_MILLISECONDS = 1000;
/** From the end of an outage until everything of it has been told. */
const RECOVERY_MILLISECONDS = 5000;
