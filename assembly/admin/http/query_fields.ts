/**
 * The fields of a change that stand in its query: as if they were members of a JSON object in its body. A query knows no
 * types, so each field's name says what its value is: digits, a list with commas, `true` or `false`, else text. What is not
 * written so stays text, and whoever takes the field refuses it as in a body. Null cannot be said.
 */
import { JsonKind, JsonValue, NumberForm } from "../../json/value";
import { Query } from "./query";

/** The object of all names and values of a query. */
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

/** A list has one item at least: `mode=` is no way to say OFF. */
function listOf(text: string): JsonValue {
  const value = new JsonValue(JsonKind.Array);
  const items: JsonValue[] = [];
  const parts = text.split(",", MOST_ITEMS);
  for (let i = 0; i < parts.length; i++) items.push(textOf(parts[i]));
  value.items = items;
  return value;
}

function numberOf(text: string): JsonValue {
  let number: u64 = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return textOf(text);
    // Nothing takes as much: saturated, it is out of every range.
    if (number > MOST_NUMBER) number = MOST_NUMBER;
    number = number * 10 + <u64>digit;
  }
  if (text.length == 0) return textOf(text);
  const value = new JsonValue(JsonKind.Number);
  value.form = number > MOST_NUMBER ? NumberForm.Huge : NumberForm.Whole;
  value.number = number;
  return value;
}

const NUMBERS: StaticArray<string> = ["cache_size", "timeout", "before", "ticket_lifetime", "issued_before"];
const LISTS: StaticArray<string> = ["mode"];
const SWITCHES: StaticArray<string> = ["dry_run"];
const MOST_NUMBER: u64 = 1_000_000_000_000_000_000;
/** More than there are flags. */
const MOST_ITEMS: i32 = 16;
