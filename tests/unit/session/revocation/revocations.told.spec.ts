import { Changes } from "../../../../assembly/shared/changes";
import { RevocationOutcome, Revocations, Unseen } from "../../../../assembly/session/revocation/revocations";
import { DecisionState, ToldDecision } from "../../../../assembly/session/revocation/told_decision";
import { Applied } from "../../../../assembly/session/record/applied";
import { MAX_STAMP, STAMPS_PER_SECOND } from "../../../../assembly/session/record/stamp";
import { TABLE_PAGES } from "../../../../assembly/shared/table";
import { FakeClock } from "../../support/fake_clock";
import { fakeHash } from "../../support/fake_entropy";
import { FakeStore } from "../../support/fake_store";
import { Text } from "../../support/sessions";
import { serverNamesOfOnePage } from "../../support/table_names";

const START: u64 = 1_790_000_000;
const WEEK: u64 = 604_800;
const SHOP: string = "shop.example";

class Worker {
  readonly revocations: Revocations;
  readonly changes: Changes;
  readonly told: ToldDecision = new ToldDecision();

  constructor(
    readonly store: FakeStore = new FakeStore(),
    readonly clock: FakeClock = new FakeClock(),
  ) {
    const changes = new Changes("default", store);
    this.changes = changes;
    this.revocations = new Revocations("default", store, clock, fakeHash(), changes);
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

  hear(time: u64, stamp: u64, until: u64 = START + WEEK, unseen: u8 = Unseen.BY_NAME, sni: string = SHOP): Applied {
    const text = new Text(sni);
    return this.revocations.applyRevocation(text.start, text.length, time, until, unseen, stamp);
  }

  hearLift(time: u64, stamp: u64, sni: string = SHOP): Applied {
    const text = new Text(sni);
    return this.revocations.applyLift(text.start, text.length, time, stamp);
  }

  /** How many decisions there are above a version; `told` has the last. */
  decisions(after: u64 = 0): i32 {
    let count = 0;
    for (let page: u32 = 0; page < TABLE_PAGES; page++) {
      expect(this.revocations.openDecisions(page)).toBe(true);
      while (this.revocations.nextDecision(after, this.told)) count++;
    }
    return count;
  }
}

describe("a revocation of another proxy", () => {
  it("reaches sessions up to now if it is heard in time, else up to 5 s after it", () => {
    const worker = new Worker();
    worker.clock.advance(4);
    expect(worker.hear(START, at(START))).toBe(Applied.Stored);
    expect(worker.revokedAt("Shop.example")).toBe(START + 4);
    expect(worker.hear(START, at(START))).toBe(Applied.Older);
    const late = new Worker();
    late.clock.advance(6);
    expect(late.hear(START, at(START))).toBe(Applied.Stored);
    expect(late.revokedAt(SHOP)).toBe(START + 5);
  });

  it("is shown as it was told", () => {
    const worker = new Worker();
    worker.clock.advance(3);
    worker.hear(START, at(START) + 7, START + 1000, Unseen.REFUSE);
    expect(worker.decisions()).toBe(1);
    expect(worker.told.state).toBe(DecisionState.Refused);
    expect(String.UTF8.decodeUnsafe(worker.told.name, worker.told.nameLength)).toBe(SHOP);
    expect(worker.told.time).toBe(START);
    expect(worker.told.until).toBe(START + 1000);
    expect(worker.told.unseen).toBe(Unseen.REFUSE);
    expect(worker.told.stamp).toBe(at(START) + 7);
    expect(worker.decisions(worker.told.version)).toBe(0);
    expect(worker.decisions(worker.told.version - 1)).toBe(1);
  });

  it("that is over, malformed or of a later age changes nothing", () => {
    const worker = new Worker();
    expect(worker.hear(START - 10, at(START - 10), START - 1)).toBe(Applied.Older);
    expect(worker.hear(START, MAX_STAMP + 1)).toBe(Applied.Older);
    expect(worker.hear(START, at(START), START + 1, 0, "")).toBe(Applied.Older);
    expect(worker.revokedAt(SHOP)).toBe(0);
    expect(worker.decisions()).toBe(0);
  });

  it("ends by both clocks, or never", () => {
    const worker = new Worker();
    worker.hear(START, at(START), START + 100);
    worker.hear(START, at(START), 0, 0, "b.example");
    worker.clock.set(200);
    expect(worker.revokedAt(SHOP) > 0).toBe(true);
    worker.clock.advance(101);
    expect(worker.revokedAt(SHOP)).toBe(0);
    worker.clock.advance(100_000_000);
    expect(worker.revokedAt("b.example") > 0).toBe(true);
  });

  it("adds its later end and time to one that is here, in any order, and the result is told", () => {
    for (let order = 0; order < 2; order++) {
      const worker = new Worker();
      for (let i = 0; i < 2; i++) {
        const applied =
          i == order
            ? worker.hear(START - 100, at(START - 100), START + 5000, Unseen.REFUSE)
            : worker.hear(START - 50, at(START - 50), START + 1000);
        expect(applied).toBe(Applied.Stored);
      }
      worker.decisions();
      expect(worker.told.time).toBe(START - 50);
      expect(worker.told.until).toBe(START + 5000);
      expect(worker.told.unseen).toBe(Unseen.BY_NAME, "that of the later one");
      expect(worker.told.stamp).toBe(at(START - 50) + 1);
      expect(worker.hear(START - 100, at(START - 100), START + 5000, Unseen.REFUSE)).toBe(Applied.Older);
      expect(worker.hear(START - 50, at(START - 50), START + 1000)).toBe(Applied.Older);
      expect(worker.revokedAt(SHOP)).toBe(START - 45);
    }
  });

  it("holds against a lift that is not more than 5 s later, and is held against one that is", () => {
    for (let later: u64 = 4; later <= 6; later++) {
      for (let order = 0; order < 2; order++) {
        const worker = new Worker();
        for (let i = 0; i < 2; i++) {
          if (i == order) worker.hear(START, at(START));
          else worker.hearLift(START + later, at(START + later));
        }
        expect(worker.revokedAt(SHOP) > 0).toBe(later <= 5);
        worker.decisions();
        expect(worker.told.state).toBe(later <= 5 ? DecisionState.Refused : DecisionState.Lifted);
      }
    }
  });

  it("is overtaken by whatever is done here on top of it, whatever the clocks", () => {
    const worker = new Worker();
    worker.hear(START + 3000, at(START + 3000));
    expect(worker.lift(SHOP)).toBe(RevocationOutcome.Done);
    expect(worker.revokedAt(SHOP)).toBe(0);
    expect(worker.hear(START + 3000, at(START + 3000))).toBe(Applied.Older);
    worker.decisions();
    expect(worker.told.state).toBe(DecisionState.Lifted);
    expect(worker.told.stamp).toBe(at(START + 3005) + 1);
    expect(worker.told.time).toBe(START);
    expect(worker.revoke(SHOP)).toBe(RevocationOutcome.Done);
    expect(worker.revocations.replaced).toBe(false);
    expect(worker.hearLift(START, at(START + 3005) + 1)).toBe(Applied.Older);
    expect(worker.revokedAt(SHOP)).toBe(START);
    worker.decisions();
    expect(worker.told.stamp).toBe(at(START + 3000) + 2);
  });

  it("is kept apart from a row that an earlier module has changed since", () => {
    const worker = new Worker();
    worker.hear(START - 3000, at(START - 3000));
    // It revokes again, and leaves the bytes of the stamp as they are.
    const table = worker.revocations.table;
    const text = new Text(SHOP);
    table.open(text.start, text.length);
    const row = table.find(text.start, text.length)!;
    row.time = START;
    row.version = table.nextVersion(worker.clock.nanoseconds + 80);
    table.commit();
    worker.decisions();
    expect(worker.told.stamp).toBe(at(START) + 10);
    expect(worker.told.time).toBe(START);
  });
});

describe("a lifted revocation", () => {
  it("leaves a trace for a week, which refuses nothing", () => {
    const worker = new Worker();
    worker.revoke(SHOP);
    worker.clock.advance(10);
    worker.lift(SHOP);
    worker.changes.refresh();
    expect(worker.revocations.inForce()).toBe(false);
    expect(worker.lift(SHOP)).toBe(RevocationOutcome.NotFound);
    expect(worker.decisions()).toBe(1);
    expect(worker.told.state).toBe(DecisionState.Lifted);
    expect(worker.told.time).toBe(START + 10);
    expect(worker.hear(START, at(START))).toBe(Applied.Older);
    worker.clock.advance(<i64>WEEK);
    expect(worker.hear(START, at(START), 0)).toBe(Applied.Older);
    worker.clock.advance(1);
    expect(worker.hear(START, at(START), 0)).toBe(Applied.Stored, "nobody knows of the lift any more");
    expect(worker.hearLift(START + 10, at(START + 10))).toBe(Applied.Older, "it is too old");
  });

  it("is taken for one that is over by an earlier module", () => {
    const worker = new Worker();
    worker.revoke(SHOP);
    worker.lift(SHOP);
    const text = new Text(SHOP);
    worker.revocations.table.open(text.start, text.length);
    const row = worker.revocations.table.find(text.start, text.length)!;
    expect(row.lastUsed != 0 && row.lastUsed < START && row.count == 0).toBe(true);
  });

  it("gives way if its page is full, the oldest first", () => {
    const names = serverNamesOfOnePage(140);
    const worker = new Worker();
    let lifted = 0;
    for (let i = 0; i < 40; i++) {
      worker.revoke(names[i]);
      worker.clock.advance(1);
      worker.lift(names[i]);
      lifted++;
    }
    let revoked = 0;
    for (let i = 40; i < 140; i++) if (worker.revoke(names[i]) == RevocationOutcome.Done) revoked++;
    expect(revoked > 50).toBe(true);
    expect(worker.decisions() - revoked).toBe(0, "no trace has kept a revocation out");
    expect(worker.hearLift(START + 200, at(START + 200), names[0])).toBe(Applied.NoRoom);
    expect(worker.hear(START, at(START), 0, 0, names[1])).toBe(Applied.NoRoom);
    for (let i = 40; i < 40 + revoked; i++) expect(worker.revokedAt(names[i]) > 0).toBe(true);
    worker.lift(names[41]);
    expect(worker.revokedAt(names[41])).toBe(0, "it is lifted, even if there is no room for its trace");
  });
});

function at(seconds: u64): u64 {
  return seconds * STAMPS_PER_SECOND;
}
