/** The command events: the log of events, and with --follow those that come. */
import type { Answers, Event } from "../answers.generated.ts";
import type { Api, Query } from "../api.ts";
import { ClientError, EXIT, type ExitCode, RefusedError } from "../client_error.ts";
import type { Arguments, Command, Report } from "../command.ts";
import { MAX_PAGE_ROWS, readLimit } from "../pages.ts";
import type { Screen } from "../screen.ts";
import { Stop } from "../stop.ts";
import { table } from "../table.ts";
import { grouped, printable } from "../text.ts";
import { awayOf, readTime, whenOf } from "../times.ts";
import { expectWords, readSessionId, shortName } from "./names.ts";
import { FILTERS, LIMIT } from "./options.ts";

const TYPES = ["new", "replaced", "removed", "evicted", "expired", "flushed", "refused", "diverted"];

export const EVENTS: Command = {
  name: "events",
  usage: "[--follow] [--type TYPE] [--since TIME] [--id ID] [--sni NAME] [--upstream ADDRESS] [--limit N]",
  summary: "Events of sessions: the log, and with --follow those that come",
  about: [
    "--follow runs up to Ctrl-C or q, begins with the events to come, and with --json prints one document a line.",
  ],
  options: {
    follow: { about: "show events as they come" },
    type: { value: "TYPE", choices: TYPES, about: `only this type: ${TYPES.join(", ")}` },
    since: { value: "TIME", about: "only of this time and later: Unix seconds, a date, or an age such as 10m" },
    id: { value: "ID", about: "only of this session" },
    sni: FILTERS.sni,
    upstream: { ...FILTERS.upstream, about: "only of this upstream" },
    limit: { ...LIMIT, about: "the newest N" },
  },
  prepare: (args) => {
    expectWords(args.words, 0, 0, "events");
    const query = queryOf(args);
    const limit = readLimit(args.text("limit"));
    if (args.has("follow")) return { runOnAll: (apis, screen) => follow(apis, screen, query) };
    return { run: (api) => log(api, query, limit) };
  },
};

function queryOf(args: Arguments): Query {
  const since = args.text("since");
  const id = args.text("id");
  return {
    type: args.text("type"),
    since: since === null ? null : readTime(since, "--since"),
    id: id === null ? null : readSessionId(id),
    sni: args.text("sni"),
    upstream: args.text("upstream"),
  };
}

async function log(api: Api, query: Query, limit: number): Promise<Report> {
  const { events, missed } = await eventsAfter(api, query, null);
  const shown = events.slice(-Math.min(limit, events.length || 1));
  const cut = events.length - shown.length;
  return {
    json: { events: shown, missed },
    lines: ({ width, isWide }) =>
      shown.length === 0
        ? ["no events"]
        : [
            ...tableOf(shown, width, isWide),
            `${grouped(shown.length)} events${cut > 0 ? `, ${grouped(cut)} older ones are not shown` : ""}`,
          ],
    warnings: missed > 0 ? [`${grouped(missed)} events were lost before they could be read`] : [],
  };
}

interface Read {
  events: Event[];
  missed: number;
  mark: string | null;
}

/** All events behind the mark that are there now. */
async function eventsAfter(api: Api, query: Query, after: string | null): Promise<Read> {
  const events: Event[] = [];
  let missed = 0;
  let mark = after;
  // The bound ends a reading that new events would keep going.
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer: Answers["listEvents"] = await api.call("listEvents", {
      query: { ...query, after: mark, limit: MAX_PAGE_ROWS },
    });
    events.push(...answer.events);
    missed += answer.missed;
    if (answer.next === mark) break;
    mark = answer.next;
  }
  return { events, missed, mark };
}

/** A proxy that does not answer is reported once, and asked again. */
async function follow(apis: Api[], screen: Screen, query: Query): Promise<ExitCode> {
  const stop = new Stop(screen.isTerminal, apis);
  const codes = await Promise.all(apis.map((api) => followOne(api, screen, query, stop, apis.length > 1))).finally(() =>
    stop.end(),
  );
  return codes.reduce<ExitCode>((worst, code) => (code > worst ? code : worst), EXIT.done);
}

async function followOne(api: Api, screen: Screen, query: Query, stop: Stop, isOneOfMany: boolean): Promise<ExitCode> {
  let mark: string | null = null;
  let failure: ClientError | null = null;
  // Without --since the log of before is not news.
  let isNews = query["since"] !== null;
  while (!stop.isAsked) {
    try {
      const read: Read = await eventsAfter(api, query, mark);
      ({ mark } = read);
      if (failure !== null) screen.warn(`${api.proxy}: answers again`);
      failure = null;
      if (isNews) {
        if (read.missed > 0) screen.warn(`${api.proxy}: ${grouped(read.missed)} events were lost`);
        printEvents(api.proxy, read.events, screen, isOneOfMany);
      }
      isNews = true;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      if (stop.isAsked) break;
      if (mark !== null && error instanceof RefusedError && error.status === BAD_REQUEST) {
        // A proxy that has restarted does not know the mark.
        screen.warn(`${api.proxy}: its log has begun again, as after a restart`);
        mark = null;
        continue;
      }
      if (failure === null) screen.error(error.message);
      failure = error;
      // A refusal does not pass by itself, such as that of a token.
      const mayPass = error instanceof RefusedError ? error.mayPass : error.exitCode === EXIT.unreachable;
      if (!mayPass) break;
    }
    await stop.orAfter(INTERVAL_MILLISECONDS);
  }
  return failure?.exitCode ?? EXIT.done;
}

function printEvents(proxy: string, events: Event[], screen: Screen, isOneOfMany: boolean): void {
  for (const event of events) {
    if (screen.options.isJson) screen.printJsonLine(isOneOfMany ? { proxy, ...event } : event);
    else screen.print([(isOneOfMany ? `${printable(proxy)}  ` : "") + lineOf(event, screen.options.isWide)]);
  }
}

/** For streams, in which no column can fit rows to come. */
function lineOf({ time, type, cause, id, sni, upstream, client, held }: Event, isWide: boolean): string {
  const parts = [
    new Date(time * 1000).toTimeString().slice(0, 8),
    type.padEnd(8),
    `for ${cause}`.padEnd(13),
    (shortName(id, isWide) ?? "-").padEnd(13),
    printable(sni ?? "-"),
    printable(upstream ?? "-"),
    ...(client === null ? [] : [`client ${printable(client)}`]),
    ...(held === false ? ["not held"] : []),
  ];
  return parts.join("  ");
}

function tableOf(events: Event[], width: number | null, isWide: boolean): string[] {
  const now = Date.now() / 1000;
  return table<Event>(
    [
      { title: "TIME", cell: ({ time }) => whenOf(time, now), narrow: ({ time }) => awayOf(time, now) },
      { title: "TYPE", cell: ({ type, held }) => (held === false ? `${type} (not held)` : type) },
      { title: "CAUSE", cell: ({ cause }) => cause },
      { title: "ID", cell: ({ id }) => shortName(id, isWide) },
      { title: "SERVER NAME", cell: ({ sni }) => sni, shrinksTo: 12 },
      { title: "UPSTREAM", cell: ({ upstream }) => upstream, shrinksTo: 14 },
      { title: "CLIENT", cell: ({ client }) => client, shrinksTo: 9 },
    ],
    events,
    width,
  );
}

const INTERVAL_MILLISECONDS = 1000;
const MAX_PAGES = 100;
const BAD_REQUEST = 400;
