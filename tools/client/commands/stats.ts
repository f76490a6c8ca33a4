/** The command stats: the counters, by subject. */
import type { Statistics } from "../answers.generated.ts";
import type { Command } from "../command.ts";
import { FATES, KIND_NAMES, fateOf, fillOf, handshakesOf, percentage, sum } from "../rates.ts";
import { facts, table } from "../table.ts";
import { counted, grouped } from "../text.ts";
import { expectWords } from "./names.ts";

export const STATS: Command = {
  name: "stats",
  usage: "",
  summary: "Counters since the start, and sizes",
  about: ["--json has all counters of GET /v1/stats."],
  prepare: ({ words }) => {
    expectWords(words, 0, 0, "stats");
    return {
      run: async (api) => {
        const stats = await api.call("getStatistics");
        return {
          json: stats,
          lines: ({ width }) => [...facts(factsOf(stats), width), "", ...offersOf(stats, width)],
          warnings: warningsOf(stats),
        };
      },
    };
  },
};

/** Offered sessions by kind, and their fates. */
function offersOf(stats: Statistics, width: number | null): string[] {
  const kinds = KIND_NAMES.filter((kind) => fateOf(stats, "offered")[kind] > 0);
  if (kinds.length === 0) return ["no session was offered yet"];
  return table(
    [
      { title: "OFFERED", cell: (kind: (typeof KIND_NAMES)[number]) => kind },
      { title: "ALL", cell: (kind) => grouped(fateOf(stats, "offered")[kind]), align: "right" },
      ...FATES.map((fate) => ({
        title: fate.toUpperCase(),
        cell: (kind: (typeof KIND_NAMES)[number]) => grouped(fateOf(stats, fate)[kind]),
        align: "right" as const,
      })),
    ],
    kinds,
    width,
  );
}

function factsOf(stats: Statistics): [string, string][] {
  const { resumed, full } = handshakesOf(stats);
  const { steering, module } = stats;
  const effect = steering.effective === undefined ? "" : steering.effective ? ", effective" : ", NOT effective";
  return [
    ["handshakes", `${grouped(resumed + full)}: ${grouped(resumed)} resumed (${percentage(resumed, resumed + full)})`],
    [
      "begun, failed",
      `${grouped(stats.accept)} begun, ${grouped(stats.failed)} failed, ${grouped(stats.not_tls)} not TLS`,
    ],
    ["cache", fillOf(stats)],
    [
      "changes",
      `${grouped(stats.adds)} added, ${grouped(stats.replaces)} replaced, ${grouped(stats.removes)} removed by hand`,
    ],
    [
      "gone",
      `${grouped(stats.expired)} expired, ${grouped(stats.cache_full)} evicted, ${grouped(stats.flushed)} flushed`,
    ],
    ["lookups", `${grouped(stats.hits)} hits, ${grouped(stats.misses)} misses, ${grouped(stats.timeouts)} timeouts`],
    ["lost", `${grouped(stats.lost)} to another upstream, of ${grouped(stats.declined)} declined`],
    ["refused", `${grouped(stats.refused)}${causes(stats.refused_for)}`],
    ["diverted", `${grouped(stats.diverted)}${causes(stats.diverted_for)}`],
    ["remembered", counted(stats.tombstones, "removed session")],
    ["steering", steering.mode + effect],
    ["module", `${module.version}, build ${module.build?.slice(0, 12) ?? "unknown"}`],
  ];
}

function causes(counts: Record<string, number>): string {
  const named = Object.entries(counts).filter(([, count]) => count > 0);
  return named.length === 0 ? "" : `: ${named.map(([cause, count]) => `${grouped(count)} for ${cause}`).join(", ")}`;
}

function warningsOf(stats: Statistics): string[] {
  const { steering } = stats;
  const counts: [number, string][] = [
    [stats.saturated_pages, "pages are full of removed sessions: in them everything unknown counts as removed"],
    [stats.corrupted_pages, "pages were damaged, and are empty since then"],
    [stats.events_lost, "events never reached the log"],
    [stats.host_calls_failed, "calls of Envoy failed that enforcement needs"],
    [sum(stats.not_stored) - stats.not_stored["removed"], "sessions could not be stored"],
  ];
  return [
    ...(steering.effective === false ? [`steering: ${steering.why}`] : []),
    ...counts.filter(([count]) => count > 0).map(([count, text]) => `${grouped(count)} ${text}`),
    ...stats.never_resume.map((upstream) => `${upstream} resumes none of its own sessions`),
  ];
}
