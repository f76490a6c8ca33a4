/**
 * Whether Envoy's hash has any effect: whether one text leads to one upstream. It has none without a `hash_policy` on tcp_proxy, with
 * an `lb_policy` other than RING_HASH and MAGLEV, and in an Envoy whose tcp_proxy does not read the text.
 *
 * What tells: a token that contradicts what was known of it twice in a row, a double. When hosts change, a token contradicts once and
 * then agrees. Without effect, of all uses of tokens between N upstreams (N - 1) / N contradict, and of two in a row at least a quarter.
 * A host that goes and comes back makes a token contradict twice, too: so a double counts only within CLOSE_USES uses and CLOSE_SECONDS
 * of the token's use before, which is less than an ejection or a restart takes. Bounded load (`hash_balance_factor`) moves single
 * connections, each of which makes a double, there and back: so each agreement within the same bounds takes a quarter of a double
 * away. Without effect the sum grows all the same, with two upstreams by an eighth of a double for each such use; with an effect it shrinks,
 * as long as fewer than one connection in seven is moved.
 *
 * Without effect, the token table learns nothing any more; a few connections are tried with TRIED tokens in turn, of which this object
 * itself knows where they led. So many agreements in a row, with two upstreams among them, and the hash has an effect again. Chance
 * could bring them about: each time that it has, twice as many are wanted the next time.
 *
 * One for each virtual machine. Fixed memory; O(1); allocates nothing.
 */
import { TOKENS } from "../hosts/upstream_table";

export class HashEffect {
  /** False: the hash leads nowhere. */
  works: bool = true;
  /** Enough tokens in a row led where they had led before, with several upstreams. */
  isProven: bool = false;
  /** For each token: number of its last use, 0 for none; whether that contradicted; when it did so last, in seconds. */
  private readonly usedAt: StaticArray<u32> = new StaticArray<u32>(TOKENS);
  private readonly contradictedSeconds: StaticArray<u32> = new StaticArray<u32>(TOKENS);
  private readonly contradicts: StaticArray<bool> = new StaticArray<bool>(TOKENS);
  private uses: u32 = 0;
  /** Against the hash, in quarters of a double. */
  private evidence: u32 = 0;
  private inARow: u32 = 0;
  private wanted: u32 = AGREEMENTS_AGAIN;
  /** Where each tried token led last, 0 where that is not known. */
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

  /** Without effect: the token to try next. */
  nextTried(): i32 {
    return <i32>(this.tries++ % TRIED);
  }

  /** Without effect: a token that was tried led to an upstream, which is told by its hash. */
  tried(token: i32, upstream: u32): void {
    if (this.works || token < 0 || token >= TRIED) return;
    const before = unchecked(this.led[token]);
    unchecked((this.led[token] = upstream | 1));
    if (before != (upstream | 1)) this.inARow = 0;
    else this.inARow++;
    if (this.inARow >= this.wanted && this.ledToSeveral) this.recover();
  }

  /** Counts a use of a token; whether its last one was a short while ago. */
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
    this.wanted = min(this.wanted * 2, MOST_AGREEMENTS);
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
/** By chance, two upstreams bring this about in one of 100,000 tries. */
const AGREEMENTS_AGAIN: u32 = 16;
const MOST_AGREEMENTS: u32 = 64;
const TRIED: i32 = 8;
