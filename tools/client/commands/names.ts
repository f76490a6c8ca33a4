/** The names in arguments, checked before anything is sent: a wrong one would be another path. */
import { UsageError } from "../client_error.ts";

export function readSessionId(text: string): string {
  if (/^([0-9A-Fa-f]{2}){1,32}$/.test(text)) return text.toLowerCase();
  const hint = text.includes("…") ? "; list --wide shows it in full" : "";
  throw new UsageError(`"${text}" is not a session ID; write its 2 to 64 hexadecimal digits${hint}`);
}

export function readTicketKeyName(text: string): string {
  if (/^[0-9A-Fa-f]{32}$/.test(text)) return text.toLowerCase();
  throw new UsageError(`"${text}" is not the name of a ticket key; write its 32 hexadecimal digits`);
}

export function readServerName(text: string): string {
  if (text !== "" && Buffer.byteLength(text) <= 255 && !/^\.\.?$/.test(text)) return text;
  throw new UsageError(`"${text}" is not a server name; write 1 to 255 bytes, as in shop.example`);
}

/** Fails unless the number of words is between the bounds. */
export function expectWords(words: string[], least: number, most: number, usage: string): void {
  if (words.length >= least && words.length <= most) return;
  const fault = words.length < least ? "an argument is missing" : `"${words[most] ?? ""}" is one argument too many`;
  throw new UsageError(`${fault}; write: tls-sessions ${usage}`);
}

/** An ID or key on a screen: its first 12 digits tell sessions apart. */
export function shortName(name: string | null, isWide: boolean): string | null {
  if (name === null || isWide || name.length <= SHORT_LENGTH + 1) return name;
  return `${name.slice(0, SHORT_LENGTH)}…`;
}

const SHORT_LENGTH = 12;
