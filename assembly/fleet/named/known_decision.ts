/**
 * A named decision as the journal showed it last: its mark, and whatever decides whether another one of the same key holds over
 * it. Of two decisions with equal stamps the same one holds on every proxy: it is told over the other one.
 */
import { compareBytes } from "../../session/record/stamp";
import { RecordType } from "../records/batch";
import { NamedDecision } from "./named_decision";

export class KnownDecision {
  /** Of the value that the journal has; a value that cannot be read has the rank 0. */
  readonly rank: u64;
  readonly mark: u64;
  private readonly detail: u64;
  private readonly time: u64;
  private readonly upstream: StaticArray<u8>;

  constructor(decision: NamedDecision, mark: u64, isReadable: bool) {
    this.rank = isReadable ? decision.rank : 0;
    this.mark = mark;
    this.detail = decision.detail;
    this.time = decision.time;
    const upstream = new StaticArray<u8>(decision.upstreamLength);
    memory.copy(changetype<usize>(upstream), decision.upstream, decision.upstreamLength);
    this.upstream = upstream;
  }

  /** Reports whether a decision of the same key holds over this one. */
  givesWayTo(decision: NamedDecision): bool {
    const rank = decision.rank;
    if (rank != this.rank) return rank > this.rank;
    if (decision.detail != this.detail) return decision.detail > this.detail;
    if (decision.type == RecordType.REVOCATION) return decision.time > this.time;
    if (decision.type != RecordType.TICKET_KEY) return false;
    const own = this.upstream;
    return compareBytes(decision.upstream, decision.upstreamLength, changetype<usize>(own), own.length) > 0;
  }
}
