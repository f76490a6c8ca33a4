/** Commands that remove sessions: remove, flush, and removed, the list of those that are refused. */
import type { Answers, Removed } from "../answers.generated.ts";
import type { Api, Query } from "../api.ts";
import { ClientError, EXIT, UsageError } from "../client_error.ts";
import type { Arguments, Command, Plan, Report } from "../command.ts";
import { allRemoved, readLimit } from "../pages.ts";
import { table } from "../table.ts";
import { counted, grouped, printable } from "../text.ts";
import { awayOf, readTime, whenOf } from "../times.ts";
import { enforcedBy, warningsOf } from "./enforced.ts";
import { expectWords, readSessionId, readTicketKeyName, shortName } from "./names.ts";
import { FILTERS, LIMIT } from "./options.ts";

export const REMOVE: Command = {
  name: "remove",
  usage: "ID ... | --sni NAME, --upstream ADDRESS, ... [--dry-run] [--yes]",
  summary: "Remove sessions, by ID or by filter",
  about: [
    "A removed session does not resume from then on. Several filters must all match.",
    "With filters it counts the sessions first and asks; without a terminal it needs --yes.",
    "Exit code 1 if the cache did not hold one of the IDs; it is refused all the same.",
  ],
  options: {
    ...FILTERS,
    "ticket-key": { value: "NAME", about: "only sessions under this ticket key" },
    protocol: {
      value: "PROTOCOL",
      choices: ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"],
      about: "only this protocol, as TLSv1.2",
    },
    "issued-before": {
      value: "TIME",
      about: "only sessions issued before: Unix seconds, a date, or an age such as 2h",
    },
    "dry-run": { about: "only count the sessions that match" },
  },
  prepare: (args) => {
    const filters = filtersOf(args);
    const hasFilters = Object.values(filters).some((value) => value !== null);
    if (args.words.length === 0 && !hasFilters) {
      throw new UsageError(
        "nothing names the sessions; write: tls-sessions remove ID ..., or a filter such as --sni NAME",
      );
    }
    if (args.words.length > 0 && (hasFilters || args.has("dry-run"))) {
      throw new UsageError(
        "an ID stands beside --dry-run or a filter; name the sessions by IDs alone or by filters alone",
      );
    }
    return hasFilters ? removalByFilter(filters, args.has("dry-run")) : removalOf(args.words.map(readSessionId));
  },
};

export const FLUSH: Command = {
  name: "flush",
  usage: "[--before TIME] [--yes]",
  summary: "Remove all sessions, or the expired ones",
  about: ["It asks first; without a terminal it needs --yes. Sessions that had not expired are refused from then on."],
  options: {
    before: { value: "TIME", about: "only sessions that are expired at this time: Unix seconds, a date, now" },
  },
  prepare: (args) => {
    expectWords(args.words, 0, 0, "flush [--before TIME]");
    const text = args.text("before");
    const before = text === null ? null : readTime(text, "--before");
    if (before === 0) throw new UsageError("--before 0 means all sessions; leave --before out for that");
    return {
      question: async (api) => {
        const { number } = await api.call("getStatistics");
        const held = counted(number, "session");
        return before === null
          ? `remove all of ${held}`
          : `remove those of ${held} that expire before ${whenOf(before)}`;
      },
      run: async (api) => {
        const answer = await api.call("flushSessions", { query: { before: before ?? 0 } });
        return {
          json: answer,
          lines: () => [`${counted(answer.removed, "session")} removed${enforcedBy(answer)}`],
          warnings: warningsOf(answer),
        };
      },
    };
  },
};

export const REMOVED: Command = {
  name: "removed",
  usage: "[--kind KIND] [--sni NAME] [--upstream ADDRESS] [--cause CAUSE] [--limit N]",
  summary: "Removed sessions that are still refused",
  options: {
    ...FILTERS,
    cause: { value: "CAUSE", choices: ["api", "flush", "config"], about: "only this cause: api, flush or config" },
    limit: LIMIT,
  },
  prepare: (args) => {
    expectWords(args.words, 0, 0, "removed");
    const query = {
      kind: args.text("kind"),
      sni: args.text("sni"),
      upstream: args.text("upstream"),
      cause: args.text("cause"),
    };
    const limit = readLimit(args.text("limit"));
    return {
      run: async (api) => {
        const { rows, hasMore } = await allRemoved(api, query, limit);
        return {
          json: { removed: rows },
          lines: ({ width, isWide }) => removedLines(rows, hasMore, width, isWide),
        };
      },
    };
  },
};

function filtersOf(args: Arguments): Query {
  const key = args.text("ticket-key");
  const issued = args.text("issued-before");
  return {
    kind: args.text("kind"),
    sni: args.text("sni"),
    upstream: args.text("upstream"),
    ticket_key: key === null ? null : readTicketKeyName(key),
    protocol: args.text("protocol"),
    issued_before: issued === null ? null : readTime(issued, "--issued-before"),
  };
}

function removalByFilter(filters: Query, isDryRun: boolean): Plan {
  const matching = (api: Api): Promise<Answers["removeSessions"]> =>
    api.call("removeSessions", { query: { ...filters, dry_run: true } });
  const named = Object.entries(filters)
    .flatMap(([name, value]) => (value === null ? [] : [`${name}=${printable(String(value))}`]))
    .join(" ");
  if (isDryRun) {
    return {
      run: async (api) => {
        const answer = await matching(api);
        return { json: answer, lines: () => [`${counted(answer.removed, "session")} would be removed`] };
      },
    };
  }
  return {
    question: async (api) => `remove ${counted((await matching(api)).removed, "session")} of ${named}`,
    run: async (api) => {
      const answer = await api.call("removeSessions", { query: filters });
      const handles = answer.handles ?? answer.removed;
      const more = handles > answer.removed ? ` with ${grouped(handles - answer.removed)} other handles` : "";
      return {
        json: answer,
        lines: () => [`${counted(answer.removed, "session")} removed${more}${enforcedBy(answer)}`],
        warnings: warningsOf(answer),
      };
    },
  };
}

function removalOf(ids: string[]): Plan {
  return {
    run: async (api): Promise<Report> => {
      const answers: (Answers["deleteSession"] & { id: string })[] = [];
      for (const id of ids) {
        try {
          answers.push({ id, ...(await api.call("deleteSession", { parameter: id })) });
        } catch (error) {
          if (!(error instanceof ClientError) || ids.length === 1) throw error;
          const done = `${grouped(answers.length)} of ${grouped(ids.length)} IDs were removed before it`;
          throw new ClientError(`${error.message} (at ${id}; ${done})`, error.exitCode);
        }
      }
      const isFound = answers.every(({ result }) => result === 1);
      return {
        json: ids.length === 1 ? answers[0] : answers,
        lines: ({ isWide }) =>
          answers.map((answer) => {
            const name = shortName(answer.id, isWide) ?? "";
            if (answer.result === 0) return `${name}: not held; refused from now on${enforcedBy(answer)}`;
            return `${name}: removed, ${counted(answer.handles, "handle")}${enforcedBy(answer)}`;
          }),
        exitCode: isFound ? EXIT.done : EXIT.refused,
        warnings: [...new Set(answers.flatMap(warningsOf))],
      };
    },
  };
}

function removedLines(rows: Removed[], hasMore: boolean, width: number | null, isWide: boolean): string[] {
  if (rows.length === 0) return ["no removed sessions"];
  const now = Date.now() / 1000;
  return [
    ...table<Removed>(
      [
        { title: "ID", cell: ({ id }) => shortName(id, isWide) },
        { title: "CAUSE", cell: ({ cause }) => cause },
        { title: "KIND", cell: ({ kind }) => kind ?? null },
        { title: "SERVER NAME", cell: ({ sni }) => sni ?? null, shrinksTo: 12 },
        { title: "UPSTREAM", cell: ({ upstream }) => upstream ?? null, shrinksTo: 14 },
        { title: "REMOVED", cell: ({ time }) => whenOf(time, now), narrow: ({ time }) => awayOf(time, now) },
        { title: "REFUSED UNTIL", cell: ({ until }) => whenOf(until, now), narrow: ({ until }) => awayOf(until, now) },
      ],
      rows,
      width,
    ),
    hasMore ? `the first ${grouped(rows.length)}; there may be more` : `${grouped(rows.length)} in all`,
  ];
}
