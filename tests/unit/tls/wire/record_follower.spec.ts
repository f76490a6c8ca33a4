import { Direction, Event } from "../../../../assembly/tls/handshake";
import { RECORD_READER_SIZE, RecordReader } from "../../../../assembly/tls/wire/record";
import { RECORD_FOLLOWER_SIZE, RecordFollower } from "../../../../assembly/tls/wire/record_follower";
import { Bytes } from "../../support/hello_bytes";
import {
  ClientHelloBuilder,
  ServerHelloBuilder,
  applicationData,
  changeCipherSpec,
  clientKeyExchange,
  record,
  sealedHandshake,
  serverKeyExchange,
  v2Hello,
} from "../../support/hello_builder";
import { Watch } from "../../support/hello_watch";

const follower = changetype<RecordFollower>(memory.data(RECORD_FOLLOWER_SIZE, 8));
const records = changetype<RecordReader>(memory.data(RECORD_READER_SIZE, 8));

const NEVER = -1;
const id = Bytes.counting(32, 0x30);

/** Follows between records, with so many of the handshake still to come. */
function startBehind(handshakeRecords: i32): void {
  memory.fill(changetype<usize>(records), 0, RECORD_READER_SIZE);
  // The record reader has had one record: the client's bytes are known to be records.
  const first = Bytes.of("17 0303 0000");
  for (let i = 0; i < first.length; i++) records.push(first.byte(i));
  records.pass(0);
  follower.start(records, handshakeRecords);
}

/** How many bytes passed up to where a renegotiation was noticed; bodies are skipped in pieces of `size`. */
function follow(bytes: Bytes, size: i32): i32 {
  let at = 0;
  while (at < bytes.length) {
    const left = min(min(follower.bodyLeft, bytes.length - at), size);
    if (left > 0) {
      follower.passBody(left);
      at += left;
    } else if (follower.pushHeader(bytes.byte(at++))) {
      return at;
    }
  }
  return NEVER;
}

function noticed(handshakeRecords: i32, bytes: Bytes): i32 {
  startBehind(handshakeRecords);
  const at = follow(bytes, 1);
  startBehind(handshakeRecords);
  return follow(bytes, bytes.length) == at ? at : -2;
}

/** What a watch hands over and what follows, to where a renegotiation was noticed. */
function noticedBehind(watch: Watch, bytes: Bytes): i32 {
  expect(watch.seen.handOver(follower)).toBe(true, "handed over");
  watch.free();
  return follow(bytes, 3);
}

function finish(): Bytes {
  return changeCipherSpec().append(sealedHandshake());
}

/** A handshake of TLS 1.2 that resumes by session ID, up to the server's Finished. */
function abbreviated(): Watch {
  const watch = new Watch().client(new ClientHelloBuilder().sessionId(id).record());
  return watch.server(new ServerHelloBuilder().sessionId(id).record().append(finish()));
}

/** A full handshake of TLS 1.2, up to ServerHelloDone. */
function full(): Watch {
  const watch = new Watch().client(new ClientHelloBuilder().record());
  return watch.server(record(0x16, new ServerHelloBuilder().message().append(serverKeyExchange())));
}

describe("the records of a client behind its Finished", () => {
  it("are no renegotiation while they are application data, alerts or changes of cipher spec", () => {
    const bytes = applicationData(1).append(applicationData(0)).append(applicationData(300));
    bytes
      .append(record(0x15, Bytes.counting(26)))
      .append(changeCipherSpec())
      .append(record(0x18, Bytes.counting(20)));
    expect(noticed(0, bytes)).toBe(NEVER);
  });

  it("are one with the last byte of a handshake record's header", () => {
    expect(noticed(0, sealedHandshake())).toBe(5);
    expect(noticed(0, applicationData(100).append(sealedHandshake()))).toBe(110);
    expect(noticed(0, applicationData(0).append(applicationData(0)).append(sealedHandshake()))).toBe(15);
    expect(noticed(0, applicationData(100).append(sealedHandshake()).slice(0, 109))).toBe(NEVER);
    expect(noticed(0, record(0x16, new Bytes()))).toBe(5);
  });

  it("are one where they are no records of TLS", () => {
    expect(noticed(0, Bytes.text("GET / HTTP/1.1"))).toBe(5);
    expect(noticed(0, Bytes.of("17 0203 0001 00"))).toBe(5);
    expect(noticed(0, Bytes.of("13 0303 0001 00"))).toBe(5);
    expect(noticed(0, Bytes.of("19 0303 0001 00"))).toBe(5);
    expect(noticed(2, Bytes.of("80 2e 01 0303"))).toBe(5);
  });

  it("may look like a handshake record inside their bodies", () => {
    expect(noticed(0, record(0x17, sealedHandshake().append(sealedHandshake())))).toBe(NEVER);
  });
});

describe("the end of a client's handshake", () => {
  it("is no renegotiation up to its Finished", () => {
    const flight = record(0x16, clientKeyExchange()).append(finish()).append(applicationData(40));
    expect(noticed(2, flight)).toBe(NEVER);
    expect(noticed(1, sealedHandshake().append(applicationData(40)))).toBe(NEVER);
  });

  it("is followed by one where another handshake record comes", () => {
    const flight = record(0x16, clientKeyExchange()).append(finish()).append(applicationData(40));
    expect(noticed(2, record(0x16, clientKeyExchange()).append(finish()).append(sealedHandshake()))).toBe(
      5 + 70 + 6 + 45 + 5,
    );
    expect(noticed(2, flight.append(sealedHandshake()))).toBe(5 + 70 + 6 + 45 + 45 + 5);
    expect(noticed(1, sealedHandshake().append(sealedHandshake()))).toBe(45 + 5);
  });

  it("has begun one already where it was told so", () => {
    expect(noticed(-1, applicationData(4))).toBe(5);
  });
});

describe("a handshake that hands its client's records over", () => {
  it("does so once it is complete", () => {
    const resumed = abbreviated().client(finish());
    expect<i32>(resumed.last).toBe(Event.Complete);
    expect(noticedBehind(resumed, applicationData(10).append(sealedHandshake()))).toBe(20);
    const whole = full().client(record(0x16, clientKeyExchange()).append(finish()));
    whole.server(finish());
    expect<i32>(whole.last).toBe(Event.Complete);
    expect(noticedBehind(whole, applicationData(10).append(sealedHandshake()))).toBe(20);
  });

  it("does so in the middle of any record, header or body", () => {
    const flight = record(0x16, clientKeyExchange()).append(finish()).append(applicationData(30));
    const all = record(0x16, clientKeyExchange())
      .append(finish())
      .append(applicationData(30))
      .append(sealedHandshake());
    for (let cut = 0; cut <= flight.length; cut++) {
      const watch = full().client(all.slice(0, cut));
      expect(noticedBehind(watch, all.slice(cut, all.length))).toBe(flight.length + 5 - cut, cut.toString());
    }
    const end = finish().append(applicationData(30));
    const rest = finish().append(applicationData(30)).append(sealedHandshake());
    for (let cut = 0; cut < finish().length; cut++) {
      const watch = abbreviated().client(rest.slice(0, cut));
      expect(noticedBehind(watch, rest.slice(cut, rest.length))).toBe(end.length + 5 - cut, cut.toString());
    }
  });

  it("has noticed a renegotiation that does not wait for the server's Finished", () => {
    const flight = record(0x16, clientKeyExchange()).append(finish());
    const watch = full().client(flight.append(sealedHandshake())).server(finish());
    expect<i32>(watch.last).toBe(Event.Complete);
    expect(noticedBehind(watch, applicationData(10))).toBe(5);
    for (let cut = 0; cut < 45; cut++) {
      const split = full().client(record(0x16, clientKeyExchange()).append(finish()));
      split.client(sealedHandshake().slice(0, cut)).server(finish());
      const rest = sealedHandshake().append(applicationData(10));
      const expected = cut < 5 ? 5 - cut : 45 - cut + 5;
      expect(noticedBehind(split, rest.slice(cut, rest.length))).toBe(expected, cut.toString());
    }
  });

  it("does so where it began with an SSLv2 hello", () => {
    const watch = new Watch().client(v2Hello(46));
    watch.server(record(0x16, new ServerHelloBuilder().message().append(serverKeyExchange())));
    watch.client(record(0x16, clientKeyExchange()).append(finish())).server(finish());
    expect(watch.events).toBe("Unfollowed ServerHello Complete");
    expect(noticedBehind(watch, applicationData(10).append(sealedHandshake()))).toBe(20);
  });

  it("does not in TLS 1.3, whose clients cannot renegotiate", () => {
    const watch = new Watch().client(new ClientHelloBuilder().versions(Bytes.of("0304")).record());
    watch.server(new ServerHelloBuilder().tls13().record()).client(applicationData(53));
    expect<i32>(watch.last).toBe(Event.Complete);
    expect(watch.seen.handOver(follower)).toBe(false);
    watch.free();
  });

  it("does not before the answer has said whether it resumes", () => {
    const watch = new Watch().client(new ClientHelloBuilder().sessionId(id).record());
    expect(watch.seen.handOver(follower)).toBe(false);
    watch.server(new ServerHelloBuilder().sessionId(id).record());
    expect(watch.seen.handOver(follower)).toBe(false);
    watch.server(changeCipherSpec());
    expect(watch.seen.handOver(follower)).toBe(true);
    watch.free();
  });

  it("does not where the client's bytes are no records", () => {
    const watch = new Watch().client(Bytes.text("GET /"));
    watch.server(record(0x16, new ServerHelloBuilder().message().append(serverKeyExchange())));
    expect(watch.events).toBe("Unfollowed ServerHello");
    expect(watch.seen.handOver(follower)).toBe(false);
    watch.free();
  });

  it("leaves its own records as they are", () => {
    const watch = abbreviated();
    expect(watch.seen.handOver(follower)).toBe(true);
    follow(sealedHandshake().slice(0, 4), 1);
    expect(watch.seen.partial(Direction.Downstream)).toBe(false);
    expect<i32>(watch.client(finish()).last).toBe(Event.Complete);
    watch.free();
  });
});
