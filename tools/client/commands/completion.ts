/** The command completion: scripts for bash, zsh and fish, made of the list of commands. */
import { UsageError } from "../client_error.ts";
import type { Command, Option } from "../command.ts";
import { GLOBAL_OPTIONS } from "../global_options.ts";
import { expectWords } from "./names.ts";

const SHELLS: Record<string, (commands: Command[]) => string[]> = { bash, zsh, fish };

export function completionCommand(commands: Command[]): Command {
  return {
    name: "completion",
    usage: "bash|zsh|fish",
    summary: "A completion script for your shell",
    about: ['In bash: eval "$(tls-sessions completion bash)". zsh and fish have theirs in docs/use/client.md.'],
    words: Object.keys(SHELLS),
    prepare: ({ words }) => {
      expectWords(words, 1, 1, "completion bash|zsh|fish");
      const script = SHELLS[words[0] ?? ""];
      if (script === undefined) throw new UsageError(`"${words[0] ?? ""}" is not one of bash, zsh, fish`);
      return {
        runOnAll: (_apis, screen) => {
          screen.print(script(commands));
          return Promise.resolve(0);
        },
      };
    },
  };
}

function bash(commands: Command[]): string[] {
  return [
    "_tls_sessions() {",
    '  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" command="" at',
    "  for ((at = 1; at < COMP_CWORD; at++)); do",
    '    case "${COMP_WORDS[at]}" in',
    `      ${valueOptions(GLOBAL_OPTIONS).join("|")}) ((at++)) ;;`,
    "      -*) ;;",
    '      *) command="${COMP_WORDS[at]}"; break ;;',
    "    esac",
    "  done",
    '  case "$before" in',
    '    --proxies|--token-file) COMPREPLY=($(compgen -f -- "$word")); return ;;',
    ...choices(commands).map(
      ([option, values]) => `    --${option}) COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$word")); return ;;`,
    ),
    "  esac",
    '  case "$command" in',
    `    "") COMPREPLY=($(compgen -W "${[...commands.map(({ name }) => name), ...optionNames(GLOBAL_OPTIONS)].join(" ")}" -- "$word")) ;;`,
    ...commands.map((command) => {
      const files = takesFile(command) ? ' $(compgen -f -- "$word")' : "";
      return `    ${command.name}) COMPREPLY=($(compgen -W "${wordsOf(command, commands).join(" ")}" -- "$word")${files}) ;;`;
    }),
    "  esac",
    "}",
    "complete -F _tls_sessions tls-sessions",
  ];
}

/** zsh runs the script for bash. */
function zsh(commands: Command[]): string[] {
  return ["autoload -U +X compinit && compinit -u", "autoload -U +X bashcompinit && bashcompinit", ...bash(commands)];
}

function fish(commands: Command[]): string[] {
  const complete = "complete -c tls-sessions";
  const optionLine = (condition: string, [name, option]: [string, Option]): string => {
    return `${complete}${condition} -l ${name}${valueOf(option)} -d ${quoted(option.about)}`;
  };
  return [
    `${complete} -f`,
    ...commands.map(({ name, summary }) => `${complete} -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`),
    ...Object.entries(GLOBAL_OPTIONS).map((entry) => optionLine("", entry)),
    ...commands.flatMap((command) => {
      const condition = ` -n '__fish_seen_subcommand_from ${command.name}'`;
      const words = wordsOf(command, commands).filter((word) => !word.startsWith("-"));
      return [
        ...(words.length === 0 ? [] : [`${complete}${condition} -a '${words.join(" ")}'`]),
        ...(takesFile(command) ? [`${complete}${condition} -F`] : []),
        ...Object.entries(command.options ?? {}).map((entry) => optionLine(condition, entry)),
      ];
    }),
  ];
}

/** How fish completes the value of an option. */
function valueOf({ value, choices: list }: Option): string {
  if (value === undefined) return "";
  if (value === "FILE") return " -r -F";
  return list === undefined ? " -x" : ` -x -a '${list.join(" ")}'`;
}

function wordsOf({ name, words = [], options = {} }: Command, commands: Command[]): string[] {
  const own = name === "help" ? commands.map((command) => command.name) : words;
  return [...own, ...optionNames(options), ...optionNames(GLOBAL_OPTIONS)];
}

function takesFile({ usage }: Command): boolean {
  return usage.includes("FILE");
}

function optionNames(options: Record<string, Option>): string[] {
  return Object.keys(options).map((name) => `--${name}`);
}

function valueOptions(options: Record<string, Option>): string[] {
  return Object.entries(options)
    .filter(([, { value }]) => value !== undefined)
    .map(([name]) => `--${name}`);
}

/** Each option with a closed list of values; one name has one list in all commands. */
function choices(commands: Command[]): [string, string[]][] {
  const all = commands.flatMap(({ options = {} }) => Object.entries(options));
  return [...new Map(all.flatMap(([name, { choices: list }]) => (list === undefined ? [] : [[name, list] as const])))];
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}
