import { KeyedHash } from "../../../../assembly/shared/keyed_hash";
import { Holders } from "../../../../assembly/steering/keys/holders";
import { Holding } from "../../../../assembly/steering/keys/holding";
import { HostTokens } from "../../../../assembly/steering/hosts/tokens";
import { FakeStore } from "../../support/fake_store";
import { Text } from "../../support/sessions";

const NOW: u64 = 1_790_000_000;
const NETWORK: u32 = 7;

/** One machine; names are made of numbers. */
class Machine {
  readonly tokens: HostTokens;
  readonly holders: Holders;

  constructor(readonly store: FakeStore = new FakeStore()) {
    const hash = new KeyedHash();
    hash.key0 = 1;
    hash.key1 = 2;
    const tokens = new HostTokens("default", "steering", store);
    this.tokens = tokens;
    this.holders = new Holders("default", "steering", store, hash, tokens);
    for (let number = 0; number < 4; number++) {
      const address = new Text("10.0.0." + number.toString() + ":443");
      this.tokens.learn(-1, address.start, address.length);
    }
    this.tokens.follow();
  }

  accepted(name: u64, upstream: i32): void {
    this.holders.accepted(named(name), upstream, -1, NOW);
    this.tokens.follow();
  }

  declined(name: u64, upstream: i32, network: u32): void {
    this.holders.declined(named(name), upstream, network, NOW);
    this.tokens.follow();
  }

  /** Of a key that is known. */
  holding(name: u64): Holding {
    this.tokens.follow();
    return this.holders.look(named(name))!.holding;
  }

  knows(name: u64): bool {
    this.tokens.follow();
    return this.holders.look(named(name)) != null;
  }
}

function named(name: u64): usize {
  store<u64>(NAME, name);
  return NAME;
}

const NAME: usize = memory.data(16);

/** A store on which another machine learns of the same key just before a write of this one. */
class RivalStore extends FakeStore {
  rival: Machine | null = null;

  otherWriter(): void {
    const rival = this.rival;
    this.rival = null;
    if (rival) rival.accepted(5, 3);
  }
}

describe("the holders of a key", () => {
  it("are those that were seen to hold it", () => {
    const one = new Machine();
    expect(one.knows(5)).toBe(false);
    one.accepted(5, 2);
    expect(one.holding(5).isHeldBy(2)).toBe(true);
    expect(one.holding(5).isHeldBy(1)).toBe(false);
    expect(one.holding(5).holders).toBe(1);
    expect(one.holding(5).firstHolder).toBe(2);
    one.accepted(5, 253);
    one.accepted(5, 0);
    expect(one.holding(5).holders).toBe(3);
    expect(one.holding(5).firstHolder).toBe(0);
    expect(one.knows(6)).toBe(false);
  });

  it("cost no write to see again", () => {
    const one = new Machine();
    one.accepted(5, 2);
    const writes = one.store.writes;
    one.accepted(5, 2);
    expect(one.store.writes).toBe(writes);
  });

  it("cost one read after a change, and none otherwise", () => {
    const one = new Machine();
    one.accepted(5, 2);
    one.holding(5);
    const reads = one.store.reads;
    for (let i = 0; i < 10; i++) one.holders.look(named(5));
    expect(one.store.reads).toBe(reads);
  });

  it("are known to all machines of a cache", () => {
    const here = new Machine();
    const there = new Machine(here.store);
    expect(there.knows(5)).toBe(false);
    here.accepted(5, 2);
    expect(there.holding(5).isHeldBy(2)).toBe(true);
  });

  it("are all kept if two machines learn at the same moment", () => {
    const store = new RivalStore();
    const here = new Machine(store);
    const there = new Machine(store);
    here.accepted(5, 1);
    store.rival = there;
    store.conflictAt(0);
    here.accepted(5, 2);
    expect(here.holding(5).holders).toBe(3);
  });

  it("have a key of their own as long as nobody else holds it", () => {
    const one = new Machine();
    one.accepted(5, 2);
    expect(one.tokens.ownKeyOf(2)).not.toBe(0);
    one.accepted(5, 1);
    one.accepted(5, 0);
    for (let upstream = 0; upstream < 4; upstream++) expect(one.tokens.ownKeyOf(upstream)).toBe(0, upstream.toString());
  });

  it("are given up after a bounded number of tries", () => {
    const one = new Machine();
    one.store.alwaysConflicts = true;
    const writes = one.store.writes;
    one.accepted(5, 2);
    expect(one.store.writes - writes > 1 && one.store.writes - writes <= 8).toBe(true);
  });
});

describe("a decline", () => {
  it("does not count against the only holder, and is not even noted", () => {
    const one = new Machine();
    one.accepted(5, 2);
    const writes = one.store.writes;
    for (let network: u32 = 1; network < 50; network++) one.declined(5, 2, network);
    expect(one.store.writes).toBe(writes);
  });

  it("takes one of several holders out when three networks in turn have met it", () => {
    const one = new Machine();
    one.accepted(5, 1);
    one.accepted(5, 2);
    one.declined(5, 2, NETWORK);
    one.declined(5, 2, NETWORK + 1);
    expect(one.holding(5).isHeldBy(2)).toBe(true);
    one.declined(5, 2, NETWORK + 2);
    expect(one.holding(5).isHeldBy(2)).toBe(false);
    expect(one.holding(5).firstHolder).toBe(1);
    one.accepted(5, 2);
    expect(one.holding(5).holders).toBe(2, "one acceptance undoes it");
    expect(one.holding(5).declinesOf(2)).toBe(0);
  });

  it("counts once for one network", () => {
    const one = new Machine();
    one.accepted(5, 1);
    one.accepted(5, 2);
    for (let i = 0; i < 50; i++) one.declined(5, 2, NETWORK);
    expect(one.holding(5).declinesOf(2)).toBe(1);
    expect(one.holding(5).holders).toBe(2);
  });

  it("begins anew with each acceptance", () => {
    const one = new Machine();
    one.accepted(5, 1);
    one.accepted(5, 2);
    for (let network: u32 = 1; network < 20; network++) {
      one.declined(5, 2, network);
      if (network % 2 == 0) one.accepted(5, 2);
    }
    expect(one.holding(5).isHeldBy(2)).toBe(true);
  });

  it("of a key that nobody is known to hold takes no place", () => {
    const one = new Machine();
    const writes = one.store.writes;
    one.declined(5, 2, NETWORK);
    expect(one.store.writes).toBe(writes);
    expect(one.knows(5)).toBe(false);
  });
});

describe("the places of keys", () => {
  it("are bounded, however many keys there are: those that share a place displace each other", () => {
    const one = new Machine();
    for (let name: u64 = 1; name <= 4000; name++) one.accepted(name * 0x9e3779b97f4a7c15, 2);
    let known = 0;
    for (let name: u64 = 1; name <= 4000; name++) {
      if (one.knows(name * 0x9e3779b97f4a7c15)) known++;
    }
    expect(known > 1000 && known <= 2048).toBe(true, known.toString());
    expect(one.store.bytes <= 320 * 1024).toBe(true, one.store.bytes.toString());
  });
});
