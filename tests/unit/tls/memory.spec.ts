import { Direction, Event, Handshake } from "../../../assembly/tls/handshake";
import { MAX_LIVE_MEMORY, MAX_RESERVE_MEMORY } from "../../../assembly/tls/wire/limits";
import {
  allocateBlock,
  allocateReserve,
  liveHandshakeBytes,
  releaseBlock,
  releaseReserve,
} from "../../../assembly/tls/memory";
import { Unsure } from "../../../assembly/tls/hello/offers";
import { Bytes } from "../support/hello_bytes";
import {
  ClientHelloBuilder,
  ServerHelloBuilder,
  changeCipherSpec,
  newSessionTicket,
  record,
  serverKeyExchange,
} from "../support/hello_builder";
import { Watch, acceptedName } from "../support/hello_watch";

const id = Bytes.counting(32, 0x30);
const ticket = Bytes.counting(64);

/** A watch for which there is no memory but the reserve; to be freed before the next one. */
function smallWatch(): Watch {
  const all = allocateBlock(MAX_LIVE_MEMORY);
  const watch = new Watch();
  releaseBlock(all, MAX_LIVE_MEMORY);
  return watch;
}

describe("the memory of live handshakes", () => {
  it("is counted to the last byte and given back", () => {
    const handshake = Handshake.create();
    expect(liveHandshakeBytes()).toBe(Handshake.size);
    if (handshake) handshake.free();
    expect(liveHandshakeBytes()).toBe(0);
  });

  it("comes zeroed where it was used before", () => {
    const first = allocateBlock(64);
    memory.fill(first, 0xff, 64);
    releaseBlock(first, 64);
    const second = allocateReserve(64);
    let sum = 0;
    for (let i = 0; i < 64; i++) sum += load<u8>(second + i);
    expect(sum).toBe(0);
    releaseReserve(second, 64);
    expect(liveHandshakeBytes()).toBe(0);
  });

  it("ends at its bound: then a block reads the server's answer alone", () => {
    const most = MAX_LIVE_MEMORY - Handshake.size;
    const fits = allocateBlock(most);
    const whole = changetype<Handshake>(Handshake.create());
    expect(whole.small).toBe(false);
    const small = changetype<Handshake>(Handshake.create());
    expect(small.small).toBe(true);
    expect(liveHandshakeBytes()).toBe(MAX_LIVE_MEMORY + Handshake.smallSize);
    small.free();
    whole.free();
    releaseBlock(fits, most);
    expect(liveHandshakeBytes()).toBe(0);
  });

  it("ends for good where the reserve is used up, too: then a connection goes unwatched", () => {
    const all = allocateBlock(MAX_LIVE_MEMORY);
    const most = MAX_RESERVE_MEMORY - Handshake.smallSize;
    const reserve = allocateReserve(most);
    expect(reserve).not.toBe(0);
    const last = Handshake.create();
    expect(last === null).toBe(false);
    expect(Handshake.create() === null).toBe(true);
    expect(allocateReserve(1)).toBe(0);
    expect(allocateBlock(1)).toBe(0);
    if (last) last.free();
    releaseReserve(reserve, most);
    releaseBlock(all, MAX_LIVE_MEMORY);
    expect(liveHandshakeBytes()).toBe(0);
  });

  it("is the same for a hello of any length, whole or not, and given back in the middle of one", () => {
    const long = new ClientHelloBuilder().extension(0xabcd, Bytes.counting(16000)).record();
    for (let cut = 0; cut < long.length; cut += 997) {
      const watch = new Watch().client(long.slice(0, cut));
      expect(liveHandshakeBytes()).toBe(Handshake.size);
      watch.free();
      expect(liveHandshakeBytes()).toBe(0);
    }
  });

  it("is the same after the watching has ended", () => {
    const watch = new Watch().client(new ClientHelloBuilder().record().slice(0, 20));
    watch.server(Bytes.of("15 0303 0002 0228"));
    expect(watch.events).toBe("Failed");
    expect(liveHandshakeBytes()).toBe(Handshake.size);
    watch.free();
    expect(liveHandshakeBytes()).toBe(0);
  });

  it("holds a block without the client's side in much less", () => {
    expect(Handshake.smallSize * 4 < Handshake.size).toBeTruthy();
  });
});

describe("a small block", () => {
  it("tells a resumption by session ID or ticket, and that nobody knows of what", () => {
    const ccs = record(0x16, new ServerHelloBuilder().sessionId(id).message()).append(changeCipherSpec());
    const renewed = record(0x16, new ServerHelloBuilder().message().append(newSessionTicket(60, ticket)));
    const answers = [ccs, renewed];
    for (let i = 0; i < answers.length; i++) {
      for (let size = 1; size <= answers[i].length; size++) {
        const watch = smallWatch();
        expect(watch.seen.small).toBe(true);
        watch.client(new ClientHelloBuilder().sessionId(id).record()).serverIn(size, answers[i]);
        expect(watch.events).toBe("ServerHello");
        expect(watch.seen.resumed).toBe(true);
        expect(watch.seen.acceptedUnfollowed).toBe(true);
        expect(watch.seen.answer.version).toBe(0x0303);
        watch.free();
      }
    }
  });

  it("tells a resumption in TLS 1.3, behind a HelloRetryRequest as well", () => {
    for (let retries = 0; retries < 2; retries++) {
      const watch = smallWatch().client(new ClientHelloBuilder().psk([ticket]).record());
      if (retries > 0) watch.server(new ServerHelloBuilder().tls13().retry().record());
      watch.server(new ServerHelloBuilder().tls13().psk(0).record());
      expect(watch.events).toBe("ServerHello");
      expect(acceptedName(watch.seen.acceptedKind)).toBe("psk");
      expect(watch.seen.resumed).toBe(true);
      expect(watch.seen.acceptedUnfollowed).toBe(true);
      expect(watch.seen.completeUnread(58)).toBe(false);
      watch.free();
    }
  });

  it("tells a full handshake, of which nothing is unfollowed", () => {
    const watch = smallWatch().client(new ClientHelloBuilder().sessionId(id).record());
    watch.server(record(0x16, new ServerHelloBuilder().sessionId(id).message().append(serverKeyExchange())));
    expect(watch.events).toBe("ServerHello");
    expect(watch.seen.resumed).toBe(false);
    expect(acceptedName(watch.seen.acceptedKind)).toBe("none");
    expect(watch.seen.acceptedUnfollowed).toBe(false);
    watch.free();
    const modern = smallWatch().server(new ServerHelloBuilder().tls13().record());
    expect(modern.events).toBe("ServerHello");
    expect(modern.seen.resumed).toBe(false);
    expect(modern.seen.acceptedUnfollowed).toBe(false);
    modern.free();
  });

  it("passes over all that a client sends", () => {
    const watch = smallWatch().client(Bytes.text("GET / HTTP/1.1")).client(new ClientHelloBuilder().record());
    expect(watch.events).toBe("");
    expect(watch.seen.consumed).toBe(new ClientHelloBuilder().record().length);
    expect(watch.seen.completeUnread(51)).toBe(false);
    expect<i32>(watch.seen.feedStep(id.at, id.length)).toBe(Event.NeedMore);
    expect(watch.seen.consumed).toBe(id.length);
    watch.free();
  });

  it("offers and issues nothing, whatever lies behind it", () => {
    const all = allocateBlock(MAX_LIVE_MEMORY);
    // The next block lies where this one was.
    const before = allocateReserve(Handshake.size);
    memory.fill(before, 0xff, Handshake.size);
    releaseReserve(before, Handshake.size);
    const watch = new Watch();
    releaseBlock(all, MAX_LIVE_MEMORY);
    watch.server(record(0x16, new ServerHelloBuilder().message().append(newSessionTicket(60, ticket))));
    const seen = watch.seen;
    expect(seen.small).toBe(true);
    expect(seen.offers.sniLength).toBe(-1);
    expect(seen.offers.sni).toBe(0);
    expect((seen.offers.unsure & Unsure.NAME) != 0).toBe(true);
    expect(seen.offers.sessionIdLength).toBe(0);
    expect(seen.offers.ticket.present).toBe(false);
    expect(seen.offers.pskCount).toBe(0);
    expect(seen.offers.furtherCount).toBe(0);
    expect(seen.tickets.ticket.present).toBe(false);
    expect(seen.tickets.ticket.hash).toBe(0);
    expect(seen.tickets.ticket.key).toBe(0);
    expect(seen.tickets.lifetimeHintSeconds).toBe(0);
    expect(seen.partial(Direction.Downstream)).toBe(false);
    expect(seen.betweenRecords).toBe(false);
    expect(seen.inEarlyData(0x17)).toBe(false);
    watch.free();
  });

  it("notices a server that speaks no TLS, or fails", () => {
    const greeting = smallWatch().server(Bytes.text("220 mail.example ESMTP"));
    expect(greeting.events).toBe("NotTls");
    greeting.free();
    const failing = smallWatch().server(Bytes.of("15 0303 0002 0228"));
    expect(failing.events).toBe("Failed");
    failing.free();
  });

  it("is given back to the reserve", () => {
    const watch = smallWatch();
    expect(liveHandshakeBytes()).toBe(Handshake.smallSize);
    watch.free();
    expect(liveHandshakeBytes()).toBe(0);
  });
});
