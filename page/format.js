/** Numbers, times and names as people read them. */
import { h } from "./dom.js";

const NUMBER = new Intl.NumberFormat("en-US");
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const UNITS = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];
/** Controls, and characters that hide, break a line or turn the direction of text. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

export function number(value) {
  return NUMBER.format(value);
}

/** "1 session", "2,000 sessions" */
export function count(value, noun) {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** 0.972 -> "97.2 %"; "–" for null. */
export function percent(share) {
  if (share === null || !Number.isFinite(share)) return "–";
  return `${(share * 100).toFixed(share > 0.9995 || share === 0 ? 0 : 1)} %`;
}

/** part of whole; null of nothing. */
export function share(part, whole) {
  return whole > 0 ? part / whole : null;
}

/** 3.14159 -> "3.1", 1234.5 -> "1,235" */
export function rate(value) {
  if (value === null) return "–";
  return value >= 100 || value === 0 ? number(Math.round(value)) : value.toFixed(1);
}

/** At most two units: "1 h 52 min" */
export function duration(seconds) {
  let rest = Math.max(0, Math.round(seconds));
  if (rest === 0) return "0 s";
  const parts = [];
  for (const [length, unit] of UNITS) {
    const whole = Math.floor(rest / length);
    if (whole > 0) parts.push(`${whole} ${unit}`);
    else if (parts.length > 0) break;
    rest -= whole * length;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

/** A moment (Unix seconds) from now, with the whole date as its title. */
export function moment(seconds) {
  if (!seconds) return "–";
  const distance = seconds - Date.now() / 1000;
  const text = distance > 0 ? `in ${coarse(distance)}` : distance > -1.5 ? "now" : `${coarse(-distance)} ago`;
  return h("time", { datetime: new Date(seconds * 1000).toISOString(), title: date(seconds) }, text);
}

export function date(seconds) {
  return new Date(seconds * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}

/** The time of today, or day and time. */
export function clock(seconds) {
  const when = new Date(seconds * 1000);
  const text = when.toDateString() === new Date().toDateString() ? CLOCK.format(when) : DAY.format(when);
  return h("time", { datetime: when.toISOString(), title: date(seconds) }, text);
}

/** Text from outside as it may be shown: its invisible characters are written out, such as \u{202e}. */
export function visible(text) {
  return text.replace(UNSEEN, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
}

/** A name from outside. Its direction stays its own; a long one is cut by the style and whole in the title. */
export function name(text, missing = "–") {
  if (text === null || text === undefined) return h("span", { class: "missing" }, missing);
  const shown = visible(text);
  return h("bdi", { title: shown }, shown);
}

/** An ID, a hash or the name of a key. */
export function code(text, length = 12) {
  if (text === null || text === undefined) return "–";
  const shown = visible(text);
  return h("code", { title: shown }, shown.length > length + 1 ? `${shown.slice(0, length)}…` : shown);
}

function coarse(seconds) {
  return seconds < 86_400 ? duration(seconds) : duration(Math.round(seconds / 3_600) * 3_600);
}
