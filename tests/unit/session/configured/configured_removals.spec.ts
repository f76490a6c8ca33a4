import { Cache, Lookup } from "../../../../assembly/session/cache";
import { RemovalList, Removes } from "../../../../assembly/session/configured/removal_list";
import { Cause, Known } from "../../../../assembly/session/record/session";
import { GivenSettings, Settings } from "../../../../assembly/session/settings/settings";
import { FakeClock } from "../../support/fake_clock";
import { FakeEntropy } from "../../support/fake_entropy";
import { FakeMetrics } from "../../support/fake_metrics";
import { FakeStore } from "../../support/fake_store";
import { idOf, look, session, Text } from "../../support/sessions";

/** One text of a filter on one worker. */
class Plugin {
  readonly cache: Cache;

  constructor(store: FakeStore, clock: FakeClock, name: string, text: u64, list: RemovalList = new RemovalList()) {
    const settings = new Settings("edge", store, new FakeEntropy());
    const given = new GivenSettings();
    given.removes = !list.isEmpty;
    settings.configure(name, given, text, 1, clock.nowSeconds());
    this.cache = new Cache(settings, store, clock, new FakeMetrics());
    this.cache.configured.give(list, clock.nowSeconds());
  }

  /** As `SharedCache` does about once a second. */
  tick(now: u32): void {
    this.cache.tick();
    this.cache.settings.tick(true, now, now);
    this.cache.configured.keepStored();
  }

  look(number: u32): Lookup {
    return look(this.cache, number);
  }

  revokes(name: string): bool {
    const text = new Text(name);
    this.cache.readSettings();
    return this.cache.revocations.revokedAt(text.start, text.length) != 0;
  }

  removesKey(number: u32): bool {
    this.cache.readSettings();
    return this.cache.ticketKeys.isRemoved(idOf(number));
  }
}

function listOf(number: u32): RemovalList {
  const list = new RemovalList();
  list.add(Removes.Session, idOf(number), 32);
  list.add(Removes.TicketKey, idOf(number), 16);
  const name = new Text("n" + number.toString() + ".example");
  list.add(Removes.ServerName, name.start, name.length);
  return list;
}

describe("things that a configuration removes", () => {
  it("are refused by its own filter at once, whether they are held or not", () => {
    const plugin = new Plugin(new FakeStore(), new FakeClock(), "a/observer", 1, listOf(1));
    expect(plugin.look(1)).toBe(Lookup.Removed);
    expect(plugin.removesKey(1)).toBe(true);
    expect(plugin.revokes("N1.example")).toBe(true);
    expect(plugin.cache.revocations.inForce()).toBe(true);
    plugin.cache.put(session(1));
    expect(plugin.look(1)).toBe(Lookup.Removed, "adding it by hand does not lift the configuration");
    expect(plugin.look(2)).toBe(Lookup.Absent);
    expect(plugin.removesKey(2)).toBe(false);
  });

  it("are refused by all other filters and workers of the cache, and not by those of another cache", () => {
    const store = new FakeStore();
    const clock = new FakeClock();
    const guard = new Plugin(store, clock, "b/guard", 2);
    expect(guard.look(1)).toBe(Lookup.Absent);
    new Plugin(store, clock, "a/observer", 1, listOf(1));
    expect(guard.look(1)).toBe(Lookup.Removed);
    expect(guard.removesKey(1)).toBe(true);
    expect(guard.revokes("n1.example")).toBe(true);
    const admin = new Plugin(store, clock, "c/admin", 3);
    expect(admin.look(1)).toBe(Lookup.Removed, "also by one that comes later");
  });

  it("may be thousands", () => {
    const store = new FakeStore();
    const clock = new FakeClock();
    const list = new RemovalList();
    for (let number: u32 = 0; number < 4000; number++) list.add(Removes.Session, idOf(number), 32);
    const guard = new Plugin(store, clock, "b/guard", 9);
    new Plugin(store, clock, "a/observer", 1, list);
    expect(guard.look(0)).toBe(Lookup.Removed);
    expect(guard.look(3999)).toBe(Lookup.Removed);
    expect(guard.cache.configured.set.sessions).toBe(4000);
  });

  it("are those of all filters together", () => {
    const store = new FakeStore();
    const clock = new FakeClock();
    const one = new Plugin(store, clock, "a/observer", 1, listOf(1));
    const other = new Plugin(store, clock, "b/guard", 2, listOf(2));
    expect(one.look(2)).toBe(Lookup.Removed);
    expect(other.look(1)).toBe(Lookup.Removed);
    expect(one.look(1)).toBe(Lookup.Removed);
  });

  it("end when the text no longer has them, also for machines of the text before", () => {
    const store = new FakeStore();
    const clock = new FakeClock();
    const guard = new Plugin(store, clock, "b/guard", 9);
    const before = new Plugin(store, clock, "a/observer", 1, listOf(1));
    before.cache.put(session(5));
    before.tick(1);
    guard.tick(1);
    const after = new Plugin(store, clock, "a/observer", 2, listOf(2));
    expect(guard.look(1)).toBe(Lookup.Removed, "the new text may only be tried");
    after.tick(20);
    before.tick(21);
    expect(guard.look(1)).toBe(Lookup.Absent);
    expect(guard.look(2)).toBe(Lookup.Removed);
    expect(guard.removesKey(1)).toBe(false);
    expect(guard.revokes("n1.example")).toBe(false);
    expect(before.look(1)).toBe(Lookup.Absent);
    expect(before.look(2)).toBe(Lookup.Removed);
    expect(after.look(5)).toBe(Lookup.Found, "everything else stays");
  });

  it("come back when the configuration is rolled back", () => {
    const store = new FakeStore();
    const clock = new FakeClock();
    const before = new Plugin(store, clock, "a/observer", 1, listOf(1));
    before.tick(1);
    const after = new Plugin(store, clock, "a/observer", 2);
    after.tick(20);
    before.tick(21);
    expect(before.look(1)).toBe(Lookup.Absent);
    // A new connection comes to the text of before.
    before.cache.settings.claim(30, 30);
    expect(before.look(1)).toBe(Lookup.Removed);
    expect(after.look(1)).toBe(Lookup.Removed);
  });

  it("end with their filter", () => {
    const store = new FakeStore();
    const clock = new FakeClock();
    const guard = new Plugin(store, clock, "b/guard", 9);
    const observer = new Plugin(store, clock, "a/observer", 1, listOf(1));
    guard.tick(1);
    observer.tick(1);
    expect(guard.look(1)).toBe(Lookup.Removed);
    observer.cache.settings.leave(2);
    expect(guard.look(1)).toBe(Lookup.Absent);
  });

  it("leave removals by a call alone", () => {
    const store = new FakeStore();
    const clock = new FakeClock();
    const observer = new Plugin(store, clock, "a/observer", 1, listOf(1));
    observer.tick(1);
    observer.cache.remove(idOf(1), 32, Cause.API);
    const after = new Plugin(store, clock, "a/observer", 2);
    after.tick(20);
    expect(after.look(1)).toBe(Lookup.Removed, "the call still stands");
  });

  it("include the other handles of a session whose first handle they name", () => {
    const plugin = new Plugin(new FakeStore(), new FakeClock(), "a/observer", 1, listOf(1));
    const ticket = session(2);
    ticket.session = plugin.cache.sessionName(idOf(1), 32);
    ticket.known |= Known.SESSION;
    plugin.cache.put(ticket);
    expect(plugin.look(2)).toBe(Lookup.Removed);
  });

  it("stay as they were while a list cannot be read", () => {
    const store = new FakeStore();
    const clock = new FakeClock();
    const guard = new Plugin(store, clock, "b/guard", 9);
    const observer = new Plugin(store, clock, "a/observer", 1, listOf(1));
    expect(guard.look(1)).toBe(Lookup.Removed);
    observer.tick(1);
    store.broken = true;
    guard.cache.settings.changes.age();
    guard.cache.configured.follow();
    expect(guard.cache.configured.set.removesSession(idOf(1), 32)).toBe(true);
    store.broken = false;
    expect(guard.look(1)).toBe(Lookup.Removed);
  });
});
