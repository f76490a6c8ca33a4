import { Changes } from "../../../assembly/shared/changes";
import { Revocations } from "../../../assembly/session/revocation/revocations";
import { TicketKeys } from "../../../assembly/session/revocation/ticket_keys";
import { StoreResult } from "../../../assembly/ports/shared_store";
import { FakeClock } from "../support/fake_clock";
import { fakeHash } from "../support/fake_entropy";
import { FakeStore } from "../support/fake_store";
import { Text } from "../support/sessions";
import { keyName } from "../support/table_names";

/** One virtual machine. */
class Machine {
  readonly changes: Changes;
  readonly keys: TicketKeys;
  private readonly revocations: Revocations;

  constructor(readonly store: FakeStore) {
    const changes = new Changes("default", store);
    this.changes = changes;
    this.keys = new TicketKeys("default", store, new FakeClock(), fakeHash(), changes);
    this.revocations = new Revocations("default", store, new FakeClock(), fakeHash(), changes);
    if (store.size == 0) changes.announce();
  }

  revoke(sni: string): void {
    const text = new Text(sni);
    this.revocations.revoke(text.start, text.length);
  }

  /** As a decision does it: a look at what has changed, then at the name. */
  isRevoked(sni: string): bool {
    const text = new Text(sni);
    this.changes.refresh();
    return this.revocations.revokedAt(text.start, text.length) != 0;
  }

  isRemoved(name: usize): bool {
    this.changes.refresh();
    return this.keys.isRemoved(name);
  }
}

describe("what was looked up before", () => {
  it("is not read again while nothing changes, whether it is there or not", () => {
    const machine = new Machine(new FakeStore());
    machine.revoke("shop.example");
    machine.isRevoked("shop.example");
    machine.isRevoked("other.example");
    machine.isRemoved(keyName(1));
    const reads = machine.store.reads;
    for (let i = 0; i < 10; i++) {
      expect(machine.isRevoked("SHOP.example")).toBe(true);
      expect(machine.isRevoked("other.example")).toBe(false);
      expect(machine.isRemoved(keyName(1))).toBe(false);
    }
    expect(machine.store.reads).toBe(reads);
  });

  it("is read again as soon as any machine has changed anything", () => {
    const machine = new Machine(new FakeStore());
    const other = new Machine(machine.store);
    expect(machine.isRevoked("shop.example")).toBe(false);
    other.revoke("shop.example");
    expect(machine.isRevoked("shop.example")).toBe(true);
    expect(machine.isRemoved(keyName(1))).toBe(false);
    other.keys.remove(keyName(1));
    expect(machine.isRemoved(keyName(1))).toBe(true);
  });

  it("is not taken for that of another name in the same place", () => {
    const machine = new Machine(new FakeStore());
    for (let i = 0; i < 300; i += 3) machine.keys.remove(keyName(i));
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 300; i++) expect(machine.isRemoved(keyName(i))).toBe(i % 3 == 0, i.toString());
    }
  });

  it("of names that are too long to be kept is read each time, and right", () => {
    const machine = new Machine(new FakeStore());
    const long = "x".repeat(200) + ".example";
    machine.revoke(long);
    expect(machine.isRevoked(long)).toBe(true);
    const reads = machine.store.reads;
    expect(machine.isRevoked(long)).toBe(true);
    expect(machine.store.reads).toBe(reads + 1);
  });

  it("is read again after a while, so that a change that nobody announced is found out", () => {
    const store = new MuteStore();
    const machine = new Machine(store);
    const other = new Machine(store);
    expect(machine.isRevoked("shop.example")).toBe(false);
    store.mute = true;
    other.revoke("shop.example");
    store.mute = false;
    expect(machine.isRevoked("shop.example")).toBe(false);
    machine.changes.age();
    expect(machine.isRevoked("shop.example")).toBe(true);
  });

  it("is never kept where it cannot be told what has changed", () => {
    const machine = new Machine(new FakeStore());
    machine.revoke("shop.example");
    machine.isRevoked("shop.example");
    machine.store.broken = true;
    // In doubt it is let through.
    expect(machine.isRevoked("shop.example")).toBe(false);
    machine.store.broken = false;
    expect(machine.isRevoked("shop.example")).toBe(true);
  });
});

/** Loses announcements, as if their machine had ended before them. */
class MuteStore extends FakeStore {
  mute: bool = false;

  overwrite(key: usize, keyLength: i32, value: usize, valueLength: i32): StoreResult {
    return this.mute ? StoreResult.Ok : super.overwrite(key, keyLength, value, valueLength);
  }
}
