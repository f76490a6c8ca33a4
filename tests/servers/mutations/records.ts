/** Mutations of records: cuts, versions, types, other records in between; and of the messages around a hello. */
import { message, record, uint16 } from "../client/records.ts";
import type { Random } from "../../support/random.ts";
import { bytesOf, hex, numberOf, type Operation, type Step } from "./step.ts";

const WHERE = ["front", "between", "end"] as const;
const VERSIONS = [
  0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x0000, 0x0002, 0x0200, 0x03ff, 0x0400, 0x7f12, 0xfefd, 0xffff,
];
/** Type and body of records that some server skips. */
const STRANGERS: readonly [number, string][] = [
  [22, ""],
  [22, ""],
  [21, "015a"],
  [21, "0164"],
  [21, "0100"],
  [21, "0129"],
  [21, "01"],
  [21, ""],
  [21, "015a015a"],
  [21, "025a"],
  [20, "01"],
  [20, "01"],
  [20, "00"],
  [20, ""],
  [20, "0101"],
  [23, ""],
  [23, "00"],
  [24, "010000"],
  [24, ""],
  [19, "00"],
  [25, "00"],
  [0, ""],
  [128, "0102"],
  [255, "ff"],
];

export const RECORD_OPERATIONS: Operation[] = [
  {
    name: "record.insert",
    weight: 10,
    make: (random) => {
      const [type, body] = random.pick(STRANGERS);
      const version = random.below(3) > 0 ? 0x0303 : random.pick(VERSIONS);
      const times = random.pick([1, 1, 1, 1, 2, 3, 4, 8, 31, 33]);
      return { type, body, version, times, where: random.below(3) };
    },
    apply: ({ flight }, step) => {
      const one = record(numberOf(step, "type"), numberOf(step, "version"), bytesOf(step, "body"));
      const bytes = Buffer.concat(Array.from({ length: numberOf(step, "times") }, () => one));
      flight.inserts.push({ where: WHERE[numberOf(step, "where") % WHERE.length]!, bytes });
    },
  },
  {
    name: "record.long",
    weight: 1,
    make: (random) => ({
      type: random.pick([20, 21, 22, 23, 24, 99]),
      length: random.pick([64, 300, 16_384, 16_385, 18_432]),
      where: random.below(3),
    }),
    apply: ({ flight }, step) => {
      const bytes = record(numberOf(step, "type"), 0x0303, Buffer.alloc(numberOf(step, "length"), 1));
      flight.inserts.push({ where: WHERE[numberOf(step, "where") % WHERE.length]!, bytes });
    },
  },
  {
    name: "record.cut",
    weight: 6,
    make: (random) =>
      random.below(2) === 0
        ? { thousandth: random.below(1001) }
        : { byte: random.pick([1, 2, 3, 4, 5, 6, 38, 39, -1, -2, -33]) },
    apply: ({ flight }, step) => flight.cuts.push(placeOf(step)),
  },
  {
    name: "record.crumbs",
    weight: 3,
    make: (random) => ({ size: random.pick([1, 1, 2, 3, 5, 16, 50]), of: random.pick([4, 6, 20, 60, 200, 4000]) }),
    apply: ({ flight }, step) => {
      flight.crumbs = { size: numberOf(step, "size"), of: numberOf(step, "of") };
    },
  },
  {
    name: "record.version",
    weight: 4,
    make: (random) => ({ version: random.pick(VERSIONS), firstOnly: random.below(3) === 0 }),
    apply: ({ flight }, step) => {
      if (step.firstOnly === true) flight.firstVersion = numberOf(step, "version");
      else flight.version = numberOf(step, "version");
    },
  },
  {
    name: "message.front",
    weight: 2,
    make: (random) => makeMessage(random),
    apply: ({ flight }, step) => flight.front.push(messageOf(step)),
  },
  {
    name: "message.behind",
    weight: 2,
    make: (random) => makeMessage(random),
    apply: ({ flight }, step) => flight.behind.push(messageOf(step)),
  },
  {
    name: "record.trailing",
    weight: 1,
    make: (random) => ({ body: hex(random.bytes(1 + random.below(6))) }),
    apply: ({ flight }, step) => flight.behind.push({ bytes: bytesOf(step, "body"), ownRecord: false }),
  },
  {
    name: "record.sslv2",
    weight: 0.3,
    firstOnly: true,
    // The header of an SSLv2 record in front, as an old client begins.
    make: (random) => ({ length: random.pick([0, 3, 46]) }),
    apply: ({ flight }, step) => {
      const body = Buffer.concat([Buffer.from([1, 3, 3]), uint16(0), Buffer.alloc(numberOf(step, "length"))]);
      flight.inserts.push({ where: "front", bytes: Buffer.concat([uint16(0x8000 | body.length), body]) });
    },
  },
];

export function placeOf(step: Step): { byte?: number; thousandth?: number } {
  if (typeof step.thousandth === "number") return { thousandth: step.thousandth };
  return { byte: numberOf(step, "byte") };
}

function makeMessage(random: Random): Omit<Step, "op"> {
  const type = random.pick([0, 0, 0, 1, 3, 4, 11, 20, 24, 67, 99, 254, 255]);
  const body = random.below(3) > 0 ? "" : hex(random.bytes(1 + random.below(8)));
  return { type, body, own: random.below(2) === 0 };
}

function messageOf(step: Step): { bytes: Buffer; ownRecord: boolean } {
  return { bytes: message(numberOf(step, "type"), bytesOf(step, "body")), ownRecord: step.own === true };
}
