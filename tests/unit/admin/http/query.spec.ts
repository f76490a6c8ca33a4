import { decodeComponent, Query } from "../../../../assembly/admin/http/query";
import { wholeNumber } from "../../../../assembly/admin/http/whole_number";

function queryOf(text: string): Query {
  const query = new Query();
  query.read(text);
  return query;
}

describe("a query", () => {
  it("has names and values without their encoding", () => {
    const query = queryOf("sni=shop%2eexample&up+stream=%5B%3a%3A1%5D%3A443&e=&f&&g==");
    expect(query.error).toBe("");
    expect(query.value("sni")!).toBe("shop.example");
    expect(query.value("up stream")!).toBe("[::1]:443");
    expect(query.value("e")!).toBe("");
    expect(query.value("f")!).toBe("");
    expect(query.value("g")!).toBe("=");
    expect(query.value("absent") === null).toBeTruthy();
  });

  it("is refused if a name comes twice, also if it is encoded", () => {
    expect(queryOf("a=1&b=2&a=1").error.includes('"a" is given twice')).toBeTruthy();
    expect(queryOf("a=1&%61=2").error.includes('"a" is given twice')).toBeTruthy();
  });

  it("is refused if its encoding is broken", () => {
    const texts = ["a=%", "a=%4", "a=%4g", "a=%zz", "%=1", "a=%ff", "a=%c3%28"];
    for (let i = 0; i < texts.length; i++) {
      expect(queryOf(texts[i]).error.includes("percent-encoded UTF-8")).toBeTruthy(texts[i]);
    }
    expect(queryOf("a=%c3%a9").value("a")!).toBe("é");
  });

  it("is refused if it has too many parameters", () => {
    expect(queryOf("a=1&".repeat(20)).error.includes("at most 16")).toBeTruthy();
  });
});

describe("a percent-encoded text", () => {
  it("keeps characters that are not encoded", () => {
    expect(decodeComponent("a-b_c~é")!).toBe("a-b_c~é");
    expect(decodeComponent("")!).toBe("");
    expect(decodeComponent("%00")!.length).toBe(1);
  });
});

describe("a whole number in a query", () => {
  it("is digits and nothing else, up to what 64 bits hold", () => {
    const texts = ["0", "7", "007", "18446744073709551615"];
    const values: u64[] = [0, 7, 7, u64.MAX_VALUE];
    for (let i = 0; i < texts.length; i++) {
      expect(wholeNumber(texts[i])!.isWhole(values[i], values[i])).toBe(true, texts[i]);
    }
    const none = ["", " 7", "7 ", "-7", "+7", "7.0", "1e3", "0x7", "\u0663", "seven"];
    for (let i = 0; i < none.length; i++) expect(wholeNumber(none[i]) === null).toBe(true, none[i]);
  });

  it("is within no bounds if it is larger, however many digits it has", () => {
    const texts = ["18446744073709551616", "36893488147419103239", "9".repeat(500), "1" + "0".repeat(64)];
    for (let i = 0; i < texts.length; i++)
      expect(wholeNumber(texts[i])!.isWhole(0, u64.MAX_VALUE)).toBe(false, texts[i]);
  });
});
