/** Removals that `GET /v1/removed` gave. */
import { canonicalAddress } from "../../bytes/address";
import { JsonKind, JsonValue } from "../../json/value";
import { Cache } from "../../session/cache";
import { MAX_REMOVED_SECONDS } from "../../session/foreign_records";
import { Cause, Known, MAX_SNI_LENGTH, Tombstone } from "../../session/record/session";
import { RemoveOutcome } from "../../session/removals";
import { ID_RULE, SessionId } from "../fields/session_id";
import { TICKET_KEY_RULE, TicketKeyName } from "../fields/ticket_key_name";
import { ADDRESS_EXPECTED, kindOf, KINDS_EXPECTED } from "../fields/value_names";
import { Import, SECONDS_EXPECTED, secondsOf, SNI_EXPECTED, Taken, textOf } from "./import_job";

export class RemovedImport extends Import {
  private readonly removed: Tombstone = new Tombstone();
  /** The bytes that `removed` points to. */
  private upstream: ArrayBuffer = new ArrayBuffer(0);
  private sni: ArrayBuffer = new ArrayBuffer(0);
  private ticketKey: TicketKeyName = new TicketKeyName("");

  constructor(cache: Cache, items: JsonValue[]) {
    super(cache, "removed", items);
  }

  protected take(entry: JsonValue): Taken {
    const now = this.cache.clock.nowSeconds();
    const removed = this.removed;
    const id = new SessionId(textOf(entry, "id"));
    if (id.length == 0) return this.malformed("id: " + ID_RULE);
    removed.id = id.pointer;
    removed.idLength = id.length;
    removed.session = 0;
    removed.cause = Cause.API;
    const time = secondsOf(entry.member("time"), now);
    if (time < 0) return this.malformed("time: " + SECONDS_EXPECTED);
    removed.time = min(<u64>time, now);
    const due = this.cache.settings.removedSeconds;
    const until = secondsOf(entry.member("until"), now + <u64>due);
    if (until < 0) return this.malformed("until: " + SECONDS_EXPECTED);
    removed.until = min(<u64>until, now + max(<u64>due, MAX_REMOVED_SECONDS));
    if (removed.until < now) return Taken.Skipped;
    const error = this.readDescription(entry);
    if (error.length > 0) return this.malformed(error);
    const outcome = this.cache.removals.takeIn(removed);
    if (outcome == RemoveOutcome.Contended) return Taken.NotStored;
    return outcome == RemoveOutcome.Identical ? Taken.Identical : Taken.Taken;
  }

  /** Reads as much as is known of the removed session. Returns the fault; empty if there is none. */
  private readDescription(entry: JsonValue): string {
    const about = this.removed.about;
    about.clear();
    const kind = given(entry, "kind");
    if (kind !== null) {
      about.kind = kind.kind == JsonKind.String ? kindOf(kind.text) : 0;
      if (about.kind == 0) return "kind: " + KINDS_EXPECTED;
      about.known |= Known.KIND;
    }
    const upstream = given(entry, "upstream");
    if (upstream !== null) {
      const address = upstream.kind == JsonKind.String ? canonicalAddress(upstream.text) : "";
      if (address.length == 0) return "upstream: " + ADDRESS_EXPECTED;
      this.upstream = String.UTF8.encode(address);
      about.upstream = changetype<usize>(this.upstream);
      about.upstreamLength = this.upstream.byteLength;
      about.known |= Known.UPSTREAM;
    }
    const sni = given(entry, "sni");
    if (sni !== null) {
      this.sni = String.UTF8.encode(sni.kind == JsonKind.String ? sni.text : "");
      const length = this.sni.byteLength;
      if (length == 0 || length > MAX_SNI_LENGTH) return "sni: " + SNI_EXPECTED;
      about.sni = changetype<usize>(this.sni);
      about.sniLength = length;
      about.known |= Known.SNI;
    }
    const ticketKey = given(entry, "ticket_key");
    if (ticketKey !== null) {
      this.ticketKey = new TicketKeyName(ticketKey.kind == JsonKind.String ? ticketKey.text : "");
      if (!this.ticketKey.valid) return "ticket_key: " + TICKET_KEY_RULE;
      about.ticketKey = this.ticketKey.pointer;
      about.known |= Known.TICKET_KEY;
    }
    this.cache.findNames(about);
    return "";
  }
}

/** Returns a member of an entry; null if it is missing or null. */
function given(entry: JsonValue, name: string): JsonValue | null {
  const value = entry.member(name);
  return value === null || value.kind == JsonKind.Null ? null : value;
}
