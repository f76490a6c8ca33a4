import { accepts } from "../../../../assembly/admin/http/negotiation";

const GZIP: StaticArray<string> = ["gzip", "x-gzip", "*"];

describe("a header of preferences", () => {
  it("accepts what it lists, in any case and place", () => {
    const headers = [
      "gzip",
      "br, GZIP",
      "deflate,gzip;q=0.1",
      "br;q=1.0 , gzip ; q=1",
      "x-gzip",
      "*",
      "gzip;level=0",
      "gzip;q=0.001",
    ];
    for (let i = 0; i < headers.length; i++) expect(accepts(headers[i], GZIP)).toBe(true, headers[i]);
  });

  it("does not accept what it leaves out or excludes", () => {
    const headers = [
      "",
      ",",
      ";",
      "br",
      "gzipped",
      "identity, deflate",
      "gzip;q=0",
      "gzip; Q=0.000",
      "*;q=0",
      "br;q=1,*;q=0.0",
    ];
    for (let i = 0; i < headers.length; i++) expect(accepts(headers[i], GZIP)).toBe(false, headers[i]);
  });

  it("decides by the most exact name", () => {
    expect(accepts("*, gzip;q=0", GZIP)).toBe(false);
    expect(accepts("*;q=0, gzip", GZIP)).toBe(true);
  });

  it("accepts nothing if it is longer than any that browsers send", () => {
    expect(accepts("gzip" + ",br".repeat(300), GZIP)).toBe(true);
    expect(accepts("gzip" + ",br".repeat(400), GZIP)).toBe(false);
  });
});
