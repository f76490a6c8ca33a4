import { sipHash13 } from "../../../assembly/bytes/siphash";

const INPUT: usize = memory.data(64, 8);

describe("SipHash-1-3", () => {
  it("equals another implementation, for every length of the last word", () => {
    // CPython 3.11, whose hash of bytes is SipHash-1-3 with a key of zeros under PYTHONHASHSEED=0:
    //   for n in (1, 7, 8, 9, 32, 33): print(n, hex(hash(bytes(range(1, n + 1))) & (2**64 - 1)))
    for (let i = 0; i < 64; i++) store<u8>(INPUT + i, <u8>(i + 1));
    expect(sipHash13(0, 0, INPUT, 1)).toBe(0x44bc103b1f8540ed);
    expect(sipHash13(0, 0, INPUT, 7)).toBe(0xb1cd85cc334196fa);
    expect(sipHash13(0, 0, INPUT, 8)).toBe(0x884ccc87cb0e5fb0);
    expect(sipHash13(0, 0, INPUT, 9)).toBe(0x27ed508fe95acb3);
    expect(sipHash13(0, 0, INPUT, 32)).toBe(0x225145c032cf0d8b);
    expect(sipHash13(0, 0, INPUT, 33)).toBe(0x229e4c3e12208140);
  });

  it("depends on each half of the key", () => {
    const hash = sipHash13(0, 0, INPUT, 32);
    expect(sipHash13(1, 0, INPUT, 32) == hash).toBe(false);
    expect(sipHash13(0, 1, INPUT, 32) == hash).toBe(false);
  });
});
