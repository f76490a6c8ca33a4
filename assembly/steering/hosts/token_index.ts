/**
 * Which token to take for each upstream, by one pass over an `UpstreamTable`; so a look costs one load. One for each virtual
 * machine.
 */
import { areEnough, isEven } from "./evenness";
import { MAX_UPSTREAMS } from "./upstream";
import { TOKENS, UpstreamTable } from "./upstream_table";

export class TokenIndex {
  /** Whether every token was seen in this era. */
  allSeen: bool = false;
  /** Whether equal numbers of tokens lead to all upstreams, as far as was seen in this era. */
  isEven: bool = true;
  /** How many upstreams are away. */
  away: i32 = 0;
  private readonly leading: StaticArray<i16> = new StaticArray<i16>(MAX_UPSTREAMS);
  /** For each upstream, how many tokens were seen in this era to lead there. */
  private readonly counts: StaticArray<u32> = new StaticArray<u32>(MAX_UPSTREAMS);

  /** The first token that was seen in this era to lead to an upstream, or else the first that ever did, or -1. */
  leadingTo(upstream: i32): i32 {
    return unchecked(this.leading[upstream]);
  }

  build(table: UpstreamTable): void {
    this.allSeen = true;
    for (let upstream = 0; upstream < MAX_UPSTREAMS; upstream++) unchecked((this.leading[upstream] = -1));
    this.takeTokens(table, Seen.Before);
    this.takeTokens(table, Seen.InThisEra);
    this.countTokens(table);
    this.away = 0;
    for (let upstream = 0; upstream < table.upstreams; upstream++) {
      if (table.at(upstream).away) this.away++;
    }
  }

  private takeTokens(table: UpstreamTable, seen: Seen): void {
    for (let token = <i32>TOKENS - 1; token >= 0; token--) {
      const upstream = table.leads(token);
      const isSeen = table.isSeen(token);
      if (upstream >= 0 && isSeen == (seen == Seen.InThisEra)) unchecked((this.leading[upstream] = <i16>token));
      if (upstream < 0 || !isSeen) this.allSeen = false;
    }
  }

  /** Counts only tokens that were seen in this era, as nobody explores those that lead to an upstream which is away. */
  private countTokens(table: UpstreamTable): void {
    let total: u32 = 0;
    let reached = 0;
    for (let upstream = 0; upstream < MAX_UPSTREAMS; upstream++) unchecked((this.counts[upstream] = 0));
    for (let token: i32 = 0; token < <i32>TOKENS; token++) {
      const upstream = table.leads(token);
      if (upstream < 0 || !table.isSeen(token)) continue;
      total++;
      if (unchecked(this.counts[upstream]) == 0) reached++;
      unchecked((this.counts[upstream] += 1));
    }
    // Too few tokens tell nothing: the last result stays.
    if (areEnough(reached, total)) this.isEven = isEven(this.counts, table.upstreams, reached, total);
  }
}

const enum Seen {
  Before,
  InThisEra,
}
