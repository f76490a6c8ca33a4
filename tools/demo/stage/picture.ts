/** The screen of `npm run demo`: the servers with their clients, the live rates, and the story so far. */
import { type Reading, blockOf } from "../../client/live.ts";
import { shortened } from "../../client/text.ts";
import type { Fate, Guest } from "./crowd.ts";

export interface Scene {
  servers: string[];
  guests: readonly Guest[];
  reading: Reading;
  /** Lines of the story; the latest are shown. */
  story: string[];
  /** At the top, on the right. */
  hint: string;
}

/** Lines for a terminal of that size. */
export function picture({ servers, guests, reading, story, hint }: Scene, width: number, rows: number): string[] {
  const title = `${String(guests.length)} clients -> Envoy with the filter -> ${String(servers.length)} servers that share nothing`;
  const top = [
    `${BOLD}${shortened(title, width)}${PLAIN}`,
    shortened(`● resumed  ○ full handshake  × refused    ${hint}`, width),
    "",
    ...servers.map((server) => `${server}  ${marksOf(guests, server)}`),
    "",
    ...blockOf(reading, width),
    "",
  ];
  const room = Math.max(0, rows - 1 - top.length);
  const told = story.slice(-room || story.length).map((line) => styled(shortened(line, width)));
  return [...top, ...(room === 0 ? [] : told)].slice(0, rows - 1);
}

function marksOf(guests: readonly Guest[], server: string): string {
  return guests
    .filter(({ last }) => last?.server === server)
    .map(({ last }) => MARKS[last?.fate ?? "full"])
    .join(" ");
}

/** Commands stand out. */
function styled(line: string): string {
  return line.startsWith("$") ? `${CYAN}${line}${PLAIN}` : line;
}

const isPlain = (process.env["NO_COLOR"] ?? "") !== "";
const BOLD = isPlain ? "" : "\u001b[1m";
const CYAN = isPlain ? "" : "\u001b[36m";
const GREEN = isPlain ? "" : "\u001b[32m";
const YELLOW = isPlain ? "" : "\u001b[33m";
const RED = isPlain ? "" : "\u001b[31m";
const PLAIN = isPlain ? "" : "\u001b[0m";
const MARKS: Record<Fate, string> = {
  resumed: `${GREEN}●${PLAIN}`,
  full: `${YELLOW}○${PLAIN}`,
  refused: `${RED}×${PLAIN}`,
};
