/**
 * The compared operations, random ones and those of a script. A script has one operation a line, and the slot of the session
 * ID as a number:
 *
 *   size 3                          cache size; also -1
 *   timeout 20                      default timeout in seconds; also 0
 *   mode SERVER,UPDATE_TIME         flags, or OFF
 *   add 4 timeout=10 protocol=TLSv1.1 sni=a.example        every field is optional
 *   remove 4
 *   flush all                       or `flush +5`: sessions that expire before now + 5 seconds; or `flush -5`
 *   pass 7                          seconds pass
 *   sweep                           five seconds pass, and expired sessions are cleared
 *   handshake 4 issue=7             the client offers session 4 (`-`: none); the server issues 7, or the next free one
 *   handshake 4 issue=7 how=external   see `How`
 */
import type { Random } from "../support/random.ts";

/**
 * How a handshake differs from the usual one. `broken-off`: the client leaves after the server's first flight. `unclean`: no
 * close_notify. `elsewhere`: the server requires another session ID context. `external`: the server finds the session,
 * although the cache does not hold it. `again`: the server issues an ID that the cache holds.
 */
export type How = "usual" | "broken-off" | "unclean" | "elsewhere" | "external" | "again";

export type Operation =
  | { kind: "size"; size: number }
  | { kind: "timeout"; seconds: number }
  | { kind: "mode"; flags: ModeFlag[] }
  | { kind: "add"; slot: number; fields: Fields }
  | { kind: "remove"; slot: number }
  | { kind: "flush"; offset: number | undefined }
  | { kind: "pass"; seconds: number }
  | { kind: "sweep" }
  | { kind: "handshake"; offered: number | undefined; issue: number; how: How };

export interface Fields {
  timeout?: number;
  protocol?: "TLSv1.2" | "TLSv1.1";
  sni?: string;
}

export type ModeFlag = keyof typeof MODE_FLAGS;

/** OpenSSL's numbers. */
export const MODE_FLAGS = {
  SERVER: 0x002,
  NO_AUTO_CLEAR: 0x080,
  NO_INTERNAL_LOOKUP: 0x100,
  NO_INTERNAL_STORE: 0x200,
  UPDATE_TIME: 0x400,
} as const;

export const SLOTS = 14;

/** A sequence of the given length. Sizes are small, times short and fields few, so that operations often interact. */
export function randomSequence(random: Random, length: number): Operation[] {
  const lastAdded = new Map<number, Fields>();
  const operations: Operation[] = [{ kind: "size", size: 1 + random.below(6) }];
  if (random.below(2) === 0) operations.push({ kind: "timeout", seconds: 5 + random.below(30) });
  while (operations.length < length) operations.push(randomOperation(random, lastAdded));
  return operations.slice(0, length);
}

function randomOperation(random: Random, lastAdded: Map<number, Fields>): Operation {
  const slot = random.below(SLOTS);
  const dice = random.below(100);
  if (dice < 34) return randomAdd(random, slot, lastAdded);
  if (dice < 44) return { kind: "remove", slot };
  if (dice < 77) return randomHandshake(random, slot);
  if (dice < 87) return { kind: "pass", seconds: random.below(3) === 0 ? 1 + random.below(30) : 1 + random.below(4) };
  if (dice < 90) return { kind: "sweep" };
  if (dice < 93) return { kind: "flush", offset: random.below(4) === 0 ? undefined : random.below(40) - 15 };
  if (dice < 96) return { kind: "size", size: random.pick(SIZES) };
  if (dice < 98) return { kind: "timeout", seconds: random.below(8) === 0 ? 0 : 2 + random.below(30) };
  return { kind: "mode", flags: randomMode(random) };
}

function randomAdd(random: Random, slot: number, lastAdded: Map<number, Fields>): Operation {
  const last = lastAdded.get(slot);
  if (last !== undefined && random.below(3) === 0) return { kind: "add", slot, fields: last };
  const fields: Fields = {};
  if (random.below(3) > 0) fields.timeout = random.pick(TIMEOUTS);
  if (random.below(4) === 0) fields.protocol = random.below(3) === 0 ? "TLSv1.1" : "TLSv1.2";
  if (random.below(4) === 0) fields.sni = random.pick(["a.example", "b.example"]);
  lastAdded.set(slot, fields);
  return { kind: "add", slot, fields };
}

function randomHandshake(random: Random, slot: number): Operation {
  const offered = random.below(12) === 0 ? undefined : slot;
  const dice = random.below(20);
  const how = HOWS[dice] ?? "usual";
  return { kind: "handshake", offered, issue: random.below(SLOTS), how };
}

function randomMode(random: Random): ModeFlag[] {
  if (random.below(6) === 0) return [];
  const others: ModeFlag[] = ["NO_AUTO_CLEAR", "NO_INTERNAL_LOOKUP", "NO_INTERNAL_STORE", "UPDATE_TIME"];
  return ["SERVER", ...others.filter(() => random.below(4) === 0)];
}

export function scriptOf(operations: readonly Operation[]): string {
  return operations.map(lineOf).join("\n");
}

export function lineOf(operation: Operation): string {
  switch (operation.kind) {
    case "size":
      return `size ${operation.size}`;
    case "timeout":
      return `timeout ${operation.seconds}`;
    case "mode":
      return `mode ${operation.flags.length === 0 ? "OFF" : operation.flags.join(",")}`;
    case "add": {
      const fields = Object.entries(operation.fields).map(([name, value]) => ` ${name}=${value}`);
      return `add ${operation.slot}${fields.join("")}`;
    }
    case "remove":
      return `remove ${operation.slot}`;
    case "flush":
      if (operation.offset === undefined) return "flush all";
      return `flush ${operation.offset < 0 ? "" : "+"}${operation.offset}`;
    case "pass":
      return `pass ${operation.seconds}`;
    case "sweep":
      return "sweep";
    case "handshake": {
      const how = operation.how === "usual" ? "" : ` how=${operation.how}`;
      return `handshake ${operation.offered ?? "-"} issue=${operation.issue}${how}`;
    }
  }
}

/** The reverse of `scriptOf`. It ignores empty lines, and comments from a # on. */
export function parseScript(text: string): Operation[] {
  return text
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "")
    .map(parseLine);
}

function parseLine(line: string): Operation {
  const [kind, ...rest] = line.split(/\s+/);
  const first = rest[0] ?? "";
  const named = new Map(rest.filter((word) => word.includes("=")).map((word) => word.split("=") as [string, string]));
  const number = (text: string | undefined): number => {
    if (!/^[-+]?\d+$/.test(text ?? "")) throw new Error(`a number is missing in "${line}"`);
    return Number(text);
  };
  const slot = (text: string | undefined): number => {
    const value = number(text);
    if (value < 0 || value >= SLOTS) throw new Error(`slots are 0 to ${SLOTS - 1}: "${line}"`);
    return value;
  };
  switch (kind) {
    case "size":
      return { kind, size: number(first) };
    case "timeout":
      return { kind, seconds: number(first) };
    case "mode": {
      const flags = first === "OFF" ? [] : first.split(",");
      if (flags.some((flag) => !(flag in MODE_FLAGS))) throw new Error(`an unknown flag in "${line}"`);
      return { kind, flags: flags as ModeFlag[] };
    }
    case "add": {
      const fields: Fields = {};
      if (named.has("timeout")) fields.timeout = number(named.get("timeout"));
      if (named.has("protocol")) fields.protocol = named.get("protocol") as "TLSv1.2" | "TLSv1.1";
      const sni = named.get("sni");
      if (sni !== undefined) fields.sni = sni;
      return { kind, slot: slot(first), fields };
    }
    case "remove":
      return { kind, slot: slot(first) };
    case "flush":
      return { kind, offset: first === "all" ? undefined : number(first) };
    case "pass":
      return { kind, seconds: number(first) };
    case "sweep":
      return { kind };
    case "handshake": {
      const how = (named.get("how") ?? "usual") as How;
      return { kind, offered: first === "-" ? undefined : slot(first), issue: slot(named.get("issue")), how };
    }
    default:
      throw new Error(`"${line}" is not an operation`);
  }
}

const SIZES = [-1, 0, 1, 1, 2, 2, 3, 4, 5, 6, 8];
const TIMEOUTS = [1, 5, 5, 10, 10, 20, 40];
const HOWS: How[] = ["broken-off", "unclean", "unclean", "elsewhere", "external", "external", "again"];
