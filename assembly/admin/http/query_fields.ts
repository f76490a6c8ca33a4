/**
 * The fields of a change in its query, as members of the JSON object that its body would be. A query has no types, so the
 * field's name decides: a number, a list with commas, `true` or `false`, else text. A value of another form stays text, and
 * is then refused as in a body. Null has no form here.
 */
import { JsonKind, JsonValue } from "../../json/value";
import { Query } from "./query";
import { wholeNumber } from "./whole_number";

/** Returns the object of all names and values of a query. */
export function fieldsOf(query: Query): JsonValue {
  const object = new JsonValue(JsonKind.Object);
  const names: string[] = [];
  const items: JsonValue[] = [];
  for (let i = 0; i < query.names.length; i++) {
    const name = query.names[i];
    const text = query.value(name);
    names.push(name);
    items.push(valueOf(name, text === null ? "" : text));
  }
  object.names = names;
  object.items = items;
  return object;
}

function valueOf(name: string, text: string): JsonValue {
  if (NUMBERS.includes(name)) return numberOf(text);
  if (LISTS.includes(name)) return listOf(text);
  if (SWITCHES.includes(name) && (text == "true" || text == "false")) {
    const value = new JsonValue(JsonKind.Boolean);
    value.boolean = text == "true";
    return value;
  }
  return textOf(text);
}

function textOf(text: string): JsonValue {
  const value = new JsonValue(JsonKind.String);
  value.text = text;
  return value;
}

/** A list has at least one item: `mode=` does not mean OFF. */
function listOf(text: string): JsonValue {
  const value = new JsonValue(JsonKind.Array);
  const items: JsonValue[] = [];
  const parts = text.split(",", MAX_ITEMS);
  for (let i = 0; i < parts.length; i++) items.push(textOf(parts[i]));
  value.items = items;
  return value;
}

function numberOf(text: string): JsonValue {
  const number = wholeNumber(text);
  return number ? number : textOf(text);
}

const NUMBERS: StaticArray<string> = ["cache_size", "timeout", "before", "ticket_lifetime", "issued_before"];
const LISTS: StaticArray<string> = ["mode"];
const SWITCHES: StaticArray<string> = ["dry_run"];
/** More than there are flags. */
const MAX_ITEMS: i32 = 16;
