import { HostTokens } from "../../../../assembly/steering/hosts/tokens";
import { TOKENS } from "../../../../assembly/steering/hosts/upstream_table";
import { FOREVER } from "../../../../assembly/steering/hosts/upstream";
import { FakeStore } from "../../support/fake_store";
import { Text } from "../../support/sessions";

const ALPHA = new Text("10.0.0.1:443");
const BETA = new Text("10.0.0.2:443");

function learn(tokens: HostTokens, token: i32, upstream: Text): i32 {
  return tokens.learn(token, upstream.start, upstream.length);
}

function numberOf(tokens: HostTokens, upstream: Text): i32 {
  return tokens.numberOf(upstream.start, upstream.length);
}

function address(number: i32): Text {
  return new Text("10.1." + (number >> 8).toString() + "." + (number & 0xff).toString() + ":443");
}

/** A store on which another machine learns something just before a write of this one. */
class RivalStore extends FakeStore {
  rival: HostTokens | null = null;

  otherWriter(): void {
    const rival = this.rival;
    if (rival) learn(rival, 9, BETA);
  }
}

describe("tokens of which nothing is known", () => {
  it("lead nowhere, and every one may be tried", () => {
    const tokens = new HostTokens("default", "steering", new FakeStore());
    expect(tokens.upstreams).toBe(0);
    expect(numberOf(tokens, ALPHA)).toBe(-1);
    expect(tokens.leadingTo(0)).toBe(-1);
    expect(tokens.reaches(0)).toBe(false);
    expect(tokens.unexplored(5)).toBe(5);
    expect(tokens.unexplored(TOKENS + 5)).toBe(5);
  });
});

describe("a token that was seen to lead to an upstream", () => {
  it("is the one to reach that upstream", () => {
    const tokens = new HostTokens("default", "steering", new FakeStore());
    expect(learn(tokens, 7, ALPHA)).toBe(0);
    expect(numberOf(tokens, ALPHA)).toBe(0);
    expect(tokens.leadingTo(0)).toBe(7);
    expect(tokens.reaches(0)).toBe(true);
    expect(tokens.unexplored(7)).toBe(8);
  });

  it("is taken rather than others that lead there, so that one client finds out for all when it moves", () => {
    const tokens = new HostTokens("default", "steering", new FakeStore());
    learn(tokens, 200, ALPHA);
    learn(tokens, 3, ALPHA);
    learn(tokens, 100, BETA);
    expect(tokens.leadingTo(0)).toBe(3);
    expect(tokens.leadingTo(1)).toBe(100);
  });

  it("leads to the other upstream once it was seen to", () => {
    const tokens = new HostTokens("default", "steering", new FakeStore());
    learn(tokens, 7, ALPHA);
    expect(learn(tokens, 7, BETA)).toBe(1);
    expect(tokens.leadingTo(1)).toBe(7);
    expect(tokens.leadingTo(0)).toBe(-1);
    expect(tokens.reaches(0)).toBe(false);
    expect(numberOf(tokens, ALPHA)).toBe(0, "its number stays");
  });

  it("is no longer trusted once another one was found to have moved, but better than none", () => {
    const tokens = new HostTokens("default", "steering", new FakeStore());
    for (let token = 0; token < <i32>TOKENS; token++) learn(tokens, token, token % 2 == 0 ? ALPHA : BETA);
    expect(tokens.unexplored(0)).toBe(-1);
    learn(tokens, 1, ALPHA);
    expect(tokens.leadingTo(0)).toBe(1, "seen since");
    expect(tokens.leadingTo(1)).toBe(3, "not seen since");
    expect(tokens.unexplored(0)).toBe(0);
    learn(tokens, 9, BETA);
    expect(tokens.leadingTo(1)).toBe(9, "seen since");
    learn(tokens, 4, BETA);
    expect(tokens.leadingTo(0)).toBe(1, "the same change, found out later");
    learn(tokens, 9, ALPHA);
    expect(tokens.leadingTo(0)).toBe(9, "another change");
    expect(tokens.leadingTo(1)).toBe(3);
  });

  it("costs no write to see again", () => {
    const store = new FakeStore();
    const tokens = new HostTokens("default", "steering", store);
    learn(tokens, 7, ALPHA);
    const writes = store.writes;
    expect(learn(tokens, 7, ALPHA)).toBe(0);
    expect(learn(tokens, -1, ALPHA)).toBe(0);
    expect(store.writes).toBe(writes);
  });

  it("is not any more unknown once all are learned", () => {
    const tokens = new HostTokens("default", "steering", new FakeStore());
    for (let token: i32 = 0; token < <i32>TOKENS; token++) learn(tokens, token, ALPHA);
    expect(tokens.unexplored(0)).toBe(-1);
  });
});

describe("an upstream", () => {
  it("has a number, though it was reached without a token", () => {
    const tokens = new HostTokens("default", "steering", new FakeStore());
    expect(learn(tokens, -1, ALPHA)).toBe(0);
    expect(learn(tokens, -1, BETA)).toBe(1);
    expect(tokens.upstreams).toBe(2);
    expect(tokens.reaches(0)).toBe(false);
  });

  it("is told from one whose address begins alike", () => {
    const tokens = new HostTokens("default", "steering", new FakeStore());
    learn(tokens, 1, new Text("10.0.0.1:4430"));
    expect(numberOf(tokens, ALPHA)).toBe(-1);
    expect(learn(tokens, 2, ALPHA)).toBe(1);
  });

  it("is not learned where its address is unknown or too long", () => {
    const store = new FakeStore();
    const tokens = new HostTokens("default", "steering", store);
    expect(tokens.learn(1, ALPHA.start, 0)).toBe(-1);
    expect(tokens.learn(1, ALPHA.start, -1)).toBe(-1);
    const longest = new Text("a".repeat(60));
    const tooLong = new Text("a".repeat(61));
    expect(learn(tokens, 1, tooLong)).toBe(-1);
    expect(store.writes).toBe(0);
    expect(learn(tokens, 1, longest)).toBe(0);
    expect(numberOf(tokens, longest)).toBe(0);
  });

  it("gets the number of one that no token leads to, where all numbers are taken", () => {
    const tokens = new HostTokens("default", "steering", new FakeStore());
    for (let number = 0; number < 254; number++) expect(learn(tokens, number, address(number))).toBe(number);
    expect(learn(tokens, 254, address(254))).toBe(-1, "every number is in use");
    expect(tokens.unexplored(0)).toBe(254, "and the token is as unknown as before");
    learn(tokens, 3, address(5));
    expect(learn(tokens, 254, address(254))).toBe(3);
    expect(tokens.leadingTo(3)).toBe(254);
    expect(numberOf(tokens, address(3))).toBe(-1);
    expect(numberOf(tokens, address(253))).toBe(253);
  });
});

describe("an upstream to be avoided", () => {
  it("is avoided up to that second, by all machines", () => {
    const store = new FakeStore();
    const here = new HostTokens("default", "steering", store);
    const there = new HostTokens("default", "steering", store);
    learn(here, -1, ALPHA);
    learn(here, -1, BETA);
    expect(here.isAvoided(1, 100)).toBe(false);
    here.avoid(1, 110);
    there.follow();
    expect(there.isAvoided(1, 110)).toBe(true);
    expect(there.isAvoided(1, 111)).toBe(false);
    expect(there.isAvoided(0, 110)).toBe(false);
    there.avoid(1, 0);
    here.follow();
    expect(here.isAvoided(1, 100)).toBe(false);
  });

  it("gives its number away where it is avoided for ever and all numbers are taken", () => {
    const tokens = new HostTokens("default", "steering", new FakeStore());
    for (let number = 0; number < 254; number++) expect(learn(tokens, -1, address(number))).toBe(number);
    expect(learn(tokens, -1, address(254))).toBe(-1);
    tokens.avoid(7, FOREVER);
    expect(learn(tokens, -1, address(254))).toBe(7);
    expect(tokens.isAvoided(7, 1)).toBe(false);
  });

  it("has to be known", () => {
    const store = new FakeStore();
    const tokens = new HostTokens("default", "steering", store);
    tokens.avoid(0, 110);
    learn(tokens, -1, ALPHA);
    const writes = store.writes;
    tokens.avoid(1, 110);
    tokens.avoid(-1, 110);
    expect(store.writes).toBe(writes);
  });
});

describe("machines of one cache", () => {
  it("share what they have learned, from the next look on", () => {
    const store = new FakeStore();
    const here = new HostTokens("default", "steering", store);
    const there = new HostTokens("default", "steering", store);
    there.follow();
    expect(there.upstreams).toBe(0, "nothing was learned yet");
    learn(here, 7, ALPHA);
    expect(there.leadingTo(0)).toBe(-1);
    there.follow();
    expect(there.leadingTo(0)).toBe(7);
    const elsewhere = new HostTokens("other", "steering", store);
    elsewhere.follow();
    expect(elsewhere.upstreams).toBe(0);
    const otherCluster = new HostTokens("default", "steering/other", store);
    otherCluster.follow();
    expect(otherCluster.upstreams).toBe(0);
  });

  it("lose nothing of what others learned since they looked", () => {
    const store = new FakeStore();
    const here = new HostTokens("default", "steering", store);
    const there = new HostTokens("default", "steering", store);
    expect(learn(here, 7, ALPHA)).toBe(0);
    expect(learn(there, 9, BETA)).toBe(1);
    here.follow();
    expect(here.leadingTo(0)).toBe(7);
    expect(here.leadingTo(1)).toBe(9);
  });

  it("lose nothing where two learn at the same moment", () => {
    for (let known = 0; known < 2; known++) {
      const store = new RivalStore();
      const here = new HostTokens("default", "steering", store);
      store.rival = new HostTokens("default", "steering", store);
      if (known == 1) learn(here, 1, ALPHA);
      store.conflictAt(0);
      expect(learn(here, 7, ALPHA)).toBe(known == 1 ? 0 : 1, "numbers go by who came first");
      here.follow();
      expect(here.leadingTo(numberOf(here, ALPHA))).toBe(known == 1 ? 1 : 7);
      expect(here.unexplored(7)).toBe(8);
      expect(here.leadingTo(numberOf(here, BETA))).toBe(9);
    }
  });

  it("give up after a bounded number of tries", () => {
    const store = new FakeStore();
    const tokens = new HostTokens("default", "steering", store);
    store.alwaysConflicts = true;
    learn(tokens, 7, ALPHA);
    expect(store.writes > 1 && store.writes <= 16).toBe(true, store.writes.toString());
  });
});
