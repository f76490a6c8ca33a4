/**
 * Text for a terminal. Names that clients and servers send on the wire are hostile: no character of theirs may move the cursor,
 * change a colour, turn the direction of writing or hide. Such characters are shown as escapes.
 */
import stringWidth from "string-width";

/** The text with each unsafe character as `\xNN` or `\u{N}`. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (character === "\\") return "\\\\";
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** A message on one line, whose own characters are trusted except for controls: an error, or a warning of the proxy. */
export function onOneLine(text: string): string {
  return printable(text.replace(/\s+/g, " ").trim()).replaceAll("\\\\", "\\");
}

/** JSON on one line (`indent` 0) or several, with unsafe characters as `\uNNNN`: the same document for every parser. */
export function safeJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(UNSAFE_IN_JSON, (character) =>
    character === "\n"
      ? character
      : [...Array(character.length).keys()]
          .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`)
          .join(""),
  );
}

/** Columns that a printable text takes. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** The text, or its beginning and … if it takes more columns than `width`. */
export function shortened(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (widthOf(kept + segment) > width - 1) break;
    kept += segment;
  }
  return width < 1 ? "" : `${kept}…`;
}

/** 12,345 */
export function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

/** `1 session`, `2 sessions`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Control, format, unassigned and separating characters, marks that would join a neighbour, and the backslash of the escapes. */
const UNSAFE = /[\p{C}\p{M}\\]|(?! )\p{Z}/gu;
/** JSON.stringify escapes the characters below U+0020 itself. */
const UNSAFE_IN_JSON = /[\p{C}\p{M}]|(?! )\p{Z}/gu;
