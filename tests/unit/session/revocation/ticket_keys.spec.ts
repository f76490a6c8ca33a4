import { Changes } from "../../../../assembly/shared/changes";
import { KeyOutcome, KeyState, TicketKeys } from "../../../../assembly/session/revocation/ticket_keys";
import { Row } from "../../../../assembly/shared/row";
import { FakeClock } from "../../support/fake_clock";
import { fakeHash } from "../../support/fake_entropy";
import { FakeStore } from "../../support/fake_store";
import { Text } from "../../support/sessions";
import { keyName, keyNamesOfOnePage } from "../../support/table_names";

const START: u64 = 1_790_000_000;
const HERE: string = "10.0.0.7:443";
const THERE: string = "10.0.0.8:443";
/** Ticks that go through all that one worker has counted. */
const ROUND: i32 = 4;
/** (4095 - 16) / (40 + 16 + 12) */
const LEARNED_IN_A_PAGE: i32 = 59;
/** (4095 - 16) / (40 + 16) */
const REMOVED_IN_A_PAGE: i32 = 72;

/** One worker's view of the names. */
class Worker {
  readonly keys: TicketKeys;
  private readonly changes: Changes;

  constructor(
    readonly store: FakeStore = new FakeStore(),
    readonly clock: FakeClock = new FakeClock(),
    cacheName: string = "default",
  ) {
    const changes = new Changes(cacheName, store);
    this.changes = changes;
    this.keys = new TicketKeys(cacheName, store, clock, fakeHash(), changes);
  }

  other(): Worker {
    return new Worker(this.store, this.clock);
  }

  learn(name: usize, upstream: string = HERE): void {
    const text = new Text(upstream);
    this.keys.learn(name, text.start, text.length);
  }

  /** Learns one of many names, each from an upstream of its own: many from one are no names. */
  learnOneOfMany(name: usize, number: i32): void {
    this.learn(name, "10.0.0.9:" + (100 + number).toString());
  }

  tell(name: usize, upstream: string = HERE): KeyOutcome {
    const text = new Text(upstream);
    return this.keys.configure(name, text.start, text.length);
  }

  isRemoved(name: usize): bool {
    this.changes.refresh();
    return this.keys.isRemoved(name);
  }

  /** The state that a decision goes by; 0 where the name is unknown. */
  looked(name: usize): u8 {
    this.changes.refresh();
    const row = this.keys.look(name);
    return row ? row.state : 0;
  }

  tick(ticks: i32 = ROUND): void {
    for (let i = 0; i < ticks; i++) this.keys.tick();
  }

  row(name: usize): Row | null {
    return this.keys.table.open(name, 16) ? this.keys.table.find(name, 16) : null;
  }

  /** 0 where the name is unknown. */
  state(name: usize): u8 {
    const row = this.row(name);
    return row ? row.state : 0;
  }

  tickets(name: usize): u32 {
    const row = this.row(name);
    return row ? row.count : 0;
  }

  lastUsed(name: usize): u64 {
    const row = this.row(name);
    return row ? row.lastUsed : 0;
  }

  upstream(name: usize): string {
    const row = this.row(name);
    return row ? String.UTF8.decodeUnsafe(row.upstream, row.upstreamLength) : "";
  }
}

describe("the name of a ticket key", () => {
  it("is learned with its first ticket", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.learn(name);
    expect(worker.state(name)).toBe(KeyState.LEARNED);
    expect(worker.upstream(name)).toBe(HERE);
    expect(worker.tickets(name)).toBe(1);
    expect(worker.lastUsed(name)).toBe(START);
    expect(worker.isRemoved(name)).toBe(false);
  });

  it("is learned where it is nothing but zeros", () => {
    const worker = new Worker();
    const name = heap.alloc(16);
    memory.fill(name, 0, 16);
    worker.learn(name);
    expect(worker.state(name)).toBe(KeyState.LEARNED);
  });

  it("is shared once a second upstream has it", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.learn(name, HERE);
    worker.learn(name, THERE);
    expect(worker.state(name)).toBe(KeyState.SHARED);
    expect(worker.upstream(name)).toBe(HERE);
    expect(worker.tickets(name)).toBe(2);
    worker.learn(name, HERE);
    expect(worker.state(name)).toBe(KeyState.SHARED);
  });

  it("is shared where two workers saw it of different upstreams", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.learn(name, HERE);
    worker.other().learn(name, THERE);
    expect(worker.state(name)).toBe(KeyState.SHARED);
  });

  it("stays learned where two workers saw it of the same upstream", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.learn(name, HERE);
    worker.other().learn(name, HERE);
    expect(worker.state(name)).toBe(KeyState.LEARNED);
    expect(worker.tickets(name)).toBe(2);
  });

  it("counts as a new one with its first ticket, on one worker only", () => {
    const one = new Worker();
    const other = one.other();
    one.learn(keyName(1));
    one.learn(keyName(1));
    other.learn(keyName(1));
    other.learn(keyName(2), THERE);
    expect([one.keys.learnedNew, other.keys.learnedNew]).toStrictEqual([1, 1]);
  });

  it("is kept apart in each named cache", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.keys.remove(name);
    expect(new Worker(worker.store, worker.clock, "edge").isRemoved(name)).toBe(false);
  });
});

describe("a name that was shared", () => {
  /** Evidence once a second, all of it from one upstream, with the ticks that come in between. */
  const observe = (worker: Worker, name: usize, upstream: string, seconds: i32): void => {
    for (let i = 0; i < seconds; i++) {
      worker.learn(name, upstream);
      worker.clock.advance(1);
      worker.tick();
    }
  };

  it("is its first upstream's again, once that alone has shown it for a minute", () => {
    const worker = new Worker();
    const name = keyName(1);
    share(worker, name);
    observe(worker, name, HERE, 60);
    expect(worker.state(name)).toBe(KeyState.SHARED);
    observe(worker, name, HERE, 2);
    expect(worker.state(name)).toBe(KeyState.LEARNED);
    expect(worker.upstream(name)).toBe(HERE);
    expect(worker.tickets(name)).toBe(64, "what was counted stays");
  });

  it("becomes the other upstream's where only that is left, and is no longer its first one's", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.learn(name, HERE);
    observe(worker, name, THERE, 60);
    expect(worker.state(name)).toBe(KeyState.SHARED);
    observe(worker, name, THERE, 2);
    expect(worker.state(name)).toBe(KeyState.LEARNED);
    expect(worker.upstream(name)).toBe(THERE);
    worker.learn(name, HERE);
    expect(worker.state(name)).toBe(KeyState.SHARED, "nothing is for ever");
  });

  it("stays shared where evidence is scarce, however long, and where it is plentiful but short", () => {
    const worker = new Worker();
    const name = keyName(1);
    share(worker, name);
    for (let i = 0; i < 31; i++) {
      worker.learn(name, HERE);
      worker.clock.advance(10);
      worker.tick();
    }
    expect(worker.state(name)).toBe(KeyState.SHARED, "31 pieces");
    const other = new Worker();
    share(other, name);
    for (let i = 0; i < 1000; i++) {
      other.learn(name, HERE);
      if (i % 20 == 0) other.clock.advance(1);
      other.tick(1);
    }
    expect(other.state(name)).toBe(KeyState.SHARED, "50 seconds");
  });

  it("stays shared as long as another upstream shows it now and then, whichever machine sees that", () => {
    for (let machine = 0; machine < 2; machine++) {
      const worker = new Worker();
      const other = worker.other();
      const name = keyName(1);
      share(worker, name);
      other.learn(name, HERE);
      for (let round = 0; round < 10; round++) {
        observe(worker, name, HERE, 55);
        const witness = machine == 0 ? worker : other;
        witness.learn(name, THERE);
        witness.tick();
      }
      expect(worker.state(name)).toBe(KeyState.SHARED, machine.toString());
    }
  });

  it("stays shared where each machine sees another upstream only", () => {
    const worker = new Worker();
    const other = worker.other();
    const name = keyName(1);
    share(worker, name);
    other.learn(name, THERE);
    for (let second = 0; second < 300; second++) {
      worker.learn(name, HERE);
      other.learn(name, THERE);
      worker.clock.advance(1);
      worker.tick();
      other.tick();
    }
    expect(worker.state(name)).toBe(KeyState.SHARED);
  });

  it("is shared again within a tick round where a machine that has not heard of its healing sees another upstream", () => {
    const worker = new Worker();
    const other = worker.other();
    const name = keyName(1);
    share(worker, name);
    other.learn(name, THERE);
    other.tick();
    observe(worker, name, HERE, 63);
    expect(worker.state(name)).toBe(KeyState.LEARNED);
    other.learn(name, THERE);
    other.tick();
    expect(worker.state(name)).toBe(KeyState.SHARED);
  });

  it("does not heal by tickets of which nobody asks who has accepted them", () => {
    const worker = new Worker();
    const name = keyName(1);
    share(worker, name);
    for (let second = 0; second < 300; second++) {
      worker.keys.countKnown(name, false);
      worker.clock.advance(1);
      worker.tick();
    }
    worker.learn(name, HERE);
    expect(worker.state(name)).toBe(KeyState.SHARED);
  });

  it("takes its time anew where the clock is set back, and stays what the operator has told or removed", () => {
    const worker = new Worker();
    const name = keyName(1);
    share(worker, name);
    observe(worker, name, HERE, 50);
    worker.clock.set(-1_000);
    observe(worker, name, HERE, 50);
    expect(worker.state(name)).toBe(KeyState.SHARED);
    observe(worker, name, HERE, 20);
    expect(worker.state(name)).toBe(KeyState.LEARNED);
    worker.tell(name, THERE);
    observe(worker, name, HERE, 100);
    expect(worker.state(name)).toBe(KeyState.CONFIGURED);
    expect(worker.upstream(name)).toBe(THERE);
    worker.keys.remove(name);
    observe(worker, name, HERE, 100);
    expect(worker.state(name)).toBe(KeyState.REMOVED);
  });

  it("heals for all machines at once, and costs the store nothing more on the way", () => {
    const worker = new Worker();
    const other = worker.other();
    const name = keyName(1);
    share(worker, name);
    expect(other.looked(name)).toBe(KeyState.SHARED);
    observe(worker, name, HERE, 30);
    const reads = worker.store.reads;
    const writes = worker.store.writes;
    for (let i = 0; i < 100; i++) worker.learn(name, HERE);
    expect(worker.store.reads).toBe(reads);
    expect(worker.store.writes).toBe(writes);
    observe(worker, name, HERE, 32);
    expect(other.looked(name)).toBe(KeyState.LEARNED);
  });
});

/** Shows a name from two upstreams. */
function share(worker: Worker, name: usize): void {
  worker.learn(name, HERE);
  worker.learn(name, THERE);
}

describe("tickets under a known name", () => {
  it("cost no access to the store, and are written by ticks", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.learn(name);
    const reads = worker.store.reads;
    const writes = worker.store.writes;
    worker.clock.advance(5);
    for (let i = 0; i < 9; i++) worker.learn(name);
    expect(worker.store.reads).toBe(reads);
    expect(worker.store.writes).toBe(writes);
    expect(worker.tickets(name)).toBe(1);

    worker.clock.advance(2);
    worker.tick();
    expect(worker.tickets(name)).toBe(10);
    expect(worker.lastUsed(name)).toBe(START + 7);
    worker.tick();
    expect(worker.tickets(name)).toBe(10, "each counts once");
  });

  it("count whoever has accepted them, but for those whose turn it is to show it, and none under a name that is not known", () => {
    const worker = new Worker();
    const name = keyName(1);
    expect(worker.keys.countKnown(name, false)).toBe(false, "it is not known");
    worker.learn(name);
    for (let i = 0; i < 4; i++) expect(worker.keys.countKnown(name, false)).toBe(true);
    expect(worker.keys.countKnown(name, true)).toBe(false, "it is its turn");
    expect(worker.keys.countKnown(keyName(2), false)).toBe(false, "another name");
    worker.tick();
    expect(worker.tickets(name)).toBe(5);
  });

  it("add up over workers", () => {
    const worker = new Worker();
    const other = worker.other();
    const name = keyName(1);
    for (let i = 0; i < 5; i++) {
      worker.learn(name);
      other.learn(name);
    }
    worker.tick();
    other.tick();
    expect(worker.tickets(name)).toBe(10);
  });

  it("are not lost where another name takes their place in memory, or another upstream is seen", () => {
    const worker = new Worker();
    const name = keyName(1);
    for (let i = 0; i < 4; i++) worker.learn(name, HERE);
    worker.learn(name, THERE);
    expect(worker.tickets(name)).toBe(5);
    // More names than have a place.
    for (let i = 0; i < 3; i++) worker.learn(name, THERE);
    for (let number: u32 = 100; number < 500; number++) worker.learnOneOfMany(keyName(number), number);
    worker.tick();
    expect(worker.tickets(name)).toBe(8);
  });

  it("are written against other writers", () => {
    const name = keyName(1);
    const race = new Race(name);
    race.worker.learn(name);
    race.worker.learn(name);
    race.worker.learn(name);
    race.store.conflictAt(0);
    race.worker.tick();
    expect(race.store.happened).toBe(true);
    expect(race.worker.tickets(name)).toBe(3);
    expect(race.worker.state(name)).toBe(KeyState.REMOVED);
  });

  it("begin anew where the name was evicted meanwhile", () => {
    const worker = new Worker();
    const names = keyNamesOfOnePage(LEARNED_IN_A_PAGE + 1);
    worker.learn(names[0]);
    worker.learn(names[0]);
    worker.clock.advance(1);
    const other = worker.other();
    for (let i = 1; i <= LEARNED_IN_A_PAGE; i++) other.learnOneOfMany(names[i], i);
    expect(worker.state(names[0])).toBe(0);
    worker.tick();
    expect(worker.state(names[0])).toBe(0);
    worker.clock.advance(1);
    worker.learn(names[0]);
    expect(worker.state(names[0])).toBe(KeyState.LEARNED);
    expect(worker.tickets(names[0])).toBe(1);
  });
});

describe("an upstream whose tickets have no key name", () => {
  it("is found out: what was taken for names is forgotten, and no more is learned", () => {
    const worker = new Worker();
    for (let number: u32 = 1; number <= 7; number++) worker.learn(keyName(number));
    for (let number: u32 = 1; number <= 7; number++) expect(worker.state(keyName(number))).toBe(KeyState.LEARNED);
    for (let number: u32 = 8; number <= 40; number++) worker.learn(keyName(number));
    for (let number: u32 = 1; number <= 40; number++) expect(worker.state(keyName(number))).toBe(0, number.toString());
    worker.learn(keyName(41), THERE);
    expect(worker.state(keyName(41))).toBe(KeyState.LEARNED, "from another upstream");
  });

  it("is believed again as soon as a name comes again", () => {
    const worker = new Worker();
    for (let number: u32 = 1; number <= 20; number++) worker.learn(keyName(number));
    worker.learn(keyName(20));
    expect(worker.state(keyName(20))).toBe(KeyState.LEARNED);
    worker.learn(keyName(21));
    expect(worker.state(keyName(21))).toBe(KeyState.LEARNED);
  });

  it("keeps a name that came again before, one that was told, and one that was removed", () => {
    const worker = new Worker();
    const other = worker.other();
    for (let number: u32 = 1; number <= 4; number++) worker.learn(keyName(number));
    other.learn(keyName(2));
    worker.tell(keyName(3));
    worker.keys.remove(keyName(4));
    for (let number: u32 = 5; number <= 20; number++) worker.learn(keyName(number));
    expect(worker.state(keyName(1))).toBe(0);
    expect(worker.state(keyName(2))).toBe(KeyState.LEARNED);
    expect(worker.state(keyName(3))).toBe(KeyState.CONFIGURED);
    expect(worker.state(keyName(4))).toBe(KeyState.REMOVED);
  });

  it("is not one that rotates its keys", () => {
    const worker = new Worker();
    for (let number: u32 = 1; number <= 20; number++) {
      worker.learn(keyName(number));
      worker.learn(keyName(number));
    }
    for (let number: u32 = 1; number <= 20; number++) expect(worker.state(keyName(number))).toBe(KeyState.LEARNED);
  });
});

describe("a name that the operator tells", () => {
  it("is added, then identical, then replaced", () => {
    const worker = new Worker();
    const name = keyName(1);
    expect(worker.tell(name, HERE)).toBe(KeyOutcome.Added);
    expect(worker.state(name)).toBe(KeyState.CONFIGURED);
    expect(worker.lastUsed(name)).toBe(0);
    expect(worker.tickets(name)).toBe(0);
    expect(worker.tell(name, HERE)).toBe(KeyOutcome.Identical);
    expect(worker.tell(name, THERE)).toBe(KeyOutcome.Replaced);
    expect(worker.upstream(name)).toBe(THERE);
  });

  it("replaces what was seen, and keeps what was counted", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.learn(name, HERE);
    worker.clock.advance(9);
    expect(worker.tell(name, HERE)).toBe(KeyOutcome.Replaced);
    expect(worker.state(name)).toBe(KeyState.CONFIGURED);
    expect(worker.tickets(name)).toBe(1);
    expect(worker.lastUsed(name)).toBe(START);
  });

  it("stays told, and where it was told, whatever is seen", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.tell(name, HERE);
    worker.learn(name, THERE);
    expect(worker.state(name)).toBe(KeyState.CONFIGURED);
    expect(worker.upstream(name)).toBe(HERE);
    expect(worker.tickets(name)).toBe(1);
  });
});

describe("a removed name", () => {
  it("is removed whether it was known or not, and for all workers at once", () => {
    const worker = new Worker();
    const known = keyName(1);
    const unknown = keyName(2);
    worker.learn(known);
    const other = worker.other();
    other.learn(known);
    expect(worker.keys.remove(known)).toBe(KeyOutcome.Removed);
    expect(worker.keys.remove(unknown)).toBe(KeyOutcome.Removed);
    expect(worker.keys.remove(unknown)).toBe(KeyOutcome.NotFound);
    expect(other.isRemoved(known)).toBe(true);
    expect(other.isRemoved(unknown)).toBe(true);
    expect(other.isRemoved(keyName(3))).toBe(false);
  });

  it("stays removed whatever is seen under it", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.keys.remove(name);
    worker.learn(name, HERE);
    worker.learn(name, HERE);
    worker.learn(name, THERE);
    worker.tick();
    expect(worker.isRemoved(name)).toBe(true);
    expect(worker.tickets(name)).toBe(3);
  });

  it("is counted until it is lifted, and no other name is", () => {
    const worker = new Worker();
    worker.learn(keyName(1));
    worker.tell(keyName(2));
    expect(worker.keys.countRemoved()).toBe(0);
    worker.keys.remove(keyName(1));
    worker.keys.remove(keyName(3));
    expect(worker.other().keys.countRemoved()).toBe(2);
    worker.keys.lift(keyName(1));
    expect(worker.keys.countRemoved()).toBe(1);
    worker.store.broken = true;
    expect(worker.keys.countRemoved()).toBe(-1);
  });

  it("is lifted by telling it", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.tell(name, HERE);
    worker.keys.remove(name);
    expect(worker.tell(name, HERE)).toBe(KeyOutcome.Replaced);
    expect(worker.isRemoved(name)).toBe(false);
    expect(worker.state(name)).toBe(KeyState.CONFIGURED);
  });

  it("stays removed where the clock steps backwards", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.keys.remove(name);
    worker.clock.advance(-100_000);
    worker.learn(name);
    expect(worker.isRemoved(name)).toBe(true);
  });
});

describe("a page that is full", () => {
  it("loses the name that was used least recently, of those that were only seen", () => {
    const worker = new Worker();
    const names = keyNamesOfOnePage(LEARNED_IN_A_PAGE + 1);
    for (let i = 0; i < LEARNED_IN_A_PAGE; i++) {
      worker.learnOneOfMany(names[i], i);
      worker.clock.advance(1);
    }
    worker.tell(names[1]);
    worker.learnOneOfMany(names[0], 0);
    worker.tick();
    worker.learn(names[LEARNED_IN_A_PAGE]);
    expect(worker.state(names[0])).toBe(KeyState.LEARNED, "used since");
    expect(worker.state(names[1])).toBe(KeyState.CONFIGURED, "told");
    expect(worker.state(names[2])).toBe(0, "the oldest");
    for (let i = 3; i <= LEARNED_IN_A_PAGE; i++) expect(worker.state(names[i])).toBe(KeyState.LEARNED, i.toString());
  });

  it("of told names keeps them all, and neither learns nor takes one more, but still removes", () => {
    const worker = new Worker();
    const names = keyNamesOfOnePage(LEARNED_IN_A_PAGE + 2);
    for (let i = 0; i < LEARNED_IN_A_PAGE; i++) expect(worker.tell(names[i])).toBe(KeyOutcome.Added);
    worker.learn(names[LEARNED_IN_A_PAGE]);
    expect(worker.state(names[LEARNED_IN_A_PAGE])).toBe(0);
    expect(worker.tell(names[LEARNED_IN_A_PAGE])).toBe(KeyOutcome.NotStored);
    expect(worker.keys.remove(names[3])).toBe(KeyOutcome.Removed);
    for (let i = 0; i < LEARNED_IN_A_PAGE; i++) {
      expect(worker.state(names[i])).toBe(i == 3 ? KeyState.REMOVED : KeyState.CONFIGURED, i.toString());
    }
  });

  it("of removed names never loses one, and says so where one more cannot be stored", () => {
    const worker = new Worker();
    const names = keyNamesOfOnePage(REMOVED_IN_A_PAGE + 1);
    for (let i = 0; i < REMOVED_IN_A_PAGE; i++) expect(worker.keys.remove(names[i])).toBe(KeyOutcome.Removed);
    expect(worker.keys.remove(names[REMOVED_IN_A_PAGE])).toBe(KeyOutcome.NotStored);
    expect(worker.tell(names[REMOVED_IN_A_PAGE])).toBe(KeyOutcome.NotStored);
    worker.learn(names[REMOVED_IN_A_PAGE]);
    for (let i = 0; i < REMOVED_IN_A_PAGE; i++) expect(worker.isRemoved(names[i])).toBe(true, i.toString());
    expect(worker.state(names[REMOVED_IN_A_PAGE])).toBe(0);
  });

  it("of learned names makes room for what is removed", () => {
    const worker = new Worker();
    const names = keyNamesOfOnePage(LEARNED_IN_A_PAGE + 1);
    for (let i = 0; i < LEARNED_IN_A_PAGE; i++) worker.learnOneOfMany(names[i], i);
    expect(worker.keys.remove(names[LEARNED_IN_A_PAGE])).toBe(KeyOutcome.Removed);
    expect(worker.isRemoved(names[LEARNED_IN_A_PAGE])).toBe(true);
  });
});

describe("two workers that change one page at once", () => {
  it("lose neither change", () => {
    const names = keyNamesOfOnePage(2);
    for (let exists = 0; exists < 2; exists++) {
      const race = new Race(names[0]);
      if (exists == 1) race.worker.tell(names[0]);
      race.store.conflictAt(0);
      expect(race.worker.tell(names[1])).toBe(KeyOutcome.Added);
      expect(race.store.happened).toBe(true);
      expect(race.worker.isRemoved(names[0])).toBe(true);
      expect(race.worker.state(names[1])).toBe(KeyState.CONFIGURED);
    }
  });

  it("remove a name for good where the other one learns it", () => {
    const race = new Race(keyName(1));
    race.store.conflictAt(0);
    race.worker.learn(keyName(1));
    expect(race.store.happened).toBe(true);
    expect(race.worker.isRemoved(keyName(1))).toBe(true);
  });

  it("give up after a bounded number of tries, and say so", () => {
    const worker = new Worker();
    worker.store.alwaysConflicts = true;
    expect(worker.keys.remove(keyName(1))).toBe(KeyOutcome.NotStored);
    expect(worker.tell(keyName(1))).toBe(KeyOutcome.NotStored);
    worker.learn(keyName(1));
    worker.store.alwaysConflicts = false;
    expect(worker.state(keyName(1))).toBe(0);
    worker.learn(keyName(1));
    expect(worker.state(keyName(1))).toBe(KeyState.LEARNED, "the failed try is not taken for done");
  });
});

describe("a store that does not answer", () => {
  it("removes nothing silently", () => {
    const worker = new Worker();
    worker.store.broken = true;
    expect(worker.keys.remove(keyName(1))).toBe(KeyOutcome.NotStored);
    expect(worker.tell(keyName(1))).toBe(KeyOutcome.NotStored);
    expect(worker.isRemoved(keyName(1))).toBe(false);
  });
});

/** A store in which another worker removes a name at a chosen moment. */
class RacingStore extends FakeStore {
  happened: bool = false;
  name: usize = 0;
  rival: TicketKeys | null = null;

  otherWriter(): void {
    const rival = this.rival;
    this.happened = true;
    if (rival) rival.remove(this.name);
  }
}

class Race {
  readonly worker: Worker;

  constructor(
    removed: usize,
    readonly store: RacingStore = new RacingStore(),
  ) {
    this.worker = new Worker(store);
    store.name = removed;
    store.rival = new TicketKeys("default", store, new FakeClock(), fakeHash(), new Changes("default", store));
  }
}
