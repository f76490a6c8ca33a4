/** Commands on single sessions: list, get, add. */
import type { Session } from "../answers.generated.ts";
import type { Command, View } from "../command.ts";
import { UsageError } from "../client_error.ts";
import { allSessions, readLimit } from "../pages.ts";
import { type Column, facts, table } from "../table.ts";
import { counted } from "../text.ts";
import { awayOf, duration, whenOf } from "../times.ts";
import { expectWords, readSessionId, shortName } from "./names.ts";
import { FILTERS, KINDS, LIMIT } from "./options.ts";

export const LIST: Command = {
  name: "list",
  usage: "[--kind KIND] [--sni NAME] [--upstream ADDRESS] [--limit N]",
  summary: "The sessions that the cache holds",
  about: ["Follows all pages. Expired sessions are listed until they are swept."],
  options: { kind: FILTERS.kind, sni: FILTERS.sni, upstream: FILTERS.upstream, limit: LIMIT },
  prepare: (args) => {
    expectWords(args.words, 0, 0, "list");
    const query = { kind: args.text("kind"), sni: args.text("sni"), upstream: args.text("upstream") };
    const limit = readLimit(args.text("limit"));
    return {
      run: async (api) => {
        const { rows, hasMore } = await allSessions(api, query, limit);
        return { json: { sessions: rows }, lines: (view) => sessionLines(rows, hasMore, view) };
      },
    };
  },
};

export const GET: Command = {
  name: "get",
  usage: "ID",
  summary: "One session",
  about: ["Exit code 1 if the cache does not hold it, or refuses it as a removed one."],
  prepare: (args) => {
    expectWords(args.words, 1, 1, "get ID");
    const id = readSessionId(args.words[0] ?? "");
    return {
      run: async (api) => {
        const session = await api.call("getSession", { parameter: id });
        return { json: session, lines: () => factsOf(session) };
      },
    };
  },
};

export const ADD: Command = {
  name: "add",
  usage: "ID [FIELD=VALUE ...]",
  summary: "Add a session, or replace its fields",
  about: [
    "Fields: kind, protocol, cipher, sni, upstream, timeout. An empty value makes the field unknown.",
    "Adding lifts a removal of this ID.",
    "As in: tls-sessions add c0ffee kind=id sni=shop.example upstream=10.0.0.7:443 timeout=7200",
  ],
  prepare: (args) => {
    expectWords(args.words, 1, Infinity, "add ID [FIELD=VALUE ...]");
    const [first = "", ...rest] = args.words;
    const id = readSessionId(first);
    const fields = fieldsOf(rest);
    // Only a body has null. The query also works if Envoy keeps bodies back.
    const change = Object.values(fields).includes(null) ? { body: fields } : { query: fields };
    return {
      run: async (api) => {
        const answer = await api.call("putSession", { parameter: id, ...change });
        return { json: answer, lines: () => [`${answer.outcome}:`, ...factsOf(answer.session)] };
      },
    };
  },
};

function sessionLines(sessions: Session[], hasMore: boolean, view: View): string[] {
  if (sessions.length === 0) return ["no sessions"];
  const end = hasMore
    ? `the first ${counted(sessions.length, "session")}; there may be more`
    : counted(sessions.length, "session");
  return [...table(columns(view), sessions, view.width), end];
}

function columns({ isWide }: View): Column<Session>[] {
  const now = Date.now() / 1000;
  const wide: Column<Session>[] = [
    { title: "CIPHER", cell: ({ cipher }) => cipher },
    { title: "TICKET KEY", cell: ({ ticket_key: key }) => key },
    { title: "SESSION", cell: ({ session }) => session },
    { title: "ORIGIN", cell: ({ origin }) => origin },
    { title: "TIME", cell: ({ time }) => whenOf(time, now), narrow: ({ time }) => awayOf(time, now) },
    {
      title: "LAST USED",
      cell: ({ last_used: used }) => whenOf(used, now),
      narrow: ({ last_used: used }) => awayOf(used, now),
    },
  ];
  return [
    { title: "ID", cell: ({ id }) => shortName(id, isWide) },
    { title: "KIND", cell: ({ kind }) => kind },
    { title: "PROTOCOL", cell: ({ protocol }) => protocol },
    { title: "SERVER NAME", cell: ({ sni }) => sni, shrinksTo: 12 },
    { title: "UPSTREAM", cell: ({ upstream }) => upstream, shrinksTo: 14 },
    { title: "HITS", cell: ({ hits }) => hits, align: "right" },
    {
      title: "EXPIRES",
      cell: ({ time, timeout }) => whenOf(time + timeout, now),
      narrow: ({ time, timeout }) => awayOf(time + timeout, now),
    },
    ...(isWide ? wide : []),
  ];
}

/** Nothing is cut: the ID is an argument of other commands. */
function factsOf(session: Session): string[] {
  return facts(
    [
      ["id", session.id],
      ["kind", session.kind],
      ["protocol", session.protocol],
      ["cipher", session.cipher],
      ["server name", session.sni],
      ["upstream", session.upstream],
      ["ticket key", session.ticket_key],
      ["handles", session.session === null ? "this one only" : `several, of session ${session.session}`],
      ["time", whenOf(session.time)],
      ["issued", session.issued === null ? "unknown: learned when it was used" : whenOf(session.issued)],
      ["expires", `${whenOf(session.time + session.timeout)}, lifetime ${duration(session.timeout)}`],
      ["last used", session.last_used === null ? "never" : whenOf(session.last_used)],
      ["hits", session.hits],
      ["origin", session.origin],
    ],
    null,
  );
}

function fieldsOf(words: string[]): Record<string, string | number | null> {
  const fields: Record<string, string | number | null> = {};
  for (const word of words) {
    const [, name = "", value = ""] = /^([a-z_]+)=(.*)$/s.exec(word) ?? [];
    if (!FIELDS.includes(name)) {
      throw new UsageError(`"${word}" does not set a field; write FIELD=VALUE with one of ${FIELDS.join(", ")}`);
    }
    if (name in fields) throw new UsageError(`${name} is given twice; give it once`);
    if (name === "kind" && !KINDS.includes(value)) {
      throw new UsageError(`kind "${value}" is not one of ${KINDS.join(", ")}`);
    }
    fields[name] = value === "" ? null : name === "timeout" ? wholeNumber(value) : value;
  }
  return fields;
}

function wholeNumber(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new UsageError(`timeout "${text}" is not a number of seconds`);
}

const FIELDS = ["kind", "protocol", "cipher", "sni", "upstream", "timeout"];
