import { quoted } from "../../../assembly/json/quote";
import { JsonReader } from "../../../assembly/json/reader";
import { JsonWriter } from "../../../assembly/json/writer";

function textOf(writer: JsonWriter): string {
  return String.UTF8.decodeUnsafe(writer.pointer, writer.length);
}

function writtenBytes(bytes: StaticArray<u8>): string {
  const writer = new JsonWriter();
  writer.bytes(changetype<usize>(bytes), bytes.length);
  return textOf(writer);
}

describe("the JSON writer", () => {
  it("puts commas and colons where they belong", () => {
    const writer = new JsonWriter();
    writer.beginObject();
    writer.name("a");
    writer.beginArray();
    writer.number(0);
    writer.number(u64.MAX_VALUE);
    writer.boolean(true);
    writer.boolean(false);
    writer.nothing();
    writer.beginArray();
    writer.endArray();
    writer.beginObject();
    writer.endObject();
    writer.string("x");
    writer.endArray();
    writer.name("b");
    writer.beginObject();
    writer.name("c");
    writer.string("");
    writer.endObject();
    writer.name("d");
    writer.document(["[1", ",2]"]);
    writer.endObject();
    expect(textOf(writer)).toBe('{"a":[0,18446744073709551615,true,false,null,[],{},"x"],"b":{"c":""},"d":[1,2]}');
  });

  it("escapes characters that could leave a string or a terminal's line", () => {
    expect(writtenBytes([0x22, 0x5c, 0x0a, 0x0d, 0x09, 0x00, 0x1b, 0x1f, 0x7f, 0x41])).toBe(
      '"\\"\\\\\\u000a\\u000d\\u0009\\u0000\\u001b\\u001f\\u007fA"',
    );
  });

  it("escapes invisible characters: C1 controls, line breaks of Unicode, and changes of direction", () => {
    // U+0080, U+009F; U+00A0 stays
    expect(writtenBytes([0xc2, 0x80, 0xc2, 0x9f, 0xc2, 0xa0])).toBe('"\\u0080\\u009f\u00a0"');
    // U+2028, U+202E, U+2066, U+200B, U+FEFF; U+2030 stays
    expect(writtenBytes([0xe2, 0x80, 0xa8, 0xe2, 0x80, 0xae, 0xe2, 0x81, 0xa6])).toBe('"\\u2028\\u202e\\u2066"');
    expect(writtenBytes([0xe2, 0x80, 0x8b, 0xef, 0xbb, 0xbf, 0xe2, 0x80, 0xb0])).toBe('"\\u200b\\ufeff\u2030"');
    // Four bytes
    expect(writtenBytes([0xf0, 0x9f, 0x98, 0x80])).toBe('"\ud83d\ude00"');
  });

  it("replaces each byte that is not UTF-8 and keeps the others", () => {
    expect(writtenBytes([0x61, 0xff, 0x62])).toBe('"a\ufffdb"');
    expect(writtenBytes([0xc3, 0xa9, 0xe2, 0x82])).toBe('"é\ufffd\ufffd"');
    expect(writtenBytes([0xed, 0xa0, 0x80])).toBe('"\ufffd\ufffd\ufffd"');
    expect(writtenBytes([0xc3, 0x22])).toBe('"\ufffd\\""');
  });

  it("writes bytes as lower-case hexadecimal", () => {
    const writer = new JsonWriter();
    const bytes: StaticArray<u8> = [0x00, 0x9f, 0xff];
    writer.hex(changetype<usize>(bytes), 3);
    expect(textOf(writer)).toBe('"009fff"');
  });

  it("grows as needed", () => {
    const writer = new JsonWriter();
    const long = "0123456789".repeat(1000);
    writer.beginArray();
    for (let i = 0; i < 20; i++) writer.string(long);
    writer.endArray();
    expect(writer.length).toBe(20 * 10003 + 1);
    expect(textOf(writer).endsWith(long + '"]')).toBeTruthy();
  });

  it("writes text that the reader reads, for any bytes", () => {
    let state: u32 = 0x1234567;
    const reader = new JsonReader();
    for (let round = 0; round < 1000; round++) {
      const bytes = new StaticArray<u8>(round % 32);
      for (let i = 0; i < bytes.length; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes[i] = <u8>(state >> 9);
      }
      const writer = new JsonWriter();
      writer.bytes(changetype<usize>(bytes), bytes.length);
      expect(reader.read(writer.pointer, writer.length) === null).toBeFalsy(reader.error);
    }
  });
});

describe("text from outside in a message", () => {
  it("is quoted, on one line and not long", () => {
    expect(quoted("a\nb")).toBe('"a\\u000ab"');
    expect(quoted("x".repeat(81))).toBe('"' + "x".repeat(80) + '..."');
    expect(quoted("x".repeat(80))).toBe('"' + "x".repeat(80) + '"');
  });
});
