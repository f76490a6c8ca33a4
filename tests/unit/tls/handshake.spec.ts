import { Direction, Event, Handshake } from "../../../assembly/tls/handshake";
import { parseErrorName } from "../../../assembly/tls/wire/parse_error";
import { Bytes, hexOf } from "../support/hello_bytes";
import {
  ClientHelloBuilder,
  ServerHelloBuilder,
  alert,
  applicationData,
  changeCipherSpec,
  clientKeyExchange,
  message,
  newSessionTicket,
  record,
  records,
  sealedHandshake,
  serverKeyExchange,
  v2Hello,
} from "../support/hello_builder";
import { Exchange } from "../support/hello_exchange";
import { Watch, acceptedName, unsureName } from "../support/hello_watch";

const id = Bytes.counting(32, 0x30);
const otherId = Bytes.counting(32, 0x70);
const ticket = Bytes.counting(64);
const ticketHash = "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108";

function hello(): ClientHelloBuilder {
  return new ClientHelloBuilder();
}

/** A hello of TLS 1.3 with a PSK. */
function hello13(): ClientHelloBuilder {
  return hello().sessionId(otherId).versions(Bytes.of("0304 0303"));
}

function answer(): ServerHelloBuilder {
  return new ServerHelloBuilder();
}

/** A change of cipher spec and a Finished. */
function finish(): Bytes {
  return changeCipherSpec().append(sealedHandshake());
}

/** The server's first flight of a full handshake of TLS 1.2, with one record for all messages. */
function flight(hello: ServerHelloBuilder): Bytes {
  return record(0x16, hello.message().append(serverKeyExchange()));
}

/** A full handshake of TLS 1.2 up to the client's Finished. */
function fullTo(client: ClientHelloBuilder, server: ServerHelloBuilder): Watch {
  return new Watch()
    .client(client.record())
    .server(flight(server))
    .client(record(0x16, clientKeyExchange()).append(finish()));
}

/** How it resumed, or "full". */
function kind(watch: Watch): string {
  return watch.seen.resumed ? acceptedName(watch.seen.acceptedKind) : "full";
}

/** An exchange says the same cut at any byte and in pieces of any size. */
function expectSameCutAnywhere(exchange: Exchange): void {
  const whole = exchange.watch();
  const print = whole.close();
  let differing = -1;
  for (let cut = 1; cut < exchange.length && differing < 0; cut++) {
    if (exchange.cutAt(cut).close() != print || exchange.inPieces(cut).close() != print) differing = cut;
  }
  expect(differing).toBe(-1, exchange.name + " differs when cut at this byte");
}

/** For each byte: "e" where it is early data, "-" where it is not, "|" in front of the first of a record. */
function sorts(bytes: Bytes, size: i32): string {
  const watch = new Watch();
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    if (watch.seen.betweenRecords) text += "|";
    const early = watch.seen.inEarlyData(bytes.byte(at));
    watch.seen.feedStep(bytes.at + <usize>at, min(size, bytes.length - at));
    text += (early ? "e" : "-").repeat(watch.seen.consumed);
    at += watch.seen.consumed;
  }
  watch.free();
  return text;
}

/** The error that these client bytes give at the very start. */
function clientError(bytes: Bytes): string {
  const watch = new Watch().client(bytes);
  const text = watch.events == "Malformed" ? watch.error : watch.events;
  watch.free();
  return text;
}

/** The error that these server bytes give behind a ClientHello. */
function serverError(bytes: Bytes): string {
  const watch = new Watch()
    .client(
      hello13()
        .psk([Bytes.counting(40)])
        .record(),
    )
    .server(bytes);
  const text = watch.last == Event.Malformed ? watch.error : watch.events;
  watch.free();
  return text;
}

describe("a full handshake of TLS 1.2", () => {
  it("completes with the server's Finished and issues the session ID of its ServerHello", () => {
    const watch = fullTo(hello().sni("shop.example"), answer().sessionId(id));
    expect(watch.events).toBe("ClientHello ServerHello");
    expect(watch.seen.issuedIdLength).toBe(0);
    watch.server(changeCipherSpec());
    expect(watch.events).toBe("ClientHello ServerHello");
    const finished = sealedHandshake();
    watch.server(finished.slice(0, finished.length - 1));
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.server(finished.slice(finished.length - 1, finished.length));
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    expect(kind(watch)).toBe("full");
    expect(hexOf(watch.seen.issuedId, watch.seen.issuedIdLength)).toBe(hexOf(id.at, 32));
    expect(watch.seen.answer.version).toBe(0x0303);
    expect(watch.seen.answer.cipher).toBe(0xc02f);
    watch.free();
  });

  it("issues the ticket that came before its last flight", () => {
    const watch = fullTo(hello().ticket(new Bytes()), answer());
    watch.server(record(0x16, newSessionTicket(7200, ticket)));
    watch.server(finish());
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    expect(watch.seen.issuedIdLength).toBe(0);
    expect(watch.seen.issuedId).toBe(0);
    expect(watch.seen.tickets.ticket.present).toBe(true);
    expect(hexOf(watch.seen.tickets.ticket.hash, 32)).toBe(ticketHash);
    expect(hexOf(watch.seen.tickets.ticket.key, 16)).toBe("000102030405060708090a0b0c0d0e0f");
    expect(watch.seen.tickets.lifetimeHintSeconds).toBe(7200);
    watch.free();
  });

  it("issues no ticket where the server's is empty", () => {
    const watch = fullTo(hello().ticket(new Bytes()), answer());
    watch.server(record(0x16, newSessionTicket(7200, new Bytes()))).server(finish());
    expect(watch.last).toBe(Event.Complete);
    expect(watch.seen.tickets.ticket.present).toBe(false);
    watch.free();
  });

  it("is no resumption where the server echoes the session ID and yet exchanges keys", () => {
    const watch = fullTo(hello().sessionId(id), answer().sessionId(id));
    expect(acceptedName(watch.seen.acceptedKind)).toBe("none");
    watch.server(finish());
    expect(watch.last).toBe(Event.Complete);
    expect(kind(watch)).toBe("full");
    expect(acceptedName(watch.seen.acceptedKind)).toBe("none");
    expect(hexOf(watch.seen.issuedId, watch.seen.issuedIdLength)).toBe(hexOf(id.at, 32));
    watch.free();
  });

  it("accepts nothing where the server answers with another session ID", () => {
    const watch = fullTo(hello().sessionId(id), answer().sessionId(otherId)).server(finish());
    expect(acceptedName(watch.seen.acceptedKind)).toBe("none");
    expect(hexOf(watch.seen.issuedId, watch.seen.issuedIdLength)).toBe(hexOf(otherId.at, 32));
    watch.free();
  });

  it("passes over a false start", () => {
    const watch = fullTo(hello(), answer().sessionId(id)).client(applicationData(100)).server(finish());
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    watch.free();
  });

  it("completes in SSL 3.0 and without any extensions", () => {
    const watch = fullTo(hello().noExtensions(), answer().version(0x0300).noExtensions().sessionId(id)).server(
      finish(),
    );
    expect(watch.last).toBe(Event.Complete);
    expect(watch.seen.answer.version).toBe(0x0300);
    watch.free();
  });

  it("passes over messages that it does not know, and HelloRequests", () => {
    const watch = new Watch().server(record(0x16, Bytes.of("00 000000"))).client(hello().record());
    watch.server(record(0x16, Bytes.of("00 000000"))).server(answer().sessionId(id).record());
    watch.server(record(0x16, Bytes.of("00 000000")));
    expect(watch.events).toBe("ClientHello");
    watch.server(record(0x16, serverKeyExchange()));
    watch.client(record(0x16, message(0x63, Bytes.counting(5)).append(clientKeyExchange())).append(finish()));
    watch.server(finish());
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    watch.free();
  });

  it("passes over a HelloRequest in the middle of a split ClientHello", () => {
    const bytes = hello().sni("shop.example").record();
    const watch = new Watch().client(bytes.slice(0, 30)).server(record(0x16, Bytes.of("00 000000")));
    watch.client(bytes.slice(30, bytes.length));
    expect(watch.events).toBe("ClientHello");
    expect(watch.seen.offers.sniLength).toBe(12);
    watch.free();
  });
});

describe("an abbreviated handshake of TLS 1.2", () => {
  it("completes with the client's Finished, resumed by session ID", () => {
    const watch = new Watch().client(hello().sessionId(id).record()).server(answer().sessionId(id).record());
    expect(watch.events).toBe("ClientHello");
    expect(watch.seen.undecided).toBe(true);
    expect(watch.seen.decided).toBe(false);
    expect(watch.seen.resumed).toBe(false);
    watch.server(changeCipherSpec());
    expect(watch.events).toBe("ClientHello ServerHello");
    expect(watch.seen.undecided).toBe(false);
    expect(watch.seen.decided).toBe(true);
    expect(watch.seen.resumed).toBe(true);
    expect(kind(watch)).toBe("id");
    watch.server(sealedHandshake());
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.client(finish());
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    expect(kind(watch)).toBe("id");
    expect(watch.seen.issuedIdLength).toBe(0);
    watch.free();
  });

  it("is resumed by the ticket where one was offered, and may renew it", () => {
    const watch = new Watch().client(hello().sessionId(id).ticket(Bytes.counting(40)).record());
    watch.server(record(0x16, answer().sessionId(id).message().append(newSessionTicket(60, ticket))));
    watch.server(finish()).client(finish());
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    expect(kind(watch)).toBe("ticket");
    expect(hexOf(watch.seen.tickets.ticket.hash, 32)).toBe(ticketHash);
    watch.free();
  });

  it("is resumed by a ticket that came without a session ID (RFC 5077 3.4)", () => {
    const watch = new Watch().client(hello().ticket(ticket).record()).server(answer().record());
    expect(watch.seen.undecided).toBe(true);
    watch.server(finish()).client(finish());
    expect(watch.last).toBe(Event.Complete);
    expect(kind(watch)).toBe("ticket");
    watch.free();
  });

  it("is resumed by session ID from a client that offers TLS 1.3 too", () => {
    const watch = new Watch().client(hello13().sessionId(id).ticket(new Bytes()).record());
    watch.server(answer().sessionId(id).record()).server(finish()).client(finish());
    expect(kind(watch)).toBe("id");
    watch.free();
  });

  it("is of what nobody saw offered where nothing was: nobody may leave out the exchange of keys", () => {
    const watch = new Watch().client(hello().record()).server(answer().sessionId(id).record()).server(finish());
    expect(watch.events).toBe("ClientHello ServerHello");
    expect(watch.seen.resumed).toBe(true);
    expect(watch.seen.acceptedUnfollowed).toBe(true);
    watch.free();
  });

  it("is followed where what it accepts was offered, whatever else is unsure", () => {
    const hellos = [hello().sessionId(id).sni("a b"), hello().sessionId(id).psk([ticket]).psk([ticket])];
    for (let i = 0; i < hellos.length; i++) {
      const watch = new Watch().client(hellos[i].record()).server(answer().sessionId(id).record().append(finish()));
      expect(watch.seen.resumed).toBe(true);
      expect(watch.seen.offers.unsure).not.toBe(0);
      expect(watch.seen.acceptedUnfollowed).toBe(false);
      watch.free();
    }
  });

  it("cannot be followed where a session ID is longer than any, or there are too many tickets", () => {
    const many = hello().sessionId(id);
    for (let i = 0; i < 6; i++) many.ticket(Bytes.counting(20 + i));
    const hellos = [hello().sessionId(Bytes.counting(33)).ticket(ticket), many];
    for (let i = 0; i < hellos.length; i++) {
      const watch = new Watch().client(hellos[i].record()).server(answer().sessionId(id).record().append(finish()));
      expect(watch.events).toBe("ClientHello ServerHello");
      expect(unsureName(watch.seen.offers.unsure)).toBe("legacy");
      expect(watch.seen.acceptedUnfollowed).toBe(true);
      watch.free();
    }
  });
});

describe("a client's Finished that nobody reads", () => {
  it("is none of TLS 1.2, whatever its length: the records behind it are followed", () => {
    const watch = new Watch().client(hello().sessionId(id).record()).server(answer().sessionId(id).record());
    watch.server(finish());
    expect(watch.seen.completeUnread(finish().length)).toBe(false);
    expect(watch.seen.completeUnread(200)).toBe(false);
    expect(watch.client(finish()).last).toBe(Event.Complete);
    watch.free();
  });

  it("is told from alerts by its length in TLS 1.3", () => {
    const watch = new Watch().client(hello13().record()).server(answer().tls13().sessionId(otherId).record());
    expect(watch.seen.completeUnread(57)).toBe(false, "a sealed alert behind a change of cipher spec has 30 bytes");
    expect(watch.seen.completeUnread(58)).toBe(true);
    expect(watch.seen.completed).toBe(true);
    expect(watch.seen.completeUnread(58)).toBe(false, "it is complete");
    watch.free();
  });

  it("is read in a full handshake of TLS 1.2, and where early data was offered", () => {
    const full = new Watch().client(hello().record()).server(flight(answer()));
    expect(full.seen.completeUnread(51)).toBe(false);
    full.client(record(0x16, clientKeyExchange()).append(finish())).server(finish().slice(0, 20));
    expect(full.seen.completeUnread(51)).toBe(false);
    full.free();
    const early = new Watch()
      .client(hello13().earlyData().record())
      .server(answer().tls13().sessionId(otherId).record());
    expect(early.seen.completeUnread(200)).toBe(false);
    early.free();
  });
});

describe("the order of TLS 1.2", () => {
  it("lets no side change its cipher spec out of turn", () => {
    const early = new Watch()
      .client(hello().record())
      .server(record(0x16, answer().message().append(message(0x0b, id))));
    expect(early.client(changeCipherSpec()).error).toBe("unexpected_record");
    early.free();
    const server = new Watch().client(hello().record()).server(flight(answer()));
    expect(server.server(changeCipherSpec()).error).toBe("unexpected_record");
    server.free();
    const twice = fullTo(hello(), answer());
    expect(twice.client(changeCipherSpec()).error).toBe("unexpected_record");
    twice.free();
  });

  it("lets the server finish only after the client has", () => {
    const watch = new Watch().client(hello().record()).server(flight(answer()));
    watch.client(record(0x16, clientKeyExchange()).append(changeCipherSpec()));
    expect(watch.server(changeCipherSpec()).error).toBe("unexpected_record");
    watch.free();
  });

  it("knows no second hello, and no application data before a Finished", () => {
    const client = new Watch().client(hello().record()).server(flight(answer())).client(hello().record());
    expect(client.error).toBe("unexpected_message");
    client.free();
    const server = new Watch().client(hello().record()).server(flight(answer())).server(answer().record());
    expect(server.error).toBe("unexpected_message");
    server.free();
    const data = new Watch().client(hello().record()).server(flight(answer())).client(applicationData(60));
    expect(data.error).toBe("unexpected_record");
    data.free();
  });
});

describe("application data of a server in TLS 1.2", () => {
  it("may follow its Finished and nothing else", () => {
    const early = new Watch().client(hello().record()).server(flight(answer()));
    expect(early.server(applicationData(60)).error).toBe("unexpected_record");
    early.free();
    const watch = new Watch().client(hello().sessionId(id).record()).server(answer().sessionId(id).record());
    watch.server(finish()).server(applicationData(60)).client(finish());
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    watch.free();
  });
});

describe("a handshake of TLS 1.3", () => {
  it("completes with the first client record that is long enough for a Finished", () => {
    const watch = new Watch().client(hello13().record()).server(answer().tls13().sessionId(otherId).record());
    expect(watch.seen.answer.version).toBe(0x0304);
    watch.server(changeCipherSpec().append(applicationData(900))).client(changeCipherSpec());
    watch.client(applicationData(52));
    expect(watch.events).toBe("ClientHello ServerHello");
    const finished = applicationData(53);
    watch.client(finished.slice(0, finished.length - 1));
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.client(finished.slice(finished.length - 1, finished.length));
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    expect(kind(watch)).toBe("full");
    watch.free();
  });

  it("neither resumes nor issues by the session ID that is always echoed", () => {
    const watch = new Watch().client(hello13().record()).server(answer().tls13().sessionId(otherId).record());
    watch.client(applicationData(53));
    expect(watch.last).toBe(Event.Complete);
    expect(acceptedName(watch.seen.acceptedKind)).toBe("none");
    expect(watch.seen.resumed).toBe(false);
    expect(watch.seen.issuedIdLength).toBe(0);
    watch.free();
  });

  it("is resumed at the ServerHello that selects a PSK, and says which", () => {
    const watch = new Watch().client(
      hello13()
        .psk([Bytes.counting(40), ticket])
        .record(),
    );
    watch.server(answer().tls13().psk(1).record());
    expect(watch.events).toBe("ClientHello ServerHello");
    expect(watch.seen.resumed).toBe(true);
    expect(kind(watch)).toBe("psk");
    expect(watch.seen.acceptedPskIndex).toBe(1);
    expect(hexOf(watch.seen.offers.pskHash(1), 32)).toBe(ticketHash);
    expect(hexOf(watch.seen.offers.pskKey(1), 16)).toBe("000102030405060708090a0b0c0d0e0f");
    watch.client(applicationData(69));
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    expect(watch.seen.resumed).toBe(true);
    watch.free();
  });

  it("answers 0 for PSK identities that were not offered or not hashed", () => {
    const identities: Array<Bytes> = [];
    for (let i = 0; i < 5; i++) identities.push(Bytes.counting(20 + i));
    const watch = new Watch().client(hello13().sni("shop.example".repeat(20)).psk(identities).record());
    expect(watch.seen.offers.pskCount).toBe(5);
    expect(watch.seen.offers.pskHash(3)).not.toBe(0);
    expect(watch.seen.offers.pskHash(4)).toBe(0);
    expect(watch.seen.offers.pskHash(-1)).toBe(0);
    expect(watch.seen.offers.pskKey(i32.MAX_VALUE)).toBe(0);
    watch.server(answer().tls13().psk(4).record());
    expect(watch.seen.acceptedPskIndex).toBe(4);
    expect(watch.seen.acceptedUnfollowed).toBe(true);
    expect(watch.seen.acceptedUnseen).toBe(false);
    watch.free();
    const last = new Watch().client(hello13().psk(identities).record()).server(answer().tls13().psk(3).record());
    expect(last.seen.acceptedUnfollowed).toBe(false);
    last.free();
  });

  it("cannot be followed where the server selects what was not offered", () => {
    for (let index = 0; index < 3; index++) {
      const watch = new Watch().client(hello13().psk([ticket]).record()).server(answer().tls13().psk(index).record());
      expect(watch.events).toBe("ClientHello ServerHello");
      expect(kind(watch)).toBe("psk");
      expect(watch.seen.acceptedPskIndex).toBe(index);
      expect(watch.seen.acceptedUnfollowed).toBe(index > 0);
      watch.free();
    }
  });

  it("may select what stands in an encrypted hello: that is unseen, and followed as far as it can be", () => {
    for (let index = 0; index < 2; index++) {
      const client = hello13().extension(0xfe0d, Bytes.counting(50)).psk([ticket]);
      const watch = new Watch().client(client.record()).server(answer().tls13().psk(index).record());
      expect(watch.seen.offers.encryptedHello).toBe(true);
      expect(watch.seen.acceptedUnseen).toBe(index == 1);
      expect(watch.seen.acceptedUnfollowed).toBe(false);
      watch.free();
    }
  });

  it("cannot be followed where its PSK identities are unsure, and is where anything else is", () => {
    const unsure = new Watch().client(hello13().psk([ticket]).psk([ticket]).record());
    unsure.server(answer().tls13().psk(0).record());
    expect(unsureName(unsure.seen.offers.unsure)).toBe("psk");
    expect(unsure.seen.acceptedUnfollowed).toBe(true);
    unsure.free();
    const sure = new Watch().client(hello13().sessionId(Bytes.counting(33)).sni("").psk([ticket]).record());
    sure.server(answer().tls13().psk(0).record());
    expect(unsureName(sure.seen.offers.unsure)).toBe("legacy name");
    expect(sure.seen.resumed).toBe(true);
    expect(sure.seen.acceptedUnfollowed).toBe(false);
    sure.free();
  });

  it("takes the shorter Finished of the suite with the short tag", () => {
    const watch = new Watch().client(hello13().record()).server(answer().tls13().cipher(0x1305).record());
    watch.client(applicationData(44));
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.client(applicationData(45));
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    watch.free();
  });

  it("passes over empty application data", () => {
    const watch = new Watch().client(hello13().record()).server(answer().tls13().record().append(applicationData(0)));
    watch.client(applicationData(0).append(applicationData(53)));
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    watch.free();
  });

  it("passes over a change of cipher spec of a server before its first hello", () => {
    expect(serverError(changeCipherSpec().append(answer().tls13().record()))).toBe("ClientHello ServerHello");
  });

  it("fails with a sealed alert of the client", () => {
    const watch = new Watch().client(hello13().record()).server(answer().tls13().record()).client(applicationData(19));
    expect(watch.events).toBe("ClientHello ServerHello Failed");
    watch.free();
  });

  it("knows no handshake messages in clear behind the ServerHello", () => {
    const hellos = answer()
      .tls13()
      .message()
      .append(message(0x0b, Bytes.counting(9)));
    expect(serverError(record(0x16, hellos))).toBe("unexpected_message");
    const request = answer().tls13().message().append(message(0x00, new Bytes()));
    expect(serverError(record(0x16, request))).toBe("unexpected_message");
    expect(serverError(answer().tls13().record().append(sealedHandshake()))).toBe("unexpected_record");
  });
});

describe("early data", () => {
  it("is passed over on both sides of the ServerHello: an exact Finished completes", () => {
    const watch = new Watch().client(hello13().earlyData().psk([ticket]).record());
    watch.client(changeCipherSpec().append(applicationData(1000)));
    watch.server(answer().tls13().psk(0).record());
    watch.client(applicationData(1000)).client(applicationData(19)).client(applicationData(21));
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.client(applicationData(53));
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    expect(watch.seen.offers.earlyData).toBe(true);
    watch.free();
  });

  it("ends with a Finished of the length that the suite's hash gives", () => {
    const watch = new Watch().client(hello13().earlyData().psk([ticket]).record());
    watch.server(answer().tls13().cipher(0x1302).psk(0).record());
    watch.client(applicationData(53));
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.client(applicationData(69));
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    watch.free();
  });

  it("does not keep a handshake open for ever", () => {
    const watch = new Watch().client(hello13().earlyData().psk([ticket]).record());
    watch.server(answer().tls13().psk(0).record());
    for (let i = 0; i < 64; i++) watch.client(applicationData(1000));
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.client(applicationData(1000));
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    watch.free();
  });
});

describe("the client's bytes, taken step by step", () => {
  it("are told as early data and other records, however they come", () => {
    const first = hello13().earlyData().psk([ticket]).record();
    const bytes = first.append(changeCipherSpec()).append(applicationData(30)).append(applicationData(1));
    bytes.append(alert(1, 0)).append(applicationData(0)).append(applicationData(2));
    const length = hello13().earlyData().psk([ticket]).record().length;
    let expected = "|" + "-".repeat(length) + "|" + "-".repeat(6) + "|" + "e".repeat(35) + "|" + "e".repeat(6);
    expected += "|" + "-".repeat(7) + "|" + "e".repeat(5) + "|" + "e".repeat(7);
    for (let size = 1; size < 60; size++) expect(sorts(bytes, size)).toBe(expected, size.toString());
    expect(sorts(bytes, bytes.length)).toBe(expected);
  });

  it("give the same events as all at once", () => {
    const bytes = hello13().sni("a").earlyData().psk([ticket]).record().append(applicationData(30));
    const whole = new Watch().client(bytes).server(answer().tls13().psk(0).record()).client(applicationData(53));
    const steps = new Watch();
    steps.steps = true;
    steps.client(bytes).server(answer().tls13().psk(0).record()).client(applicationData(53));
    expect(steps.facts()).toBe(whole.facts());
    expect(steps.events).toBe("ClientHello ServerHello Complete");
    steps.free();
    whole.free();
  });

  it("are all taken after the end", () => {
    const watch = new Watch().server(Bytes.text("220"));
    expect<i32>(watch.seen.feedStep(ticket.at, 64)).toBe(Event.NotTls);
    expect(watch.seen.consumed).toBe(64);
    watch.free();
  });

  it("are no early data where they are no records", () => {
    const watch = new Watch().client(Bytes.text("GET /"));
    expect(watch.seen.betweenRecords).toBe(false);
    expect(watch.seen.inEarlyData(0x17)).toBe(false);
    watch.free();
  });
});

describe("a HelloRetryRequest", () => {
  it("is no ServerHello: the second ClientHello's offers replace the first's", () => {
    const watch = new Watch();
    watch.client(
      hello13()
        .sni("one.example")
        .earlyData()
        .psk([Bytes.counting(40), Bytes.counting(41)])
        .record(),
    );
    expect(watch.seen.retried).toBe(false);
    watch.client(changeCipherSpec().append(applicationData(500)));
    watch.server(answer().tls13().retry().record().append(changeCipherSpec()));
    expect(watch.events).toBe("ClientHello");
    expect(watch.seen.retried).toBe(true);
    watch.client(applicationData(500).append(changeCipherSpec()));
    watch.client(hello13().sni("two.example").psk([ticket]).record());
    expect(watch.events).toBe("ClientHello ClientHello");
    expect(watch.seen.offers.pskCount).toBe(1);
    expect(watch.seen.offers.earlyData).toBe(false);
    expect(hexOf(watch.seen.offers.pskHash(0), 32)).toBe(ticketHash);
    expect(String.UTF8.decodeUnsafe(watch.seen.offers.sni, watch.seen.offers.sniLength)).toBe("two.example");
    watch.server(changeCipherSpec().append(answer().tls13().psk(0).record()));
    watch.client(applicationData(60));
    expect(watch.events).toBe("ClientHello ClientHello ServerHello Complete");
    expect(kind(watch)).toBe("psk");
    watch.free();
  });

  it("may come again, which RFC 8446 forbids: the last hello before the answer counts", () => {
    const watch = new Watch().client(hello13().record()).server(answer().tls13().retry().record());
    watch.client(hello13().record()).server(answer().tls13().retry().record());
    watch.client(hello13().psk([ticket]).record()).server(answer().tls13().psk(0).record());
    expect(watch.events).toBe("ClientHello ClientHello ClientHello ServerHello");
    expect(watch.seen.acceptedUnfollowed).toBe(false);
    expect(hexOf(watch.seen.offers.pskHash(0), 32)).toBe(ticketHash);
    watch.free();
  });

  it("makes all unsure where the ServerHello comes without a second ClientHello", () => {
    const watch = new Watch().client(hello13().psk([ticket]).record()).server(answer().tls13().retry().record());
    expect(unsureName(watch.seen.offers.unsure)).toBe("nothing");
    watch.server(answer().tls13().psk(0).record());
    expect(watch.events).toBe("ClientHello ServerHello");
    expect(unsureName(watch.seen.offers.unsure)).toBe("all");
    expect(watch.seen.acceptedUnfollowed).toBe(true);
    expect(parseErrorName(watch.seen.takeUncounted())).toBe("unexpected_message");
    watch.free();
  });

  it("leaves nothing of what was unsure in the first ClientHello alone", () => {
    const watch = new Watch().client(hello13().sni("").psk([ticket]).psk([ticket]).record());
    expect(unsureName(watch.seen.offers.unsure)).toBe("psk name");
    watch.server(answer().tls13().retry().record()).client(hello13().sni("a").psk([ticket]).record());
    expect(unsureName(watch.seen.offers.unsure)).toBe("nothing");
    expect(watch.seen.offers.sniLength).toBe(1);
    watch.server(answer().tls13().psk(0).record());
    expect(watch.seen.acceptedUnfollowed).toBe(false);
    watch.free();
  });

  it("does not make sure what a ClientHello that nobody asked for has made unsure", () => {
    const watch = new Watch().client(hello13().psk([ticket]).record()).client(hello13().psk([ticket]).record());
    watch.server(answer().tls13().retry().record()).client(hello13().sni("a").psk([ticket]).record());
    expect(watch.events).toBe("ClientHello ClientHello");
    expect(unsureName(watch.seen.offers.unsure)).toBe("all");
    expect(watch.seen.offers.sniLength).toBe(-1);
    expect(parseErrorName(watch.seen.takeUncounted())).toBe("none", "the second hello has nothing wrong");
    watch.server(answer().tls13().psk(0).record());
    expect(watch.seen.acceptedUnfollowed).toBe(true);
    watch.free();
  });

  it("makes all unsure where it answers a ClientHello before its end, at any byte", () => {
    const bytes = hello13().sni("shop.example").ticket(ticket).psk([ticket]).record();
    for (let cut = 0; cut < bytes.length; cut++) {
      const watch = new Watch().client(bytes.slice(0, cut)).server(answer().tls13().retry().record());
      watch.client(bytes.slice(cut, bytes.length)).client(bytes);
      expect(watch.events).toBe("ClientHello", cut.toString());
      expect(unsureName(watch.seen.offers.unsure)).toBe("all");
      expect(watch.seen.offers.sniLength).toBe(-1);
      expect(hexOf(watch.seen.offers.pskHash(0), 32)).toBe(ticketHash);
      expect(watch.seen.offers.furtherCount).toBe(0);
      watch.server(answer().tls13().psk(0).record());
      expect(watch.seen.acceptedUnfollowed).toBe(true);
      watch.free();
    }
  });

  it("says the same cut at any byte", () => {
    const first = hello13()
      .sni("one.example")
      .earlyData()
      .psk([Bytes.counting(40)])
      .record()
      .append(applicationData(30));
    const exchange = new Exchange("retry")
      .client(first)
      .server(changeCipherSpec().append(answer().tls13().retry().record()));
    exchange.client(changeCipherSpec().append(hello13().sni("two.example").psk([ticket]).record()));
    exchange.server(answer().tls13().psk(0).record()).client(applicationData(53));
    const whole = exchange.watch();
    expect(whole.events).toBe("ClientHello ClientHello ServerHello Complete");
    expectSameCutAnywhere(exchange);
    whole.free();
  });
});

describe("records and messages", () => {
  it("may split a hello over records of any size, and over any pieces of those", () => {
    const bytes = hello13()
      .sni("shop.example")
      .ticket(ticket)
      .psk([Bytes.counting(300)])
      .message();
    const whole = new Watch().client(record(0x16, bytes));
    for (let fragment = 1; fragment < bytes.length; fragment++) {
      const split = records(0x16, bytes, fragment);
      const watch = new Watch().client(split);
      expect(watch.fingerprint()).toBe(whole.fingerprint());
      watch.free();
      const pieces = new Watch().clientIn(7, split);
      expect(pieces.fingerprint()).toBe(whole.fingerprint());
      pieces.free();
    }
    expect(whole.events).toBe("ClientHello");
    whole.free();
  });

  it("may split a server's flight over records of any size", () => {
    const all = answer().sessionId(id).message().append(serverKeyExchange());
    for (let fragment = 1; fragment < 120; fragment++) {
      const watch = new Watch().client(hello().record()).server(records(0x16, all, fragment));
      watch.client(records(0x16, clientKeyExchange(), fragment).append(finish()));
      watch.server(records(0x16, newSessionTicket(9, ticket), fragment).append(finish()));
      expect(watch.events).toBe("ClientHello ServerHello Complete");
      expect(hexOf(watch.seen.tickets.ticket.hash, 32)).toBe(ticketHash);
      watch.free();
    }
  });

  it("may come with any minor version in the record", () => {
    for (let minor = 0; minor < 256; minor += 51) {
      expect(
        clientError(
          hello()
            .record()
            .overwrite(2, <u8>minor),
        ),
      ).toBe("ClientHello");
    }
  });

  it("may hold hellos of any length", () => {
    const long = message(1, hello().sessionId(id).extension(0xabcd, Bytes.counting(60000)).sni("a").body());
    const watch = new Watch().client(records(0x16, long, 16384));
    expect(watch.events).toBe("ClientHello");
    expect(watch.seen.offers.sniLength).toBe(1);
    watch.server(records(0x16, answer().sessionId(id).extension(0xabcd, Bytes.counting(50000)).message(), 16384));
    watch.server(finish());
    expect(watch.events).toBe("ClientHello ServerHello");
    expect(kind(watch)).toBe("id");
    watch.free();
    expect(clientError(record(0x16, Bytes.of("01 ffffff 0303")))).toBe("");
  });

  it("are malformed behind the answer empty, too long, of an unknown type or of another major version", () => {
    const behind = answer().tls13().record();
    expect(serverError(behind.append(Bytes.of("17 0303 4800")))).toBe("ClientHello ServerHello");
    expect(serverError(answer().tls13().record().append(Bytes.of("17 0303 4801")))).toBe("record_too_long");
    expect(serverError(answer().tls13().record().append(Bytes.of("18 0303 0001")))).toBe("record_type");
    expect(serverError(answer().tls13().record().append(Bytes.of("17 0203 0001")))).toBe("record_version");
    expect(serverError(answer().tls13().record().append(Bytes.of("16 0303 0000")))).toBe("record_empty");
    expect(serverError(answer().tls13().record().append(Bytes.of("14 0303 0002 0101")))).toBe("change_cipher_spec");
    const full = new Watch().client(hello().record()).server(flight(answer()));
    expect(full.client(Bytes.of("16 0303 4001")).error).toBe("record_too_long");
    full.free();
    const sealed = fullTo(hello(), answer()).server(changeCipherSpec());
    expect(sealed.server(Bytes.of("16 0303 4801")).error).toBe("record_too_long");
    sealed.free();
  });

  it("are malformed where a change of cipher spec is not 1", () => {
    const watch = new Watch().client(hello().sessionId(id).record()).server(answer().sessionId(id).record());
    expect(watch.server(Bytes.of("14 0303 0001 02")).error).toBe("change_cipher_spec");
    expect(watch.seen.resumed).toBe(false);
    watch.free();
  });

  it("are malformed behind the answer where something comes between the pieces of a message", () => {
    const watch = new Watch().client(hello().record()).server(flight(answer()));
    watch.client(record(0x16, clientKeyExchange().slice(0, 20)).append(changeCipherSpec()));
    expect(watch.error).toBe("interleaved_message");
    watch.free();
  });

  it("tell by what follows whether an answer resumes whose ServerHello cannot be read", () => {
    const empty = record(0x16, Bytes.of("02 000000"));
    const resumed = new Watch().client(hello().sessionId(id).record()).server(empty).server(finish());
    expect(resumed.events).toBe("ClientHello ServerHello");
    expect(resumed.seen.acceptedUnfollowed).toBe(true);
    expect(parseErrorName(resumed.seen.takeUncounted())).toBe("server_hello_truncated");
    resumed.free();
    const full = new Watch().client(hello().sessionId(id).record()).server(empty);
    full.server(record(0x16, serverKeyExchange()));
    expect(full.events).toBe("ClientHello ServerHello");
    expect(full.seen.resumed).toBe(false);
    full.free();
  });

  it("are malformed where a ticket does not fill its message", () => {
    const watch = fullTo(hello(), answer()).server(record(0x16, Bytes.of("04 000008 00000001 0001 aabb")));
    expect(watch.error).toBe("new_session_ticket");
    watch.free();
  });

  it("tell that an answer resumes before what is wrong with the ticket that says so", () => {
    const tickets = ["04 000000", "04 000005 00000001 00", "04 000008 00000001 0001 aabb"];
    for (let i = 0; i < tickets.length; i++) {
      const message = answer().sessionId(id).message().append(Bytes.of(tickets[i]));
      const exchange = new Exchange("ticket").client(hello().sessionId(id).record());
      exchange.server(record(0x16, message).append(finish()));
      const watch = exchange.watch();
      expect(watch.events).toBe("ClientHello ServerHello Malformed");
      expect(watch.error).toBe("new_session_ticket");
      expect(watch.seen.resumed).toBe(true);
      watch.free();
      expectSameCutAnywhere(exchange);
    }
  });

  it("are malformed where a second ServerHello follows, which does not resume", () => {
    const twice = record(0x16, answer().sessionId(id).message().append(answer().sessionId(id).message()));
    const watch = new Watch().client(hello().sessionId(id).record()).server(twice);
    expect(watch.events).toBe("ClientHello ServerHello Malformed");
    expect(watch.error).toBe("unexpected_message");
    expect(watch.seen.resumed).toBe(false);
    watch.free();
  });
});

/** Client bytes that no client of good faith sends around its hello, each of them a number of whole records. */
function oddities(): Array<Bytes> {
  return [
    Bytes.of("16 0301 0000"), // an empty record
    Bytes.of("17 0303 0000 14 0303 0000 15 0303 0000"),
    record(0x18, Bytes.counting(30)),
    Bytes.of("19 0303 0001 00"), // a type that nobody has
    Bytes.of("ff 0303 0002 0000"),
    Bytes.of("17 0909 0001 00"), // versions that nobody has
    Bytes.of("16 0003 0004 63000000"),
    alert(2, 40),
    alert(1, 0),
    record(0x15, Bytes.of("02")),
    changeCipherSpec(),
    Bytes.of("14 0303 0002 0207"),
    applicationData(60),
    new Bytes().u8(0x17).u16(0x0303).vector16(Bytes.counting(30000)), // longer than records may be
    record(0x16, message(0x10, Bytes.counting(4))),
    record(0x16, message(0x63, new Bytes())),
    record(0x16, message(0x02, Bytes.counting(50))), // a hello of the wrong side
    sealedHandshake()
      .slice(0, 5)
      .append(message(0x14, Bytes.counting(36))),
  ];
}

describe("nothing that a client sends before the answer", () => {
  it("ends the watching, once its first two bytes are those of a record", () => {
    const odd = oddities();
    for (let i = 0; i < odd.length; i++) {
      const client = hello().sni("shop.example").sessionId(id).record();
      const before = Bytes.of("15 0303 0002 015a").append(odd[i]).append(client);
      const exchange = new Exchange("odd").client(before.append(odd[i])).server(answer().sessionId(id).record());
      exchange.client(odd[i]).server(finish()).client(finish());
      const watch = exchange.watch();
      expect(watch.events).toBe("ClientHello ServerHello Complete", i.toString());
      expect(unsureName(watch.seen.offers.unsure)).toBe("nothing", i.toString());
      expect(watch.seen.offers.sniLength).toBe(12);
      expect(kind(watch)).toBe("id", i.toString());
      expect(watch.seen.acceptedUnfollowed).toBe(false, i.toString());
      watch.free();
      if (before.length < 1000) expectSameCutAnywhere(exchange);
      expect(exchange.inPieces(1).close()).toBe(exchange.watch().close(), i.toString());
    }
  });

  it("ends it in the middle of a ClientHello, either: what comes between its pieces is passed over", () => {
    const odd = oddities();
    const bytes = hello().sni("shop.example").ticket(ticket).message();
    for (let i = 0; i < odd.length; i++) {
      // These go on with the message.
      if (odd[i].byte(0) == 0x16 && odd[i].length > 5) continue;
      const split = record(0x16, bytes.slice(0, 60))
        .append(odd[i])
        .append(record(0x16, bytes.slice(60, bytes.length)));
      const watch = new Watch().client(split);
      expect(watch.events).toBe("ClientHello", i.toString());
      expect(watch.seen.offers.sniLength).toBe(12, i.toString());
      expect(hexOf(watch.seen.offers.ticket.hash, 32)).toBe(ticketHash, i.toString());
      watch.free();
    }
  });

  it("begins with an alert, application data or a change of cipher spec for no other reason", () => {
    const first = [alert(2, 40), applicationData(60), changeCipherSpec(), record(0x18, Bytes.counting(3))];
    for (let i = 0; i < first.length; i++) {
      expect(clientError(first[i].append(hello().record()))).toBe("ClientHello");
    }
  });

  it("makes anything unsure that a later answer does not accept", () => {
    const watch = fullTo(hello().sessionId(Bytes.counting(40)).sni(""), answer()).server(finish());
    expect(watch.events).toBe("ClientHello ServerHello Complete");
    expect(watch.seen.resumed).toBe(false);
    expect(watch.seen.acceptedUnfollowed).toBe(false);
    watch.free();
  });

  it("is lost where a ClientHello is empty: it makes all unsure", () => {
    const watch = new Watch().client(record(0x16, Bytes.of("01 000000")));
    expect(watch.events).toBe("ClientHello");
    expect(unsureName(watch.seen.offers.unsure)).toBe("all");
    expect(parseErrorName(watch.seen.takeUncounted())).toBe("client_hello_truncated");
    expect(parseErrorName(watch.seen.takeUncounted())).toBe("none", "told once");
    watch.free();
  });
});

describe("a ClientHello that nobody has asked for", () => {
  it("makes all unsure: its resumption, of whatever kind, is not followed", () => {
    const exchanges = [
      new Exchange("id").client(hello().sessionId(id).record()).client(hello().sessionId(otherId).record()),
      new Exchange("psk").client(hello13().psk([ticket]).record()).client(hello13().psk([ticket]).record()),
      new Exchange("one record").client(record(0x16, hello().message().append(hello().message()))),
      new Exchange("half of one").client(hello().sessionId(id).record()).client(hello().record().slice(0, 9)),
    ];
    for (let i = 0; i < exchanges.length; i++) {
      const modern = i == 1;
      exchanges[i].server(modern ? answer().tls13().psk(0).record() : answer().record().append(changeCipherSpec()));
      const watch = exchanges[i].watch();
      expect(watch.events).toBe("ClientHello ServerHello", exchanges[i].name);
      expect(unsureName(watch.seen.offers.unsure)).toBe("all", exchanges[i].name);
      expect(watch.seen.offers.sniLength).toBe(-1);
      expect(watch.seen.resumed).toBe(true);
      expect(watch.seen.acceptedUnfollowed).toBe(true, exchanges[i].name);
      expect(parseErrorName(watch.seen.takeUncounted())).toBe("unexpected_message");
      watch.free();
      expectSameCutAnywhere(exchanges[i]);
    }
  });

  it("is none yet while its header is not whole", () => {
    const watch = new Watch().client(hello().sessionId(id).record()).client(hello().record().slice(0, 8));
    watch.server(answer().sessionId(id).record().append(changeCipherSpec()));
    expect(unsureName(watch.seen.offers.unsure)).toBe("nothing");
    expect(watch.seen.acceptedUnfollowed).toBe(false);
    watch.free();
  });

  it("is nothing to a full handshake", () => {
    const watch = new Watch().client(hello().record()).client(hello().record()).server(flight(answer()));
    expect(watch.events).toBe("ClientHello ServerHello");
    expect(watch.seen.resumed).toBe(false);
    expect(watch.seen.acceptedUnfollowed).toBe(false);
    watch.free();
  });
});

describe("a ServerHello before a whole ClientHello", () => {
  it("makes all unsure, at any byte, and the rest of the hello is passed over", () => {
    const bytes = hello().sessionId(id).sni("shop.example").ticket(ticket).record();
    for (let cut = 0; cut < bytes.length; cut++) {
      const watch = new Watch().client(bytes.slice(0, cut)).server(answer().sessionId(id).record());
      watch.client(bytes.slice(cut, bytes.length)).server(finish()).client(finish());
      expect(watch.events).toBe("ServerHello Complete", cut.toString());
      expect(unsureName(watch.seen.offers.unsure)).toBe("all", cut.toString());
      expect(watch.seen.offers.sniLength).toBe(-1);
      expect(watch.seen.resumed).toBe(true);
      expect(watch.seen.acceptedUnfollowed).toBe(true, cut.toString());
      expect(parseErrorName(watch.seen.takeUncounted())).toBe("unexpected_message");
      watch.free();
    }
  });

  it("decides in TLS 1.3 all the same, for good", () => {
    const bytes = hello13().sni("shop.example").psk([ticket]).record();
    for (let cut = 5; cut < bytes.length; cut++) {
      const watch = new Watch().client(bytes.slice(0, cut)).server(answer().tls13().psk(0).record());
      watch.client(bytes.slice(cut, bytes.length));
      expect(watch.seen.decided).toBe(true);
      expect(watch.seen.acceptedUnfollowed).toBe(true);
      // Its last piece may be seen as what it is, or as a message out of order; never as another beginning.
      expect(watch.events.startsWith("ServerHello")).toBe(true);
      expect(watch.events.includes("ClientHello")).toBe(false);
      watch.free();
    }
  });
});

describe("what begins with no record", () => {
  it("is told at the first byte that cannot be one, once, and the answer decides", () => {
    const handshake = changetype<Handshake>(Handshake.create());
    const http = Bytes.text("GET / HTTP/1.1\r\n\r\n");
    expect<i32>(handshake.feed(Direction.Downstream, http.at, http.length)).toBe(Event.Unfollowed);
    expect(handshake.consumed).toBe(1);
    expect(unsureName(handshake.offers.unsure)).toBe("all");
    expect<i32>(handshake.feed(Direction.Downstream, http.at, http.length)).toBe(Event.NeedMore);
    expect(handshake.consumed).toBe(http.length);
    handshake.free();
    const other = changetype<Handshake>(Handshake.create());
    const version = Bytes.of("16 02 00");
    expect<i32>(other.feed(Direction.Downstream, version.at, version.length)).toBe(Event.Unfollowed);
    expect(other.consumed).toBe(2);
    other.free();
  });

  it("is not followed where the server resumes, and is full where it does not", () => {
    const first = ["GET / HTTP/1.1", "SSH-2.0-OpenSSH_9.2", "\x16\x02"];
    for (let i = 0; i < first.length; i++) {
      const start = Bytes.text(first[i]).append(hello().sessionId(id).record());
      const resumed = new Watch().client(start).server(answer().sessionId(id).record().append(finish()));
      expect(resumed.events).toBe("Unfollowed ServerHello");
      expect(resumed.seen.resumed).toBe(true);
      expect(resumed.seen.acceptedUnfollowed).toBe(true);
      resumed.free();
      const modern = new Watch().client(start).server(answer().tls13().psk(0).record());
      expect(modern.events).toBe("Unfollowed ServerHello");
      expect(modern.seen.acceptedUnfollowed).toBe(true);
      modern.free();
      const full = new Watch().client(start).server(flight(answer().sessionId(id)));
      expect(full.events).toBe("Unfollowed ServerHello");
      expect(full.seen.resumed).toBe(false);
      expect(full.seen.acceptedUnfollowed).toBe(false);
      full.free();
    }
  });

  it("is every first byte but those of records", () => {
    for (let byte = 0; byte < 256; byte++) {
      expect(clientError(new Bytes().u8(byte))).toBe(byte >= 0x14 && byte <= 0x18 ? "" : "Unfollowed");
    }
  });

  it("is a second byte other than 3 behind any first one of a record", () => {
    for (let type = 0x14; type <= 0x18; type++) {
      for (let major = 0; major < 256; major++) {
        expect(clientError(new Bytes().u8(type).u8(major))).toBe(major == 3 ? "" : "Unfollowed");
      }
    }
  });

  it("may be an SSLv2 hello: records follow it", () => {
    for (let length = 20; length < 300; length += 93) {
      const exchange = new Exchange("v2").client(v2Hello(length)).server(flight(answer().sessionId(id)));
      exchange.client(record(0x16, clientKeyExchange()).append(finish())).server(finish());
      const watch = exchange.watch();
      expect(watch.events).toBe("Unfollowed ServerHello Complete");
      expect(unsureName(watch.seen.offers.unsure)).toBe("all");
      expect(hexOf(watch.seen.issuedId, watch.seen.issuedIdLength)).toBe(hexOf(id.at, 32));
      watch.free();
      expectSameCutAnywhere(exchange);
    }
  });

  it("makes a hello in records behind an SSLv2 hello unsure, too", () => {
    const exchange = new Exchange("v2").client(v2Hello(46).append(hello().sni("a").sessionId(id).record()));
    exchange.server(answer().sessionId(id).record().append(finish()));
    const watch = exchange.watch();
    expect(watch.events).toBe("Unfollowed ClientHello ServerHello");
    expect(unsureName(watch.seen.offers.unsure)).toBe("all");
    expect(watch.seen.offers.sniLength).toBe(-1);
    expect(watch.seen.offers.sessionIdLength).toBe(32);
    expect(watch.seen.acceptedUnfollowed).toBe(true);
    watch.free();
    expectSameCutAnywhere(exchange);
  });
});

describe("what is no TLS of a server", () => {
  it("is a greeting, or an answer in plain text", () => {
    const greeting = new Watch().server(Bytes.text("220 mail.example ESMTP"));
    expect(greeting.events).toBe("NotTls");
    greeting.free();
    const answering = new Watch().client(hello().record()).server(Bytes.text("HTTP/1.1 400 Bad Request"));
    expect(answering.events).toBe("ClientHello NotTls");
    answering.free();
  });

  it("is an SSLv2 hello, or a record of another major version", () => {
    expect(serverError(v2Hello(46))).toBe("ClientHello NotTls");
    expect(serverError(Bytes.of("16 02"))).toBe("ClientHello NotTls");
  });
});

describe("a server before its answer", () => {
  it("may send anything in records: only a hello or an alert counts", () => {
    const odd = oddities();
    for (let i = 0; i < odd.length; i++) {
      const isAlert = odd[i].byte(0) == 0x15 && odd[i].length == 7;
      const isHello = odd[i].byte(0) == 0x16 && odd[i].length > 5 && odd[i].byte(5) == 0x02;
      if (isAlert || isHello) continue;
      const before = alert(1, 0x5a).append(odd[i]);
      const exchange = new Exchange("odd").client(hello().sessionId(id).record());
      exchange.server(before.append(answer().sessionId(id).record()).append(finish()));
      const watch = exchange.watch();
      expect(watch.events).toBe("ClientHello ServerHello", i.toString());
      expect(kind(watch)).toBe("id", i.toString());
      watch.free();
      expect(exchange.inPieces(1).close()).toBe(exchange.watch().close(), i.toString());
    }
  });

  it("may send application data and empty records between its ServerHello and what tells", () => {
    const exchange = new Exchange("between").client(hello().sessionId(id).record());
    exchange.server(answer().sessionId(id).record().append(applicationData(9)).append(Bytes.of("16 0303 0000")));
    exchange.server(alert(1, 0x5a).append(Bytes.of("00 0303 0001 00")));
    const undecided = exchange.watch();
    expect(undecided.events).toBe("ClientHello");
    expect(undecided.seen.undecided).toBe(true);
    undecided.free();
    exchange.server(finish());
    const watch = exchange.watch();
    expect(watch.events).toBe("ClientHello ServerHello");
    expect(kind(watch)).toBe("id");
    watch.free();
    expectSameCutAnywhere(exchange);
  });

  it("decides with the header of what follows its ServerHello, not before", () => {
    const followers = [
      newSessionTicket(9, ticket),
      message(0x0b, Bytes.counting(30)),
      message(0x63, Bytes.counting(3)),
    ];
    for (let i = 0; i < followers.length; i++) {
      const all = record(0x16, answer().sessionId(id).message().append(followers[i]));
      const until = all.length - followers[i].length + 4;
      for (let length = 0; length < all.length; length++) {
        const watch = new Watch().client(hello().sessionId(id).record()).server(all.slice(0, length));
        expect(watch.events).toBe(length < until ? "ClientHello" : "ClientHello ServerHello", length.toString());
        expect(watch.seen.resumed).toBe(i == 0 && length >= until);
        watch.free();
      }
    }
  });
});

describe("an alert", () => {
  it("ends a handshake where it is fatal or closes", () => {
    expect(serverError(alert(2, 40))).toBe("ClientHello Failed");
    expect(serverError(alert(1, 0))).toBe("ClientHello Failed");
    expect(serverError(answer().tls13().record().append(alert(2, 47)))).toBe("ClientHello ServerHello Failed");
  });

  it("is passed over where it only warns", () => {
    const watch = new Watch().client(hello().record()).server(alert(1, 112).append(flight(answer())));
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.client(alert(1, 41)).client(alert(2, 42));
    expect(watch.events).toBe("ClientHello ServerHello Failed");
    watch.free();
  });

  it("may be cut between its two bytes, beside one of the other side", () => {
    const warning = alert(1, 112);
    const fatal = alert(2, 40);
    const watch = new Watch().client(hello().record());
    watch.server(flight(answer()));
    watch.server(warning.slice(0, 6)).client(fatal.slice(0, 6)).server(warning.slice(6, 7));
    expect(watch.events).toBe("ClientHello ServerHello");
    watch.client(fatal.slice(6, 7));
    expect(watch.events).toBe("ClientHello ServerHello Failed");
    watch.free();
  });

  it("ends a handshake where it comes sealed in place of a Finished, whatever it says", () => {
    const watch = fullTo(hello(), answer())
      .server(changeCipherSpec())
      .server(record(0x15, Bytes.counting(26)));
    expect(watch.events).toBe("ClientHello ServerHello Failed");
    watch.free();
  });

  it("ends a handshake at once where its sealed record is empty", () => {
    const watch = fullTo(hello(), answer()).client(record(0x15, new Bytes()));
    expect(watch.events).toBe("ClientHello ServerHello Failed");
    watch.free();
  });

  it("is malformed in clear where it is not two bytes, and passed over before the answer", () => {
    expect(serverError(record(0x15, Bytes.of("02")))).toBe("ClientHello");
    expect(serverError(record(0x15, Bytes.of("022802")))).toBe("ClientHello");
    expect(
      serverError(
        answer()
          .tls13()
          .record()
          .append(record(0x15, Bytes.of("02"))),
      ),
    ).toBe("alert_length");
    expect(
      serverError(
        answer()
          .tls13()
          .record()
          .append(record(0x15, Bytes.of("022802"))),
      ),
    ).toBe("alert_length");
  });

  it("ends a handshake in the middle of a message", () => {
    const watch = new Watch().client(hello().record()).server(record(0x16, answer().message().slice(0, 30)));
    watch.server(alert(2, 80));
    expect(watch.events).toBe("ClientHello Failed");
    watch.free();
  });
});

describe("feeding", () => {
  it("takes bytes up to an event and leaves the rest", () => {
    const handshake = changetype<Handshake>(Handshake.create());
    const first = hello().record();
    const both = hello().record().append(Bytes.of("17 0303 0001 00"));
    expect<i32>(handshake.feed(Direction.Downstream, both.at, both.length)).toBe(Event.ClientHello);
    expect(handshake.consumed).toBe(first.length);
    expect<i32>(handshake.feed(Direction.Downstream, both.at + first.length, 6)).toBe(Event.NeedMore);
    expect(handshake.consumed).toBe(6);
    handshake.free();
  });

  it("takes nothing of nothing", () => {
    const handshake = changetype<Handshake>(Handshake.create());
    expect<i32>(handshake.feed(Direction.Downstream, 0, 0)).toBe(Event.NeedMore);
    expect(handshake.consumed).toBe(0);
    expect<i32>(handshake.feed(Direction.Downstream, 0, -1)).toBe(Event.NeedMore);
    expect(handshake.consumed).toBe(0);
    handshake.free();
  });

  it("takes all and says the same again after the end", () => {
    const handshake = changetype<Handshake>(Handshake.create());
    const http = Bytes.text("GET / HTTP/1.1\r\n\r\n");
    handshake.feed(Direction.Upstream, http.at, http.length);
    expect(handshake.consumed).toBe(1);
    expect<i32>(handshake.feed(Direction.Downstream, http.at, http.length)).toBe(Event.NotTls);
    expect(handshake.consumed).toBe(http.length);
    expect<i32>(handshake.feed(Direction.Upstream, http.at, 3)).toBe(Event.NotTls);
    expect(handshake.consumed).toBe(3);
    handshake.free();
  });

  it("finds a new handshake empty", () => {
    const handshake = changetype<Handshake>(Handshake.create());
    expect(handshake.offers.sniLength).toBe(-1);
    expect(handshake.offers.sni).toBe(0);
    expect(handshake.offers.sessionId).toBe(0);
    expect(handshake.offers.ticket.present).toBe(false);
    expect(handshake.acceptedPskIndex).toBe(-1);
    expect(handshake.answer.version).toBe(0);
    expect(handshake.tickets.ticket.hash).toBe(0);
    handshake.free();
  });
});
