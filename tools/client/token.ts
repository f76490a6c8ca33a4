/** The token of the caller: TLS_SESSIONS_TOKEN, else --token-file FILE. It is never an argument, and no error repeats it. */
import { UsageError } from "./client_error.ts";
import { readFile } from "./proxies.ts";

/** Null if none is given, as for an API with `allow_unauthenticated`. */
export function chosenToken(fromEnvironment: string | undefined, file: string | null): string | null {
  if ((fromEnvironment ?? "") !== "") return checked(fromEnvironment ?? "", "TLS_SESSIONS_TOKEN");
  if (file === null) return null;
  return checked(readFile(file, "--token-file").trim(), `--token-file ${file}`);
}

function checked(token: string, source: string): string {
  if (/^[A-Za-z0-9._~+/-]+=*$/.test(token)) return token;
  throw new UsageError(
    `${source}: this is not one token; a token has letters, digits and . _ ~ + / - only (a bearer token, RFC 6750)`,
  );
}
