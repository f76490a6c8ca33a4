import { EventPoster } from "../../../assembly/admin/event_poster";
import { JsonReader } from "../../../assembly/json/reader";
import { JsonValue } from "../../../assembly/json/value";
import { Delivery, EventSink } from "../../../assembly/ports/event_sink";
import { Log, LogLevel } from "../../../assembly/ports/log";
import { Deadline } from "../../../assembly/work/job";
import { Metric } from "../../../assembly/session/counting/statistics";
import { Bench, idOf, session } from "../support/sessions";

/** A receiver that keeps its deliveries and responds as the test sets it. */
class FakeSink extends EventSink {
  texts: string[] = [];
  answer: Delivery = Delivery.Accepted;
  takes: bool = true;

  send(text: usize, length: i32): bool {
    if (!this.takes) return false;
    this.texts.push(String.UTF8.decodeUnsafe(text, length));
    return true;
  }

  get fault(): string {
    return "no such cluster";
  }

  get state(): Delivery {
    return this.answer;
  }
}

class FakeLog extends Log {
  lines: string[] = [];

  enabled(level: LogLevel): bool {
    return true;
  }

  write(level: LogLevel, text: string): void {
    this.lines.push(text);
  }
}

describe("the poster of events", () => {
  it("says in the log why nothing is delivered, once until something is", () => {
    const bench = new Bench();
    const sink = new FakeSink();
    const log = new FakeLog();
    const poster = new EventPoster(bench.cache, bench.store, sink, log);
    sink.takes = false;
    bench.cache.put(session(1));
    for (let second = 0; second < 100; second++) {
      turn(poster, bench);
      bench.clock.advance(1);
    }
    expect(bench.count(Metric.EVENT_POSTS_FAILED)).toBeGreaterThan(3);
    expect(log.lines.length).toBe(1);
    expect(log.lines[0].includes("nothing is delivered: no such cluster")).toBe(true, log.lines[0]);
    sink.takes = true;
    for (let second = 0; second < 100; second++) {
      turn(poster, bench);
      bench.clock.advance(1);
    }
    expect(sink.texts.length).toBe(1);
    expect(log.lines.length).toBe(1);
    sink.answer = Delivery.Failed;
    bench.cache.put(session(2));
    for (let second = 0; second < 3; second++) {
      turn(poster, bench);
      bench.clock.advance(1);
    }
    expect(log.lines.length).toBe(2);
  });

  it("sends each event once while the receiver accepts", () => {
    const bench = new Bench();
    const sink = new FakeSink();
    const poster = new EventPoster(bench.cache, bench.store, sink, new FakeLog());
    bench.cache.put(session(1));
    bench.cache.remove(idOf(1), 32, 1);
    turn(poster, bench);
    expect(sink.texts.length).toBe(1);
    expect(eventsOf(sink.texts[0])).toBe("new removed ");
    for (let i = 0; i < 5; i++) turn(poster, bench);
    expect(sink.texts.length).toBe(1, "nothing new, nothing sent");
    bench.cache.put(session(1));
    turn(poster, bench);
    expect(eventsOf(sink.texts[1])).toBe("new ");
  });

  it("goes on, and says why, where the end of a call is never told", () => {
    const bench = new Bench();
    const sink = new FakeSink();
    const log = new FakeLog();
    const poster = new EventPoster(bench.cache, bench.store, sink, log);
    sink.answer = Delivery.UnderWay;
    bench.cache.put(session(1));
    for (let second = 0; second < 14; second++) {
      turn(poster, bench);
      bench.clock.advance(1);
    }
    expect(sink.texts.length).toBe(1);
    expect(log.lines.length).toBe(0);
    for (let second = 0; second < 4; second++) {
      turn(poster, bench);
      bench.clock.advance(1);
    }
    expect(sink.texts.length).toBe(2, "what may have got there or not is sent again");
    expect(log.lines.length).toBe(1);
    expect(log.lines[0].includes("allow proxy_on_http_call_response")).toBe(true, log.lines[0]);
  });

  it("waits for an answer before it sends more", () => {
    const bench = new Bench();
    const sink = new FakeSink();
    const poster = new EventPoster(bench.cache, bench.store, sink, new FakeLog());
    sink.answer = Delivery.UnderWay;
    bench.cache.put(session(1));
    turn(poster, bench);
    bench.cache.put(session(2));
    for (let i = 0; i < 5; i++) turn(poster, bench);
    expect(sink.texts.length).toBe(1);
    sink.answer = Delivery.Accepted;
    turn(poster, bench);
    expect(eventsOf(sink.texts[1])).toBe("new ");
  });

  it("sends a batch that was not accepted again, after longer and longer waits", () => {
    const bench = new Bench();
    const sink = new FakeSink();
    const poster = new EventPoster(bench.cache, bench.store, sink, new FakeLog());
    sink.answer = Delivery.Failed;
    bench.cache.put(session(1));
    for (let tick = 0; tick < 600; tick++) {
      turn(poster, bench);
      bench.clock.nanoseconds += 100_000_000;
    }
    // At 0, 1, 3, 7, 15 and 31 seconds within the minute.
    expect(sink.texts.length).toBe(6);
    expect(sink.texts[5]).toBe(sink.texts[0]);
    expect(bench.count(Metric.EVENT_POSTS_FAILED)).toBe(6);
    sink.answer = Delivery.Accepted;
    bench.clock.advance(120);
    turn(poster, bench);
    turn(poster, bench);
    const sent = sink.texts.length;
    bench.clock.advance(120);
    turn(poster, bench);
    expect(sink.texts.length).toBe(sent);
  });

  it("reports events that were lost while the receiver did not accept", () => {
    const bench = new Bench();
    const sink = new FakeSink();
    sink.takes = false;
    const poster = new EventPoster(bench.cache, bench.store, sink, new FakeLog());
    for (let i: u32 = 0; i < 10_000; i++) {
      bench.cache.remove(idOf(i % 20), 32, 1);
      if (i % 500 == 0) collect(bench);
    }
    turn(poster, bench);
    sink.takes = true;
    bench.clock.advance(120);
    turn(poster, bench);
    const missed = parse(sink.texts[0]).member("missed");
    expect(missed != null && missed.number > 1000).toBe(true);
  });

  it("runs on one worker at a time, and goes on where another one has stopped", () => {
    const bench = new Bench();
    const first = new FakeSink();
    const second = new FakeSink();
    const other = bench.worker();
    const poster = new EventPoster(bench.cache, bench.store, first, new FakeLog());
    const successor = new EventPoster(other.cache, bench.store, second, new FakeLog());
    bench.cache.put(session(1));
    turn(poster, bench);
    turn(successor, bench);
    turn(poster, bench);
    expect(second.texts.length).toBe(0);
    bench.clock.advance(10);
    other.cache.put(session(2));
    turn(successor, bench);
    expect(second.texts.length).toBe(1);
    expect(eventsOf(second.texts[0])).toBe("new ");
  });
});

function turn(poster: EventPoster, bench: Bench): void {
  collect(bench);
  poster.tick();
}

function collect(bench: Bench): void {
  const deadline = new Deadline(bench.clock);
  deadline.start(1000);
  bench.cache.events.run(deadline);
}

function eventsOf(text: string): string {
  const events = parse(text).member("events");
  let types = "";
  if (events) {
    for (let i = 0; i < events.items.length; i++) types += events.items[i].member("type")!.text + " ";
  }
  return types;
}

function parse(text: string): JsonValue {
  const bytes = String.UTF8.encode(text);
  return new JsonReader().read(changetype<usize>(bytes), bytes.byteLength)!;
}
