/** Commands on server names: revoke, lift, revocations. */
import type { Revocation } from "../answers.generated.ts";
import type { Query } from "../api.ts";
import { EXIT, UsageError } from "../client_error.ts";
import type { Command } from "../command.ts";
import { table } from "../table.ts";
import { counted, printable } from "../text.ts";
import { awayOf, whenOf } from "../times.ts";
import { enforcedBy, warningsOf } from "./enforced.ts";
import { expectWords, readServerName } from "./names.ts";

const UNSEEN = ["by_name", "refuse"];

export const REVOKE: Command = {
  name: "revoke",
  usage: "SNI [--ticket-lifetime SECONDS] [--unseen by_name|refuse]",
  summary: "Revoke all sessions of a server name",
  about: ["No session for that name that was issued up to now resumes. lift ends it before its time."],
  options: {
    "ticket-lifetime": { value: "SECONDS", about: "the longest life of the servers' tickets: it lasts as long" },
    unseen: { value: "EFFECT", choices: UNSEEN, about: "on an unknown PSK that shows another name: by_name or refuse" },
  },
  prepare: (args) => {
    expectWords(args.words, 1, 1, "revoke SNI");
    const sni = readServerName(args.words[0] ?? "");
    const query: Query = { ticket_lifetime: args.text("ticket-lifetime"), unseen: args.text("unseen") };
    if (query["ticket_lifetime"] !== null && !/^[1-9]\d{0,9}$/.test(String(query["ticket_lifetime"]))) {
      throw new UsageError("--ticket-lifetime is not a number of seconds; write it as 86400");
    }
    return {
      run: async (api) => {
        const answer = await api.call("putRevocation", { parameter: sni, query });
        const { sni: name, until } = answer.revocation;
        const end = until === null ? "until it is lifted" : `until ${whenOf(until)}`;
        return {
          json: answer,
          lines: () => [`${printable(name)}: revoked ${end}${enforcedBy(answer)}`],
          warnings: warningsOf(answer),
        };
      },
    };
  },
};

export const LIFT: Command = {
  name: "lift",
  usage: "SNI",
  summary: "Lift the revocation of a server name",
  about: ["Exit code 1 if the name is not revoked."],
  prepare: ({ words }) => {
    expectWords(words, 1, 1, "lift SNI");
    const sni = readServerName(words[0] ?? "");
    return {
      run: async (api) => {
        const answer = await api.call("deleteRevocation", { parameter: sni });
        const isDone = answer.result === 1;
        return {
          json: answer,
          lines: () => [`${printable(sni)}: ${isDone ? "lifted" : "this name is not revoked"}`],
          exitCode: isDone ? EXIT.done : EXIT.refused,
        };
      },
    };
  },
};

export const REVOCATIONS: Command = {
  name: "revocations",
  usage: "",
  summary: "The revoked server names",
  prepare: ({ words }) => {
    expectWords(words, 0, 0, "revocations");
    return {
      run: async (api) => {
        const answer = await api.call("listRevocations");
        return { json: answer, lines: ({ width }) => lines(answer.revocations, width) };
      },
    };
  },
};

function lines(revocations: Revocation[], width: number | null): string[] {
  if (revocations.length === 0) return ["no revoked server names"];
  const now = Date.now() / 1000;
  const end = ({ until, cause }: Revocation): string =>
    until !== null ? whenOf(until, now) : cause === undefined ? "lifted" : "out of configuration";
  return [
    ...table<Revocation>(
      [
        { title: "SERVER NAME", cell: ({ sni }) => sni, shrinksTo: 12 },
        { title: "REVOKED", cell: ({ time }) => whenOf(time, now), narrow: ({ time }) => awayOf(time, now) },
        { title: "UNTIL", cell: end, shrinksTo: 19 },
        { title: "UNSEEN", cell: ({ unseen }) => unseen },
      ],
      revocations,
      width,
    ),
    counted(revocations.length, "server name"),
  ];
}
