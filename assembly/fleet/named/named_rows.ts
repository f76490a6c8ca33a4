/**
 * The rows of the cache's tables as decisions of a fleet: revoked server names and ticket keys, page by page. Ticket keys that
 * were only learned go out with the sessions, as whoever is to be steered by them needs both.
 */
import { NANOSECONDS_PER_SECOND } from "../../ports/clock";
import { Cache } from "../../session/cache";
import { Applied } from "../../session/record/applied";
import { TICKET_KEY_LENGTH } from "../../session/record/session";
import { KeyState } from "../../session/revocation/key_state";
import { Unseen } from "../../session/revocation/revocations";
import { DecisionState, ToldDecision } from "../../session/revocation/told_decision";
import { Row } from "../../shared/row";
import { TABLE_PAGES } from "../../shared/table";
import { Sender } from "../out/sender";
import { RecordType } from "../records/batch";
import { ToldKind } from "../state/metrics";
import { NamedDecision, NamedState } from "./named_decision";

export class NamedRows {
  /** The decision that `next` moved to. */
  readonly decision: NamedDecision = new NamedDecision();
  /** One of another proxy. */
  readonly told: NamedDecision = new NamedDecision();
  private readonly row: ToldDecision = new ToldDecision();
  /** Pages of both tables: first those of server names. */
  private page: u32 = 0;
  private isOpen: bool = false;
  private now: u64 = 0;
  /** The newest learned ticket key that was told, and the newest one that this look has met. */
  private learnedUpTo: u64 = 0;
  private newest: u64 = 0;

  constructor(
    private readonly cache: Cache,
    private readonly sessions: Sender | null,
  ) {}

  free(): void {
    this.decision.free();
    this.told.free();
  }

  /** Has all learned ticket keys told again. */
  tellAgain(): void {
    this.learnedUpTo = 0;
  }

  /** Begins to look at all rows. */
  begin(now: u64): void {
    this.page = 0;
    this.isOpen = false;
    this.now = now;
    this.newest = this.learnedUpTo;
  }

  /** Moves to the next decision; false after the last one. Between two calls nothing may use a table. */
  next(): bool {
    while (this.page < 2 * TABLE_PAGES) {
      const ofNames = this.page < TABLE_PAGES;
      if (!this.isOpen && !this.open(ofNames)) {
        this.page++;
        continue;
      }
      this.isOpen = true;
      const found = ofNames
        ? this.cache.revocations.nextDecision(0, this.row)
        : this.cache.ticketKeys.nextDecision(0, this.row);
      if (found) {
        this.take(ofNames);
        return true;
      }
      this.isOpen = false;
      this.page++;
    }
    this.learnedUpTo = this.newest;
    return false;
  }

  /** Takes over a decision of another proxy. */
  apply(told: NamedDecision): Applied {
    const refuses = told.refuses;
    if (told.type == RecordType.TICKET_KEY) {
      if (told.nameLength != TICKET_KEY_LENGTH) return Applied.Older;
      let state = refuses ? DecisionState.Refused : DecisionState.Lifted;
      if (!refuses && told.state == NamedState.CONFIGURED) state = DecisionState.Configured;
      const keys = this.cache.ticketKeys;
      return keys.apply(told.name, state, told.upstream, told.upstreamLength, told.time, told.stamp);
    }
    const revocations = this.cache.revocations;
    if (!refuses) return revocations.applyLift(told.name, told.nameLength, told.time, told.stamp);
    const unseen = told.state & NamedState.UNSEEN ? Unseen.REFUSE : Unseen.BY_NAME;
    return revocations.applyRevocation(told.name, told.nameLength, told.time, told.until, unseen, told.stamp);
  }

  /** Adds the upstream that has issued tickets under a removed key, if only this proxy knows it; no table may be open. */
  describe(decision: NamedDecision): void {
    if (decision.type != RecordType.TICKET_KEY || !decision.refuses || decision.upstreamLength > 0) return;
    const row = this.cache.ticketKeys.look(decision.name);
    if (row) decision.setUpstream(row.upstream, row.upstreamLength);
  }

  private open(ofNames: bool): bool {
    if (ofNames) return this.cache.revocations.openDecisions(this.page);
    const page = this.page - TABLE_PAGES;
    this.tellLearned(page);
    return this.cache.ticketKeys.openDecisions(page);
  }

  private take(ofNames: bool): void {
    const row = this.row;
    const decision = this.decision;
    decision.type = ofNames ? RecordType.REVOCATION : RecordType.TICKET_KEY;
    decision.state = row.state == DecisionState.Configured ? NamedState.CONFIGURED : NamedState.LIFTED;
    if (row.state == DecisionState.Refused) decision.state = NamedState.REFUSES;
    if (row.state == DecisionState.Refused && row.unseen == Unseen.REFUSE) decision.state |= NamedState.UNSEEN;
    decision.time = row.time;
    decision.until = row.until;
    decision.stamp = row.stamp;
    decision.setTexts(row.name, row.nameLength, row.upstream, row.upstreamLength);
  }

  /** Tells the learned ticket keys of a page that are newer than those told before, as far as there is room. */
  private tellLearned(page: u32): void {
    const sessions = this.sessions;
    const table = this.cache.ticketKeys.table;
    if (!sessions || !table.openPage(page)) return;
    let row: Row | null = table.first();
    while (row) {
      const isLearned = row.state == KeyState.LEARNED || row.state == KeyState.SHARED;
      if (isLearned && row.version > this.learnedUpTo && row.upstreamLength > 0) {
        if (!sessions.hasRoom) return;
        const batch = sessions.batch;
        const record = batch.append(RecordType.KEY_LEARNED, 0, row.name, row.nameLength);
        record.upstream = batch.nameOf(row.upstream, row.upstreamLength);
        record.time = <u32>row.time;
        batch.until = max(batch.until, this.now / NANOSECONDS_PER_SECOND + <u64>this.cache.settings.timeoutSeconds);
        sessions.noteGathered(ToldKind.TICKET_KEY, this.now);
        this.newest = max(this.newest, row.version);
      }
      row = table.after(row);
    }
  }
}
