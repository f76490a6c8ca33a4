/**
 * Counts the sessions that a cache holds by the upstream that issued them, and the ticket keys likewise; adds the lost and
 * refused resumptions of each. Beyond MAX_COUNTED upstreams, those of all others are counted together.
 *
 * Cost: one read of each page in use, in slices; a look into a map for each session. A read of each page of two tables.
 */
import { Cache } from "../cache";
import { INLINE_NAME, NO_NAME } from "../../shared/names";
import { Page } from "../pages/page";
import { PageJob } from "./page_job";
import { Known, Session } from "../record/session";
import { Row } from "../../shared/row";
import { TABLE_PAGES } from "../../shared/table";
import { sumsOf } from "../counting/upstream_tally";
import { KeyState } from "../revocation/ticket_keys";

/** The sessions and ticket keys that are held of one upstream, and the fates of its resumptions. */
export class CountedUpstream {
  sessions: u64 = 0;
  hits: u64 = 0;
  /** Unix seconds of the last resumption; 0 for none. */
  lastUsed: u64 = 0;
  /** Names of ticket keys that were learned of it, or configured. */
  ticketKeys: u32 = 0;
  /** Its sessions that other upstreams have declined. */
  lost: u64 = 0;
  /** Resumptions through it that were refused. */
  refused: u64 = 0;

  constructor(readonly address: string) {}
}

export class UpstreamCount extends PageJob {
  readonly upstreams: CountedUpstream[] = [];
  /** Sessions whose upstream is not known. */
  unknown: u64 = 0;
  /** Sessions of upstreams beyond MAX_COUNTED. */
  others: u64 = 0;
  /** Lost and refused resumptions of unknown upstreams, and of those that are not listed. */
  restLost: u64 = 0;
  restRefused: u64 = 0;
  private readonly byAddress: Map<string, CountedUpstream> = new Map<string, CountedUpstream>();
  /** Those that stand in the table of names, by their number in it. */
  private readonly byName: Map<u16, CountedUpstream> = new Map<u16, CountedUpstream>();

  constructor(cache: Cache) {
    super(cache);
  }

  /** Adds the ticket keys; false if they could not be read. To be called once, when the sessions are counted. */
  addTicketKeys(): bool {
    const table = this.cache.ticketKeys.table;
    for (let number: u32 = 0; number < TABLE_PAGES; number++) {
      if (!table.openPage(number)) return false;
      let row = table.first();
      while (row) {
        const counts = row.state == KeyState.LEARNED || row.state == KeyState.CONFIGURED;
        if (counts && row.upstreamLength > 0) {
          const upstream = this.ofAddress(row.upstream, row.upstreamLength);
          if (upstream) upstream.ticketKeys++;
        }
        row = table.after(row);
      }
    }
    return true;
  }

  /** Adds lost and refused resumptions; false if they could not be read. To be called once, after all else is counted. */
  addTally(): bool {
    const table = this.cache.upstreamTally.table;
    for (let number: u32 = 0; number < TABLE_PAGES; number++) {
      if (!table.openPage(number)) return false;
      let row = table.first();
      while (row) {
        this.addSums(row);
        row = table.after(row);
      }
    }
    return true;
  }

  protected edit(page: Page): bool {
    const cache = this.cache;
    let entry = page.first();
    while (entry) {
      if (!entry.isTombstone && !cache.settings.flushed(entry.generation, entry.expiry)) {
        entry.readSession(cache.found, cache.names);
        this.add(cache.found);
      }
      entry = page.after(entry);
    }
    return false;
  }

  private add(session: Session): void {
    if (!session.knows(Known.UPSTREAM)) {
      this.unknown++;
      return;
    }
    const upstream = this.of(session);
    if (!upstream) {
      this.others++;
      return;
    }
    upstream.sessions++;
    upstream.hits += session.hits;
    upstream.lastUsed = max(upstream.lastUsed, session.lastUsed);
  }

  private addSums(row: Row): void {
    const sums = sumsOf(row);
    if (!sums) return;
    const upstream = row.nameLength > 0 ? this.ofAddress(row.name, row.nameLength) : null;
    if (upstream) {
      upstream.lost += sums.lost;
      upstream.refused += sums.refused;
    } else {
      this.restLost += sums.lost;
      this.restRefused += sums.refused;
    }
  }

  private of(session: Session): CountedUpstream | null {
    const name = session.upstreamName;
    const isNamed = name != NO_NAME && name != INLINE_NAME;
    if (isNamed && this.byName.has(name)) return this.byName.get(name);
    const upstream = this.ofAddress(session.upstream, session.upstreamLength);
    if (isNamed && upstream) this.byName.set(name, upstream);
    return upstream;
  }

  private ofAddress(bytes: usize, length: i32): CountedUpstream | null {
    const address = String.UTF8.decodeUnsafe(bytes, length);
    if (this.byAddress.has(address)) return this.byAddress.get(address);
    if (this.upstreams.length >= MAX_COUNTED) return null;
    const upstream = new CountedUpstream(address);
    this.byAddress.set(address, upstream);
    this.upstreams.push(upstream);
    return upstream;
  }
}

/** Four times as many as steering can tell apart. */
const MAX_COUNTED: i32 = 1024;
