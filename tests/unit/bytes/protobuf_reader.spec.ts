import { Chance } from "../../../assembly/bytes/chance";
import { decodeHexText } from "../../../assembly/bytes/hex";
import { ProtobufReader } from "../../../assembly/bytes/protobuf_reader";

const CAPACITY: i32 = 4096;
const BUFFER: usize = heap.alloc(CAPACITY);
const READER = new ProtobufReader();

/** Opens the reader with a message in hexadecimal. */
function open(text: string): ProtobufReader {
  const length = decodeHexText(text, BUFFER, CAPACITY);
  READER.open(BUFFER, length);
  return READER;
}

/** Reads all fields of a message, and of those that it may hold; returns how many there were. */
function readAll(start: usize, length: i32, depth: i32): i32 {
  const reader = new ProtobufReader();
  reader.open(start, length);
  let count = 0;
  while (reader.next()) {
    count++;
    const inside = reader.bytes >= start && reader.bytes + reader.length <= start + length;
    if (reader.isBytes && !inside) return -1_000_000;
    if (reader.isBytes && depth > 0) count += readAll(reader.bytes, reader.length, depth - 1);
  }
  return count;
}

describe("the reader of protobuf", () => {
  it("reads the examples of the specification", () => {
    const reader = open("089601");
    expect(reader.next()).toBe(true);
    expect(reader.field).toBe(1);
    expect(reader.number).toBe(150);
    expect(reader.isBytes).toBe(false);
    expect(reader.next()).toBe(false);
    expect(reader.failed).toBe(false);

    open("120774657374696e67");
    expect(reader.next()).toBe(true);
    expect(reader.field).toBe(2);
    expect(String.UTF8.decodeUnsafe(reader.bytes, reader.length)).toBe("testing");

    open("1a03089601");
    expect(reader.next()).toBe(true);
    const nested = new ProtobufReader();
    nested.enter(reader);
    expect(nested.next()).toBe(true);
    expect(nested.number).toBe(150);
  });

  it("passes over numbers of 32 and 64 bits", () => {
    const reader = open("0d01000000" + "110200000000000080" + "1805");
    expect(reader.next()).toBe(true);
    expect(reader.number).toBe(1);
    expect(reader.next()).toBe(true);
    expect(reader.number).toBe(0x8000000000000002);
    expect(reader.next()).toBe(true);
    expect(reader.field).toBe(3);
    expect(reader.number).toBe(5);
  });

  it("reads the greatest number, and one that is longer than need be", () => {
    const reader = open("08ffffffffffffffffff01" + "08858000");
    expect(reader.next()).toBe(true);
    expect(reader.number).toBe(u64.MAX_VALUE);
    expect(reader.next()).toBe(true);
    expect(reader.number).toBe(5);
  });

  it("fails on a malformed message, and stays so", () => {
    const malformed = [
      "08", // a tag without a value
      "0880", // a number that does not end
      "08ffffffffffffffffff02", // 65 bits
      "08ffffffffffffffffffff01", // eleven bytes
      "1205616263", // fewer bytes than it says
      "12ffffffffffffffffff01", // a length of 2^64 - 1
      "12ffffffff0f00", // a length of 2^32 - 1
      "12ffffffff0700", // a length of 2^31 - 1
      "0d010000", // three bytes of 32 bits
      "1101000000000000", // seven bytes of 64 bits
      "0b", // the begin of a group
      "0c", // the end of one
      "0e00", // no such type
      "0f00",
      "0000", // field 0
      "808080808001", // field 2^32
    ];
    for (let i = 0; i < malformed.length; i++) {
      const reader = open(malformed[i]);
      expect(reader.next()).toBe(false, malformed[i]);
      expect(reader.failed).toBe(true, malformed[i]);
      expect(reader.next()).toBe(false, malformed[i]);
    }
  });

  it("never reads outside of a message, whatever its bytes", () => {
    const chance = new Chance(11);
    let outside = 0;
    let fields = 0;
    for (let round = 0; round < 20_000; round++) {
      const length = chance.below(64);
      for (let i = 0; i < length; i++) store<u8>(BUFFER + i, <u8>chance.next());
      const count = readAll(BUFFER, length, 2);
      if (count < 0) outside++;
      else fields += count;
    }
    expect(outside).toBe(0);
    expect(fields).toBeGreaterThan(5_000, "many rounds have some field");
  });

  it("reads an empty message as one without fields, and fails on a negative length", () => {
    READER.open(BUFFER, 0);
    expect(READER.next()).toBe(false);
    expect(READER.failed).toBe(false);
    READER.open(BUFFER, -1);
    expect(READER.next()).toBe(false);
    expect(READER.failed).toBe(true);
  });
});
