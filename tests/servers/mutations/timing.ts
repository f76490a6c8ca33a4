/** Mutations of the times of writes, of early data and its records, and of records before the client's Finished. */
import type { EarlyRecord } from "../client/plan.ts";
import { record } from "../client/records.ts";
import { placeOf } from "./records.ts";
import { bytesOf, numberOf, type Operation } from "./step.ts";

export const TIMING_OPERATIONS: Operation[] = [
  {
    name: "wire.pause",
    weight: 7,
    make: (random) => {
      const at =
        random.below(2) === 0
          ? { thousandth: random.below(1001) }
          : { byte: random.pick([1, 2, 3, 4, 5, 6, 9, 10, 11, 43, 44, -1, -2]) };
      return {
        ...at,
        milliseconds: random.below(25) === 0 ? random.pick([900, 1000, 1050, 1200]) : random.pick([0, 0, 5, 5, 50]),
      };
    },
    apply: ({ flight }, step) =>
      flight.pauses.push({ at: placeOf(step), milliseconds: numberOf(step, "milliseconds") }),
  },
  {
    name: "wire.half_close",
    weight: 0.7,
    firstOnly: true,
    make: () => ({}),
    apply: ({ plan }) => {
      plan.halfClose = true;
    },
  },
  {
    name: "wire.before_finished",
    weight: 1,
    firstOnly: true,
    make: (random) => ({ type: random.pick([20, 21, 22, 23, 24]), body: random.pick(["", "01", "015a", "00"]) }),
    apply: ({ plan }, step) => {
      plan.beforeFinished.push(record(numberOf(step, "type"), 0x0303, bytesOf(step, "body")));
    },
  },
  {
    name: "early.odd_record",
    weight: 12,
    bases: ["early"],
    firstOnly: true,
    make: (random) => ({
      type: random.pick([20, 20, 21, 22, 22, 23, 24, 99]),
      body: random.pick(["", "01", "01", "015a", "00", "0000"]),
      version: random.pick([0x0303, 0x0303, 0x0301, 0x0300, 0x0400]),
      at: random.below(3),
    }),
    apply: ({ plan }, step) => {
      const plain = record(numberOf(step, "type"), numberOf(step, "version"), bytesOf(step, "body"));
      plan.earlyData.splice(numberOf(step, "at"), 0, { plain });
    },
  },
  {
    name: "early.bytes",
    weight: 3,
    bases: ["early"],
    firstOnly: true,
    make: (random) => ({ bytes: random.bytes(random.pick([1, 3, 5, 20])).toString("hex") }),
    apply: ({ plan }, step) => {
      plan.earlyData.push({ plain: bytesOf(step, "bytes") });
    },
  },
  {
    name: "early.crumbs",
    weight: 2,
    bases: ["early"],
    firstOnly: true,
    make: (random) => ({ size: random.pick([1, 5, 20]) }),
    apply: ({ plan }, step) => {
      const size = numberOf(step, "size");
      plan.earlyData = plan.earlyData.flatMap((one): EarlyRecord[] => {
        if ("plain" in one) return [one];
        const pieces = Array.from({ length: Math.ceil(one.sealed.length / size) }, (_, index) =>
          one.sealed.subarray(index * size, (index + 1) * size),
        );
        return pieces.map((sealed) => ({ sealed }));
      });
    },
  },
  {
    name: "retry.unasked",
    weight: 5,
    bases: ["retry"],
    firstOnly: true,
    make: () => ({}),
    apply: ({ plan }) => {
      plan.secondUnasked = true;
    },
  },
];
