/** Options of every command. */
import type { Option } from "./command.ts";

export const GLOBAL_OPTIONS: Record<string, Option> = {
  proxy: { value: "URL", isRepeated: true, about: "the admin API of a proxy; give it more than once for several" },
  proxies: { value: "FILE", about: "a file with one such URL a line" },
  "token-file": { value: "FILE", about: "a file that holds the token, if TLS_SESSIONS_TOKEN is not set" },
  json: { about: "print JSON: one document, or one a line for streams" },
  wide: { about: "print IDs in full and more columns, as wide as they are" },
  yes: { short: "y", about: "do not ask before a change of many sessions" },
  help: { short: "h", about: "print the help of the command" },
  version: { about: "print the version" },
};
