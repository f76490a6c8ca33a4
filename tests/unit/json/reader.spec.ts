import { JsonReader, MAX_DEPTH, MAX_MEMBERS, MAX_TEXT_LENGTH, MAX_VALUES } from "../../../assembly/json/reader";
import { JsonKind, JsonValue, NumberForm } from "../../../assembly/json/value";

function read(text: string): JsonValue | null {
  const bytes = String.UTF8.encode(text);
  return new JsonReader().read(changetype<usize>(bytes), bytes.byteLength);
}

function errorOf(text: string): string {
  const bytes = String.UTF8.encode(text);
  const reader = new JsonReader();
  const value = reader.read(changetype<usize>(bytes), bytes.byteLength);
  return value === null ? reader.error : "";
}

function errorOfBytes(bytes: StaticArray<u8>): string {
  const reader = new JsonReader();
  const value = reader.read(changetype<usize>(bytes), bytes.length);
  return value === null ? reader.error : "";
}

/** A string in double quotes around raw bytes. */
function quotedBytes(bytes: StaticArray<u8>): StaticArray<u8> {
  const text = new StaticArray<u8>(bytes.length + 2);
  text[0] = 0x22;
  for (let i = 0; i < bytes.length; i++) text[i + 1] = bytes[i];
  text[bytes.length + 1] = 0x22;
  return text;
}

describe("the JSON reader", () => {
  it("accepts the JSON of RFC 8259", () => {
    const texts: string[] = [
      "null",
      "true",
      "false",
      " \t\r\n0 ",
      "-0",
      "[]",
      "[ ]",
      "{}",
      "{ }",
      '""',
      '"a"',
      '[null,true,false,0,"",[],{}]',
      '{"":0}',
      '{"a":1,"b":[{"c":{}}]}',
      '{"a" : 1 , "b" : 2}',
      "[1.5,-1.5,0.1,1e5,1E5,1e+5,1e-5,1.25e-10,0e0,0E+1]",
      "123456789012345678901234567890",
      "1e999999999999",
      '"\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0041"',
      '"\\u0000"',
      '"\\ud83d\\ude00"',
      '"\\uD83D\\uDE00 é € 😀"',
      '"\u007f"',
    ];
    for (let i = 0; i < texts.length; i++) expect(errorOf(texts[i])).toBe("", texts[i]);
  });

  it("refuses other texts, each with a place", () => {
    const texts: string[] = [
      "",
      " ",
      "nul",
      "nulls",
      "True",
      "NaN",
      "Infinity",
      "-",
      "+1",
      "01",
      "-01",
      "1.",
      ".5",
      "1.e5",
      "1e",
      "1e+",
      "0x10",
      "1 2",
      "[",
      "[1",
      "[1,",
      "[1,]",
      "[,1]",
      "[1 2]",
      "]",
      "{",
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a":1,',
      '{"a":1,}',
      '{,"a":1}',
      '{"a" 1}',
      '{"a":1 "b":2}',
      "{a:1}",
      "{'a':1}",
      "{1:1}",
      "{} {}",
      "[]]",
      '"',
      '"a',
      '"\\"',
      '"\\x"',
      '"\\u12"',
      '"\\u12g4"',
      '"\\',
      '"\\u',
      '"\\ud800"',
      '"\\ud800x"',
      '"\\ud800\\n"',
      '"\\ud800\\u0041"',
      '"\\udc00"',
      '"\\udc00\\ud800"',
      '"\n"',
      '"\t"',
      '"\u0000"',
      '"\u001f"',
      "'a'",
      "/* c */ 1",
      "// c\n1",
      "\ufeff1",
      "\u00a01",
      "[1]x",
    ];
    for (let i = 0; i < texts.length; i++) {
      expect(errorOf(texts[i]).startsWith("line ")).toBeTruthy(texts[i]);
    }
  });

  it("refuses bytes that are not UTF-8", () => {
    const broken: StaticArray<u8>[] = [
      [0x80],
      [0xbf],
      [0xc0, 0x80],
      [0xc1, 0xbf],
      [0xc3],
      [0xc3, 0x28],
      [0xe0, 0x80, 0x80],
      [0xe0, 0x9f, 0xbf],
      [0xe2, 0x82],
      [0xe2, 0x28, 0xa1],
      [0xed, 0xa0, 0x80],
      [0xed, 0xbf, 0xbf],
      [0xf0, 0x80, 0x80, 0x80],
      [0xf0, 0x9f, 0x98],
      [0xf4, 0x90, 0x80, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
      [0xfe],
      [0xff],
    ];
    for (let i = 0; i < broken.length; i++) {
      expect(errorOfBytes(quotedBytes(broken[i]))).toBe("line 1, column 2: malformed UTF-8", i.toString());
    }
  });

  it("accepts the first and the last code point of every length of UTF-8", () => {
    const edges: StaticArray<u8>[] = [
      [0x7f],
      [0xc2, 0x80],
      [0xdf, 0xbf],
      [0xe0, 0xa0, 0x80],
      [0xed, 0x9f, 0xbf],
      [0xee, 0x80, 0x80],
      [0xef, 0xbf, 0xbf],
      [0xf0, 0x90, 0x80, 0x80],
      [0xf4, 0x8f, 0xbf, 0xbf],
    ];
    for (let i = 0; i < edges.length; i++) expect(errorOfBytes(quotedBytes(edges[i]))).toBe("", i.toString());
  });

  it("undoes escapes", () => {
    expect(read('"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\ude00"')!.text).toBe('"\\/\b\f\n\r\té€😀');
    expect(read('"a\\u0000b"')!.text.length).toBe(3);
  });

  it("keeps members and items in their order", () => {
    const value = read('{"b":[1,"x"],"a":true}')!;
    expect(value.kind).toBe(JsonKind.Object);
    expect(value.names.join(",")).toBe("b,a");
    expect(value.member("b")!.items.length).toBe(2);
    expect(value.member("b")!.items[1].text).toBe("x");
    expect(value.member("a")!.boolean).toBeTruthy();
    expect(value.member("c") === null).toBeTruthy();
  });

  it("reports where it stopped, in lines and characters", () => {
    expect(errorOf('{"timeout": 7200 "x": 1}')).toBe("line 1, column 18: expected ',' or '}'");
    expect(errorOf('{\n  "é": 1,\n  "b" 2}')).toBe("line 3, column 7: expected ':'");
    expect(errorOf('["é" x]')).toBe("line 1, column 6: expected ',' or ']'");
  });

  it("refuses a name twice, also if escapes hide it", () => {
    expect(errorOf('{"a":1,"a":1}')).toBe("line 1, column 8: this object has the name already; write each name once");
    expect(errorOf('{"a":1,"\\u0061":2}')).toBe(
      "line 1, column 8: this object has the name already; write each name once",
    );
    expect(errorOf('{"a":{"a":1}}')).toBe("");
  });
});

describe("a JSON number", () => {
  it("is exact up to 2^64-1", () => {
    expect(read("9007199254740993")!.number).toBe(9007199254740993);
    expect(read("18446744073709551615")!.number).toBe(u64.MAX_VALUE);
    expect(read("18446744073709551615")!.form).toBe(NumberForm.Whole);
    expect(read("18446744073709551616")!.form).toBe(NumberForm.Huge);
    expect(read("184467440737095516150")!.form).toBe(NumberForm.Huge);
    expect(read("1e19")!.number).toBe(10000000000000000000);
    expect(read("1e20")!.form).toBe(NumberForm.Huge);
  });

  it("counts by its value and not by its spelling", () => {
    expect(read("7200.0")!.number).toBe(7200);
    expect(read("72e2")!.number).toBe(7200);
    expect(read("0.72e4")!.number).toBe(7200);
    expect(read("7200000e-3")!.number).toBe(7200);
    expect(read("100.50e1")!.number).toBe(1005);
    expect(read("0.000")!.number).toBe(0);
    expect(read("0e999999999")!.number).toBe(0);
    expect(read("0e999999999")!.form).toBe(NumberForm.Whole);
    expect(read("-0.0")!.form).toBe(NumberForm.Whole);
  });

  it("is known to be a fraction, negative or huge", () => {
    expect(read("7200.5")!.form).toBe(NumberForm.Fraction);
    expect(read("1e-1")!.form).toBe(NumberForm.Fraction);
    expect(read("12e-1")!.form).toBe(NumberForm.Fraction);
    expect(read("1e-999999999999")!.form).toBe(NumberForm.Fraction);
    expect(read("1e999999999999")!.form).toBe(NumberForm.Huge);
    expect(read("-1")!.form).toBe(NumberForm.Negative);
    expect(read("-0.5")!.form).toBe(NumberForm.Negative);
  });

  it("is in a range only if it is whole", () => {
    expect(read("1")!.isWhole(1, 2)).toBeTruthy();
    expect(read("2.0")!.isWhole(1, 2)).toBeTruthy();
    expect(read("0")!.isWhole(1, 2)).toBeFalsy();
    expect(read("3")!.isWhole(1, 2)).toBeFalsy();
    expect(read("1.5")!.isWhole(1, 2)).toBeFalsy();
    expect(read("-1")!.isWhole(0, 2)).toBeFalsy();
    expect(read('"1"')!.isWhole(1, 2)).toBeFalsy();
    expect(read("true")!.isWhole(0, 2)).toBeFalsy();
  });
});

describe("the limits of the JSON reader", () => {
  it("bound the depth", () => {
    expect(errorOf("[".repeat(MAX_DEPTH) + "0" + "]".repeat(MAX_DEPTH))).toBe("");
    expect(errorOf("[".repeat(MAX_DEPTH + 1)).includes("nested deeper than 16 levels")).toBeTruthy();
    expect(errorOf('{"a":'.repeat(10000)).includes("nested deeper")).toBeTruthy();
  });

  it("bound the length", () => {
    expect(errorOf(" ".repeat(MAX_TEXT_LENGTH - 1) + "1")).toBe("");
    expect(errorOf(" ".repeat(MAX_TEXT_LENGTH) + "1").includes("longer than 65536 bytes")).toBeTruthy();
  });

  it("bound the number of values and of members", () => {
    expect(errorOf("[" + "0,".repeat(MAX_VALUES - 2) + "0]")).toBe("");
    expect(errorOf("[" + "0,".repeat(MAX_VALUES) + "0]").includes("more than 4096 values")).toBeTruthy();
    let members = "";
    for (let i = 0; i < MAX_MEMBERS; i++) members += '"' + i.toString() + '":0,';
    expect(errorOf("{" + members.substring(0, members.length - 1) + "}")).toBe("");
    expect(errorOf("{" + members + '"x":0}').includes("more than 256 members")).toBeTruthy();
  });
});

describe("the JSON reader on random input", () => {
  it("returns a value or an error for random bytes", () => {
    let state: u32 = 0x2545f491;
    const reader = new JsonReader();
    for (let round = 0; round < 3000; round++) {
      const length = round % 40;
      const bytes = new StaticArray<u8>(length);
      for (let i = 0; i < length; i++) {
        state = next(state);
        bytes[i] = <u8>(state >> 13);
      }
      const value = reader.read(changetype<usize>(bytes), length);
      expect((value === null) == reader.error.length > 0).toBeTruthy();
    }
  });

  it("returns a value or an error for random JSON tokens", () => {
    const tokens: string[] = [
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"\\u',
      "d83d",
      '"',
      "1",
      "-",
      ".",
      "e5",
      "null",
      " ",
      "\n",
    ];
    let state: u32 = 0x9e3779b9;
    for (let round = 0; round < 3000; round++) {
      let text = "";
      for (let i = 0; i < 12; i++) {
        state = next(state);
        text += tokens[(state >> 8) % tokens.length];
      }
      const bytes = String.UTF8.encode(text);
      const reader = new JsonReader();
      const value = reader.read(changetype<usize>(bytes), bytes.byteLength);
      expect((value === null) == reader.error.length > 0).toBeTruthy(text);
    }
  });

  it("refuses every text that was cut short", () => {
    const text = '{"mode":["SERVER",null,true],"n":-12.5e3,"s":"\\u00e9\\ud83d\\ude00é"}';
    const bytes = String.UTF8.encode(text);
    const reader = new JsonReader();
    expect(reader.read(changetype<usize>(bytes), bytes.byteLength) === null).toBeFalsy();
    for (let length = 0; length < bytes.byteLength; length++) {
      expect(reader.read(changetype<usize>(bytes), length) === null).toBeTruthy(length.toString());
    }
  });
});

/** xorshift32 */
function next(state: u32): u32 {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}
