import { Changes } from "../../../../assembly/shared/changes";
import { KeyOutcome, KeyState, TicketKeys } from "../../../../assembly/session/revocation/ticket_keys";
import { DecisionState, ToldDecision } from "../../../../assembly/session/revocation/told_decision";
import { Applied } from "../../../../assembly/session/record/applied";
import { MAX_UPSTREAM_LENGTH } from "../../../../assembly/session/record/session";
import { MAX_STAMP, STAMPS_PER_SECOND } from "../../../../assembly/session/record/stamp";
import { TABLE_PAGES } from "../../../../assembly/shared/table";
import { FakeClock } from "../../support/fake_clock";
import { fakeHash } from "../../support/fake_entropy";
import { FakeStore } from "../../support/fake_store";
import { Text } from "../../support/sessions";
import { keyName, keyNamesOfOnePage } from "../../support/table_names";

const START: u64 = 1_790_000_000;
const HERE: string = "10.0.0.7:443";
const THERE: string = "10.0.0.8:443";

class Worker {
  readonly keys: TicketKeys;
  readonly told: ToldDecision = new ToldDecision();
  private readonly changes: Changes;

  constructor(
    readonly store: FakeStore = new FakeStore(),
    readonly clock: FakeClock = new FakeClock(),
  ) {
    const changes = new Changes("default", store);
    this.changes = changes;
    this.keys = new TicketKeys("default", store, clock, fakeHash(), changes);
  }

  learn(name: usize, upstream: string = HERE): void {
    const text = new Text(upstream);
    this.keys.learn(name, text.start, text.length);
  }

  configure(name: usize, upstream: string = HERE): KeyOutcome {
    const text = new Text(upstream);
    return this.keys.configure(name, text.start, text.length);
  }

  hear(name: usize, state: DecisionState, stamp: u64, upstream: string = HERE): Applied {
    const text = new Text(upstream);
    return this.keys.apply(name, state, text.start, text.length, stamp / STAMPS_PER_SECOND, stamp);
  }

  /** The state of a row, 0 if there is none. */
  state(name: usize): u8 {
    this.changes.refresh();
    const row = this.keys.look(name);
    return row ? row.state : 0;
  }

  upstreamOf(name: usize): string {
    this.changes.refresh();
    const row = this.keys.look(name);
    return row ? String.UTF8.decodeUnsafe(row.upstream, row.upstreamLength) : "";
  }

  /** How many decisions there are above a version; `told` has the last. */
  decisions(after: u64 = 0): i32 {
    let count = 0;
    for (let page: u32 = 0; page < TABLE_PAGES; page++) {
      expect(this.keys.openDecisions(page)).toBe(true);
      while (this.keys.nextDecision(after, this.told)) count++;
    }
    return count;
  }
}

describe("the removal of a ticket key by another proxy", () => {
  it("brings the upstream of its tickets along, which stays when it is lifted", () => {
    const worker = new Worker();
    const name = keyName(1);
    expect(worker.hear(name, DecisionState.Refused, at(START), THERE)).toBe(Applied.Stored);
    expect(worker.state(name)).toBe(KeyState.REMOVED);
    expect(worker.upstreamOf(name)).toBe(THERE);
    worker.hear(name, DecisionState.Lifted, at(START + 6));
    expect(worker.state(name)).toBe(KeyState.LEARNED);
    expect(worker.upstreamOf(name)).toBe(THERE);
  });

  it("does not change an upstream that is known here, nor one that was filled in", () => {
    const worker = new Worker();
    worker.learn(keyName(1), HERE);
    worker.hear(keyName(1), DecisionState.Refused, at(START), THERE);
    expect(worker.upstreamOf(keyName(1))).toBe(HERE);
    worker.hear(keyName(2), DecisionState.Refused, at(START), THERE);
    worker.hear(keyName(2), DecisionState.Refused, at(START + 1), HERE);
    expect(worker.upstreamOf(keyName(2))).toBe(THERE);
  });

  it("is one without an upstream if that is missing or too long", () => {
    const worker = new Worker();
    worker.hear(keyName(1), DecisionState.Refused, at(START), "");
    worker.hear(keyName(2), DecisionState.Refused, at(START), "x".repeat(MAX_UPSTREAM_LENGTH + 1));
    for (let number: u32 = 1; number <= 2; number++) {
      expect(worker.state(keyName(number))).toBe(KeyState.REMOVED);
      expect(worker.upstreamOf(keyName(number))).toBe("");
    }
  });

  it("keeps the time of a removal that was here before its upstream was known", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.keys.remove(name);
    const time = worker.keys.row!.time;
    worker.clock.advance(100);
    worker.hear(name, DecisionState.Refused, at(START), THERE);
    expect(worker.upstreamOf(name)).toBe(THERE);
    expect(worker.keys.row!.time).toBe(time);
    expect(worker.decisions()).toBe(1);
    expect(worker.told.state).toBe(DecisionState.Refused);
  });
});

describe("a decision of another proxy about a ticket key", () => {
  it("removes, lifts and configures", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.learn(name);
    expect(worker.hear(name, DecisionState.Refused, at(START))).toBe(Applied.Stored);
    expect(worker.state(name)).toBe(KeyState.REMOVED);
    expect(worker.hear(name, DecisionState.Refused, at(START))).toBe(Applied.Older);
    expect(worker.hear(name, DecisionState.Lifted, at(START + 6))).toBe(Applied.Stored);
    expect(worker.state(name)).toBe(KeyState.LEARNED);
    expect(worker.upstreamOf(name)).toBe(HERE);
    expect(worker.hear(name, DecisionState.Configured, at(START + 7), THERE)).toBe(Applied.Stored);
    expect(worker.state(name)).toBe(KeyState.CONFIGURED);
    expect(worker.upstreamOf(name)).toBe(THERE);
    expect(worker.hear(name, DecisionState.Lifted, at(START + 6))).toBe(Applied.Older);
    expect(worker.hear(name, DecisionState.Refused, at(START))).toBe(Applied.Older);
    expect(worker.state(name)).toBe(KeyState.CONFIGURED);
  });

  it("holds by its key, in any order: a removal 5 s longer", () => {
    for (let later: u64 = 4; later <= 6; later++) {
      for (let order = 0; order < 2; order++) {
        const worker = new Worker();
        const name = keyName(1);
        for (let i = 0; i < 2; i++) {
          if (i == order) worker.hear(name, DecisionState.Refused, at(START));
          else worker.hear(name, DecisionState.Configured, at(START + later));
        }
        expect(worker.state(name)).toBe(later > 5 ? KeyState.CONFIGURED : KeyState.REMOVED);
      }
    }
  });

  it("of one stamp is the same everywhere", () => {
    for (let order = 0; order < 2; order++) {
      const worker = new Worker();
      const name = keyName(1);
      for (let i = 0; i < 2; i++) {
        worker.hear(name, DecisionState.Configured, at(START), i == order ? HERE : THERE);
      }
      expect(worker.upstreamOf(name)).toBe(THERE);
    }
  });

  it("that is malformed, or a lift that is too old, changes nothing", () => {
    const worker = new Worker();
    const name = keyName(1);
    expect(worker.hear(name, DecisionState.Refused, MAX_STAMP + 1)).toBe(Applied.Older);
    expect(worker.hear(name, DecisionState.Configured, at(START), "")).toBe(Applied.Older);
    expect(worker.hear(name, <DecisionState>7, at(START))).toBe(Applied.Older);
    expect(worker.hear(name, DecisionState.None, at(START))).toBe(Applied.Older);
    expect(worker.hear(name, DecisionState.Lifted, at(START - 604_801))).toBe(Applied.Older);
    expect(worker.hear(name, DecisionState.Configured, at(START), "1".repeat(65))).toBe(Applied.Older);
    expect(worker.decisions()).toBe(0);
    expect(worker.state(name)).toBe(0);
  });

  it("is shown as it was told, and by its version", () => {
    const worker = new Worker();
    worker.hear(keyName(1), DecisionState.Configured, at(START - 9) + 3, THERE);
    expect(worker.decisions()).toBe(1);
    const told = worker.told;
    expect(told.state).toBe(DecisionState.Configured);
    expect(memory.compare(told.name, keyName(1), 16)).toBe(0);
    expect(String.UTF8.decodeUnsafe(told.upstream, told.upstreamLength)).toBe(THERE);
    expect(told.stamp).toBe(at(START - 9) + 3);
    expect(told.time).toBe(START - 9);
    expect(worker.decisions(told.version)).toBe(0);
    expect(worker.decisions(told.version - 1)).toBe(1);
  });

  it("is followed by its row again, if that was changed without it", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.hear(name, DecisionState.Refused, at(START));
    worker.keys.table.open(name, 16);
    worker.keys.table.remove(worker.keys.table.find(name, 16)!);
    worker.keys.table.commit();
    expect(worker.hear(name, DecisionState.Refused, at(START))).toBe(Applied.Stored);
    expect(worker.state(name)).toBe(KeyState.REMOVED);
  });

  it("is tried again if other writers come first, and reported if they always do", () => {
    const worker = new Worker();
    for (let nth = 0; nth < 2; nth++) {
      worker.store.conflictAt(nth);
      expect(worker.hear(keyName(<u32>nth), DecisionState.Refused, at(START))).toBe(Applied.Stored);
    }
    worker.store.alwaysConflicts = true;
    expect(worker.hear(keyName(9), DecisionState.Refused, at(START))).toBe(Applied.Failed);
  });
});

describe("a decision of this proxy about a ticket key", () => {
  it("stands on top of the one before it, whatever the clocks", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.learn(name);
    worker.hear(name, DecisionState.Refused, at(START + 3000));
    expect(worker.keys.lift(name)).toBe(KeyOutcome.Replaced);
    expect(worker.keys.row!.state).toBe(KeyState.LEARNED);
    expect(worker.hear(name, DecisionState.Refused, at(START + 3000))).toBe(Applied.Older);
    worker.decisions();
    expect(worker.told.state).toBe(DecisionState.Lifted);
    expect(worker.told.stamp).toBe(at(START + 3005) + 1);
    expect(worker.keys.remove(name)).toBe(KeyOutcome.Removed);
    worker.decisions();
    expect(worker.told.stamp).toBe(at(START + 3000) + 2);
    expect(worker.configure(name)).toBe(KeyOutcome.Replaced);
    worker.decisions();
    expect(worker.told.state).toBe(DecisionState.Configured);
    expect(worker.told.stamp).toBe(at(START + 3005) + 3);
    expect(worker.decisions()).toBe(1);
  });

  it("leaves a trace of a lifted removal of a name that was never seen", () => {
    const worker = new Worker();
    const name = keyName(1);
    worker.keys.remove(name);
    worker.keys.lift(name);
    expect(worker.keys.row == null).toBe(true);
    expect(worker.state(name)).toBe(0);
    expect(worker.hear(name, DecisionState.Refused, at(START))).toBe(Applied.Older);
    expect(worker.decisions()).toBe(1);
    worker.clock.advance(604_801);
    worker.keys.remove(name);
    expect(worker.decisions()).toBe(1);
  });

  it("counts with its stamp if an earlier module made it", () => {
    const worker = new Worker();
    const name = keyName(1);
    for (let round = 0; round < 2; round++) {
      worker.clock.advance(10);
      const table = worker.keys.table;
      table.open(name, 16);
      const old = table.find(name, 16);
      const row = old ? old : table.append(name, 16, 0, 0)!;
      row.state = KeyState.REMOVED;
      row.version = table.nextVersion(worker.clock.nanoseconds);
      table.commit();
      expect(worker.decisions()).toBe(1);
      expect(worker.told.state).toBe(DecisionState.Refused);
      expect(worker.told.stamp).toBe(at(START + 10 + <u64>round * 10));
    }
    expect(worker.decisions()).toBe(1, "it is taken over once");
    expect(worker.hear(name, DecisionState.Configured, at(START + 25))).toBe(Applied.Older);
    expect(worker.hear(name, DecisionState.Configured, at(START + 26))).toBe(Applied.Stored);
    expect(worker.state(name)).toBe(KeyState.CONFIGURED);
  });

  it("finds room for its stamp among traces, and holds without one", () => {
    const names = keyNamesOfOnePage(120);
    const worker = new Worker();
    for (let i = 0; i < 60; i++) {
      worker.keys.remove(names[i]);
      worker.keys.lift(names[i]);
    }
    let removed = 0;
    for (let i = 40; i < 120; i++) if (worker.keys.remove(names[i]) == KeyOutcome.Removed) removed++;
    expect(removed).toBe(72, "as many as a page has room for");
    for (let i = 40; i < 40 + removed; i++) expect(worker.state(names[i])).toBe(KeyState.REMOVED);
    expect(worker.decisions()).toBe(72);
    expect(worker.hear(names[119], DecisionState.Refused, at(START))).toBe(Applied.NoRoom);
  });
});

function at(seconds: u64): u64 {
  return seconds * STAMPS_PER_SECOND;
}
