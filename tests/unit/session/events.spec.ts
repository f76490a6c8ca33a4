import { Cache, PutOutcome } from "../../../assembly/session/cache";
import { Event, EventCause, EventType, eventTypeName } from "../../../assembly/session/events/event";
import { EventReader } from "../../../assembly/session/events/event_log";
import { Sequencer } from "../../../assembly/session/events/sequencer";
import { Flush } from "../../../assembly/session/flush";
import { Deadline } from "../../../assembly/session/job";
import { Cause } from "../../../assembly/session/session";
import { Mode } from "../../../assembly/session/mode";
import { Metric } from "../../../assembly/session/statistics";
import { Sweep } from "../../../assembly/session/sweep";
import { Bench, benchOfSize, idOf, session } from "../support/sessions";

describe("the events of a cache", () => {
  it("tell of every change, in order, with type, cause and time", () => {
    const bench = new Bench();
    const sequencer = sequencerOf(bench);
    bench.cache.put(session(1, 100));
    bench.cache.put(session(1, 100));
    bench.cache.put(session(1, 200));
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.cache.readSettings();
    bench.cache.learn(session(2));
    bench.clock.advance(9);
    bench.cache.learn(session(2));
    expect(story(bench, sequencer)).toBe("new 1, replaced 1, removed 1, new 2, replaced 2");

    const reader = new EventReader(sequencer.log, 3);
    const event = reader.next()!;
    expect(event.type).toBe(EventType.NEW);
    expect(event.cause).toBe(EventCause.HANDSHAKE);
    expect(event.time).toBe(1_790_000_000);
    expect(reader.next()!.time).toBe(1_790_000_009);
    expect(reader.next() == null).toBe(true);
    expect(reader.missed).toBe(0);
  });

  it("tell of the removal of what was not held, as OpenSSL calls remove_cb for it", () => {
    const bench = new Bench();
    bench.cache.remove(idOf(1), 32, Cause.API);
    expect(story(bench, sequencerOf(bench))).toBe("removed 1");
  });

  it("tell of a new session that NO_INTERNAL_STORE keeps out, as OpenSSL calls new_cb for an external cache", () => {
    const bench = new Bench();
    bench.cache.changeMode(Mode.SERVER | Mode.NO_INTERNAL_STORE);
    bench.cache.readSettings();
    bench.cache.learn(session(1));
    bench.cache.resume(session(1));
    bench.cache.remove(idOf(1), 32, Cause.API);
    expect(bench.number()).toBe(0);
    expect(story(bench, sequencerOf(bench))).toBe("new 1, removed 1");
  });

  it("say nothing of new sessions where the cache is off", () => {
    const bench = new Bench();
    bench.cache.changeMode(Mode.OFF);
    bench.cache.readSettings();
    bench.cache.learn(session(1));
    expect(story(bench, sequencerOf(bench))).toBe("");
  });

  it("tell of evictions, expiries and flushes", () => {
    const bench = benchOfSize(1);
    bench.cache.put(session(1, 10));
    bench.cache.put(session(2, 10));
    bench.clock.advance(16);
    bench.cache.readSettings();
    const deadline = new Deadline(bench.clock);
    deadline.start(1000);
    new Sweep(bench.cache).step(deadline);
    bench.cache.put(session(3, 10));
    const flush = new Flush(bench.cache, 0);
    flush.begin();
    flush.step(deadline);
    expect(story(bench, sequencerOf(bench))).toBe("new 1, evicted 1, new 2, expired 2, new 3, flushed 3");
  });

  it("say nothing of a change that was not stored", () => {
    const bench = new Bench();
    bench.cache.put(session(1, 100));
    bench.store.alwaysConflicts = true;
    expect(bench.cache.put(session(1, 200))).toBe(PutOutcome.Contended);
    bench.store.alwaysConflicts = false;
    bench.cache.put(session(1, 300));
    expect(story(bench, sequencerOf(bench))).toBe("new 1, replaced 1");
  });

  it("keep the order of each ID over all workers, also when clocks step back", () => {
    const bench = new Bench();
    const workers: Cache[] = [bench.cache];
    for (let i = 0; i < 3; i++) workers.push(bench.worker().cache);
    const sequencer = sequencerOf(bench);
    const last = new Map<u32, u8>();
    let random: u32 = 7;
    let wrong = 0;
    let seen = 0;
    let after: u64 = 0;
    for (let step = 0; step < 4000; step++) {
      random = random * 1664525 + 1013904223;
      const number = (random >> 8) % 5;
      const worker = workers[(random >> 16) % 4];
      if ((random >> 24) % 16 == 0) bench.clock.advance(<i64>((random >> 12) % 200) - 100);
      if ((random >> 20) % 2 == 0) worker.put(session(number, 1000));
      else worker.remove(idOf(number), 32, Cause.API);
      if ((random >> 4) % 64 != 0) continue;
      collect(bench, sequencer);
      sequencer.log.load(1);
      const reader = new EventReader(sequencer.log, after);
      let event = reader.next();
      while (event) {
        seen++;
        // Of one ID, "new" follows a removal or nothing at all: sessions with these IDs are never replaced.
        const id = numberOf(event);
        const before = last.has(id) ? last.get(id) : EventType.REMOVED;
        if (event.type == EventType.NEW && before != EventType.REMOVED) wrong++;
        if (event.type == EventType.REPLACED) wrong++;
        last.set(id, event.type);
        event = reader.next();
      }
      expect(reader.missed).toBe(0);
      after = reader.sequence;
    }
    expect(wrong).toBe(0);
    expect(seen > 1500).toBe(true);
  });

  it("count what a reader has missed, when the log has gone round", () => {
    const bench = new Bench();
    const sequencer = sequencerOf(bench);
    for (let i: u32 = 0; i < 12_000; i++) {
      bench.cache.remove(idOf(i % 50), 32, Cause.API);
      if (i % 500 == 0) collect(bench, sequencer);
    }
    collect(bench, sequencer);
    sequencer.log.load(1);
    const reader = new EventReader(sequencer.log, 10);
    let read = 0;
    while (reader.next()) read++;
    expect(read > 8000).toBe(true);
    expect(<u64>read + reader.missed).toBe(12_000 - 10);
  });

  it("count what was lost when nobody collected in time", () => {
    const bench = new Bench();
    const sequencer = sequencerOf(bench);
    for (let i: u32 = 0; i < 3000; i++) bench.cache.remove(idOf(i % 50), 32, Cause.API);
    collect(bench, sequencer);
    sequencer.log.load(1);
    const reader = new EventReader(sequencer.log, 0);
    let read = 0;
    while (reader.next()) read++;
    expect(read > 900).toBe(true);
    expect(<u64>read + reader.missed).toBe(3000);
    expect(bench.count(Metric.EVENTS_LOST)).toBe(3000 - read);
  });

  it("are bounded in memory, whatever happens", () => {
    const bench = new Bench();
    const sequencer = sequencerOf(bench);
    for (let i: u32 = 0; i < 9000; i++) {
      bench.cache.remove(idOf(i % 50), 32, Cause.API);
      if (i % 300 == 0) collect(bench, sequencer);
    }
    const bytes = bench.store.bytes;
    for (let i: u32 = 0; i < 9000; i++) {
      bench.cache.remove(idOf(i % 50), 32, Cause.API);
      if (i % 300 == 0) collect(bench, sequencer);
    }
    expect(bench.store.bytes).toBe(bytes);
  });

  it("go on after a worker that ended between announcing and confirming", () => {
    const bench = new Bench();
    const sequencer = sequencerOf(bench);
    bench.cache.put(session(1));
    // The page is stored, and then the machine is gone: nothing is confirmed any more.
    const outbox = bench.cache.pages.outbox;
    outbox.note(u64.MAX_VALUE - 100, bench.clock.nowSeconds(), EventType.NEW, EventCause.API, idOf(2), 32);
    outbox.announce();
    expect(story(bench, sequencer)).toBe("new 1");
    const other = bench.worker();
    other.cache.put(session(3));
    bench.clock.advance(6);
    expect(story(bench, sequencer)).toBe("new 1, new 3, ?");
  });

  it("begin with the first that is kept where a mark is none of this log", () => {
    const bench = new Bench();
    const sequencer = sequencerOf(bench);
    bench.cache.put(session(1));
    collect(bench, sequencer);
    sequencer.log.load(1);
    const reader = new EventReader(sequencer.log, 999_999);
    expect(reader.next() == null).toBe(true);
    expect(reader.sequence).toBe(1);
  });
});

function collect(bench: Bench, sequencer: Sequencer): void {
  const deadline = new Deadline(bench.clock);
  deadline.start(1000);
  sequencer.run(deadline);
}

function sequencerOf(bench: Bench): Sequencer {
  return new Sequencer("default", bench.store, bench.clock, bench.metrics);
}

/** All events so far, in few words; "?" for one that was lost. */
function story(bench: Bench, sequencer: Sequencer): string {
  collect(bench, sequencer);
  sequencer.log.load(1);
  const reader = new EventReader(sequencer.log, 0);
  const words: string[] = [];
  let event = reader.next();
  while (event) {
    words.push(eventTypeName(event.type) + " " + numberOf(event).toString());
    event = reader.next();
  }
  for (let i: u64 = 0; i < reader.missed; i++) words.push("?");
  return words.join(", ");
}

function numberOf(event: Event): u32 {
  return bswap(load<u32>(event.id));
}
