import { GivenSettings, pagesFor, Settings } from "../../../../assembly/session/settings/settings";
import { Enforcement } from "../../../../assembly/session/settings/enforcement";
import { KeyedHash } from "../../../../assembly/shared/keyed_hash";
import { Mode } from "../../../../assembly/session/settings/mode";
import { FakeEntropy, fakeHash } from "../../support/fake_entropy";
import { FakeStore } from "../../support/fake_store";

describe("the settings of a cache", () => {
  it("are OpenSSL's defaults where no filter says otherwise", () => {
    const settings = new Settings("default", new FakeStore(), new FakeEntropy());
    expect(settings.configure("a", new GivenSettings())).toBe("");
    expect(settings.cacheSize).toBe(20480);
    expect(settings.timeoutSeconds).toBe(7200);
    expect(settings.mode).toBe(Mode.SERVER);
    expect(settings.removedSeconds).toBe(604800);
    expect(settings.pages).toBe(16384);
    expect(settings.created).toBe(true);
  });

  it("are shared by all filters, whichever gives them", () => {
    const store = new FakeStore();
    const first = new Settings("edge", store, new FakeEntropy());
    first.configure("observer", new GivenSettings());
    const second = new Settings("edge", store, new FakeEntropy());
    expect(second.configure("admin", sized(50))).toBe("");
    expect(second.created).toBe(false);
    first.load();
    expect(first.cacheSize).toBe(50);
  });

  it("are kept apart for each named cache", () => {
    const store = new FakeStore();
    const edge = new Settings("edge", store, new FakeEntropy());
    const inner = new Settings("inner", store, new FakeEntropy());
    edge.configure("a", sized(50));
    expect(inner.configure("a", sized(60))).toBe("");
    edge.load();
    expect(edge.cacheSize).toBe(50);
  });

  it("are refused where two filters contradict each other, in one line that names both values", () => {
    const store = new FakeStore();
    new Settings("edge", store, new FakeEntropy()).configure("observer", sized(50));
    const refusal = new Settings("edge", store, new FakeEntropy()).configure("admin", sized(60));
    expect(refusal).toBe(
      'cache "edge": cache_size is 60 here and 50 in another filter of the same cache: ' +
        "give the same value in all, or in one only (here: admin; the other: observer, which counts until it has drained " +
        "where it was taken out)",
    );
  });

  it("are named in a refusal as a configuration spells them", () => {
    const store = new FakeStore();
    const given = new GivenSettings();
    given.mode = Mode.SERVER | Mode.NO_INTERNAL_STORE;
    given.enforcement = Enforcement.STRICT;
    new Settings("edge", store, new FakeEntropy()).configure("one/admin", given);
    const otherMode = new GivenSettings();
    otherMode.mode = Mode.OFF;
    const aboutMode = new Settings("edge", store, new FakeEntropy()).configure("observer", otherMode);
    expect(aboutMode.includes(': mode is ["OFF"] here and ["SERVER","NO_INTERNAL_STORE"] in another')).toBe(
      true,
      aboutMode,
    );
    const otherEnforcement = new GivenSettings();
    otherEnforcement.enforcement = Enforcement.OBSERVE;
    const aboutEnforcement = new Settings("edge", store, new FakeEntropy()).configure("other/admin", otherEnforcement);
    expect(aboutEnforcement.includes(': enforcement is "observe" here and "strict" in another')).toBe(
      true,
      aboutEnforcement,
    );
  });

  it("have the ticket lifetime that one filter gives, and follow it when it is given another or none", () => {
    const store = new FakeStore();
    const settings = new Settings("edge", store, new FakeEntropy());
    expect(settings.configure("observer", new GivenSettings())).toBe("");
    expect(settings.ticketLifetime).toBe(604800);
    const given = new GivenSettings();
    given.ticketLifetime = 1000;
    const other = new Settings("edge", store, new FakeEntropy());
    expect(other.configure("admin", given)).toBe("");
    settings.load();
    expect(settings.ticketLifetime).toBe(1000);
    expect(settings.configure("observer", new GivenSettings())).toBe("", "it gives none, as before");
    expect(settings.ticketLifetime).toBe(1000);
    const contrary = new GivenSettings();
    contrary.ticketLifetime = 2000;
    const refusal = new Settings("edge", store, new FakeEntropy()).configure("guard", contrary);
    expect(refusal.includes("ticket_lifetime is 2000 here and 1000 in another filter")).toBe(true, refusal);
    expect(settings.tick(false, 1, 1)).toBe("");
    expect(other.configure("admin", contrary)).toBe("");
    expect(other.tick(false, 2, 2)).toBe("");
    expect(other.ticketLifetime).toBe(2000);
    expect(other.configure("admin", new GivenSettings())).toBe("");
    expect(other.tick(false, 3, 3)).toBe("");
    expect(other.ticketLifetime).toBe(604800);
    expect(other.removedSeconds).toBe(604800);
    expect(other.enforcement).toBe(Enforcement.REVOKED);
  });

  it("are refused where the bound on memory differs", () => {
    const store = new FakeStore();
    const small = new GivenSettings();
    small.maxMemoryMib = 1;
    new Settings("edge", store, new FakeEntropy()).configure("observer", small);
    const large = new GivenSettings();
    large.maxMemoryMib = 2;
    expect(new Settings("edge", store, new FakeEntropy()).configure("admin", large).includes("max_memory_mib")).toBe(
      true,
    );
    expect(new Settings("edge", store, new FakeEntropy()).configure("other", new GivenSettings())).toBe("");
  });

  it("change at run time, and a worker that is configured again with the same text keeps the change", () => {
    const store = new FakeStore();
    const settings = new Settings("edge", store, new FakeEntropy());
    settings.configure("observer", sized(50));
    expect(settings.changeCacheSize(70)).toBe(true);
    expect(settings.previous).toBe(50);
    const restarted = new Settings("edge", store, new FakeEntropy());
    expect(restarted.configure("observer", sized(50))).toBe("");
    expect(restarted.cacheSize).toBe(70);
  });

  it("follow a filter whose configuration has changed, and leave its other values alone", () => {
    const store = new FakeStore();
    const settings = new Settings("edge", store, new FakeEntropy());
    settings.configure("observer", sized(50));
    settings.changeCacheSize(70);
    settings.changeTimeout(11);
    expect(settings.tick(false, 1, 1)).toBe("");
    const updated = new Settings("edge", store, new FakeEntropy());
    expect(updated.configure("observer", sized(80))).toBe("");
    expect(updated.tick(false, 2, 2)).toBe("");
    expect(updated.cacheSize).toBe(80);
    expect(updated.timeoutSeconds).toBe(11);
    expect(updated.configure("observer", new GivenSettings())).toBe("");
    expect(updated.tick(false, 3, 3)).toBe("");
    expect(updated.cacheSize).toBe(20480);
  });

  it("are read again only when somebody has changed them, and then at once", () => {
    const store = new FakeStore();
    const settings = new Settings("edge", store, new FakeEntropy());
    const other = new Settings("edge", store, new FakeEntropy());
    settings.configure("observer", new GivenSettings());
    other.configure("admin", new GivenSettings());
    expect(settings.load()).toBe(true);
    const reads = store.reads;
    for (let look = 0; look < 10; look++) expect(settings.load()).toBe(true);
    expect(store.reads).toBe(reads);
    other.changeTimeout(99);
    expect(settings.load()).toBe(true);
    expect(settings.timeoutSeconds).toBe(99);
    other.beginFlush(0, 1);
    expect(settings.load()).toBe(true);
    expect(settings.generation).toBe(1);
    expect(settings.flushed(0, 5)).toBe(true);
    store.broken = true;
    expect(settings.load()).toBe(false);
    expect(settings.timeoutSeconds).toBe(99, "the last known ones stay");
  });

  it("lose no change of two writers", () => {
    const store = new InterferingStore();
    const settings = new Settings("edge", store, new FakeEntropy());
    const other = new Settings("edge", store, new FakeEntropy());
    settings.configure("observer", new GivenSettings());
    other.configure("admin", new GivenSettings());
    store.other = other;
    store.conflictAt(0);
    expect(settings.changeTimeout(99)).toBe(true);
    settings.load();
    expect(settings.timeoutSeconds).toBe(99);
    expect(settings.mode).toBe(Mode.OFF);
  });

  it("say so where they cannot be stored", () => {
    const store = new FakeStore();
    const settings = new Settings("edge", store, new FakeEntropy());
    settings.configure("observer", new GivenSettings());
    store.alwaysConflicts = true;
    expect(settings.changeMode(Mode.OFF)).toBe(false);
    expect(settings.beginFlush(0, 1)).toBe(false);
    expect(
      new Settings("edge", store, new FakeEntropy())
        .configure("late", new GivenSettings())
        .includes("could not be stored"),
    ).toBe(true);
  });
});

describe("the key by which everything finds its place", () => {
  it("is made at random with the settings, and is the same for all who share them", () => {
    const store = new FakeStore();
    const first = new Settings("edge", store, new FakeEntropy());
    first.configure("observer", new GivenSettings());
    const second = new Settings("edge", store, new FakeEntropy(true));
    expect(second.configure("admin", new GivenSettings())).toBe("", "no random bytes are needed any more");
    const name = memory.data(32);
    expect(first.hash.of(name, 32)).toBe(fakeHash().of(name, 32));
    expect(second.hash.of(name, 32)).toBe(first.hash.of(name, 32));
    expect(first.hash.of(name, 32) == new KeyedHash().of(name, 32)).toBe(false);
  });

  it("is needed: where the host has no random bytes, the configuration is refused", () => {
    const settings = new Settings("edge", new FakeStore(), new FakeEntropy(true));
    expect(settings.configure("observer", new GivenSettings()).includes("random")).toBe(true);
  });
});

describe("the number of pages", () => {
  it("is the greatest power of two within the bound on memory", () => {
    expect(pagesFor(0)).toBe(1);
    expect(pagesFor(1)).toBe(256);
    expect(pagesFor(3)).toBe(512);
    expect(pagesFor(64)).toBe(16384);
    expect(pagesFor(4096)).toBe(1048576);
  });
});

class InterferingStore extends FakeStore {
  other: Settings | null = null;

  otherWriter(): void {
    const other = this.other;
    if (other) other.changeMode(Mode.OFF);
  }
}

function sized(cacheSize: i64): GivenSettings {
  const given = new GivenSettings();
  given.cacheSize = cacheSize;
  return given;
}
