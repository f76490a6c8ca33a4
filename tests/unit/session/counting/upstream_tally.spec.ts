import { Changes } from "../../../../assembly/shared/changes";
import { TABLE_PAGES } from "../../../../assembly/shared/table";
import { sumsOf, UpstreamTally } from "../../../../assembly/session/counting/upstream_tally";
import { FakeClock } from "../../support/fake_clock";
import { fakeHash } from "../../support/fake_entropy";
import { FakeStore } from "../../support/fake_store";
import { Text } from "../../support/sessions";

const HERE: string = "10.0.0.7:443";
const THERE: string = "[2001:db8::1]:443";
/** The row of those without one of their own. */
const REST: string = "";

class Worker {
  readonly tally: UpstreamTally;

  constructor(
    readonly store: FakeStore = new FakeStore(),
    readonly clock: FakeClock = new FakeClock(),
  ) {
    this.tally = new UpstreamTally("default", store, clock, fakeHash(), new Changes("default", store));
  }

  other(): Worker {
    return new Worker(this.store, this.clock);
  }

  lose(upstream: string, times: i32 = 1): void {
    const text = new Text(upstream);
    for (let i = 0; i < times; i++) this.tally.countLost(text.start, text.length);
    heap.free(text.start);
  }

  refuse(upstream: string, times: i32 = 1): void {
    const text = new Text(upstream);
    for (let i = 0; i < times; i++) this.tally.countRefused(text.start, text.length);
    heap.free(text.start);
  }

  /** Lost and refused of an upstream, as the store has them; -1 if it has no row. All rows of the name count. */
  sums(upstream: string): i32[] {
    const sums: i32[] = [0, 0];
    let rows = 0;
    for (let number: u32 = 0; number < TABLE_PAGES; number++) {
      this.tally.table.openPage(number);
      let row = this.tally.table.first();
      while (row) {
        if (String.UTF8.decodeUnsafe(row.name, row.nameLength) == upstream) {
          rows++;
          sums[0] += <i32>sumsOf(row)!.lost;
          sums[1] += <i32>sumsOf(row)!.refused;
        }
        row = this.tally.table.after(row);
      }
    }
    return rows > 0 ? sums : [-1, -1];
  }

  /** Lost and refused of all rows. */
  get whole(): i32[] {
    const whole: i32[] = [0, 0];
    for (let number: u32 = 0; number < TABLE_PAGES; number++) {
      this.tally.table.openPage(number);
      let row = this.tally.table.first();
      while (row) {
        whole[0] += <i32>sumsOf(row)!.lost;
        whole[1] += <i32>sumsOf(row)!.refused;
        row = this.tally.table.after(row);
      }
    }
    return whole;
  }

  ticks(times: i32): void {
    for (let i = 0; i < times; i++) this.tally.tick();
  }
}

function address(number: i32): string {
  return "10." + (number >> 16).toString() + "." + ((number >> 8) & 255).toString() + "." + (number & 255).toString();
}

describe("lost and refused resumptions by upstream", () => {
  it("are those of all workers, within a tick", () => {
    const one = new Worker();
    const other = one.other();
    one.lose(HERE, 2);
    one.refuse(HERE);
    one.refuse(THERE, 4);
    other.lose(HERE, 5);
    expect(one.sums(HERE)).toStrictEqual([-1, -1]);
    one.ticks(1);
    other.ticks(1);
    expect(one.sums(HERE)).toStrictEqual([7, 1]);
    expect(other.sums(THERE)).toStrictEqual([0, 4]);
    expect(one.sums(REST)).toStrictEqual([-1, -1]);
  });

  it("cost no call to the host until a tick, then two for each upstream, and none if there is nothing new", () => {
    const worker = new Worker();
    worker.lose(HERE, 100);
    worker.refuse(THERE, 100);
    expect(worker.store.reads + worker.store.writes).toBe(0);
    worker.ticks(1);
    expect([worker.store.reads, worker.store.writes]).toStrictEqual([2, 2]);
    worker.ticks(10);
    expect([worker.store.reads, worker.store.writes]).toStrictEqual([2, 2]);
  });

  it("count together if their upstream is not known, or is none that a record can hold", () => {
    const worker = new Worker();
    worker.tally.countRefused(0, 0);
    worker.refuse("1".repeat(65));
    worker.lose("");
    worker.ticks(1);
    expect(worker.sums(REST)).toStrictEqual([1, 2]);
    expect(worker.whole).toStrictEqual([1, 2]);
  });

  it("are all written if many upstreams lose some at once: those without a place of their own together", () => {
    const worker = new Worker();
    for (let i = 0; i < 1000; i++) worker.lose(address(i));
    worker.ticks(1);
    const first = worker.whole[0];
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(1000, "a tick writes some of them");
    worker.ticks(20);
    expect(worker.whole).toStrictEqual([1000, 0]);
    const rest = worker.sums(REST)[0];
    expect(rest).toBeGreaterThanOrEqual(1000 - 256);
    expect(rest).toBeLessThan(900);
    // Written places are free again.
    for (let i = 2000; i < 2100; i++) worker.lose(address(i));
    worker.ticks(20);
    expect(worker.sums(REST)[0]).toBe(rest);
  });

  it("stay in memory while the store takes nothing, and are written afterwards", () => {
    const worker = new Worker();
    worker.store.broken = true;
    worker.lose(HERE, 3);
    worker.ticks(3);
    worker.refuse(HERE);
    worker.store.broken = false;
    worker.store.alwaysConflicts = true;
    worker.ticks(3);
    worker.store.alwaysConflicts = false;
    worker.ticks(1);
    expect(worker.sums(HERE)).toStrictEqual([3, 1]);
  });

  it("are written when their worker ends", () => {
    const worker = new Worker();
    const other = worker.other();
    for (let i = 0; i < 200; i++) worker.lose(address(i));
    worker.tally.free();
    expect(other.whole).toStrictEqual([200, 0]);
  });

  it("are right when another worker writes the same row in between", () => {
    const store = new MeddledStore();
    const worker = new Worker(store);
    worker.lose(HERE);
    worker.ticks(1);
    const other = worker.other();
    other.lose(HERE, 10);
    store.meddler = other;
    store.conflictAt(0);
    worker.lose(HERE, 5);
    worker.ticks(1);
    expect(worker.sums(HERE)).toStrictEqual([16, 0]);
  });
});

describe("the table of lost and refused resumptions", () => {
  it("is bounded: the oldest upstreams give way, and their counts stay", () => {
    const worker = new Worker();
    worker.lose(HERE, 7);
    for (let i = 0; i < 8000; i++) {
      worker.refuse(address(i));
      if (i % 16 > 0) continue;
      worker.clock.advance(1);
      worker.lose(HERE);
      worker.ticks(1);
    }
    worker.ticks(1);
    expect(worker.sums(HERE)).toStrictEqual([507, 0], "a row in use stays");
    expect(worker.sums(address(0))).toStrictEqual([-1, -1]);
    expect(worker.sums(address(7999))).toStrictEqual([0, 1]);
    expect(worker.sums(REST)[1]).toBeGreaterThan(4000);
    expect(worker.whole).toStrictEqual([507, 8000]);
    expect(worker.store.bytes).toBeLessThan(64 * 4096 + 4096);
  });

  it("takes a row that is too short for one that counts nothing", () => {
    const worker = new Worker();
    const text = new Text(HERE);
    const table = worker.tally.table;
    table.open(text.start, text.length);
    table.append(text.start, text.length, text.start, 8);
    table.commit();
    worker.lose(HERE, 2);
    worker.ticks(1);
    expect(worker.sums(HERE)).toStrictEqual([2, 0]);
  });
});

/** While one worker writes, another one does. */
class MeddledStore extends FakeStore {
  meddler: Worker | null = null;

  otherWriter(): void {
    const meddler = this.meddler;
    if (meddler) meddler.ticks(1);
  }
}
