/** Removals that `GET /v1/removed` gave. */
import { canonicalAddress } from "../../bytes/address";
import { JsonKind, JsonValue } from "../../json/value";
import { Cache } from "../../session/cache";
import { Cause, Tombstone } from "../../session/record/session";
import { RemoveOutcome } from "../../session/removals";
import { INLINE_NAME, NO_NAME } from "../../shared/names";
import { ID_RULE, SessionId } from "../fields/session_id";
import { ADDRESS_EXPECTED } from "../fields/value_names";
import { Import, SECONDS_EXPECTED, Taken } from "./import_job";

export class RemovedImport extends Import {
  private readonly removed: Tombstone = new Tombstone();

  constructor(cache: Cache, items: JsonValue[]) {
    super(cache, "removed", items);
  }

  protected take(entry: JsonValue): Taken {
    const now = this.cache.clock.nowSeconds();
    const removed = this.removed;
    const idText = entry.member("id");
    const id = new SessionId(idText !== null && idText.kind == JsonKind.String ? idText.text : "");
    if (id.length == 0) return this.malformed("id: " + ID_RULE);
    removed.id = id.pointer;
    removed.idLength = id.length;
    removed.session = 0;
    removed.cause = Cause.API;
    removed.time = now;
    const time = entry.member("time");
    if (time !== null) {
      if (!time.isWhole(0, u32.MAX_VALUE)) return this.malformed("time: " + SECONDS_EXPECTED);
      removed.time = min(<u64>time.number, now);
    }
    const longest = now + <u64>max(this.cache.settings.removedSeconds, MAX_REMOVED_SECONDS);
    removed.until = now + <u64>this.cache.settings.removedSeconds;
    const until = entry.member("until");
    if (until !== null) {
      if (!until.isWhole(0, u32.MAX_VALUE)) return this.malformed("until: " + SECONDS_EXPECTED);
      removed.until = min(<u64>until.number, longest);
    }
    if (removed.until < now) return Taken.Skipped;
    removed.upstreamName = NO_NAME;
    removed.upstreamLength = 0;
    const upstream = entry.member("upstream");
    let bytes = new ArrayBuffer(0);
    if (upstream !== null && upstream.kind != JsonKind.Null) {
      const address = upstream.kind == JsonKind.String ? canonicalAddress(upstream.text) : "";
      if (address.length == 0) return this.malformed("upstream: " + ADDRESS_EXPECTED);
      bytes = String.UTF8.encode(address);
      removed.upstream = changetype<usize>(bytes);
      removed.upstreamLength = bytes.byteLength;
      const name = this.cache.names.numberOf(removed.upstream, removed.upstreamLength);
      removed.upstreamName = name == NO_NAME ? INLINE_NAME : name;
    }
    const outcome = this.cache.removals.takeIn(removed);
    if (outcome == RemoveOutcome.Contended) return Taken.NotStored;
    return outcome == RemoveOutcome.Identical ? Taken.Identical : Taken.Taken;
  }
}

/** 30 days: a removal that is taken in lasts no longer, unless `removed_seconds` is longer. */
const MAX_REMOVED_SECONDS: u32 = 2_592_000;
