import { fuzz } from "../../fuzz/handshake_fuzz";

describe("a damaged exchange", () => {
  it("gives one answer however it is cut, reads nothing outside, and leaves no memory behind", () => {
    expect(fuzz(0x5eed, 3000)).toBe(0);
  });
});
