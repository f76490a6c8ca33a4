import { Probing } from "../../../../assembly/filters/steering/probing";

describe("what was found to be in vain", () => {
  it("is tried by the eighth, then by ever fewer, down to one in 64", () => {
    const probing = new Probing();
    const tries: i32[] = [];
    for (let i = 1; i <= 300; i++) {
      if (probing.takeTurn()) tries.push(i);
    }
    const expected: i32[] = [8, 24, 56, 120, 184, 248];
    expect(tries.length).toBe(expected.length);
    for (let i = 0; i < expected.length; i++) expect(tries[i]).toBe(expected[i]);
  });
});
