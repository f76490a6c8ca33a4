import { decodeHex, decodeHexText, digit, digitValue, encodeHex } from "../../../assembly/bytes/hex";
import { Bytes } from "../support/hello_bytes";

const out = memory.data(64, 8);

function decode(text: string): i32 {
  const ascii = Bytes.text(text);
  return decodeHex(ascii.at, ascii.length, out);
}

describe("a hexadecimal digit", () => {
  it("is lower case", () => {
    expect(digit(0)).toBe(0x30);
    expect(digit(9)).toBe(0x39);
    expect(digit(10)).toBe(0x61);
    expect(digit(15)).toBe(0x66);
  });

  it("is read in either case, and nothing beside the digits is one", () => {
    let digits = 0;
    for (let code = 0; code < 256; code++) if (digitValue(code) >= 0) digits++;
    expect(digits).toBe(22);
    for (let value = 0; value < 16; value++) expect(digitValue(digit(<u8>value))).toBe(value);
    expect(digitValue(0x41)).toBe(10);
    expect(digitValue(0x46)).toBe(15);
    expect(digitValue(0x40)).toBe(-1);
    expect(digitValue(0x47)).toBe(-1);
    expect(digitValue(0x60)).toBe(-1);
    expect(digitValue(0x67)).toBe(-1);
    expect(digitValue(0x2f)).toBe(-1);
    expect(digitValue(0x3a)).toBe(-1);
  });
});

describe("hexadecimal text", () => {
  it("is two lower-case digits for each byte", () => {
    const bytes = Bytes.of("00 9f a0 ff");
    encodeHex(bytes.at, 4, out);
    expect(String.UTF8.decodeUnsafe(out, 8)).toBe("009fa0ff");
  });

  it("is decoded in either case", () => {
    expect(decode("00fFAb")).toBe(3);
    expect(load<u8>(out)).toBe(0x00);
    expect(load<u8>(out, 1)).toBe(0xff);
    expect(load<u8>(out, 2)).toBe(0xab);
    expect(decode("")).toBe(0);
  });

  it("is refused with an odd length or another character in either place", () => {
    expect(decode("abc")).toBe(-1);
    expect(decode("0g")).toBe(-1);
    expect(decode("g0")).toBe(-1);
    expect(decode("00 0")).toBe(-1);
    expect(decodeHex(out, -2, out)).toBe(-1);
  });

  it("of a caller is decoded up to its capacity, and refused if it is not ASCII", () => {
    expect(decodeHexText("00fFAb", out, 3)).toBe(3);
    expect(load<u8>(out, 1)).toBe(0xff);
    expect(load<u8>(out, 2)).toBe(0xab);
    expect(decodeHexText("", out, 3)).toBe(0);
    expect(decodeHexText("00fFAb", out, 2)).toBe(-1);
    expect(decodeHexText("00f", out, 3)).toBe(-1);
    expect(decodeHexText("0\u0130", out, 3)).toBe(-1);
    expect(decodeHexText("0\uff11", out, 3)).toBe(-1);
  });
});
