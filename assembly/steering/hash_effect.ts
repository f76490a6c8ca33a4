/**
 * Whether Envoy's hash has any effect: whether one text leads to one upstream. It has none without a `hash_policy` on tcp_proxy, with
 * an `lb_policy` other than RING_HASH and MAGLEV, and in an Envoy whose tcp_proxy does not read the text.
 *
 * What tells: a token that contradicts what was known of it twice in a row, a double. When hosts change, a token contradicts once and
 * then agrees. Without effect, of all uses of tokens between N upstreams (N - 1) / N contradict, and of two in a row at least a quarter.
 * A host that goes and comes back makes a token contradict twice, too: so a double counts only within CLOSE_USES uses and CLOSE_SECONDS
 * of the first contradiction, which is less than an ejection or a restart takes. Bounded load (`hash_balance_factor`) moves single
 * connections, and so does not come to DOUBLES within the halving of the counts, unless most connections are moved.
 *
 * Without effect, the token table learns nothing any more; a few connections are tried with TRIED tokens in turn, of which this object
 * itself knows where they led. So many agreements in a row, with two upstreams among them, and the hash has an effect again. Chance
 * could bring them about: each time that it has, twice as many are wanted the next time.
 *
 * One for each virtual machine. Fixed memory; O(1); allocates nothing.
 */
import { TOKENS } from "./tokens";

export class HashEffect {
  /** False: the hash leads nowhere. */
  works: bool = true;
  /** Enough tokens in a row led where they had led before, with several upstreams. */
  isProven: bool = false;
  /** For each token: number of the use in which it contradicted, 0 where its last use agreed; and when, in seconds. */
  private readonly contradictedAt: StaticArray<u32> = new StaticArray<u32>(TOKENS);
  private readonly contradictedSeconds: StaticArray<u32> = new StaticArray<u32>(TOKENS);
  private uses: u32 = 0;
  private doubles: u32 = 0;
  private inARow: u32 = 0;
  private wanted: u32 = AGREEMENTS;
  /** Where each tried token led last, 0 where that is not known. */
  private readonly led: StaticArray<u32> = new StaticArray<u32>(TRIED);
  private tries: u32 = 0;

  /** A token led where it was known to lead; `upstreams` are known in all. */
  agreed(token: i32, upstreams: i32): void {
    this.use();
    unchecked((this.contradictedAt[token] = 0));
    this.inARow++;
    if (this.inARow >= AGREEMENTS && upstreams >= 2) this.isProven = true;
  }

  /** A token led elsewhere than it was known to lead. */
  contradicted(token: i32, nowSeconds: u32): void {
    this.use();
    this.inARow = 0;
    const before = unchecked(this.contradictedAt[token]);
    const seconds = nowSeconds - unchecked(this.contradictedSeconds[token]);
    unchecked((this.contradictedAt[token] = this.uses));
    unchecked((this.contradictedSeconds[token] = nowSeconds));
    if (before == 0 || this.uses - before > CLOSE_USES || seconds > CLOSE_SECONDS) return;
    this.doubles++;
    if (this.doubles >= DOUBLES) this.fail();
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

  private use(): void {
    this.uses++;
    if (this.uses % HALVED_AFTER == 0) this.doubles >>= 1;
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
    this.doubles = 0;
    this.wanted = min(this.wanted * 2, MOST_AGREEMENTS);
    for (let token: u32 = 0; token < TOKENS; token++) unchecked((this.contradictedAt[token] = 0));
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
const DOUBLES: u32 = 6;
const HALVED_AFTER: u32 = 64;
const AGREEMENTS: u32 = 8;
const MOST_AGREEMENTS: u32 = 64;
const TRIED: i32 = 8;
