import { EventCause } from "../../../assembly/session/record/event_cause";
import { AcceptedHandle } from "../../../assembly/resumption/accepted_handle";
import { Observation } from "../../../assembly/resumption/observation";
import { Known } from "../../../assembly/session/record/session";
import { PeerAddress } from "../../../assembly/ports/peer_address";
import { BySource } from "../../../assembly/steering/setup/modes";
import { Steering } from "../../../assembly/steering/steering";
import { TOKENS } from "../../../assembly/steering/hosts/upstream_table";
import { Accepted } from "../../../assembly/tls/handshake";
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
    this.steering.choose(seen, this.observation.describeFirst(seen));
    return this.steering;
  }

  /** A connection that came to an upstream, with the answer of that one. */
  visit(hello: Bytes, answer: Bytes, upstream: i32, source: u32 = SOURCE, token: i32 = -1, wanted: i32 = -1): void {
    const watch = new Watch().client(hello).server(answer);
    const address = UPSTREAMS[upstream];
    this.address.source = source;
    const handle = watch.seen.acceptedKind == Accepted.Psk ? AcceptedHandle.Psk : AcceptedHandle.Untold;
    const number = this.steering.tokens.numberOf(address.start, address.length);
    if (!this.steering.learning.hasNews(watch.seen, handle, token, number)) return;
    this.steering.learning.answered(watch.seen, handle, token, wanted, address.start, address.length);
  }

  /** An upstream that was named says nothing to a client. */
  silent(upstream: i32, source: u32): void {
    this.address.source = source;
    this.steering.learning.silent(upstream);
  }

  /** An upstream has accepted a ticket under a key, and is the only one so far. */
  own(key: i32, upstream: i32): void {
    this.learnKey(ticket(key), upstream);
    this.visit(withPsk(ticket(key)), accepted13(), upstream);
  }

  /** A client resumes under a key: `holders` has a bit for each upstream that accepts. Answers where it was sent. */
  resume(key: i32, holders: u32, source: u32 = SOURCE): i32 {
    const offered = withPsk(ticket(key, <u8>source));
    this.choose(offered, source);
    const upstream = this.steering.upstream;
    const answered = upstream >= 0 ? upstream : <i32>(source & 3);
    const accepts = ((holders >> (<u32>answered)) & 1) != 0;
    if (accepts) this.learnKey(ticket(key), answered);
    const token = this.steering.token;
    const wanted = this.steering.namesHost ? upstream : -1;
    this.visit(offered, accepts ? accepted13() : declined13(), answered, source, token, wanted);
    return upstream;
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

/** Counts one more at an index, which is evaluated once. */
function count(counts: StaticArray<i32>, index: i32): void {
  counts[index] += 1;
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

  it("is spread, wherever its source has been, and by no text: Envoy's hash chooses at random", () => {
    const one = new Steered();
    one.visit(withNothing(), declined13(), 2);
    expect(one.chosen(withNothing())).toBe(SPREAD);
    expect(one.steering.hashes).toBe(false);
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
    one.bench.cache.ticketKeys.configure(told.at, UPSTREAMS[1].start, UPSTREAMS[1].length);
    expect(one.chosen(withPsk(ticket(1, 50)))).toBe(1);
  });

  it("leads there on every machine of the cache", () => {
    const here = new Steered();
    here.learnKey(ticket(1), 2);
    const there = new Steered(here.bench.worker(), BySource.Guess, 0);
    expect(there.chosen(withPsk(ticket(1, 50)))).toBe(2);
  });

  it("is shared out evenly if several upstreams were seen to use the name, whatever its source", () => {
    const one = new Steered();
    one.learnKey(ticket(1), 2);
    one.learnKey(ticket(1), 3);
    one.visit(withNothing(), declined13(), 1);
    const counts = new StaticArray<i32>(4);
    for (let i = 0; i < 40; i++) {
      count(counts, one.chosen(withTicket(ticket(1, 50))));
      count(counts, one.chosen(withPsk(ticket(1, 50))));
    }
    for (let upstream = 0; upstream < 4; upstream++) {
      expect(counts[upstream]).toBe(20);
    }
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

  it("goes mostly where nobody has declined it, until one accepts", () => {
    let again = 0;
    for (let key: i32 = 0; key < 16; key++) {
      const one = new Steered();
      let tried: u64 = 0;
      for (let source: u32 = 1; source <= 4; source++) {
        const offered = withPsk(ticket(key, <u8>source));
        const upstream = one.chosen(offered, source);
        expect(upstream).not.toBe(SPREAD);
        if (((tried >> (<u64>upstream)) & 1) != 0) again++;
        tried |= (<u64>1) << (<u64>upstream);
        one.visit(offered, declined13(), upstream, source);
        one.bench.clock.advance(1);
      }
    }
    expect(again < 16).toBe(true, again.toString() + " of 48 could be tried again");
  });

  it("now and then goes anywhere, so that no declines keep it from its holder", () => {
    const one = new Steered();
    one.visit(withPsk(ticket(1)), declined13(), 2, 5);
    let there = 0;
    for (let i = 0; i < 400; i++) {
      if (one.chosen(withPsk(ticket(1)), 6) == 2) there++;
    }
    expect(there >= 10 && there <= 60).toBe(true, there.toString() + " of 400");
  });

  it("starts over when every upstream has declined, but for the one that declined last", () => {
    const one = new Steered();
    for (let upstream: i32 = 0; upstream < 4; upstream++) one.visit(withPsk(ticket(1)), declined13(), upstream, 5);
    const counts = new StaticArray<i32>(4);
    for (let i = 0; i < 400; i++) count(counts, one.chosen(withPsk(ticket(1)), 6));
    for (let upstream = 0; upstream < 3; upstream++)
      expect(counts[upstream] > 60).toBe(true, counts[upstream].toString());
    expect(counts[3] < 60).toBe(true, counts[3].toString());
  });

  it("goes to one that has shown no key of its own rather than to one that has", () => {
    const one = new Steered();
    for (let upstream: i32 = 0; upstream < 3; upstream++) one.own(upstream + 1, upstream);
    let there = 0;
    for (let i = 0; i < 200; i++) {
      if (one.chosen(withPsk(ticket(9)), 6) == 3) there++;
    }
    expect(there > 120).toBe(true, there.toString() + " of 200");
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
    made.id = watch.seen.offers.pskHash(0);
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
    one.steering.learning.answered(watch.seen, AcceptedHandle.Untold, 0, -1, UPSTREAMS[0].start, -1);
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
      expect(one.steering.diversion).toBe(0);
      one.bench.cache.remove(idOf(1), 32, EventCause.API);
      let tried: u64 = 0;
      for (let i = 0; i < 100; i++) tried |= (<u64>1) << (<u64>one.chosen(withId(1)));
      expect(tried).toBe(0b1111 ^ ((<u64>1) << (<u64>upstream)));
      expect(one.steering.diversion).toBe(EventCause.SESSION);
      expect(one.steering.avoided).toBe(upstream);
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
    expect(one.steering.diversion).toBe(0);
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
    one.bench.cache.ticketKeys.configure(ticket(1).at, UNKNOWN.start, UNKNOWN.length);
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

  it("does not name a host that took a connection and said nothing to clients of that network, for a while", () => {
    const one = exact();
    one.hold(1, UPSTREAMS[3]);
    one.silent(3, SOURCE);
    expect(one.chosen(withId(1))).toBe(SPREAD);
    expect(one.chosen(withId(1), SOURCE + 1)).toBe(3, "nobody else minds");
    one.bench.clock.advance(11);
    expect(one.chosen(withId(1))).toBe(3);
  });

  it("does not name a host to anybody that has said nothing to three networks", () => {
    const one = exact();
    one.hold(1, UPSTREAMS[3]);
    for (let i = 0; i < 9; i++) one.silent(3, SOURCE);
    one.silent(3, SOURCE + 1);
    expect(one.chosen(withId(1), 5)).toBe(3);
    one.silent(3, SOURCE + 2);
    expect(one.chosen(withId(1), 5)).toBe(SPREAD);
    one.visit(withNothing(), declined13(), 3, 6);
    expect(one.chosen(withId(1), 5)).toBe(3, "it has answered");
  });

  it("names a host again as soon as it has answered anybody", () => {
    const one = exact();
    one.hold(1, UPSTREAMS[3]);
    one.visit(withId(1), declined13(), 2, SOURCE, -1, 3);
    expect(one.chosen(withId(1))).toBe(SPREAD);
    one.visit(withNothing(), declined13(), 3);
    expect(one.chosen(withId(1))).toBe(3);
  });

  it("leaves a host alone for longer each time that it fails again, up to four seconds", () => {
    const one = exact();
    for (let failures = 0; failures < 8; failures++) {
      one.visit(withId(1), declined13(), 2, SOURCE, -1, 3);
      const seconds: u32 = failures < 2 ? 1 << failures : 4;
      one.bench.clock.advance(seconds - 1);
      expect(one.steering.tokens.isAvoided(3, one.bench.clock.nowSeconds())).toBe(true, failures.toString());
      one.bench.clock.advance(1);
      expect(one.steering.tokens.isAvoided(3, one.bench.clock.nowSeconds())).toBe(false, failures.toString());
    }
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

/** Largest and smallest of the numbers of resumptions that went to each of the four upstreams, as text. */
function share(one: Steered, key: i32, holders: u32, resumptions: i32, clients: u32 = 1): string {
  const counts = new StaticArray<i32>(4);
  for (let i = 0; i < resumptions; i++) count(counts, one.resume(key, holders, SOURCE + (<u32>i % clients)));
  let largest = counts[0];
  let smallest = counts[0];
  for (let upstream = 1; upstream < 4; upstream++) {
    largest = max(largest, counts[upstream]);
    smallest = min(smallest, counts[upstream]);
  }
  return largest <= smallest + 2 ? "even" : smallest.toString() + " to " + largest.toString();
}

describe("a ticket key of TLS 1.3 that several upstreams share", () => {
  it("is found to be shared by one client alone, and the load is even from then on", () => {
    for (let exactly = 0; exactly < 2; exactly++) {
      const one = exactly == 1 ? exact() : new Steered();
      one.own(1, 2);
      expect(share(one, 1, 0b1111, 80)).toBe("even");
      expect(share(one, 1, 0b1111, 80, 40)).toBe("even");
    }
  });

  it("is found to be shared again after it was rotated on all of them", () => {
    const one = new Steered();
    one.own(1, 2);
    for (let i = 0; i < 40; i++) one.resume(1, 0b1111);
    one.own(2, 3);
    expect(share(one, 2, 0b1111, 80)).toBe("even");
  });

  it("is shared out among those that hold it: the others are asked once", () => {
    const one = new Steered();
    one.own(1, 2);
    for (let i = 0; i < 40; i++) one.resume(1, 0b0110, SOURCE + <u32>i);
    const counts = new StaticArray<i32>(4);
    for (let i = 0; i < 31; i++) count(counts, one.resume(1, 0b0110, SOURCE + <u32>i));
    expect(counts[0] + counts[3]).toBe(0);
    expect(abs(counts[1] - counts[2]) <= 2).toBe(true);
  });

  it("is left to Envoy if its balance is uneven on purpose", () => {
    const one = new Steered(new Bench(), BySource.Guess, 0);
    for (let token: u32 = 0; token < TOKENS; token++) {
      const upstream = UPSTREAMS[token < 200 ? 0 : token % 4];
      one.steering.tokens.learn(token, upstream.start, upstream.length);
    }
    one.own(1, 2);
    one.own(1, 3);
    expect(one.chosen(withPsk(ticket(1)))).toBe(SPREAD);
  });
});

describe("a ticket key that one upstream holds", () => {
  it("costs two full handshakes at the most, from whomever, until a minute is over", () => {
    const one = new Steered();
    one.own(1, 2);
    let elsewhere = 0;
    for (let i = 0; i < 1000; i++) {
      if (one.resume(1, 0b0100, SOURCE + (<u32>i % 40)) != 2) elsewhere++;
    }
    expect(elsewhere).toBe(2);
  });

  it("costs nothing if the others have shown keys of their own", () => {
    const one = new Steered();
    for (let upstream: i32 = 0; upstream < 4; upstream++) one.own(upstream + 1, upstream);
    for (let i = 0; i < 1000; i++) expect(one.resume(2, 0b0010, SOURCE + (<u32>i % 40))).toBe(1);
  });

  it("is asked for elsewhere a few times an hour, as nothing is for ever", () => {
    const one = new Steered();
    for (let upstream: i32 = 0; upstream < 4; upstream++) one.own(upstream + 1, upstream);
    let elsewhere = 0;
    for (let second = 0; second < 3600; second++) {
      one.bench.clock.advance(1);
      if (one.resume(2, 0b0010, SOURCE + (<u32>second % 40)) != 1) elsewhere++;
    }
    expect(elsewhere > 0 && elsewhere <= 6).toBe(true, elsewhere.toString());
  });

  it("that has moved to another one is found there", () => {
    const one = new Steered();
    one.own(1, 2);
    let last = -1;
    for (let second = 0; second < 600; second++) {
      one.bench.clock.advance(1);
      last = one.resume(1, 0b1000, SOURCE + (<u32>second % 40));
    }
    expect(last).toBe(3);
  });
});

describe("a liar", () => {
  it("who has tickets under another's key declined takes nobody from their upstream", () => {
    const one = new Steered();
    for (let upstream: i32 = 0; upstream < 4; upstream++) one.own(upstream + 1, upstream);
    for (let i: u32 = 0; i < 300; i++) {
      // From one address and from many, at its holder and elsewhere.
      one.visit(withPsk(ticket(1, 99)), declined13(), <i32>(i % 4), i % 2 == 0 ? 5 : i);
      expect(one.chosen(withPsk(ticket(1, <u8>i)), 1000 + i)).toBe(0);
    }
  });

  it("who is first does not keep a key from its upstream for long", () => {
    const one = new Steered();
    let misses = 0;
    for (let i: u32 = 0; i < 40; i++) {
      one.visit(withPsk(ticket(1, 99)), declined13(), 0, 5);
      if (one.resume(1, 0b0001, 1000 + i) != 0) misses++;
    }
    expect(misses < 20).toBe(true, misses.toString());
    expect(one.resume(1, 0b0001, 2000)).toBe(0);
  });

  it("alone does not take a server out of those that share a key", () => {
    const one = new Steered();
    one.own(1, 2);
    for (let i = 0; i < 40; i++) one.resume(1, 0b1111);
    for (let i = 0; i < 50; i++) one.visit(withPsk(ticket(1, 99)), declined13(), 1, 5);
    expect(share(one, 1, 0b1111, 80)).toBe("even");
  });
});

describe("a session whose issuer is known, and no way there yet", () => {
  it("tries ways that nobody knows, and does not go where its source has been", () => {
    const one = new Steered(new Bench(), BySource.Guess, 8);
    one.hold(1, UNKNOWN);
    one.visit(withNothing(), declined13(), 2);
    const tried = one.choose(withId(1));
    expect(tried.upstream).toBe(-1);
    expect(tried.token >= 8).toBe(true, tried.token.toString());
    one.steering.tokens.learn(tried.token, UNKNOWN.start, UNKNOWN.length);
    expect(one.choose(withId(1)).token).toBe(tried.token);
  });

  it("does so under a key that was told, too", () => {
    const one = new Steered(new Bench(), BySource.Guess, 8);
    one.bench.cache.ticketKeys.configure(ticket(1).at, UNKNOWN.start, UNKNOWN.length);
    one.visit(withNothing(), declined13(), 2);
    expect(one.choose(withPsk(ticket(1, 5))).token >= 8).toBe(true);
  });
});

describe("an upstream that comes back", () => {
  it("gets its share of clients that others have by then, each at the cost of one full handshake", () => {
    for (let exactly = 0; exactly < 2; exactly++) {
      const one = exactly == 1 ? exact() : new Steered();
      for (let upstream: i32 = 0; upstream < 4; upstream++) one.own(upstream + 1, upstream);
      // All forty clients are at 0, as 1 and 2 were away.
      const home = new StaticArray<i32>(40);
      for (let away: i32 = 1; away < 3; away++) {
        for (let i = 0; i < 3; i++) {
          one.visit(
            withPsk(ticket(away + 1)),
            declined13(),
            0,
            SOURCE,
            exactly == 1 ? -1 : away,
            exactly == 1 ? away : -1,
          );
          if (exactly == 0) one.steering.tokens.learn(away, UPSTREAMS[away].start, UPSTREAMS[away].length);
        }
      }
      one.choose(withNothing());
      for (let back: i32 = 1; back < 3; back++) one.visit(withNothing(), declined13(), back, 9);
      const misses = new StaticArray<i32>(40);
      const counts = new StaticArray<i32>(4);
      for (let i = 0; i < 200; i++) {
        const client = i % 40;
        const at = home[client];
        const sent = one.resume(at + 1, (<u32>1) << (<u32>at), <u32>client);
        if (sent != at) misses[client]++;
        home[client] = sent;
        if (i >= 100) counts[sent]++;
      }
      for (let client = 0; client < 40; client++) expect(misses[client] <= 1).toBe(true, client.toString());
      for (let upstream = 0; upstream < 3; upstream++) {
        expect(counts[upstream] >= 25).toBe(
          true,
          exactly.toString() + ": " + upstream.toString() + " has " + counts[upstream].toString(),
        );
      }
    }
  });

  it("is found out by a resumption if nothing else goes there", () => {
    const one = exact();
    for (let upstream: i32 = 0; upstream < 4; upstream++) one.own(upstream + 1, upstream);
    one.visit(withPsk(ticket(4)), declined13(), 0, SOURCE, -1, 3);
    let tried = -1;
    for (let i = 0; i < 100 && tried < 0; i++) {
      if (i == 50) one.bench.clock.advance(3);
      if (one.resume(1, 0b0001, <u32>i) == 3) tried = i;
    }
    expect(tried >= 50).toBe(true, tried.toString());
  });
});

describe("an upstream that is away", () => {
  it("is tried by new connections, two seconds later and then more and more rarely, so that no resumption is", () => {
    for (let exactly = 0; exactly < 2; exactly++) {
      const one = exactly == 1 ? exact() : new Steered();
      for (let upstream: i32 = 0; upstream < 4; upstream++) one.own(upstream + 1, upstream);
      for (let i = 0; i < 3; i++) {
        one.steering.tokens.learn(3, UPSTREAMS[3].start, UPSTREAMS[3].length);
        one.visit(withNothing(), declined13(), 0, SOURCE, exactly == 1 ? -1 : 3, exactly == 1 ? 3 : -1);
      }
      let tried = 0;
      for (let second = 0; second < 900; second++) {
        one.choose(withNothing());
        if (one.steering.upstream == 3) tried++;
        for (let i = 0; i < 4; i++) expect(one.resume(1, 0b0001, <u32>i)).not.toBe(3);
        one.bench.clock.advance(1);
        if (second == 30) expect(tried >= 6).toBe(true, tried.toString());
      }
      expect(tried >= 22 && tried <= 24).toBe(true, tried.toString());
    }
  });
});

describe("a bound on what one upstream gets", () => {
  it("looks for other upstreams if one alone is known", () => {
    const one = new Steered(new Bench(), BySource.Guess, 1);
    one.steering.balanceFactor = 150;
    one.own(1, 0);
    let explored = 0;
    for (let i = 0; i < 80; i++) {
      if (one.choose(withPsk(ticket(1, <u8>i))).upstream < 0) explored++;
    }
    expect(explored >= 1).toBe(true);
    expect(one.choose(withPsk(ticket(1))).token).not.toBe(0, "and goes on until one is found");
  });

  it("is kept: what is beyond it goes where Envoy balances", () => {
    const one = new Steered();
    one.steering.balanceFactor = 150;
    for (let upstream: i32 = 0; upstream < 4; upstream++) one.own(upstream + 1, upstream);
    const counts = new StaticArray<i32>(4);
    let spread = 0;
    for (let i = 0; i < 400; i++) {
      const key = i % 8 < 5 ? 1 : (i % 4) + 1;
      const chosen = one.chosen(withPsk(ticket(key, <u8>i)), <u32>i);
      if (chosen == SPREAD) spread++;
      else counts[chosen]++;
    }
    expect(spread > 50).toBe(true, spread.toString());
    const led = counts[0] + counts[1] + counts[2] + counts[3];
    expect(counts[0] * 100 <= led * 42 + 800).toBe(true, counts[0].toString() + " of " + led.toString());
  });
});
