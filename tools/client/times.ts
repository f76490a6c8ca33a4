/** Times of the API, Unix seconds, as people read and write them. */
import { UsageError } from "./client_error.ts";

/** Local time and the distance from now, as in `19:20:05 (in 3 h)`; the date stands in front unless it is today's. */
export function whenOf(time: number | null, now = Date.now() / 1000): string {
  return time === null ? "-" : `${localTime(time, now)} (${distance(time - now)})`;
}

/** The distance alone, for a narrow table. */
export function awayOf(time: number | null, now = Date.now() / 1000): string {
  return time === null ? "-" : distance(time - now);
}

/** `in 3 h`, `2 d ago`, `now`. */
export function distance(seconds: number): string {
  const length = Math.abs(seconds);
  if (length < 1) return "now";
  return seconds > 0 ? `in ${duration(length)}` : `${duration(length)} ago`;
}

/** In the largest unit that almost fits twice or is exact: `90 min`, `2 h`, `7 d`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const unit = UNITS.find(({ seconds: size }) => whole >= ALMOST_TWICE * size || whole === size) ?? {
    name: "s",
    seconds: 1,
  };
  return `${String(Math.round(whole / unit.seconds))} ${unit.name}`;
}

/** A time as an operator writes it: Unix seconds, an ISO date, `now`, or an age such as `90s`, `10m`, `2h`, `7d`. */
export function readTime(text: string, name: string, now = Date.now() / 1000): number {
  if (text === "now") return Math.floor(now);
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const [, count, unit] = /^(\d{1,9}) ?(s|m|min|h|d)$/.exec(text) ?? [];
  if (unit !== undefined) return Math.floor(now - Number(count) * (UNIT_SECONDS[unit] ?? 1));
  const parsed = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(parsed)) return Math.floor(parsed / 1000);
  throw new UsageError(
    `${name} "${text}" is not a time: write Unix seconds, 2026-01-31T03:00, now, or an age such as 10m, 2h or 7d`,
  );
}

function localTime(time: number, now: number): string {
  const date = new Date(time * 1000);
  // Beyond the years that a Date can hold.
  if (Number.isNaN(date.getTime())) return String(time);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
  if (date.toDateString() === new Date(now * 1000).toDateString()) return clock;
  return `${[date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join("-")} ${clock}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

const UNITS = [
  { name: "d", seconds: 86_400 },
  { name: "h", seconds: 3_600 },
  { name: "min", seconds: 60 },
  { name: "s", seconds: 1 },
];
/** So that two hours less a few seconds are 2 h. */
const ALMOST_TWICE = 1.95;
const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, min: 60, h: 3_600, d: 86_400 };
