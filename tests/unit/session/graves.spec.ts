import { Lookup, PutOutcome, RemoveOutcome } from "../../../assembly/session/cache";
import { Enforcement } from "../../../assembly/session/settings/enforcement";
import { EventReader } from "../../../assembly/session/events/event_log";
import { EventType } from "../../../assembly/session/events/event";
import { EventCause } from "../../../assembly/session/record/event_cause";
import { Deadline } from "../../../assembly/work/job";
import { Mode } from "../../../assembly/session/settings/mode";
import { SessionRemoval } from "../../../assembly/session/jobs/session_removal";
import { Cause, Known, Session } from "../../../assembly/session/record/session";
import { Metric } from "../../../assembly/session/counting/statistics";
import { Shown, Walk, WalkStep } from "../../../assembly/session/jobs/walk";
import { FakeStore } from "../support/fake_store";
import { finish, flushOf, sweep } from "../support/jobs";
import { Bench, benchOfSize, idOf, look, session } from "../support/sessions";

const NAME: usize = memory.data(8, 8);

describe("handles of one session", () => {
  it("share a name that is never 0 and the same for all workers, and differs for each session and each cache", () => {
    const bench = new Bench();
    const name = bench.cache.sessionName(idOf(1), 32);
    expect(name != 0).toBe(true);
    expect(bench.worker().cache.sessionName(idOf(1), 32)).toBe(name);
    expect(bench.cache.sessionName(idOf(2), 32) != name).toBe(true);
    expect(<u32>name != bench.cache.hash.of(idOf(1), 32)).toBe(true, "it does not tell the page");
  });

  it("are rows of their own that show the name, and take eight bytes more", () => {
    const bench = new Bench();
    learnBoth(bench, 1, 2);
    expect(bench.number()).toBe(2);
    const name = bench.cache.sessionName(idOf(1), 32);
    for (let handle: u32 = 1; handle <= 2; handle++) {
      expect(look(bench.cache, handle)).toBe(Lookup.Found);
      expect(bench.cache.found.session).toBe(name);
      expect(bench.cache.found.knows(Known.SESSION)).toBe(true);
    }
    bench.cache.put(session(3));
    look(bench.cache, 3);
    expect(bench.cache.found.session).toBe(0);
    expect(bench.cache.found.knows(Known.SESSION)).toBe(false);
  });

  it("are all refused at once when one is removed, and go one after the other", () => {
    for (let first: u32 = 1; first <= 2; first++) {
      const bench = new Bench();
      learnBoth(bench, 1, 2);
      bench.cache.put(session(3));
      const removal = remove(bench, first);
      expect(look(bench.cache, 1)).toBe(Lookup.Removed);
      expect(look(bench.cache, 2)).toBe(Lookup.Removed);
      expect(look(bench.worker().cache, 3 - first)).toBe(Lookup.Removed);
      expect(look(bench.cache, 3)).toBe(Lookup.Found, "a bystander stays");
      expect(bench.number()).toBe(2);
      finish(bench, removal);
      expect(removal.removed).toBe(1);
      expect(look(bench.cache, 1)).toBe(Lookup.Removed);
      expect(look(bench.cache, 2)).toBe(Lookup.Removed);
      expect(bench.number()).toBe(1);
      expect(bench.count(Metric.REMOVES)).toBe(2);
      expect(bench.count(Metric.TOMBSTONES)).toBe(3, "one for each handle, and one for the name");
      expect(removalsShown(bench)).toBe(2, "the name is nobody's ID");
    }
  });

  it("of one alone are removed by one write of one page", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    bench.cache.put(session(2));
    const writes = bench.store.writes;
    bench.cache.remove(idOf(1), 32, Cause.API);
    const one = bench.store.writes - writes;
    expect(bench.cache.removals.removedSession).toBe(0);
    bench.cache.remove(idOf(99), 32, Cause.API);
    expect(bench.store.writes - writes).toBe(2 * one);
    expect(bench.count(Metric.TOMBSTONES)).toBe(2);
  });

  it("are each told as removed, and whether they were held", () => {
    const bench = new Bench();
    learnBoth(bench, 1, 2);
    bench.cache.remove(idOf(9), 32, Cause.API);
    finish(bench, remove(bench, 1));
    expect(removedEvents(bench, true)).toBe(2);
    expect(removedEvents(bench, false)).toBe(1);
  });

  it("cost one look more each, and nothing where there is but one", () => {
    const bench = new Bench();
    learnBoth(bench, 1, 2);
    bench.cache.put(session(3));
    bench.cache.readSettings();
    let reads = bench.store.reads;
    bench.cache.read(idOf(3), 32);
    expect(bench.store.reads - reads).toBe(1);
    reads = bench.store.reads;
    bench.cache.read(idOf(1), 32);
    expect(bench.store.reads - reads).toBe(2);
  });

  it("stay refused as long as the one that is refused longest", () => {
    const bench = new Bench();
    learn(bench, 1, bench.cache.sessionName(idOf(1), 32), 100);
    learn(bench, 2, bench.cache.sessionName(idOf(1), 32), 1_000_000);
    finish(bench, remove(bench, 1));
    learn(bench, 4, bench.cache.sessionName(idOf(1), 32), 100);
    bench.clock.advance(700_000);
    sweep(bench);
    expect(look(bench.cache, 1)).toBe(Lookup.Absent);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
    expect(look(bench.cache, 4)).toBe(Lookup.Removed, "it came later, and goes with the last");
    expect(learn(bench, 3, bench.cache.sessionName(idOf(1), 32), 100)).toBe(PutOutcome.Refused);
    expect(look(bench.cache, 3)).toBe(Lookup.Removed);
    bench.clock.advance(700_000);
    sweep(bench);
    expect(bench.count(Metric.TOMBSTONES)).toBe(0, "then all of it is given back");
  });

  it("that come after the removal are refused as if they had been removed with it, learned or not", () => {
    for (let mode = 0; mode < 2; mode++) {
      const bench = new Bench();
      learnBoth(bench, 1, 2);
      finish(bench, remove(bench, 1));
      if (mode == 1) bench.cache.settings.changeMode(Mode.SERVER | Mode.NO_INTERNAL_STORE);
      bench.cache.readSettings();
      expect(learn(bench, 3, bench.cache.sessionName(idOf(1), 32))).toBe(PutOutcome.Refused);
      expect(look(bench.cache, 3)).toBe(Lookup.Removed);
      expect(bench.cache.found.session).toBe(bench.cache.sessionName(idOf(1), 32));
      expect(bench.number()).toBe(0);
      expect(bench.count(Metric.NOT_STORED_REMOVED)).toBe(1);
    }
  });

  it("that come while nothing is enforced are not learned, and take no room", () => {
    const bench = new Bench();
    learnBoth(bench, 1, 2);
    finish(bench, remove(bench, 1));
    bench.cache.settings.changeEnforcement(Enforcement.OBSERVE);
    bench.cache.readSettings();
    const before = bench.count(Metric.TOMBSTONES);
    expect(learn(bench, 3, bench.cache.sessionName(idOf(1), 32))).toBe(PutOutcome.Refused);
    expect(bench.count(Metric.TOMBSTONES)).toBe(before);
    expect(look(bench.cache, 3)).toBe(Lookup.Absent);
  });

  it("are found by a removal at any moment of their learning", () => {
    for (let write = 0; write < 6; write++) {
      const store = new RemovingStore();
      const bench = new Bench(store);
      const name = bench.cache.sessionName(idOf(1), 32);
      learn(bench, 1, name);
      store.other = bench.worker();
      store.conflictAt(write);
      learn(bench, 2, name);
      if (store.happened) expect(bench.number()).toBe(0, "what was stored too late is taken out again");
      // Whatever has not happened by then happens now.
      if (!store.happened) store.otherWriter();
      expect(look(bench.cache, 2)).toBe(Lookup.Removed, write.toString());
      finish(bench, new SessionRemoval(bench.cache, name, Cause.API));
      expect(look(bench.cache, 2)).toBe(Lookup.Removed, write.toString());
      expect(bench.number()).toBe(0, "nothing is counted twice");
    }
  });
});

describe("a handle whose session is removed while it takes its name", () => {
  it("is removed with it", () => {
    const store = new RemovingStore();
    const bench = new Bench(store);
    const name = bench.cache.sessionName(idOf(2), 32);
    bench.cache.put(session(2));
    learn(bench, 1, name);
    store.other = bench.worker();
    store.conflictAt(0);
    expect(acceptAs(bench, 2, name)).toBe(Lookup.Removed);
    expect(store.happened).toBe(true);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
    expect(bench.number()).toBe(0);
  });
});

describe("a session that gets a second handle", () => {
  it("takes its name when it is accepted, in every mode, expired or not, and keeps one that it has", () => {
    const bench = new Bench();
    bench.cache.put(session(1, 10));
    bench.cache.put(session(2));
    const own = bench.cache.sessionName(idOf(2), 32);
    expect(accept(bench, 2)).toBe(Lookup.Found);
    expect(bench.cache.found.session).toBe(own);
    expect(acceptAs(bench, 2, 77)).toBe(Lookup.Found);
    expect(bench.cache.found.session).toBe(own);
    bench.cache.settings.changeMode(Mode.SERVER | Mode.NO_INTERNAL_LOOKUP);
    bench.cache.put(session(3));
    expect(accept(bench, 3)).toBe(Lookup.Found);
    look(bench.cache, 3);
    expect(bench.cache.found.session).toBe(bench.cache.sessionName(idOf(3), 32));
    expect(bench.cache.found.hits).toBe(0);
    bench.clock.advance(11);
    expect(accept(bench, 1)).toBe(Lookup.Expired);
    expect(bench.cache.found.session).toBe(bench.cache.sessionName(idOf(1), 32));
    expect(look(bench.cache, 1)).toBe(Lookup.Expired);
    expect(bench.cache.found.hits).toBe(0);
    expect(bench.cache.found.session).toBe(bench.cache.sessionName(idOf(1), 32));
  });

  it("is learned with it where it was not held, and has none to hand on where it is not stored", () => {
    const bench = new Bench();
    expect(accept(bench, 1)).toBe(Lookup.Absent);
    expect(bench.cache.found.session).toBe(bench.cache.sessionName(idOf(1), 32));
    bench.cache.settings.changeMode(Mode.SERVER | Mode.NO_INTERNAL_STORE);
    look(bench.cache, 1);
    expect(accept(bench, 2)).toBe(Lookup.Absent);
    expect(bench.cache.found.session).toBe(0);
  });

  it("and was removed in between hands its removal on", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    bench.cache.remove(idOf(1), 32, Cause.API);
    expect(accept(bench, 1)).toBe(Lookup.Removed);
    expect(bench.cache.found.session).toBe(bench.cache.sessionName(idOf(1), 32));
    expect(learn(bench, 2, bench.cache.found.session)).toBe(PutOutcome.Refused);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
    const tombstones = bench.count(Metric.TOMBSTONES);
    bench.clock.advance(1);
    const writes = bench.store.writes;
    accept(bench, 1);
    expect(bench.count(Metric.TOMBSTONES)).toBe(tombstones, "once is enough");
    expect(bench.store.writes).toBe(writes);
  });

  it("finds room for its name in a full page", () => {
    const bench = benchOfSize(0, 0);
    for (let i: u32 = 0; i < 400; i++) bench.cache.put(session(i, 100 + i));
    const held = bench.number();
    accept(bench, 399);
    look(bench.cache, 399);
    expect(bench.cache.found.session).toBe(bench.cache.sessionName(idOf(399), 32));
    expect(held - bench.number()).toBe(1, "one gave way");
    expect(bench.count(Metric.CACHE_FULL)).toBe(400 - bench.number());
  });
});

describe("putting a handle by hand", () => {
  it("lifts it alone, and adds what is held but refused", () => {
    const bench = new Bench();
    learnBoth(bench, 1, 2);
    const removal = remove(bench, 1);
    expect(bench.cache.put(session(2))).toBe(PutOutcome.Added);
    expect(bench.cache.found.session).toBe(0);
    expect(look(bench.cache, 2)).toBe(Lookup.Found);
    finish(bench, removal);
    expect(removal.removed).toBe(0, "it is no longer of that session");
    expect(look(bench.cache, 2)).toBe(Lookup.Found);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    expect(bench.cache.put(session(1))).toBe(PutOutcome.Added);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
    expect(bench.number()).toBe(2);
    expect(bench.count(Metric.REMOVES)).toBe(2);
  });

  it("keeps it one of its session where nothing was removed, expired or not", () => {
    const bench = new Bench();
    learnBoth(bench, 1, 2);
    expect(bench.cache.put(session(1, 50))).toBe(PutOutcome.Replaced);
    bench.clock.advance(60);
    expect(bench.cache.put(session(1, 50))).toBe(PutOutcome.Added);
    expect(bench.cache.found.session).toBe(bench.cache.sessionName(idOf(1), 32));
    remove(bench, 2);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
  });
});

describe("a handle of a removed session", () => {
  it("leaves a tombstone wherever it goes before it is taken out", () => {
    for (let way = 0; way < 5; way++) {
      const bench = way == 1 ? benchOfSize(0, 0) : benchOfSize(3);
      const name = bench.cache.sessionName(idOf(1), 32);
      learn(bench, 1, name, 1000);
      learn(bench, 2, name, 10);
      bench.cache.put(session(3, 1000));
      remove(bench, 1);
      if (way == 0) {
        bench.cache.put(session(4, 1000));
        bench.cache.put(session(5, 1000));
      } else if (way == 1) {
        for (let i: u32 = 10; i < 300; i++) bench.cache.put(session(i, 100));
      } else if (way == 2) {
        bench.clock.advance(100);
        sweep(bench);
      } else if (way == 3) {
        finish(bench, flushOf(bench));
      } else {
        bench.clock.advance(100);
        finish(bench, flushOf(bench));
      }
      expect(look(bench.cache, 2)).toBe(Lookup.Removed, way.toString());
      expect(removalsShown(bench)).toBe(way >= 3 ? 3 : 2, way.toString());
    }
  });

  it("can be removed again where its others were left behind", () => {
    const bench = new Bench();
    learnBoth(bench, 1, 2);
    remove(bench, 1);
    const again = remove(bench, 1, RemoveOutcome.NotFound);
    finish(bench, again);
    expect(again.removed).toBe(1);
  });

  it("is not let through where the page is saturated that would say so, and leaves nothing there or elsewhere", () => {
    const bench = benchOfSize(0, 1);
    const name = bench.cache.sessionName(idOf(1), 32);
    learnBoth(bench, 1, 2);
    bench.cache.put(session(3));
    store<u64>(NAME, name);
    const place = bench.cache.hash.of(NAME, 8) & 255;
    let number: u32 = 10_000;
    for (let removed = 0; removed < 90; number++) {
      if ((bench.cache.hash.of(idOf(number), 32) & 255) != place) continue;
      bench.cache.remove(idOf(number), 32, Cause.API);
      removed++;
    }
    expect(bench.count(Metric.SATURATED_PAGES)).toBe(1);
    const tombstones = bench.count(Metric.TOMBSTONES);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
    expect(look(bench.cache, 3)).toBe(Lookup.Found);
    expect(learn(bench, 4, name)).toBe(PutOutcome.Refused);
    expect(look(bench.cache, 4)).toBe(Lookup.Absent);
    expect(bench.count(Metric.TOMBSTONES)).toBe(tombstones, "clients cannot spread it");
    expect(bench.cache.put(session(2))).toBe(PutOutcome.Added);
    expect(look(bench.cache, 2)).toBe(Lookup.Found);
  });

  it("is in force before a flush or a split, and after", () => {
    const bench = benchOfSize(0, 64);
    for (let i: u32 = 0; i < 100; i += 2) learnBoth(bench, i, i + 1);
    for (let i: u32 = 0; i < 100; i += 4) remove(bench, i);
    for (let i: u32 = 200; i < 3000; i++) bench.cache.put(session(i));
    for (let i: u32 = 0; i < 100; i += 2) {
      const expected = i % 4 == 0 ? Lookup.Removed : Lookup.Found;
      expect(look(bench.cache, i)).toBe(expected, i.toString());
      expect(look(bench.cache, i + 1)).toBe(expected, i.toString());
    }
  });

  it("says so where its removal could not be stored, and refuses nothing by halves", () => {
    const bench = new Bench();
    learnBoth(bench, 1, 2);
    bench.store.alwaysConflicts = true;
    expect(bench.cache.remove(idOf(1), 32, Cause.API)).toBe(RemoveOutcome.Contended);
    bench.store.alwaysConflicts = false;
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
    expect(look(bench.cache, 2)).toBe(Lookup.Found);
  });
});

describe("a session of 8 bytes that is called as a session's name", () => {
  it("is another one", () => {
    const bench = new Bench();
    const name = bench.cache.sessionName(idOf(1), 32);
    learnBoth(bench, 1, 2);
    store<u64>(NAME, name);
    const twin = new Session();
    twin.id = NAME;
    twin.idLength = 8;
    finish(bench, remove(bench, 1));
    expect(bench.cache.peek(NAME, 8)).toBe(Lookup.Absent);
    expect(bench.cache.put(twin)).toBe(PutOutcome.Added);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
    expect(bench.cache.remove(NAME, 8, Cause.API)).toBe(RemoveOutcome.Removed);
    expect(bench.cache.put(twin)).toBe(PutOutcome.Added);
    expect(learn(bench, 3, name)).toBe(PutOutcome.Refused);
  });
});

describe("the time of issue", () => {
  it("is unknown of what was learned by its acceptance, until it is issued or replaced by hand", () => {
    const bench = new Bench();
    bench.cache.readSettings();
    bench.cache.learn(session(1));
    look(bench.cache, 1);
    expect(bench.cache.found.unissued).toBe(false);
    bench.cache.resume(session(2));
    bench.cache.resume(session(3));
    bench.cache.resume(session(2));
    for (let i: u32 = 2; i <= 3; i++) {
      look(bench.cache, i);
      expect(bench.cache.found.unissued).toBe(true);
    }
    bench.cache.learn(session(2));
    look(bench.cache, 2);
    expect(bench.cache.found.unissued).toBe(false);
    expect(bench.cache.put(session(3))).toBe(PutOutcome.Identical, "a call that changes nothing does not");
    expect(bench.cache.put(session(3, 77))).toBe(PutOutcome.Replaced);
    expect(bench.cache.found.unissued).toBe(false);
  });

  it("stays unknown through what fills in the rest", () => {
    const bench = new Bench();
    bench.cache.readSettings();
    bench.cache.resume(session(1));
    accept(bench, 1);
    look(bench.cache, 1);
    expect(bench.cache.found.unissued).toBe(true);
    expect(bench.cache.found.session != 0).toBe(true);
  });
});

describe("a ticket without an ID beside it", () => {
  it("is told as such, as long as it is held", () => {
    const bench = new Bench();
    const ticket = session(1);
    ticket.alone = true;
    bench.cache.readSettings();
    bench.cache.learn(ticket);
    bench.cache.learn(session(2));
    accept(bench, 1);
    bench.cache.put(session(1, 77));
    look(bench.cache, 1);
    expect(bench.cache.found.alone).toBe(true);
    expect(bench.cache.found.timeoutSeconds).toBe(77);
    look(bench.cache, 2);
    expect(bench.cache.found.alone).toBe(false);
    bench.cache.learn(session(1));
    look(bench.cache, 1);
    expect(bench.cache.found.alone).toBe(false);
  });
});

/** Another worker removes session 1 at the moment chosen by `conflictAt`. */
class RemovingStore extends FakeStore {
  other: Bench | null = null;
  happened: bool = false;

  otherWriter(): void {
    const other = this.other;
    if (!other || this.happened) return;
    this.happened = true;
    other.cache.remove(idOf(1), 32, Cause.API);
    finish(other, new SessionRemoval(other.cache, other.cache.removals.removedSession, Cause.API));
  }
}

/** A handshake that issues two handles. */
function learnBoth(bench: Bench, first: u32, second: u32): void {
  const name = bench.cache.sessionName(idOf(first), 32);
  expect(learn(bench, first, name)).toBe(PutOutcome.Added);
  expect(learn(bench, second, name)).toBe(PutOutcome.Added);
}

function learn(bench: Bench, number: u32, name: u64, timeoutSeconds: u32 = 0): PutOutcome {
  const issued = session(number, timeoutSeconds);
  issued.session = name;
  issued.known |= Known.SESSION;
  bench.cache.readSettings();
  return bench.cache.learn(issued);
}

/** A server accepts a session and gives it a second handle. */
function accept(bench: Bench, number: u32): Lookup {
  return acceptAs(bench, number, bench.cache.sessionName(idOf(number), 32));
}

function acceptAs(bench: Bench, number: u32, name: u64): Lookup {
  const accepted = session(number);
  accepted.session = name;
  accepted.known |= Known.SESSION;
  bench.cache.readSettings();
  return bench.cache.resume(accepted);
}

/** Removes a handle; the job that takes out the others has still to be done. */
function remove(bench: Bench, number: u32, outcome: RemoveOutcome = RemoveOutcome.Removed): SessionRemoval {
  expect(bench.cache.remove(idOf(number), 32, Cause.API)).toBe(outcome);
  expect(bench.cache.removals.removedSession != 0).toBe(true);
  return new SessionRemoval(bench.cache, bench.cache.removals.removedSession, Cause.API);
}

/** Removed sessions that a listing shows. */
function removalsShown(bench: Bench): i32 {
  const walk = new Walk(bench.cache, Shown.Removals, 0, 0);
  let count = 0;
  for (; walk.next() == WalkStep.Entry; count++) expect(bench.cache.tombstone.idLength).toBe(32);
  return count;
}

/** Events of removals, of what was held or of what was not. */
function removedEvents(bench: Bench, held: bool): i32 {
  const deadline = new Deadline(bench.clock);
  deadline.start(u64.MAX_VALUE >> 1);
  bench.cache.events.run(deadline);
  expect(bench.cache.events.log.load(bench.clock.nowNanoseconds())).toBe(true);
  const reader = new EventReader(bench.cache.events.log, 0);
  let count = 0;
  for (let event = reader.next(); event; event = reader.next()) {
    if (event.type != EventType.REMOVED || event.held != held) continue;
    expect(event.cause).toBe(EventCause.API);
    count++;
  }
  return count;
}
