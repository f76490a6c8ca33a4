/** Sessions that `GET /v1/sessions` or `/v1/export` gave, with their times. One that is held, refused or over here is left alone. */
import { JsonKind, JsonValue } from "../../json/value";
import { Cache, PutOutcome } from "../../session/cache";
import { Known, Origin } from "../../session/record/session";
import { SessionChange } from "../fields/session_change";
import { ID_RULE, SessionId } from "../fields/session_id";
import { TICKET_KEY_RULE, TicketKeyName } from "../fields/ticket_key_name";
import { Import, SECONDS_EXPECTED, secondsOf, Taken, textOf } from "./import_job";

export class SessionsImport extends Import {
  constructor(cache: Cache, items: JsonValue[]) {
    super(cache, "session", items);
  }

  protected take(entry: JsonValue): Taken {
    const now = this.cache.clock.nowSeconds();
    const id = new SessionId(textOf(entry, "id"));
    if (id.length == 0) return this.malformed("id: " + ID_RULE);
    const change = new SessionChange(id);
    change.readShown(entry);
    if (change.error.length > 0) return this.malformed(change.error);
    const session = change.session;
    if (!session.knows(Known.TIMEOUT)) return this.malformed("timeout: expected whole seconds");
    const time = secondsOf(entry.member("time"), now);
    if (time < 0) return this.malformed("time: " + SECONDS_EXPECTED);
    session.time = min(<u64>time, now);
    const issued = entry.member("issued");
    session.unissued = issued !== null && issued.kind == JsonKind.Null;
    const used = entry.member("last_used");
    if (used !== null && used.kind != JsonKind.Null) {
      const lastUsed = secondsOf(used, 0);
      if (lastUsed < 0) return this.malformed("last_used: " + SECONDS_EXPECTED);
      session.lastUsed = min(<u64>lastUsed, now);
      session.known |= Known.LAST_USED;
    }
    const hits = secondsOf(entry.member("hits"), 0);
    if (hits < 0) return this.malformed("hits: expected a whole number up to 4294967295");
    session.hits = <u32>hits;
    if (textOf(entry, "origin") == "api") session.origin = Origin.API;
    const key = textOf(entry, "ticket_key");
    const ticketKey = new TicketKeyName(key);
    if (key.length > 0) {
      if (!ticketKey.valid) return this.malformed("ticket_key: " + TICKET_KEY_RULE);
      session.ticketKey = ticketKey.pointer;
      session.known |= Known.TICKET_KEY;
    }
    const name = sessionNameOf(textOf(entry, "session"));
    if (name != 0) {
      session.session = name;
      session.known |= Known.SESSION;
    }
    return takenOf(this.cache.takeIn(session));
  }
}

function takenOf(outcome: PutOutcome): Taken {
  if (outcome == PutOutcome.Added || outcome == PutOutcome.Replaced) return Taken.Taken;
  if (outcome == PutOutcome.Identical) return Taken.Identical;
  const isLeft = outcome == PutOutcome.Refused || outcome == PutOutcome.NotStored;
  return isLeft ? Taken.Skipped : Taken.NotStored;
}

/** The name that handles of one session share; 0 if it is not 16 hexadecimal digits. */
function sessionNameOf(text: string): u64 {
  if (text.length != NAME_DIGITS) return 0;
  let name: u64 = 0;
  for (let i = 0; i < NAME_DIGITS; i++) {
    const digit = HEX_DIGITS.indexOf(text.charAt(i));
    if (digit < 0) return 0;
    name = (name << 4) | (<u64>digit);
  }
  return name;
}

const NAME_DIGITS: i32 = 16;
const HEX_DIGITS: string = "0123456789abcdef";
