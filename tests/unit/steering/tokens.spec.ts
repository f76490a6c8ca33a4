import { Tokens, TOKENS } from "../../../assembly/steering/tokens";
import { FakeStore } from "../support/fake_store";
import { Text } from "../support/sessions";

const ALPHA = new Text("10.0.0.1:443");
const BETA = new Text("10.0.0.2:443");

function learn(tokens: Tokens, token: i32, upstream: Text): i32 {
  return tokens.learn(token, upstream.start, upstream.length);
}

function numberOf(tokens: Tokens, upstream: Text): i32 {
  return tokens.numberOf(upstream.start, upstream.length);
}

function address(number: i32): Text {
  return new Text("10.1." + (number >> 8).toString() + "." + (number & 0xff).toString() + ":443");
}

/** A store on which another machine learns something just before a write of this one. */
class RivalStore extends FakeStore {
  rival: Tokens | null = null;

  otherWriter(): void {
    const rival = this.rival;
    if (rival) learn(rival, 9, BETA);
  }
}

describe("tokens of which nothing is known", () => {
  it("lead nowhere, and every one may be tried", () => {
    const tokens = new Tokens("default", new FakeStore());
    expect(tokens.upstreams).toBe(0);
    expect(numberOf(tokens, ALPHA)).toBe(-1);
    expect(tokens.leadingTo(0, 0)).toBe(-1);
    expect(tokens.reaches(0)).toBe(false);
    expect(tokens.unknown(5)).toBe(5);
    expect(tokens.unknown(TOKENS + 5)).toBe(5);
  });
});

describe("a token that was seen to lead to an upstream", () => {
  it("is the one to reach that upstream, wherever the search begins", () => {
    const tokens = new Tokens("default", new FakeStore());
    expect(learn(tokens, 7, ALPHA)).toBe(0);
    expect(numberOf(tokens, ALPHA)).toBe(0);
    expect(tokens.leadingTo(0, 0)).toBe(7);
    expect(tokens.leadingTo(0, 8)).toBe(7);
    expect(tokens.leadingTo(0, 0xffffffff)).toBe(7);
    expect(tokens.reaches(0)).toBe(true);
    expect(tokens.unknown(7)).toBe(8);
  });

  it("takes turns with others that lead there", () => {
    const tokens = new Tokens("default", new FakeStore());
    learn(tokens, 3, ALPHA);
    learn(tokens, 200, ALPHA);
    learn(tokens, 100, BETA);
    expect(tokens.leadingTo(0, 4)).toBe(200);
    expect(tokens.leadingTo(0, 201)).toBe(3);
    expect(tokens.leadingTo(1, 101)).toBe(100);
  });

  it("leads to the other upstream once it was seen to", () => {
    const tokens = new Tokens("default", new FakeStore());
    learn(tokens, 7, ALPHA);
    expect(learn(tokens, 7, BETA)).toBe(1);
    expect(tokens.leadingTo(1, 0)).toBe(7);
    expect(tokens.leadingTo(0, 0)).toBe(-1);
    expect(tokens.reaches(0)).toBe(false);
    expect(numberOf(tokens, ALPHA)).toBe(0, "its number stays");
  });

  it("costs no write to see again", () => {
    const store = new FakeStore();
    const tokens = new Tokens("default", store);
    learn(tokens, 7, ALPHA);
    const writes = store.writes;
    expect(learn(tokens, 7, ALPHA)).toBe(0);
    expect(learn(tokens, -1, ALPHA)).toBe(0);
    expect(store.writes).toBe(writes);
  });

  it("is not any more unknown once all are learned", () => {
    const tokens = new Tokens("default", new FakeStore());
    for (let token: i32 = 0; token < <i32>TOKENS; token++) learn(tokens, token, ALPHA);
    expect(tokens.unknown(0)).toBe(-1);
  });
});

describe("an upstream", () => {
  it("has a number, though it was reached without a token", () => {
    const tokens = new Tokens("default", new FakeStore());
    expect(learn(tokens, -1, ALPHA)).toBe(0);
    expect(learn(tokens, -1, BETA)).toBe(1);
    expect(tokens.upstreams).toBe(2);
    expect(tokens.reaches(0)).toBe(false);
  });

  it("is told from one whose address begins alike", () => {
    const tokens = new Tokens("default", new FakeStore());
    learn(tokens, 1, new Text("10.0.0.1:4430"));
    expect(numberOf(tokens, ALPHA)).toBe(-1);
    expect(learn(tokens, 2, ALPHA)).toBe(1);
  });

  it("is not learned where its address is unknown or too long", () => {
    const store = new FakeStore();
    const tokens = new Tokens("default", store);
    expect(tokens.learn(1, ALPHA.start, 0)).toBe(-1);
    expect(tokens.learn(1, ALPHA.start, -1)).toBe(-1);
    const longest = new Text("a".repeat(63));
    const tooLong = new Text("a".repeat(64));
    expect(learn(tokens, 1, tooLong)).toBe(-1);
    expect(store.writes).toBe(0);
    expect(learn(tokens, 1, longest)).toBe(0);
    expect(numberOf(tokens, longest)).toBe(0);
  });

  it("gets the number of one that no token leads to, where all numbers are taken", () => {
    const tokens = new Tokens("default", new FakeStore());
    for (let number = 0; number < 254; number++) expect(learn(tokens, number, address(number))).toBe(number);
    expect(learn(tokens, 254, address(254))).toBe(-1, "every number is in use");
    expect(tokens.unknown(0)).toBe(254, "and the token is as unknown as before");
    learn(tokens, 3, address(5));
    expect(learn(tokens, 254, address(254))).toBe(3);
    expect(tokens.leadingTo(3, 0)).toBe(254);
    expect(numberOf(tokens, address(3))).toBe(-1);
    expect(numberOf(tokens, address(253))).toBe(253);
  });
});

describe("machines of one cache", () => {
  it("share what they have learned, from the next refresh on", () => {
    const store = new FakeStore();
    const here = new Tokens("default", store);
    const there = new Tokens("default", store);
    expect(there.refresh()).toBe(false, "nothing was learned yet");
    learn(here, 7, ALPHA);
    expect(there.leadingTo(0, 0)).toBe(-1);
    expect(there.refresh()).toBe(true);
    expect(there.leadingTo(0, 0)).toBe(7);
    const elsewhere = new Tokens("other", store);
    expect(elsewhere.refresh()).toBe(false);
  });

  it("lose nothing of what others learned since they looked", () => {
    const store = new FakeStore();
    const here = new Tokens("default", store);
    const there = new Tokens("default", store);
    expect(learn(here, 7, ALPHA)).toBe(0);
    expect(learn(there, 9, BETA)).toBe(1);
    here.refresh();
    expect(here.leadingTo(0, 0)).toBe(7);
    expect(here.leadingTo(1, 0)).toBe(9);
  });

  it("lose nothing where two learn at the same moment", () => {
    for (let known = 0; known < 2; known++) {
      const store = new RivalStore();
      const here = new Tokens("default", store);
      store.rival = new Tokens("default", store);
      if (known == 1) learn(here, 1, ALPHA);
      store.conflictAt(0);
      expect(learn(here, 7, ALPHA)).toBe(known == 1 ? 0 : 1, "numbers go by who came first");
      here.refresh();
      expect(here.leadingTo(numberOf(here, ALPHA), 2)).toBe(7);
      expect(here.leadingTo(numberOf(here, BETA), 0)).toBe(9);
    }
  });

  it("give up after a bounded number of tries", () => {
    const store = new FakeStore();
    const tokens = new Tokens("default", store);
    store.alwaysConflicts = true;
    learn(tokens, 7, ALPHA);
    expect(store.writes > 1 && store.writes <= 16).toBe(true, store.writes.toString());
  });
});
