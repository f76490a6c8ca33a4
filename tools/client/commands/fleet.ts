/** The command fleet: whether a proxy shares its cache with others, what it has not told yet, and which proxies there are. */
import type { Answers } from "../answers.generated.ts";
import { EXIT } from "../client_error.ts";
import type { Command } from "../command.ts";
import { facts, table } from "../table.ts";
import { counted, grouped } from "../text.ts";
import { awayOf, duration, whenOf } from "../times.ts";
import { expectWords } from "./names.ts";

type Fleet = Answers["getFleet"];
type RunningFleet = Required<Fleet>;

export const FLEET: Command = {
  name: "fleet",
  usage: "",
  summary: "Whether the proxies share one cache, and whether all decisions are told",
  about: ["Exit code 1 if the proxy does not follow the fleet, or if something has waited for 10 seconds or more."],
  prepare: ({ words }) => {
    expectWords(words, 0, 0, "fleet");
    return {
      run: async (api) => {
        const fleet = await api.call("getFleet");
        const warnings = faultsOf(fleet);
        return {
          json: fleet,
          lines: ({ width }) => linesOf(fleet, width),
          exitCode: warnings.length === 0 ? EXIT.done : EXIT.refused,
          warnings,
        };
      },
    };
  },
};

/** One line for each reason to worry. */
export function faultsOf(fleet: Fleet): string[] {
  if (!isOn(fleet)) return ["no fleet filter runs here: this proxy shares its cache with nobody"];
  const { state, pending, last_error: error } = fleet;
  const faults: string[] = [];
  if (state !== "following") {
    const reason = error === null ? "" : `: ${error.call} failed with status ${error.status}: ${error.text}`;
    faults.push(`this proxy does not follow the fleet (${state})${reason}`);
  }
  if (pending.oldest_seconds >= LONG_SECONDS) {
    faults.push(`something has waited to be stored for ${duration(pending.oldest_seconds)}: it holds here only`);
  }
  return faults;
}

function linesOf(fleet: Fleet, width: number | null): string[] {
  if (!isOn(fleet)) return ["off"];
  const now = Date.now() / 1000;
  const { pending, last_error: error, proxies } = fleet;
  const heard = fleet.heard_seconds_ago === null ? "never" : `${duration(fleet.heard_seconds_ago)} ago`;
  const lines = facts(
    [
      ["name", fleet.name],
      [
        "state",
        `${fleet.state} since ${whenOf(fleet.since, now)}${fleet.synced ? "" : ", NOT all decisions are here"}`,
      ],
      ["etcd", `revision ${grouped(fleet.revision)}, heard ${heard}`],
      ["not stored yet", `${counted(pending.decisions, "decision")}, ${counted(pending.sessions, "session")}`],
      [
        "records",
        `${grouped(fleet.told)} told, ${grouped(fleet.applied)} taken over, ${grouped(fleet.skipped)} skipped`,
      ],
      ["read again", counted(fleet.resyncs, "time")],
      [
        "last error",
        error === null ? "none" : `${awayOf(error.time, now)}: ${error.call}, status ${error.status}: ${error.text}`,
      ],
    ],
    width,
  );
  if (proxies.length === 0) return [...lines, "", "no proxy is present"];
  return [
    ...lines,
    "",
    ...table<RunningFleet["proxies"][number]>(
      [
        { title: "PROXY", cell: ({ name }) => name, shrinksTo: 12 },
        { title: "SEEN", cell: ({ seen }) => whenOf(seen, now), narrow: ({ seen }) => awayOf(seen, now) },
        { title: "CLOCK", cell: ({ clock_skew_ms: skew }) => `${skew > 0 ? "+" : ""}${skew} ms`, align: "right" },
        { title: "REVISION", cell: ({ applied }) => grouped(applied), align: "right" },
        { title: "VERSION", cell: ({ version }) => version },
      ],
      [...proxies].sort((one, other) => (one.name < other.name ? -1 : 1)),
      width,
    ),
  ];
}

/** Without a fleet filter, the answer has its state only. */
function isOn(fleet: Fleet): fleet is RunningFleet {
  return fleet.state !== "off";
}

const LONG_SECONDS = 10;
