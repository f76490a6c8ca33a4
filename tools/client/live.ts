/** Two readings of a proxy's counters, and the block of lines that shows their difference: for watch and the demo. */
import type { Statistics } from "./answers.generated.ts";
import type { Api } from "./api.ts";
import { ClientError } from "./client_error.ts";
import { FATES, KIND_NAMES, fateOf, fillOf, handshakesOf, percentage, perSecond } from "./rates.ts";
import { facts, table } from "./table.ts";
import { counted, grouped, onOneLine } from "./text.ts";

/** Two readings of one proxy; `error` if the last one failed. */
export interface Reading {
  proxy: string;
  before: Statistics | null;
  now: Statistics | null;
  seconds: number;
  error: ClientError | null;
}

/** `clocks` has the time of each proxy's last reading. */
export async function readingOf(api: Api, last: Reading, clocks: Map<string, number>): Promise<Reading> {
  try {
    const stats = await api.call("getStatistics", { timeoutSeconds: PATIENCE_SECONDS });
    const clock = performance.now();
    const seconds = (clock - (clocks.get(api.proxy) ?? clock)) / 1000;
    clocks.set(api.proxy, clock);
    return { proxy: api.proxy, before: last.now, now: stats, seconds, error: null };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { ...last, error };
  }
}

export function blockOf({ before, now, seconds, error }: Reading, width: number | null): string[] {
  const fault = error === null ? [] : [`error: ${onOneLine(error.message)}`];
  if (now === null || (error !== null && before === null)) return fault.length > 0 ? fault : ["..."];
  const from = before ?? now;
  const all = handshakesOf(now);
  const earlier = handshakesOf(from);
  const resumed = Math.max(0, all.resumed - earlier.resumed);
  const full = Math.max(0, all.full - earlier.full);
  const rate = (one: number, other: number): string => `${perSecond(one, other, seconds)}/s`;
  return [
    ...fault,
    ...facts(
      [
        [
          "resumed",
          `${percentage(resumed, resumed + full)} now, ${percentage(all.resumed, all.resumed + all.full)} since the start`,
        ],
        [
          "handshakes",
          `${rate(earlier.resumed + earlier.full, all.resumed + all.full)}, ${grouped(all.resumed + all.full)} since the start`,
        ],
        ["cache", `${fillOf(now)}, ${counted(now.tombstones, "removed session")}`],
        ...(["refused", "diverted", "lost"] as const).map((name): [string, string] => [
          name,
          `${rate(from[name], now[name])}, ${grouped(now[name])} since the start`,
        ]),
      ],
      width,
    ),
    ...table(
      [
        { title: "PER SECOND", cell: (kind: (typeof KIND_NAMES)[number]) => kind },
        ...(["offered", ...FATES] as const).map((fate) => ({
          title: fate.toUpperCase(),
          cell: (kind: (typeof KIND_NAMES)[number]) =>
            perSecond(fateOf(from, fate)[kind], fateOf(now, fate)[kind], seconds),
          align: "right" as const,
        })),
      ],
      KIND_NAMES,
      width,
    ),
  ];
}

/** A proxy that hangs must not hold up the others for long. */
const PATIENCE_SECONDS = 3;
