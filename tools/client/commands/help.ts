/** The command help, and the help of one command. */
import { UsageError } from "../client_error.ts";
import type { Command, Option } from "../command.ts";
import { GLOBAL_OPTIONS } from "../global_options.ts";
import { expectWords } from "./names.ts";

export function helpCommand(commands: Command[]): Command {
  return {
    name: "help",
    usage: "[COMMAND]",
    summary: "This help, or that of a command",
    prepare: ({ words }) => {
      expectWords(words, 0, 1, "help [COMMAND]");
      const [name] = words;
      const lines = name === undefined ? helpOfAll(commands) : helpOf(commandNamed(name, commands));
      return {
        runOnAll: (_apis, screen) => {
          screen.print(lines);
          return Promise.resolve(0);
        },
      };
    },
  };
}

export function commandNamed(name: string, commands: Command[]): Command {
  const command = commands.find((one) => one.name === name);
  if (command !== undefined) return command;
  const near = name.length < 2 ? [] : commands.filter((one) => one.name.startsWith(name.slice(0, 2)));
  const names = (near.length > 0 ? near : commands).map((one) => one.name);
  const advice = near.length > 0 ? `is it ${names.join(" or ")}?` : `the commands are ${names.join(", ")}`;
  throw new UsageError(`"${name}" is not a command; ${advice}`);
}

export function helpOfAll(commands: Command[]): string[] {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    "tls-sessions COMMAND [ARGUMENTS] [OPTIONS]: the TLS session cache of one proxy or of several",
    "",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "Options of all commands:",
    ...optionLines(GLOBAL_OPTIONS),
    "",
    "Variables: TLS_SESSIONS_PROXY (a URL; http://127.0.0.1:10080 without it), TLS_SESSIONS_TOKEN",
    "Exit codes: 0 done; 1 refused, or nothing was found; 2 wrong usage; 3 a proxy was not reached",
    "tls-sessions help COMMAND says more.",
  ];
}

export function helpOf({ name, usage, summary, about = [], options = {} }: Command): string[] {
  return [
    `tls-sessions ${name} ${usage}`.trimEnd(),
    "",
    `${summary}.`,
    ...about,
    ...(Object.keys(options).length === 0 ? [] : ["", ...optionLines(options)]),
    "",
    "tls-sessions help lists the options of all commands.",
  ];
}

function optionLines(options: Record<string, Option>): string[] {
  const shown = Object.entries(options).map(
    ([name, { value, about, short }]) =>
      [`${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`, about] as const,
  );
  const width = Math.max(...shown.map(([option]) => option.length));
  return shown.map(([option, about]) => `  ${option.padEnd(width)}  ${about}`);
}
