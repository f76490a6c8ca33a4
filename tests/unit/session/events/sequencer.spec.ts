import { Cache, PutOutcome } from "../../../../assembly/session/cache";
import { PeerAddress } from "../../../../assembly/ports/peer_address";
import { Event, EventType, eventTypeName, LossCause } from "../../../../assembly/session/events/event";
import { EventCause } from "../../../../assembly/session/record/event_cause";
import { EventReader } from "../../../../assembly/session/events/event_log";
import { Sequencer } from "../../../../assembly/session/events/sequencer";
import { Flush } from "../../../../assembly/session/jobs/flush";
import { Deadline } from "../../../../assembly/work/job";
import { StoreKey } from "../../../../assembly/shared/store_key";
import { Cause, Known } from "../../../../assembly/session/record/session";
import { Shrink } from "../../../../assembly/session/jobs/shrink";
import { Mode } from "../../../../assembly/session/settings/mode";
import { Metric } from "../../../../assembly/session/counting/statistics";
import { Sweep } from "../../../../assembly/session/jobs/sweep";
import { FakeStore } from "../../support/fake_store";
import { finish } from "../../support/jobs";
import { Bench, benchOfSize, idOf, session, Text } from "../../support/sessions";

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
    bench.cache.settings.changeMode(Mode.SERVER | Mode.NO_INTERNAL_STORE);
    bench.cache.readSettings();
    bench.cache.learn(session(1));
    bench.cache.resume(session(1));
    bench.cache.remove(idOf(1), 32, Cause.API);
    expect(bench.number()).toBe(0);
    expect(story(bench, sequencerOf(bench))).toBe("new 1, removed 1");
  });

  it("say nothing of new sessions where the cache is off", () => {
    const bench = new Bench();
    bench.cache.settings.changeMode(Mode.OFF);
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

  it("of a flush of more than an outbox holds are told all", () => {
    const bench = benchOfSize(0, 64);
    const sequencer = sequencerOf(bench);
    for (let i: u32 = 0; i < 4000; i++) {
      bench.cache.put(session(i, 1000));
      if (i % 500 == 0) collect(bench, sequencer);
    }
    collect(bench, sequencer);
    const flush = new Flush(bench.cache, 0);
    flush.begin();
    finish(bench, flush);
    collect(bench, sequencer);
    expect(readFrom(sequencer, 4000, EventType.FLUSHED)).toBe(4000);
    expect(bench.count(Metric.EVENTS_LOST)).toBe(0);
  });

  it("of a size that is lowered by more than an outbox holds are told all, and so are expiries", () => {
    const bench = benchOfSize(0, 64);
    const sequencer = sequencerOf(bench);
    for (let i: u32 = 0; i < 4000; i++) {
      bench.cache.put(session(i, 1000));
      if (i % 500 == 0) collect(bench, sequencer);
    }
    collect(bench, sequencer);
    bench.cache.changeCacheSize(1500);
    finish(bench, new Shrink(bench.cache));
    collect(bench, sequencer);
    expect(readFrom(sequencer, 4000, EventType.EVICTED)).toBe(2500);
    bench.clock.advance(2000);
    finish(bench, new Sweep(bench.cache));
    collect(bench, sequencer);
    expect(readFrom(sequencer, 6500, EventType.EXPIRED)).toBe(1500);
    expect(bench.count(Metric.EVENTS_LOST)).toBe(0);
  });

  it("of a flush wait while another machine collects, but not for ever", () => {
    const bench = benchOfSize(0, 64);
    for (let i: u32 = 0; i < 3000; i++) bench.cache.put(session(i, 1000));
    const log = bench.cache.events.log;
    const flush = new Flush(bench.cache, 0);
    flush.begin();
    const deadline = new Deadline(bench.clock);
    deadline.start(1000);
    log.load(bench.clock.nowNanoseconds());
    expect(log.lock(bench.clock.nowNanoseconds())).toBe(true, "somebody else is at it");
    for (let i = 0; i < 10; i++) expect(flush.step(deadline)).toBe(false);
    const removed = flush.removed;
    expect(removed < 600).toBe(true, "it has not gone on");
    // Whoever it was does not come back, and time goes by in which nobody else may begin either.
    for (let i = 0; i < 12 && !flush.step(deadline); i++) {
      bench.clock.advance(1);
      log.load(bench.clock.nowNanoseconds());
      log.lock(bench.clock.nowNanoseconds());
    }
    expect(flush.removed > removed).toBe(true, "a removal is not held up by its events");
  });

  it("tell of whom they are, as far as it is known", () => {
    const bench = new Bench();
    const sequencer = sequencerOf(bench);
    const sni = new Text("shop.example");
    const upstream = new Text("10.0.0.7:443");
    const known = session(1, 100);
    known.sni = sni.start;
    known.sniLength = sni.length;
    known.upstream = upstream.start;
    known.upstreamLength = upstream.length;
    known.known |= Known.SNI | Known.UPSTREAM;
    bench.cache.put(known);
    bench.cache.put(session(2, 100));
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.cache.noteRefusal(idOf(3), 32, EventCause.STRICT, known, new Client());
    const flush = new Flush(bench.cache, 0);
    flush.begin();
    finish(bench, flush);
    collect(bench, sequencer);
    sequencer.log.load(1);
    const reader = new EventReader(sequencer.log, 0);
    const named = "shop.example 10.0.0.7:443 ";
    expect(namesOf(reader.next()!)).toBe("new " + named + "-");
    expect(namesOf(reader.next()!)).toBe("new - - -");
    expect(namesOf(reader.next()!)).toBe("removed " + named + "-");
    expect(namesOf(reader.next()!)).toBe("refused " + named + "192.0.2.1:5000");
    expect(namesOf(reader.next()!)).toBe("flushed - - -");
  });

  it("of sessions with the longest names are all told, in bounded memory", () => {
    const bench = benchOfSize(0, 64);
    const sequencer = sequencerOf(bench);
    const name = memory.data(255);
    memory.fill(name, 0x61, 255);
    let wrong = 0;
    let after: u64 = 0;
    for (let i: u32 = 0; i < 9000; i++) {
      const long = session(i % 3000);
      store<u32>(name, 0x61616161 + i);
      long.sni = name;
      long.sniLength = 255;
      long.known |= Known.SNI;
      bench.cache.put(long);
      if (i % 100 != 99) continue;
      collect(bench, sequencer);
      sequencer.log.load(1);
      const reader = new EventReader(sequencer.log, after);
      for (let event = reader.next(); event; event = reader.next()) {
        // Those that had to make room are told too.
        if (event.type != EventType.EVICTED && event.sniLength != 255) wrong++;
      }
      wrong += <i32>reader.missed;
      after = reader.sequence;
    }
    expect(wrong).toBe(0);
    expect(bench.store.bytesOf("events/2/outbox") < 160_000).toBe(true);
    expect(bench.store.bytesOf("events/2/log") < 3_700_000).toBe(true);
  });

  it("that were lost take no numbers of the log, and each has a cause", () => {
    const bench = new Bench();
    const sequencer = sequencerOf(bench);
    for (let i: u32 = 0; i < 20_000; i++) bench.cache.remove(idOf(i % 50), 32, Cause.API);
    bench.cache.put(session(1));
    collect(bench, sequencer);
    sequencer.log.load(1);
    expect(sequencer.log.next < 1100).toBe(true);
    const reader = new EventReader(sequencer.log, 0);
    let read = 0;
    while (reader.next()) read++;
    expect(<u64>read + reader.missed).toBe(20_001);
    expect(reader.missedOf(LossCause.OVERRUN)).toBe(reader.missed);
  });

  it("that left the log before a reader came, or cannot be read, are missed without a look at each", () => {
    const bench = new Bench();
    const sequencer = sequencerOf(bench);
    for (let i: u32 = 0; i < 12_000; i++) {
      bench.cache.remove(idOf(i % 50), 32, Cause.API);
      if (i % 500 == 0) collect(bench, sequencer);
    }
    collect(bench, sequencer);
    bench.store.lengthen("events/2/log");
    sequencer.log.load(1);
    const reads = bench.store.reads;
    const reader = new EventReader(sequencer.log, 10);
    expect(reader.next() == null).toBe(true);
    expect(reader.missed).toBe(12_000 - 10);
    expect(reader.missedOf(LossCause.LOG) + reader.missedOf(LossCause.UNREADABLE)).toBe(reader.missed);
    expect(bench.store.reads - reads <= 512).toBe(true, "each segment is read once");
  });

  it("have places for any number of filters that come and go, one after the other", () => {
    const bench = new Bench();
    const sequencer = sequencerOf(bench);
    for (let update: u32 = 0; update < 300; update++) {
      const worker = bench.worker();
      worker.cache.remove(idOf(update), 32, Cause.API);
      worker.cache.free();
    }
    expect(readFrom(sequencer, 0, EventType.REMOVED, bench)).toBe(300);
    expect(bench.store.bytesOf("events/2/outbox") < 80_000).toBe(true, "they have all used one place");
  });

  it("have places for filters that are not told of their end, once they are silent, and for those that have nothing to tell", () => {
    const bench = new Bench();
    const sequencer = sequencerOf(bench);
    for (let machine: u32 = 0; machine < 128; machine++) bench.worker().cache.remove(idOf(machine), 32, Cause.API);
    const late = bench.worker();
    late.cache.remove(idOf(200), 32, Cause.API);
    expect(bench.count(Metric.EVENTS_LOST)).toBe(1, "all places are taken");
    bench.clock.advance(121);
    late.cache.remove(idOf(201), 32, Cause.API);
    collect(bench, sequencer);
    sequencer.log.load(1);
    const reader = new EventReader(sequencer.log, 0);
    let read = 0;
    while (reader.next()) read++;
    expect(read).toBe(129);
    expect(reader.missedOf(LossCause.NO_PLACE)).toBe(1);
    // It gives its place back when it has nothing to tell, and takes one again for the next.
    bench.clock.advance(11);
    late.cache.tick();
    expect(late.cache.pages.outbox.place).toBe(-1);
    late.cache.remove(idOf(202), 32, Cause.API);
    expect(readFrom(sequencer, reader.sequence, EventType.REMOVED, bench)).toBe(1);
  });

  it("are told by a machine that lost its place while it stood still from another place", () => {
    const bench = new Bench();
    const sequencer = sequencerOf(bench);
    bench.cache.remove(idOf(1), 32, Cause.API);
    const place = bench.cache.pages.outbox.place;
    for (let i: u32 = 0; i < 127; i++) bench.worker().cache.remove(idOf(2), 32, Cause.API);
    bench.clock.advance(121);
    const heir = bench.worker();
    heir.cache.remove(idOf(3), 32, Cause.API);
    expect(heir.cache.pages.outbox.place).toBe(place);
    bench.cache.remove(idOf(4), 32, Cause.API);
    expect(bench.cache.pages.outbox.place != place).toBe(true);
    heir.cache.remove(idOf(5), 32, Cause.API);
    expect(readFrom(sequencer, 0, EventType.REMOVED, bench)).toBe(131);
    expect(bench.count(Metric.EVENTS_LOST)).toBe(0);
  });

  it("that a module of the format before has told, and goes on telling, are in the log, with their marks", () => {
    const bench = new Bench();
    const earlier = new EarlierModule(bench.store);
    earlier.writes(0, 1, 20);
    earlier.collected(0, 20);
    earlier.writes(0, 21, 25);
    bench.cache.put(session(30));
    const sequencer = sequencerOf(bench);
    // The one that is being replaced has events that nobody has collected yet.
    expect(story(bench, sequencer)).toBe(numbered("removed", 1, 25) + ", new 30");
    sequencer.log.load(1);
    const reader = new EventReader(sequencer.log, 18);
    expect(numberOf(reader.next()!)).toBe(19, "a mark of before is one of now");
    earlier.writes(0, 26, 40);
    expect(story(bench, sequencer)).toBe(numbered("removed", 1, 25) + ", new 30, " + numbered("removed", 26, 40));
    expect(bench.count(Metric.EVENTS_LOST)).toBe(0);
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

/** What a module of the format before this one writes to the store: see `earlier_format.ts`. */
class EarlierModule {
  private written: u32 = 0;

  constructor(private readonly store: FakeStore) {}

  /** Removals of IDs of a range of numbers, in the outbox of a place. */
  writes(place: i32, from: u32, to: u32): void {
    const table = zeroed(512);
    store<u64>(table + ((<usize>place) << 3), 1_790_000_000);
    this.put("events/writers", -1, table, 512);
    for (let number = from; number <= to; number++) this.write("events/outbox", place << 16, this.written++, number);
  }

  /** The events so far of a place are in its log, from number 1 on. */
  collected(place: i32, count: u32): void {
    const head = zeroed(544);
    store<u64>(head, count + 1);
    store<u64>(head, 7, 8);
    store<u64>(head + 32 + ((<usize>place) << 3), count);
    this.put("events/head", -1, head, 544);
    for (let number: u32 = 1; number <= count; number++) this.write("events/log", 0, number, number);
  }

  private write(family: string, base: i32, index: u32, number: u32): void {
    const key = new StoreKey("default", family);
    key.select((<u32>base) | (index >> 4));
    const segment = zeroed(912);
    this.store.read(key.start, key.length, segment, 912);
    const count = (index & 15) + 1;
    store<u64>(segment, index & ~15);
    store<u32>(segment, count, 8);
    store<u32>(segment, count, 12);
    const event = segment + 16 + <usize>((count - 1) * 56);
    store<u64>(event, 1_000_000 + number);
    store<u64>(event, 1_790_000_000, 8);
    store<u8>(event, EventType.REMOVED, 16);
    store<u8>(event, EventCause.API, 17);
    store<u8>(event, 32, 18);
    memory.copy(event + 24, idOf(number), 32);
    this.store.overwrite(key.start, key.length, segment, 912);
  }

  private put(family: string, number: i32, value: usize, length: i32): void {
    const key = new StoreKey("default", family);
    this.store.overwrite(key.start, key.length, value, length);
  }
}

class Client extends PeerAddress {
  read(into: usize, capacity: i32): i32 {
    const text = new Text("192.0.2.1:5000");
    memory.copy(into, text.start, text.length);
    return text.length;
  }
}

function zeroed(size: usize): usize {
  const start = heap.alloc(size);
  memory.fill(start, 0, size);
  return start;
}

function numbered(type: string, from: i32, to: i32): string {
  const words: string[] = [];
  for (let i = from; i <= to; i++) words.push(type + " " + i.toString());
  return words.join(", ");
}

/** How many events of a type there are behind a number; -1 where any was missed. */
function readFrom(sequencer: Sequencer, after: u64, type: u8, bench: Bench | null = null): i32 {
  if (bench) collect(bench, sequencer);
  sequencer.log.load(1);
  const reader = new EventReader(sequencer.log, after);
  let count = 0;
  for (let event = reader.next(); event; event = reader.next()) {
    if (event.type == type) count++;
  }
  return reader.missed > 0 ? -1 : count;
}

function namesOf(event: Event): string {
  return (
    eventTypeName(event.type) +
    " " +
    textOf(event.sni, event.sniLength) +
    " " +
    textOf(event.upstream, event.upstreamLength) +
    " " +
    textOf(event.client, event.clientLength)
  );
}

function textOf(text: usize, length: i32): string {
  return length == 0 ? "-" : String.UTF8.decodeUnsafe(text, length);
}

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
