import { CURSOR_SIZE, Cursor } from "../../../assembly/bytes/cursor";
import { Bytes } from "../support/hello_bytes";

const place = memory.data(CURSOR_SIZE, 8);
const bytes = Bytes.of("01 0203 040506 0708090a 0b0c0d");

function over(length: i32): Cursor {
  return Cursor.over(place, bytes.at, length);
}

describe("a cursor", () => {
  it("reads big-endian numbers of one to four bytes", () => {
    const cursor = over(13);
    expect(cursor.u8()).toBe(0x01);
    expect(cursor.u16()).toBe(0x0203);
    expect(cursor.u24()).toBe(0x040506);
    expect(cursor.u32()).toBe(0x0708090a);
    expect(cursor.left).toBe(3);
    expect(cursor.failed).toBe(false);
  });

  it("takes, passes over, and takes the rest", () => {
    const cursor = over(13);
    expect(cursor.take(2)).toBe(bytes.at);
    cursor.skip(4);
    expect(cursor.left).toBe(7);
    expect(cursor.rest()).toBe(bytes.at + 6);
    expect(cursor.left).toBe(0);
    expect(cursor.failed).toBe(false);
  });

  it("reads to the last byte and not beyond", () => {
    expect(over(1).u8()).toBe(1);
    expect(over(3).u24()).toBe(0x010203);
    expect(over(2).u24()).toBe(0);
    expect(over(3).u32()).toBe(0);
    expect(over(1).u16()).toBe(0);
    expect(over(0).u8()).toBe(0);
  });

  it("stays failed, with nothing left, after one read too many", () => {
    const cursor = over(3);
    cursor.u32();
    expect(cursor.failed).toBe(true);
    expect(cursor.left).toBe(0);
    expect(cursor.u8()).toBe(0);
    expect(cursor.take(0)).toBe(0);
    expect(cursor.rest()).toBe(0);
  });

  it("refuses negative lengths", () => {
    const taking = over(13);
    expect(taking.take(-1)).toBe(0);
    expect(taking.failed).toBe(true);
    const narrowing = over(13);
    narrowing.sub(-1);
    expect(narrowing.failed).toBe(true);
    expect(over(-1).failed).toBe(true);
  });

  it("reads a vector inside its own bounds", () => {
    const cursor = over(13);
    const outer = cursor.sub(<i32>cursor.u8());
    expect(cursor.left).toBe(1);
    expect(cursor.u8()).toBe(2);
    cursor.leave(outer);
    expect(cursor.failed).toBe(false);
    expect(cursor.left).toBe(11);
  });

  it("fails where a vector reaches past its surroundings, is left early, or is read too far", () => {
    const tooLong = over(3);
    tooLong.sub(4);
    expect(tooLong.failed).toBe(true);

    const early = over(13);
    const outer = early.sub(3);
    early.skip(2);
    early.leave(outer);
    expect(early.failed).toBe(true);

    const far = over(13);
    far.sub(1);
    expect(far.u16()).toBe(0);
    expect(far.failed).toBe(true);
  });
});
