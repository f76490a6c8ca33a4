import { Chance } from "../../../assembly/bytes/chance";
import { encodeHex } from "../../../assembly/bytes/hex";
import { ProtobufReader } from "../../../assembly/bytes/protobuf_reader";
import { ProtobufWriter } from "../../../assembly/bytes/protobuf_writer";

const CAPACITY: i32 = 4096;
const BUFFER: usize = heap.alloc(CAPACITY);
const TEXT: usize = heap.alloc(CAPACITY);
const READER = new ProtobufReader();
const WRITER = new ProtobufWriter(BUFFER, CAPACITY);

function written(): string {
  const out = new Uint8Array(2 * WRITER.length);
  encodeHex(BUFFER, WRITER.length, out.dataStart);
  return String.UTF8.decode(out.buffer);
}

/** Fills TEXT with random bytes. */
function fill(chance: Chance, length: i32): void {
  for (let i = 0; i < length; i++) store<u8>(TEXT + i, <u8>chance.next());
}

describe("the writer of protobuf", () => {
  it("writes the examples of the specification", () => {
    WRITER.clear();
    WRITER.number(1, 150);
    expect(written()).toBe("089601");
    WRITER.clear();
    const testing = String.UTF8.encode("testing");
    WRITER.bytes(2, changetype<usize>(testing), testing.byteLength);
    expect(written()).toBe("120774657374696e67");
    WRITER.clear();
    const mark = WRITER.begin(3);
    WRITER.number(1, 150);
    WRITER.end(mark);
    expect(written()).toBe("1a03089601");
  });

  it("writes messages that the reader reads as they were, nested ones too, and fails on them cut at any byte", () => {
    const chance = new Chance(7);
    let differences = 0;
    let unnoticed = 0;
    for (let round = 0; round < 2_000; round++) {
      const number = chance.next() >> (<u64>chance.below(64));
      const length = chance.below(300);
      fill(chance, length);
      const field = (<u32>chance.next()) >> (3 + chance.below(28)) || 1;
      WRITER.clear();
      const outer = WRITER.begin(field);
      WRITER.number(field, number);
      const inner = WRITER.begin(2);
      WRITER.bytes(16, TEXT, length);
      WRITER.end(inner);
      WRITER.end(outer);
      const whole = WRITER.length;
      if (WRITER.overflowed || !holds(whole, field, number, length)) differences++;
      for (let cut = 1; cut < whole; cut++) if (holds(cut, field, number, length)) unnoticed++;
    }
    expect(differences).toBe(0);
    expect(unnoticed).toBe(0);
  });

  it("never writes outside of its buffer, and reports that a message does not fit", () => {
    const chance = new Chance(3);
    let wrong = 0;
    for (let room = 0; room < 80; room++) {
      memory.fill(BUFFER, 0xaa, CAPACITY);
      const writer = new ProtobufWriter(BUFFER, room);
      const mark = writer.begin(1);
      writer.number(2, chance.next() >> 40);
      writer.bytes(3, TEXT, 40);
      writer.end(mark);
      writer.number(4, 1);
      for (let i = room; i < 200; i++) if (load<u8>(BUFFER + i) != 0xaa) wrong++;
      if (!writer.overflowed && writer.length > room) wrong++;
      if (room < 40 && !writer.overflowed) wrong++;
      if (room > 60 && writer.overflowed) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it("goes back to an earlier length", () => {
    const writer = new ProtobufWriter(BUFFER, 8);
    writer.number(1, 1);
    const kept = writer.length;
    writer.bytes(2, TEXT, 100);
    expect(writer.overflowed).toBe(true);
    writer.truncate(kept);
    writer.number(3, 1);
    expect(writer.overflowed).toBe(false);
    expect(writer.length).toBe(4);
  });
});

/** Whether the first `size` bytes are the message of the property above. */
function holds(size: i32, field: u32, number: u64, length: i32): bool {
  READER.open(BUFFER, size);
  if (!READER.next() || READER.field != field || !READER.isBytes) return false;
  const outer = new ProtobufReader();
  outer.enter(READER);
  if (!outer.next() || outer.field != field || outer.number != number) return false;
  if (!outer.next() || outer.field != 2) return false;
  const inner = new ProtobufReader();
  inner.enter(outer);
  if (!inner.next() || inner.field != 16 || inner.length != length) return false;
  if (memory.compare(inner.bytes, TEXT, length) != 0) return false;
  return !inner.next() && !outer.next() && !READER.next() && !inner.failed && !outer.failed && !READER.failed;
}
