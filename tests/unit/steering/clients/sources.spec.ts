import { Sources } from "../../../../assembly/steering/clients/sources";
import { FakeStore } from "../../support/fake_store";

/** Sources this far apart share a place. */
const ONE_ROUND: u32 = 65536;

/** A store on which another machine learns the next source of the segment just before a write of this one. */
class RivalStore extends FakeStore {
  otherWriter(): void {
    new Sources("default", "steering", this).learn(7 + 512, 3);
  }
}

describe("sources", () => {
  it("have no upstream until one was learned", () => {
    const sources = new Sources("default", "steering", new FakeStore());
    expect(sources.lastOf(7)).toBe(-1);
    sources.learn(7, 0);
    expect(sources.lastOf(7)).toBe(0);
    expect(sources.lastOf(8)).toBe(-1, "another segment");
    expect(sources.lastOf(7 + 512)).toBe(-1, "another place");
  });

  it("have the upstream that they talked to last", () => {
    const sources = new Sources("default", "steering", new FakeStore());
    sources.learn(7, 2);
    sources.learn(7, 253);
    expect(sources.lastOf(7)).toBe(253);
  });

  it("are told apart if two share a place, and the third one displaces the first", () => {
    const sources = new Sources("default", "steering", new FakeStore());
    sources.learn(7, 1);
    expect(sources.lastOf(7 + ONE_ROUND)).toBe(-1);
    sources.learn(7 + ONE_ROUND, 2);
    expect(sources.lastOf(7 + ONE_ROUND)).toBe(2);
    expect(sources.lastOf(7)).toBe(1);
    sources.learn(7 + ONE_ROUND, 3);
    expect(sources.lastOf(7 + ONE_ROUND)).toBe(3);
    expect(sources.lastOf(7)).toBe(1);
    sources.learn(7 + 2 * ONE_ROUND, 4);
    expect(sources.lastOf(7 + 2 * ONE_ROUND)).toBe(4);
    expect(sources.lastOf(7 + ONE_ROUND)).toBe(3);
    expect(sources.lastOf(7)).toBe(-1);
  });

  it("cost no write while the upstream stays the same", () => {
    const store = new FakeStore();
    const sources = new Sources("default", "steering", store);
    sources.learn(7, 1);
    const writes = store.writes;
    sources.learn(7, 1);
    expect(store.writes).toBe(writes);
  });

  it("are known to all machines of one cache at once, and to no other cache", () => {
    const store = new FakeStore();
    new Sources("default", "steering", store).learn(7, 1);
    expect(new Sources("default", "steering", store).lastOf(7)).toBe(1);
    expect(new Sources("other", "steering", store).lastOf(7)).toBe(-1);
  });

  it("are all kept where two machines learn at the same moment", () => {
    for (let known: i32 = 0; known < 2; known++) {
      const store = new RivalStore();
      const sources = new Sources("default", "steering", store);
      if (known == 1) sources.learn(7, 0);
      store.conflictAt(0);
      sources.learn(7, 1);
      expect(sources.lastOf(7)).toBe(1);
      expect(sources.lastOf(7 + 512)).toBe(3);
    }
  });

  it("are given up after a bounded number of tries", () => {
    const store = new FakeStore();
    store.alwaysConflicts = true;
    new Sources("default", "steering", store).learn(7, 1);
    expect(store.writes > 1 && store.writes <= 8).toBe(true, store.writes.toString());
  });

  it("take bounded memory, however many there are", () => {
    const store = new FakeStore();
    const sources = new Sources("default", "steering", store);
    for (let source: u32 = 0; source < 3000; source++) sources.learn(source * 0x9e3779b1, 1);
    expect(store.size <= 512).toBe(true, store.size.toString());
    expect(store.bytes <= 512 * 1024).toBe(true, store.bytes.toString());
  });
});
