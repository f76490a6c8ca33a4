import { Changes } from "../../../../assembly/shared/changes";
import { RevocationOutcome, Revocations, Unseen } from "../../../../assembly/session/revocation/revocations";
import { FakeClock } from "../../support/fake_clock";
import { fakeHash } from "../../support/fake_entropy";
import { FakeStore } from "../../support/fake_store";
import { Text } from "../../support/sessions";
import { TABLE_PAGES } from "../../../../assembly/shared/table";
import { serverNamesOfOnePage } from "../../support/table_names";

const START: u64 = 1_790_000_000;

class Worker {
  readonly revocations: Revocations;
  readonly changes: Changes;

  constructor(
    readonly store: FakeStore = new FakeStore(),
    readonly clock: FakeClock = new FakeClock(),
    cacheName: string = "default",
  ) {
    const changes = new Changes(cacheName, store);
    this.changes = changes;
    this.revocations = new Revocations(cacheName, store, clock, fakeHash(), changes);
  }

  revoke(sni: string, lifetime: u32 = 604_800, unseen: u8 = Unseen.AS_IT_IS): RevocationOutcome {
    const text = new Text(sni);
    return this.revocations.revoke(text.start, text.length, lifetime, unseen);
  }

  lift(sni: string): RevocationOutcome {
    const text = new Text(sni);
    return this.revocations.lift(text.start, text.length);
  }

  revokedAt(sni: string): u64 {
    const text = new Text(sni);
    this.changes.refresh();
    return this.revocations.revokedAt(text.start, text.length);
  }
}

describe("a revocation", () => {
  it("has the second in which it was made, for all workers at once", () => {
    const worker = new Worker();
    expect(worker.revokedAt("shop.example")).toBe(0);
    expect(worker.revoke("shop.example")).toBe(RevocationOutcome.Done);
    expect(worker.revocations.time).toBe(START);
    expect(new Worker(worker.store, worker.clock).revokedAt("shop.example")).toBe(START);
  });

  it("holds whatever the case of the name", () => {
    const worker = new Worker();
    worker.revoke("Shop.EXAMPLE");
    expect(worker.revokedAt("sHOP.example")).toBe(START);
    expect(worker.lift("SHOP.example")).toBe(RevocationOutcome.Done);
    expect(worker.revokedAt("shop.example")).toBe(0);
  });

  it("leaves what is no letter of ASCII as it is", () => {
    const worker = new Worker();
    worker.revoke("[.example");
    worker.revoke("@.example");
    expect(worker.revokedAt("[.example")).toBe(START);
    expect(worker.revokedAt("@.example")).toBe(START);
    expect(worker.revokedAt("{.example")).toBe(0);
    expect(worker.revokedAt("`.example")).toBe(0);
    worker.revoke("\u00c4.example");
    expect(worker.revokedAt("\u00e4.example")).toBe(0);
  });

  it("is of the whole name", () => {
    const worker = new Worker();
    worker.revoke("shop.example");
    const others = ["shop.exampl", "shop.example.", "hop.example", "www.shop.example", "example", ""];
    for (let i = 0; i < others.length; i++) expect(worker.revokedAt(others[i])).toBe(0, others[i]);
  });

  it("is moved by a second one, but never back", () => {
    const worker = new Worker();
    worker.revoke("shop.example");
    worker.clock.advance(5);
    worker.revoke("shop.example");
    expect(worker.revokedAt("shop.example")).toBe(START + 5);
    worker.clock.advance(-100);
    expect(worker.revoke("shop.example")).toBe(RevocationOutcome.Done);
    expect(worker.revokedAt("shop.example")).toBe(START + 5);
    expect(worker.revocations.time).toBe(START + 5);
  });

  it("lasts until it is lifted, which can be done once", () => {
    const worker = new Worker();
    worker.revoke("a.example");
    worker.revoke("b.example");
    worker.clock.advance(600_000);
    expect(worker.revokedAt("a.example")).toBe(START);
    expect(worker.lift("a.example")).toBe(RevocationOutcome.Done);
    expect(worker.lift("a.example")).toBe(RevocationOutcome.NotFound);
    expect(worker.revokedAt("a.example")).toBe(0);
    expect(worker.revokedAt("b.example")).toBe(START);
  });

  it("ends after the lifetime of tickets, for all workers, and not before", () => {
    const worker = new Worker();
    const other = new Worker(worker.store, worker.clock);
    worker.revoke("a.example");
    worker.revoke("b.example", 1000);
    expect(worker.revocations.until).toBe(START + 1000);
    worker.clock.advance(1000);
    expect(other.revokedAt("b.example")).toBe(START);
    worker.clock.advance(1);
    expect(other.revokedAt("b.example")).toBe(0);
    expect(worker.lift("b.example")).toBe(RevocationOutcome.NotFound);
    worker.clock.advance(604_800 - 1001);
    expect(worker.revokedAt("a.example")).toBe(START);
    worker.clock.advance(1);
    expect(worker.revokedAt("a.example")).toBe(0);
    worker.revoke("a.example");
    expect(worker.revocations.replaced).toBe(false);
    expect(worker.revocations.time).toBe(START + 604_801);
  });

  it("ends by neither clock alone", () => {
    const worker = new Worker();
    worker.revoke("a.example", 1000);
    worker.clock.set(8 * 86_400);
    expect(worker.revokedAt("a.example")).toBe(START);
    expect(worker.revocations.inForce()).toBe(true);
    worker.revoke("b.example");
    worker.clock.set(-8 * 86_400);
    expect(worker.revokedAt("a.example")).toBe(START, "a revocation beside it has not taken its room");
    worker.clock.set(-500);
    worker.clock.advance(1001);
    expect(worker.revokedAt("a.example")).toBe(START);
    worker.clock.advance(500);
    expect(worker.revokedAt("a.example")).toBe(0);
  });

  it("is shortened by a second one by neither clock", () => {
    const worker = new Worker();
    worker.revoke("a.example", 1000);
    worker.revoke("a.example", 50);
    worker.clock.set(8 * 86_400);
    worker.clock.advance(1000);
    expect(worker.revokedAt("a.example")).toBe(START);
    worker.clock.advance(1);
    expect(worker.revokedAt("a.example")).toBe(0);
  });

  it("ends later by a second one, and never earlier", () => {
    const worker = new Worker();
    worker.revoke("a.example", 1000);
    worker.clock.advance(10);
    worker.revoke("a.example", 50);
    expect(worker.revocations.until).toBe(START + 1000);
    worker.revoke("a.example", 5000);
    expect(worker.revocations.until).toBe(START + 5010);
    worker.clock.advance(5001);
    expect(worker.revokedAt("a.example")).toBe(0);
  });

  it("is counted once, whatever its case, until it ends", () => {
    const worker = new Worker();
    expect(worker.revocations.countInForce()).toBe(0);
    worker.revoke("shop.example", 100);
    worker.revoke("SHOP.example", 100);
    worker.revoke("bank.example", 1000);
    expect(worker.revocations.countInForce()).toBe(2);
    worker.clock.advance(101);
    worker.changes.age();
    expect(worker.revocations.countInForce()).toBe(1);
    worker.lift("bank.example");
    expect(worker.revocations.countInForce()).toBe(0);
  });

  it("of a version that knew no end lasts until it is lifted or made again", () => {
    const worker = new Worker();
    worker.revoke("a.example");
    const table = worker.revocations.table;
    const text = new Text("a.example");
    table.open(text.start, text.length);
    const row = table.find(text.start, text.length)!;
    row.lastUsed = 0;
    row.count = 0;
    table.commit();
    worker.changes.announce();
    worker.clock.advance(100_000_000);
    expect(worker.revokedAt("a.example")).toBe(START);
    worker.revoke("a.example", 10);
    expect(worker.revocations.replaced).toBe(true);
    worker.clock.advance(11);
    expect(worker.revokedAt("a.example")).toBe(0);
  });

  it("can be of 255 bytes, and no longer name is revoked", () => {
    const worker = new Worker();
    const name = "a".repeat(255);
    expect(worker.revoke(name)).toBe(RevocationOutcome.Done);
    expect(worker.revokedAt(name)).toBe(START);
    expect(worker.revokedAt(name + "a")).toBe(0);
  });

  it("is of one named cache", () => {
    const worker = new Worker();
    worker.revoke("shop.example");
    expect(new Worker(worker.store, worker.clock, "edge").revokedAt("shop.example")).toBe(0);
  });
});

describe("a page full of revocations", () => {
  it("drops none, and says so where one more cannot be stored", () => {
    const worker = new Worker();
    const names = serverNamesOfOnePage(90);
    let revoked = 0;
    while (revoked < names.length && worker.revoke(names[revoked]) == RevocationOutcome.Done) revoked++;
    expect(revoked).toBeGreaterThan(60);
    expect(revoked).toBeLessThan(90);
    worker.clock.advance(1);
    expect(worker.revoke(names[revoked])).toBe(RevocationOutcome.NotStored);
    for (let i = 0; i < revoked; i++) expect(worker.revokedAt(names[i])).toBe(START, names[i]);
    expect(worker.revokedAt(names[revoked])).toBe(0);
    expect(worker.revoke(names[0])).toBe(RevocationOutcome.Done, "one that is there can be moved");
    worker.lift(names[1]);
    // Names differ in length by a digit or two.
    worker.lift(names[2]);
    expect(worker.revoke(names[revoked])).toBe(RevocationOutcome.Done);
  });

  it("has room again when they are over", () => {
    const worker = new Worker();
    const names = serverNamesOfOnePage(90);
    let revoked = 0;
    while (revoked < names.length && worker.revoke(names[revoked], 100) == RevocationOutcome.Done) revoked++;
    expect(worker.revoke(names[89])).toBe(RevocationOutcome.NotStored);
    worker.clock.advance(101);
    for (let i = 0; i < revoked; i++) expect(worker.revoke(names[i])).toBe(RevocationOutcome.Done);
  });
});

function inForce(worker: Worker): bool {
  worker.changes.refresh();
  return worker.revocations.inForce();
}

describe("whether any name is revoked", () => {
  it("is told at once for all workers, and ends with the last one", () => {
    const worker = new Worker();
    const other = new Worker(worker.store, worker.clock);
    expect(inForce(other)).toBe(false);
    worker.revoke("a.example", 100);
    worker.revoke("b.example", 200, Unseen.REFUSE);
    expect(inForce(other)).toBe(true);
    expect(other.revocations.refusesUnseen()).toBe(true);
    worker.revoke("b.example", 200, Unseen.BY_NAME);
    expect(inForce(other)).toBe(true);
    expect(other.revocations.refusesUnseen()).toBe(false);
    worker.revoke("a.example", 100, Unseen.REFUSE);
    expect(inForce(other)).toBe(true);
    expect(other.revocations.refusesUnseen()).toBe(true);
    worker.clock.advance(101);
    other.changes.age();
    expect(inForce(other)).toBe(true);
    expect(other.revocations.refusesUnseen()).toBe(false);
    worker.lift("b.example");
    expect(inForce(other)).toBe(false);
  });

  it("is read once for each epoch, and only where it is asked", () => {
    const worker = new Worker();
    worker.revoke("a.example");
    worker.changes.refresh();
    const reads = worker.store.reads;
    worker.changes.refresh();
    expect(worker.store.reads).toBe(reads);
    for (let i = 0; i < 10; i++) {
      expect(worker.revocations.inForce()).toBe(true);
      expect(worker.revocations.refusesUnseen()).toBe(false);
    }
    expect(worker.store.reads - reads).toBe(TABLE_PAGES);
    worker.changes.age();
    worker.revocations.inForce();
    expect(worker.store.reads - reads).toBe(2 * TABLE_PAGES);
  });

  it("stays what it was where the store does not answer", () => {
    const worker = new Worker();
    worker.revoke("a.example", 1000, Unseen.REFUSE);
    expect(inForce(worker)).toBe(true);
    worker.store.broken = true;
    worker.changes.age();
    expect(worker.revocations.inForce()).toBe(true);
    expect(worker.revocations.refusesUnseen()).toBe(true);
  });
});

describe("two workers that revoke at once", () => {
  it("lose neither revocation", () => {
    const names = serverNamesOfOnePage(2);
    for (let exists = 0; exists < 2; exists++) {
      const store = new RacingStore();
      const worker = new Worker(store);
      store.name = names[0];
      store.ownName = names[1];
      store.rival = new Worker(store, worker.clock);
      if (exists == 1) worker.revoke(names[0]);
      worker.clock.advance(1);
      store.conflictAt(0);
      expect(worker.revoke(names[1])).toBe(RevocationOutcome.Done);
      expect(store.happened).toBe(true);
      expect(worker.revokedAt(names[0])).toBe(START + 1);
      expect(worker.revokedAt(names[1])).toBe(START + 1);
    }
  });

  it("keep the other's where one is lifted", () => {
    const names = serverNamesOfOnePage(2);
    const store = new RacingStore();
    const worker = new Worker(store);
    store.name = names[0];
    store.ownName = names[1];
    store.rival = new Worker(store, worker.clock);
    worker.revoke(names[1]);
    store.conflictAt(0);
    expect(worker.lift(names[1])).toBe(RevocationOutcome.Done);
    expect(store.happened).toBe(true);
    expect(worker.revokedAt(names[0])).toBe(START);
    expect(worker.revokedAt(names[1])).toBe(0);
  });

  it("are told which of them was the first for a name", () => {
    const store = new RacingStore();
    const worker = new Worker(store);
    store.name = "shop.example";
    store.ownName = "shop.example";
    const rival = new Worker(store, worker.clock);
    store.rival = rival;
    store.conflictAt(0);
    expect(worker.revoke("shop.example")).toBe(RevocationOutcome.Done);
    expect(store.happened).toBe(true);
    expect(rival.revocations.replaced).toBe(false);
    expect(worker.revocations.replaced).toBe(true);
  });

  it("give up after a bounded number of tries, and say so", () => {
    const worker = new Worker();
    worker.revoke("a.example");
    worker.store.alwaysConflicts = true;
    expect(worker.revoke("b.example")).toBe(RevocationOutcome.NotStored);
    expect(worker.lift("a.example")).toBe(RevocationOutcome.NotStored);
    worker.store.alwaysConflicts = false;
    expect(worker.revokedAt("a.example")).toBe(START);
    expect(worker.revokedAt("b.example")).toBe(0);
  });
});

describe("a store that does not answer", () => {
  it("revokes and lifts nothing silently", () => {
    const worker = new Worker();
    worker.store.broken = true;
    expect(worker.revoke("a.example")).toBe(RevocationOutcome.NotStored);
    expect(worker.lift("a.example")).toBe(RevocationOutcome.NotStored);
    expect(worker.revokedAt("a.example")).toBe(0);
  });
});

/** A store in which another worker revokes a name at a chosen moment. */
class RacingStore extends FakeStore {
  happened: bool = false;
  name: string = "";
  /** What the worker under test is about: two real workers share no memory, so what the rival left there is undone. */
  ownName: string = "";
  rival: Worker | null = null;

  otherWriter(): void {
    const rival = this.rival;
    this.happened = true;
    if (!rival) return;
    rival.revoke(this.name);
    rival.revokedAt(this.ownName);
  }
}
