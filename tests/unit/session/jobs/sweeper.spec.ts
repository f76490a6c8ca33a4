import { RemovalList, Removes } from "../../../../assembly/session/configured/removal_list";
import { Metric } from "../../../../assembly/session/counting/statistics";
import { Sweeper } from "../../../../assembly/session/jobs/sweeper";
import { Deadline } from "../../../../assembly/work/job";
import { Bench, idOf, session, Text } from "../../support/sessions";

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

  it("shows how many ticket keys are removed and names revoked, each once whoever removes it", () => {
    const bench = new Bench();
    const sweeper = new Sweeper(bench.cache, bench.store);
    const name = new Text("shop.example");
    const configured = new RemovalList();
    configured.add(Removes.TicketKey, idOf(1), 16);
    configured.add(Removes.ServerName, name.start, name.length);
    bench.cache.configured.give(configured, bench.clock.nowSeconds());
    bench.cache.ticketKeys.remove(idOf(1));
    bench.cache.ticketKeys.remove(idOf(2));
    bench.cache.revocations.revoke(name.start, name.length);
    const other = new Text("other.example");
    bench.cache.revocations.revoke(other.start, other.length);
    tick(sweeper, bench);
    expect([bench.count(Metric.REMOVED_TICKET_KEYS), bench.count(Metric.REVOKED_NAMES)]).toStrictEqual([2, 2]);
    bench.cache.ticketKeys.lift(idOf(2));
    bench.cache.revocations.lift(other.start, other.length);
    bench.clock.advance(1);
    tick(sweeper, bench);
    expect([bench.count(Metric.REMOVED_TICKET_KEYS), bench.count(Metric.REVOKED_NAMES)]).toStrictEqual([1, 1]);
  });

  it("leaves the gauges of removals as they are while the store does not answer", () => {
    const bench = new Bench();
    const sweeper = new Sweeper(bench.cache, bench.store);
    const name = new Text("shop.example");
    bench.cache.ticketKeys.remove(idOf(1));
    bench.cache.revocations.revoke(name.start, name.length);
    tick(sweeper, bench);
    bench.store.broken = true;
    bench.cache.showRemovals();
    expect([bench.count(Metric.REMOVED_TICKET_KEYS), bench.count(Metric.REVOKED_NAMES)]).toStrictEqual([1, 1]);
  });
});

function tick(sweeper: Sweeper, bench: Bench): void {
  const deadline = new Deadline(bench.clock);
  deadline.start(1000);
  if (sweeper.elect()) sweeper.work(deadline);
}
