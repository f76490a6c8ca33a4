/**
 * A view of an entry that stays valid while its page is edited. All copies share one buffer: a copy is valid until the next
 * one is taken. Nothing allocates.
 */
import { Names, NO_NAME } from "../shared/names";
import { Entry } from "./pages/entry";
import { Kind, Known, Session, TICKET_KEY_LENGTH } from "./record/session";

export class EntryCopy {
  /** The copied session, or a record to fill in. */
  readonly session: Session = new Session();

  constructor(private readonly names: Names) {}

  /** Copies a session. */
  take(entry: Entry): Session {
    memory.copy(COPY, changetype<usize>(entry), entry.size);
    return this.restore();
  }

  /** Reads the session that was copied last once more, without later changes. */
  restore(): Session {
    changetype<Entry>(COPY).readSession(this.session, this.names);
    return this.session;
  }

  /** Copies the description of a removed session, a tombstone or a row of its own, into the record that is filled in. */
  takeDescription(entry: Entry): void {
    memory.copy(COPY, changetype<usize>(entry), entry.size);
    changetype<Entry>(COPY).readDescription(this.session, this.names);
    if (!this.session.knows(Known.KIND)) this.session.kind = Kind.ID;
  }

  /** Copies as much as an event reports of an entry that is about to go: a session, or the upstream of a tombstone. */
  takeAbout(entry: Entry): void {
    if (!entry.isTombstone) {
      this.take(entry);
      return;
    }
    memory.copy(COPY, changetype<usize>(entry), entry.size);
    changetype<Entry>(COPY).readUpstream(this.session, this.names);
  }

  /** Finds the numbers of names that a record has brought without one. */
  findNames(record: Session): void {
    const known = record.known;
    const names = this.names;
    if (known & Known.SNI && record.sniName == NO_NAME) record.sniName = names.numberOf(record.sni, record.sniLength);
    if (known & Known.UPSTREAM && record.upstreamName == NO_NAME) {
      record.upstreamName = names.numberOf(record.upstream, record.upstreamLength);
    }
    if (known & Known.TICKET_KEY && record.ticketKeyName == NO_NAME) {
      record.ticketKeyName = names.numberOf(record.ticketKey, TICKET_KEY_LENGTH);
    }
  }
}

/** Room for MAX_ENTRY_SIZE bytes. */
const COPY: usize = memory.data(512, 8);
