import { PARSE_ERRORS, parseErrorName } from "../../../../assembly/tls/wire/parse_error";

describe("the names of parse errors", () => {
  it("are one for each value, and fit a metric label", () => {
    const names = new Set<string>();
    for (let error = 0; error < PARSE_ERRORS; error++) {
      const name = parseErrorName(error);
      expect(name == "none").toBe(error == 0, name);
      names.add(name);
      for (let i = 0; i < name.length; i++) {
        const code = name.charCodeAt(i);
        expect(code == 0x5f || (code >= 0x61 && code <= 0x7a)).toBe(true, name);
      }
    }
    expect(names.size).toBe(PARSE_ERRORS);
  });

  it("end where the count says", () => {
    expect(parseErrorName(PARSE_ERRORS - 1)).not.toBe("none");
    expect(parseErrorName(PARSE_ERRORS)).toBe("none");
  });
});
