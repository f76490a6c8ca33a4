/**
 * tls-sessions: the admin API of one proxy or of several, for people and for programs. docs/use/client.md describes it.
 *
 * Promises: results go to stdout, warnings and errors to stderr, one line each. The exit code is 0 if all is done, 1 if a call was
 * refused or found nothing, 2 for wrong usage, before anything is sent, and 3 if a proxy was not reached.
 */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { COMMANDS } from "./all_commands.ts";
import { Api } from "./api.ts";
import { ClientError, EXIT, type ExitCode, UsageError } from "./client_error.ts";
import { Arguments, type Command, type Option } from "./command.ts";
import { commandNamed, helpOf, helpOfAll } from "./commands/help.ts";
import { GLOBAL_OPTIONS } from "./global_options.ts";
import { packageVersion } from "./package_files.ts";
import { chosenProxies } from "./proxies.ts";
import { runPlan } from "./runner.ts";
import { Screen } from "./screen.ts";
import { chosenToken } from "./token.ts";
import { onOneLine } from "./text.ts";

export async function main(args: string[]): Promise<void> {
  try {
    process.exitCode = await run(args);
  } catch (error) {
    // Anything else is a defect of the client: its stack helps.
    if (!(error instanceof ClientError)) throw error;
    process.stderr.write(`error: ${onOneLine(error.message)}\n`);
    process.exitCode = error.exitCode;
  }
}

async function run(args: string[]): Promise<ExitCode> {
  refuseToken(args);
  const name = commandIn(args);
  const command = name === null ? null : commandNamed(name, COMMANDS);
  const { positionals, values } = parsed(args, command);
  const given = new Arguments(positionals.slice(1), values);
  const screen = new Screen({ isJson: given.has("json"), isWide: given.has("wide"), isAgreed: given.has("yes") });
  if (given.has("version")) {
    screen.print([packageVersion()]);
    return EXIT.done;
  }
  if (command === null || given.has("help")) {
    screen.print(command === null ? helpOfAll(COMMANDS) : helpOf(command));
    return given.has("help") ? EXIT.done : EXIT.usage;
  }
  const plan = command.prepare(given);
  const { TLS_SESSIONS_PROXY: fromEnvironment, TLS_SESSIONS_TOKEN: tokenInEnvironment } = process.env;
  const proxies = chosenProxies({ urls: given.texts("proxy"), file: given.text("proxies"), fromEnvironment });
  const token = chosenToken(tokenInEnvironment, given.text("token-file"));
  return runPlan(
    plan,
    proxies.map((proxy) => new Api(proxy, token)),
    screen,
  );
}

/** Other users of the machine see arguments, and the shell keeps them. */
function refuseToken(args: string[]): void {
  const end = args.indexOf("--");
  if (!args.slice(0, end < 0 ? args.length : end).some((arg) => arg === "--token" || arg.startsWith("--token=")))
    return;
  throw new UsageError(
    "--token is not taken: ps shows arguments to every user of the machine, and the shell keeps them in its history; " +
      "set TLS_SESSIONS_TOKEN, or name a file with --token-file FILE",
  );
}

/** The first argument that is neither an option nor its value. */
function commandIn(args: string[]): string | null {
  const options = Object.assign({}, ...COMMANDS.map((command) => command.options ?? {}), GLOBAL_OPTIONS) as Record<
    string,
    Option
  >;
  const { positionals } = parseArgs({ args, options: forParser(options), strict: false, allowPositionals: true });
  return positionals[0] ?? null;
}

function parsed(args: string[], command: Command | null): ReturnType<typeof parseArgs> {
  const options = { ...GLOBAL_OPTIONS, ...command?.options };
  try {
    return parseArgs({ args, options: forParser(options), allowPositionals: true });
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (!code.startsWith("ERR_PARSE_ARGS_")) throw error;
    const fault = (message.split(". ")[0] ?? message).replace(/'/g, '"').replace(/^U/, "u").replace(/^O/, "o");
    throw new UsageError(`${fault}; see: tls-sessions help${command === null ? "" : ` ${command.name}`}`);
  }
}

function forParser(options: Record<string, Option>): NonNullable<ParseArgsConfig["options"]> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { value, isRepeated = false, short }]) => [
      name,
      {
        type: value === undefined ? "boolean" : "string",
        multiple: isRepeated,
        ...(short === undefined ? {} : { short }),
      } as const,
    ]),
  );
}
