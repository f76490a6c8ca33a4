import { ENFORCEMENT, MODE, SETTINGS, TIMEOUT } from "../../../../assembly/session/settings/given_settings";
import { SetCounts } from "../../../../assembly/session/settings/set_counts";
import { FakeStore } from "../../support/fake_store";

describe("the counts of settings that were set", () => {
  it("are 0 before, one for each setting, and those of one cache", () => {
    const store = new FakeStore();
    const counts = new SetCounts("default", store);
    expect(counts.read()).toBe(false);
    for (let setting = 0; setting < SETTINGS; setting++) expect(counts.of(setting)).toBe(0);
    expect(counts.add(TIMEOUT)).toBe(true);
    expect(counts.add(TIMEOUT)).toBe(true);
    expect(counts.add(ENFORCEMENT)).toBe(true);
    const reader = new SetCounts("default", store);
    expect(reader.read()).toBe(true);
    expect(reader.of(MODE)).toBe(0);
    expect(reader.of(TIMEOUT)).toBe(2);
    expect(reader.of(ENFORCEMENT)).toBe(1);
    expect(new SetCounts("inner", store).read()).toBe(false);
    counts.free();
    reader.free();
  });
});
