/**
 * The command watch: the rates of each proxy, once a second. On a terminal it redraws a screen of its own, as top does, up to
 * Ctrl-C or q; elsewhere it prints a line a second. A proxy that does not answer is shown so, and asked again.
 */
import type { Api } from "../api.ts";
import { EXIT, type ExitCode, RefusedError, UsageError } from "../client_error.ts";
import type { Command } from "../command.ts";
import { type Reading, blockOf, readingOf } from "../live.ts";
import { KIND_NAMES, fillOf, handshakesOf, percentage, perSecond } from "../rates.ts";
import type { Screen } from "../screen.ts";
import { Stop } from "../stop.ts";
import { printable, shortened } from "../text.ts";
import { expectWords } from "./names.ts";

export const WATCH: Command = {
  name: "watch",
  usage: "[--count N]",
  summary: "Live rates, once a second, up to Ctrl-C or q",
  about: ["On a terminal it redraws; elsewhere, and with --json, it prints one line a second for each proxy."],
  options: { count: { value: "N", about: "end after so many seconds" } },
  prepare: (args) => {
    expectWords(args.words, 0, 0, "watch");
    const text = args.text("count");
    if (text !== null && !/^[1-9]\d{0,8}$/.test(text))
      throw new UsageError(`--count "${text}" is not a whole number from 1`);
    const count = text === null ? Infinity : Number(text);
    return { runOnAll: (apis, screen) => watch(apis, screen, count) };
  },
};

async function watch(apis: Api[], screen: Screen, count: number): Promise<ExitCode> {
  const stop = new Stop(screen.isTerminal, apis);
  const isDrawn = screen.isTerminal && !screen.options.isJson;
  const clocks = new Map<string, number>();
  let readings = apis.map(({ proxy }): Reading => ({ proxy, before: null, now: null, seconds: 1, error: null }));
  if (isDrawn) process.stdout.write(ENTER);
  try {
    // The first reading has no rate yet.
    for (let round = 0; round <= count; round++) {
      if (round > 0) await stop.orAfter(INTERVAL_MILLISECONDS);
      const read = await Promise.all(readings.map((last, at) => readingOf(apis[at] as Api, last, clocks)));
      if (stop.isAsked) break;
      readings = read;
      if (isDrawn) draw(readings, screen);
      else for (const reading of readings) printLine(reading, screen, apis.length);
      // A refusal does not pass by itself, such as that of a token.
      if (readings.every(({ error }) => error instanceof RefusedError && !error.mayPass)) break;
    }
  } finally {
    if (isDrawn) process.stdout.write(LEAVE);
    stop.end();
  }
  if (isDrawn) for (const { error } of readings) if (error !== null) screen.error(error.message);
  return readings.reduce<ExitCode>(
    (worst, { error }) => (error !== null && error.exitCode > worst ? error.exitCode : worst),
    EXIT.done,
  );
}

function draw(readings: Reading[], screen: Screen): void {
  const { width } = screen.view;
  const rows = process.stdout.rows || 24;
  const clock = new Date().toTimeString().slice(0, 8);
  const lines = [
    `tls-sessions watch   ${clock}   ${process.stdin.isTTY ? "q" : "Ctrl-C"} ends`,
    ...readings.flatMap((reading) => ["", printable(reading.proxy), ...blockOf(reading, width)]),
  ].slice(0, rows - 1);
  const cut = lines.map((line) => (width === null ? line : shortened(line, width)));
  process.stdout.write(HOME + cut.map((line) => `${line}${ERASE_REST_OF_LINE}\n`).join("") + ERASE_BELOW);
}

function printLine({ proxy, before, now, seconds, error }: Reading, screen: Screen, proxies: number): void {
  if (error !== null) return screen.error(error.message);
  if (now === null || before === null) return;
  const all = handshakesOf(now);
  const earlier = handshakesOf(before);
  const resumed = Math.max(0, all.resumed - earlier.resumed);
  const full = Math.max(0, all.full - earlier.full);
  const rates = Object.fromEntries(
    (["refused", "diverted", "lost"] as const).map((name) => [
      name,
      Number(perSecond(before[name], now[name], seconds)),
    ]),
  );
  const handshakes = Number(perSecond(0, resumed + full, seconds));
  if (screen.options.isJson) {
    const byKind = Object.fromEntries(
      KIND_NAMES.map((kind) => [kind, Number(perSecond(before.resumed[kind], now.resumed[kind], seconds))]),
    );
    const resumedShare = resumed + full === 0 ? null : resumed / (resumed + full);
    const { number, cache_size: size } = now;
    return screen.printJsonLine({
      proxy,
      time: Math.floor(Date.now() / 1000),
      ...{ handshakes_per_second: handshakes, resumed_share: resumedShare, number, cache_size: size },
      ...Object.fromEntries(Object.entries(rates).map(([name, rate]) => [`${name}_per_second`, rate])),
      resumed_per_second: byKind,
    });
  }
  const kinds = KIND_NAMES.map(
    (kind) => `${kind} ${perSecond(before.resumed[kind], now.resumed[kind], seconds)}/s`,
  ).join(" ");
  const others = Object.entries(rates).map(([name, rate]) => `${name} ${rate.toFixed(1)}/s`);
  screen.print([
    [
      new Date().toTimeString().slice(0, 8),
      ...(proxies > 1 ? [printable(proxy)] : []),
      `handshakes ${handshakes.toFixed(1)}/s`,
      `resumed ${percentage(resumed, resumed + full)} (${kinds})`,
      `cache ${fillOf(now)}`,
      ...others,
    ].join("  "),
  ]);
}

const INTERVAL_MILLISECONDS = 1000;
/** The alternate screen without a cursor, and back. */
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[2J";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const ERASE_REST_OF_LINE = "\u001b[K";
const ERASE_BELOW = "\u001b[J";
