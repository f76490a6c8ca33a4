/**
 * Shared data as Envoy keeps it: a value and a version (CAS) under each key, no delete, no listing.
 *
 * - CAS 0 overwrites whatever is there; another CAS must be the stored one, else CasMismatch.
 * - On an absent key any CAS is accepted, and `set` does not tell the new one.
 *
 * Tests can do something at any access (`beforeCall`, `beforeNextSet`) and make sets lose their race (`loseNextSets`).
 * Cost: one map look-up for each access, plus one copy of the value.
 */
import { Status } from "./abi.ts";

interface Entry {
  value: Uint8Array;
  cas: number;
}

type KeyPattern = string | RegExp;

export class SharedData {
  /** Calls of the guest so far. */
  gets = 0;
  sets = 0;
  mismatches = 0;

  private readonly entries = new Map<string, Entry>();
  private nextCas = 1;
  private hooksArmed = false;
  private callHook: { left: number; act: () => void } | undefined;
  private setHooks: { pattern: KeyPattern; act: () => void }[] = [];
  private setsToLose = 0;
  private losingPattern: KeyPattern = /(?:)/;

  get(key: string): Entry | undefined {
    this.gets++;
    if (this.hooksArmed) this.runCallHook();
    return this.entries.get(key);
  }

  /** `value` is copied. */
  set(key: string, value: Uint8Array, cas: number): number {
    this.sets++;
    if (this.hooksArmed) {
      this.runCallHook();
      this.runSetHooks(key);
      this.loseRace(key);
    }
    const entry = this.entries.get(key);
    if (entry !== undefined && cas !== 0 && cas !== entry.cas) {
      this.mismatches++;
      return Status.CasMismatch;
    }
    this.store(key, value, entry);
    return Status.Ok;
  }

  /** Does `act` once, before the set of a key that matches; what it writes is there when the set is judged. */
  beforeNextSet(pattern: KeyPattern, act: () => void): void {
    this.setHooks.push({ pattern, act });
    this.arm();
  }

  /** Does `act` once, before the get or set number `index` (0 is the next one). */
  beforeCall(index: number, act: () => void): void {
    this.callHook = { left: index, act };
    this.arm();
  }

  /** True while the hook of `beforeCall` was not reached. */
  get callHookPending(): boolean {
    return this.callHook !== undefined;
  }

  /** The next `count` sets find that somebody has just written the very same value again (only where one is stored). */
  loseNextSets(count: number, pattern: KeyPattern = /(?:)/): void {
    this.setsToLose = count;
    this.losingPattern = pattern;
    this.arm();
  }

  clearHooks(): void {
    this.callHook = undefined;
    this.setHooks = [];
    this.setsToLose = 0;
    this.arm();
  }

  keys(): string[] {
    return [...this.entries.keys()];
  }

  /** Bytes of all values and keys, which are compared with a bound on memory. */
  get bytes(): number {
    let total = 0;
    for (const [key, entry] of this.entries) total += key.length + entry.value.length;
    return total;
  }

  /** Overwrites a value behind the guest's back (a damaged page, another version's format). */
  damage(key: string, value: Uint8Array): void {
    this.store(key, value, this.entries.get(key));
  }

  peek(key: string): Uint8Array | undefined {
    return this.entries.get(key)?.value;
  }

  private store(key: string, value: Uint8Array, entry: Entry | undefined): void {
    const cas = this.nextCas;
    this.nextCas = this.nextCas === 0xffffffff ? 1 : this.nextCas + 1;
    if (entry === undefined) {
      this.entries.set(key, { value: new Uint8Array(value), cas });
      return;
    }
    if (entry.value.length === value.length) entry.value.set(value);
    else entry.value = new Uint8Array(value);
    entry.cas = cas;
  }

  private runCallHook(): void {
    const hook = this.callHook;
    if (hook === undefined || hook.left-- > 0) return;
    this.callHook = undefined;
    this.arm();
    hook.act();
  }

  private runSetHooks(key: string): void {
    const index = this.setHooks.findIndex((hook) => matches(hook.pattern, key));
    if (index < 0) return;
    const [hook] = this.setHooks.splice(index, 1);
    this.arm();
    hook?.act();
  }

  private loseRace(key: string): void {
    const entry = this.entries.get(key);
    if (this.setsToLose === 0 || entry === undefined || !matches(this.losingPattern, key)) return;
    this.setsToLose--;
    this.arm();
    this.store(key, entry.value, entry);
  }

  private arm(): void {
    this.hooksArmed = this.callHook !== undefined || this.setHooks.length > 0 || this.setsToLose > 0;
  }
}

function matches(pattern: KeyPattern, key: string): boolean {
  return typeof pattern === "string" ? key === pattern : pattern.test(key);
}
