/** Revocations that `GET /v1/revocations` gave. */
import { JsonKind, JsonValue } from "../../json/value";
import { Cache } from "../../session/cache";
import { MAX_SNI_LENGTH } from "../../session/record/session";
import { RevocationOutcome, Unseen } from "../../session/revocation/revocations";
import { UNSEEN_NAMES, unseenOf } from "../answers/revocation_json";
import { Import, SECONDS_EXPECTED, Taken } from "./import_job";

export class RevocationsImport extends Import {
  constructor(cache: Cache, items: JsonValue[]) {
    super(cache, "revocations", items);
  }

  protected take(entry: JsonValue): Taken {
    const now = this.cache.clock.nowSeconds();
    const text = entry.member("sni");
    const sni = String.UTF8.encode(text !== null && text.kind == JsonKind.String ? text.text : "");
    if (sni.byteLength == 0 || sni.byteLength > MAX_SNI_LENGTH) {
      return this.malformed("sni: expected a server name, 1 to 255 bytes");
    }
    let revokedAt = now;
    const time = entry.member("time");
    if (time !== null) {
      if (!time.isWhole(0, u32.MAX_VALUE)) return this.malformed("time: " + SECONDS_EXPECTED);
      revokedAt = min(<u64>time.number, now);
    }
    // One without an end is a configuration's: here it lasts as long as one that is made now.
    let until = now + <u64>this.cache.settings.ticketLifetime;
    const end = entry.member("until");
    if (end !== null && end.kind != JsonKind.Null) {
      if (!end.isWhole(0, u32.MAX_VALUE)) return this.malformed("until: expected null, or Unix seconds");
      until = <u64>end.number;
    }
    if (until < now) return Taken.Skipped;
    let unseen = Unseen.BY_NAME;
    const given = entry.member("unseen");
    if (given !== null) {
      unseen = given.kind == JsonKind.String ? unseenOf(given.text) : Unseen.AS_IT_IS;
      if (unseen == Unseen.AS_IT_IS) return this.malformed("unseen: expected one of " + UNSEEN_NAMES);
    }
    const revocations = this.cache.revocations;
    const outcome = revocations.takeIn(changetype<usize>(sni), sni.byteLength, revokedAt, until, unseen);
    if (outcome != RevocationOutcome.Done) return Taken.NotStored;
    return revocations.replaced ? Taken.Taken : Taken.Identical;
  }
}
