import { EventCause } from "../../../assembly/session/events/event";
import { Observation } from "../../../assembly/session/observation";
import { Known } from "../../../assembly/session/session";
import { PeerAddress } from "../../../assembly/ports/peer_address";
import { BySource } from "../../../assembly/steering/modes";
import { sourceOf, Steering } from "../../../assembly/steering/steering";
import { TOKENS } from "../../../assembly/steering/tokens";
import { ClientHelloBuilder, ServerHelloBuilder } from "../support/hello_builder";
import { Bytes } from "../support/hello_bytes";
import { Watch } from "../support/hello_watch";
import { Bench, idOf, session, Text } from "../support/sessions";

const UPSTREAMS: Text[] = [
  new Text("10.0.0.1:443"),
  new Text("10.0.0.2:443"),
  new Text("10.0.0.3:443"),
  new Text("10.0.0.4:443"),
];
const SOURCE: u32 = 77;
const SPREAD: i32 = -1;
const UNKNOWN = new Text("10.9.9.9:443");

/** The client of the connection at hand, at an address made of a number, from another port each time. */
class FakeAddress extends PeerAddress {
  source: u32 = SOURCE;
  asked: i32 = 0;

  read(into: usize, capacity: i32): i32 {
    this.asked++;
    const text = new Text(
      "10.1." +
        (this.source >> 8).toString() +
        "." +
        (this.source & 255).toString() +
        ":" +
        (10000 + this.asked).toString(),
    );
    memory.copy(into, text.start, text.length);
    return text.length;
  }
}

/** One machine that steers, behind a balancer whose tokens lead to the upstreams by turns: token 0 to 0, 1 to 1, 4 to 0. */
class Steered {
  readonly steering: Steering;
  readonly address: FakeAddress;
  private readonly observation: Observation;

  constructor(
    readonly bench: Bench = new Bench(),
    bySource: BySource = BySource.Guess,
    /** How many of the tokens were learned. */
    learned: u32 = TOKENS,
    exact: bool = false,
  ) {
    const address = new FakeAddress();
    const steering = new Steering(bench.cache, bench.store, "servers", bySource, exact, address);
    for (let token: u32 = 0; token < learned; token++) {
      const upstream = UPSTREAMS[token % 4];
      steering.tokens.learn(token, upstream.start, upstream.length);
    }
    this.address = address;
    this.steering = steering;
    this.observation = new Observation(bench.cache, address, false);
    bench.cache.readSettings();
  }

  /** Number of the upstream that a hello is steered to, or SPREAD. */
  chosen(hello: Bytes, source: u32 = SOURCE): i32 {
    this.choose(hello, source);
    if (this.steering.namesHost) return this.steering.upstream;
    return this.steering.token < 0 ? SPREAD : this.steering.token % 4;
  }

  choose(hello: Bytes, source: u32 = SOURCE): Steering {
    const seen = new Watch().client(hello).seen;
    this.address.source = source;
    this.steering.choose(seen, this.observation.firstOffer(seen));
    return this.steering;
  }

  /** A connection that came to an upstream, with the answer of that one. */
  visit(hello: Bytes, answer: Bytes, upstream: i32, source: u32 = SOURCE, token: i32 = -1, wanted: i32 = -1): void {
    const watch = new Watch().client(hello).server(answer);
    const address = UPSTREAMS[upstream];
    this.address.source = source;
    if (!this.steering.hasNews(watch.seen, token, address.start, address.length)) return;
    this.steering.answered(watch.seen, token, wanted, address.start, address.length);
  }

  /** The cache has a session from an upstream. */
  hold(number: u32, upstream: Text, timeoutSeconds: u32 = 0): void {
    const made = session(number, timeoutSeconds);
    made.upstream = upstream.start;
    made.upstreamLength = upstream.length;
    made.known |= Known.UPSTREAM;
    this.bench.cache.learn(made);
  }

  learnKey(ticket: Bytes, upstream: i32): void {
    const address = UPSTREAMS[upstream];
    this.bench.cache.ticketKeys.learn(ticket.at, address.start, address.length);
  }
}

function withId(number: u32): Bytes {
  const id = new Bytes();
  const at = idOf(number);
  for (let i: usize = 0; i < 32; i++) id.u8(load<u8>(at + i));
  return new ClientHelloBuilder().sessionId(id).record();
}

function withTicket(ticket: Bytes): Bytes {
  return new ClientHelloBuilder().sessionId(Bytes.counting(32, 7)).ticket(ticket).record();
}

function withPsk(ticket: Bytes): Bytes {
  return new ClientHelloBuilder().versions(Bytes.of("0304")).psk([ticket]).record();
}

function withNothing(): Bytes {
  return new ClientHelloBuilder().versions(Bytes.of("0304 0303")).record();
}

/** A ticket under a key name that is made of a number; `seed` tells tickets of one key apart. */
function ticket(key: i32, seed: u8 = 0): Bytes {
  return new Bytes().append(Bytes.counting(16, <u8>(key * 16))).append(Bytes.counting(120, seed));
}

function declined13(): Bytes {
  return new ServerHelloBuilder().tls13().record();
}

function accepted13(): Bytes {
  return new ServerHelloBuilder().tls13().psk(0).record();
}

describe("where a client comes from", () => {
  it("is not asked for where what it offers tells its issuer", () => {
    const one = new Steered();
    one.hold(1, UPSTREAMS[1]);
    one.learnKey(ticket(1), 2);
    expect(one.chosen(withId(1))).toBe(1);
    expect(one.chosen(withPsk(ticket(1, 3)))).toBe(2);
    one.visit(withPsk(ticket(1, 3)), accepted13(), 2);
    expect(one.address.asked).toBe(0);
  });

  it("is learned from a full handshake, and from a resumption that nothing else leads home", () => {
    const one = new Steered();
    one.visit(withNothing(), declined13(), 2, 5);
    expect(one.chosen(withPsk(Bytes.counting(15)), 5)).toBe(2);
    one.visit(withPsk(Bytes.counting(15)), accepted13(), 3, 6);
    expect(one.chosen(withPsk(Bytes.counting(15, 9)), 6)).toBe(3);
  });
});

describe("a connection that resumes nothing", () => {
  it("takes a token of which nobody knows where it leads, each of them once it is its turn", () => {
    const one = new Steered(new Bench(), BySource.Guess, TOKENS - 1);
    const token = one.choose(withNothing()).token;
    expect(token).toBe(TOKENS - 1);
    one.visit(withNothing(), declined13(), 2, SOURCE, token);
    expect(one.chosen(withNothing())).toBe(SPREAD);
  });

  it("is spread, wherever its source has been, and by a text of its own", () => {
    const one = new Steered();
    one.visit(withNothing(), declined13(), 2);
    expect(one.chosen(withNothing())).toBe(SPREAD);
    const text = one.choose(withNothing()).text;
    expect(one.choose(withNothing()).text).not.toBe(text);
  });
});

describe("a session ID", () => {
  it("leads to the upstream that the cache has with it", () => {
    const one = new Steered();
    for (let upstream: i32 = 0; upstream < 4; upstream++) one.hold(upstream + 1, UPSTREAMS[upstream]);
    for (let upstream: i32 = 0; upstream < 4; upstream++) expect(one.chosen(withId(upstream + 1))).toBe(upstream);
  });

  it("leads there still when it has expired here: the upstream decides", () => {
    const one = new Steered();
    one.hold(1, UPSTREAMS[3], 10);
    one.bench.clock.advance(11);
    expect(one.chosen(withId(1))).toBe(3);
  });

  it("that nobody knows is spread: it may be made up", () => {
    const one = new Steered();
    one.visit(withNothing(), declined13(), 2);
    expect(one.chosen(withId(1))).toBe(SPREAD);
  });

  it("from an upstream that no token leads to is spread", () => {
    const one = new Steered();
    one.hold(1, UNKNOWN);
    expect(one.chosen(withId(1))).toBe(SPREAD);
  });
});

describe("a ticket under a known key name", () => {
  it("leads to the upstream that the name is of, though the ticket was never seen", () => {
    const one = new Steered();
    one.learnKey(ticket(1), 2);
    one.learnKey(ticket(2), 3);
    expect(one.chosen(withTicket(ticket(1, 50)))).toBe(2);
    expect(one.chosen(withPsk(ticket(1, 60)))).toBe(2);
    expect(one.chosen(withTicket(ticket(2, 70)))).toBe(3);
    expect(one.chosen(withPsk(ticket(2, 80)))).toBe(3);
  });

  it("leads where the operator has told", () => {
    const one = new Steered();
    const told = ticket(1);
    one.bench.cache.ticketKeys.tell(told.at, UPSTREAMS[1].start, UPSTREAMS[1].length);
    expect(one.chosen(withPsk(ticket(1, 50)))).toBe(1);
  });

  it("leads there on every machine of the cache", () => {
    const here = new Steered();
    here.learnKey(ticket(1), 2);
    const there = new Steered(here.bench.worker(), BySource.Guess, 0);
    expect(there.chosen(withPsk(ticket(1, 50)))).toBe(2);
  });

  it("is spread where several upstreams share the name, whatever its source", () => {
    const one = new Steered();
    one.learnKey(ticket(1), 2);
    one.learnKey(ticket(1), 3);
    one.visit(withNothing(), declined13(), 1);
    expect(one.chosen(withTicket(ticket(1, 50)))).toBe(SPREAD);
    expect(one.chosen(withPsk(ticket(1, 50)))).toBe(SPREAD);
  });

  it("is not led astray by a decline", () => {
    const one = new Steered(new Bench(), BySource.Never);
    one.learnKey(ticket(1), 2);
    const writes = one.bench.store.writes;
    one.visit(withPsk(ticket(1)), declined13(), 2);
    expect(one.bench.store.writes).toBe(writes, "it is not even noted");
    expect(one.chosen(withPsk(ticket(1, 50)))).toBe(2);
  });
});

describe("a ticket under an unknown key name", () => {
  it("goes first where its source has been last", () => {
    const one = new Steered();
    for (let upstream: i32 = 0; upstream < 4; upstream++) {
      one.visit(withNothing(), declined13(), upstream);
      expect(one.chosen(withPsk(ticket(1)))).toBe(upstream);
      expect(one.chosen(withTicket(ticket(1)))).toBe(upstream);
    }
  });

  it("goes to each upstream once, until one accepts", () => {
    const one = new Steered();
    let tried: u64 = 0;
    for (let source: u32 = 1; source <= 4; source++) {
      const upstream = one.chosen(withPsk(ticket(1, <u8>source)), source);
      expect(upstream).not.toBe(SPREAD);
      expect((tried >> (<u64>upstream)) & 1).toBe(0, "tried again: " + upstream.toString());
      tried |= (<u64>1) << (<u64>upstream);
      one.visit(withPsk(ticket(1, <u8>source)), declined13(), upstream, source);
    }
    expect(tried).toBe(15);
  });

  it("starts over when every upstream has declined, but for the one that declined last", () => {
    const one = new Steered();
    for (let upstream: i32 = 0; upstream < 4; upstream++) one.visit(withPsk(ticket(1)), declined13(), upstream, 5);
    let tried: u64 = 0;
    for (let i = 0; i < 200; i++) tried |= (<u64>1) << (<u64>one.chosen(withPsk(ticket(1)), 6));
    expect(tried).toBe(0b0111);
  });

  it("does not go where its source has been last if that one has declined the name", () => {
    const one = new Steered();
    one.visit(withPsk(ticket(1)), declined13(), 2);
    for (let i = 0; i < 50; i++) expect(one.chosen(withPsk(ticket(1)))).not.toBe(2);
    expect(one.chosen(withPsk(ticket(2)))).toBe(2, "another name");
  });

  it("may go there again five minutes later", () => {
    const one = new Steered();
    one.visit(withPsk(ticket(1)), declined13(), 2);
    one.bench.clock.advance(301);
    expect(one.chosen(withPsk(ticket(1)))).toBe(2);
  });

  it("is not held against an upstream that has accepted", () => {
    const one = new Steered();
    one.visit(withPsk(ticket(1)), accepted13(), 2);
    expect(one.chosen(withPsk(ticket(1)))).toBe(2);
  });

  it("leads home where the cache holds that very ticket", () => {
    const one = new Steered();
    const offered = withPsk(ticket(1));
    const watch = new Watch().client(offered);
    const made = session(1);
    made.id = watch.seen.pskHash(0);
    made.upstream = UPSTREAMS[3].start;
    made.upstreamLength = UPSTREAMS[3].length;
    made.known |= Known.UPSTREAM;
    one.bench.cache.learn(made);
    one.visit(withNothing(), declined13(), 1);
    expect(one.chosen(offered)).toBe(3);
    expect(one.chosen(withPsk(ticket(1, 1)))).toBe(1, "another ticket");
  });
});

describe("a source", () => {
  it("is no guess where that is switched off", () => {
    const one = new Steered(new Bench(), BySource.Never);
    one.visit(withNothing(), declined13(), 2);
    let tried: u64 = 0;
    for (let i = 0; i < 200; i++) tried |= (<u64>1) << (<u64>one.chosen(withPsk(ticket(1))));
    expect(tried).toBe(15);
  });

  it("leads a ticket that is too short for a key name", () => {
    const one = new Steered();
    one.visit(withNothing(), declined13(), 2);
    expect(one.chosen(withTicket(Bytes.counting(15)))).toBe(2);
    expect(one.chosen(withTicket(Bytes.counting(15)), SOURCE + 1)).toBe(SPREAD);
  });

  it("is an address without its port, with the server name", () => {
    const bare = new Watch().client(withNothing()).seen;
    const shop = new Watch().client(new ClientHelloBuilder().sni("shop.example").record()).seen;
    const news = new Watch().client(new ClientHelloBuilder().sni("news.example").record()).seen;
    const here = new Text("192.0.2.1:1000");
    const again = new Text("192.0.2.1:65000");
    const there = new Text("192.0.2.11:1000");
    const six = new Text("[2001:db8::1]:1000");
    const sixAgain = new Text("[2001:db8::1]:1001");
    const sixElse = new Text("[2001:db8::2]:1000");
    const source = sourceOf(here.start, here.length, shop);
    expect(sourceOf(again.start, again.length, shop)).toBe(source);
    expect(sourceOf(there.start, there.length, shop)).not.toBe(source);
    expect(sourceOf(here.start, here.length, news)).not.toBe(source);
    expect(sourceOf(here.start, here.length, bare)).not.toBe(source);
    expect(sourceOf(sixAgain.start, sixAgain.length, bare)).toBe(sourceOf(six.start, six.length, bare));
    expect(sourceOf(sixElse.start, sixElse.length, bare)).not.toBe(sourceOf(six.start, six.length, bare));
  });
});

describe("an answer", () => {
  it("teaches that a token leads elsewhere now", () => {
    const one = new Steered();
    one.visit(withNothing(), declined13(), 3, SOURCE, 0);
    expect(one.steering.tokens.leadingTo(0)).toBe(4);
    expect(one.steering.tokens.leadingTo(3)).toBe(0);
  });

  it("from nobody knows whom teaches nothing", () => {
    const one = new Steered(new Bench(), BySource.Guess, 0);
    const watch = new Watch().client(withPsk(ticket(1))).server(declined13());
    one.steering.answered(watch.seen, 0, -1, UPSTREAMS[0].start, -1);
    expect(one.steering.tokens.upstreams).toBe(0);
    expect(one.bench.store.writes).toBe(new Steered(new Bench(), BySource.Guess, 0).bench.store.writes);
  });
});

describe("what would be refused if it resumed", () => {
  it("is steered away from its issuer: a removed session", () => {
    const one = new Steered();
    for (let upstream: i32 = 0; upstream < 4; upstream++) {
      one.hold(1, UPSTREAMS[upstream]);
      expect(one.chosen(withId(1))).toBe(upstream);
      one.bench.cache.remove(idOf(1), 32, EventCause.API);
      let tried: u64 = 0;
      for (let i = 0; i < 100; i++) tried |= (<u64>1) << (<u64>one.chosen(withId(1)));
      expect(tried).toBe(0b1111 ^ ((<u64>1) << (<u64>upstream)));
      one.bench.cache.put(session(1));
    }
  });

  it("is steered away from its issuer: a ticket under a removed key name, also one never seen", () => {
    const one = new Steered();
    const key = ticket(1);
    one.learnKey(key, 2);
    one.bench.cache.ticketKeys.remove(key.at);
    let tried: u64 = 0;
    for (let i = 0; i < 100; i++) tried |= (<u64>1) << (<u64>one.chosen(withPsk(ticket(1, 50))));
    expect(tried).toBe(0b1011);
    for (let i = 0; i < 20; i++) expect(one.chosen(withTicket(ticket(1, 60)))).not.toBe(2);
  });

  it("is spread where nobody knows whose it is", () => {
    const one = new Steered();
    one.bench.cache.remove(idOf(1), 32, EventCause.API);
    expect(one.chosen(withId(1))).toBe(SPREAD);
    one.visit(withNothing(), declined13(), 2);
    one.bench.cache.ticketKeys.remove(ticket(1).at);
    expect(one.chosen(withPsk(ticket(1)))).toBe(SPREAD, "its source is no guess");
  });
});

describe("a source that everything goes by", () => {
  it("has a text of its own, the same each time, whatever it offers that nobody knows", () => {
    const one = new Steered(new Bench(), BySource.Always);
    const text = one.choose(withNothing()).text;
    expect(one.steering.hashes).toBe(true);
    expect(one.choose(withNothing()).text).toBe(text);
    expect(one.choose(withPsk(ticket(1))).text).toBe(text);
    expect(one.choose(withTicket(Bytes.counting(15))).text).toBe(text);
    expect(one.choose(withNothing(), SOURCE + 1).text).not.toBe(text);
    expect(text > <u64>TOKENS).toBe(true, "it is none of a token");
  });

  it("yields to what is known better", () => {
    const one = new Steered(new Bench(), BySource.Always);
    one.hold(1, UPSTREAMS[3]);
    one.learnKey(ticket(1), 2);
    expect(one.chosen(withId(1))).toBe(3);
    expect(one.chosen(withPsk(ticket(1, 50)))).toBe(2);
  });
});

/** One that names hosts; the upstreams were seen. */
function exact(): Steered {
  const one = new Steered(new Bench(), BySource.Guess, 0, true);
  for (let upstream: i32 = 0; upstream < 4; upstream++) one.visit(withNothing(), declined13(), upstream, 1);
  return one;
}

describe("steering to a named host", () => {
  it("names the issuer, and nothing where there is none", () => {
    const one = exact();
    one.hold(1, UPSTREAMS[3]);
    expect(one.chosen(withId(1))).toBe(3);
    expect(one.chosen(withId(2))).toBe(SPREAD);
    expect(one.chosen(withNothing())).toBe(SPREAD);
    expect(one.steering.hashes).toBe(false);
  });

  it("names only hosts that were seen as upstreams, or that the configuration has", () => {
    const one = exact();
    one.hold(1, UNKNOWN);
    one.bench.cache.ticketKeys.tell(ticket(1).at, UNKNOWN.start, UNKNOWN.length);
    expect(one.chosen(withId(1))).toBe(SPREAD);
    for (let i = 0; i < 50; i++) expect(one.chosen(withPsk(ticket(1, 50))) < 4).toBe(true);
    one.steering.configure(UNKNOWN.start, UNKNOWN.length);
    expect(one.chosen(withId(1))).toBe(4);
    expect(one.chosen(withPsk(ticket(1, 50)))).toBe(4);
  });

  it("does not name a host for a while after another one has answered in its place", () => {
    const one = exact();
    one.hold(1, UPSTREAMS[3]);
    one.visit(withId(1), declined13(), 2, SOURCE, -1, 3);
    expect(one.chosen(withId(1))).toBe(SPREAD);
    one.bench.clock.advance(11);
    expect(one.chosen(withId(1))).toBe(3);
  });

  it("does not name a host for a while after it took a connection and said nothing", () => {
    const one = exact();
    one.hold(1, UPSTREAMS[3]);
    one.steering.silent(3);
    expect(one.chosen(withId(1))).toBe(SPREAD);
  });

  it("does not name a host any more that the balancer no longer chooses, until it does again", () => {
    const one = exact();
    one.hold(1, UPSTREAMS[3]);
    for (let i = 0; i < 600; i++) one.visit(withNothing(), declined13(), i % 3);
    expect(one.chosen(withId(1))).toBe(SPREAD);
    one.bench.clock.advance(100_000);
    expect(one.chosen(withId(1))).toBe(SPREAD);
    one.visit(withNothing(), declined13(), 3);
    expect(one.chosen(withId(1))).toBe(3);
  });

  it("goes on naming a host that is only ever named", () => {
    const one = exact();
    one.hold(1, UPSTREAMS[3]);
    for (let i = 0; i < 600; i++) one.visit(withId(1), declined13(), 3, SOURCE, -1, 3);
    expect(one.chosen(withId(1))).toBe(3);
  });

  it("goes on naming a host that the configuration has", () => {
    const one = exact();
    one.hold(1, UPSTREAMS[3]);
    one.steering.configure(UPSTREAMS[3].start, UPSTREAMS[3].length);
    for (let i = 0; i < 600; i++) one.visit(withNothing(), declined13(), i % 3);
    expect(one.chosen(withId(1))).toBe(3);
  });
});
