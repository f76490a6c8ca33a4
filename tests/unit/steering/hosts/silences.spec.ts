import { Silences } from "../../../../assembly/steering/hosts/silences";

const NOW: u64 = 1_790_000_000;

describe("the silence of an upstream", () => {
  it("keeps the network away that has met it, for ten seconds, and no other", () => {
    const silences = new Silences();
    expect(silences.areAt(NOW)).toBe(false);
    expect(silences.note(0, 7, NOW)).toBe(false);
    expect(silences.areAt(NOW + 10)).toBe(true);
    expect(silences.keepsAway(0, 7, NOW + 10)).toBe(true);
    expect(silences.keepsAway(0, 8, NOW)).toBe(false);
    expect(silences.keepsAway(1, 7, NOW)).toBe(false);
    expect(silences.areAt(NOW + 11)).toBe(false);
    expect(silences.keepsAway(0, 7, NOW + 11)).toBe(false);
  });

  it("counts for all once three networks have met it, not one network three times", () => {
    const silences = new Silences();
    for (let i = 0; i < 10; i++) expect(silences.note(0, 7, NOW)).toBe(false);
    expect(silences.note(0, 8, NOW)).toBe(false);
    expect(silences.note(1, 9, NOW)).toBe(false, "of another upstream");
    expect(silences.note(0, 9, NOW)).toBe(true);
  });

  it("does not add up over a long time", () => {
    const silences = new Silences();
    silences.note(0, 7, NOW);
    silences.note(0, 8, NOW + 6);
    expect(silences.note(0, 9, NOW + 12)).toBe(false);
    expect(silences.note(0, 10, NOW + 13)).toBe(true);
  });

  it("takes no more room however many there are", () => {
    const silences = new Silences();
    for (let network: u32 = 1; network <= 100; network++) silences.note(<i32>network, network, NOW);
    expect(silences.keepsAway(100, 100, NOW)).toBe(true);
    expect(silences.keepsAway(1, 1, NOW)).toBe(false, "the oldest give way");
  });
});
