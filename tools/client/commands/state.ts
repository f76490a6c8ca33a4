/** Commands that show who works on the cache: filters, upstreams, health. */
import type { Answers, Filter } from "../answers.generated.ts";
import { EXIT, RefusedError } from "../client_error.ts";
import type { Command } from "../command.ts";
import { table } from "../table.ts";
import { counted, grouped } from "../text.ts";
import { awayOf, whenOf } from "../times.ts";
import { expectWords, shortName } from "./names.ts";

type Upstream = Answers["listUpstreams"]["upstreams"][number];

export const FILTERS_COMMAND: Command = {
  name: "filters",
  usage: "",
  summary: "The filters of the cache, and the module that each runs",
  prepare: ({ words }) => {
    expectWords(words, 0, 0, "filters");
    return {
      run: async (api) => {
        const answer = await api.call("listFilters");
        return {
          json: answer,
          lines: ({ width, isWide }) => filterLines(answer.filters, width, isWide),
          warnings: answer.filters
            .filter(({ state }) => state === "misplaced")
            .map(({ name }) => `the filter ${name} stands in a filter chain of the wrong kind and sees nothing`),
        };
      },
    };
  },
};

export const UPSTREAMS: Command = {
  name: "upstreams",
  usage: "",
  summary: "Upstreams: the sessions that they issued, and how many were lost or refused",
  prepare: ({ words }) => {
    expectWords(words, 0, 0, "upstreams");
    return {
      run: async (api) => {
        const answer = await api.call("listUpstreams");
        return { json: answer, lines: ({ width }) => upstreamLines(answer, width) };
      },
    };
  },
};

export const HEALTH: Command = {
  name: "health",
  usage: "",
  summary: "Whether the filter runs, and whether anybody refuses sessions",
  about: ["It needs no token. Exit code 1 if no observer or guard is in force, 3 if the proxy does not answer."],
  prepare: ({ words }) => {
    expectWords(words, 0, 0, "health");
    return {
      run: async (api) => {
        await api.call("health");
        const fault = await api.call("health", { query: { for: "enforcement" } }).then(
          () => null,
          (error: unknown) => {
            if (error instanceof RefusedError && error.status === 503) return error.message;
            throw error;
          },
        );
        const isEnforced = fault === null;
        return {
          json: { status: "ok", enforcement: isEnforced ? "ok" : "nobody" },
          lines: () => [`the filter runs; ${isEnforced ? "removed sessions are refused" : "nobody refuses sessions"}`],
          exitCode: isEnforced ? EXIT.done : EXIT.refused,
          warnings: isEnforced ? [] : [fault],
        };
      },
    };
  },
};

function filterLines(filters: Filter[], width: number | null, isWide: boolean): string[] {
  if (filters.length === 0) return ["no filters"];
  const now = Date.now() / 1000;
  return table<Filter>(
    [
      { title: "ROOT", cell: ({ root_id: root }) => root },
      { title: "NAME", cell: ({ name }) => name, shrinksTo: 10 },
      { title: "STATE", cell: ({ state }) => state },
      { title: "WORKERS", cell: ({ workers }) => workers, align: "right" },
      { title: "SINCE", cell: ({ since }) => whenOf(since, now), narrow: ({ since }) => awayOf(since, now) },
      { title: "VERSION", cell: ({ module }) => module.version },
      { title: "BUILD", cell: ({ module }) => shortName(module.build, isWide) },
      ...(isWide ? [{ title: "ENVOY", cell: ({ envoy }: Filter) => envoy }] : []),
    ],
    filters,
    width,
  );
}

function upstreamLines(answer: Answers["listUpstreams"], width: number | null): string[] {
  const { upstreams, unknown, others, rest } = answer;
  const now = Date.now() / 1000;
  const rows = [...upstreams].sort((one, other) => other.sessions - one.sessions);
  return [
    ...(rows.length === 0
      ? ["no upstreams"]
      : table<Upstream>(
          [
            { title: "UPSTREAM", cell: ({ upstream }) => upstream, shrinksTo: 14 },
            { title: "SESSIONS", cell: ({ sessions }) => grouped(sessions), align: "right" },
            { title: "HITS", cell: ({ hits }) => grouped(hits), align: "right" },
            { title: "LOST", cell: ({ lost }) => grouped(lost), align: "right" },
            { title: "REFUSED", cell: ({ refused }) => grouped(refused), align: "right" },
            { title: "TICKET KEYS", cell: ({ ticket_keys: keys }) => grouped(keys), align: "right" },
            {
              title: "LAST USED",
              cell: ({ last_used: used }) => whenOf(used, now),
              narrow: ({ last_used: used }) => awayOf(used, now),
            },
          ],
          rows,
          width,
        )),
    ...(unknown > 0 ? [`${counted(unknown, "session")} of an unknown upstream`] : []),
    ...(others > 0 ? [`${counted(others, "session")} of upstreams beyond those listed`] : []),
    ...(rest ? [`${grouped(rest.lost)} lost and ${grouped(rest.refused)} refused of no upstream above`] : []),
  ];
}
