import { PeerAddress } from "../../../assembly/ports/peer_address";
import { Changes } from "../../../assembly/shared/changes";
import { DECLINES_ENOUGH, DECLINES_OF_ONE_SOURCE, Issuers } from "../../../assembly/session/issuers";
import { FakeClock } from "../support/fake_clock";
import { fakeHash } from "../support/fake_entropy";
import { FakeStore } from "../support/fake_store";
import { Text } from "../support/sessions";

const HERE: string = "10.0.0.7:443";
const THERE: string = "[2001:db8::1]:443";

/** A client of which a test says where it is; "" where nobody knows. */
class Client extends PeerAddress {
  address: string = "192.0.2.1:50000";
  asked: i32 = 0;

  read(into: usize, capacity: i32): i32 {
    this.asked++;
    const text = new Text(this.address);
    if (text.length == 0 || text.length > capacity) return -1;
    memory.copy(into, text.start, text.length);
    return text.length;
  }
}

class Worker {
  readonly issuers: Issuers;
  readonly client: Client = new Client();
  private readonly changes: Changes;

  constructor(
    readonly store: FakeStore = new FakeStore(),
    readonly clock: FakeClock = new FakeClock(),
  ) {
    const changes = new Changes("default", store);
    this.changes = changes;
    this.issuers = new Issuers("default", store, clock, fakeHash(), changes);
  }

  other(): Worker {
    return new Worker(this.store, this.clock);
  }

  accept(upstream: string = HERE): void {
    const text = new Text(upstream);
    this.issuers.noteAccepted(text.start, text.length);
  }

  /** Own sessions are declined, those of as many sources by turns. */
  decline(times: i32, upstream: string = HERE, sources: i32 = 1): void {
    const text = new Text(upstream);
    for (let i = 0; i < times; i++) {
      this.client.address = "192.0.2." + (i % sources).toString() + ":" + (1000 + i).toString();
      this.issuers.noteDeclined(text.start, text.length, this.client);
    }
  }

  neverResumes(upstream: string = HERE): bool {
    this.changes.refresh();
    const text = new Text(upstream);
    return this.issuers.neverResumes(text.start, text.length);
  }
}

describe("an upstream that declines its own sessions", () => {
  it("never resumes, once there are enough of several sources, or twice as many of one", () => {
    for (let sources = 1; sources <= 3; sources++) {
      const enough = sources == 1 ? <i32>DECLINES_OF_ONE_SOURCE : <i32>DECLINES_ENOUGH;
      const worker = new Worker();
      worker.decline(enough - 1, HERE, sources);
      expect(worker.neverResumes()).toBe(false);
      worker.decline(1, HERE, sources);
      expect(worker.neverResumes()).toBe(true, sources.toString());
      expect(worker.other().neverResumes()).toBe(true);
      expect(worker.neverResumes(THERE)).toBe(false);
    }
  });

  it("is counted over all workers, and where nobody knows the source", () => {
    const worker = new Worker();
    const other = worker.other();
    for (let i: u32 = 0; i < DECLINES_OF_ONE_SOURCE / 2; i++) {
      worker.decline(1, THERE);
      other.decline(1, THERE);
    }
    expect(worker.neverResumes(THERE)).toBe(true);
    const text = new Text(HERE);
    for (let i: u32 = 0; i < DECLINES_OF_ONE_SOURCE; i++) worker.issuers.noteDeclined(text.start, text.length, null);
    expect(worker.neverResumes(HERE)).toBe(true);
  });

  it("resumes from the first acceptance on, for all workers at once, and for good", () => {
    const worker = new Worker();
    const other = worker.other();
    worker.decline(100, HERE, 5);
    expect(other.neverResumes()).toBe(true);
    worker.accept();
    expect(other.neverResumes()).toBe(false);
    other.decline(100, HERE, 5);
    worker.decline(100, HERE, 5);
    expect(worker.neverResumes()).toBe(false);
  });

  it("is not one that has accepted some before", () => {
    const worker = new Worker();
    worker.decline(7, HERE, 2);
    worker.accept();
    worker.other().decline(100, HERE, 2);
    expect(worker.neverResumes()).toBe(false);
  });

  it("costs nothing more once it is known what it does", () => {
    const worker = new Worker();
    worker.accept(HERE);
    worker.decline(100, THERE, 2);
    expect(worker.neverResumes(THERE)).toBe(true);
    const reads = worker.store.reads;
    const writes = worker.store.writes;
    const asked = worker.client.asked;
    for (let i = 0; i < 100; i++) worker.accept(HERE);
    worker.decline(100, HERE, 2);
    worker.decline(100, THERE, 2);
    expect(worker.store.reads).toBe(reads);
    expect(worker.store.writes).toBe(writes);
    expect(worker.client.asked).toBe(asked);
  });
});

describe("the table of issuers", () => {
  it("is bounded, and keeps what is in use", () => {
    const worker = new Worker();
    worker.accept(HERE);
    for (let i = 0; i < 8000; i++) {
      if (i % 40 == 0) worker.clock.advance(60);
      for (let second = 0; i % 40 == 0 && second < 60; second++) worker.issuers.tick();
      if (i % 40 == 0) worker.accept(HERE);
      worker.accept("10.1." + (i >> 8).toString() + "." + (i & 255).toString() + ":443");
    }
    worker.other().decline(100, HERE, 2);
    expect(worker.neverResumes()).toBe(false);
    expect(worker.store.bytes).toBeLessThan(64 * 4096 + 4096);
  });

  it("takes no address that is none, and a store that does not answer changes nothing", () => {
    const worker = new Worker();
    const long = new Text("1".repeat(65));
    worker.issuers.noteAccepted(long.start, long.length);
    worker.issuers.noteAccepted(long.start, -1);
    worker.issuers.noteDeclined(long.start, long.length, worker.client);
    expect(worker.issuers.neverResumes(long.start, long.length)).toBe(false);
    expect(worker.store.writes).toBe(0);
    worker.store.broken = true;
    worker.decline(100);
    worker.accept();
    expect(worker.neverResumes()).toBe(false);
    worker.store.broken = false;
    worker.decline(100);
    expect(worker.neverResumes()).toBe(true);
  });
});
