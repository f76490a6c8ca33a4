/** The commands of ticket keys: list, remove, lift, set. */
import type { TicketKey } from "../answers.generated.ts";
import { EXIT, UsageError } from "../client_error.ts";
import type { Command, Plan, View } from "../command.ts";
import { table } from "../table.ts";
import { counted, grouped } from "../text.ts";
import { awayOf, whenOf } from "../times.ts";
import { enforcedBy, warningsOf } from "./enforced.ts";
import { expectWords, readTicketKeyName, shortName } from "./names.ts";
import { FILTERS } from "./options.ts";

const ACTIONS = ["list", "remove", "lift", "set"];
const USAGE = "ticket-keys [list | remove NAME | lift NAME | set NAME UPSTREAM]";

export const TICKET_KEYS: Command = {
  name: "ticket-keys",
  usage: "[list | remove NAME | lift NAME | set NAME UPSTREAM]",
  summary: "Ticket keys: whose they are, and removal of all tickets under one",
  about: [
    "remove: no ticket under the key resumes from then on. lift: ends such a removal. set: configures the key's upstream.",
    "Exit code 1 if there is nothing to remove or to lift.",
  ],
  options: { upstream: { ...FILTERS.upstream, about: "list: only ticket keys of this upstream" } },
  words: ACTIONS,
  prepare: (args) => {
    const [action = "list", ...words] = args.words;
    if (!ACTIONS.includes(action)) throw new UsageError(`"${action}" is not one of ${ACTIONS.join(", ")}`);
    if (action !== "list" && args.has("upstream"))
      throw new UsageError(`--upstream is for list; write: tls-sessions ${USAGE}`);
    const count = ACTIONS.indexOf(action) === 3 ? 2 : action === "list" ? 0 : 1;
    expectWords(words, count, count, USAGE);
    if (action === "list") return listing(args.text("upstream"));
    const name = readTicketKeyName(words[0] ?? "");
    if (action === "remove") return removal(name);
    return change(name, action === "set" ? (words[1] ?? "") : null);
  },
};

function listing(upstream: string | null): Plan {
  return {
    run: async (api) => {
      const answer = await api.call("listTicketKeys", { query: { upstream } });
      const keys = [...answer.ticket_keys].sort((one, other) => (other.last_used ?? 0) - (one.last_used ?? 0));
      return { json: answer, lines: (view) => keyLines(keys, view) };
    },
  };
}

function removal(name: string): Plan {
  return {
    run: async (api) => {
      const answer = await api.call("deleteTicketKey", { parameter: name });
      const isDone = answer.result === 1;
      const line = isDone ? "removed: no ticket under this key resumes" : "it was removed before, and stays removed";
      const note = "note" in answer && answer.note !== undefined ? [answer.note] : [];
      return {
        json: answer,
        lines: () => [line + enforcedBy(answer)],
        exitCode: isDone ? EXIT.done : EXIT.refused,
        warnings: [...note, ...warningsOf(answer)],
      };
    },
  };
}

/** With an upstream it configures the key, without one it lifts the removal. */
function change(name: string, upstream: string | null): Plan {
  return {
    run: async (api) => {
      const answer = await api.call("putTicketKey", { parameter: name, query: { upstream } });
      if (!("ticket_key" in answer) || (upstream === null && answer.result === 0)) {
        return { json: answer, lines: () => ["this key has no removal to lift"], exitCode: EXIT.refused };
      }
      const key = answer.ticket_key;
      return {
        json: answer,
        lines: (view) => [`${answer.outcome}${key === null ? "" : ":"}`, ...(key === null ? [] : tableOf([key], view))],
      };
    },
  };
}

function keyLines(keys: TicketKey[], view: View): string[] {
  if (keys.length === 0) return ["no ticket keys"];
  return [...tableOf(keys, view), counted(keys.length, "ticket key")];
}

function tableOf(keys: TicketKey[], { width, isWide }: View): string[] {
  const now = Date.now() / 1000;
  // The whole name unless the terminal is narrow: it is the argument of remove.
  const isShort = !isWide && width !== null && width < 100;
  return table<TicketKey>(
    [
      { title: "NAME", cell: ({ name }) => shortName(name, !isShort) },
      { title: "STATE", cell: ({ state, cause }) => (cause === undefined ? state : `${state} (${cause})`) },
      { title: "UPSTREAM", cell: ({ upstream }) => upstream, shrinksTo: 14 },
      { title: "TICKETS", cell: ({ tickets }) => grouped(tickets), align: "right" },
      {
        title: "LAST USED",
        cell: ({ last_used: used }) => whenOf(used, now),
        narrow: ({ last_used: used }) => awayOf(used, now),
      },
    ],
    keys,
    width,
  );
}
