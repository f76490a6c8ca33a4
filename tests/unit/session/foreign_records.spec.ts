import { Lookup, PutOutcome, RemoveOutcome } from "../../../assembly/session/cache";
import { MAX_REMOVED_SECONDS } from "../../../assembly/session/foreign_records";
import { Metric } from "../../../assembly/session/counting/statistics";
import { EventReader } from "../../../assembly/session/events/event_log";
import { Entry } from "../../../assembly/session/pages/entry";
import { Applied } from "../../../assembly/session/record/applied";
import { Cause, Kind, Known, Origin, Session, Tombstone } from "../../../assembly/session/record/session";
import { Decision, keyOf, MAX_STAMP, stampAt, STAMPS_PER_SECOND } from "../../../assembly/session/record/stamp";
import { Mode } from "../../../assembly/session/settings/mode";
import { Deadline } from "../../../assembly/work/job";
import { finish, flushOf } from "../support/jobs";
import { Bench, benchOfSize, idOf, look, session, Text } from "../support/sessions";

const NOW: u64 = 1_790_000_000;
const LEAD: u64 = 5 * STAMPS_PER_SECOND;
const SHOP: Text = new Text("shop.example");

describe("a removal of another proxy", () => {
  it("refuses an ID that is not held, up to its end, and keeps its fields", () => {
    const bench = new Bench();
    const removed = removal(1, NOW - 10, 1000);
    removed.about.sni = SHOP.start;
    removed.about.sniLength = SHOP.length;
    removed.about.known = Known.SNI;
    expect(bench.cache.foreign.applyRemoval(removed)).toBe(Applied.Stored);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    const entry = entryOf(bench, 1)!;
    expect(entry.stamp).toBe((NOW - 10) * STAMPS_PER_SECOND);
    expect(entry.time).toBe(NOW - 10);
    expect(entry.until).toBe(NOW + 1000);
    expect(entry.monotonicUntil).toBe(6000);
    expect(entry.isOwn).toBe(false);
    const about = new Session();
    entry.readDescription(about, bench.cache.names);
    expect(String.UTF8.decodeUnsafe(about.sni, about.sniLength)).toBe("shop.example");
    bench.clock.advance(1001);
    expect(look(bench.cache, 1)).toBe(Lookup.Absent);
    expect(eventsOf(bench)).toBe(0);
  });

  it("takes the place of an observed session, whatever its time, and counts as a removal without an event", () => {
    const bench = new Bench();
    learn(bench, 1);
    const events = eventsOf(bench);
    const before = bench.count(Metric.REMOVES);
    expect(bench.cache.foreign.applyRemoval(removal(1, NOW - 100_000, 1_000_000))).toBe(Applied.Stored);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    expect(bench.count(Metric.REMOVES) - before).toBe(1);
    expect(bench.number()).toBe(0);
    expect(eventsOf(bench)).toBe(events);
    expect(entryOf(bench, 1)!.isOwn).toBe(false);
  });

  it("lasts as long as the session that goes, which this proxy then tells", () => {
    const bench = new Bench();
    learn(bench, 1, 5000);
    bench.cache.foreign.applyRemoval(removal(1, NOW, 100));
    expect(entryOf(bench, 1)!.until).toBe(NOW + 5000);
    expect(entryOf(bench, 1)!.monotonicUntil).toBe(10_000);
    expect(entryOf(bench, 1)!.isOwn).toBe(true);
  });

  it("takes the place of a session by hand unless that was put in more than 5 s later, or on top of it", () => {
    for (let later: u64 = 0; later <= 6; later++) {
      const bench = new Bench();
      bench.cache.put(session(1));
      const applied = bench.cache.foreign.applyRemoval(removal(1, NOW - later, 1000));
      expect(applied).toBe(later > 5 ? Applied.Older : Applied.Stored);
      expect(look(bench.cache, 1)).toBe(later > 5 ? Lookup.Found : Lookup.Removed);
    }
    const bench = new Bench();
    bench.cache.foreign.applyRemoval(removal(1, NOW + 3000, 1000));
    expect(bench.cache.put(session(1))).toBe(PutOutcome.Added);
    expect(bench.cache.foreign.applyRemoval(removal(1, NOW + 3000, 1000))).toBe(Applied.Older);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
  });

  it("adds its later end and its description to a removal that is here, in any order", () => {
    for (let order = 0; order < 2; order++) {
      const bench = new Bench();
      const first = removal(1, NOW - 10, 500);
      first.about.sni = SHOP.start;
      first.about.sniLength = SHOP.length;
      first.about.known = Known.SNI;
      const second = removal(1, NOW - 20, 900);
      second.about.cipher = 0x1301;
      second.about.kind = Kind.PSK;
      second.about.known = Known.CIPHER | Known.KIND;
      second.isOwn = true;
      const foreign = bench.cache.foreign;
      for (let i = 0; i < 2; i++) {
        expect(foreign.applyRemoval(i == order ? first : second)).toBe(Applied.Stored);
      }
      expect(foreign.applyRemoval(first)).toBe(Applied.Older);
      expect(foreign.applyRemoval(second)).toBe(Applied.Older);
      const entry = entryOf(bench, 1)!;
      expect(entry.stamp).toBe((NOW - 10) * STAMPS_PER_SECOND);
      expect(entry.time).toBe(NOW - 10);
      expect(entry.until).toBe(NOW + 900);
      expect(entry.monotonicUntil).toBe(5900);
      expect(entry.isOwn).toBe(true);
      const about = new Session();
      entry.readDescription(about, bench.cache.names);
      expect(about.known).toBe(Known.SNI | Known.CIPHER | Known.KIND);
      expect(about.cipher).toBe(0x1301);
    }
  });

  it("that is over changes nothing", () => {
    const bench = new Bench();
    learn(bench, 1);
    expect(bench.cache.foreign.applyRemoval(removal(1, NOW - 100, -1))).toBe(Applied.Older);
    expect(bench.cache.foreign.applyRemoval(removal(2, NOW - 100, -1))).toBe(Applied.Older);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
    expect(entryOf(bench, 2) == null).toBe(true);
  });

  it("lasts 30 days at most, and its time is no more than two hours ahead", () => {
    const bench = new Bench();
    bench.cache.foreign.applyRemoval(removal(1, NOW + 100_000, 100_000_000));
    expect(entryOf(bench, 1)!.until).toBe(NOW + MAX_REMOVED_SECONDS);
    expect(entryOf(bench, 1)!.time).toBe(NOW + 7200);
  });

  it("is refused if it is malformed", () => {
    const bench = new Bench();
    const removed = removal(1, NOW, 1000);
    removed.stamp = MAX_STAMP + 1;
    expect(bench.cache.foreign.applyRemoval(removed)).toBe(Applied.Older);
    removed.stamp = MAX_STAMP;
    for (let length = 0; length < 34; length += 33) {
      removed.idLength = length;
      expect(bench.cache.foreign.applyRemoval(removed)).toBe(Applied.Older);
    }
    removed.idLength = 32;
    removed.about.known = u32.MAX_VALUE;
    removed.about.sniLength = 256;
    removed.about.upstreamLength = -1;
    removed.about.protocol = 0x7f03;
    removed.about.kind = 9;
    removed.about.ticketKey = idOf(9);
    removed.cause = 77;
    expect(bench.cache.foreign.applyRemoval(removed)).toBe(Applied.Stored);
    expect(bench.cache.foreign.applyRemoval(removed)).toBe(Applied.Older);
    const read = new Session();
    entryOf(bench, 1)!.readDescription(read, bench.cache.names);
    expect(read.known).toBe(Known.CIPHER | Known.TICKET_KEY);
    expect(bench.cache.remove(idOf(1), 32, Cause.API)).toBe(RemoveOutcome.NotFound, "a local one goes on top of it");
  });

  it("refuses the other handles of its session", () => {
    const bench = new Bench();
    const name = bench.cache.sessionName(idOf(1), 32);
    for (let handle: u32 = 1; handle <= 2; handle++) {
      const issued = session(handle);
      issued.session = name;
      issued.known |= Known.SESSION;
      bench.cache.readSettings();
      bench.cache.learn(issued);
    }
    expect(bench.cache.foreign.applyRemoval(removal(1, NOW, 1000))).toBe(Applied.Stored);
    expect(bench.cache.foreign.removedSession).toBe(name);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
    expect(bench.cache.foreign.applyAddition(byHand(2, NOW + 4))).toBe(Applied.Older);
    expect(bench.cache.foreign.applyAddition(byHand(2, NOW + 6))).toBe(Applied.Stored);
    expect(look(bench.cache, 2)).toBe(Lookup.Found);
  });

  it("saturates a page that is full of removals, so its ID is refused", () => {
    const bench = benchOfSize(0, 0);
    let number: u32 = 0;
    let applied = Applied.Stored;
    while (applied == Applied.Stored && number < 500)
      applied = bench.cache.foreign.applyRemoval(removal(number++, NOW, 1000));
    expect(applied).toBe(Applied.NoRoom);
    expect(look(bench.cache, number - 1)).toBe(Lookup.Removed);
    expect(look(bench.cache, 1000)).toBe(Lookup.Removed);
    expect(bench.cache.foreign.applyAddition(byHand(1000, NOW + 60))).toBe(Applied.NoRoom);
    bench.cache.readSettings();
    expect(bench.cache.foreign.applyObserved(observed(1000))).toBe(Applied.Older);
    const described = removal(0, NOW + 1, 1001);
    described.about.sni = SHOP.start;
    described.about.sniLength = SHOP.length;
    described.about.known = Known.SNI;
    expect(bench.cache.foreign.applyRemoval(described)).toBe(
      Applied.Stored,
      "a removal that is held finds room in place",
    );
    expect(entryOf(bench, 0)!.until).toBe(NOW + 1001);
    bench.clock.advance(1001);
    expect(bench.cache.foreign.applyAddition(byHand(1000, NOW + 60))).toBe(Applied.Stored);
  });

  it("is tried again if another writer comes first, and reported if one always does", () => {
    const bench = new Bench();
    learn(bench, 1);
    bench.store.conflictAt(0);
    expect(bench.cache.foreign.applyRemoval(removal(1, NOW, 1000))).toBe(Applied.Stored);
    bench.store.alwaysConflicts = true;
    expect(bench.cache.foreign.applyRemoval(removal(2, NOW, 1000))).toBe(Applied.Failed);
    expect(bench.cache.foreign.applyAddition(byHand(3, NOW))).toBe(Applied.Failed);
    bench.store.alwaysConflicts = false;
    expect(bench.count(Metric.NOT_STORED_CONTENDED)).toBe(2);
    expect(bench.number()).toBe(0);
  });
});

describe("a session by hand of another proxy", () => {
  it("is held with all its fields", () => {
    const bench = new Bench();
    const told = byHand(1, NOW - 3, 777);
    told.sni = SHOP.start;
    told.sniLength = SHOP.length;
    told.cipher = 0xc02c;
    told.protocol = 0x0303;
    told.kind = Kind.TICKET;
    told.known |= Known.SNI | Known.CIPHER | Known.PROTOCOL | Known.KIND;
    expect(bench.cache.foreign.applyAddition(told)).toBe(Applied.Stored);
    expect(bench.cache.foreign.applyAddition(told)).toBe(Applied.Older);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
    const found = bench.cache.found;
    expect(found.time).toBe(NOW - 3);
    expect(found.timeoutSeconds).toBe(777);
    expect(found.origin).toBe(Origin.API);
    expect(found.stamp).toBe((NOW - 3) * STAMPS_PER_SECOND);
    expect(found.isOwn).toBe(false);
    expect(found.cipher).toBe(0xc02c);
    expect(found.protocol).toBe(0x0303);
    expect(found.kind).toBe(Kind.TICKET);
    expect(String.UTF8.decodeUnsafe(found.sni, found.sniLength)).toBe("shop.example");
    expect(bench.count(Metric.ADDS)).toBe(1);
    expect(bench.number()).toBe(1);
    expect(eventsOf(bench)).toBe(0);
  });

  it("takes the place of an observed session, and of one by hand with a smaller key", () => {
    const bench = new Bench();
    learn(bench, 1);
    expect(bench.cache.foreign.applyAddition(byHand(1, NOW - 10))).toBe(Applied.Stored);
    expect(bench.cache.foreign.applyAddition(byHand(1, NOW - 11))).toBe(Applied.Older);
    expect(bench.cache.foreign.applyAddition(byHand(1, NOW - 9, 44))).toBe(Applied.Stored);
    expect(bench.cache.foreign.applyAddition(byHand(1, NOW - 9, 43))).toBe(Applied.Older);
    expect(bench.cache.foreign.applyAddition(byHand(1, NOW - 9, 45))).toBe(Applied.Stored, "of one stamp");
    look(bench.cache, 1);
    expect(bench.cache.found.timeoutSeconds).toBe(45);
    expect(bench.number()).toBe(1);
    expect(bench.count(Metric.REPLACES)).toBe(3);
  });

  it("lifts a removal only if its key is greater", () => {
    const bench = new Bench();
    bench.cache.remove(idOf(1), 32, Cause.API);
    const key = keyOf(Decision.Removal, stampAt(bench.clock.nanoseconds));
    const told = byHand(1, NOW);
    told.stamp = key;
    expect(bench.cache.foreign.applyAddition(told)).toBe(Applied.Older);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    told.stamp = key + 1;
    expect(bench.cache.foreign.applyAddition(told)).toBe(Applied.Stored);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
    expect(bench.cache.remove(idOf(1), 32, Cause.API)).toBe(RemoveOutcome.Removed, "a later one removes it again");
    expect(entryOf(bench, 1)!.stamp >= key + 1 - LEAD).toBe(true);
  });

  it("gives way to nothing that is not later, and not to one that is over", () => {
    const bench = new Bench();
    expect(bench.cache.foreign.applyAddition(byHand(1, NOW - 100, 99))).toBe(Applied.Older, "it has expired");
    bench.cache.put(session(2));
    const told = byHand(2, NOW + 1);
    told.stamp = MAX_STAMP + 1;
    expect(bench.cache.foreign.applyAddition(told)).toBe(Applied.Older);
    told.stamp = stampAt(bench.clock.nanoseconds) - 1;
    expect(bench.cache.foreign.applyAddition(told)).toBe(Applied.Older);
    told.kind = 0;
    expect(bench.cache.foreign.applyAddition(told)).toBe(Applied.Older);
  });

  it("keeps to the size of the cache, and counts exactly", () => {
    const bench = benchOfSize(3);
    for (let number: u32 = 0; number < 10; number++) {
      expect(bench.cache.foreign.applyAddition(byHand(number, NOW, 100 + number))).toBe(Applied.Stored);
    }
    expect(bench.number()).toBe(3);
    for (let number: u32 = 7; number < 10; number++) expect(look(bench.cache, number)).toBe(Lookup.Found);
  });
});

describe("a session that another proxy has observed", () => {
  it("is held if its ID is neither held nor refused", () => {
    const bench = new Bench();
    const told = observed(1);
    told.hits = 5;
    bench.cache.readSettings();
    expect(bench.cache.foreign.applyObserved(told)).toBe(Applied.Stored);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
    expect(bench.cache.found.origin).toBe(Origin.OBSERVED);
    expect(bench.cache.found.isOwn).toBe(false);
    expect(bench.cache.found.hits).toBe(0);
    expect(eventsOf(bench)).toBe(0);
    expect(bench.cache.foreign.applyObserved(told)).toBe(Applied.Older);
    bench.cache.put(session(2));
    bench.cache.remove(idOf(3), 32, Cause.API);
    expect(bench.cache.foreign.applyObserved(observed(2))).toBe(Applied.Older);
    expect(bench.cache.foreign.applyObserved(observed(3))).toBe(Applied.Older);
    expect(look(bench.cache, 3)).toBe(Lookup.Removed);
    expect(bench.cache.foreign.applyObserved(observed(4, NOW - 3601))).toBe(Applied.Older, "it has expired");
  });

  it("comes in after a removal that has ended", () => {
    const bench = new Bench();
    bench.cache.foreign.applyRemoval(removal(1, NOW, 100));
    bench.clock.advance(101);
    bench.cache.readSettings();
    expect(bench.cache.foreign.applyObserved(observed(1))).toBe(Applied.Stored);
  });

  it("stays out if the mode does not learn", () => {
    const bench = new Bench();
    for (let i = 0; i < 2; i++) {
      bench.cache.settings.changeMode(i == 0 ? Mode.OFF : Mode.SERVER | Mode.NO_INTERNAL_STORE);
      bench.cache.readSettings();
      expect(bench.cache.foreign.applyObserved(observed(1))).toBe(Applied.Older);
      expect(bench.cache.foreign.applyAddition(byHand(<u32>i + 2, NOW))).toBe(Applied.Stored);
    }
    expect(bench.number()).toBe(2);
  });

  it("never displaces a removal", () => {
    const bench = benchOfSize(0, 0);
    let refused = 0;
    for (let number: u32 = 0; number < 100; number++) bench.cache.foreign.applyRemoval(removal(number, NOW, 1000));
    bench.cache.readSettings();
    for (let number: u32 = 100; number < 200; number++) {
      if (bench.cache.foreign.applyObserved(observed(number)) != Applied.Stored) refused++;
    }
    expect(refused > 0 || bench.count(Metric.CACHE_FULL) > 0).toBe(true);
    for (let number: u32 = 0; number < 100; number++) expect(look(bench.cache, number)).toBe(Lookup.Removed);
  });
});

describe("a record of this proxy", () => {
  it("is its own, whether it was learned, put in, removed or imported", () => {
    const bench = new Bench();
    learn(bench, 1);
    bench.cache.put(session(2));
    bench.cache.remove(idOf(3), 32, Cause.API);
    const imported = removal(4, NOW, 1000);
    bench.cache.removals.takeIn(imported);
    bench.cache.readSettings();
    bench.cache.foreign.applyObserved(observed(5));
    bench.cache.remove(idOf(5), 32, Cause.API);
    for (let number: u32 = 1; number <= 5; number++)
      expect(entryOf(bench, number)!.isOwn).toBe(true, number.toString());
  });

  it("that a flush leaves is as its session was", () => {
    const bench = new Bench();
    bench.cache.readSettings();
    learn(bench, 1);
    bench.cache.foreign.applyObserved(observed(2));
    finish(bench, flushOf(bench));
    expect(entryOf(bench, 1)!.isOwn).toBe(true);
    expect(entryOf(bench, 2)!.isOwn).toBe(false);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
  });
});

function removal(number: u32, time: u64, lasts: i64): Tombstone {
  const removed = new Tombstone();
  removed.id = idOf(number);
  removed.idLength = 32;
  removed.time = time;
  removed.stamp = time * STAMPS_PER_SECOND;
  removed.until = <u64>(<i64>NOW + lasts);
  removed.cause = Cause.API;
  return removed;
}

function byHand(number: u32, time: u64, timeoutSeconds: u32 = 3600): Session {
  const told = session(number, timeoutSeconds);
  told.origin = Origin.API;
  told.time = time;
  told.stamp = time * STAMPS_PER_SECOND;
  return told;
}

function observed(number: u32, time: u64 = NOW): Session {
  const told = session(number, 3600);
  told.time = time;
  return told;
}

function learn(bench: Bench, number: u32, timeoutSeconds: u32 = 0): void {
  bench.cache.readSettings();
  expect(bench.cache.learn(session(number, timeoutSeconds))).toBe(PutOutcome.Added);
}

function entryOf(bench: Bench, number: u32): Entry | null {
  return bench.cache.pages.open(idOf(number), 32)!.find(idOf(number), 32);
}

/** How many events there were so far. */
function eventsOf(bench: Bench): i32 {
  const deadline = new Deadline(bench.clock);
  deadline.start(u64.MAX_VALUE >> 1);
  bench.cache.events.run(deadline);
  if (!bench.cache.events.log.load(bench.clock.nowNanoseconds())) return 0;
  const reader = new EventReader(bench.cache.events.log, 0);
  let count = 0;
  while (reader.next()) count++;
  return count;
}
