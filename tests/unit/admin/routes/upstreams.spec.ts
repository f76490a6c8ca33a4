import { StoreResult } from "../../../../assembly/ports/shared_store";
import { EventCause } from "../../../../assembly/session/record/event_cause";
import { Known, Session } from "../../../../assembly/session/record/session";
import { Client } from "../../support/admin_client";
import { FakeStore } from "../../support/fake_store";
import { Bench, idOf, session, Text } from "../../support/sessions";

const HERE: string = "10.0.0.7:443";
const THERE: string = "10.0.0.8:443";

describe("the upstreams of a cache", () => {
  it("are shown with their sessions, and how many of these were lost to others", () => {
    const client = new Client();
    const bench = client.bench;
    bench.cache.put(sessionOf(1, HERE));
    bench.cache.readSettings();
    decline(bench, 1, THERE);
    decline(bench, 1, HERE);
    decline(bench, 1, THERE);
    bench.cache.tick();
    expect(client.call("GET", "/v1/upstreams").text).toBe(
      '{"upstreams":[' + rowOf(HERE, 1, 2, 0) + '],"unknown":0,"others":0}',
    );
  });

  it("are shown with what was refused through them, also if no session of theirs is held", () => {
    const client = new Client();
    const bench = client.bench;
    bench.cache.noteRefusal(idOf(1), 32, EventCause.SESSION, sessionOf(1, THERE));
    bench.cache.tick();
    expect(client.call("GET", "/v1/upstreams").text).toBe(
      '{"upstreams":[' + rowOf(THERE, 0, 0, 1) + '],"unknown":0,"others":0}',
    );
  });

  it("are followed by the counts of none of them, if there are any", () => {
    const client = new Client();
    const bench = client.bench;
    bench.cache.put(sessionOf(1, HERE));
    bench.cache.noteRefusal(idOf(1), 32, EventCause.STRICT);
    bench.cache.noteRefusal(idOf(2), 32, EventCause.STRICT, session(2));
    bench.cache.tick();
    expect(client.call("GET", "/v1/upstreams").text).toBe(
      '{"upstreams":[' + rowOf(HERE, 1, 0, 0) + '],"unknown":0,"others":0,"rest":{"lost":0,"refused":2}}',
    );
  });

  it("are 1,024 at most: all others count together", () => {
    const client = new Client();
    const bench = client.bench;
    for (let i = 0; i < 1100; i++) {
      const address = "10.1." + (i >> 8).toString() + "." + (i & 255).toString() + ":443";
      bench.cache.noteRefusal(idOf(1), 32, EventCause.SESSION, sessionOf(1, address));
      bench.cache.tick();
    }
    const answer = client.call("GET", "/v1/upstreams");
    expect(answer.member("upstreams").items.length).toBe(1024);
    expect(answer.text.endsWith('"rest":{"lost":0,"refused":76}}')).toBe(true);
  });

  it("are 503 if their lost and refused resumptions cannot be read", () => {
    const store = new HalfBrokenStore();
    const client = new Client(new Bench(store));
    store.family = "upstream_tally";
    const answer = client.call("GET", "/v1/upstreams");
    expect(answer.status).toBe(503);
    expect(answer.detail.includes("lost and refused")).toBe(true);
  });
});

function sessionOf(number: u32, address: string): Session {
  const made = session(number);
  const text = new Text(address);
  made.upstream = text.start;
  made.upstreamLength = text.length;
  made.known |= Known.UPSTREAM;
  return made;
}

function decline(bench: Bench, number: u32, by: string): void {
  const text = new Text(by);
  bench.cache.decline(idOf(number), 32, text.start, text.length, true);
}

function rowOf(upstream: string, sessions: i32, lost: i32, refused: i32): string {
  const held = '"sessions":' + sessions.toString() + ',"hits":0,"last_used":null,"ticket_keys":0';
  const fates = '"lost":' + lost.toString() + ',"refused":' + refused.toString();
  return '{"upstream":"' + upstream + '",' + held + "," + fates + "}";
}

/** Does not answer for the values of a family. */
class HalfBrokenStore extends FakeStore {
  family: string = "";

  read(key: usize, keyLength: i32, into: usize, capacity: i32): StoreResult {
    const name = String.UTF8.decodeUnsafe(key, keyLength);
    if (this.family.length > 0 && name.includes(this.family)) return StoreResult.Failed;
    return super.read(key, keyLength, into, capacity);
  }
}
