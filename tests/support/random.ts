/** Random numbers that are the same in every run: a failure names its seed and happens again. */
export class Random {
  private state: number;

  constructor(readonly seed: number) {
    this.state = seed >>> 0;
  }

  /** A whole number from 0 to below `limit` (mulberry32). */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * limit);
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let i = 0; i < length; i++) bytes[i] = this.below(256);
    return bytes;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new Error("nothing to pick from");
    return choice;
  }

  /** A copy with a few bytes changed, left out or put in. */
  mutated(bytes: Uint8Array): Buffer {
    let result = Buffer.from(bytes);
    for (let changes = 1 + this.below(4); changes > 0; changes--) {
      const at = this.below(result.length + 1);
      const kind = this.below(4);
      if (kind === 0 && at < result.length) result[at] = this.below(256);
      if (kind === 1)
        result = Buffer.concat([result.subarray(0, at), this.bytes(1 + this.below(8)), result.subarray(at)]);
      if (kind === 2) result = Buffer.concat([result.subarray(0, at), result.subarray(at + 1 + this.below(8))]);
      if (kind === 3) result = result.subarray(0, at);
    }
    return result;
  }
}
