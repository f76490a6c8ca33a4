/**
 * Puts counters into a compiled module, so that a fuzzer sees which of its blocks an input has run, and how often.
 *
 * A counter is a byte of linear memory. Code raises it by one at each point that control may reach from elsewhere: at the
 * beginning of a function and of each `loop`, `if` and `else`, and after each `end` and `br_if`. That code leaves the
 * stack unchanged, so it may stand between any two instructions, and only the sizes in front of it change. Counters lie at
 * COUNTERS_FROM to COUNTERS_END. The module must be compiled with its static data above them (`--memoryBase`).
 *
 * Reads the instructions that AssemblyScript emits: WebAssembly 1.0, sign extension, saturating conversion, bulk memory
 * (core specification, section 5.4). Any other instruction is an error, never a guess. Cost: 0.1 s for each 100 KB.
 */

export const COUNTERS_FROM = 4096;
export const COUNTERS_END = 65_536;

export interface Counted {
  wasm: Uint8Array<ArrayBuffer>;
  /** How many counters there are, a byte each, from COUNTERS_FROM on. */
  counters: number;
}

export function withCounters(wasm: Uint8Array): Counted {
  const reader = new Reader(wasm);
  const out: number[] = [];
  reader.copy(out, 8);
  const next = { counter: 0 };
  while (!reader.atEnd) {
    const section = reader.byte();
    const length = reader.u32();
    const body = reader.take(length);
    const written = section === CODE_SECTION ? code(new Reader(body), next) : body;
    out.push(section, ...leb(written.length));
    append(out, written);
  }
  return { wasm: Uint8Array.from(out), counters: next.counter };
}

function code(reader: Reader, next: { counter: number }): number[] {
  const out: number[] = [];
  const functions = reader.u32();
  out.push(...leb(functions));
  for (let i = 0; i < functions; i++) {
    const length = reader.u32();
    const written = functionBody(new Reader(reader.take(length)), next);
    out.push(...leb(written.length));
    append(out, written);
  }
  return out;
}

function functionBody(reader: Reader, next: { counter: number }): number[] {
  const out: number[] = [];
  const groups = reader.u32();
  out.push(...leb(groups));
  for (let i = 0; i < groups; i++) {
    const from = reader.at;
    reader.u32();
    reader.byte();
    reader.copyFrom(out, from);
  }
  count(out, next);
  while (!reader.atEnd) {
    const from = reader.at;
    const opcode = reader.byte();
    skipImmediates(reader, opcode);
    reader.copyFrom(out, from);
    if (COUNTED.has(opcode) && !reader.atEnd) count(out, next);
  }
  return out;
}

/** Writes `counter += 1`, without an effect on the stack. */
function count(out: number[], next: { counter: number }): void {
  const at = COUNTERS_FROM + next.counter++;
  if (at >= COUNTERS_END) throw new Error("the module has more blocks than there are counters");
  const address = leb(at);
  out.push(0x41, 0, 0x41, 0, 0x2d, 0, ...address, 0x41, 1, 0x6a, 0x3a, 0, ...address);
}

function skipImmediates(reader: Reader, opcode: number): void {
  if (opcode >= 0x45 && opcode <= 0xc4) return;
  if (opcode >= 0x28 && opcode <= 0x3e) {
    reader.u32();
    reader.u32();
    return;
  }
  switch (opcode) {
    case 0x00: // unreachable
    case 0x01: // nop
    case 0x05: // else
    case 0x0b: // end
    case 0x0f: // return
    case 0x1a: // drop
    case 0x1b: // select
      return;
    case 0x02: // block
    case 0x03: // loop
    case 0x04: // if
    case 0x0c: // br
    case 0x0d: // br_if
    case 0x10: // call
    case 0x20: // local.get
    case 0x21: // local.set
    case 0x22: // local.tee
    case 0x23: // global.get
    case 0x24: // global.set
    case 0x3f: // memory.size
    case 0x40: // memory.grow
    case 0x41: // i32.const
    case 0x42: // i64.const
      reader.leb();
      return;
    case 0x11: // call_indirect
      reader.u32();
      reader.u32();
      return;
    case 0x0e: // br_table
      for (let targets = reader.u32() + 1; targets > 0; targets--) reader.u32();
      return;
    case 0x43: // f32.const
      reader.take(4);
      return;
    case 0x44: // f64.const
      reader.take(8);
      return;
    case 0xfc:
      return skipLong(reader);
    default:
      throw new Error(`the instruction 0x${opcode.toString(16)} is not known here`);
  }
}

/** Saturating conversions have no immediates. In bulk memory, init and copy have two, drop and fill one. */
function skipLong(reader: Reader): void {
  const opcode = reader.u32();
  if (opcode <= 7) return;
  if (opcode > 11) throw new Error(`the instruction 0xfc ${opcode} is not known here`);
  reader.u32();
  if (opcode === 8 || opcode === 10) reader.u32();
}

class Reader {
  at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new Error("the module ends too early");
    return byte;
  }

  u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  /** Skips a number of any size and sign. */
  leb(): void {
    while (this.byte() >= 0x80);
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw new Error("the module ends too early");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  copy(out: number[], length: number): void {
    append(out, this.take(length));
  }

  copyFrom(out: number[], from: number): void {
    append(out, this.bytes.subarray(from, this.at));
  }
}

function append(out: number[], bytes: Iterable<number>): void {
  for (const byte of bytes) out.push(byte);
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}

const CODE_SECTION = 10;
/** loop, if, else, end, br_if: the code behind each may run or not, whatever else runs. */
const COUNTED: ReadonlySet<number> = new Set([0x03, 0x04, 0x05, 0x0b, 0x0d]);
