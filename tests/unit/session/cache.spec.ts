import { Cause, Kind, Known, Origin, Session } from "../../../assembly/session/record/session";
import { Lookup, PutOutcome, RemoveOutcome } from "../../../assembly/session/cache";
import { EventCause } from "../../../assembly/session/record/event_cause";
import { Mode } from "../../../assembly/session/settings/mode";
import { Metric } from "../../../assembly/session/counting/statistics";
import { Decision, keyOf, stampAt } from "../../../assembly/session/record/stamp";
import { finish, flushOf } from "../support/jobs";
import { Bench, benchOfSize, idOf, look, session, Text } from "../support/sessions";

describe("adding a session by hand", () => {
  it("adds, does nothing for the identical session, and replaces a different one", () => {
    const bench = new Bench();
    expect(bench.cache.put(session(1, 100))).toBe(PutOutcome.Added);
    expect(bench.cache.put(session(1, 100))).toBe(PutOutcome.Identical);
    expect(bench.cache.put(session(1))).toBe(PutOutcome.Identical, "a change that gives nothing changes nothing");
    expect(bench.cache.put(session(1, 200))).toBe(PutOutcome.Replaced);
    expect(bench.number()).toBe(1);
    expect(bench.count(Metric.ADDS)).toBe(1);
    expect(bench.count(Metric.REPLACES)).toBe(1);
  });

  it("takes the cache's timeout and the kind id where nothing is given", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    expect(bench.cache.found.timeoutSeconds).toBe(7200);
    expect(bench.cache.found.kind).toBe(Kind.ID);
    expect(bench.cache.found.origin).toBe(Origin.API);
    expect(bench.cache.found.knows(Known.SNI)).toBe(false);
  });

  it("keeps what is not given, the hits too, and sets the time to now when it replaces", () => {
    const bench = new Bench();
    const sni = new Text("shop.example");
    const first = session(1, 500);
    first.sni = sni.start;
    first.sniLength = sni.length;
    first.known |= Known.SNI;
    bench.cache.put(first);
    bench.cache.readSettings();
    bench.cache.resume(session(1));
    bench.clock.advance(10);
    expect(bench.cache.put(session(1, 600))).toBe(PutOutcome.Replaced);
    const found = bench.cache.found;
    expect(found.hits).toBe(1);
    expect(found.sniLength).toBe(12);
    expect(found.timeoutSeconds).toBe(600);
    expect(found.time).toBe(1_790_000_010);
  });

  it("makes a field unknown that is given as null", () => {
    const bench = new Bench();
    const first = session(1);
    first.cipher = 0x1301;
    first.known |= Known.CIPHER;
    bench.cache.put(first);
    const second = session(1);
    second.cleared = Known.CIPHER;
    expect(bench.cache.put(second)).toBe(PutOutcome.Replaced);
    expect(bench.cache.found.knows(Known.CIPHER)).toBe(false);
    expect(bench.cache.put(second)).toBe(PutOutcome.Identical);
  });

  it("treats an expired session as absent, without counting it twice", () => {
    const bench = new Bench();
    bench.cache.put(session(1, 10));
    bench.clock.advance(10);
    expect(look(bench.cache, 1)).toBe(Lookup.Found, "it lives through its last second");
    bench.clock.advance(1);
    expect(look(bench.cache, 1)).toBe(Lookup.Expired);
    expect(bench.number()).toBe(1);
    expect(bench.cache.put(session(1, 10))).toBe(PutOutcome.Added);
    expect(bench.number()).toBe(1);
  });

  it("sets the time of the identical session only under UPDATE_TIME", () => {
    const bench = new Bench();
    bench.cache.put(session(1, 100));
    bench.clock.advance(50);
    bench.cache.put(session(1, 100));
    expect(bench.cache.found.time).toBe(1_790_000_000);
    bench.cache.settings.changeMode(Mode.SERVER | Mode.UPDATE_TIME);
    expect(bench.cache.put(session(1, 100))).toBe(PutOutcome.Identical);
    look(bench.cache, 1);
    expect(bench.cache.found.time).toBe(1_790_000_050);
  });

  it("refuses IDs that are empty or longer than 32 bytes, as OpenSSL does", () => {
    const bench = new Bench();
    const empty = session(1);
    empty.idLength = 0;
    const long = session(1);
    long.idLength = 33;
    expect(bench.cache.put(empty)).toBe(PutOutcome.NotStored);
    expect(bench.cache.put(long)).toBe(PutOutcome.NotStored);
    expect(bench.number()).toBe(0);
  });

  it("tells IDs apart of which one begins the other", () => {
    const bench = new Bench();
    const short = session(1);
    short.idLength = 4;
    bench.cache.put(short);
    expect(look(bench.cache, 1)).toBe(Lookup.Absent);
    expect(bench.cache.peek(idOf(1), 4)).toBe(Lookup.Found);
  });
});

describe("removing a session", () => {
  it("removes what is held, and refuses what was not held too", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    expect(bench.cache.remove(idOf(1), 32, Cause.API)).toBe(RemoveOutcome.Removed);
    expect(bench.cache.remove(idOf(1), 32, Cause.API)).toBe(RemoveOutcome.NotFound);
    expect(bench.cache.remove(idOf(2), 32, Cause.API)).toBe(RemoveOutcome.NotFound);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
    expect(look(bench.cache, 3)).toBe(Lookup.Absent);
    expect(bench.number()).toBe(0);
    expect(bench.count(Metric.TOMBSTONES)).toBe(2);
    expect(bench.count(Metric.REMOVES)).toBe(1);
  });

  it("remembers who issued a removed session, through a second removal too, and after it is lifted", () => {
    const bench = new Bench();
    const upstream = new Text("10.0.0.7:443");
    const issued = session(1);
    issued.upstream = upstream.start;
    issued.upstreamLength = upstream.length;
    issued.known |= Known.UPSTREAM;
    bench.cache.put(issued);
    for (let removal = 0; removal < 2; removal++) {
      bench.cache.remove(idOf(1), 32, Cause.API);
      expect(look(bench.cache, 1)).toBe(Lookup.Removed);
      expect(bench.cache.found.known).toBe(Known.UPSTREAM);
      expect(upstreamFound(bench)).toBe("10.0.0.7:443");
    }
    bench.cache.remove(idOf(2), 32, Cause.API);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
    expect(bench.cache.found.known).toBe(0, "nobody knows who issued this one");
    bench.cache.put(session(1));
    expect(upstreamFound(bench)).toBe("10.0.0.7:443");
    bench.cache.put(session(2));
    expect(bench.cache.found.knows(Known.UPSTREAM)).toBe(false);
  });

  it("is undone by hand: all that described it is kept unless the call gives it, but its past is not", () => {
    for (let way = 0; way < 3; way++) {
      const bench = new Bench();
      const sni = new Text("shop.example");
      const upstream = new Text("10.0.0.7:443");
      const key = new Text("0123456789abcdef");
      const issued = session(1, 900);
      issued.kind = Kind.TICKET;
      issued.protocol = 0x0303;
      issued.cipher = 0xc02c;
      issued.sni = sni.start;
      issued.sniLength = sni.length;
      issued.upstream = upstream.start;
      issued.upstreamLength = upstream.length;
      issued.ticketKey = key.start;
      issued.known |= Known.KIND | Known.PROTOCOL | Known.CIPHER | Known.SNI | Known.UPSTREAM | Known.TICKET_KEY;
      bench.cache.readSettings();
      bench.cache.learn(issued);
      bench.clock.advance(10);
      // By a call, by a flush that has come to its page, and by one that has not.
      if (way == 0) bench.cache.remove(idOf(1), 32, Cause.API);
      else if (way == 1) finish(bench, flushOf(bench));
      else expect(flushOf(bench) != null).toBe(true);
      expect(look(bench.cache, 1)).toBe(Lookup.Removed);
      const change = session(1);
      change.cipher = 0x1301;
      change.known = Known.CIPHER;
      change.cleared = Known.SNI;
      expect(bench.cache.put(change)).toBe(PutOutcome.Added);
      const found = bench.cache.found;
      expect(look(bench.cache, 1)).toBe(Lookup.Found);
      expect(found.kind).toBe(Kind.TICKET);
      expect(found.protocol).toBe(0x0303);
      expect(found.cipher).toBe(0x1301);
      expect(found.knows(Known.SNI)).toBe(false);
      expect(upstreamFound(bench)).toBe("10.0.0.7:443");
      expect(String.UTF8.decodeUnsafe(found.ticketKey, 16)).toBe("0123456789abcdef");
      expect(found.time).toBe(bench.clock.nowSeconds());
      expect(found.timeoutSeconds).toBe(bench.cache.settings.timeoutSeconds);
      expect(found.origin).toBe(Origin.API);
      expect(found.isOwn).toBe(true);
      expect(found.unissued).toBe(false);
    }
  });

  it("is undone without the name that its handles shared, so the one that is put back resumes", () => {
    const bench = new Bench();
    const name = bench.cache.sessionName(idOf(1), 32);
    for (let handle: u32 = 1; handle <= 2; handle++) {
      const issued = session(handle);
      issued.session = name;
      issued.known |= Known.SESSION;
      bench.cache.readSettings();
      bench.cache.learn(issued);
    }
    bench.cache.remove(idOf(1), 32, Cause.API);
    expect(bench.cache.put(session(1))).toBe(PutOutcome.Added);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
    expect(bench.cache.put(session(2))).toBe(PutOutcome.Added);
    expect(look(bench.cache, 2)).toBe(Lookup.Found);
  });

  it("that has ended leaves nothing to a session that is added afterwards", () => {
    const bench = new Bench();
    const ticket = session(1);
    ticket.kind = Kind.TICKET;
    ticket.known = Known.KIND;
    bench.cache.put(ticket);
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.clock.advance(<i64>bench.cache.settings.removedSeconds + 1);
    expect(look(bench.cache, 1)).toBe(Lookup.Absent);
    bench.cache.put(session(1));
    expect(bench.cache.found.kind).toBe(Kind.ID);
  });

  it("has a stamp that holds against the record it was made on top of, and so has each session by hand", () => {
    const bench = new Bench();
    let before: u64 = 0;
    for (let round = 0; round < 6; round++) {
      // The clock is set back all the while.
      bench.clock.set(-100);
      if (round % 2) bench.cache.remove(idOf(1), 32, Cause.API);
      else bench.cache.put(session(1));
      const entry = bench.cache.pages.open(idOf(1), 32)!.find(idOf(1), 32)!;
      const decision = entry.decision;
      expect(decision).toBe(round % 2 ? Decision.Removal : Decision.Addition);
      const key = keyOf(decision, entry.stamp);
      expect(key > before).toBe(true);
      before = key;
    }
    const observed = session(2);
    bench.cache.learn(observed);
    const entry = bench.cache.pages.open(idOf(2), 32)!.find(idOf(2), 32)!;
    expect(entry.decision).toBe(Decision.None);
    expect(entry.isOwn).toBe(true);
    bench.cache.remove(idOf(2), 32, Cause.API);
    const buried = bench.cache.pages.open(idOf(2), 32)!.find(idOf(2), 32)!;
    expect(buried.isOwn).toBe(true);
    expect(buried.stamp).toBe(stampAt(bench.clock.nanoseconds));
  });

  it("keeps the order of what comes after an event that changes no page", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    const before = bench.cache.found.version;
    bench.cache.noteRefusal(idOf(2), 32, EventCause.SESSION);
    bench.cache.put(session(3));
    const after = bench.cache.found.version;
    expect(after > before && after - before < 1000).toBe(true);
  });

  it("is lifted by adding by hand, and by nothing else", () => {
    const bench = new Bench();
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.cache.readSettings();
    expect(bench.cache.learn(session(1))).toBe(PutOutcome.Refused);
    expect(bench.cache.resume(session(1))).toBe(Lookup.Removed);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    expect(bench.count(Metric.NOT_STORED_REMOVED)).toBe(1);
    expect(bench.cache.put(session(1))).toBe(PutOutcome.Added);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
    expect(bench.count(Metric.TOMBSTONES)).toBe(0);
    expect(bench.number()).toBe(1);
  });

  it("refuses for removed_seconds, and longer where the session would have lived longer", () => {
    const bench = new Bench();
    bench.cache.put(session(1, 1_000_000));
    bench.cache.put(session(2, 10));
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.cache.remove(idOf(2), 32, Cause.API);
    bench.clock.advance(604800);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
    bench.clock.advance(1);
    expect(look(bench.cache, 2)).toBe(Lookup.Absent);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    bench.clock.advance(1_000_000 - 604800 - 1);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    bench.clock.advance(1);
    expect(look(bench.cache, 1)).toBe(Lookup.Absent);
  });

  it("is not lifted by a clock that steps backwards", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.clock.advance(-100_000);
    bench.cache.readSettings();
    expect(bench.cache.learn(session(1))).toBe(PutOutcome.Refused);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    expect(bench.cache.put(session(1))).toBe(PutOutcome.Added, "by hand, order counts and not the clock");
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
  });

  it("gives its place back to the number of sessions", () => {
    const bench = benchOfSize(1);
    bench.cache.put(session(1));
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.cache.put(session(2));
    expect(bench.number()).toBe(1);
    expect(bench.count(Metric.CACHE_FULL)).toBe(0);
  });
});

describe("a full cache", () => {
  it("holds exactly its size and evicts what expires first", () => {
    const bench = benchOfSize(2);
    bench.cache.put(session(1, 300));
    bench.cache.put(session(2, 100));
    bench.cache.put(session(3, 200));
    expect(bench.number()).toBe(2);
    expect(look(bench.cache, 2)).toBe(Lookup.Absent);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
    expect(look(bench.cache, 3)).toBe(Lookup.Found);
    expect(bench.count(Metric.CACHE_FULL)).toBe(1);
  });

  it("evicts the older of two that expire together", () => {
    const bench = benchOfSize(2);
    bench.cache.put(session(2, 100));
    bench.clock.nanoseconds += 1000;
    bench.cache.put(session(1, 100));
    bench.cache.put(session(3, 100));
    expect(look(bench.cache, 2)).toBe(Lookup.Absent);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
  });

  it("evicts exactly the earliest of all up to a size of 256", () => {
    const bench = benchOfSize(256);
    for (let i: u32 = 0; i < 256; i++) bench.cache.put(session(i, 1000 + ((i * 97) % 256)));
    for (let i: u32 = 0; i < 100; i++) {
      bench.cache.put(session(1000 + i, 5000));
      // 97 is invertible modulo 256, so each remainder is one session: the i-th goes as the i-th.
      expect(look(bench.cache, (i * 161) % 256)).toBe(Lookup.Absent);
      expect(bench.number()).toBe(256);
    }
    expect(bench.count(Metric.CACHE_FULL)).toBe(100);
  });

  it("never exceeds a larger size, and evicts early ones of a sample", () => {
    const bench = benchOfSize(500);
    for (let i: u32 = 0; i < 1500; i++) {
      bench.cache.put(session(i, i < 500 ? 100 : 10_000));
      expect(bench.number() <= 500).toBe(true);
    }
    expect(bench.number()).toBe(500);
    let late = 0;
    for (let i: u32 = 500; i < 1500; i++) {
      if (look(bench.cache, i) == Lookup.Found) late++;
    }
    expect(late > 450).toBe(true, "sessions that expire early go first, nearly always");
  });

  it("evicts early ones also where pages hold little else than removed sessions", () => {
    // About one session for each page: those that live long, and short ones that come and go.
    const bench = benchOfSize(300, 64);
    for (let i: u32 = 0; i < 8000; i++) bench.cache.remove(idOf(1_000_000 + i), 32, Cause.API);
    for (let i: u32 = 0; i < 60; i++) bench.cache.put(session(i, 100_000));
    for (let i: u32 = 100; i < 1300; i++) bench.cache.put(session(i, 100 + i));
    expect(bench.number()).toBe(300);
    for (let i: u32 = 0; i < 60; i++) expect(look(bench.cache, i)).toBe(Lookup.Found, i.toString());
  });

  it("takes what is added while a lowered size is still being carried out, and does not grow by it", () => {
    for (let size: u32 = 10; size <= 400; size += 390) {
      const bench = benchOfSize(2000);
      for (let i: u32 = 0; i < 2000; i++) bench.cache.put(session(i, 1000 + i));
      bench.cache.changeCacheSize(size);
      let before = bench.count(Metric.SESSIONS);
      for (let i: u32 = 2000; i < 2300; i++) {
        expect(bench.cache.put(session(i, 100_000))).toBe(PutOutcome.Added);
        const number = bench.count(Metric.SESSIONS);
        expect(number < before || number <= <i32>size).toBe(true, number.toString());
        before = number;
      }
      expect(before).toBe(size);
    }
  });

  it("does not evict a bystander when it replaces", () => {
    const bench = benchOfSize(2);
    bench.cache.put(session(1, 100));
    bench.cache.put(session(2, 100));
    expect(bench.cache.put(session(2, 200))).toBe(PutOutcome.Replaced);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
    expect(bench.count(Metric.CACHE_FULL)).toBe(0);
  });

  it("holds one session at size 1 and any number at size 0", () => {
    const one = benchOfSize(1);
    one.cache.put(session(1));
    one.cache.put(session(2));
    expect(one.number()).toBe(1);
    const unlimited = benchOfSize(0);
    for (let i: u32 = 0; i < 3000; i++) unlimited.cache.put(session(i));
    expect(unlimited.number()).toBe(3000);
  });
});

describe("a page that is full", () => {
  it("displaces live sessions for tombstones, and counts them", () => {
    const bench = onePage();
    fillWithSessions(bench, 400);
    const held = bench.number();
    expect(held < 400).toBe(true);
    for (let i: u32 = 1000; i < 1060; i++) bench.cache.remove(idOf(i), 32, Cause.API);
    expect(bench.number() < held).toBe(true);
    expect(bench.count(Metric.TOMBSTONES)).toBe(60);
    for (let i: u32 = 1000; i < 1060; i++) expect(look(bench.cache, i)).toBe(Lookup.Removed);
  });

  it("never displaces a tombstone for a session, whatever the load", () => {
    const bench = onePage();
    for (let i: u32 = 1000; i < 1060; i++) bench.cache.remove(idOf(i), 32, Cause.API);
    fillWithSessions(bench, 1000);
    expect(bench.count(Metric.SATURATED_PAGES)).toBe(0);
    for (let i: u32 = 1000; i < 1060; i++) expect(look(bench.cache, i)).toBe(Lookup.Removed);
  });

  it("is saturated once it can hold no more tombstones: what it does not hold counts as removed", () => {
    const bench = onePage();
    bench.cache.readSettings();
    for (let i: u32 = 0; i < 300; i++) bench.cache.remove(idOf(i), 32, Cause.API);
    expect(bench.count(Metric.SATURATED_PAGES)).toBe(1);
    expect(look(bench.cache, 4000)).toBe(Lookup.Removed);
    for (let i: u32 = 0; i < 300; i++) expect(look(bench.cache, i)).toBe(Lookup.Removed);
    expect(bench.cache.learn(session(4000))).toBe(PutOutcome.Refused);
    expect(bench.cache.put(session(4000))).toBe(PutOutcome.NoRoom);
    expect(bench.count(Metric.NOT_STORED_NO_ROOM)).toBe(1);
    expect(bench.number()).toBe(0, "what could not be stored is not counted as held");
  });

  it("recovers when its tombstones have ended", () => {
    const bench = onePage();
    for (let i: u32 = 0; i < 300; i++) bench.cache.remove(idOf(i), 32, Cause.API);
    bench.clock.advance(604801);
    expect(look(bench.cache, 4000)).toBe(Lookup.Absent);
    expect(bench.cache.put(session(4000))).toBe(PutOutcome.Added);
  });
});

describe("observed sessions", () => {
  it("are learned, and replaced by a new issue of the same ID", () => {
    const bench = new Bench();
    bench.cache.readSettings();
    expect(bench.cache.learn(session(1))).toBe(PutOutcome.Added);
    bench.cache.resume(session(1));
    bench.clock.advance(5);
    expect(bench.cache.learn(session(1))).toBe(PutOutcome.Replaced);
    expect(bench.cache.found.hits).toBe(0);
    expect(bench.cache.found.time).toBe(1_790_000_005);
    expect(bench.cache.found.origin).toBe(Origin.OBSERVED);
  });

  it("count a hit when they are resumed, and keep time, issuer and origin", () => {
    const bench = new Bench();
    bench.cache.put(session(1, 100));
    bench.clock.advance(20);
    bench.cache.readSettings();
    expect(bench.cache.resume(withUpstream(session(1), "10.0.0.8:443"))).toBe(Lookup.Found);
    look(bench.cache, 1);
    const found = bench.cache.found;
    expect(found.hits).toBe(1);
    expect(found.lastUsed).toBe(1_790_000_020);
    expect(found.time).toBe(1_790_000_000);
    expect(found.origin).toBe(Origin.API);
    expect(found.knows(Known.UPSTREAM)).toBe(true, "what was unknown is filled in");
    bench.cache.resume(withUpstream(session(1), "10.0.0.9:443"));
    look(bench.cache, 1);
    expect(load<u8>(bench.cache.found.upstream + 7)).toBe(0x38, "what is known stays");
    expect(bench.count(Metric.HITS)).toBe(2);
    expect(bench.number()).toBe(1);
  });

  it("count a miss and are learned when they are accepted without being held", () => {
    const bench = new Bench();
    bench.cache.readSettings();
    expect(bench.cache.resume(session(1))).toBe(Lookup.Absent);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
    expect(bench.cache.found.lastUsed).toBe(1_790_000_000);
    expect(bench.count(Metric.MISSES)).toBe(1);
    expect(bench.count(Metric.HITS)).toBe(0);
  });

  it("count a timeout when they are held but expired", () => {
    const bench = new Bench();
    bench.cache.put(session(1, 10));
    bench.clock.advance(11);
    bench.cache.readSettings();
    expect(bench.cache.resume(session(1))).toBe(Lookup.Expired);
    expect(bench.cache.decline(idOf(1), 32, 0, 0, true)).toBe(Lookup.Expired);
    expect(bench.count(Metric.TIMEOUTS)).toBe(2);
    expect(bench.count(Metric.HITS) + bench.count(Metric.MISSES)).toBe(0);
  });

  it("count as declined when the upstream does not accept them, and as lost when it is not the issuer", () => {
    const bench = new Bench();
    bench.cache.put(withUpstream(session(1), "10.0.0.7:443"));
    const issuer = new Text("10.0.0.7:443");
    const other = new Text("10.0.0.8:443");
    bench.cache.readSettings();
    bench.cache.decline(idOf(1), 32, issuer.start, issuer.length, true);
    expect(bench.count(Metric.DECLINED)).toBe(1);
    expect(bench.count(Metric.LOST)).toBe(0);
    bench.cache.decline(idOf(1), 32, other.start, other.length, true);
    expect(bench.count(Metric.DECLINED)).toBe(2);
    expect(bench.count(Metric.LOST)).toBe(1);
  });

  it("count no miss for an ID that may have been made up, unless the cache knows it", () => {
    const bench = new Bench();
    bench.cache.readSettings();
    bench.cache.decline(idOf(1), 32, 0, 0, false);
    expect(bench.count(Metric.MISSES)).toBe(0);
    bench.cache.decline(idOf(1), 32, 0, 0, true);
    expect(bench.count(Metric.MISSES)).toBe(1);
    bench.cache.remove(idOf(2), 32, Cause.API);
    bench.cache.decline(idOf(2), 32, 0, 0, false);
    expect(bench.count(Metric.MISSES)).toBe(2);
  });
});

describe("the mode", () => {
  it("OFF learns nothing and counts nothing", () => {
    const bench = inMode(Mode.OFF);
    expect(bench.cache.learn(session(1))).toBe(PutOutcome.NotStored);
    bench.cache.resume(session(2));
    bench.cache.decline(idOf(3), 32, 0, 0, true);
    expect(bench.number()).toBe(0);
    expect(bench.count(Metric.MISSES)).toBe(0);
  });

  it("NO_INTERNAL_STORE learns nothing, but adding by hand works and lookups count", () => {
    const bench = inMode(Mode.SERVER | Mode.NO_INTERNAL_STORE);
    expect(bench.cache.learn(session(1))).toBe(PutOutcome.NotStored);
    bench.cache.resume(session(1));
    expect(bench.count(Metric.MISSES)).toBe(1);
    expect(bench.number()).toBe(0);
    expect(bench.cache.put(session(1))).toBe(PutOutcome.Added);
    bench.cache.resume(session(1));
    expect(bench.count(Metric.HITS)).toBe(1);
  });

  it("NO_INTERNAL_LOOKUP counts neither hit nor miss, and learns all the same", () => {
    const bench = inMode(Mode.SERVER | Mode.NO_INTERNAL_LOOKUP);
    bench.cache.learn(session(1));
    bench.cache.resume(session(1));
    bench.cache.resume(session(2));
    expect(bench.number()).toBe(2);
    expect(bench.count(Metric.HITS) + bench.count(Metric.MISSES)).toBe(0);
  });

  it("does not touch tombstones", () => {
    const bench = new Bench();
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.cache.settings.changeMode(Mode.OFF);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    expect(bench.cache.remove(idOf(2), 32, Cause.API)).toBe(RemoveOutcome.NotFound);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
  });
});

describe("a store that does not answer", () => {
  it("makes every operation say so, and counts what was not stored", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    bench.store.broken = true;
    expect(bench.cache.put(session(2))).toBe(PutOutcome.Contended);
    expect(bench.cache.remove(idOf(1), 32, Cause.API)).toBe(RemoveOutcome.Contended);
    expect(look(bench.cache, 1)).toBe(Lookup.Unavailable);
    expect(bench.cache.settings.changeTimeout(5)).toBe(false);
    expect(bench.count(Metric.NOT_STORED_CONTENDED)).toBe(2);
    bench.store.broken = false;
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
    expect(bench.number()).toBe(1);
  });

  it("ends a change that always meets other writers after a bounded number of tries", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    bench.store.alwaysConflicts = true;
    const before = bench.store.writes;
    expect(bench.cache.put(session(1, 5))).toBe(PutOutcome.Contended);
    expect(bench.store.writes - before <= 32).toBe(true);
    expect(bench.count(Metric.CAS_CONFLICTS) > 0).toBe(true);
    expect(bench.number()).toBe(1);
  });
});

function onePage(): Bench {
  // No memory at all makes one page.
  return benchOfSize(0, 0);
}

function fillWithSessions(bench: Bench, count: u32): void {
  for (let i: u32 = 0; i < count; i++) bench.cache.put(session(i, 100 + i));
}

function inMode(mode: u32): Bench {
  const bench = new Bench();
  bench.cache.settings.changeMode(mode);
  bench.cache.readSettings();
  return bench;
}

function withUpstream(changed: Session, address: string): Session {
  const text = new Text(address);
  changed.upstream = text.start;
  changed.upstreamLength = text.length;
  changed.known |= Known.UPSTREAM;
  return changed;
}

function upstreamFound(bench: Bench): string {
  return String.UTF8.decodeUnsafe(bench.cache.found.upstream, bench.cache.found.upstreamLength);
}
