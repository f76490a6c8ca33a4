import { Deadline } from "../../../../assembly/work/job";
import { Sweeper } from "../../../../assembly/session/jobs/sweeper";
import { Bench, session } from "../../support/sessions";

describe("the sweeper", () => {
  it("is one of all workers", () => {
    const bench = new Bench();
    const other = bench.worker();
    const first = new Sweeper(bench.cache, bench.store);
    const second = new Sweeper(other.cache, bench.store);
    bench.cache.put(session(1, 10));
    bench.clock.advance(1);
    tick(first, bench);
    const writes = bench.store.writes;
    bench.clock.advance(1);
    tick(second, other);
    expect(bench.store.writes).toBe(writes, "the lease is held: the other one does nothing");
  });

  it("passes to another worker when its holder is gone", () => {
    const bench = new Bench();
    const other = bench.worker();
    bench.cache.put(session(1, 10));
    tick(new Sweeper(bench.cache, bench.store), bench);
    const second = new Sweeper(other.cache, bench.store);
    bench.clock.advance(2);
    tick(second, other);
    bench.clock.advance(20);
    tick(second, other);
    expect(bench.number()).toBe(0);
  });

  it("sweeps again and again, and does not stop when the clock is set back", () => {
    const bench = new Bench();
    const sweeper = new Sweeper(bench.cache, bench.store);
    tick(sweeper, bench);
    bench.clock.advance(-1_000_000);
    bench.cache.put(session(1, 1));
    bench.clock.advance(8);
    tick(sweeper, bench);
    expect(bench.number()).toBe(0);
    bench.cache.put(session(2, 1));
    bench.clock.advance(8);
    tick(sweeper, bench);
    expect(bench.number()).toBe(0);
  });
});

function tick(sweeper: Sweeper, bench: Bench): void {
  const deadline = new Deadline(bench.clock);
  deadline.start(1000);
  if (sweeper.elect()) sweeper.work(deadline);
}
