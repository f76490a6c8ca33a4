import { Lookup } from "../../../../assembly/session/cache";
import { Deadline } from "../../../../assembly/work/job";
import { INLINE_NAME, Names, Phase } from "../../../../assembly/shared/names";
import { Known, Session } from "../../../../assembly/session/record/session";
import { Sweeper } from "../../../../assembly/session/jobs/sweeper";
import { Bench, idOf, Text } from "../../support/sessions";

const LONG: usize = memory.data(256);
/** Two workers on one cache, the first of which is elected. */
class Pair {
  readonly first: Bench = new Bench();
  readonly second: Bench = this.first.worker();
  private readonly sweeper: Sweeper = new Sweeper(this.first.cache, this.first.store);
  private readonly deadline: Deadline = new Deadline(this.first.clock);

  /** So many seconds go by, with ten ticks in each. */
  pass(seconds: i32): void {
    for (let i = 0; i < seconds; i++) {
      this.first.clock.advance(1);
      for (let tick = 0; tick < 10; tick++) this.tick();
    }
  }

  tick(): void {
    this.first.cache.tick();
    this.second.cache.tick();
    this.deadline.start(u64.MAX_VALUE >> 1);
    if (this.sweeper.elect()) this.sweeper.work(this.deadline);
  }

  get names(): Names {
    return this.first.cache.names;
  }

  /** Enters names of 255 bytes, beginning with a number, until there is no room for more; answers how many. */
  fill(from: u32): u32 {
    let entered: u32 = 0;
    while (entered < 2000) {
      longName(from + entered);
      let met = 0;
      while (met < 40 && this.names.numberOf(LONG, 255) == INLINE_NAME) met++;
      if (met == 40) break;
      entered++;
    }
    return entered;
  }
}

describe("the table of names, when it is full", () => {
  it("gives the names back that no record uses: 1,100 long ones do not fill it for good", () => {
    const pair = new Pair();
    expect(pair.fill(0) < 1100).toBe(true);
    expect(enters(pair, "late.example")).toBe(false, "there is no room");
    const most = pair.first.store.bytes;
    pair.pass(90);
    expect(pair.names.turn).toBe(1);
    expect(pair.names.phase).toBe(Phase.Idle);
    expect(pair.first.store.bytes < most / 4).toBe(true, "the half is empty");
    expect(enters(pair, "late.example")).toBe(true);
    expect(pair.fill(5000) > 900).toBe(true, "all of the room is there again");
  });

  it("does so again and again, in bounded memory, and each number means the same to all as long as it is used", () => {
    const pair = new Pair();
    let most = 0;
    const shop = "shop.example";
    // The first to be met often: it stands in the table from then on.
    enters(pair, shop);
    put(pair.first, 1, shop);
    for (let round: u32 = 0; round < 5; round++) {
      pair.fill(round * 3000);
      // One that is used, and was entered among those that are not.
      longName(round * 3000 + 500);
      putLong(pair.second, 10 + round);
      const turn = pair.names.turn;
      pair.pass(5);
      if (pair.first.store.bytes > most) most = pair.first.store.bytes;
      for (let second = 0; second < 120; second++) {
        pair.pass(1);
        expect(sniOf(pair.first, 1)).toBe(shop);
        expect(sniOf(pair.second, 1)).toBe(shop);
      }
      expect(pair.names.turn).toBe(turn + 1);
      expect(pair.second.cache.names.turn).toBe(turn + 1);
      for (let used: u32 = 0; used <= round; used++) {
        longName(used * 3000 + 500);
        const name = String.UTF8.decodeUnsafe(LONG, 255);
        expect(sniOf(pair.first, 10 + used)).toBe(name);
        expect(sniOf(pair.second, 10 + used)).toBe(name);
      }
      // A machine that comes later reads the same.
      if (round == 3) expect(sniOf(pair.first.worker(), 1)).toBe(shop);
    }
    expect(most < 600_000).toBe(true, most.toString());
    expect(pair.first.store.bytes < 100_000).toBe(true, "those that are used take little");
  });

  it("keeps what is used where all of it is used, and begins no walk more than once a minute", () => {
    const pair = new Pair();
    let entered: u32 = 0;
    const count = pair.fill(0);
    for (; entered < count; entered++) {
      longName(entered);
      putLong(pair.first, entered);
    }
    pair.pass(200);
    expect(pair.names.turn > 0 && pair.names.turn <= 4).toBe(true);
    for (let i: u32 = 0; i < count; i++) {
      longName(i);
      expect(sniOf(pair.second, i)).toBe(String.UTF8.decodeUnsafe(LONG, 255));
    }
  });

  it("waits with the emptying while a record cannot be moved, and goes on when it can", () => {
    const pair = new Pair();
    enters(pair, "shop.example");
    put(pair.first, 1, "shop.example");
    pair.fill(0);
    pair.pass(12);
    expect(pair.names.phase).toBe(Phase.Moving);
    pair.first.store.alwaysConflicts = true;
    for (let i = 0; i < 400; i++) pair.tick();
    expect(pair.names.phase).toBe(Phase.Moving);
    pair.first.store.alwaysConflicts = false;
    expect(sniOf(pair.second, 1)).toBe("shop.example");
    pair.pass(160);
    expect(pair.names.phase).toBe(Phase.Idle);
    expect(sniOf(pair.second, 1)).toBe("shop.example");
  });

  it("does nothing before every machine has ticked, whatever the clock says", () => {
    const pair = new Pair();
    pair.fill(0);
    pair.pass(7);
    expect(pair.names.phase).toBe(Phase.Moving);
    pair.first.clock.advance(100_000);
    for (let i = 0; i < 25; i++) pair.tick();
    expect(pair.names.phase).toBe(Phase.Moving);
    for (let i = 0; i < 200; i++) pair.tick();
    expect(pair.names.phase).toBe(Phase.Idle);
  });
});

/** Whether a name has come into the table, once it was met often. */
function enters(pair: Pair, name: string): bool {
  const text = new Text(name);
  for (let met = 0; met < 40; met++) {
    if (pair.names.numberOf(text.start, text.length) != INLINE_NAME) return true;
  }
  return false;
}

function put(bench: Bench, number: u32, sni: string): void {
  const text = new Text(sni);
  putSni(bench, number, text.start, text.length);
}

function putLong(bench: Bench, number: u32): void {
  putSni(bench, number, LONG, 255);
}

function putSni(bench: Bench, number: u32, sni: usize, length: i32): void {
  const session = new Session();
  session.id = idOf(number);
  session.idLength = 32;
  session.sni = sni;
  session.sniLength = length;
  session.timeoutSeconds = 100_000_000;
  session.known = Known.SNI | Known.TIMEOUT;
  expect(bench.cache.put(session)).toBe(0);
}

function sniOf(bench: Bench, number: u32): string {
  const found = bench.cache.found;
  if (bench.cache.peek(idOf(number), 32) != Lookup.Found || !found.knows(Known.SNI)) return "";
  return String.UTF8.decode(copyOf(found.sni, found.sniLength));
}

function copyOf(bytes: usize, length: i32): ArrayBuffer {
  const copy = new ArrayBuffer(length);
  memory.copy(changetype<usize>(copy), bytes, length);
  return copy;
}

/** Puts a name of 255 bytes that is made of a number to LONG. */
function longName(number: u32): void {
  memory.fill(LONG, 0x61, 255);
  let rest = number;
  for (let i = 254; i > 240; i--) {
    store<u8>(LONG + i, <u8>(0x30 + (rest % 10)));
    rest /= 10;
  }
}
