import { MAX_LIVE_MEMORY } from "../../../assembly/tls/wire/limits";
import { allocateBlock, liveHandshakeBytes, releaseBlock } from "../../../assembly/tls/memory";
import { fuzz } from "../../fuzz/handshake_fuzz";

describe("a damaged exchange, or random bytes", () => {
  it("gives one answer however it is cut, reads nothing outside, and leaves no memory behind", () => {
    expect(fuzz(0x5eed, 3000)).toBe(0);
    expect(liveHandshakeBytes()).toBe(0);
  });

  it("does so as well where there is memory for the server's answer alone", () => {
    const all = allocateBlock(MAX_LIVE_MEMORY);
    expect(fuzz(0xface, 1500)).toBe(0);
    releaseBlock(all, MAX_LIVE_MEMORY);
    expect(liveHandshakeBytes()).toBe(0);
  });
});
