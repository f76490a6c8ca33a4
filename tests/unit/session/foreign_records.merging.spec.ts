/**
 * Three caches, each with its own store and clock, that tell each other their records, as proxies of a fleet do: whatever
 * happens on each, in any order, with loss, repetition and replay, and with clocks that are off by an hour.
 *
 * A run is chosen by its number alone. A message of a failure begins with it: put it into FIRST_RUN, and 1 into RUNS.
 */
import { Lookup } from "../../../assembly/session/cache";
import { Flush, ForeignFlush } from "../../../assembly/session/jobs/flush";
import { Entry } from "../../../assembly/session/pages/entry";
import { Applied } from "../../../assembly/session/record/applied";
import { Cause, Known, Origin, Session, Tombstone } from "../../../assembly/session/record/session";
import { KeyState } from "../../../assembly/session/revocation/ticket_keys";
import { DecisionState, ToldDecision } from "../../../assembly/session/revocation/told_decision";
import { GivenSettings } from "../../../assembly/session/settings/settings";
import { TABLE_PAGES } from "../../../assembly/shared/table";
import { FakeClock } from "../support/fake_clock";
import { FakeMetrics } from "../support/fake_metrics";
import { FakeStore } from "../support/fake_store";
import { finish } from "../support/jobs";
import { Bench, idOf, Text } from "../support/sessions";
import { keyName } from "../support/table_names";

const FIRST_RUN: u32 = 1;
const RUNS: u32 = 75;
const STEPS: i32 = 24;
const PROXIES: i32 = 3;
const IDS: u32 = 3;
const NAMES: i32 = 2;
const MAX_ROUNDS: i32 = 12;
/** Longer than clocks differ, and all that a run takes. */
const TIMEOUT: u32 = 20_000;
const MILLISECOND: u64 = 1_000_000;

const SERVER_NAMES: StaticArray<Text> = [new Text("shop.example"), new Text("mail.example")];
const UPSTREAMS: StaticArray<Text> = [new Text("10.0.0.7:443"), new Text("10.0.0.8:443"), new Text("10.0.0.9:443")];
const KEYS: StaticArray<usize> = [keyName(1), keyName(2)];

const enum Kind {
  Removal,
  Addition,
  Observed,
  Flush,
  Revocation,
  TicketKey,
}

const enum Act {
  Remove,
  Put,
  Learn,
  Flush,
  Revoke,
  Lift,
  RemoveKey,
  AssignKey,
}

/** Runs differ in whatever happens in them most. */
const THEMES: StaticArray<StaticArray<Act>> = [
  [Act.Remove, Act.Put, Act.Learn, Act.Flush, Act.Revoke, Act.Lift, Act.RemoveKey, Act.AssignKey],
  [Act.Remove, Act.Remove, Act.Put, Act.Put, Act.Learn],
  [Act.Put, Act.Learn, Act.Learn, Act.Flush, Act.Remove],
  [Act.Revoke, Act.Lift],
  [Act.RemoveKey, Act.AssignKey],
];

/** A record as a journal keeps it. */
class Told {
  number: u32 = 0;
  time: u64 = 0;
  /** Or the timeout, or the time before which sessions are flushed. */
  until: u64 = 0;
  stamp: u64 = 0;
  cause: u8 = 0;
  cipher: u16 = 0;
  upstream: i32 = -1;
  unseen: u8 = 0;
  state: DecisionState = DecisionState.None;

  constructor(readonly kind: Kind) {}
}

class Random {
  private state: u64;

  constructor(run: u32) {
    this.state = <u64>run * 0x9e3779b97f4a7c15 + 88172645463325252;
    for (let i = 0; i < 8; i++) this.below(2);
  }

  below(bound: u32): u32 {
    this.state ^= this.state << 13;
    this.state ^= this.state >> 7;
    this.state ^= this.state << 17;
    return <u32>((this.state >> 11) % <u64>bound);
  }
}

class Proxy {
  readonly bench: Bench;
  private readonly decision: ToldDecision = new ToldDecision();

  constructor(offset: i64) {
    const given = new GivenSettings();
    given.maxMemoryMib = 1;
    const clock = new FakeClock();
    clock.set(offset);
    this.bench = new Bench(new FakeStore(), clock, new FakeMetrics(), given);
  }

  entry(number: u32): Entry | null {
    return this.bench.cache.pages.open(idOf(number), 32)!.find(idOf(number), 32);
  }

  /** Tells the record of an ID, if it is this proxy's own. */
  tell(number: u32, journal: Told[]): void {
    const entry = this.entry(number);
    if (!entry || !entry.isOwn) return;
    if (entry.isTombstone) {
      const told = new Told(Kind.Removal);
      told.number = number;
      told.time = entry.time;
      told.until = entry.until;
      told.stamp = entry.stamp;
      const tombstone = new Tombstone();
      entry.readTombstone(tombstone);
      told.cause = tombstone.cause;
      journal.push(told);
      return;
    }
    const session = new Session();
    entry.readSession(session, this.bench.cache.names);
    const isByHand = session.origin == Origin.API;
    if (!isByHand && this.bench.cache.pastFlushes.reachObserved(session.time, session.expiry)) return;
    const told = new Told(isByHand ? Kind.Addition : Kind.Observed);
    told.number = number;
    told.time = session.time;
    told.until = session.timeoutSeconds;
    told.stamp = session.stamp;
    told.cipher = session.knows(Known.CIPHER) ? session.cipher : 0;
    journal.push(told);
  }

  tellRevocation(name: i32, journal: Told[]): void {
    const revocations = this.bench.cache.revocations;
    const text = SERVER_NAMES[name];
    revocations.openDecisions(revocations.table.hashOf(text.start, text.length) & (TABLE_PAGES - 1));
    while (revocations.nextDecision(0, this.decision)) {
      const decision = this.decision;
      if (decision.nameLength != text.length || memory.compare(decision.name, text.start, text.length) != 0) continue;
      this.push(decision, Kind.Revocation, name, journal);
    }
  }

  tellKey(name: i32, journal: Told[]): void {
    const keys = this.bench.cache.ticketKeys;
    keys.openDecisions(keys.table.hashOf(KEYS[name], 16) & (TABLE_PAGES - 1));
    while (keys.nextDecision(0, this.decision)) {
      if (memory.compare(this.decision.name, KEYS[name], 16) == 0) {
        this.push(this.decision, Kind.TicketKey, name, journal);
      }
    }
  }

  tellAll(journal: Told[]): void {
    for (let number: u32 = 0; number < IDS; number++) this.tell(number, journal);
    for (let name = 0; name < NAMES; name++) {
      this.tellRevocation(name, journal);
      this.tellKey(name, journal);
    }
  }

  hear(told: Told): bool {
    const cache = this.bench.cache;
    cache.readSettings();
    let applied = Applied.Failed;
    switch (told.kind) {
      case Kind.Removal: {
        const removed = new Tombstone();
        removed.id = idOf(told.number);
        removed.idLength = 32;
        removed.time = told.time;
        removed.until = told.until;
        removed.stamp = told.stamp;
        removed.cause = told.cause;
        applied = cache.foreign.applyRemoval(removed);
        break;
      }
      case Kind.Addition:
        applied = cache.foreign.applyAddition(sessionOf(told));
        break;
      case Kind.Observed:
        applied = cache.foreign.applyObserved(sessionOf(told));
        break;
      case Kind.Flush:
        applied = cache.foreign.applyFlush(told.time, told.until, told.stamp);
        if (applied == Applied.Stored) {
          const flush = new ForeignFlush(cache);
          finish(this.bench, flush);
          return flush.removed > 0;
        }
        break;
      case Kind.Revocation: {
        const name = SERVER_NAMES[told.number];
        applied =
          told.state == DecisionState.Refused
            ? cache.revocations.applyRevocation(name.start, name.length, told.time, told.until, told.unseen, told.stamp)
            : cache.revocations.applyLift(name.start, name.length, told.time, told.stamp);
        break;
      }
      default: {
        const upstream = told.upstream < 0 ? UPSTREAMS[0] : UPSTREAMS[told.upstream];
        const length = told.upstream < 0 ? 0 : upstream.length;
        const keys = cache.ticketKeys;
        applied = keys.apply(KEYS[told.number], told.state, upstream.start, length, told.time, told.stamp);
      }
    }
    expect(applied != Applied.Failed && applied != Applied.NoRoom).toBe(true, "no room or other writers");
    return applied == Applied.Stored;
  }

  /** Whatever must be equal everywhere of an ID. */
  answer(number: u32): string {
    const lookup = this.bench.cache.peek(idOf(number), 32);
    if (lookup == Lookup.Removed) return "removed";
    const found = this.bench.cache.found;
    if (lookup != Lookup.Found || found.origin != Origin.API) return "open";
    return (
      "by hand " +
      [found.time, found.stamp, <u64>found.timeoutSeconds, found.knows(Known.CIPHER) ? <u64>found.cipher : 0].join(" ")
    );
  }

  answerOfName(name: i32): string {
    const cache = this.bench.cache;
    cache.readSettings();
    return cache.revocations.revokedAt(SERVER_NAMES[name].start, SERVER_NAMES[name].length) != 0 ? "revoked" : "open";
  }

  answerOfKey(name: i32): string {
    const cache = this.bench.cache;
    cache.readSettings();
    const row = cache.ticketKeys.look(KEYS[name]);
    if (row && row.state == KeyState.REMOVED) return "removed";
    if (!row || row.state != KeyState.CONFIGURED) return "open";
    return String.UTF8.decodeUnsafe(row.upstream, row.upstreamLength);
  }

  private push(decision: ToldDecision, kind: Kind, name: i32, journal: Told[]): void {
    const told = new Told(kind);
    told.number = <u32>name;
    told.state = decision.state;
    told.time = decision.time;
    told.until = decision.until;
    told.unseen = decision.unseen;
    told.stamp = decision.stamp;
    for (let i = 0; i < UPSTREAMS.length; i++) {
      const is = UPSTREAMS[i];
      const same = decision.upstreamLength == is.length && memory.compare(decision.upstream, is.start, is.length) == 0;
      if (same) told.upstream = i;
    }
    journal.push(told);
  }
}

/** A run: what happens, and what must be refused in the end if clocks agree. */
class Fleet {
  readonly proxies: Proxy[] = [];
  readonly journal: Told[] = [];
  readonly random: Random;
  private readonly theme: StaticArray<Act>;
  /** The last thing that was done to an ID, a server name, a ticket key, by real time, was a removal. */
  readonly removedIds: StaticArray<bool> = new StaticArray<bool>(<i32>IDS);
  readonly revoked: StaticArray<bool> = new StaticArray<bool>(NAMES);
  readonly removedKeys: StaticArray<bool> = new StaticArray<bool>(NAMES);

  constructor(run: u32, skewSeconds: u32) {
    const random = new Random(run);
    this.random = random;
    this.theme = THEMES[run % THEMES.length];
    for (let i = 0; i < PROXIES; i++) {
      const offset = skewSeconds == 0 ? 0 : <i64>random.below(2 * skewSeconds) - <i64>skewSeconds;
      this.proxies.push(new Proxy(offset));
    }
  }

  run(): void {
    for (let step = 0; step < STEPS; step++) {
      this.pass(<u64>(1 + this.random.below(this.random.below(2) == 0 ? 20 : 3000)));
      this.act(this.proxies[this.random.below(PROXIES)]);
      // Each proxy hears of some of it, late, early, or twice.
      for (let i = this.random.below(4); i > 0 && this.journal.length > 0; i--) {
        this.proxies[this.random.below(PROXIES)].hear(this.journal[this.random.below(this.journal.length)]);
      }
    }
  }

  /** Everybody hears of everything, in an order of his own, until nothing changes any more. Returns whether it ends. */
  settle(): bool {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      let changes = 0;
      for (let p = 0; p < PROXIES; p++) {
        const order = this.shuffled();
        for (let i = 0; i < order.length; i++) if (this.proxies[p].hear(this.journal[order[i]])) changes++;
      }
      const told = this.journal.length;
      for (let p = 0; p < PROXIES; p++) this.proxies[p].tellAll(this.journal);
      if (changes == 0 && round > 0) return true;
      // Later rounds need what is told now, and the flushes.
      if (round > 0) this.forget(told);
    }
    return false;
  }

  free(): void {
    for (let p = 0; p < PROXIES; p++) this.proxies[p].bench.cache.free();
  }

  private act(proxy: Proxy): void {
    const cache = proxy.bench.cache;
    const random = this.random;
    const number = random.below(IDS);
    const name = <i32>random.below(NAMES);
    cache.readSettings();
    switch (this.theme[random.below(this.theme.length)]) {
      case Act.Remove:
        cache.remove(idOf(number), 32, Cause.API);
        this.removedIds[number] = true;
        return proxy.tell(number, this.journal);
      case Act.Put: {
        const change = new Session();
        change.id = idOf(number);
        change.idLength = 32;
        change.cipher = <u16>(1 + random.below(3));
        change.timeoutSeconds = TIMEOUT + random.below(100);
        change.known = Known.CIPHER | Known.TIMEOUT;
        cache.put(change);
        this.removedIds[number] = false;
        return proxy.tell(number, this.journal);
      }
      case Act.Learn: {
        // No server issues an ID twice.
        const entry = proxy.entry(number);
        if (entry && !entry.isTombstone) return;
        const issued = new Session();
        issued.id = idOf(number);
        issued.idLength = 32;
        issued.timeoutSeconds = TIMEOUT;
        issued.known = Known.TIMEOUT;
        cache.learn(issued);
        return proxy.tell(number, this.journal);
      }
      case Act.Flush:
        return this.flush(proxy, random.below(2) == 0 ? 0 : cache.clock.nowSeconds() + <u64>TIMEOUT + 50);
      case Act.Revoke:
        cache.revocations.revoke(SERVER_NAMES[name].start, SERVER_NAMES[name].length, 100_000 + random.below(1000));
        this.revoked[name] = true;
        return proxy.tellRevocation(name, this.journal);
      case Act.Lift:
        cache.revocations.lift(SERVER_NAMES[name].start, SERVER_NAMES[name].length);
        // If it does not know of the revocation, it lifts nothing.
        if (proxy.answerOfName(name) == "open") this.revoked[name] = false;
        return proxy.tellRevocation(name, this.journal);
      case Act.RemoveKey:
        cache.ticketKeys.remove(KEYS[name]);
        this.removedKeys[name] = true;
        return proxy.tellKey(name, this.journal);
      default: {
        const upstream = UPSTREAMS[random.below(UPSTREAMS.length)];
        if (random.below(2) == 0) cache.ticketKeys.lift(KEYS[name]);
        else cache.ticketKeys.configure(KEYS[name], upstream.start, upstream.length);
        this.removedKeys[name] = false;
        proxy.tellKey(name, this.journal);
      }
    }
  }

  private flush(proxy: Proxy, before: u64): void {
    for (let number: u32 = 0; number < IDS; number++) {
      let reached = 0;
      let held = 0;
      for (let p = 0; p < PROXIES; p++) {
        const entry = this.proxies[p].entry(number);
        if (!entry || entry.isTombstone) continue;
        held++;
        if (before == 0 || entry.expiry < before) reached++;
      }
      if (held > 0 && reached == held) this.removedIds[number] = true;
    }
    const flush = new Flush(proxy.bench.cache, before);
    expect(flush.begin()).toBe(true);
    finish(proxy.bench, flush);
    const own = proxy.bench.cache.pastFlushes.nextOwn(this.lastFlush(proxy))!;
    const told = new Told(Kind.Flush);
    told.number = <u32>this.proxies.indexOf(proxy);
    told.time = own.time;
    told.until = own.before;
    told.stamp = own.stamp;
    this.journal.push(told);
    for (let number: u32 = 0; number < IDS; number++) proxy.tell(number, this.journal);
  }

  /** The stamp of the last flush that a proxy has told. */
  private lastFlush(proxy: Proxy): u64 {
    const number = <u32>this.proxies.indexOf(proxy);
    let last: u64 = 0;
    for (let i = 0; i < this.journal.length; i++) {
      const told = this.journal[i];
      if (told.kind == Kind.Flush && told.number == number) last = max(last, told.stamp);
    }
    return last;
  }

  private pass(milliseconds: u64): void {
    for (let p = 0; p < PROXIES; p++) this.proxies[p].bench.clock.nanoseconds += milliseconds * MILLISECOND;
  }

  /** Forgets all records before a place, except flushes. */
  private forget(place: i32): void {
    const kept: Told[] = [];
    for (let i = 0; i < this.journal.length; i++) {
      if (i >= place || this.journal[i].kind == Kind.Flush) kept.push(this.journal[i]);
    }
    while (this.journal.length > 0) this.journal.pop();
    for (let i = 0; i < kept.length; i++) this.journal.push(kept[i]);
  }

  private shuffled(): i32[] {
    const order: i32[] = [];
    for (let i = 0; i < this.journal.length; i++) order.push(i);
    for (let i = order.length - 1; i > 0; i--) {
      const j = <i32>this.random.below(<u32>i + 1);
      const other = order[i];
      order[i] = order[j];
      order[j] = other;
    }
    return order;
  }
}

function sessionOf(told: Told): Session {
  const session = new Session();
  session.id = idOf(told.number);
  session.idLength = 32;
  session.time = told.time;
  session.timeoutSeconds = <u32>told.until;
  session.stamp = told.stamp;
  session.known = Known.TIMEOUT;
  session.origin = told.kind == Kind.Addition ? Origin.API : Origin.OBSERVED;
  if (told.cipher != 0) {
    session.cipher = told.cipher;
    session.known |= Known.CIPHER;
  }
  return session;
}

/** Whether all proxies answer equally; else says where they do not. */
function difference(fleet: Fleet): string {
  const first = fleet.proxies[0];
  for (let p = 1; p < PROXIES; p++) {
    const other = fleet.proxies[p];
    for (let number: u32 = 0; number < IDS; number++) {
      if (first.answer(number) != other.answer(number)) {
        return "ID " + number.toString() + ": " + first.answer(number) + " / " + other.answer(number);
      }
    }
    for (let name = 0; name < NAMES; name++) {
      if (first.answerOfName(name) != other.answerOfName(name)) return "server name " + name.toString();
      if (first.answerOfKey(name) != other.answerOfKey(name)) {
        return "ticket key " + name.toString() + ": " + first.answerOfKey(name) + " / " + other.answerOfKey(name);
      }
    }
  }
  return "";
}

/** Names a removal that nobody has lifted and that does not hold, if there is one. */
function lost(fleet: Fleet): string {
  const proxy = fleet.proxies[0];
  for (let number: u32 = 0; number < IDS; number++) {
    const answer = proxy.answer(number);
    if (fleet.removedIds[number] && answer != "removed") return "ID " + number.toString() + " is " + answer;
  }
  for (let name = 0; name < NAMES; name++) {
    if (fleet.revoked[name] && proxy.answerOfName(name) != "revoked") return "server name " + name.toString();
    if (fleet.removedKeys[name] && proxy.answerOfKey(name) != "removed") return "ticket key " + name.toString();
  }
  return "";
}

describe("caches that tell each other their records", () => {
  it("answer equally in the end, with clocks that are off by an hour", () => {
    for (let run = FIRST_RUN; run < FIRST_RUN + RUNS; run++) {
      const fleet = new Fleet(run, 3600);
      fleet.run();
      expect(fleet.settle()).toBe(true, "run " + run.toString() + " does not come to rest");
      expect(difference(fleet)).toBe("", "run " + run.toString());
      fleet.free();
    }
  });

  it("answer equally and lose no removal that nobody lifted, if their clocks agree", () => {
    for (let run = FIRST_RUN; run < FIRST_RUN + RUNS; run++) {
      const fleet = new Fleet(run, 0);
      fleet.run();
      expect(fleet.settle()).toBe(true, "run " + run.toString() + " does not come to rest");
      expect(difference(fleet)).toBe("", "run " + run.toString());
      expect(lost(fleet)).toBe("", "run " + run.toString());
      fleet.free();
    }
  });
});
