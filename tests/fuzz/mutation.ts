/**
 * Changes an input: one to eight small changes, to the bytes of a step or to the order of steps. Returns a copy, bounded by
 * the target's `maxStepLength` and MAX_STEPS.
 */
import type { Random } from "../support/random.ts";
import type { Input, Step, Target } from "./input.ts";

/** `other`: an input to take pieces from. */
export function mutated(random: Random, target: Target, input: Input, other: Input): Input {
  let result = input.slice();
  for (let changes = 1 << random.below(4); changes > 0; changes--) {
    result = random.below(5) === 0 ? rearranged(random, target, result, other) : damaged(random, target, result, other);
  }
  return result.slice(0, MAX_STEPS);
}

function rearranged(random: Random, target: Target, input: Input, other: Input): Input {
  const at = random.below(input.length);
  const step = input[at];
  const foreign = other[random.below(other.length)];
  if (step === undefined) return foreign === undefined ? input : [foreign];
  switch (random.below(8)) {
    case 0: // one left out
      return input.length > 1 ? input.toSpliced(at, 1) : input;
    case 1: // one repeated
      return input.toSpliced(at, 0, step);
    case 2: {
      // two swapped
      const to = random.below(input.length);
      return input.with(at, input[to] ?? step).with(to, step);
    }
    case 3:
    case 4: {
      // one in two pieces
      const cut = random.below(step.bytes.length + 1);
      const { kind, bytes } = step;
      return input.toSpliced(at, 1, { kind, bytes: bytes.subarray(0, cut) }, { kind, bytes: bytes.subarray(cut) });
    }
    case 5: // another kind
      return input.with(at, { ...step, kind: random.below(target.kinds) });
    case 6: // one of another input
      return foreign === undefined ? input : input.toSpliced(at, random.below(2), foreign);
    default: // the end of another input
      return [...input.slice(0, at), ...other.slice(random.below(other.length))];
  }
}

function damaged(random: Random, target: Target, input: Input, other: Input): Input {
  const at = random.below(input.length);
  const step = input[at];
  if (step === undefined) return input;
  const bytes = changed(random, target, step.bytes, other);
  return input.with(at, { kind: step.kind, bytes: bytes.subarray(0, target.maxStepLength) });
}

function changed(random: Random, target: Target, from: Buffer, other: Input): Buffer {
  const { length } = from;
  // Half of the time among the first bytes, which are headers and lengths.
  const at = random.below(random.below(2) === 0 ? length + 1 : Math.min(length + 1, 160));
  const span = 1 + random.below(Math.min(Math.max(length - at, 1), 64));
  const copy = Buffer.from(from);
  switch (random.below(11)) {
    case 0: // one bit
      if (at < length) copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
      return copy;
    case 1: // a boundary value
      if (at < length) copy[at] = random.pick(EDGES);
      return copy;
    case 2: // a little more or less
      if (at < length) copy[at] = (copy[at] ?? 0) + random.below(9) - 4;
      return copy;
    case 3: // random bytes
      random.bytes(Math.min(span, length - at)).copy(copy, at);
      return copy;
    case 4: // bytes left out
      return Buffer.concat([from.subarray(0, at), from.subarray(at + span)]);
    case 5: // bytes repeated
      return Buffer.concat([from.subarray(0, at + span), from.subarray(at)]);
    case 6: // the end left out
      return random.below(4) === 0 ? copy.subarray(0, at) : copy;
    case 7: // a length or another number of two bytes, a little changed
      if (at + 2 <= length) copy.writeUInt16BE((copy.readUInt16BE(at) + random.below(65) - 32) & 0xffff, at);
      return copy;
    case 8: {
      // a meaningful piece
      const piece = target.dictionary.length === 0 ? random.bytes(2) : random.pick(target.dictionary);
      const over = random.below(2) === 0 ? piece.length : 0;
      return Buffer.concat([from.subarray(0, at), piece, from.subarray(at + over)]);
    }
    case 9: {
      // a piece of another input
      const donor: Step | undefined = other[random.below(other.length)];
      if (donor === undefined) return copy;
      const start = random.below(donor.bytes.length + 1);
      const piece = donor.bytes.subarray(start, start + span);
      const over = random.below(2) === 0 ? piece.length : 0;
      return Buffer.concat([from.subarray(0, at), piece, from.subarray(at + over)]);
    }
    default: // bytes inserted
      return Buffer.concat([from.subarray(0, at), random.bytes(1 + random.below(8)), from.subarray(at)]);
  }
}

const MAX_STEPS = 40;
const EDGES = [0x00, 0x01, 0x02, 0x03, 0x04, 0x0e, 0x10, 0x14, 0x15, 0x16, 0x17, 0x20, 0x21, 0x22, 0x7f, 0x80, 0xff];
