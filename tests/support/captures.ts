/**
 * The captured exchanges of tests/fixtures as the tests of the built module read them: what passed, and what its peers said of it. A
 * fixture that is missing or empty, or that is not named here, is an error.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Flight } from "../fake_host/fake_host.ts";

export interface Capture {
  name: string;
  /** full, id, ticket, psk or failed. */
  kind: string;
  /** As the API names it; undefined for one that failed. */
  protocol: string | undefined;
  /** The issued handle: a session ID, the SHA-256 of a ticket, its lifetime hint in seconds. */
  id: string | undefined;
  ticket: string | undefined;
  hint: number | undefined;
  sni: string;
  flights: Flight[];
}

export async function captures(): Promise<Capture[]> {
  const there = readdirSync(FOLDER).filter((file) => file.endsWith(".ts") && !TOOLS.includes(file));
  const wanted = STACKS.map((stack) => `${stack}.ts`);
  const odd = [...there.filter((file) => !wanted.includes(file)), ...wanted.filter((file) => !there.includes(file))];
  if (odd.length > 0) throw new Error(`fixtures that are missing, or not named here: ${odd.join(", ")}`);
  const all: Capture[] = [];
  for (const stack of STACKS) {
    const module = (await import(join(FOLDER, `${stack}.ts`))) as Record<string, string[]>;
    const read = readLines(Object.values(module).flat());
    if (read.length === 0) throw new Error(`the fixture ${stack} is empty`);
    all.push(...read);
  }
  return all;
}

/** tests/fixtures/capture.ts describes the lines. */
function readLines(lines: string[]): Capture[] {
  const all: Capture[] = [];
  for (const line of lines) {
    const [word, rest] = [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)];
    if (word === "name") all.push({ ...NOTHING_SAID, name: rest, flights: [] });
    const capture = all.at(-1);
    if (capture === undefined) throw new Error(`a fixture does not begin with a name: ${line}`);
    if (word === "expect") {
      const said = new Map(rest.split(" ").map((pair) => pair.split("=") as [string, string]));
      capture.kind = said.get("kind") ?? "";
      capture.protocol = PROTOCOLS[said.get("version") ?? ""];
      capture.id = said.get("id");
      capture.ticket = said.get("ticket");
      if (said.has("hint")) capture.hint = Number(said.get("hint"));
      capture.sni = said.get("sni") ?? capture.sni;
    }
    if (word === ">") capture.flights.push({ from: "client", bytes: Buffer.from(rest, "hex") });
    if (word === "<") capture.flights.push({ from: "server", bytes: Buffer.from(rest, "hex") });
  }
  return all;
}

const FOLDER = join(import.meta.dirname, "../fixtures");
/** Makers of fixtures are not fixtures. */
const TOOLS = ["capture.ts", "recorder.ts", "refusals.ts", "tickets.ts", "workbench.ts"];
const STACKS = [
  ...["boringssl", "botan", "chromium", "conscrypt", "curl", "erlang", "firefox", "gnutls", "go", "java", "mbedtls"],
  ...["node", "nss", "openssl35", "openssl_tls12", "openssl_tls13", "rustls", "tlslite", "wolfssl"],
];
const PROTOCOLS: Record<string, string> = { "301": "TLSv1", "302": "TLSv1.1", "303": "TLSv1.2", "304": "TLSv1.3" };
const NOTHING_SAID = {
  kind: "",
  protocol: undefined,
  id: undefined,
  ticket: undefined,
  hint: undefined,
  sni: "shop.example",
};
