import { HashEffect } from "../../../../assembly/steering/setup/hash_effect";
import { HostTokens } from "../../../../assembly/steering/hosts/tokens";
import { FakeStore } from "../../support/fake_store";
import { Text } from "../../support/sessions";

const RUNS: i32 = 5;
let state: u32 = 1;

function random(limit: i32): i32 {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return <i32>(state % <u32>limit);
}

function addressOf(upstream: i32): Text {
  return new Text("10.0.0." + upstream.toString() + ":443");
}

/** Envoy, with so many upstreams, some of them down; and the filter, which feeds what it sees as `UpstreamChoice` does. */
class Traffic {
  readonly effect: HashEffect = new HashEffect();
  readonly tokens: HostTokens = new HostTokens("default", "steering", new FakeStore());
  /** One upstream that is down, -1 for none. */
  down: i32 = -1;
  /** Of a hundred connections, so many go elsewhere than the hash says. */
  strays: i32 = 0;
  uses: i32 = 0;
  private milliseconds: u32 = 1_000_000;

  constructor(
    readonly upstreams: i32,
    public hashes: bool,
    readonly perSecond: i32,
  ) {}

  private ledBy(token: i32): i32 {
    if (!this.hashes || random(100) < this.strays) return this.up(random(this.upstreams));
    return this.up(<i32>((<u32>token * 0x9e3779b1) >> 16) % this.upstreams);
  }

  private up(upstream: i32): i32 {
    return upstream == this.down ? (upstream + 1) % this.upstreams : upstream;
  }

  /** So many connections, of which `resuming` of ten want to go to some upstream. */
  run(count: i32, resuming: i32): void {
    for (let i = 0; i < count; i++) {
      this.milliseconds += 1000 / this.perSecond;
      this.uses++;
      if (!this.effect.works) {
        const token = this.effect.takeNextTried();
        this.effect.tried(token, <u32>this.ledBy(token) * 0x9e3779b1 + 7);
        continue;
      }
      let token = random(10) < resuming ? this.tokens.leadingTo(random(this.upstreams)) : -1;
      if (token < 0) token = this.tokens.unexplored(<u32>random(256));
      if (token >= 0) this.use(token);
    }
  }

  /** Whether connections are found to be led nowhere within so many. */
  failsWithin(most: i32, resuming: i32): bool {
    for (let i = 0; i < most && this.effect.works; i++) this.run(1, resuming);
    return !this.effect.works;
  }

  private use(token: i32): void {
    const address = addressOf(this.ledBy(token));
    const known = this.tokens.leads(token);
    const number = this.tokens.numberOf(address.start, address.length);
    if (known >= 0 && known == number) this.effect.agreed(token, this.tokens.upstreams);
    else if (known >= 0) this.effect.contradicted(token, this.milliseconds / 1000);
    this.tokens.learn(token, address.start, address.length);
  }
}

describe("a hash that has no effect", () => {
  it("is found out, between any number of upstreams, by whatever connections", () => {
    const upstreams: i32[] = [2, 3, 4, 8, 40];
    const resuming: i32[] = [2, 5, 9];
    for (let i = 0; i < upstreams.length; i++) {
      for (let j = 0; j < resuming.length; j++) {
        for (let run = 0; run < RUNS; run++) {
          expect(new Traffic(upstreams[i], false, 20).failsWithin(600, resuming[j])).toBe(true);
        }
      }
    }
  });

  it("is found out with one connection in a second, too", () => {
    for (let run = 0; run < RUNS; run++) expect(new Traffic(4, false, 1).failsWithin(2000, 5)).toBe(true);
  });

  it("is found to have one, when it has", () => {
    for (let run = 0; run < RUNS; run++) {
      const traffic = new Traffic(4, false, 20);
      expect(traffic.failsWithin(1000, 5)).toBe(true);
      traffic.hashes = true;
      traffic.run(40, 5);
      expect(traffic.effect.works).toBe(true);
      traffic.run(500, 5);
      expect(traffic.effect.works).toBe(true);
      expect(traffic.effect.isProven).toBe(true);
    }
  });

  it("is not taken for one that has", () => {
    for (let run = 0; run < RUNS; run++) {
      const traffic = new Traffic(2, false, 20);
      expect(traffic.failsWithin(1000, 5)).toBe(true);
      traffic.run(500, 5);
      expect(traffic.effect.works).toBe(false);
    }
  });
});

describe("a hash that has an effect", () => {
  it("is proven by a few agreements, but not with a single upstream", () => {
    const traffic = new Traffic(4, true, 20);
    expect(traffic.effect.isProven).toBe(false);
    traffic.run(200, 5);
    expect(traffic.effect.isProven).toBe(true);
    const single = new Traffic(1, true, 20);
    single.run(200, 9);
    expect(single.effect.isProven).toBe(false);
    expect(single.effect.works).toBe(true);
  });

  it("is not doubted when hosts go and come back, one after the other, at any rate", () => {
    const perSecond: i32[] = [1, 5, 20, 100, 500];
    for (let i = 0; i < perSecond.length; i++) {
      for (let run = 0; run < RUNS; run++) {
        const traffic = new Traffic(4, true, perSecond[i]);
        traffic.run(300, 5);
        for (let upstream = 0; upstream < 4; upstream++) {
          traffic.down = upstream;
          traffic.run(5 * perSecond[i], 5);
          traffic.down = -1;
          traffic.run(10 * perSecond[i], 5);
        }
        expect(traffic.effect.works).toBe(true);
      }
    }
  });

  it("is not doubted where one connection in ten is moved, as bounded load does", () => {
    for (let run = 0; run < RUNS; run++) {
      const traffic = new Traffic(4, true, 50);
      traffic.strays = 10;
      traffic.run(3000, 7);
      expect(traffic.effect.works).toBe(true);
    }
  });
});
