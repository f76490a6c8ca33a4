import { isEven } from "../../../../assembly/steering/hosts/evenness";

function even(counts: i32[]): bool {
  const all = new StaticArray<u32>(counts.length);
  let total: u32 = 0;
  let parts = 0;
  for (let i = 0; i < counts.length; i++) {
    all[i] = counts[i];
    total += all[i];
    if (all[i] > 0) parts++;
  }
  return isEven(all, counts.length, parts, total);
}

describe("counts", () => {
  it("are even if they differ as chance makes them differ", () => {
    expect(even([64, 64, 64, 64])).toBe(true);
    expect(even([78, 52, 70, 56])).toBe(true);
    expect(even([140, 116])).toBe(true);
  });

  it("are uneven if the shares were meant to differ", () => {
    expect(even([2, 84, 85, 85])).toBe(false);
    expect(even([85, 171])).toBe(false);
    expect(even([102, 51, 51, 52])).toBe(false);
  });

  it("say nothing if they are few, or if there is nobody to share with", () => {
    expect(even([1, 9])).toBe(true);
    expect(even([256])).toBe(true);
    expect(even([0, 256, 0])).toBe(true);
    expect(even([])).toBe(true);
  });
});
