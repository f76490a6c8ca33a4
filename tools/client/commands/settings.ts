/** Commands that show a setting, or set it: mode, enforcement, timeout, cache-size. */
import type { Answers } from "../answers.generated.ts";
import type { Api, Query } from "../api.ts";
import { UsageError } from "../client_error.ts";
import type { Command, Plan } from "../command.ts";
import { grouped } from "../text.ts";
import { duration } from "../times.ts";
import { enforcedBy, warningsOf } from "./enforced.ts";
import { expectWords } from "./names.ts";

const FLAGS = [
  "OFF",
  "SERVER",
  "NO_AUTO_CLEAR",
  "NO_INTERNAL_LOOKUP",
  "NO_INTERNAL_STORE",
  "NO_INTERNAL",
  "UPDATE_TIME",
];
const ENFORCEMENTS = ["observe", "revoked", "strict"];

export const MODE: Command = {
  name: "mode",
  usage: "[FLAG ...]",
  summary: "Show or set the mode of the cache",
  about: [`Flags: ${FLAGS.slice(0, 4).join(", ")},`, `       ${FLAGS.slice(4).join(", ")}.`],
  words: FLAGS,
  prepare: ({ words }) => {
    const flags = words.flatMap((word) => word.split(",")).filter((flag) => flag !== "");
    const query = { mode: flags.join(",") };
    return setting(flags.length > 0 ? query : null, "getMode", "putMode", ({ mode }) => mode.join(", "), "mode");
  },
};

export const ENFORCEMENT: Command = {
  name: "enforcement",
  usage: `[${ENFORCEMENTS.join("|")}]`,
  summary: "Show or set which resumptions are refused",
  words: ENFORCEMENTS,
  prepare: ({ words }) => {
    expectWords(words, 0, 1, `enforcement [${ENFORCEMENTS.join("|")}]`);
    const [value] = words;
    if (value !== undefined && !ENFORCEMENTS.includes(value)) {
      throw new UsageError(`"${value}" is not one of ${ENFORCEMENTS.join(", ")}`);
    }
    const query = value === undefined ? null : { enforcement: value };
    return setting(query, "getEnforcement", "putEnforcement", ({ enforcement }) => enforcement, "enforcement");
  },
};

export const TIMEOUT: Command = {
  name: "timeout",
  usage: "[SECONDS]",
  summary: "Show or set the lifetime of sessions that are stored later",
  prepare: ({ words }) => {
    const value = numberIn(words, "timeout [SECONDS]");
    const shown = ({ timeout }: { timeout: number }): string => `${String(timeout)} s (${duration(timeout)})`;
    return setting(value === null ? null : { timeout: value }, "getTimeout", "putTimeout", shown, "timeout");
  },
};

export const CACHE_SIZE: Command = {
  name: "cache-size",
  usage: "[SESSIONS]",
  summary: "Show or set how many sessions the cache may hold",
  about: ["0 is unlimited. A smaller size evicts the sessions that expire first."],
  prepare: ({ words }) => {
    const value = numberIn(words, "cache-size [SESSIONS]");
    const shown = ({ cache_size: size }: { cache_size: number }): string =>
      size === 0 ? "unlimited" : `${grouped(size)} sessions`;
    return setting(value === null ? null : { cache_size: value }, "getCacheSize", "putCacheSize", shown, "cache_size");
  },
};

/** Shows the setting if `change` is null, else sets it; the line has the previous value, too. */
function setting<Get extends keyof Answers, Put extends keyof Answers>(
  change: Query | null,
  get: Get,
  put: Put,
  shown: (answer: Answers[Get]) => string,
  member: string,
): Plan {
  if (change === null) {
    return {
      run: async (api: Api) => {
        const answer = await api.call(get);
        return { json: answer, lines: () => [shown(answer)] };
      },
    };
  }
  return {
    run: async (api: Api) => {
      const answer = await api.call(put, { query: change });
      const { previous } = answer as { previous: unknown };
      const before = shown({ [member]: previous } as Answers[Get]);
      const after = shown(answer as unknown as Answers[Get]);
      const line = before === after ? `${after}, as before` : `${after}, was ${before}`;
      const done = answer as object;
      return { json: answer, lines: () => [line + enforcedBy(done)], warnings: warningsOf(done) };
    },
  };
}

function numberIn(words: string[], usage: string): number | null {
  expectWords(words, 0, 1, usage);
  const [text] = words;
  if (text === undefined) return null;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new UsageError(`"${text}" is not a whole number; write: tls-sessions ${usage}`);
}
