/**
 * The field `removed` of a configuration: the sessions, ticket keys and server names that it removes as long as they stand
 * there. An entry may stand there twice.
 */
import { decodeHexText } from "../bytes/hex";
import { quoted } from "../json/quote";
import { JsonKind, JsonValue } from "../json/value";
import { RemovalList, Removes } from "../session/configured/removal_list";
import { MAX_ID_LENGTH, MAX_SNI_LENGTH, TICKET_KEY_LENGTH } from "../session/record/session";

/** Returns the error; empty if there is none. */
export function readRemoved(list: RemovalList, object: JsonValue): string {
  if (object.kind != JsonKind.Object) return "removed: " + RULE;
  for (let i = 0; i < object.names.length; i++) {
    const name = object.names[i];
    const items = object.items[i];
    if (!NAMES.includes(name)) return "removed." + quoted(name) + ": no such field; " + RULE;
    if (items.kind != JsonKind.Array) return "removed." + name + ": " + ruleOf(name, "an array; each entry is ");
    for (let item = 0; item < items.items.length; item++) {
      if (!add(list, name, items.items[item]))
        return "removed." + name + "[" + item.toString() + "]: " + ruleOf(name, "");
    }
  }
  return "";
}

/** Adds an entry; false if it is malformed. */
function add(list: RemovalList, name: string, value: JsonValue): bool {
  if (value.kind != JsonKind.String) return false;
  if (name == "server_names") {
    const bytes = String.UTF8.encode(value.text);
    if (bytes.byteLength < 1 || bytes.byteLength > MAX_SNI_LENGTH) return false;
    list.add(Removes.ServerName, changetype<usize>(bytes), bytes.byteLength);
    return true;
  }
  const isSession = name == "sessions";
  const length = decodeHexText(value.text, BYTES, MAX_ID_LENGTH);
  if (isSession ? length < 1 : length != TICKET_KEY_LENGTH) return false;
  list.add(isSession ? Removes.Session : Removes.TicketKey, BYTES, length);
  return true;
}

function ruleOf(name: string, what: string): string {
  if (name == "sessions") return "expected " + what + "a session ID, 2 to 64 hexadecimal digits";
  if (name == "ticket_keys") return "expected " + what + "the name of a ticket key, 32 hexadecimal digits";
  return "expected " + what + "a server name, 1 to 255 bytes";
}

const NAMES: StaticArray<string> = ["sessions", "ticket_keys", "server_names"];
const RULE: string =
  'expected an object with sessions, ticket_keys or server_names, such as {"server_names": ["shop.example"]}';
const BYTES: usize = memory.data(MAX_ID_LENGTH);
