/** Proxies of one fleet: a cache each, its fleet, and a journal on a store that all of them share. */
import { Fleet } from "../../../assembly/fleet/fleet";
import { FleetOptions } from "../../../assembly/fleet/state/options";
import { FLEET_METRICS } from "../../../assembly/fleet/state/metrics";
import { Progress } from "../../../assembly/fleet/state/progress";
import { Entropy } from "../../../assembly/ports/entropy";
import { Metrics } from "../../../assembly/ports/metrics";
import { Cache } from "../../../assembly/session/cache";
import { FakeClock } from "./fake_clock";
import { FakeMetrics } from "./fake_metrics";
import { FakeEtcd, FakeJournal } from "./fake_journal";
import { FakeStore } from "./fake_store";
import { Bench } from "./sessions";

/** Another number for each process. */
class RunEntropy extends Entropy {
  fill(start: usize, length: i32): bool {
    memory.fill(start, 0, length);
    store<u64>(start, ++runs);
    return true;
  }
}

let runs: u64 = 0;

/** One proxy. */
export class Proxy {
  readonly bench: Bench;
  journal: FakeJournal;
  readonly metrics: FakeMetrics;
  fleet: Fleet;

  constructor(
    etcd: FakeEtcd,
    readonly name: string,
    readonly clock: FakeClock = new FakeClock(),
    private readonly options: FleetOptions = new FleetOptions(),
  ) {
    const bench = new Bench(new FakeStore(), clock);
    const journal = new FakeJournal(etcd);
    const metrics = new FakeMetrics(FLEET_METRICS);
    this.bench = bench;
    this.journal = journal;
    options.name = name;
    this.fleet = fleetOf(bench, journal, metrics, options);
    this.metrics = metrics;
  }

  get cache(): Cache {
    return this.bench.cache;
  }

  /** Another machine of the same process becomes the leader. */
  changeLeader(): void {
    this.fleet.free();
    this.fleet = fleetOf(this.bench, this.journal, this.metrics, this.options);
  }

  /** Another configuration names another store. */
  moveTo(etcd: FakeEtcd): void {
    this.journal = new FakeJournal(etcd);
    this.changeLeader();
  }

  /** Works until nothing more is to be done: each slice ends at once, so each is a step of its own. */
  work(): void {
    for (let i = 0; i < MAX_STEPS; i++) if (!this.fleet.work()) return;
    throw new Error("the fleet of " + this.name + " never rests");
  }
}

function fleetOf(bench: Bench, journal: FakeJournal, metrics: Metrics, options: FleetOptions): Fleet {
  const progress = new Progress("default", bench.store, new RunEntropy());
  expect(progress.load()).toBe(true);
  return new Fleet(bench.cache, bench.store, journal, metrics, progress, options, new RunEntropy(), "1.2.3");
}

/** Lets every proxy tell and take over whatever there is; a second passes each time. */
export function settle(proxies: Proxy[], rounds: i32 = 6): void {
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < proxies.length; i++) {
      proxies[i].clock.advance(1);
      proxies[i].work();
    }
  }
}

const MAX_STEPS: i32 = 100_000;
