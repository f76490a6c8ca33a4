/**
 * A JSON value (RFC 8259) as a small tree. The reader bounds its depth and size.
 *
 * Only whole numbers from 0 to 2^64-1 have a value here, because no setting or field needs others; these have a form only.
 * The spelling does not matter: 7200, 7200.0 and 72e2 are the same.
 */
export const enum JsonKind {
  Null,
  Boolean,
  Number,
  String,
  Array,
  Object,
}

export const enum NumberForm {
  /** Exactly `JsonValue.number`. */
  Whole,
  /** Below zero. */
  Negative,
  /** Not whole. */
  Fraction,
  /** Whole and above 2^64-1. */
  Huge,
}

export class JsonValue {
  boolean: bool = false;
  form: NumberForm = NumberForm.Whole;
  number: u64 = 0;
  text: string = "";
  /** Of an object: the names of its members, each once, in the order of the text. */
  names: string[] = NO_NAMES;
  /** Of an array its items, of an object the values of `names`. */
  items: JsonValue[] = NO_ITEMS;

  constructor(public kind: JsonKind) {}

  /** Returns the member of that name; null if there is none. O(members). */
  member(name: string): JsonValue | null {
    const index = this.names.indexOf(name);
    return index < 0 ? null : this.items[index];
  }

  /** Reports whether this is a whole number from `least` to `most`. */
  isWhole(least: u64, most: u64): bool {
    if (this.kind != JsonKind.Number || this.form != NumberForm.Whole) return false;
    return this.number >= least && this.number <= most;
  }
}

/** Shared by all values without children; never written to. */
const NO_NAMES: string[] = [];
const NO_ITEMS: JsonValue[] = [];
