/**
 * Finds out whether Envoy's hash has an effect: whether a text always leads to the same upstream. It does not without a
 * `hash_policy` on tcp_proxy, with an `lb_policy` other than RING_HASH and MAGLEV, and in an Envoy whose tcp_proxy does not
 * read the text.
 *
 * The evidence is a double: a token that leads elsewhere than it is known to, twice in a row. When hosts change, a token
 * contradicts once and then agrees. Without effect, (N - 1) / N of all uses contradict with N upstreams, and at least a
 * quarter of all pairs are doubles.
 *
 * Two other causes must not add up. A host that goes and comes back makes doubles, too: so a double counts only within
 * CLOSE_USES uses and CLOSE_SECONDS of the token's use before, which is less than an ejection or a restart takes. Bounded
 * load (`hash_balance_factor`) moves single connections there and back, each a double: so each agreement within the same
 * bounds takes a quarter of a double away. Without effect the sum still grows, with two upstreams by an eighth of a double
 * for each such use. With an effect it shrinks, as long as fewer than one connection in seven is moved.
 *
 * Without effect, the token table learns nothing. A few connections try TRIED tokens in turn, and this object itself
 * remembers where they led. After enough agreements in a row, with two upstreams among them, the hash has an effect again.
 * Chance may cause them: each time, twice as many are needed the next time.
 *
 * One for each virtual machine. Fixed memory; O(1); allocates nothing.
 */
import { TOKENS } from "../hosts/upstream_table";

export class HashEffect {
  /** False if the hash has no effect. */
  works: bool = true;
  /** Enough tokens in a row agreed, with several upstreams. */
  isProven: bool = false;
  /** For each token: number of its last use, 0 for none; when it contradicted last (Unix time); whether its last use did. */
  private readonly usedAt: StaticArray<u32> = new StaticArray<u32>(TOKENS);
  private readonly contradictedSeconds: StaticArray<u32> = new StaticArray<u32>(TOKENS);
  private readonly contradicts: StaticArray<bool> = new StaticArray<bool>(TOKENS);
  private uses: u32 = 0;
  /** Against the hash, in quarters of a double. */
  private evidence: u32 = 0;
  private inARow: u32 = 0;
  private wanted: u32 = AGREEMENTS_AGAIN;
  /** Hash of the upstream that each tried token led to last, 0 if it is not known. */
  private readonly led: StaticArray<u32> = new StaticArray<u32>(TRIED);
  private tries: u32 = 0;

  /** A token led where it was known to lead; `upstreams` are known in all. */
  agreed(token: i32, upstreams: i32): void {
    if (!this.works || token < 0 || token >= <i32>TOKENS) return;
    if (this.useAgain(token) && this.evidence > 0) this.evidence--;
    unchecked((this.contradicts[token] = false));
    this.inARow++;
    if (this.inARow >= AGREEMENTS && upstreams >= 2) this.isProven = true;
  }

  /** A token led elsewhere than it was known to lead. */
  contradicted(token: i32, nowSeconds: u32): void {
    if (!this.works || token < 0 || token >= <i32>TOKENS) return;
    this.inARow = 0;
    const seconds = nowSeconds - unchecked(this.contradictedSeconds[token]);
    const isDouble = this.useAgain(token) && unchecked(this.contradicts[token]) && seconds <= CLOSE_SECONDS;
    unchecked((this.contradicts[token] = true));
    unchecked((this.contradictedSeconds[token] = nowSeconds));
    if (!isDouble) return;
    this.evidence += DOUBLE;
    if (this.evidence >= PROOF) this.fail();
  }

  /** Without effect: takes the token to try next. */
  takeNextTried(): i32 {
    return <i32>(this.tries++ % TRIED);
  }

  /** Without effect: a tried token led to an upstream; `upstream` is the hash of its address. */
  tried(token: i32, upstream: u32): void {
    if (this.works || token < 0 || token >= TRIED) return;
    const before = unchecked(this.led[token]);
    unchecked((this.led[token] = upstream | 1));
    if (before != (upstream | 1)) this.inARow = 0;
    else this.inARow++;
    if (this.inARow >= this.wanted && this.ledToSeveral) this.recover();
  }

  /** Counts a use of a token; returns whether its use before is less than CLOSE_USES ago. */
  private useAgain(token: i32): bool {
    const before = unchecked(this.usedAt[token]);
    this.uses++;
    unchecked((this.usedAt[token] = this.uses));
    return before != 0 && this.uses - before <= CLOSE_USES;
  }

  private fail(): void {
    this.works = false;
    this.isProven = false;
    this.inARow = 0;
    this.tries = 0;
    for (let token = 0; token < TRIED; token++) unchecked((this.led[token] = 0));
  }

  private recover(): void {
    this.works = true;
    this.isProven = true;
    this.inARow = 0;
    this.evidence = 0;
    this.wanted = min(this.wanted * 2, MAX_AGREEMENTS);
    for (let token: u32 = 0; token < TOKENS; token++) unchecked((this.contradicts[token] = false));
  }

  private get ledToSeveral(): bool {
    for (let token = 1; token < TRIED; token++) {
      if (unchecked(this.led[token]) != unchecked(this.led[0])) return true;
    }
    return false;
  }
}

const CLOSE_USES: u32 = 64;
const CLOSE_SECONDS: u32 = 10;
/** In quarters of a double. */
const DOUBLE: u32 = 4;
const PROOF: u32 = 24;
const AGREEMENTS: u32 = 8;
/** With two upstreams, chance causes so many in one of 100,000 tries. */
const AGREEMENTS_AGAIN: u32 = 16;
const MAX_AGREEMENTS: u32 = 64;
const TRIED: i32 = 8;
