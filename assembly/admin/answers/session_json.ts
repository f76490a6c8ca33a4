/** Sessions and removed sessions as the API shows them. Unknown values of a session that is held are null. */
import { JsonWriter } from "../../json/writer";
import { Known, Session, TICKET_KEY_LENGTH, Tombstone } from "../../session/record/session";
import { cipherName } from "../fields/cipher_suites";
import { causeName, kindName, originName, protocolName } from "../fields/value_names";

export function writeSession(json: JsonWriter, session: Session): void {
  json.beginObject();
  json.name("id");
  json.hex(session.id, session.idLength);
  json.name("kind");
  json.string(kindName(session.kind));
  json.name("protocol");
  if (session.knows(Known.PROTOCOL)) json.string(protocolName(session.protocol));
  else json.nothing();
  json.name("cipher");
  if (session.knows(Known.CIPHER)) json.string(cipherName(session.cipher));
  else json.nothing();
  json.name("sni");
  if (session.knows(Known.SNI)) json.bytes(session.sni, session.sniLength);
  else json.nothing();
  json.name("upstream");
  if (session.knows(Known.UPSTREAM)) json.bytes(session.upstream, session.upstreamLength);
  else json.nothing();
  json.name("ticket_key");
  if (session.knows(Known.TICKET_KEY)) json.hex(session.ticketKey, TICKET_KEY_LENGTH);
  else json.nothing();
  json.name("session");
  if (session.knows(Known.SESSION)) json.string(session.session.toString(16).padStart(16, "0"));
  else json.nothing();
  json.name("time");
  json.number(session.time);
  json.name("issued");
  if (session.unissued) json.nothing();
  else json.number(session.time);
  json.name("timeout");
  json.number(session.timeoutSeconds);
  json.name("last_used");
  if (session.knows(Known.LAST_USED)) json.number(session.lastUsed);
  else json.nothing();
  json.name("hits");
  json.number(session.hits);
  json.name("origin");
  json.string(originName(session.origin));
  json.endObject();
}

/** `about` is the removed session as far as it is known; unknown values are not shown. */
export function writeTombstone(json: JsonWriter, tombstone: Tombstone, about: Session): void {
  json.beginObject();
  json.name("id");
  json.hex(tombstone.id, tombstone.idLength);
  json.name("time");
  json.number(tombstone.time);
  json.name("until");
  json.number(tombstone.until);
  json.name("cause");
  json.string(causeName(tombstone.cause));
  if (about.knows(Known.KIND)) {
    json.name("kind");
    json.string(kindName(about.kind));
  }
  if (about.knows(Known.SNI)) {
    json.name("sni");
    json.bytes(about.sni, about.sniLength);
  }
  if (about.knows(Known.UPSTREAM)) {
    json.name("upstream");
    json.bytes(about.upstream, about.upstreamLength);
  }
  if (about.knows(Known.TICKET_KEY)) {
    json.name("ticket_key");
    json.hex(about.ticketKey, TICKET_KEY_LENGTH);
  }
  json.endObject();
}
