/**
 * How a hello travels: messages in front of it and behind it, its records, other records in between, and the chunks of the
 * writes. Positions are bytes or thousandths of the length, so they fit a hello of any length.
 */
import type { Hello } from "./hello.ts";
import { HANDSHAKE, record } from "./records.ts";

export interface Place {
  /** From the beginning; from the end if negative. */
  byte?: number;
  thousandth?: number;
}

export interface Flight {
  hello: Hello;
  front: FrontMessage[];
  behind: FrontMessage[];
  cuts: Place[];
  /** Cuts the first `of` bytes into fragments of `size` bytes. */
  crumbs: { size: number; of: number } | undefined;
  inserts: Insert[];
  /** The version of the records that carry the handshake. */
  version: number;
  firstVersion: number | undefined;
  pauses: { at: Place; milliseconds: number }[];
}

export interface FrontMessage {
  bytes: Buffer;
  /** In its own record; else in the record of the hello. */
  ownRecord: boolean;
}

export interface Insert {
  where: "front" | "between" | "end";
  bytes: Buffer;
}

export interface Chunk {
  bytes: Buffer;
  /** The pause before the write. */
  milliseconds: number;
}

export function plainFlight(hello: Hello, version: number): Flight {
  return {
    hello,
    front: [],
    behind: [],
    cuts: [],
    crumbs: undefined,
    inserts: [],
    version,
    firstVersion: undefined,
    pauses: [],
  };
}

/** `end`: records that follow, such as early data. */
export function chunksOf(flight: Flight, hello: Buffer, end: Buffer[]): Chunk[] {
  const at = (where: Insert["where"]): Buffer[] =>
    flight.inserts.filter((insert) => insert.where === where).map(({ bytes }) => bytes);
  const own = (messages: FrontMessage[]): Buffer[] =>
    messages.filter(({ ownRecord }) => ownRecord).map(({ bytes }) => record(HANDSHAKE, flight.version, bytes));
  const joined = (messages: FrontMessage[]): Buffer[] =>
    messages.filter(({ ownRecord }) => !ownRecord).map(({ bytes }) => bytes);
  const handshake = Buffer.concat([...joined(flight.front), hello, ...joined(flight.behind)]);
  const fragments = cut(handshake, flight);
  const records = fragments.map((fragment, index) =>
    record(HANDSHAKE, index === 0 ? (flight.firstVersion ?? flight.version) : flight.version, fragment),
  );
  const between = at("between");
  const all = Buffer.concat([
    ...at("front"),
    ...own(flight.front),
    ...records.slice(0, 1),
    ...(records.length > 1 ? between : []),
    ...records.slice(1),
    ...(records.length > 1 ? [] : between),
    ...own(flight.behind),
    ...at("end"),
    ...end,
  ]);
  return paused(all, flight.pauses);
}

function cut(handshake: Buffer, { cuts, crumbs }: Flight): Buffer[] {
  const places = new Set(cuts.map((place) => offset(place, handshake.length)));
  if (crumbs !== undefined) {
    for (let at = crumbs.size; at < Math.min(crumbs.of, handshake.length); at += crumbs.size) places.add(at);
  }
  const fragments: Buffer[] = [];
  let from = 0;
  for (const to of [...places, handshake.length].sort((a, b) => a - b)) {
    while (from < to) {
      const end = Math.min(to, from + MAX_FRAGMENT_LENGTH);
      fragments.push(handshake.subarray(from, end));
      from = end;
    }
  }
  return fragments;
}

function paused(all: Buffer, pauses: Flight["pauses"]): Chunk[] {
  const sorted = pauses
    .map(({ at, milliseconds }) => ({ at: offset(at, all.length), milliseconds }))
    .sort((one, other) => one.at - other.at);
  const chunks: Chunk[] = [];
  let from = 0;
  let milliseconds = 0;
  for (const pause of sorted) {
    if (pause.at > from) {
      chunks.push({ bytes: all.subarray(from, pause.at), milliseconds });
      milliseconds = 0;
      from = pause.at;
    }
    milliseconds += pause.milliseconds;
  }
  chunks.push({ bytes: all.subarray(from), milliseconds });
  return chunks;
}

function offset({ byte, thousandth }: Place, length: number): number {
  const wanted = thousandth === undefined ? (byte ?? 0) : Math.floor((thousandth * length) / 1000);
  return Math.max(0, Math.min(length, wanted < 0 ? length + wanted : wanted));
}

const MAX_FRAGMENT_LENGTH = 16_384;
