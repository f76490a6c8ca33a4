/** Revocations that `GET /v1/revocations` gave. */
import { JsonKind, JsonValue } from "../../json/value";
import { Cache } from "../../session/cache";
import { MAX_SNI_LENGTH } from "../../session/record/session";
import { RevocationOutcome, Unseen } from "../../session/revocation/revocations";
import { UNSEEN_NAMES, unseenOf } from "../answers/revocation_json";
import { Import, SECONDS_EXPECTED, secondsOf, SNI_EXPECTED, Taken, textOf } from "./import_job";

export class RevocationsImport extends Import {
  constructor(cache: Cache, items: JsonValue[]) {
    super(cache, "revocations", items);
  }

  protected take(entry: JsonValue): Taken {
    const now = this.cache.clock.nowSeconds();
    const sni = String.UTF8.encode(textOf(entry, "sni"));
    if (sni.byteLength == 0 || sni.byteLength > MAX_SNI_LENGTH) return this.malformed("sni: " + SNI_EXPECTED);
    const time = secondsOf(entry.member("time"), now);
    if (time < 0) return this.malformed("time: " + SECONDS_EXPECTED);
    // One without an end is a configuration's: here it lasts as long as one that is made now.
    const end = entry.member("until");
    const isEndless = end !== null && end.kind == JsonKind.Null;
    const until = secondsOf(isEndless ? null : end, now + <u64>this.cache.settings.ticketLifetime);
    if (until < 0) return this.malformed("until: expected null, or Unix seconds");
    if (<u64>until < now) return Taken.Skipped;
    let unseen = Unseen.BY_NAME;
    const given = entry.member("unseen");
    if (given !== null) {
      unseen = given.kind == JsonKind.String ? unseenOf(given.text) : Unseen.AS_IT_IS;
      if (unseen == Unseen.AS_IT_IS) return this.malformed("unseen: expected one of " + UNSEEN_NAMES);
    }
    const revocations = this.cache.revocations;
    const revokedAt = min(<u64>time, now);
    const outcome = revocations.takeIn(changetype<usize>(sni), sni.byteLength, revokedAt, <u64>until, unseen);
    if (outcome != RevocationOutcome.Done) return Taken.NotStored;
    return revocations.replaced ? Taken.Taken : Taken.Identical;
  }
}
