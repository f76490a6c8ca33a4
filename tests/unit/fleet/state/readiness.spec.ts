import { Readiness, readiness } from "../../../../assembly/fleet/state/readiness";
import { FleetStatus, StatusValue } from "../../../../assembly/fleet/state/status";
import { Proxies } from "../../../../assembly/fleet/state/proxies";
import { NANOSECONDS_PER_SECOND } from "../../../../assembly/ports/clock";
import { GivenSettings, Settings } from "../../../../assembly/session/settings/settings";
import { FakeEntropy } from "../../support/fake_entropy";
import { Bench } from "../../support/sessions";

const WAIT: u32 = 2000;

/** A cache, and the state of its fleet. */
class Start {
  readonly value: StatusValue;

  constructor(readonly bench: Bench = new Bench()) {
    this.value = new StatusValue("default", bench.store);
  }

  get readiness(): Readiness {
    return readiness(this.bench.cache.settings, this.value, this.bench.clock, WAIT);
  }

  /** The fleet filter is configured. */
  register(): void {
    const settings = new Settings("default", this.bench.store, new FakeEntropy());
    settings.configure("edge/fleet", new GivenSettings(), 1, 1, this.bench.clock.nowSeconds());
  }

  /** The leader began to lead so many seconds ago, and has heard of the store so many seconds ago; -1: never. */
  lead(begun: i64, heard: i64, isSynced: bool): void {
    const status = this.value.status;
    status.begunAt = this.before(begun);
    status.heardAt = heard < 0 ? 0 : this.before(heard);
    status.isSynced = isSynced ? 1 : 0;
    this.value.write(new Proxies());
  }

  private before(seconds: i64): u64 {
    return this.bench.clock.nowNanoseconds() - <u64>seconds * NANOSECONDS_PER_SECOND;
  }
}

describe("a proxy that starts", () => {
  it("has no fleet without a fleet filter", () => {
    expect(new Start().readiness).toBe(Readiness.Off);
  });

  it("waits for the first leader, but not for ever", () => {
    const start = new Start();
    start.register();
    expect(start.readiness).toBe(Readiness.Waiting);
    start.bench.clock.advance(6);
    expect(start.readiness).toBe(Readiness.Waiting, "a lease of a leader before may still hold");
    start.bench.clock.advance(1);
    expect(start.readiness).toBe(Readiness.NotReached);
  });

  it("waits while the store is read, however long that takes", () => {
    const start = new Start();
    start.register();
    start.lead(100, 1, false);
    expect(start.readiness).toBe(Readiness.Waiting);
  });

  it("does not wait for a store that has been silent for longer than it may wait", () => {
    const start = new Start();
    start.lead(2, -1, false);
    expect(start.readiness).toBe(Readiness.Waiting, "the leader has just begun");
    start.lead(3, -1, false);
    expect(start.readiness).toBe(Readiness.NotReached);
    start.lead(100, 3, false);
    expect(start.readiness).toBe(Readiness.NotReached);
  });

  it("is ready once the decisions are in, and stays so when the store is silent", () => {
    const start = new Start();
    start.lead(100, 90, true);
    expect(start.readiness).toBe(Readiness.Synced);
  });

  it("waits if the clock was set back since the store was heard", () => {
    const start = new Start();
    start.lead(0, 0, false);
    start.bench.clock.set(-100);
    expect(start.readiness).toBe(Readiness.Waiting);
  });
});

describe("the state of a fleet in the store", () => {
  it("has the layout that tests outside write: 392 bytes, and 128 for each proxy", () => {
    const bench = new Bench();
    const value = new StatusValue("default", bench.store);
    expect(value.read() == null).toBe(true);
    const status: FleetStatus = value.status;
    expect(offsetof<FleetStatus>("heardAt")).toBe(24);
    expect(offsetof<FleetStatus>("begunAt")).toBe(112);
    expect(offsetof<FleetStatus>("isSynced")).toBe(121);
    expect(offsetof<FleetStatus>("nameLength")).toBe(124);
    expect(status.name - changetype<usize>(status)).toBe(128);
    expect(changetype<usize>(status.proxy(0)) - changetype<usize>(status)).toBe(392);
  });
});
