import { Declines } from "../../../../assembly/steering/keys/declines";
import { FakeStore } from "../../support/fake_store";

const NOW: u64 = 1_790_000_000;
/** Names this far apart share a place. */
const ONE_ROUND: u32 = 4096;

/** A store on which another machine notes a decline of the same name just before a write of this one. */
class RivalStore extends FakeStore {
  otherWriter(): void {
    new Declines("default", "steering", this).add(7, 3, false, NOW);
  }
}

describe("declines", () => {
  it("are none until one was noted", () => {
    const declines = new Declines("default", "steering", new FakeStore());
    expect(declines.of(7, NOW)).toBe(0);
    declines.add(7, 2, false, NOW);
    expect(declines.of(7, NOW)).toBe(0b100);
    expect(declines.of(8, NOW)).toBe(0, "another segment");
    expect(declines.of(7 + 64, NOW)).toBe(0, "another place");
  });

  it("gather under a name, a bit for each upstream", () => {
    const declines = new Declines("default", "steering", new FakeStore());
    declines.add(7, 0, false, NOW);
    declines.add(7, 63, false, NOW);
    declines.add(7, 0, false, NOW);
    expect(declines.of(7, NOW)).toBe(0x8000000000000001);
  });

  it("of upstreams that have no bit are not noted", () => {
    const store = new FakeStore();
    const declines = new Declines("default", "steering", store);
    declines.add(7, -1, false, NOW);
    declines.add(7, 64, false, NOW);
    expect(declines.of(7, NOW)).toBe(0);
    expect(store.writes).toBe(0);
  });

  it("are forgotten all at once but the last, where that is said", () => {
    const declines = new Declines("default", "steering", new FakeStore());
    declines.add(7, 0, false, NOW);
    declines.add(7, 1, false, NOW);
    declines.add(7, 2, true, NOW);
    expect(declines.of(7, NOW)).toBe(0b100);
  });

  it("are forgotten five minutes after the last", () => {
    const declines = new Declines("default", "steering", new FakeStore());
    declines.add(7, 0, false, NOW);
    declines.add(7, 1, false, NOW + 200);
    expect(declines.of(7, NOW + 500)).toBe(0b11);
    expect(declines.of(7, NOW + 501)).toBe(0);
    declines.add(7, 2, false, NOW + 501);
    expect(declines.of(7, NOW + 501)).toBe(0b100);
  });

  it("of two names that share a place are told apart, and the latest has it", () => {
    const declines = new Declines("default", "steering", new FakeStore());
    declines.add(7, 0, false, NOW);
    expect(declines.of(7 + ONE_ROUND, NOW)).toBe(0);
    declines.add(7 + ONE_ROUND, 1, false, NOW);
    expect(declines.of(7 + ONE_ROUND, NOW)).toBe(0b10);
    expect(declines.of(7, NOW)).toBe(0);
  });

  it("are known to all machines of one cache at once, and to no other cache", () => {
    const store = new FakeStore();
    new Declines("default", "steering", store).add(7, 1, false, NOW);
    expect(new Declines("default", "steering", store).of(7, NOW)).toBe(0b10);
    expect(new Declines("other", "steering", store).of(7, NOW)).toBe(0);
  });

  it("are all kept where two machines note one at the same moment", () => {
    for (let known: i32 = 0; known < 2; known++) {
      const store = new RivalStore();
      const declines = new Declines("default", "steering", store);
      if (known == 1) declines.add(7, 0, false, NOW);
      store.conflictAt(0);
      declines.add(7, 1, false, NOW);
      expect(declines.of(7, NOW)).toBe(known == 1 ? 0b1011 : 0b1010);
    }
  });

  it("are given up after a bounded number of tries", () => {
    const store = new FakeStore();
    store.alwaysConflicts = true;
    new Declines("default", "steering", store).add(7, 1, false, NOW);
    expect(store.writes > 1 && store.writes <= 8).toBe(true, store.writes.toString());
  });
});
