import { Lookup, PutOutcome, RemoveOutcome } from "../../../../assembly/session/cache";
import { Deadline } from "../../../../assembly/work/job";
import { Page, PAGE_CAPACITY } from "../../../../assembly/session/pages/page";
import { Cause, Kind, Known, Origin } from "../../../../assembly/session/record/session";
import { Metric } from "../../../../assembly/session/counting/statistics";
import { Sweep } from "../../../../assembly/session/jobs/sweep";
import { Flush } from "../../../../assembly/session/jobs/flush";
import { Applied } from "../../../../assembly/session/record/applied";
import { Shown, Walk, WalkStep } from "../../../../assembly/session/jobs/walk";
import { StoreKey } from "../../../../assembly/shared/store_key";
import { STAMPS_PER_SECOND } from "../../../../assembly/session/record/stamp";
import { Bench, benchOfSize, idOf, look, session, Text } from "../../support/sessions";

const NOW: u32 = 1_790_000_000;

/** A page of the layout 0x53, as the version before wrote it: written down once more. */
class EarlierPage {
  readonly start: usize = heap.alloc(8192);
  used: i32 = 32;
  sessions: u16 = 0;
  tombstones: u16 = 0;

  constructor() {
    memory.fill(this.start, 0, 8192);
  }

  session(number: u32, timeoutSeconds: u32, sni: string = "", upstream: string = "", origin: u8 = Origin.API): void {
    const entry = this.start + <usize>this.used;
    store<u32>(entry, NOW, 12);
    store<u32>(entry, timeoutSeconds, 16);
    store<u32>(entry, NOW + 5, 20);
    store<u32>(entry, 42, 24);
    store<u8>(entry, 4 | 16, 9);
    store<u16>(entry, 0xc02c, 32);
    let flags: u64 = origin == Origin.API ? Kind.TICKET | 4 | 8 : Kind.TICKET | 8;
    this.head(entry, 38, number);
    if (sni.length > 0) {
      flags |= 16;
      store<u16>(entry, 0xffff, 34);
      this.text(sni);
    }
    if (upstream.length > 0) {
      flags |= 16;
      store<u16>(entry, 0xffff, 10);
      this.text(upstream);
    }
    this.finish(entry, flags);
    this.sessions++;
  }

  tombstone(number: u32, until: u32, upstream: string = "", name: u64 = 0): void {
    const entry = this.start + <usize>this.used;
    store<u8>(entry, Cause.FLUSH, 9);
    store<u32>(entry, NOW, 12);
    store<u32>(entry, until, 16);
    // The clock of the test has stood at 5000 seconds of the machine then.
    store<u32>(entry, 5000 + until - NOW, 20);
    this.head(entry, 24, number);
    let flags: u64 = 0;
    if (name != 0) {
      flags |= 16;
      store<u8>(entry, Cause.FLUSH | 64, 9);
      store<u64>(this.start + <usize>this.used, name);
      this.used += 8;
    }
    if (upstream.length > 0) {
      flags |= 16;
      store<u16>(entry, 0xffff, 10);
      this.text(upstream);
    }
    this.finish(entry, flags);
    this.tombstones++;
  }

  /** Room for one more of so many bytes. */
  fits(size: i32): bool {
    return this.used + size <= PAGE_CAPACITY;
  }

  /** Puts it into the store of a cache of one page. */
  put(bench: Bench, saturatedUntil: u64 = 0): void {
    store<u32>(this.start, this.used);
    store<u16>(this.start, this.sessions, 8);
    store<u16>(this.start, this.tombstones, 10);
    store<u8>(this.start, 0x53, 12);
    store<u64>(this.start, (<u64>this.used) << 32, 16);
    store<u32>(this.start, <u32>saturatedUntil, 24);
    if (saturatedUntil != 0) store<u32>(this.start, <u32>(5000 + saturatedUntil - <u64>NOW), 28);
    changetype<Page>(this.start).seal();
    const key = new StoreKey("default", "page");
    key.select(0);
    bench.store.overwrite(key.start, key.length, this.start, this.used);
    bench.cache.counts.move(this.sessions, this.tombstones, saturatedUntil != 0 ? 1 : 0);
  }

  private head(entry: usize, fixed: i32, number: u32): void {
    store<u8>(entry, 32, 8);
    memory.copy(entry + <usize>fixed, idOf(number), 32);
    this.used += fixed + 32;
  }

  private text(value: string): void {
    const text = new Text(value);
    store<u8>(this.start + <usize>this.used, <u8>text.length);
    memory.copy(this.start + <usize>this.used + 1, text.start, text.length);
    this.used += 1 + text.length;
  }

  private finish(entry: usize, flags: u64): void {
    store<u64>(entry, ((<u64>this.used) << 5) | flags);
  }
}

describe("a page of the layout before", () => {
  it("is read as it was, sessions and tombstones with all that they say", () => {
    const bench = benchOfSize(0, 0);
    const page = new EarlierPage();
    page.session(1, 1000, "shop.example", "10.0.0.7:443");
    page.tombstone(2, NOW + 500, "10.0.0.8:443");
    page.session(3, 2000);
    page.put(bench);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
    const found = bench.cache.found;
    expect(found.kind).toBe(Kind.TICKET);
    expect(found.protocol).toBe(0x0303);
    expect(found.cipher).toBe(0xc02c);
    expect(String.UTF8.decodeUnsafe(found.sni, found.sniLength)).toBe("shop.example");
    expect(String.UTF8.decodeUnsafe(found.upstream, found.upstreamLength)).toBe("10.0.0.7:443");
    expect(found.hits).toBe(42);
    expect(found.origin).toBe(Origin.API);
    expect(found.time).toBe(NOW);
    expect(found.timeoutSeconds).toBe(1000);
    expect(found.lastUsed).toBe(NOW + 5);
    expect(found.session).toBe(0);
    expect(found.unissued).toBe(true);
    expect(found.isOwn).toBe(true);
    expect(found.stamp).toBe(<u64>NOW * STAMPS_PER_SECOND);
    expect(found.alone).toBe(false);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
    expect(String.UTF8.decodeUnsafe(bench.cache.found.upstream, bench.cache.found.upstreamLength)).toBe("10.0.0.8:443");
    expect(look(bench.cache, 3)).toBe(Lookup.Found);
    expect(look(bench.cache, 4)).toBe(Lookup.Absent);
    expect(bench.count(Metric.CORRUPTED_PAGES)).toBe(0);
  });

  it("gives every entry a version above that of the one before, and above no later change", () => {
    const bench = benchOfSize(0, 0);
    const page = new EarlierPage();
    page.session(1, 1000);
    const first = page.start + 32;
    // The first two fall together in units of twice the size, and the third is just above them.
    for (let number: u32 = 2; number <= 3; number++) page.tombstone(number, NOW + 500);
    store<u64>(first, (1_000_000 << 5) | (load<u64>(first) & 31));
    store<u64>(first + 70, (1_000_001 << 5) | (load<u64>(first + 70) & 31));
    store<u64>(first + 70 + 56, (1_000_002 << 5) | (load<u64>(first + 70 + 56) & 31));
    page.put(bench);
    const read = bench.cache.pages.read(0)!;
    const versions = [500_000, 500_001, 500_002];
    let entry = read.first();
    for (let i = 0; entry; i++) {
      expect(entry.version).toBe(versions[i]);
      entry = read.after(entry);
    }
    expect(read.lastVersion >= 500_002).toBe(true);
    bench.cache.put(session(9));
    expect(bench.cache.found.version > 500_002).toBe(true);
  });

  it("counts all its sessions and tombstones as those of this proxy; tombstones keep name and cause", () => {
    const bench = benchOfSize(0, 0);
    const page = new EarlierPage();
    page.session(1, 1000, "", "10.0.0.7:443", Origin.OBSERVED);
    page.tombstone(2, NOW + 500, "10.0.0.8:443", 0x1122334455667788);
    page.put(bench);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
    expect(bench.cache.found.isOwn).toBe(true);
    expect(bench.cache.found.stamp).toBe(0);
    const walk = new Walk(bench.cache, true, 0, 0);
    expect(walk.next()).toBe(WalkStep.Entry);
    const tombstone = bench.cache.tombstone;
    expect(tombstone.isOwn).toBe(true);
    expect(tombstone.session).toBe(0x1122334455667788);
    expect(tombstone.cause).toBe(Cause.FLUSH);
    expect(tombstone.stamp).toBe(<u64>NOW * STAMPS_PER_SECOND);
    expect(bench.cache.found.known).toBe(Known.UPSTREAM);
  });

  it("is stored as one of this layout with its next change, and by a sweep", () => {
    for (let way = 0; way < 2; way++) {
      const bench = benchOfSize(0, 0);
      const page = new EarlierPage();
      page.session(1, 1000, "shop.example");
      page.tombstone(2, NOW + 500);
      page.put(bench);
      const writes = bench.store.writes;
      if (way == 0) bench.cache.put(session(5));
      else sweep(bench);
      expect(bench.store.writes > writes).toBe(true);
      expect(bench.number()).toBe(way == 0 ? 2 : 1);
      expect(bench.count(Metric.TOMBSTONES)).toBe(1);
      bench.cache.pages.read(0);
      expect(bench.cache.pages.upgrades).toBe(false);
      expect(look(bench.cache, 1)).toBe(Lookup.Found);
      expect(look(bench.cache, 2)).toBe(Lookup.Removed);
    }
  });

  it("keeps its tombstones for the whole time of each, by both clocks", () => {
    const bench = benchOfSize(0, 0);
    const page = new EarlierPage();
    page.tombstone(2, NOW + 500);
    page.put(bench);
    sweep(bench);
    bench.clock.advance(100);
    bench.clock.set(100_000);
    sweep(bench);
    bench.clock.set(-100_000);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
    bench.clock.advance(401);
    expect(look(bench.cache, 2)).toBe(Lookup.Absent);
  });

  it("lets live sessions give way where it no longer fits, and counts them; tombstones never", () => {
    const bench = benchOfSize(0, 0);
    const page = new EarlierPage();
    let number: u32 = 0;
    for (; number < 60; number++) page.tombstone(number, NOW + 5000);
    for (; page.fits(70); number++) page.session(number, 100 + number);
    page.put(bench);
    const sessions = bench.number();
    expect(sessions > 5).toBe(true);
    for (let i: u32 = 0; i < 60; i++) expect(look(bench.cache, i)).toBe(Lookup.Removed);
    expect(bench.count(Metric.CACHE_FULL)).toBe(0, "looking changes nothing");
    sweep(bench);
    expect(bench.number() < sessions).toBe(true);
    expect(bench.count(Metric.CACHE_FULL)).toBe(sessions - bench.number());
    expect(bench.count(Metric.TOMBSTONES)).toBe(60);
    for (let i: u32 = 0; i < 60; i++) expect(look(bench.cache, i)).toBe(Lookup.Removed);
    expect(look(bench.cache, number - 1)).toBe(Lookup.Found, "those that expire last stay");
    expect(look(bench.cache, 60)).toBe(Lookup.Absent);
  });

  it("that holds nothing but tombstones and no longer fits is saturated by those it loses", () => {
    const bench = benchOfSize(0, 0);
    const page = new EarlierPage();
    let number: u32 = 0;
    for (; page.fits(56); number++) page.tombstone(number, NOW + 5000);
    page.put(bench);
    for (let i: u32 = 0; i < number; i++) expect(look(bench.cache, i)).toBe(Lookup.Removed);
    sweep(bench);
    expect(bench.count(Metric.SATURATED_PAGES)).toBe(1);
    expect(bench.count(Metric.TOMBSTONES) < <i32>number).toBe(true);
    for (let i: u32 = 0; i < number; i++) expect(look(bench.cache, i)).toBe(Lookup.Removed);
    bench.clock.advance(5001);
    sweep(bench);
    expect(bench.count(Metric.SATURATED_PAGES) + bench.count(Metric.TOMBSTONES)).toBe(0);
  });

  it("stays saturated as long as it was to be", () => {
    const bench = benchOfSize(0, 0);
    const page = new EarlierPage();
    page.tombstone(1, NOW + 5000);
    page.put(bench, NOW + 5000);
    expect(look(bench.cache, 7)).toBe(Lookup.Removed);
    sweep(bench);
    bench.clock.set(10_000);
    sweep(bench);
    bench.clock.set(-10_000);
    expect(look(bench.cache, 7)).toBe(Lookup.Removed);
    bench.clock.advance(5001);
    expect(look(bench.cache, 7)).toBe(Lookup.Absent);
  });

  it("with lengths that lead beyond its end does no harm", () => {
    for (let at: usize = 8; at < 12; at++) {
      const bench = benchOfSize(0, 0);
      const page = new EarlierPage();
      page.tombstone(1, NOW + 5000);
      page.session(2, 1000, "shop.example", "10.0.0.7:443");
      store<u8>(page.start + 32 + 56 + at, 0xff);
      page.put(bench);
      look(bench.cache, 2);
      expect(look(bench.cache, 1)).toBe(Lookup.Removed);
      expect(bench.cache.put(session(3))).toBe(PutOutcome.Added);
    }
  });
});

describe("a page of a later layout", () => {
  it("stays as it is, cannot be read, and is counted at each read", () => {
    const bench = benchOfSize(0, 0);
    bench.cache.put(session(1));
    const later = bench.cache.pages.read(0)!;
    store<u8>(changetype<usize>(later), 0x55, 12);
    later.seal();
    const bytes = bench.store.bytesOf("page");
    const key = new StoreKey("default", "page");
    key.select(0);
    bench.store.overwrite(key.start, key.length, changetype<usize>(later), bytes);
    const writes = bench.store.writes;
    expect(look(bench.cache, 1)).toBe(Lookup.Unavailable);
    expect(bench.cache.put(session(2))).toBe(PutOutcome.Contended);
    expect(bench.cache.remove(idOf(1), 32, Cause.API)).toBe(RemoveOutcome.Contended);
    expect(bench.cache.foreign.applyRemoval(bench.cache.tombstone)).toBe(Applied.Older);
    expect(new Walk(bench.cache, Shown.Sessions, 0, 0).next()).toBe(WalkStep.Failed);
    const job = new Sweep(bench.cache);
    const deadline = new Deadline(bench.clock);
    deadline.start(u64.MAX_VALUE >> 1);
    expect(job.step(deadline)).toBe(true);
    expect(job.failed).toBe(true);
    expect(bench.store.writes).toBe(writes);
    expect(bench.count(Metric.LATER_PAGES)).toBe(5);
    expect(bench.count(Metric.CORRUPTED_PAGES)).toBe(0);
    expect(bench.number()).toBe(1);
  });

  it("is a damaged one if its check is wrong, or its layout is none that may come", () => {
    for (let layout: u8 = 0x55; layout <= 0x60; layout += 11) {
      const bench = benchOfSize(0, 0);
      bench.cache.put(session(1));
      const later = bench.cache.pages.read(0)!;
      store<u8>(changetype<usize>(later), layout, 12);
      if (layout == 0x60) later.seal();
      const key = new StoreKey("default", "page");
      key.select(0);
      bench.store.overwrite(key.start, key.length, changetype<usize>(later), bench.store.bytesOf("page"));
      expect(look(bench.cache, 1)).toBe(Lookup.Absent);
      expect(bench.count(Metric.CORRUPTED_PAGES)).toBe(1);
      expect(bench.count(Metric.LATER_PAGES)).toBe(0);
    }
  });

  it("does not keep a job from the others", () => {
    const bench = benchOfSize(0, 1);
    for (let i: u32 = 0; i < 200; i++) bench.cache.put(session(i));
    const later = bench.cache.pages.read(0)!;
    const held = <i32>later.sessions;
    store<u8>(changetype<usize>(later), 0x55, 12);
    later.seal();
    const key = new StoreKey("default", "page");
    key.select(0);
    bench.store.overwrite(key.start, key.length, changetype<usize>(later), 4095);
    const flush = new Flush(bench.cache, 0);
    expect(flush.begin()).toBe(true);
    const deadline = new Deadline(bench.clock);
    deadline.start(u64.MAX_VALUE >> 1);
    expect(flush.step(deadline)).toBe(true);
    expect(flush.failed).toBe(true);
    expect(flush.removed).toBe(200 - held);
  });
});

function sweep(bench: Bench): void {
  const deadline = new Deadline(bench.clock);
  deadline.start(u64.MAX_VALUE >> 1);
  expect(new Sweep(bench.cache).step(deadline)).toBe(true);
}
